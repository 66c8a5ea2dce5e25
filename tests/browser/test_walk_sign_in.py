"""Signing in as it goes wrong: a mistake, a forgotten password, a session ended in mid-form, a role taken away."""
import re

import pytest
from playwright.sync_api import expect

from server.demo.people import PASSWORD
from tests.browser.stacks import Demonstration
from tests.browser.visitors import (
    NEIGHBOUR,
    SECRETARY,
    THREE_ROLES,
    Visitors,
    sign_in,
    type_picture,
)

NEIGHBOUR_MEMBER, HER_NAME = "13700000014", "吴玉兰"
FRESH = "Xinmima2027"
CLEAR = re.compile(r"370921\d{11}[\dX]")


def test_a_mistake_asks_for_a_picture_and_the_right_password_opens(visitors: Visitors):
    visitors.expect(422)
    page = visitors.enter()
    page.goto("/sign-in")
    page.get_by_label("手机号").fill("13700000011")
    page.get_by_label("密码").fill("Wrong2026x")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_text("手机号或密码不对")).to_be_visible()
    visitors.picture(page, "sign-in-1-mistake", full_page=True)
    page.get_by_label("密码").fill(PASSWORD)
    type_picture(page)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("link", name="我的", exact=True)).to_be_visible()


def test_what_is_typed_as_a_password_can_be_looked_at_until_it_is_sent(visitors: Visitors):
    page = visitors.enter()
    page.goto("/sign-in")
    page.get_by_label("手机号").fill("13700000016")
    password = page.get_by_label("密码")
    password.fill("Wrong2026x")
    expect(password).to_have_attribute("type", "password")
    page.get_by_role("button", name="显示").click()
    expect(password).to_have_attribute("type", "text")
    page.get_by_role("button", name="隐藏").click()
    expect(password).to_have_attribute("type", "password")
    page.get_by_role("button", name="显示").click()
    page.evaluate("document.forms[0].addEventListener('submit', event => event.preventDefault())")
    page.get_by_role("button", name="登录").click()
    expect(password).to_have_attribute("type", "password")


def her_id_number(visitors: Visitors) -> str:
    """As the 书记 of her branch opens it."""
    page = visitors.enter(NEIGHBOUR)
    page.goto("/members")
    page.get_by_label("姓名、身份证号或手机号码").fill(HER_NAME)
    page.get_by_role("button", name="查找").click()
    page.get_by_role("link", name=HER_NAME).click()
    page.get_by_text("查看完整号码").click()
    page.get_by_role("radio", name="身份证号").check()
    page.get_by_role("radio", name="核对党员信息").check()
    page.get_by_role("button", name="查看一次").click()
    expect(page.locator("main")).to_contain_text(CLEAR)
    found = CLEAR.search(page.locator("main").inner_text())
    assert found
    return found[0]


def test_a_forgotten_password_is_set_anew_with_the_code_from_the_outbox(visitors: Visitors):
    visitors.expect(422)
    number = her_id_number(visitors)
    page = visitors.enter()
    page.goto("/sign-in")
    page.get_by_role("link", name="忘记密码").click()
    page.get_by_label("手机号").fill(NEIGHBOUR_MEMBER)
    type_picture(page)
    page.get_by_role("button", name="获取验证码").click()
    expect(page.get_by_label("身份证号后六位")).to_be_visible()
    visitors.picture(page, "sign-in-2-new-password", full_page=True)
    outbox = visitors.enter()
    outbox.goto("/demo/outbox")
    words = outbox.locator(".outbox__one", has_text=NEIGHBOUR_MEMBER).first.inner_text()
    code = re.search(r"验证码 (\d{6})，用于重设", words)
    assert code
    page.get_by_label("短信验证码").fill(code[1])
    page.get_by_label("身份证号后六位").fill(number[-6:].lower())
    page.get_by_label("新密码").fill("Password1")
    page.get_by_label("确认密码").fill("Password1")
    page.get_by_role("button", name="确定").click()
    expect(page.get_by_text("太常见")).to_be_visible()
    page.get_by_label("短信验证码").fill(code[1])
    page.get_by_label("新密码").fill(FRESH)
    page.get_by_label("确认密码").fill(FRESH)
    page.get_by_role("button", name="确定").click()
    expect(page.get_by_text("密码已经改好")).to_be_visible()
    page.get_by_label("手机号").fill(NEIGHBOUR_MEMBER)
    page.get_by_label("密码").fill(FRESH)
    page.get_by_role("button", name="登录").click()
    page.get_by_role("link", name="我的", exact=True).click()
    page.get_by_role("link", name="改密码").click()
    page.get_by_label("原来的密码").fill(FRESH)
    page.get_by_label("新密码").fill(PASSWORD)
    page.get_by_label("确认密码").fill(PASSWORD)
    visitors.picture(page, "sign-in-3-change", full_page=True)
    page.get_by_role("button", name="确定").click()
    expect(page.get_by_text(HER_NAME)).to_be_visible()


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without"])
def test_a_form_whose_session_was_ended_elsewhere_goes_on_after_signing_in(visitors: Visitors, script: bool):
    visitors.expect(401)
    phone, desk = visitors.enter(java_script_enabled=script), visitors.enter()
    for page in (phone, desk):
        page.goto("/sign-in")
        sign_in(page, SECRETARY)
    topic = "讨论修路" if script else "讨论修路，没有脚本"
    phone.goto("/meetings/new")
    phone.get_by_label("主题党日").check()
    phone.get_by_label("主题", exact=True).fill(topic)
    desk.goto("/me/sessions")
    visitors.picture(desk, "sign-in-4-sessions", full_page=True)
    desk.get_by_role("button", name=re.compile("在.*退出")).first.click()
    desk.wait_for_load_state()
    phone.get_by_role("button", name="提交并通知大家").click()
    if script:
        phone.get_by_role("link", name="重新登录").click()
    else:
        expect(phone.get_by_text("登录后接着办")).to_be_visible()
        visitors.picture(phone, "sign-in-5-late", full_page=True)
        phone.get_by_role("link", name="登录", exact=True).click()
    sign_in(phone, SECRETARY)
    expect(phone.get_by_text("刚才填的内容还没有提交")).to_be_visible()
    expect(phone.locator(".parked__text", has_text=topic)).to_be_visible()
    visitors.picture(phone, f"sign-in-6-goes-on-{script}", full_page=True)
    phone.get_by_role("button", name="继续提交").click()
    expect(phone.get_by_role("heading", name=topic)).to_be_visible()


HER_GRANT = """role = '组织员' AND account_id = (
    SELECT a.id FROM account a JOIN person p ON p.id = a.person_id WHERE p.name = '丁海霞')"""


def test_a_role_taken_away_counts_from_the_next_tap(visitors: Visitors, stack: Demonstration):
    page = visitors.enter()
    page.goto("/sign-in")
    sign_in(page, THREE_ROLES)
    page.goto("/to-dos")
    expect(page.get_by_role("heading", name="工作台")).to_be_visible()
    stack.run_sql(f"UPDATE role_grant SET until = ebranch_now() WHERE until IS NULL AND {HER_GRANT}")
    page.locator(".tabs__tab", has_text="消息").click()
    expect(page.get_by_text("您的“组织员”身份有变动，请重新登录")).to_be_visible()
    visitors.picture(page, "sign-in-7-role-gone", full_page=True)
    page.get_by_label("手机号").fill(THREE_ROLES)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.get_by_role("link", name="我的", exact=True).click()
    expect(page.get_by_text("正式党员").first).to_be_visible()
    expect(page.get_by_text("组织员")).to_have_count(0)
    expect(page.get_by_role("link", name="工作台")).to_have_count(0)
    stack.run_sql(f"""INSERT INTO role_grant (account_id, role, organisation_id)
                       SELECT account_id, role, organisation_id FROM role_grant WHERE {HER_GRANT} LIMIT 1""")
