"""What one person does reaches the others' open pages by itself."""
from playwright.sync_api import Page, expect

from tests.browser.visitors import DESK, MEMBER, SECRETARY, Visitors

AT_ONCE = 2_000  # milliseconds
BY_POLLING = 15_000


def open_forum(page: Page) -> Page:
    page.goto("/threads")
    page.get_by_role("link", name="支部论坛").click()
    return page


def say(page: Page, text: str) -> None:
    page.get_by_label("说点什么").fill(text)
    page.get_by_role("button", name="发送").click()
    expect(page.locator(".said--mine", has_text=text)).to_be_visible()


def test_a_message_arrives_in_the_open_thread_and_in_the_list(visitors: Visitors):
    speaker = open_forum(visitors.enter(SECRETARY))
    thread, listing = open_forum(visitors.enter(MEMBER)), visitors.enter(MEMBER)
    listing.goto("/threads")
    row = listing.get_by_role("link", name="支部论坛")
    expect(row.locator(".badge")).to_have_count(0)
    visitors.listening(thread, listing)
    say(speaker, "预算贴在公示栏了")
    expect(thread.locator(".said", has_text="预算贴在公示栏了")).to_be_visible(timeout=AT_ONCE)
    expect(row).to_contain_text("赵德山：预算贴在公示栏了", timeout=AT_ONCE)
    visitors.picture(thread, "50-arrived")


def test_what_nobody_has_open_is_counted_as_unread(visitors: Visitors):
    speaker, listing = open_forum(visitors.enter(SECRETARY)), visitors.enter(MEMBER)
    open_forum(listing)
    listing.goto("/threads")
    visitors.listening(listing)
    for count in (1, 2):
        say(speaker, f"第 {count} 件事")
        badge = listing.get_by_role("link", name="支部论坛").locator(".badge")
        expect(badge).to_contain_text(str(count), timeout=AT_ONCE)
    tab = listing.locator(".tabs__tab", has_text="消息").locator(".badge")
    expect(tab).to_be_visible(timeout=AT_ONCE)
    open_forum(listing)
    listing.goto("/threads")
    expect(listing.get_by_role("link", name="支部论坛").locator(".badge")).to_have_count(0)


def test_where_the_stream_is_blocked_the_page_asks_by_itself(visitors: Visitors):
    visitors.expect("ERR_FAILED")
    speaker, listing = open_forum(visitors.enter(SECRETARY)), visitors.enter(MEMBER)
    listing.route("**/live", lambda route: route.abort())
    listing.goto("/threads")
    say(speaker, "没有直播也看得到")
    expect(listing.get_by_role("link", name="支部论坛")).to_contain_text("没有直播也看得到", timeout=BY_POLLING)


def test_the_tabs_of_one_browser_share_one_connection(visitors: Visitors):
    speaker, first = open_forum(visitors.enter(SECRETARY)), visitors.enter(MEMBER)
    streams: list[str] = []
    first.context.on("request", lambda request: streams.append(request.url) if request.url.endswith("/live") else None)
    second = first.context.new_page()
    for page in (first, second):
        page.goto("/threads")
    visitors.listening(first, second)
    say(speaker, "两个窗口都要看到")
    for page in (first, second):
        expect(page.get_by_role("link", name="支部论坛")).to_contain_text("两个窗口都要看到", timeout=AT_ONCE)
    assert len(streams) == 1
    first.close()
    second.wait_for_timeout(500)
    say(speaker, "关了一个也看得到")
    expect(second.get_by_role("link", name="支部论坛")).to_contain_text("关了一个也看得到", timeout=AT_ONCE)


def test_a_message_one_is_typing_survives_what_arrives(visitors: Visitors):
    speaker, thread = open_forum(visitors.enter(SECRETARY)), open_forum(visitors.enter(MEMBER))
    thread.get_by_label("说点什么").fill("我正在写")
    visitors.listening(thread)
    say(speaker, "插一句")
    expect(thread.locator(".said", has_text="插一句")).to_be_visible(timeout=AT_ONCE)
    expect(thread.get_by_label("说点什么")).to_have_value("我正在写")


def test_on_a_desk_list_and_thread_stand_side_by_side(visitors: Visitors):
    speaker, desk = open_forum(visitors.enter(SECRETARY)), visitors.enter(MEMBER, **DESK)
    open_forum(desk)
    expect(desk.locator("aside.side")).to_be_visible()
    expect(desk.get_by_role("link", name="支部论坛")).to_have_attribute("aria-current", "true")
    visitors.listening(desk)
    say(speaker, "桌面上两处都到")
    expect(desk.locator(".said", has_text="桌面上两处都到")).to_be_visible(timeout=AT_ONCE)
    row = desk.locator("aside.side").get_by_role("link", name="支部论坛")
    expect(row).to_contain_text("桌面上两处都到", timeout=AT_ONCE)
    visitors.picture(desk, "51-desk")

