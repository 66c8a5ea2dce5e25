"""A masked number on the secretary's phone: found, opened with a reason, hidden again; another phone, face to face."""
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.stacks import Demonstration
from tests.browser.visitors import COMMITTEE, DESK, MEMBER, SECRETARY, Visitors, sign_in

MASKED = re.compile(r"370921\*{8}\d{3}[\dX]")
CLEAR = re.compile(r"370921\d{11}[\dX]")


def look_up(page: Page, wanted: str) -> None:
    page.goto("/members")
    page.get_by_label("姓名、身份证号或手机号码").fill(wanted)
    page.get_by_role("button", name="查找").click()


def test_a_number_is_opened_with_a_reason_and_hidden_again(visitors: Visitors):
    page = visitors.enter(SECRETARY)
    look_up(page, "王秀英")
    visitors.picture(page, "personal-1-found")
    page.get_by_role("link", name="王秀英").click()
    expect(page.locator("main")).to_contain_text(MASKED)
    visitors.expect(422)
    page.get_by_text("查看完整号码").click()
    page.get_by_role("radio", name="身份证号").check()
    page.get_by_role("button", name="查看一次").click()
    expect(page.locator("main")).to_contain_text("请选择理由")
    expect(page.locator("main")).not_to_contain_text(CLEAR)
    page.get_by_role("radio", name="核对党员信息").check()
    page.get_by_role("button", name="查看一次").click()
    expect(page.locator("main")).to_contain_text(CLEAR)
    expect(page.locator("main")).to_contain_text("只显示这一次")
    visitors.picture(page, "personal-2-opened", full_page=True)
    page.goto("/me")
    page.go_back()
    expect(page.locator("main")).to_contain_text(MASKED)
    expect(page.locator("main")).not_to_contain_text(CLEAR)
    page.reload()
    expect(page.locator("main")).not_to_contain_text(CLEAR)


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without"])
def test_a_quarter_of_an_hour_after_the_last_code_another_is_asked_for_and_what_was_filled_in_goes_on(
    visitors: Visitors, stack: Demonstration, script: bool,
):
    page = visitors.enter(java_script_enabled=script)
    page.goto("/sign-in")
    sign_in(page, SECRETARY)  # anew: the code that is entered below gives the session another token
    look_up(page, "王秀英")
    page.get_by_role("link", name="王秀英").click()
    stack.run_sql("""UPDATE session SET confirmed_at = confirmed_at - interval '20 minutes'
                     WHERE id = (SELECT max(id) FROM session)""")
    visitors.expect(401, 403)
    page.get_by_text("查看完整号码").click()
    page.get_by_role("radio", name="身份证号").check()
    page.get_by_role("radio", name="核对党员信息").check()
    page.get_by_role("button", name="查看一次").click()
    expect(page.get_by_role("heading", name="确认是您本人")).to_be_visible()
    visitors.picture(page, f"personal-7-asks-{script}", full_page=True)
    page.get_by_role("button", name="获取验证码").click()
    page.get_by_label("验证码", exact=True).fill(page.locator(".door__code").inner_text())
    page.get_by_role("button", name="确定").click()
    expect(page.locator(".parked")).to_have_text(re.compile(r"\s*要看的号码\s*身份证号\s*理由\s*核对党员信息\s*"))
    visitors.picture(page, f"personal-8-goes-on-{script}", full_page=True)
    page.get_by_role("button", name="继续提交").click()
    expect(page.locator("main")).to_contain_text(CLEAR)
    page.go_back()
    expect(page.locator("main")).not_to_contain_text(CLEAR)


def test_a_member_sees_the_own_page_masked_and_the_committee_its_whole_register(visitors: Visitors):
    member = visitors.enter(MEMBER)
    member.goto("/me")
    member.get_by_role("link", name="王秀英").first.click()
    expect(member.locator("main")).to_contain_text("137****0010")
    expect(member.locator("main")).not_to_contain_text("查看完整号码")
    visitors.picture(member, "personal-3-own")
    desk = visitors.enter(COMMITTEE, **DESK)
    desk.goto("/members")
    expect(desk.locator(".people__one")).to_have_count(30)
    visitors.picture(desk, "personal-4-desk")
    desk.get_by_role("link", name="看后面的").click()
    expect(desk).to_have_url(re.compile(r"/members\?after=\d+$"))


def test_another_phone_is_confirmed_face_to_face(visitors: Visitors):
    page = visitors.enter(SECRETARY)
    look_up(page, "张建国")
    page.get_by_role("link", name="张建国").first.click()
    page.get_by_role("link", name="当面变更手机号码").click()
    page.get_by_label("姓名").fill("张建国")
    page.get_by_label("新手机号码", exact=True).fill("13812340066")
    page.get_by_label("再填一遍新手机号码").fill("13812340066")
    page.get_by_role("radio", name="当面核对了居民身份证").check()
    page.get_by_label("变更原因").fill("旧号码停用")
    visitors.picture(page, "personal-5-phone", full_page=True)
    page.get_by_role("button", name="记入名册").click()
    expect(page.locator("main")).to_contain_text("138****0066")
    expect(page.locator("main")).to_contain_text("新的手机号码已记入名册")
    visitors.picture(page, "personal-6-changed")
