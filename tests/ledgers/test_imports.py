"""A month's lines from an .xlsx: each wrong cell is told, and a village's month is written whole or not at all."""
import json
from datetime import date
from typing import Any

import pytest
from litestar.exceptions import PermissionDeniedException

from server.core import effects, sheets
from server.disclosure.rules import State
from server.ledgers.import_handlers import standing
from server.ledgers.sheet import OWN
from tests.cast import (
    COMMITTEE,
    COMMITTEE_ORGANISER,
    NEIGHBOUR,
    SECRETARY,
    SIDIAN,
    SUPERVISOR,
    VILLAGE_ADMIN,
    VILLAGER,
)
from tests.disclosure.stories import (
    ACCOUNTS,
    HOUCUN,
    QIANCUN,
    XICUN_CODE,
    catalogue,
    edition,
    line,
    opened,
    published,
    ready,
    review,
    sign,
    submitted,
    write_line,
    written,
)
from tests.ledgers.sheets import (
    began,
    begun,
    books,
    done,
    earned,
    faults,
    import_of,
    outcome,
    sheet,
    spent,
)
from tests.ledgers.test_handing_on import in_november
from tests.meetings.stories import evidence, one

SEP = "2026-09"
WRITTEN = [("前村", 0, 12_000_00, 3_860_00, 8_140_00, 2)]


async def villages(at) -> None:
    """前村 owes September's books."""
    await ready(at)


async def all_open(at) -> None:
    """Both of 东疏镇's villages and 泗店镇's owe September's books."""
    await at("2026-09-01 09:00")
    await catalogue()
    for code, by in ((QIANCUN, COMMITTEE), (HOUCUN, COMMITTEE), (XICUN_CODE, SIDIAN)):
        await opened(code, by)
    await at("2026-10-08 09:00")


async def hand_in(visit, body: bytes, by=COMMITTEE, month: str = SEP):
    return await visit(by, "POST", "/ledger-imports", data={"month": month},
                       files={"file": ("九月.xlsx", body, sheets.MEDIA_TYPE)})


async def shown(visit, made: int, by=COMMITTEE) -> str:
    return (await visit(by, "GET", f"/ledger-imports/{made}")).text


# Written --------------------------------------------------------------------------------------------------------------

async def test_a_townships_sheet_becomes_each_villages_draft(visit, at):
    await all_open(at)
    answer = await hand_in(visit, sheet(earned(), spent("后村"), spent(), began("后 村", "5000")))
    made = int(answer.headers["location"].rpartition("/")[2])
    await effects.sweep()
    assert await outcome(made) == {"前村": ("已写入", 2, ""), "后村": ("已写入", 1, "")}
    assert await books() == [*WRITTEN, ("后村", 5_000_00, 0, 3_860_00, 1_140_00, 1)]
    found = await import_of(made)
    assert (found["state"], found["checked"], found["total"], found["wrong"]) == ("已完成", 4, 4, 0)
    text = await shown(visit, made)
    assert all(words in text for words in ("写入 2 笔，已送村里核对", "2 / 2 个村", "九月.xlsx"))
    assert await evidence("import_ledger") == 2


async def test_the_village_confirms_what_was_delivered_and_another_of_the_township_reviews_it(visit, at):
    await villages(at)
    await done(earned(), spent())
    its = await one("SELECT id FROM matter")
    assert ACCOUNTS in (await visit(VILLAGE_ADMIN, "GET", "/to-dos")).text
    assert "村内路灯维修" not in (await visit(VILLAGER, "GET", "/disclosures")).text
    assert (await edition(its))["delivered"]
    version = (await edition(its))["version"]
    answer = await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{its}/submission", data={"version": version})
    assert answer.status_code == 303, answer.text
    assert (await edition(its))["state"] == State.SIGNING
    for person in (SUPERVISOR, SECRETARY):
        await sign(its, person)
    with pytest.raises(PermissionDeniedException, match="不能审核自己写的"):
        await review(its, COMMITTEE)
    assert await review(its, COMMITTEE_ORGANISER) is State.PUBLISHED
    assert "村内路灯维修" in (await visit(VILLAGER, "GET", f"/disclosures/{its}")).text


async def test_nobody_but_the_village_hands_it_on(visit, at):
    await villages(at)
    await done(earned())
    its = await one("SELECT id FROM matter")
    version = (await edition(its))["version"]
    for person, status in ((COMMITTEE, 403), (NEIGHBOUR, 403), (SECRETARY, 403)):
        answer = await visit(person, "POST", f"/disclosures/{its}/submission", data={"version": version})
        assert answer.status_code == status
    assert (await edition(its))["state"] == State.DRAFT


async def test_a_villages_own_sheet_replaces_what_it_has_written(visit, at):
    await villages(at)
    its = await written(ACCOUNTS, SEP)
    assert "导入会替换已经记的 2 笔" in (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/{its}/sheet")).text
    body = sheet(spent(expense="12.50"), layout=OWN)
    answer = await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{its}/sheet",
                         files={"file": ("自己的.xlsx", body, sheets.MEDIA_TYPE)})
    made = int(answer.headers["location"].rpartition("/")[2])
    await effects.sweep()
    assert await books() == [("前村", 0, 0, 12_50, -12_50, 1)]
    assert not (await edition(its))["delivered"]
    text = await shown(visit, made, VILLAGE_ADMIN)
    assert "写入 1 笔" in text
    assert "已送村里核对" not in text


async def test_nor_does_its_own_sheet_replace_what_was_written_after_it_was_handed_in(at):
    await villages(at)
    its = await written(ACCOUNTS, SEP)
    made = await begun(spent(expense="12.50"), matter=its)
    await write_line(its, line(voucher="09-77"))
    before = await books()
    await effects.sweep()
    assert await outcome(made) == {"前村": (
        "没有写入", 0, "交表以后，这个月的账又改过（3 笔），没有覆盖；看过再导入一次")}
    assert await books() == before
    assert (await outcome(await done(spent(expense="12.50"), matter=its)))["前村"][:2] == ("已写入", 1)


async def test_delivered_again_it_takes_the_place_of_what_was_delivered(at):
    await villages(at)
    await done(earned(), spent())
    assert await outcome(await done(earned(income="1"))) == {"前村": ("已写入", 1, "换下了这个月原来的 2 笔")}
    assert await books() == [("前村", 0, 1_00, 0, 1_00, 1)]
    assert await one("SELECT count(*) FROM matter") == 1


# Refused by village ---------------------------------------------------------------------------------------------------

async def test_what_the_village_has_begun_itself_is_not_overwritten(at):
    await villages(at)
    await written(ACCOUNTS, SEP)
    before = await books()
    told = "村里已经在记、改这个月的账（2 笔），没有覆盖"
    assert await outcome(await done(spent())) == {"前村": ("没有写入", 0, told)}
    assert await books() == before


async def test_nor_what_it_has_added_to_what_was_delivered(at):
    await villages(at)
    made = await done(spent())
    assert (await outcome(made))["前村"][0] == "已写入"
    assert (await outcome(await done(spent(), earned())))["前村"][0] == "已写入", "nobody has written since"
    await write_line(await one("SELECT matter_id FROM ledger_import_village LIMIT 1"), line(voucher="09-77"))
    before = await books()
    assert "没有覆盖" in (await outcome(await done(spent())))["前村"][2]
    assert await books() == before


async def test_of_two_openings_none_is_chosen(at):
    await all_open(at)
    made = await done(began("后村"), began("后村"), spent("后村"))
    assert (await outcome(made))["后村"] == ("没有写入", 0, "表里有不止一行“上月结余”，请只留一行")


async def test_sums_out_of_reason_are_told_and_hold_nobody_up(at):
    await all_open(at)
    much = "99999999999.00"
    made = await done(spent("前村", expense=much), spent("前村", expense=much), spent("后村"))
    found = await outcome(made)
    assert (found["前村"][0], "合计超过一千亿元" in found["前村"][2]) == ("没有写入", True)
    assert found["后村"][0] == "已写入"


@pytest.mark.parametrize(("story", "word"), [(submitted, "待审核"), (published, "公开")])
async def test_nor_what_it_has_handed_on(at, story, word):
    await villages(at)
    await story(ACCOUNTS, SEP)
    before = await books()
    state, lines, words = (await outcome(await done(spent())))["前村"]
    assert (state, lines) == ("没有写入", 0)
    assert words.startswith("9月的账已经")
    assert word in words or "不能再导入" in words
    assert await books() == before


@pytest.mark.parametrize(("lines", "words"), [
    ((earned(balance="12000"), spent(balance="8141")),
     "余额对不上：9月9日“村内路灯维修 6 盏”后表里写 8,141.00，按收支算应是 8,140.00"),
    ((began(), earned(balance="12000")), "按收支算应是 12,100.50")])
async def test_a_balance_that_the_lines_do_not_lead_to_is_told(visit, at, lines, words):
    await villages(at)
    made = await done(*lines)
    state, _, told = (await outcome(made))["前村"]
    assert (state, words in told) == ("没有写入", True)
    assert words in await shown(visit, made)
    assert await books() == []
    assert await one("SELECT count(*) FROM matter") == 0, "not even begun"


async def test_balances_that_are_right_are_well(at):
    await villages(at)
    await done(began(balance="−100.50"), earned(balance="11,899.50"), spent(balance="８０３９．５０"))
    assert await books() == [("前村", -100_50, 12_000_00, 3_860_00, 8_039_50, 2)]


async def test_a_month_begins_where_the_one_before_ended(visit, at):
    await villages(at)
    await published(ACCOUNTS, SEP)
    await in_november(at)
    october = {"month": date(2026, 10, 1)}
    line = spent(day="2026-10-09", expense="140")
    words = (await outcome(await done(began(balance="8000"), line, **october)))["前村"][2]
    assert words == "上月结余对不上：表里 8,000.00，9月公开的结余 8,140.00"
    await done(began(balance="8140"), line, **october)
    assert (await books())[-1] == ("前村", 8_140_00, 0, 140_00, 8_000_00, 1)


async def test_one_village_that_does_not_fit_keeps_none_of_the_others_back(visit, at):
    await all_open(at)
    made = await done(spent(), spent("后村", expense="x"), earned("后村"))
    assert await outcome(made) == {
        "前村": ("已写入", 1, ""), "后村": ("没有写入", 0, "有 1 行要改，见下面的清单；改好后整张表再导入一次")}
    assert [one[0] for one in await books()] == ["前村"]
    for address in (f"/ledger-imports/{made}", "/ledger-imports"):
        text = (await visit(COMMITTEE, "GET", address)).text
        assert "写入 1 / 2 个村" in text
        assert "已完成" not in text


@pytest.mark.parametrize(("state", "written", "villages", "shown"), [
    ("导入中", 0, 0, ("导入中", "blue")), ("已暂停", 1, 4, ("已暂停", "amber")), ("已完成", 4, 4, ("已完成", "green")),
    ("已完成", 3, 4, ("写入 3 / 4 个村", "amber")), ("已完成", 0, 4, ("没有写入", "red")),
    ("已完成", 0, 0, ("没有写入", "red"))])
def test_an_import_that_is_through_says_what_it_wrote(state, written, villages, shown):
    assert tuple(standing(state, written, villages).values()) == shown


async def test_a_month_that_is_not_owed_is_told(at):
    await villages(at)
    words = (await outcome(await done(spent(day="2026-08-09"), month=date(2026, 8, 1))))["前村"][2]
    assert words == "这个村 2026-08 没有应公开的账"


# Refused by cell ------------------------------------------------------------------------------------------------------

UNKNOWN = "管辖范围内已开通的村里没有这个村"
BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "an unknown village": (spent("天上村"), "village", UNKNOWN),
    "a village of another township": (spent("西村"), "village", UNKNOWN),
    "no village": (spent(""), "village", "请填写村"),
    "no day": (spent(day=""), "day", "请填写日期"),
    "a day of another month": (spent(day="2026-10-01"), "day", "日期不在 2026年9月"),
    "a day there is not": (spent(day="2026-09-31"), "day", "要写成"),
    "no summary": (spent(summary=""), "summary", "请填写摘要"),
    "a long summary": (spent(summary="长" * 81), "summary", "最多 80 个字"),
    "no category": (spent(category=""), "category", "请填写项目"),
    "a category there is not": (spent(category="吃喝"), "category", "没有“吃喝”这个项目"),
    "a category of the other side": (spent(category="投资收益"), "category", "属于收入"),
    "negative": (spent(expense="-5"), "expense", "不能是负数"),
    "three decimals": (spent(expense="1.005"), "expense", "最多两位小数"),
    "1e15 元": (spent(expense="1000000000000000"), "expense", "超过一千亿元"),
    "more than anybody has": (spent(expense="100000000000.01"), "expense", "超过一千亿元"),
    "words": (spent(expense="三千"), "expense", "应是数字"),
    "both sides": (spent(income="5"), "income", "只填一项"),
    "no side": (spent(expense=""), "income", "只填一项"),
    "其他 without a word": (spent(category="其他支出"), "note", "写明是什么"),
    "a balance that is none": (spent(balance="x"), "balance", "应是数字"),
    "an opening with an income": (began(income="5000"), "income", "只填余额"),
    "an opening without a figure": (began(balance=""), "balance", "要在余额里写明金额"),
    "a sum of others": ({"village": "合计", "expense": "3860"}, "summary", "像是合计，没有导入"),
    "a formula": (spent(expense="=1+1"), "expense", "是公式，请复制后“粘贴为数值”"),
    "a formula for words": (spent(summary="=A1"), "summary", "是公式"),
    "a formula for a balance": (spent(balance="=SUM(G3:G4)"), "balance", "是公式"),
}


@pytest.mark.parametrize(("bad", "cell", "words"), BAD.values(), ids=BAD)
async def test_what_is_wrong_with_a_cell_stands_by_its_row_and_column(visit, at, bad, cell, words):
    await all_open(at)
    made = await done(spent("后村"), bad, earned("后村"))
    told = await faults(made)
    assert list(told) == [4], "as the sheet counts: title, heads, then the rows"
    said = json.loads(told[4])[cell]
    assert words in said
    text = await shown(visit, made)
    assert '<b class="left__n num">4</b>' in text
    assert said in text
    assert "前村" not in {one[0] for one in await books()}
    whole = cell != "village"  # a row that is nobody's may be anybody's
    assert (await outcome(made))["后村"][:2] == (("已写入", 2) if whole else ("没有写入", 0))
