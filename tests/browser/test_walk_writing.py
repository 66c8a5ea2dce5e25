"""The editor of a matter's text: marks of several lines and of a table, and what is pasted from Word."""
from playwright.sync_api import Page, expect

from tests.browser.visitors import BRANCH_ADMIN, Visitors

PASTED = "<p><b>一事一议</b></p><table><tr><td>村民</td><td>意见</td></tr><tr><td>赵德山</td><td>同意</td></tr></table>"
TABLE = "| 村民 | 意见 |\n| --- | --- |\n| 赵德山 | 同意 |"


def writing(visitors: Visitors) -> Page:
    """Somebody who writes down what was decided today."""
    page = visitors.enter(BRANCH_ADMIN, "村（社区）管理员")
    page.goto("/disclosures/new")
    items = page.get_by_label("事项", exact=True)
    items.select_option(label=next(one for one in items.locator("option").all_inner_texts() if "重大决策" in one))
    page.get_by_label("事项结束日期").fill("2026-11-20")
    page.get_by_role("button", name="填写内容").click()
    page.wait_for_url("**/edit")
    return page


def paste(page: Page, html: str) -> None:
    with page.expect_response("**/disclosures/cleaned"):
        page.get_by_label("正文").evaluate("""(area, html) => {
            const pasted = new DataTransfer()
            pasted.setData("text/html", html)
            area.focus()
            area.dispatchEvent(new ClipboardEvent("paste", { clipboardData: pasted, bubbles: true, cancelable: true }))
        }""", html)


def test_marks_end_with_their_line_and_a_pasted_table_with_an_empty_one(visitors: Visitors):
    page = writing(visitors)
    text, bold = page.get_by_label("正文"), page.get_by_role("button", name="粗体")

    text.fill("- 修路\n\n村内路灯\n" + TABLE)
    text.select_text()
    bold.click()
    expect(text).to_have_value("- **修路**\n\n**村内路灯**\n" + TABLE.replace("村民", "**村民**").replace(
        "意见", "**意见**").replace("赵德山", "**赵德山**").replace("同意", "**同意**"))
    text.select_text()
    bold.click()
    expect(text).to_have_value("- 修路\n\n村内路灯\n" + TABLE)

    text.fill("会议记录")
    paste(page, PASTED + "<img alt='照片'>")
    expect(page.locator("#toast")).to_contain_text("图片没有贴进来")
    expect(text).to_have_value("会议记录\n\n**一事一议**\n\n" + TABLE + "\n\n")
    page.keyboard.type("以上为表决结果。")
    page.get_by_role("button", name="保存并预览").click()
    expect(page.get_by_role("cell", name="以上为表决结果。")).to_have_count(0)
    expect(page.get_by_role("paragraph").filter(has_text="以上为表决结果。")).to_be_visible()
    visitors.picture(page, "97-written", full_page=True)
