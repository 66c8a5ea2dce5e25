"""From plan to amendment: a branch holds a real meeting with its phones."""
from io import BytesIO

import pytest
import zxingcpp
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from tests.browser.stacks import Demonstration
from tests.browser.visitors import COMMITTEE, MEMBER, NEIGHBOUR, ORGANISER, SECRETARY, Visitors, sign_in

TOPIC = "学习条例，商量北坡路"
MINUTES = "赵德山同志领学《支部工作条例》第三章。大家看了修路的预算，一致同意先修 320 米。"
LOCKED = "已超7个工作日，禁止更改"
PAST_THE_LOCK = "2026-12-02T09:00"  # the 7th working day after Sunday the 22nd is Tuesday, December 1st


@pytest.fixture
def handwritten() -> dict:
    """A photograph of handwritten minutes, as a phone uploads it."""
    sheet = Image.new("RGB", (900, 1200), "#f4efe2")
    pen = ImageDraw.Draw(sheet)
    for line in range(150, 1150, 60):
        pen.line((60, line, 840, line), fill="#b9c4d4", width=2)
        pen.line((80, line - 14, 80 + (line * 37) % 700, line - 20), fill="#2b2f4a", width=5)
    file = BytesIO()
    sheet.save(file, "JPEG")
    return {"name": "手写记录.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()}


def test_a_branch_holds_a_meeting_from_plan_to_amendment(stack: Demonstration, visitors: Visitors, handwritten: dict):
    secretary = visitors.enter(None)
    secretary.goto("/")
    sign_in(secretary, SECRETARY)
    meeting = plan(visitors, secretary)
    wall, projector = open_wall(visitors, secretary)
    member = check_in_by_the_code_on_the_wall(visitors, wall)
    expect(wall.locator(".count__n")).to_have_text("1")
    expect(projector.locator(".stage__n")).to_contain_text("1")
    visitors.picture(wall, "08-wall-counts")
    visitors.picture(projector, "09-projector-counts")
    the_neighbour_is_refused(visitors, meeting, scan(visitors, wall))
    take_attendance(visitors, secretary, meeting)
    write_the_log(visitors, secretary, meeting, handwritten)
    the_organiser_checks(visitors, meeting)
    member.goto(meeting)
    expect(member.locator("main")).to_contain_text(MINUTES)
    visitors.picture(member, "19-member-reads", full_page=True)
    visitors.close_all()
    stack.at(PAST_THE_LOCK)
    visitors.forget_who_is_signed_in()
    refused_and_told_what_to_do(visitors, meeting)
    amended_by_the_committee(visitors, meeting)
    everybody_sees_what_was_changed(visitors, meeting)


def plan(visitors: Visitors, page: Page) -> str:
    """记组织生活 for now; the address of the meeting."""
    visitors.picture(page, "01-signed-in")
    page.get_by_role("link", name="支部", exact=True).click()
    page.get_by_role("link", name="记组织生活").click()
    page.get_by_label("主题党日").check()
    page.get_by_label("主题", exact=True).fill(TOPIC)
    page.get_by_label("开始时间").fill("2026-11-22T15:00")
    page.get_by_label("结束时间").fill("2026-11-22T16:30")
    page.get_by_label("地点").fill("村委会会议室")
    visitors.picture(page, "02-plan", full_page=True)
    page.get_by_role("button", name="提交并通知大家").click()
    expect(page.get_by_role("heading", name=TOPIC)).to_be_visible()
    visitors.picture(page, "03-planned", full_page=True)
    return page.url


def open_wall(visitors: Visitors, page: Page) -> tuple[Page, Page]:
    """签到二维码 on the officer's phone, and the projector's page of it."""
    page.get_by_role("link", name="签到二维码").click()
    expect(page.locator(".wall__code")).to_be_visible()
    visitors.picture(page, "04-wall")
    link = page.get_by_role("link", name="打开投屏页").first.get_attribute("href")
    projector = visitors.enter(None, viewport={"width": 1280, "height": 720}, device_scale_factor=1)
    projector.goto(link or "")
    visitors.picture(projector, "05-projector")
    return page, projector


def scan(visitors: Visitors, page: Page) -> str:
    """What a camera reads off the screen: the link in the QR code."""
    found = zxingcpp.read_barcodes(Image.open(visitors.picture(page, "scanned")))
    assert len(found) == 1
    return found[0].text


def check_in_by_the_code_on_the_wall(visitors: Visitors, wall: Page) -> Page:
    """Another phone scans: sign-in, 签到, 您已签到."""
    page = visitors.enter(None)
    page.goto(scan(visitors, wall))
    visitors.picture(page, "06-scanned-asks-to-sign-in")
    sign_in(page, MEMBER)
    visitors.picture(page, "07-one-button")
    page.get_by_role("button", name="签到").click()
    expect(page.get_by_text("您已签到")).to_be_visible()
    visitors.picture(page, "07-checked-in")
    return page


def the_neighbour_is_refused(visitors: Visitors, meeting: str, link: str) -> None:
    visitors.expect(404)
    page = visitors.enter(NEIGHBOUR)
    answer = page.goto(meeting)
    assert answer
    assert answer.status == 404
    visitors.picture(page, "10-neighbour-404")
    page.goto(link)
    expect(page.get_by_text("您不在这次会议的名单里")).to_be_visible()
    visitors.picture(page, "11-neighbour-scans")


def take_attendance(visitors: Visitors, page: Page, meeting: str) -> None:
    page.goto(meeting)
    page.get_by_role("link", name="签到名单").click()
    visitors.picture(page, "12-attendance")
    excused = page.get_by_role("group", name="张建国").get_by_role("button", name="请假")
    excused.click()
    expect(excused).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="全部到会").click()
    expect(page.locator(".tally__one").nth(1)).to_contain_text("22")
    visitors.picture(page, "13-all-came")
    page.get_by_role("button", name="完成签到").click()
    expect(page.get_by_role("heading", name=TOPIC)).to_be_visible()
    visitors.picture(page, "14-attendance-done", full_page=True)


def write_the_log(visitors: Visitors, page: Page, meeting: str, handwritten: dict) -> None:
    page.get_by_role("link", name="写记录", exact=True).click()
    page.get_by_label("会议记录").fill(MINUTES)
    expect(page.get_by_text("已保存草稿")).to_be_visible()
    visitors.picture(page, "15-log-autosaved")
    page.locator("#log_photos_file").set_input_files(handwritten)
    expect(page.locator("#log_photos .upload__one--done")).to_have_count(1)
    expect(page.get_by_label("会议记录")).to_have_value(MINUTES)
    visitors.picture(page, "16-log-photo", full_page=True)
    page.get_by_role("button", name="提交记录").click()
    expect(page.get_by_text("待组织委员审核")).to_be_visible()
    expect(page.get_by_alt_text("手写记录第 1 页")).to_be_visible()
    visitors.picture(page, "17-log-written", full_page=True)


def the_organiser_checks(visitors: Visitors, meeting: str) -> None:
    page = visitors.enter(ORGANISER)
    page.goto("/to-dos")
    visitors.picture(page, "18-organiser-to-dos")
    page.get_by_role("link", name=TOPIC).click()
    visitors.picture(page, "18-organiser-checks", full_page=True)
    page.get_by_role("button", name="审核通过").click()
    expect(page.get_by_role("button", name="审核通过")).to_have_count(0)
    expect(page.get_by_text("孙桂兰 · 组织委员 审核通过")).to_be_visible()


def refused_and_told_what_to_do(visitors: Visitors, meeting: str) -> None:
    """Past the lock nothing can be written; the screen says why and what to do."""
    visitors.expect(409)
    page = visitors.enter(SECRETARY)
    page.goto(meeting)
    expect(page.get_by_text(LOCKED)).to_be_visible()
    expect(page.get_by_role("link", name="写记录", exact=True)).to_have_count(0)
    visitors.picture(page, "20-locked", full_page=True)
    answer = page.goto(f"{meeting}/log")
    assert answer
    assert answer.status == 409
    expect(page.get_by_role("heading", name=LOCKED)).to_be_visible()
    expect(page.get_by_text("点“更改说明”")).to_be_visible()
    visitors.picture(page, "21-log-refused")
    page.goto(meeting)
    page.get_by_role("link", name="更改说明").click()
    page.get_by_label("更改说明").fill("漏记了决议：同意先修 320 米，预算 4.2 万元。有会议记录照片。")
    visitors.picture(page, "22-explain")
    page.get_by_role("button", name="提交给党委").click()
    expect(page.get_by_text("已经提交")).to_be_visible()
    visitors.picture(page, "23-explained", full_page=True)


def amended_by_the_committee(visitors: Visitors, meeting: str) -> None:
    page = visitors.enter(COMMITTEE)
    page.goto("/to-dos")
    visitors.picture(page, "24-committee-to-dos")
    page.goto("/threads")
    page.get_by_role("link", name="基层报送").click()
    visitors.picture(page, "25-committee-thread")
    page.locator("article", has_text=TOPIC).get_by_role("link", name="马上处理").click()
    visitors.picture(page, "26-amend", full_page=True)
    page.get_by_label("决议").fill("同意先修 320 米，预算 4.2 万元。")
    page.get_by_label("更改理由").fill("核对了会议记录照片，予以更改。")
    page.get_by_role("button", name="看改前改后").click()
    expect(page.get_by_text("更改前")).to_be_visible()
    visitors.picture(page, "27-before-and-after", full_page=True)
    page.get_by_role("button", name="确认更改").click()
    expect(page.get_by_text("已更改")).to_be_visible()
    visitors.picture(page, "28-amended", full_page=True)


def everybody_sees_what_was_changed(visitors: Visitors, meeting: str) -> None:
    for phone in (MEMBER, SECRETARY):
        page = visitors.enter(phone)
        page.goto("/threads")
        page.get_by_role("link", name="组织生活").first.click()
        visitors.picture(page, f"29-{phone[-2:]}-thread")
        page.locator("article", has_text="日志已更改").last.get_by_role("link", name="看记录").click()
        expect(page.locator(".card", has_text="更改说明 · 已更改")).to_contain_text("预算 4.2 万元")
        expect(page.get_by_text("宋文斌")).to_be_visible()
        visitors.picture(page, f"30-{phone[-2:]}-reads-the-amendment", full_page=True)
