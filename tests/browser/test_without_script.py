"""The main path in a browser that runs no script: every form posts, every link opens."""
from datetime import datetime, timedelta

from playwright.sync_api import expect

from tests.browser.test_walk import MINUTES
from tests.browser.visitors import MEMBER, SECRETARY, Visitors, sign_in

TOPIC = "没有脚本的主题党日"


def test_a_meeting_is_planned_attended_and_recorded_without_script(visitors: Visitors):
    page = visitors.enter(None, java_script_enabled=False)
    page.goto("/threads")
    sign_in(page, SECRETARY)
    expect(page.get_by_role("heading", name="前村支部")).to_be_visible()
    page.get_by_role("link", name="支部", exact=True).click()
    page.get_by_role("link", name="记组织生活").click()
    page.get_by_label("主题党日").check()
    page.get_by_label("主题", exact=True).fill(TOPIC)
    page.get_by_label("开始时间").fill(half_an_hour_before(page.get_by_label("开始时间").input_value()))
    page.get_by_role("button", name="提交并通知大家").click()
    expect(page.get_by_role("heading", name=TOPIC)).to_be_visible()
    meeting = page.url
    page.goto(f"{meeting}/check-in-wall")
    check_in_by_digits(visitors, meeting, page.locator(".wall__code").inner_text())
    page.goto(f"{meeting}/attendance")
    expect(page.locator(".row", has_text="王秀英")).to_contain_text("数字码")
    excused = page.get_by_role("group", name="张建国").get_by_role("button", name="请假")
    excused.click()
    expect(excused).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="全部到会").click()
    page.get_by_role("button", name="完成签到").click()
    page.get_by_role("link", name="写记录", exact=True).click()
    page.get_by_label("会议记录").fill(MINUTES)
    visitors.picture(page, "40-log-without-script")
    page.get_by_role("button", name="提交记录").click()
    expect(page.get_by_text(MINUTES)).to_be_visible()
    expect(page.get_by_text("待组织委员审核")).to_be_visible()


def half_an_hour_before(proposed: str) -> str:
    """A beginning that has just passed: the form proposes the next half-hour."""
    return (datetime.fromisoformat(proposed) - timedelta(minutes=30)).isoformat(timespec="minutes")


def check_in_by_digits(visitors: Visitors, meeting: str, code: str) -> None:
    visitors.expect(422)
    page = visitors.enter(None, java_script_enabled=False)
    page.goto(f"{meeting}/check-in")
    sign_in(page, MEMBER)
    page.get_by_label("数字码").fill("000 000" if code != "000 000" else "111 111")
    page.get_by_role("button", name="签到").click()
    expect(page.get_by_text("数字码不对")).to_be_visible()
    visitors.picture(page, "41-wrong-digits")
    page.get_by_label("数字码").fill(code)
    page.get_by_role("button", name="签到").click()
    expect(page.get_by_text("您已签到")).to_be_visible()


def test_a_message_is_said_without_script(visitors: Visitors):
    page = visitors.enter(None, java_script_enabled=False)
    page.goto("/threads")
    sign_in(page, MEMBER)
    page.get_by_role("link", name="支部论坛").click()
    page.get_by_label("说点什么").fill("没有脚本也能说")
    page.get_by_role("button", name="发送").click()
    expect(page.locator(".said--mine", has_text="没有脚本也能说")).to_be_visible()
    expect(page.get_by_label("说点什么")).to_have_value("")
