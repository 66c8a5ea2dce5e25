"""Every screen somebody can reach, found by following the links, and what is measured on each."""
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from playwright.sync_api import Page

from server.settings import ROOT

AXE = (ROOT / "node_modules/axe-core/axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
VIOLATIONS = """only => axe.run(document, {runOnly: only, resultTypes: ['violations']}).then(found => found.violations
    .filter(one => one.impact !== 'minor')
    .map(({id, impact, nodes}) => `${id} (${impact}): ${nodes.length} × ${nodes[0].html.slice(0, 120)} `
        + (nodes[0].failureSummary.split('\\n')[1] || '')))"""
SMALL_TARGETS = """least => [...document.querySelectorAll(
        'a[href], button, input:not([type=hidden]), select, textarea, summary')]
    .filter(one => one.checkVisibility({visibilityProperty: true}) && !one.closest('.unseen, .skip'))
    .map(one => [one, (one.matches('[type=checkbox], [type=radio]') && one.closest('label') || one)
        .getBoundingClientRect()])
    .filter(([_, box]) => box.width > 1 && box.height > 1 && (box.width < least - .5 || box.height < least - .5))
    .map(([one, box]) => `${one.outerHTML.slice(0, 100)} ${Math.round(box.width)} × ${Math.round(box.height)}`)"""
SIDEWAYS = "() => document.scrollingElement.scrollWidth - document.documentElement.clientWidth"
MARKUP = """() => [...new Set([...document.querySelectorAll('body, body *')]
    .map(one => one.localName + '.' + one.className))].sort().join()"""
STAGES = """() => [...document.querySelectorAll('a.row[href^="/meetings/"]')].flatMap(row => {
    const stage = row.querySelector('.meeting__stage')
    return stage ? [[row.getAttribute('href').split('/')[2], stage.textContent]] : [] })"""
LEAVES_THE_APP = re.compile(r"/(c|wall|static)/|/photos/|/attachments/|/sign-out|/checkpoints/"
                            r"|/template$|/wrong-rows$|/export$")
SHOWN_LINKS = "all => all.filter(one => getComputedStyle(one).display !== 'none').map(one => one.href)"


def screens(page: Page, first: str = "/") -> Iterator[str]:
    """Opens one of every kind of screen that links lead to, and yields what it is: its address without ids, and the
    stage of the meeting it shows."""
    stages: dict[str, str] = {}
    seen, waiting = set(), [first, "/meetings", "/me"]

    def kind(address: str) -> str:
        meeting = re.match(r"/meetings/(\d+)", address)
        named = address.replace(meeting[0], f"/meetings/{stages.get(meeting[1], '')}", 1) if meeting else address
        return re.sub(r"\d{2,}|(?<=/)\d+|(after|before)=[^&]*", "…", named)

    while waiting:
        address = waiting.pop(0)
        if kind(address) in seen:
            continue
        seen.add(kind(address))
        answer = page.goto(address)
        if answer is None or (answer.status == 403 and address == "/meetings"):
            continue
        assert answer.status == 200, f"{address}: {answer.status}"
        stages = dict(page.evaluate(STAGES)) | stages
        yield kind(address)
        for link in page.locator("a[href]").evaluate_all(SHOWN_LINKS):
            parts = urlsplit(link)
            if parts.netloc == urlsplit(page.url).netloc and not LEAVES_THE_APP.search(parts.path):
                waiting.append(parts.path + (f"?{parts.query}" if parts.query else ""))


def violations(page: Page, *only: str) -> list[str]:
    """What axe finds wrong, minor remarks aside; `only`: these rules instead of all."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    return page.evaluate(VIOLATIONS, list(only) or RULES)


def faults(page: Page, least: int) -> list[str]:
    """What is wrong with the screen that is open: for who can't see well, for thumbs (targets under `least` px), on
    narrow and wide screens, in the dark. (大字版 has the colours of the other, only larger.)"""
    found = violations(page) + [f"small: {one}" for one in page.evaluate(SMALL_TARGETS, least)]
    for width in (340, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate(SIDEWAYS) > 0:
            found.append(f"scrolls sideways at {width} px")
    page.set_viewport_size({"width": 390, "height": 844})
    if page.locator("html[data-size=large]").count() == 0:
        page.emulate_media(color_scheme="dark")
        found += [f"dark: {one}" for one in violations(page, "color-contrast")]
        page.emulate_media(color_scheme="light")
    return found
