"""People at their phones: a browser page for each, signed in, and watched for what the browser complains of."""
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright

from server.demo.people import PASSWORD

COUNTY, COMMITTEE, SECRETARY, ORGANISER, BRANCH_ADMIN, MEMBER, PROBATIONARY = (
    f"137000000{number:02}" for number in (3, 6, 7, 8, 9, 10, 11))
VILLAGER, NEIGHBOUR, THREE_ROLES = "13700000012", "13700000013", "13700000019"

KEEP_PICTURES = "PICTURES"  # the variable of the environment that names a folder for every screen's picture
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 1.5, "locale": "zh-CN",
                         "timezone_id": "Asia/Shanghai"}
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "device_scale_factor": 1}
STATUS = re.compile(r"status of (\d{3})")


def launch(playwright: Playwright) -> Browser:
    """Debian's chromium, speaking Chinese."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, env={"LANGUAGE": "zh_CN"})


class Visitors:
    """Opens pages of one stack for people, and remembers who is signed in already."""

    def __init__(self, browser: Browser, address: str, pictures: Path) -> None:
        self.browser, self.address, self.pictures = browser, address, pictures
        self.signed_in: dict[str, Any] = {}
        self.contexts: list[BrowserContext] = []
        self.live: set[BrowserContext] = set()  # whose stream of changes stands
        self.complaints: list[str] = []
        self.expected: set[str] = set()

    def enter(self, phone: str | None = None, role: str | None = None, **options: Any) -> Page:
        """A page of somebody's own phone, signed in, in one of his roles; None: of a stranger. options: of the
        browser's context."""
        context = self.browser.new_context(
            base_url=self.address, storage_state=self.signed_in.get(phone or ""), **PHONE | options)
        context.set_default_timeout(10_000)
        context.on("console", self.hear)
        context.on("weberror", lambda error: self.complaints.append(f"script: {error.error}"))
        context.on("response", lambda response: self.live.add(context) if response.url.endswith("/live") else None)
        self.contexts.append(context)
        page = context.new_page()
        if phone and phone not in self.signed_in:
            page.goto("/sign-in")
            sign_in(page, phone)
            self.signed_in[phone] = context.storage_state()
        if phone and role:
            act_as(page, role)
            self.signed_in[phone] = context.storage_state()  # another role is another session
        return page

    def hear(self, message: ConsoleMessage) -> None:
        """Keeps what the browser's console calls an error or a warning, a policy broken among them."""
        if message.type not in ("error", "warning"):
            return
        status = STATUS.search(message.text)
        if (status and status[1] in self.expected) or any(text in message.text for text in self.expected):
            return
        self.complaints.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    def listening(self, *pages: Page) -> None:
        """Waits until what changes elsewhere is told to these pages."""
        for page in pages:
            page.wait_for_load_state("load")
            while page.context not in self.live:
                page.wait_for_timeout(20)

    def expect(self, *statuses: int | str) -> None:
        """Answers (or words of the console) that this test provokes, which are no complaint."""
        self.expected |= {str(status) for status in statuses}

    def picture(self, page: Page, name: str, **options: Any) -> Path:
        """What the page looks like now, for a person to look at."""
        path = self.pictures / f"{name}.png"
        page.screenshot(path=path, **options)
        return path

    def close_all(self) -> None:
        """Everybody puts the phone away."""
        for context in self.contexts:
            for page in context.pages:
                page.evaluate("0")  # what it had to say has arrived
            context.close()
        self.contexts, self.live = [], set()

    def forget_who_is_signed_in(self) -> None:
        """The clock was put on: short sessions are over."""
        self.signed_in = {}

    @contextmanager
    def one_test(self) -> Iterator["Visitors"]:
        """Closes what was opened and fails if the browser had to complain."""
        try:
            yield self
        finally:
            self.close_all()
            complaints, self.complaints, self.expected = self.complaints, [], set()
        assert not complaints, "\n".join(complaints)


def act_as(page: Page, role: str) -> None:
    """Switches to another of one's roles, unless it is the present one."""
    page.goto("/me")
    button = page.get_by_role("button", name=role)
    if button.count():
        button.click()
        page.wait_for_url(lambda address: not address.endswith("/me"))
        page.wait_for_load_state()


def type_picture(page: Page) -> None:
    """Types what the demonstration says the picture says."""
    page.get_by_label("图形验证码", exact=True).fill(page.locator(".picture__shown b").inner_text())


def sign_in(page: Page, phone: str) -> None:
    """Fills in the sign-in page that is open; officers also enter the code, which the demonstration shows."""
    page.get_by_label("手机号").fill(phone)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_load_state()
    if page.get_by_label("验证码", exact=True).count():
        page.get_by_label("验证码", exact=True).fill(page.locator(".door__code").inner_text())
        page.get_by_role("button", name="确定").click()
        page.wait_for_load_state()
    assert "/sign-in" not in page.url
