"""A village's books as its people read them: month by month, page by page; what was taken down is out of sight."""
from datetime import date

import pytest

from server.ledgers.rules import PAGE
from tests.cast import COMMITTEE, MEMBER, SECRETARY, VILLAGE_ADMIN, VILLAGER
from tests.disclosure.stories import (
    ACCOUNTS,
    QIANCUN,
    ask_down,
    begin_correction,
    corrected,
    decide,
    income,
    line,
    published,
    ready,
    review,
    signing,
    submitted,
    to_township,
    withdrawn,
    write_line,
    written,
)
from tests.ledgers.test_handing_on import in_november
from tests.meetings.stories import card_lines, one

MONTH = "2026-09"
BOOKS, SEPTEMBER = f"/ledgers/{QIANCUN}", f"/ledgers/{QIANCUN}/{MONTH}"


async def long_month(story=published) -> int:
    """A month of more than one page, published unless told otherwise."""
    return await story(ACCOUNTS, MONTH, entries=[income(amount=1_00, voucher=f"{n}", summary=f"第{n}笔")
                                                 for n in range(PAGE + 3)])


def onwards(page: str) -> str:
    """Where a page's 看后面的 leads."""
    return page.partition('class="more" href="')[2].partition('"')[0]


async def test_a_month_shows_its_sums_and_entries(visit, at):
    await ready(at)
    await published(ACCOUNTS, MONTH)
    page = (await visit(VILLAGER, "GET", SEPTEMBER)).text
    for word in ("12,000.00", "3,860.00", "8,140.00", "村内路灯维修 6 盏", "经手 孙桂兰", "证明 马主任", "审批 赵德山",
                 "09-01"):
        assert word in page


async def test_the_books_stand_month_by_month(visit, at):
    await ready(at)
    await published(ACCOUNTS, MONTH)
    await in_november(at)
    await published(ACCOUNTS, "2026-10", entries=(line(date(2026, 10, 9), 140_00),))
    page = (await visit(VILLAGER, "GET", BOOKS)).text
    assert page.index("2026年10月") < page.index("2026年9月")
    for word in ("8,000.00", "8,140.00", SEPTEMBER):
        assert word in page
    assert SEPTEMBER in (await visit(VILLAGER, "GET", "/disclosures")).text


async def test_without_any_there_is_a_word(visit, at):
    await ready(at)
    await written(ACCOUNTS, MONTH)
    assert "还没有公开的账" in (await visit(VILLAGER, "GET", BOOKS)).text
    assert (await visit(VILLAGER, "GET", SEPTEMBER)).status_code == 404


async def test_a_long_month_goes_on_over_pages(visit, at):
    await ready(at)
    lines = f"/disclosures/{await long_month()}/versions/1/lines"
    first = (await visit(VILLAGER, "GET", SEPTEMBER)).text
    assert f"{lines}?after={PAGE}" in first
    second = (await visit(VILLAGER, "GET", f"{lines}?after={PAGE}")).text
    assert f"第{PAGE + 2}笔" not in first
    assert f"第{PAGE + 2}笔" in second
    assert f"{PAGE + 3}.00" in second  # the running balance
    for query in ("?after=-1", "?after=999999999999", "?after=0"):
        assert (await visit(VILLAGER, "GET", f"{lines}{query}")).status_code == 200
    assert (await visit(VILLAGER, "GET", f"{lines}?after=x")).status_code in (400, 404, 422)


async def test_the_card_says_the_sums(at):
    await ready(at)
    await published(ACCOUNTS, MONTH)
    assert await card_lines(kind="village_finance") == [f"{ACCOUNTS}（2026年9月）"]
    html = await one("SELECT html FROM entry WHERE card_kind = 'matter' LIMIT 1")
    for word in ("12,000.00 元", "3,860.00 元", "8,140.00 元"):
        assert word in html


async def test_corrected_the_month_shows_the_newest_and_the_former_stays_readable(visit, at):
    await ready(at)
    made = await published(ACCOUNTS, MONTH)
    await begin_correction(made)
    await write_line(made, line(expense=40_00, voucher="x", summary="补记电费"))
    assert "补记电费" not in (await visit(VILLAGER, "GET", SEPTEMBER)).text
    await to_township(made)
    await review(made)
    assert "补记电费" in (await visit(VILLAGER, "GET", SEPTEMBER)).text
    assert "8,100.00" in (await visit(VILLAGER, "GET", BOOKS)).text
    first = (await visit(VILLAGER, "GET", f"/disclosures/{made}/versions/1")).text.partition("与第")[0]
    assert "补记电费" not in first


async def test_each_edition_of_a_long_month_pages_through_itself(visit, at):
    """The following pages of a former edition are its own, not the present one's."""
    await ready(at)
    made = await long_month()
    await begin_correction(made)
    name = await one("SELECT max(line) FROM ledger_line")
    await write_line(made, income(amount=1_00, voucher="z", summary="改过的最后一笔", line=name))
    await to_township(made)
    await review(made)
    old = (await visit(VILLAGER, "GET", f"/disclosures/{made}/versions/1")).text
    assert onwards(old)
    assert "改过的最后一笔" not in (await visit(VILLAGER, "GET", onwards(old))).text


@pytest.mark.parametrize(("story", "person", "noun"), [
    (written, VILLAGE_ADMIN, "preview"), (signing, SECRETARY, "signature"), (submitted, COMMITTEE, "review")])
async def test_who_writes_signs_or_reviews_a_long_month_reads_all_of_it(visit, at, story, person, noun):
    await ready(at)
    made = await long_month(story)
    page = (await visit(person, "GET", f"/disclosures/{made}/{noun}")).text
    if f"第{PAGE + 2}笔" not in page:
        following = await visit(person, "GET", onwards(page))
        assert following.status_code == 200, "看后面的 leads to a page that is not there before it is published"
        assert f"第{PAGE + 2}笔" in following.text


# Taken down -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("person", [VILLAGER, MEMBER])
async def test_taken_down_its_entries_are_at_no_address(visit, at, person):
    await ready(at)
    made = await withdrawn(ACCOUNTS, MONTH)
    for path in (SEPTEMBER, *(f"/disclosures/{made}{rest}" for rest in ("", "/versions/1/lines", "/broadcast"))):
        assert "村内路灯维修" not in (await visit(person, "GET", path)).text, path
    for other in (SECRETARY, VILLAGE_ADMIN):
        assert "村内路灯维修" in (await visit(other, "GET", SEPTEMBER)).text


async def test_taken_down_its_sums_are_not_in_the_list_of_books(visit, at):
    await ready(at)
    await withdrawn(ACCOUNTS, MONTH)
    for path in (BOOKS, "/disclosures"):
        assert "8,140.00" not in (await visit(VILLAGER, "GET", path)).text, path


async def test_taken_down_it_is_not_in_the_chart_of_the_next_month(visit, at):
    await ready(at)
    await withdrawn(ACCOUNTS, MONTH)
    await published(ACCOUNTS, MONTH, entries=(line(voucher="09-03"),))
    await in_november(at)
    await published(ACCOUNTS, "2026-10", entries=(line(date(2026, 10, 9), 140_00),))
    assert "2026年9月 收入 12,000.00" not in (await visit(VILLAGER, "GET", f"/ledgers/{QIANCUN}/2026-10")).text


async def test_corrected_and_taken_down_no_edition_shows_its_entries(visit, at):
    await ready(at)
    made = await corrected(ACCOUNTS, MONTH)
    await ask_down(made)
    await decide(made, agreed=True)
    for noun in ("versions/1", "versions/2"):
        assert (await visit(VILLAGER, "GET", f"/disclosures/{made}/{noun}")).status_code == 404
