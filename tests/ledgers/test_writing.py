"""A month is written by hand: entries added, changed, taken out; the sums follow; two people at once lose nothing."""
import asyncio
import re
from datetime import date

import pytest

from server.core.database import rows, transaction
from server.core.forms import Refused
from server.core.moves import WrongState
from server.disclosure.editing import Stale
from server.ledgers import writing
from server.ledgers.rules import MOST_LINES
from server.ledgers.tables import balance_before, ledger, lines_of
from tests.cast import COMMITTEE, MEMBER, NEIGHBOUR, SECRETARY, SUPERVISOR, VILLAGE_ADMIN, VILLAGER
from tests.databases import fingerprint
from tests.disclosure.stories import (
    ACCOUNTS,
    MEETINGS,
    begin,
    edition,
    hand_on,
    income,
    line,
    matter,
    published,
    ready,
    returned,
    save,
    signing,
    submitted,
    withdrawn,
    write_line,
    written,
)
from tests.meetings.stories import one
from tests.visits import actor_of

MONTH = "2026-09"
HIDDEN = re.compile('<input type="hidden" name="([^"]+)" value="([^"]*)"')
FORM = {"side": "支出", "amount": "3860", "summary": "村内路灯维修 6 盏", "expense_category": "农田水利及道路维修",
        "income_category": "", "day": "2026-09-09", "voucher": "09-01", "handler": "孙桂兰", "witness": "马主任",
        "approver": "赵德山", "note": "", "again": ""}


async def sums(made: int) -> tuple[int, int, int, int, int]:
    """Opening, income, expense, closing of the newest edition, and how many entries."""
    its = await ledger((await edition(made))["id"])
    assert its is not None
    return its["opening"], its["income"], its["expense"], its["closing"], its["lines"]


async def entries(made: int):
    return await lines_of((await edition(made))["id"], after=0)


async def post(visit, made: int, noun: str = "lines/new", person=VILLAGE_ADMIN, **more):
    return await visit(person, "POST", f"/disclosures/{made}/{noun}", data=FORM | more)


async def set_opening(made: int, fen: int) -> None:
    await writing.set_opening(await actor_of(VILLAGE_ADMIN), await matter(made), (await edition(made))["id"], fen)


async def remove(made: int, name: int) -> None:
    await writing.remove_line(await actor_of(VILLAGE_ADMIN), await matter(made), (await edition(made))["id"], name)


async def test_an_entry_is_there_and_the_sums_follow(visit, at):
    await ready(at)
    made = await begin(ACCOUNTS, MONTH)
    answer = await post(visit, made, amount="１，２３４．５")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/disclosures/{made}/ledger")
    assert await sums(made) == (0, 0, 1_234_50, -1_234_50, 1)
    its = (await entries(made))[0]
    assert (its.day, its.summary, its.category, its.handler) == (
        date(2026, 9, 9), FORM["summary"], FORM["expense_category"], "孙桂兰")
    desk = (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/{made}/ledger")).text
    assert "1,234.50" in desk
    assert "−1,234.50" in desk


async def test_again_leads_to_the_next_entry_with_the_same_people(visit, at):
    await ready(at)
    made = await begin(ACCOUNTS, MONTH)
    answer = await post(visit, made, again="1")
    assert answer.headers["location"] == f"/disclosures/{made}/lines/new"
    page = (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/{made}/lines/new")).text
    for word in ("孙桂兰", "2026-09-09", "09-02"):
        assert word in page


async def test_entries_stand_by_their_days_and_those_of_one_day_as_entered(at):
    await ready(at)
    made = await begin(ACCOUNTS, MONTH)
    for day, summary in ((20, "二"), (6, "一"), (20, "三"), (28, "四"), (6, "甲")):
        await write_line(made, line(date(2026, 9, day), summary=summary))
    assert [one.summary for one in await entries(made)] == ["一", "甲", "二", "三", "四"]


async def test_an_entry_is_changed_and_keeps_its_name(visit, at):
    await ready(at)
    made = await written(ACCOUNTS, MONTH)
    before = (await entries(made))[1]
    page = (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/{made}/lines/{before.line}")).text
    assert 'value="3860.00"' in page
    assert (await post(visit, made, f"lines/{before.line}", amount="3800", day="2026-09-02")).status_code == 303
    after = (await entries(made))[0]
    assert (after.line, after.expense, after.day) == (before.line, 3_800_00, date(2026, 9, 2))
    assert await sums(made) == (0, 12_000_00, 3_800_00, 8_200_00, 2)


async def test_an_entry_is_taken_out_and_gone_it_changes_nothing(visit, at):
    await ready(at)
    made = await written(ACCOUNTS, MONTH)
    address = f"lines/{(await entries(made))[0].line}/removal"
    for _ in range(2):
        assert (await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{made}/{address}")).status_code == 303
        assert await sums(made) == (0, 0, 3_860_00, -3_860_00, 1)


async def test_changing_what_somebody_took_out_says_so(at):
    await ready(at)
    made = await written(ACCOUNTS, MONTH)
    gone = (await entries(made))[0]
    await remove(made, gone.line)
    with pytest.raises(Refused, match="刚才被去掉了"):
        await write_line(made, gone)


async def test_two_at_once_write_both_and_the_sums_are_right(at):
    await ready(at)
    made = await written(ACCOUNTS, MONTH)
    there = (await entries(made))[0].line
    await asyncio.gather(*(write_line(made, line(expense=1_00, voucher=f"x{n}")) for n in range(5)),
                         remove(made, there))
    assert await sums(made) == (0, 0, 3_865_00, -3_865_00, 6)
    assert sorted(one.place for one in await entries(made)) == sorted({one.place for one in await entries(made)})


async def test_the_same_entry_sent_twice_is_one(visit, at):
    """A double tap on 保存: two equal entries would be published as two payments."""
    await ready(at)
    made = await begin(ACCOUNTS, MONTH)
    for _ in range(2):
        await post(visit, made)
    assert (await sums(made))[4] == 1


async def test_one_entry_changed_by_two_the_second_is_told(visit, at):
    await ready(at)
    made = await written(ACCOUNTS, MONTH)
    name = (await entries(made))[1].line
    page = (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/{made}/lines/{name}")).text  # both have it open
    kept = dict(HIDDEN.findall(page))
    assert (await post(visit, made, f"lines/{name}", amount="3800", **kept)).status_code == 303
    answer = await post(visit, made, f"lines/{name}", amount="3900", **kept)
    assert answer.status_code in (409, 422), "the second undoes what the first changed, and neither is told"
    assert (await entries(made))[1].expense == 3_800_00


async def test_papers_saved_from_an_old_page_do_not_undo_an_entry(at):
    await ready(at)
    made = await begin(ACCOUNTS, MONTH)
    await write_line(made, line())
    with pytest.raises(Stale):
        await save(made, version=1)
    assert (await sums(made))[4] == 1


async def test_a_month_is_never_endless(at, owner):
    await ready(at)
    made = await begin(ACCOUNTS, MONTH)
    await owner.execute("UPDATE ledger SET lines = $1", MOST_LINES)
    with pytest.raises(Refused, match=f"最多 {MOST_LINES} 笔"):
        await write_line(made, line())


@pytest.mark.parametrize(("more", "words"), [
    ({"amount": ""}, "请填写金额"), ({"amount": "0"}, "请填写金额"), ({"amount": "-3"}, "不能是负数"),
    ({"amount": "1e15"}, "应是数字"),
    ({"amount": "0.001"}, "最多两位小数"), ({"amount": "空"}, "应是数字"), ({"summary": " "}, "请填写摘要"),
    ({"summary": "长" * 81}, "摘要最多"), ({"side": ""}, "请选择收入还是支出"),
    ({"expense_category": ""}, "请选择项目"),
    ({"expense_category": "补助收入"}, "请选择项目"), ({"expense_category": "其他支出"}, "要写明是什么"),
    ({"day": "2026-10-01"}, "不在 2026年9月"), ({"day": ""}, "请填写日期"), ({"day": "31"}, "要写成"),
    ({"handler": "长" * 21}, "经手人最多"), ({"voucher": "长" * 21}, "凭证号最多"), ({"more": "1"}, "没有的内容")])
async def test_a_wrong_entry_leaves_nothing_behind_and_keeps_what_was_typed(visit, at, owner, more, words):
    await ready(at)
    made = await begin(ACCOUNTS, MONTH)
    before = await fingerprint(owner)
    answer = await post(visit, made, **more)
    assert answer.status_code == 422
    assert words in answer.text
    assert "马主任" in answer.text or "more" in more
    assert await fingerprint(owner) == before


async def test_a_day_to_come_is_none_yet(visit, at, owner):
    await ready(at)
    made = await begin(ACCOUNTS, "2026-10")
    before = await fingerprint(owner)
    answer = await post(visit, made, day="2026-10-09")
    assert answer.status_code == 422
    assert "日期还没有到" in answer.text
    assert await fingerprint(owner) == before


# The opening ----------------------------------------------------------------------------------------------------------

async def test_a_villages_first_month_begins_with_what_is_in_the_cash_box(visit, at):
    await ready(at)
    made = await written(ACCOUNTS, MONTH)
    for typed, opening in (("43,960.06", 4_396_006), ("", 0)):
        answer = await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{made}/opening", data={"opening": typed})
        assert answer.status_code == 303
        assert (await sums(made))[0] == opening
    wrong = await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{made}/opening", data={"opening": "多"})
    assert (wrong.status_code, "应是数字" in wrong.text) == (422, True)


async def test_every_later_month_begins_where_the_one_before_ended(visit, at):
    await ready(at)
    await published(ACCOUNTS, MONTH)
    made = await begin(ACCOUNTS, "2026-10")
    assert (await sums(made))[0] == 8_140_00
    answer = await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{made}/opening", data={"opening": "1"})
    assert answer.status_code == 422
    assert "不能另填" in answer.text
    assert (await sums(made))[0] == 8_140_00


# When and who ---------------------------------------------------------------------------------------------------------

async def test_what_came_back_is_written_in(at):
    await ready(at)
    made = await returned(ACCOUNTS, MONTH)
    await write_line(made, line(expense=1_00, voucher="x"))
    assert (await sums(made))[4] == 3


@pytest.mark.parametrize("story", [signing, submitted, published, withdrawn])
async def test_what_was_handed_on_is_not_written_in(visit, at, owner, story):
    await ready(at)
    made = await story(ACCOUNTS, MONTH)
    name = (await entries(made))[0].line
    before = await fingerprint(owner)
    for change in (write_line(made, line()), remove(made, name), set_opening(made, 5)):
        with pytest.raises(WrongState, match="不能再改"):
            await change
    for noun in ("lines/new", f"lines/{name}"):
        assert (await post(visit, made, noun)).status_code in (404, 409)
    assert await fingerprint(owner) == before


@pytest.mark.parametrize(("person", "status"), [
    (VILLAGER, 403), (SUPERVISOR, 403), (MEMBER, 403), (SECRETARY, 403), (COMMITTEE, 403), (NEIGHBOUR, 403),
    (None, 401)])
async def test_only_the_villages_administrator_writes(visit, at, owner, person, status):
    await ready(at)
    made = await begin(ACCOUNTS, MONTH)
    before = await fingerprint(owner)
    for noun in ("lines/new", "lines/1", "lines/1/removal", "opening"):
        assert (await visit(person, "POST", f"/disclosures/{made}/{noun}")).status_code == status
    assert await fingerprint(owner) == before


async def test_a_text_has_no_ledger(visit, at):
    await ready(at)
    made = await written(MEETINGS)
    for noun in ("ledger", "lines/new", "lines/1"):
        assert (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/{made}/{noun}")).status_code == 404
    assert (await post(visit, made)).status_code == 404


async def test_the_running_balance_goes_on_over_pages(visit, at):
    await ready(at)
    made = await begin(ACCOUNTS, MONTH)
    for n in range(52):
        await write_line(made, income(amount=1_00, voucher=f"{n}"))
    its = (await edition(made))["id"]
    assert (await balance_before(its, 50), len(await lines_of(its, after=50))) == (50_00, 2)
    assert "52.00" in (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/{made}/ledger?after=50")).text
    await hand_on(made)
    assert await one("SELECT state FROM edition") == "待签字"


async def test_a_whole_month_keeps_the_name_of_a_line_that_is_there_already(at):
    await ready(at)
    made = await written(ACCOUNTS, "2026-09", entries=(line(),))
    before = await one("SELECT line FROM ledger_line")
    async with transaction():
        await writing.replace_all(await actor_of(VILLAGE_ADMIN), (await edition(made))["id"], None,
                                  [income(), line(), line()])
    named = [found["line"] for found in await rows("SELECT line FROM ledger_line WHERE expense > 0 ORDER BY line")]
    assert (named[0], len(set(named))) == (before, 2), "one of the two is the one that was there"


async def test_the_same_entry_sent_twice_at_once_is_one_however_long_nothing_was_written(visit, at):
    await ready(at)
    made = await begin(ACCOUNTS, MONTH)
    await at("2026-10-08 15:00")
    await asyncio.gather(*(post(visit, made) for _ in range(3)))
    assert (await sums(made))[4] == 1


async def test_everything_that_is_wrong_with_an_entry_is_told_at_once(visit, at):
    await ready(at)
    made = await begin(ACCOUNTS, MONTH)
    answer = await post(visit, made, summary="", amount="", day="", expense_category="")
    assert answer.status_code == 422
    for words in ("请填写摘要", "请填写金额", "请填写日期", "请选择项目"):
        assert words in answer.text


async def test_a_sum_out_of_reason_is_told_beside_the_amount(visit, at):
    await ready(at)
    made = await written(ACCOUNTS, MONTH)
    answer = await post(visit, made, amount="99999999999.99")
    assert answer.status_code == 422
    assert "合计超过一千亿元" in answer.text


async def test_an_entry_that_tells_of_an_illness_is_pointed_out(visit, at):
    await ready(at)
    made = await begin(ACCOUNTS, MONTH)
    await write_line(made, line(summary="救助张三胃癌手术费"))
    text = (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/{made}/preview")).text
    assert "第 1 笔的摘要像是写到了病情：胃癌手术" in text
