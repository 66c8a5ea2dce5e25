"""The safety officer finds what did not arrive, sends it again with a reason, and the outbox has it."""
from playwright.sync_api import expect

from tests.browser.visitors import Visitors

SAFETY = "13700000004"


def test_from_what_did_not_arrive_to_the_outbox(visitors: Visitors):
    visitors.expect(422)
    page = visitors.enter(SAFETY)
    page.goto("/me")
    page.get_by_role("link", name="短信").click()
    expect(page.get_by_role("heading", name="要处理的")).to_be_visible()
    visitors.picture(page, "messages", full_page=True)

    page.get_by_role("link", name="马志刚").first.click()
    expect(page.get_by_text("手机号退订了短信")).to_be_visible()
    page.get_by_role("button", name="重发").click()
    expect(page.get_by_text("请填写重发原因")).to_be_visible()
    page.get_by_label("重发原因").fill("问过本人，已恢复接收短信")
    visitors.picture(page, "message", full_page=True)
    page.get_by_role("button", name="重发").click()
    expect(page.get_by_text("已发出").or_(page.get_by_text("等待发送"))).to_be_visible()
    expect(page.get_by_role("button", name="重发")).to_have_count(0)

    page.goto("/accounts/messages")
    expect(page.get_by_text("已重发").first).to_be_visible()

    stranger = visitors.enter()
    stranger.goto("/demo/outbox")
    newest = stranger.locator(".outbox__one").first
    expect(newest).to_contain_text("13700000015")
    expect(newest).to_contain_text("授权码")
    visitors.picture(stranger, "outbox")


def test_the_picture_code_can_be_seen_heard_and_changed(visitors: Visitors):
    page = visitors.enter()
    answer = page.request.get("/picture-codes/new")
    token = answer.text().split('name="picture" value="')[1].split('"')[0]
    page.goto("/sign-in")
    seen = page.evaluate("""async token => {
        const image = new Image()
        image.src = `/picture-codes/${token}`
        await image.decode()
        const audio = new Audio(`/picture-codes/${token}/sound`)
        const seconds = await new Promise((told, failed) => {
            audio.addEventListener("loadedmetadata", () => told(audio.duration))
            audio.addEventListener("error", () => failed(audio.error.message))
        })
        return [image.naturalWidth, image.naturalHeight, seconds]
    }""", token)
    assert seen[:2] == [220, 80]
    assert 3 < seen[2] < 20
