"""Published months meet: each begins with what the one before ended with, whatever came back from review meanwhile."""
from asyncpg import PostgresError

from tests.disclosure.stories import (
    ACCOUNTS,
    begin_correction,
    edition,
    line,
    published,
    ready,
    review,
    submitted,
    take_back,
    to_township,
    write_line,
)
from tests.meetings.stories import one

SEP, OCT, NOVEMBER = "2026-09", "2026-10", "2026-11-03 09:00"
BY_MONTH = """SELECT array_agg((l.opening, l.closing)::text ORDER BY l.month) FROM published_ledger l"""


async def approve(made: int) -> str:
    """The township's yes; the code of what the database has against it."""
    try:
        return str(await review(made))
    except PostgresError as fault:
        return str(fault.sqlstate)


async def test_a_month_waits_for_the_one_before(at):
    await ready(at)
    september = await submitted(ACCOUNTS, SEP)
    await at(NOVEMBER)
    october = await submitted(ACCOUNTS, OCT, entries=())
    assert await approve(october) == "EB048", "September may still come back"
    assert await approve(september) == await approve(october) == "已公开"


async def test_when_the_month_before_comes_back_the_next_is_not_published_alone(at):
    await ready(at)
    september = await submitted(ACCOUNTS, SEP)
    await at(NOVEMBER)
    october = await submitted(ACCOUNTS, OCT, entries=())
    await review(september, text="补上凭证")
    assert await approve(october) == "EB048"
    assert (await edition(october))["state"] == "待审核"


async def test_a_correction_that_comes_back_leaves_no_gap(at):
    await ready(at)
    september = await published(ACCOUNTS, SEP)
    await begin_correction(september)
    await write_line(september, line(voucher="09-88", expense=500_00, summary="补记一笔"))
    await to_township(september)
    await at(NOVEMBER)
    october = await submitted(ACCOUNTS, OCT, entries=())
    await review(september, text="不用更正")
    assert await approve(october) == "EB048"
    await take_back(october)
    await to_township(october)
    assert await approve(october) == "已公开"
    assert await one(BY_MONTH) == ["(0,814000)", "(814000,814000)"]
