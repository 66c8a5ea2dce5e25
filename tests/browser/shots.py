"""Takes the README's pictures into docs/pictures: `make shots`. A Sunday evening in 前村, always the same."""
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from server.settings import ROOT
from tests.browser.stacks import Demonstration
from tests.browser.visitors import (
    BRANCH_ADMIN,
    COMMITTEE,
    COUNTY,
    DESK,
    MEMBER,
    SECRETARY,
    VILLAGER,
    Visitors,
    launch,
)

PICTURES = ROOT / "docs/pictures"
AFTERNOON, EVENING = "2026-11-22T15:00", "2026-11-22T19:10"  # the 主题党日 is called for 19:30
CAME = ("赵德山", "孙桂兰", "钱永军", "丁金水", "杜景芝", "郭翠平", "纪兆祥", "李凤山", "李士杰", "刘德山", "时树春")
EXCUSED = ("田德山", "王志强")


def take(visitors: Visitors, page: Page, name: str) -> None:
    """Keeps what the page looks like as docs/pictures/{name}.webp."""
    page.wait_for_timeout(300)  # what has just been swapped in settles
    Image.open(visitors.picture(page, name)).save(PICTURES / f"{name}.webp", quality=70, method=6)
    print(f"docs/pictures/{name}.webp")


def tonight(page: Page) -> str:
    """The address of this evening's meeting."""
    page.goto("/meetings")
    page.locator("a.row", has_text="主题党日").first.click()
    page.wait_for_url("**/meetings/*")
    return page.url


def evening(visitors: Visitors) -> None:
    """People come in; what the officer and a member see."""
    officer, member = visitors.enter(SECRETARY), visitors.enter(MEMBER)
    meeting = tonight(officer)
    member.goto("/threads")
    take(visitors, member, "threads")
    member.get_by_role("link", name="组织生活").first.click()
    take(visitors, member, "thread")
    officer.goto(f"{meeting}/attendance")
    for names, mark in ((CAME, "参加"), (EXCUSED, "请假")):
        for name in names:
            with officer.expect_response(f"{meeting}/attendance"):
                officer.get_by_role("group", name=name).get_by_role("button", name=mark).click()
    officer.goto(f"{meeting}/check-in-wall")
    member.goto(officer.locator(".wall__qr").get_attribute("href") or "")
    member.get_by_role("button", name="签到").click()
    member.get_by_text("您已签到").wait_for()
    take(visitors, member, "check-in")
    officer.get_by_text("刚刚：王秀英").wait_for()
    take(visitors, officer, "wall")
    officer.goto(f"{meeting}/attendance")
    take(visitors, officer, "attendance")


def records(visitors: Visitors) -> None:
    """A log with its countdown, and one that its committee changes."""
    officer, committee = visitors.enter(SECRETARY, color_scheme="dark"), visitors.enter(COMMITTEE)
    officer.goto("/meetings")
    officer.locator("a.row", has_text="讨论支部下一年工作计划").click()
    officer.get_by_text("为什么是这天").click()
    take(visitors, officer, "meeting-dark")
    committee.goto("/to-dos")
    take(visitors, committee, "to-dos")
    committee.get_by_role("link", name="更改说明").first.click()
    committee.get_by_label("决议").fill("村东头的路灯由支委会找电工来修。")
    committee.get_by_label("更改理由").fill("核对了原始记录，予以补上。")
    committee.get_by_role("button", name="看改前改后").click()
    committee.get_by_text("更改前").first.wait_for()
    take(visitors, committee, "amendment")


def books(visitors: Visitors) -> None:
    """A village's books as a villager reads them, what is due there, and what the county sees."""
    villager, county = visitors.enter(VILLAGER), visitors.enter(COUNTY)
    villager.goto("/disclosures")
    take(visitors, villager, "village")
    villager.goto("/ledgers/370921102201/2026-09")
    take(visitors, villager, "ledger")
    county.goto("/supervision")
    take(visitors, county, "supervision")


def shapes(visitors: Visitors) -> None:
    """大字版, and a desk."""
    large, desk = visitors.enter(BRANCH_ADMIN), visitors.enter(SECRETARY, **DESK)
    large.goto("/me")
    large.get_by_role("button", name="大字版").click()
    large.goto("/threads")
    take(visitors, large, "large")
    desk.goto("/threads")
    desk.get_by_role("link", name="组织生活").nth(0).click()
    take(visitors, desk, "desk")


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        stack = Demonstration(Path(folder) / "data")
        try:
            for moment in (AFTERNOON, EVENING):
                stack.at(moment)
            with Visitors(launch(playwright), stack.address, Path(folder)).one_test() as visitors:
                for scene in (evening, records, books, shapes):
                    scene(visitors)
        finally:
            stack.clear()


if __name__ == "__main__":
    main()
