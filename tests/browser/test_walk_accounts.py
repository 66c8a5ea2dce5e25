"""From an opened account to the first sign-in with the outbox's codes; a member registers; duties are handed over."""
import re

from playwright.sync_api import Page, expect

from tests.browser.test_walk_officers import SAFETY, fill
from tests.browser.visitors import Visitors, type_picture
from tests.officers.stories import id_number

NEW = {"姓名": "江映雪", "身份证号": id_number(905), "手机号码": "13811113333"}
PASSWORD = "Qiancun2027"


def sent_to(visitors: Visitors, phone: str, pattern: str) -> str:
    """What the newest message to a phone says, as the outbox shows it."""
    outbox = visitors.enter()
    outbox.goto("/demo/outbox")
    words = outbox.locator(".outbox__one", has_text=phone).first.inner_text()
    found = re.search(pattern, words)
    assert found, words
    return found[1]


def get_code(visitors: Visitors, page: Page, phone: str) -> None:
    """获取验证码: the picture, the SMS, the code typed in."""
    type_picture(page)
    page.get_by_role("button", name="获取验证码").click()
    expect(page.locator("main")).to_contain_text("验证码已经发出")
    page.get_by_label("短信验证码").fill(sent_to(visitors, phone, r"验证码 (\d{6})"))


def test_who_was_opened_an_account_activates_it_and_signs_in_for_the_first_time(visitors: Visitors):
    safety = visitors.enter(SAFETY)
    safety.goto("/accounts/new")
    fill(safety, NEW | {"党组织": "前村支部", "事由": "2026年换届任职"})
    safety.get_by_label("e支部管理员", exact=True).check()
    safety.get_by_role("button", name="开通").click()
    expect(safety.locator("main")).to_contain_text("待激活")
    code = sent_to(visitors, NEW["手机号码"], r"授权码 (\w{8})")

    visitors.expect(422)
    officer = visitors.enter()
    officer.goto("/sign-in")
    officer.get_by_role("link", name="用户激活").click()
    officer.get_by_label("手机号码").fill(NEW["手机号码"])
    get_code(visitors, officer, NEW["手机号码"])
    fill(officer, NEW | {"授权码": "ABCDEFGH", "管理员密码": PASSWORD, "确认密码": PASSWORD})
    officer.get_by_role("button", name="激活", exact=True).last.click()
    expect(officer.locator("main")).to_contain_text("授权码和短信里的不一致")
    expect(officer.get_by_label("姓名")).to_have_value(NEW["姓名"])
    visitors.picture(officer, "accounts-01-wrong-code", full_page=True)
    fill(officer, {"授权码": code.lower(), "管理员密码": PASSWORD, "确认密码": PASSWORD})
    officer.get_by_role("button", name="激活", exact=True).last.click()
    expect(officer.get_by_role("heading", name="激活成功")).to_be_visible()
    visitors.picture(officer, "accounts-02-activated")
    officer.get_by_role("link", name="去登录").click()
    fill(officer, {"手机号": NEW["手机号码"], "密码": PASSWORD})
    officer.get_by_role("button", name="登录").click()
    officer.get_by_label("验证码").fill(officer.locator(".door__code").inner_text())
    officer.get_by_role("button", name="确定").click()
    officer.goto("/me")
    expect(officer.locator("main")).to_contain_text("前村支部 · e支部管理员")
    safety.reload()
    expect(safety.locator("main")).to_contain_text("使用中")


def test_duties_are_handed_over_with_a_list_to_sign(visitors: Visitors):
    safety = visitors.enter(SAFETY)
    safety.goto("/accounts")
    safety.get_by_placeholder("姓名、党组织或手机号码").fill("钱永军")
    safety.get_by_role("button", name="查找").click()
    safety.get_by_role("link", name="钱永军").first.click()
    safety.locator("summary", has_text="前村支部 · e支部管理员").click()
    safety.get_by_role("link", name="请人代理").first.click()
    visitors.picture(safety, "accounts-03-substitution", full_page=True)
    safety.go_back()
    safety.locator("summary", has_text="前村支部 · e支部管理员").click()
    safety.get_by_role("link", name="交接给别人").first.click()
    visitors.picture(safety, "accounts-04-hand-over", full_page=True)
    safety.locator("label", has_text="孙桂兰").first.click()
    safety.get_by_label("原因").fill("换届")
    safety.get_by_role("button", name="确定交接").click()
    expect(safety.get_by_role("heading", name="交接清单", exact=True)).to_be_visible()
    expect(safety.locator("main")).to_contain_text("监交人（签字）")
    expect(safety.locator(".sheet__list li").first).to_be_visible()
    visitors.picture(safety, "accounts-05-list", full_page=True)
    safety.emulate_media(media="print")
    visitors.picture(safety, "accounts-06-printed", full_page=True)


def test_a_member_with_another_phone_asks_the_branch(visitors: Visitors):
    member = visitors.enter()
    member.goto("/sign-in")
    member.get_by_role("link", name="党员注册").click()
    fill(member, {"姓名": "无名氏", "身份证号": id_number(906), "手机号码": "13811114444"})
    type_picture(member)
    member.get_by_role("button", name="换了手机号").click()
    expect(member.locator("main")).to_contain_text("已告诉您的支部")
    visitors.picture(member, "accounts-07-registration", full_page=True)
