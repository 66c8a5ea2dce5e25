"""What the database refuses by itself about ledgers: as the application's role."""
from datetime import date

import pytest

from tests.disclosure.stories import (
    ACCOUNTS,
    HOUCUN,
    MEETINGS,
    begin,
    begin_correction,
    edition,
    hand_on,
    opened,
    published,
    ready,
    signing,
    submitted,
    written,
)
from tests.ledgers.test_handing_on import in_november
from tests.villages.test_guards import refused

STAYS, SUMS, BEGINS, AFTER = "EB043", "EB047", "EB048", "EB049"
TO_SIGN = "UPDATE edition SET state = '待签字', version = version + 1 WHERE id = $1"
MONTH = "2026-09"


async def draft(story=written, period: str = MONTH) -> int:
    """The edition of a month that is being written."""
    return (await edition(await story(ACCOUNTS, period)))["id"]


@pytest.mark.parametrize("change", [
    "UPDATE ledger SET income = income + 1 WHERE edition_id = $1",
    "UPDATE ledger SET expense = 0 WHERE edition_id = $1",
    "UPDATE ledger SET lines = 7 WHERE edition_id = $1", "DELETE FROM ledger_line WHERE edition_id = $1",
    "UPDATE ledger_line SET expense = 1 WHERE edition_id = $1 AND expense > 0",
    "UPDATE ledger_line SET day = '2026-10-01' WHERE edition_id = $1",
    "UPDATE ledger_line SET day = '2025-09-01' WHERE edition_id = $1"])
async def test_a_month_whose_sums_are_not_its_lines_is_not_handed_on(as_app, at, change):
    await ready(at)
    its = await draft()
    await as_app.execute(change, its)
    await refused(SUMS, as_app, TO_SIGN, its)


async def test_a_ledger_without_a_month_is_not_handed_on(as_app, owner, at):
    await ready(at)
    its = await draft(begin)
    await owner.execute("ALTER TABLE ledger DISABLE TRIGGER USER")
    await owner.execute("DELETE FROM ledger")
    await refused(SUMS, as_app, TO_SIGN, its)


async def test_a_month_that_does_not_begin_where_the_last_ended_is_not_handed_on(as_app, at):
    await ready(at)
    await published(ACCOUNTS, MONTH)
    its = await draft(begin, "2026-10")
    await as_app.execute("UPDATE ledger SET opening = opening + 1 WHERE edition_id = $1", its)
    await refused(BEGINS, as_app, TO_SIGN, its)
    await as_app.execute("UPDATE ledger SET opening = opening - 1 WHERE edition_id = $1", its)
    await as_app.execute(TO_SIGN, its)


async def test_nor_one_after_a_gap(as_app, at):
    await ready(at)
    await published(ACCOUNTS, MONTH)
    await in_november(at)
    await refused(BEGINS, as_app, TO_SIGN, await draft(begin, "2026-11"))


async def test_nor_a_correction_that_moves_the_balance_under_the_next_month(as_app, at):
    await ready(at)
    made = await published(ACCOUNTS, MONTH)
    await in_november(at)
    await signing(ACCOUNTS, "2026-10", entries=())
    await begin_correction(made)
    its = (await edition(made))["id"]
    await as_app.execute("UPDATE ledger SET opening = 1 WHERE edition_id = $1", its)
    await refused(AFTER, as_app, TO_SIGN, its)


@pytest.mark.parametrize("story", [signing, submitted, published])
async def test_what_was_handed_on_keeps_its_lines(as_app, at, story):
    await ready(at)
    await story(ACCOUNTS, MONTH)
    for sql in ("UPDATE ledger SET opening = 5", "UPDATE ledger_line SET summary = '别的'",
                "DELETE FROM ledger_line", """
            INSERT INTO ledger_line (edition_id, place, day, voucher, summary, category, income, expense)
            SELECT edition_id, 9, '2026-09-09', 'x', '夹带', '办公费', 0, 1 FROM ledger"""):
        await refused(STAYS, as_app, sql)
    for sql in ("DELETE FROM ledger", "UPDATE ledger SET month = '2026-01-01'", "UPDATE ledger SET edition_id = 7",
                "UPDATE ledger SET village_code = 'x'"):
        await refused("42501", as_app, sql)


async def test_no_line_is_carried_into_another_month(as_app, at):
    """Neither out of what was handed on nor into it."""
    await ready(at)
    handed_on, other = await draft(submitted), await draft(begin, "2026-10")
    move = "UPDATE ledger_line SET edition_id = $2, line = line + 100 WHERE edition_id = $1"
    await refused(STAYS, as_app, move, handed_on, other)
    assert await as_app.fetchval("SELECT count(*) FROM ledger_line WHERE edition_id = $1", handed_on) == 2


@pytest.mark.parametrize("values", [
    "0, 0", "1, 1", "-1, 0", "0, -1", f"{10**13 + 1}, 0"])
async def test_an_entry_has_one_side_above_nothing(as_app, at, values):
    await ready(at)
    its = await draft(begin)
    await refused("23514", as_app, f"""
        INSERT INTO ledger_line (edition_id, place, day, voucher, summary, category, income, expense)
        VALUES ($1, 1, '2026-09-09', 'x', '摘要', '办公费', {values})""", its)


async def test_the_closing_is_nobodys_to_write(as_app, at):
    await ready(at)
    its = await draft()
    await refused("428C9", as_app, "UPDATE ledger SET closing = 5 WHERE edition_id = $1", its)  # generated always
    assert await as_app.fetchval("SELECT closing FROM ledger WHERE edition_id = $1", its) == 8_140_00


async def test_a_month_begins_on_its_first_day_and_belongs_to_its_matter(as_app, at):
    await ready(at)
    made = await begin(ACCOUNTS, MONTH)
    its = (await edition(made))["id"]
    insert = "INSERT INTO ledger (edition_id, village_code, month, opening) VALUES ($1, '370921102201', $2, 0)"
    await refused("23514", as_app, insert, its, date(2026, 9, 2))
    await refused("23505", as_app, insert, its, date(2026, 9, 1))
    await hand_on(made)


async def test_books_are_those_of_the_matters_village(as_app, at):
    await ready(at)
    await opened(HOUCUN)
    made = await edition(await written(MEETINGS))
    await refused("EB047", as_app, "INSERT INTO ledger (edition_id, village_code, month, opening)"
                                   " VALUES ($1, $2, '2026-09-01', 0)", made["id"], HOUCUN)
