"""What officers do beside the main path: 补记, moving, calling off, two at once, tapping twice."""
import re
from datetime import datetime, timedelta

from playwright.sync_api import Page, expect

from tests.browser.visitors import COMMITTEE, MEMBER, ORGANISER, SECRETARY, Visitors

A_MEETING = re.compile(r"/meetings/\d+")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def plan(page: Page, topic: str, begins: datetime, *, held: bool = False) -> str:
    """Fills in 记组织生活 (or 补记) for three hours and sends it; the address it leads to."""
    page.goto("/meetings/new?held=1" if held else "/meetings/new")
    fill_in(page, topic, begins)
    page.get_by_role("button", name="补记" if held else "提交并通知大家").click()
    page.wait_for_url(A_MEETING)
    return page.url


def fill_in(page: Page, topic: str, begins: datetime) -> None:
    page.get_by_label("主题党日").check()
    page.get_by_label("主题", exact=True).fill(topic)
    page.get_by_label("开始时间").fill(typed(begins))
    page.get_by_label("结束时间").fill(typed(begins + 3 * HOUR))


def typed(moment: datetime) -> str:
    """As <input type=datetime-local> takes it."""
    return moment.isoformat(timespec="minutes")


def just_now(page: Page) -> datetime:
    """The half-hour that has begun on the stack's clock, which is not the machine's."""
    page.goto("/meetings/new")
    return datetime.fromisoformat(page.get_by_label("开始时间").input_value()) - HOUR / 2


def test_a_gathering_of_yesterday_is_entered_afterwards(visitors: Visitors):
    page = visitors.enter(SECRETARY)
    plan(page, "昨天临时开的小组会", just_now(page) - DAY, held=True)
    expect(page.get_by_role("heading", name="签到")).to_be_visible()
    page.get_by_role("button", name="全部到会").click()
    expect(page.get_by_text("已记入")).to_be_visible()
    page.get_by_role("button", name="完成签到").click()
    page.wait_for_url(re.compile(r"/meetings/\d+$"))
    expect(page.get_by_text("已记入")).to_be_visible()
    visitors.picture(page, "60-entered-afterwards", full_page=True)


def test_what_is_past_the_lock_goes_to_the_committee(visitors: Visitors):
    visitors.expect(422)
    page = visitors.enter(SECRETARY)
    begins = just_now(page) - 40 * DAY
    page.goto("/meetings/new?held=1")
    fill_in(page, "忘了记的主题党日", begins)
    page.get_by_role("button", name="补记").click()
    expect(page.get_by_text("请写明为什么没有按时记入")).to_be_visible()
    visitors.picture(page, "61-late-asks-why", full_page=True)
    page.get_by_label("为什么没有按时记").fill("那几天村里没有网络")
    page.get_by_role("button", name="提交给党委").click()
    expect(page.get_by_text("已经提交")).to_be_visible()
    visitors.picture(page, "62-late-explained", full_page=True)
    committee = visitors.enter(COMMITTEE)
    committee.goto("/to-dos")
    committee.get_by_role("link", name="忘了记的主题党日").click()
    committee.get_by_label("更改理由").fill("核对了手写记录，同意补记。")
    committee.get_by_role("button", name="看改前改后").click()
    committee.get_by_role("button", name="确认更改").click()
    expect(committee.get_by_text("已更改")).to_be_visible()
    visitors.picture(committee, "63-late-entered-by-the-committee", full_page=True)


def test_a_meeting_is_moved_and_called_off_with_reasons_everybody_sees(visitors: Visitors):
    page = visitors.enter(SECRETARY)
    begins = just_now(page) + 3 * DAY
    meeting = plan(page, "要改期的党课", begins)
    page.get_by_role("link", name="改期").click()
    page.get_by_label("开始时间").fill(typed(begins + DAY))
    page.get_by_label("结束时间").fill(typed(begins + DAY + HOUR))
    page.get_by_label("改期原因").fill("老师那天来不了")
    visitors.picture(page, "64-move")
    page.get_by_role("button", name="改期并通知").click()
    expect(page.get_by_text(f"{(begins + DAY).month}月{(begins + DAY).day}日")).to_be_visible()
    member = visitors.enter(MEMBER)
    member.goto("/threads")
    member.get_by_role("link", name="组织生活").first.click()
    expect(member.locator("article", has_text="要改期的党课").last).to_contain_text("老师那天来不了")
    visitors.picture(member, "65-moved-card")
    page.get_by_role("link", name="取消", exact=True).click()
    page.get_by_label("取消原因").fill("并到主题党日一起上")
    visitors.picture(page, "66-cancel")
    page.get_by_role("button", name="取消会议").click()
    expect(page.get_by_text("已取消")).to_be_visible()
    expect(page.get_by_text("取消原因：并到主题党日一起上")).to_be_visible()
    visitors.picture(page, "67-cancelled", full_page=True)
    member.goto(meeting)
    expect(member.get_by_text("并到主题党日一起上")).to_be_visible()


def test_two_officers_writing_at_once_lose_nothing(visitors: Visitors):
    visitors.expect(409)
    secretary, organiser = visitors.enter(SECRETARY), visitors.enter(ORGANISER)
    meeting = plan(secretary, "两个人一起记", just_now(secretary))
    for page in (secretary, organiser):
        page.goto(f"{meeting}/log")
    secretary.get_by_label("会议记录").fill("书记写的记录")
    secretary.get_by_role("button", name="提交记录").click()
    expect(secretary.get_by_text("书记写的记录")).to_be_visible()
    organiser.get_by_label("会议记录").fill("组织委员写的记录")
    organiser.get_by_role("button", name="提交记录").click()
    expect(organiser.locator("#conflict")).to_contain_text("书记写的记录")
    expect(organiser.get_by_label("会议记录")).to_have_value("组织委员写的记录")
    visitors.picture(organiser, "68-two-officers", full_page=True)
    organiser.get_by_label("会议记录").fill("两个人写的记录")
    organiser.get_by_role("button", name="提交记录").click()
    expect(organiser.get_by_text("两个人写的记录")).to_be_visible()


def test_a_double_tap_checks_in_once(visitors: Visitors):
    secretary, member = visitors.enter(SECRETARY), visitors.enter(MEMBER)
    meeting = plan(secretary, "点了两下签到", just_now(secretary))
    secretary.goto(f"{meeting}/check-in-wall")
    link = secretary.locator(".wall__qr").get_attribute("href")
    posts = counted_posts(member)
    member.goto(link or "")
    member.get_by_role("button", name="签到").dblclick()
    expect(member.get_by_text("您已签到")).to_be_visible()
    assert len(posts) == 1
    expect(secretary.locator(".count__n")).to_have_text("1")


def test_a_tap_while_the_next_page_is_on_its_way_sends_nothing(visitors: Visitors):
    secretary, member = visitors.enter(SECRETARY), visitors.enter(MEMBER)
    meeting = plan(secretary, "网慢时又点了一下", just_now(secretary))
    secretary.goto(f"{meeting}/check-in-wall")
    posts = counted_posts(member)
    member.goto(secretary.locator(".wall__qr").get_attribute("href") or "")
    member.evaluate("""() => {
        const form = document.querySelector("form.arrive__go")
        document.addEventListener("htmx:finally:request", () => form.requestSubmit())
    }""")
    member.get_by_role("button", name="签到").click()
    expect(member.get_by_text("您已签到")).to_be_visible()
    assert len(posts) == 1


def test_a_double_tap_plans_one_meeting(visitors: Visitors):
    page = visitors.enter(SECRETARY)
    begins = just_now(page)
    posts = counted_posts(page)
    fill_in(page, "点了两下提交", begins)
    page.get_by_role("button", name="提交并通知大家").dblclick()
    page.wait_for_url(A_MEETING)
    page.goto("/meetings")
    expect(page.get_by_role("link", name="点了两下提交").and_(page.locator(".row"))).to_have_count(1)
    assert len(posts) == 1


def counted_posts(page: Page) -> list[str]:
    """Every form this page sends from now on."""
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    return posts


def test_a_photograph_does_not_touch_what_was_just_typed(visitors: Visitors):
    visitors.expect(422)
    page = visitors.enter(SECRETARY)
    meeting = plan(page, "边写边传照片", just_now(page))
    page.goto(f"{meeting}/log")
    page.locator("#log_photos_file").set_input_files(
        {"name": "不是照片.jpg", "mimeType": "image/jpeg", "buffer": b"not a picture"})
    page.get_by_label("会议记录").fill("刚刚打的字")
    expect(page.locator("#log_photos").get_by_text("这不是照片")).to_be_visible()
    expect(page.get_by_label("会议记录")).to_have_value("刚刚打的字")
    visitors.picture(page, "69-not-a-photograph")
