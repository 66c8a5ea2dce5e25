"""What is printed for the wall: a table is one there, however narrow the screen it was printed from."""
import re

from playwright.sync_api import expect

from tests.browser.visitors import VILLAGER, Visitors

SHOWN = """row => [...row.children].filter(cell => getComputedStyle(cell).display === "table-cell").length"""
LABEL = """cell => getComputedStyle(cell, "::before").content"""


def test_on_paper_every_cell_stands_under_its_head(visitors: Visitors):
    page = visitors.enter(VILLAGER)
    page.goto("/disclosures")
    page.get_by_role("link", name=re.compile("低保、特困")).first.click()
    page.get_by_role("link", name="公开栏打印").click()
    line = page.locator(".grid tbody tr").first
    line.locator("td").nth(1).evaluate("cell => { cell.textContent = '' }")
    assert line.evaluate(SHOWN) == 0, "on the phone a line is no row of a table"
    page.emulate_media(media="print")
    expect(page.locator(".grid th").first).to_be_visible()
    assert line.evaluate(SHOWN) == page.locator(".grid thead tr").evaluate(SHOWN) > 2
    assert line.locator("td").nth(2).evaluate(LABEL) == "none"
    visitors.picture(page, "102-wall", full_page=True)
