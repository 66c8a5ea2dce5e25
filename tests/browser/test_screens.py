"""Every screen of every role: readable by everybody, large enough for a thumb, nothing cut off at the side."""
import os

import pytest
from playwright.sync_api import Page, expect

from server.demo.people import CAST
from tests.browser.screens import MARKUP, faults, screens
from tests.browser.visitors import (
    BRANCH_ADMIN,
    COMMITTEE,
    DESK,
    KEEP_PICTURES,
    MEMBER,
    PROBATIONARY,
    SECRETARY,
    Visitors,
    type_picture,
)

TARGET, LARGE_TARGET = 44, 60  # px
examined: set[str] = set()  # the markup of screens that were found in order, whoever saw them


def examine(visitors: Visitors, page: Page, who: str, least: int) -> None:
    """Goes through all of somebody's screens; fails with everything that is wrong on any of them."""
    wrong = []
    for kind in screens(page):
        markup = f"{least} {page.evaluate(MARKUP)}"
        if markup in examined:
            continue
        examined.add(markup)
        if KEEP_PICTURES in os.environ:
            visitors.picture(page, f"80-{who}{kind.replace('/', '-').replace('?', '-')}")
        wrong += [f"{who} {kind}: {fault}" for fault in faults(page, least)]
    assert not wrong, "\n".join(wrong)


ONE_OF_EACH = {someone.roles[0][0]: someone for someone in reversed(CAST)}  # by role, the first of the list


@pytest.mark.parametrize("someone", ONE_OF_EACH.values(), ids=lambda someone: someone.phone[-2:])
def test_every_screen_is_fit_for_everybody(visitors: Visitors, someone):
    visitors.expect(403)  # who has no meetings
    examine(visitors, visitors.enter(someone.phone), someone.phone[-2:], TARGET)


@pytest.mark.parametrize("phone", [BRANCH_ADMIN, PROBATIONARY, COMMITTEE])
def test_every_screen_is_fit_in_large_print(visitors: Visitors, phone: str):
    visitors.expect(403)  # whoever acted as somebody without meetings before
    page = visitors.enter(phone)
    switch_large(page)
    expect(page.locator("html[data-size=large]")).to_be_visible()
    try:
        examine(visitors, page, f"{phone[-2:]}-large", LARGE_TARGET)
    finally:
        switch_large(page)


def switch_large(page: Page) -> None:
    page.goto("/me")
    page.get_by_role("button", name="大字版").click()
    page.wait_for_load_state()


def test_strangers_find_their_way_in(visitors: Visitors):
    visitors.expect(404, 422)
    page, wrong = visitors.enter(None), []
    for address in ("/sign-in", "/nowhere", "/c/not-a-token", "/wall/not-a-token", "/demo/outbox"):
        page.goto(address)
        visitors.picture(page, f"81-stranger{address.replace('/', '-')}")
        wrong += [f"{address}: {fault}" for fault in faults(page, TARGET)]
    page.goto("/sign-in")
    page.get_by_label("手机号").fill(SECRETARY)
    page.get_by_label("密码").fill("wrong")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_text("手机号或密码不对")).to_be_visible()
    expect(page.get_by_label("手机号")).to_have_value(SECRETARY)
    visitors.picture(page, "82-wrong-password")
    wrong += faults(page, TARGET)
    page.get_by_label("密码").fill("Dengta2026")
    type_picture(page)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_label("验证码", exact=True)).to_be_visible()
    visitors.picture(page, "83-code")
    wrong += faults(page, TARGET)
    assert not wrong, "\n".join(wrong)


def test_a_wide_screen_has_two_panes_and_a_rail(visitors: Visitors):
    page = visitors.enter(SECRETARY, **DESK)
    for address, left, right in (("/threads", ".side", ".pane"), ("/to-dos", ".areas", ".desk")):
        page.goto(address)
        rail, beside, main = (page.locator(part).first.bounding_box() for part in (".tabs", left, right))
        assert rail
        assert beside
        assert main
        assert rail["x"] == 0
        assert rail["width"] < rail["height"]
        assert rail["width"] <= beside["x"]
        assert beside["x"] + beside["width"] <= main["x"] + 1
        visitors.picture(page, f"84-desk{address.replace('/', '-')}")


def test_the_countdown_says_why_it_is_this_day(visitors: Visitors):
    page = visitors.enter(MEMBER)
    page.goto("/meetings")
    page.locator("a.row", has=page.locator(".meeting__stage", has_text="已记入")).first.click()
    page.get_by_text("为什么是这天").click()
    expect(page.get_by_text("第 7 个工作日")).to_be_visible()
    expect(page.get_by_text("周六，不算").or_(page.get_by_text("周末，不算")).first).to_be_visible()
    visitors.picture(page, "85-why-this-day")
