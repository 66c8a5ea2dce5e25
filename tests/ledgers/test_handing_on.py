"""A month is handed on when it balances, is over, and goes on where the one before ended; without a gap."""
import asyncio
from datetime import date

import pytest

from server.catalogues import duties
from server.core.database import rows
from server.disclosure.submission import NotFit
from server.ledgers.tables import closing_before, ledger, opening_after
from tests.cast import COMMITTEE, VILLAGE_ADMIN, VILLAGER
from tests.databases import fingerprint
from tests.disclosure.stories import (
    ACCOUNTS,
    QIANCUN,
    begin,
    begin_correction,
    corrected,
    edition,
    hand_on,
    income,
    line,
    matter,
    published,
    ready,
    returned,
    review,
    signing,
    submitted,
    to_township,
    withdrawn,
    write_line,
    written,
)
from tests.meetings.stories import one

SEPTEMBER, OCTOBER, NOVEMBER = "2026-09", "2026-10", "2026-11"
IN_NOVEMBER = "2026-11-03 09:00"


async def in_november(at) -> None:
    await at(IN_NOVEMBER)
    await duties.renew_all()


async def opening(made: int) -> int:
    its = await ledger((await edition(made))["id"])
    assert its is not None
    return its["opening"]


async def october(made: int | None = None) -> int:
    """October with one entry, a draft."""
    its = made or await begin(ACCOUNTS, OCTOBER)
    await write_line(its, line(date(2026, 10, 9), 140_00))
    return its


async def test_month_after_month_the_balance_goes_on(at):
    await ready(at)
    await published(ACCOUNTS, SEPTEMBER)
    await in_november(at)
    made = await october()
    await to_township(made)
    await review(made)
    found = [tuple(its) for its in await rows("SELECT opening, income, expense, closing FROM ledger ORDER BY month")]
    assert found == [(0, 12_000_00, 3_860_00, 8_140_00), (8_140_00, 0, 140_00, 8_000_00)]


async def test_a_month_without_entries_still_has_a_balance(at):
    await ready(at)
    await published(ACCOUNTS, SEPTEMBER)
    await in_november(at)
    assert await signing(ACCOUNTS, OCTOBER, entries=())


async def test_a_month_that_is_not_over_waits(visit, at):
    await ready(at, "2026-10-20 09:00")
    await published(ACCOUNTS, SEPTEMBER)
    made = await october()
    with pytest.raises(NotFit, match="10月还没有过完"):
        await hand_on(made)
    await at("2026-10-31 17:00")
    assert await hand_on(made) == "待签字"


async def test_a_gap_is_told_by_its_month(at):
    await ready(at)
    await published(ACCOUNTS, SEPTEMBER)
    await at("2026-12-02 09:00")
    await duties.renew_all()
    made = await begin(ACCOUNTS, NOVEMBER)
    with pytest.raises(NotFit, match="中间缺 2026年10月的账"):
        await hand_on(made)


async def test_the_first_month_that_is_owed_comes_first(at):
    await ready(at)
    await in_november(at)
    made = await october()
    with pytest.raises(NotFit, match="2026年9月的账还没有公开，请先从那个月开始"):
        await hand_on(made)


async def test_an_entry_that_is_not_as_it_should_be_keeps_it_back(at, owner):
    await ready(at)
    made = await written(ACCOUNTS, SEPTEMBER)
    await write_line(made, line(category="其他支出", note=""))
    before = await fingerprint(owner)
    with pytest.raises(NotFit, match="第 3 笔：列入“其他”的"):
        await hand_on(made)
    assert await fingerprint(owner) == before


async def test_warnings_reach_the_reviewer(visit, at):
    await ready(at)
    made = await submitted(ACCOUNTS, SEPTEMBER, entries=(line(voucher="", summary="付 370921196502031234"),))
    text = (await visit(COMMITTEE, "GET", f"/disclosures/{made}/review")).text
    for words in ("本月结余是负数", "第 1 笔没有凭证号", "还露着像身份证号", "没有凭证照片"):
        assert words in text


SHOWN = {"voucher": "凭证号", "summary": "摘要", "note": "说明", "handler": "经手、证明、审批", "witness": "证明人",
         "approver": "审批人"}


@pytest.mark.parametrize(("field", "label"), SHOWN.items())
async def test_a_number_that_shows_anywhere_in_an_entry_is_pointed_out(visit, at, field, label):
    await ready(at)
    odd = line(**{"voucher": "09-07", field: "13812345678"})
    made = await submitted(ACCOUNTS, SEPTEMBER, entries=(line(), odd))
    text = (await visit(COMMITTEE, "GET", f"/disclosures/{made}/review")).text
    assert f"第 2 笔的{label}还露着像身份证号" in text
    assert text.count("还露着") == 1


# A month before that changes while the next is written ----------------------------------------------------------------

async def test_begun_before_the_month_before_was_handed_on_it_takes_over_its_balance(at):
    await ready(at)
    before, made = await written(ACCOUNTS, SEPTEMBER), await october()
    await to_township(before)
    await in_november(at)
    assert await hand_on(made) == "待签字", "its opening can neither be written nor follows"
    assert await opening(made) == 8_140_00


async def test_when_the_month_before_comes_back_and_changes_the_next_goes_on_where_it_then_ends(at):
    await ready(at)
    before = await submitted(ACCOUNTS, SEPTEMBER)
    made = await october()
    await review(before, ledger="少记一笔")
    await write_line(before, income(amount=1_00, voucher="x"))
    await to_township(before)
    await in_november(at)
    assert await hand_on(made) == "待签字"
    assert await opening(made) == 8_141_00


async def test_the_month_before_comes_back_after_the_next_was_handed_on_and_ends_where_it_did(at):
    await ready(at)
    before = await submitted(ACCOUNTS, SEPTEMBER)
    await in_november(at)
    after = await october()
    await to_township(after)
    await review(before, ledger="少记一笔")
    await write_line(before, income(amount=1_00, voucher="x"))
    with pytest.raises(NotFit, match="10月的账已经按结余"):
        await hand_on(before)
    await write_line(before, line(expense=1_00, voucher="y"))
    assert await hand_on(before) == "待签字"


async def test_two_months_handed_on_at_once_follow_one_another(at):
    await ready(at)
    await in_november(at)
    first, second = await written(ACCOUNTS, SEPTEMBER), await october()
    told = await asyncio.gather(hand_on(first), hand_on(second), return_exceptions=True)
    september, october_ = await rows("""SELECT l.opening, l.closing, e.state FROM ledger l
                                        JOIN edition e ON e.id = l.edition_id ORDER BY l.month""")
    assert "待签字" in (september["state"], october_["state"]), told
    if september["state"] == october_["state"]:
        assert october_["opening"] == september["closing"], told


# Corrections ----------------------------------------------------------------------------------------------------------

async def test_an_entry_is_corrected_and_keeps_its_name(visit, at):
    await ready(at)
    made = await published(ACCOUNTS, SEPTEMBER)
    await begin_correction(made)
    names = [its["line"] for its in await rows("SELECT line FROM ledger_line WHERE edition_id = $1 ORDER BY place",
                                               (await edition(made))["id"])]
    await write_line(made, line(expense=3_800_00, line=names[1]))
    await to_township(made)
    await review(made)
    page = (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/{made}")).text
    assert "−3,860.00" in page
    assert "−3,800.00" in page
    assert await one("SELECT count(DISTINCT line) FROM ledger_line") == 2


async def test_a_correction_that_leaves_the_balance_is_well_after_the_next_month(at):
    await ready(at)
    made = await published(ACCOUNTS, SEPTEMBER)
    await in_november(at)
    await submitted(ACCOUNTS, OCTOBER, entries=())
    await begin_correction(made, "摘要写错了")
    name = await one("SELECT max(line) FROM ledger_line")
    await write_line(made, line(line=name, summary="村外路灯维修 6 盏"))
    assert await hand_on(made) == "待签字"


async def test_a_correction_that_changes_it_is_written_into_the_present_month_instead(at):
    await ready(at)
    made = await published(ACCOUNTS, SEPTEMBER)
    await in_november(at)
    await submitted(ACCOUNTS, OCTOBER, entries=())
    await begin_correction(made)
    await write_line(made, line(expense=1_00, voucher="x"))
    with pytest.raises(NotFit, match="在本月账上补记一笔"):
        await hand_on(made)


@pytest.mark.parametrize(("story", "closing"), [
    (written, None), (signing, 8_140_00), (submitted, 8_140_00), (returned, None), (published, 8_140_00),
    (corrected, 8_140_00), (withdrawn, None)])
async def test_which_months_count_for_the_next(at, story, closing):
    await ready(at)
    await story(ACCOUNTS, SEPTEMBER)
    found = await closing_before(QIANCUN, date(2026, 10, 1))
    assert (found and found["closing"]) == closing
    after = await opening_after(QIANCUN, date(2026, 8, 1))
    assert (after and after["opening"]) == (None if closing is None else 0)
    assert await closing_before(QIANCUN, date(2026, 9, 1)) is None


async def test_while_a_published_month_is_corrected_the_published_one_counts(at):
    await ready(at)
    made = await published(ACCOUNTS, SEPTEMBER)
    await begin_correction(made)
    await write_line(made, line(expense=1_00, voucher="x"))
    found = await closing_before(QIANCUN, date(2026, 10, 1))
    assert found is not None
    assert found["closing"] == 8_140_00
    assert (await matter(made))["under_way"]


async def test_the_next_months_page_draws_the_month_as_it_was_corrected(visit, at):
    await ready(at)
    made = await published(ACCOUNTS, SEPTEMBER)
    await in_november(at)
    later = await published(ACCOUNTS, OCTOBER, entries=())
    assert "2026年9月 收入 12,000.00 支出 3,860.00" in (await visit(VILLAGER, "GET", f"/disclosures/{later}")).text
    await begin_correction(made, "漏记一收一支")
    await write_line(made, income(amount=500_00, voucher="09-03"))
    await write_line(made, line(expense=500_00, voucher="09-04"))
    await to_township(made)
    await review(made)
    assert "2026年9月 收入 12,500.00 支出 4,360.00" in (await visit(VILLAGER, "GET", f"/disclosures/{later}")).text
