"""An import of ledgers that is killed, paused or handed in twice; files that do not fit; by whom it is seen."""
import asyncio
import io
from typing import Any

import pytest
from openpyxl import load_workbook

from server.core import effects, sheets
from server.ledgers import imports
from server.ledgers.sheet import OF_MANY, OWN
from tests.cast import (
    COMMITTEE,
    COMMITTEE_ORGANISER,
    COUNTY,
    MEMBER,
    NEIGHBOUR,
    SECRETARY,
    SIDIAN,
    VILLAGE_ADMIN,
    VILLAGER,
)
from tests.databases import fingerprint
from tests.disclosure.stories import ACCOUNTS, MEETINGS, begin, published, ready, submitted, written
from tests.ledgers.sheets import begun, books, done, earned, faults, import_of, outcome, sheet, spent
from tests.ledgers.test_imports import SEP, all_open, hand_in, shown, villages
from tests.meetings.stories import evidence, one
from tests.visits import actor_of

LINES = (earned(), spent(), spent("后村"), spent(voucher="3", expense="1.50"), earned("后村"),
         spent("后村", expense="2"), spent(voucher="4", expense="0.01"))
WHOLE = [("前村", 0, 12_000_00, 3_861_51, 8_138_49, 4), ("后村", 0, 12_000_00, 3_862_00, 8_138_00, 3)]


def dies(monkeypatch, name: str, after: int) -> None:
    """The worker is killed as something of the import is called for the nth time, from 1 on."""
    count, through = 0, getattr(imports, name)

    def called(*values: Any, **more: Any) -> Any:
        nonlocal count
        count += 1
        if count == after:
            raise asyncio.CancelledError
        return through(*values, **more)

    monkeypatch.setattr(imports, name, called)


# Killed ---------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("row", range(1, 8))
async def test_killed_at_any_row_it_goes_on_and_nothing_is_there_twice(at, monkeypatch, row):
    await all_open(at)
    monkeypatch.setattr(imports, "BATCH", 3)
    made = await begun(*LINES)
    with monkeypatch.context() as patch:
        dies(patch, "looked_at", row)
        with pytest.raises(asyncio.CancelledError):
            await effects.sweep()
    assert (await import_of(made))["checked"] == (row - 1) // 3 * 3, "what its batch had looked at is undone"
    assert await books() == []
    await effects.sweep()
    found = await import_of(made)
    assert (found["state"], found["checked"], found["wrong"]) == ("已完成", 7, 0)
    assert await books() == WHOLE
    assert await one("SELECT count(*) FROM ledger_line") == 7


@pytest.mark.parametrize("name", ["write", "opening_of", "refuse_other_balance"])
@pytest.mark.parametrize("village", [1, 2])
async def test_killed_while_a_village_is_written_it_writes_it_whole_and_once(at, monkeypatch, name, village):
    await all_open(at)
    made = await begun(*LINES)
    with monkeypatch.context() as patch:
        dies(patch, name, village)
        with pytest.raises(asyncio.CancelledError):
            await effects.sweep()
    assert await books() == WHOLE[:village - 1]
    assert await one("SELECT count(*) FROM matter") == village - 1
    await effects.sweep()
    assert (await import_of(made))["state"] == "已完成"
    assert await books() == WHOLE
    assert await evidence("import_ledger") == 2
    assert [await one(f"SELECT count(*) FROM {table}") for table in ("matter", "edition", "ledger_line")] == [2, 2, 7]


async def test_it_pauses_after_its_turn_and_goes_on_where_it_was(visit, at, monkeypatch):
    await all_open(at)
    monkeypatch.setattr(imports, "BATCH", 3)
    made = await begun(*LINES)
    address = f"/ledger-imports/{made}"
    assert await effects.carry_one()
    for _ in range(2):
        assert (await visit(COMMITTEE, "POST", f"{address}/pause")).status_code == 303
    await effects.sweep()
    assert (await import_of(made))["checked"] == 3
    text = await shown(visit, made)
    assert all(words in text for words in ("已暂停", "3 / 7 行", "继续导入"))
    for _ in range(2):
        assert (await visit(COMMITTEE_ORGANISER, "POST", f"{address}/resumption")).status_code == 303
    await effects.sweep()
    assert await books() == WHOLE
    assert [await evidence(verb) for verb in ("pause_import", "resume_import")] == [1, 1]
    for button in ("pause", "resumption"):
        assert (await visit(COMMITTEE, "POST", f"{address}/{button}")).status_code == 409


async def test_paused_and_resumed_in_haste_it_runs_once(at):
    await all_open(at)
    made, actor = await begun(*LINES), await actor_of(COMMITTEE)
    for _ in range(3):
        await imports.TURNS.pause(actor, made)
        await imports.TURNS.resume(actor, made)
    await asyncio.gather(*(effects.sweep() for _ in range(3)))
    assert await books() == WHOLE
    assert await evidence("import_ledger") == 2


async def test_it_stops_when_who_began_it_delivers_books_no_more(visit, at, owner):
    await all_open(at)
    made = await begun(*LINES)
    grant = (await actor_of(COMMITTEE)).grant_id
    await owner.execute("UPDATE role_grant SET until = ebranch_now() WHERE id = $1", grant)
    await effects.sweep()
    assert ((await import_of(made))["state"], await books()) == ("已暂停", [])
    await visit(COMMITTEE_ORGANISER, "POST", f"/ledger-imports/{made}/resumption")
    await effects.sweep()
    assert await books() == WHOLE


# Twice ----------------------------------------------------------------------------------------------------------------

async def test_the_same_file_handed_in_at_once_is_one_import(visit, at, monkeypatch):
    monkeypatch.setattr(sheets, "_one_at_a_time", asyncio.Semaphore(1))  # a lock is of one loop, a test has its own
    await villages(at)
    body = sheet(earned(), spent())
    answers = await asyncio.gather(*(hand_in(visit, body) for _ in range(3)))
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    await effects.sweep()
    assert [await evidence(verb) for verb in ("begin_import", "import_ledger")] == [1, 1]
    assert await one("SELECT count(*) FROM ledger_line") == 2


async def test_handed_in_again_afterwards_it_replaces_itself(visit, at):
    await villages(at)
    body = sheet(earned(), spent())
    for _ in range(2):
        await hand_in(visit, body)
        await effects.sweep()
    assert await one("SELECT count(*) FROM ledger_import") == 2
    assert await one("SELECT count(*) FROM ledger_line") == 2


# Files ----------------------------------------------------------------------------------------------------------------

FILES = {
    "20 MB": (b"x" * 20_000_000, "表格不能超过 5 MB"), "no table": (b"date\n", "这不是 .xlsx 表格"),
    "only heads": (sheet(), "没有要导入的行"),
    "an older template": (sheet(spent(), title="村级收支逐笔明细 · 模板第 0 版"), "旧模板，现在用第 1 版，请重新下载"),
    "a village's own": (sheet(spent(), layout=OWN), "缺少“村”这一列"),
}


@pytest.mark.parametrize(("body", "words"), FILES.values(), ids=FILES)
async def test_a_file_that_does_not_fit_is_told_in_words_beside_its_field(visit, at, owner, body, words):
    await villages(at)
    before = await fingerprint(owner)
    answer = await hand_in(visit, body)
    assert answer.status_code == 422
    assert words in answer.text
    assert 'id="file-error"' in answer.text
    assert 'value="2026-09"' in answer.text, "the month that was chosen is not lost"
    assert await fingerprint(owner) == before


@pytest.mark.parametrize(("month", "words"), [
    ("", "要写成 2026-10 这样"), ("2026-13", "要写成"), ("2026-11", "还没有到"), ("2018-12", "要写成"),
    ("x", "要写成")])
async def test_a_month_that_is_none_or_not_yet_is_told(visit, at, owner, month, words):
    await villages(at)
    before = await fingerprint(owner)
    answer = await hand_in(visit, sheet(spent()), month=month)
    assert (answer.status_code, words in answer.text) == (422, True)
    assert await fingerprint(owner) == before


@pytest.mark.parametrize("area", ["B3:B4", "A4:L4", "D3:D4"])
async def test_rows_with_merged_cells_are_told(at, area):
    await villages(at)
    made = await done(spent(), spent(voucher="2"), merged=area)
    assert any("有合并的单元格，请取消合并" in said for said in (await faults(made)).values())
    assert (await outcome(made))["前村"][0] == "没有写入"
    assert await books() == []


async def test_full_width_digits_commas_and_units_are_read_as_they_are_meant(at):
    await villages(at)
    made = await done(earned(income="１２，０００．００"), spent(expense="¥3,860元", day="２０２６年９月９日"),
                      spent(expense=12.5, day="9"))
    assert await faults(made) == {}
    assert await books() == [("前村", 0, 12_000_00, 3_872_50, 8_127_50, 3)]


@pytest.mark.parametrize(("person", "layout"), [(COMMITTEE, OF_MANY), (VILLAGE_ADMIN, OWN)])
async def test_the_template_is_text_through_and_through_and_fits(visit, at, person, layout):
    await villages(at)
    its = await begin(ACCOUNTS, SEP)
    path = "/ledger-imports/template?month=2026-09" if layout is OF_MANY else f"/disclosures/{its}/sheet/template"
    answer = await visit(person, "GET", path)
    book = load_workbook(io.BytesIO(answer.content))
    page = book.worksheets[0]
    assert [cell.value for cell in page[2]] == list(layout.columns.values())
    assert {page.cell(row, column).number_format for row in (3, 502) for column in (1, 5, len(layout.columns))} == {"@"}
    assert ("前村" in [cell.value for cell in book.worksheets[1]["B"]] if layout is OF_MANY else True)
    with pytest.raises(sheets.Unfit, match="没有要导入的行"):
        await sheets.read(answer.content, layout)


# Whose ----------------------------------------------------------------------------------------------------------------

async def test_a_townships_import_is_seen_in_the_township(visit, at, owner):
    await all_open(at)
    made = await begun(*LINES)
    before = await fingerprint(owner)
    for person, status in ((SIDIAN, 404), (VILLAGE_ADMIN, 404), (NEIGHBOUR, 403), (COUNTY, 403), (VILLAGER, 403),
                           (MEMBER, 403), (SECRETARY, 403)):
        for method, tail in (("GET", ""), ("POST", "/pause"), ("POST", "/resumption")):
            answer = await visit(person, method, f"/ledger-imports/{made}{tail}")
            assert answer.status_code == status, (person.name, tail)
    for person in (VILLAGE_ADMIN, COUNTY, SECRETARY):
        assert (await hand_in(visit, sheet(spent()), person)).status_code == 403
    assert (await visit(COMMITTEE, "POST", f"/ledger-imports/{made}/pause", data={"x": "1"})).status_code == 422
    assert (await visit(COMMITTEE, "GET", "/ledger-imports/999")).status_code == 404
    assert await fingerprint(owner) == before


async def test_a_villages_import_is_seen_by_its_keeper(visit, at):
    await ready(at)
    made = await begun(spent(), matter=await begin(ACCOUNTS, SEP))
    assert (await visit(VILLAGE_ADMIN, "GET", f"/ledger-imports/{made}")).status_code == 200
    for person, status in ((COMMITTEE, 404), (NEIGHBOUR, 403), (SECRETARY, 403)):
        assert (await visit(person, "GET", f"/ledger-imports/{made}")).status_code == status, person.name


@pytest.mark.parametrize(("story", "name", "period"), [
    (written, MEETINGS, "2026-Q3"), (submitted, ACCOUNTS, SEP), (published, ACCOUNTS, SEP)])
async def test_a_sheet_is_handed_in_only_for_books_that_are_being_written(visit, at, owner, story, name, period):
    await ready(at)
    made = await story(name, period)
    before = await fingerprint(owner)
    for method, more in (("GET", {}), ("POST", {"files": {"file": ("a.xlsx", sheet(spent(), layout=OWN), "")}})):
        assert (await visit(VILLAGE_ADMIN, method, f"/disclosures/{made}/sheet", **more)).status_code in (404, 409)
    assert await fingerprint(owner) == before


async def test_handed_on_while_the_import_was_under_way_it_is_not_touched(visit, at):
    await ready(at)
    its = await written(ACCOUNTS, SEP)
    made = await begun(spent(expense="1"), matter=its)
    version = await one("SELECT version FROM edition")
    await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{its}/submission", data={"version": version})
    before = await books()
    await effects.sweep()
    state, _, words = (await outcome(made))["前村"]
    assert (state, "9月的账已经待签字，不能再导入" in words) == ("没有写入", True)
    assert await books() == before
