"""Officers from an .xlsx: the good rows go in, each wrong one keeps its reason, twice is once, and nothing is lost."""
import asyncio
import io
import re
import zipfile
from hashlib import sha256
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from server.core import effects, read_sheet, sheets
from server.core.database import rows, the_row
from server.core.files import safe_name
from server.core.moves import WrongState
from server.core.turns import Progress
from server.officers import books, imports
from server.officers.sheet import COLUMNS, LAYOUT
from server.permissions import Role
from tests.cast import COUNTY, MEMBER, SAFETY, SECRETARY
from tests.meetings.stories import evidence, one
from tests.officers.stories import id_number, messages, opened, roles, second_safety_officer, somebody
from tests.visits import actor_of

HEADS = list(COLUMNS.values())


def good(serial: int, place: str = "后村支部", role: str = "组织委员", **cells: Any) -> list[Any]:
    """A row of the sheet."""
    row = {"name": f"导入{serial}", "id_number": id_number(serial), "phone": f"138000{serial:05}",
           "organisation": place, "role": role, "why": ""} | cells
    return [row[name] for name in COLUMNS]


def workbook(*lines: list[Any], heads: list[Any] | None = None) -> bytes:
    book = Workbook()
    page = book.active
    page.append(HEADS if heads is None else heads)
    for line in lines:
        page.append(line)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


async def begin(*lines: list[Any]) -> int:
    """An import that has been handed in."""
    return await handed_in(workbook(*lines))


async def handed_in(body: bytes) -> int:
    return await imports.take_in(await actor_of(SAFETY), "名单.xlsx", sha256(body).digest(), "2026年换届",
                                 (await sheets.read(body, LAYOUT)).rows)


async def import_of(*lines: list[Any]) -> dict[str, Any]:
    """An import that has been worked off."""
    made = await begin(*lines)
    await effects.sweep()
    return dict(await the_row("SELECT * FROM officer_import WHERE id = $1", made))


async def reasons(made: int) -> dict[int, str]:
    return {row["number"]: row["reason"] for row in await rows(
        "SELECT number, reason FROM officer_import_row WHERE import_id = $1 AND state = '有误'", made)}


# Rows -----------------------------------------------------------------------------------------------------------------

async def test_good_rows_go_in_and_each_gets_a_code(database):
    done = await import_of(*(good(serial) for serial in range(1, 100)))
    assert (done["state"], done["opened"], done["wrong"]) == ("已完成", 99, 0)
    assert await one("SELECT count(*) FROM role_grant WHERE role = '组织委员' AND why = '2026年换届'") == 99
    assert "后村支部组织委员" in (await messages("13800000007"))[0]
    assert await evidence("grant_role") == 99
    assert await one("SELECT count(*) FROM officer_import_row WHERE content IS NOT NULL") == 0


WRONG = ("0", "1")  # a check character that is wrong, where the right one is another, or 0
BAD = {
    "no name": (good(1, name=""), "请填写姓名"),
    "no number": (good(1, id_number=""), "请填写身份证号"),
    "full-width digits": (good(1, id_number=id_number(1).translate({48 + n: 0xFF10 + n for n in range(10)})), "半角"),
    "a wrong check digit": (good(1, id_number=id_number(1)[:17] + WRONG[id_number(1)[17] == "0"]), "最后一位"),
    "a birthday that never was": (good(1, id_number="370921198002309999"), "出生日期"),
    "a number without its last digits": (good(1, id_number=370921198001019999), "末几位已经丢失"),
    "seventeen digits": (good(1, id_number=id_number(1)[:17]), "18 位"),
    "no phone": (good(1, phone=""), "请填写手机号码"),
    "a full-width phone": (good(1, phone="１３８００００００１１"), "半角"),
    "a telephone": (good(1, phone="0538-5621234"), "11 位"),
    "no organisation": (good(1, ""), "请填写党组织全称"),
    "an organisation beyond care": (good(1, "北门支部"), "没有这个党组织"),
    "an organisation that is not there": (good(1, "天上支部"), "没有这个党组织"),
    "no role": (good(1, role=""), "请填写身份"),
    "a role there is not": (good(1, role="村长"), "没有“村长”这个身份"),
    "a role that is not appointed": (good(1, role="正式党员"), "没有“正式党员”这个身份"),
    "a role of elsewhere": (good(1, role="党委管理员"), "党支部没有"),
    "another one's number": (good(1, id_number=MEMBER.id_number), "另一个姓名"),
    "another phone than the known one": (good(1, name=SECRETARY.name, id_number=SECRETARY.id_number), "手机号"),
    "oneself": (good(1, name=SAFETY.name, id_number=SAFETY.id_number, phone=SAFETY.phone), "不能给自己"),
    "one of the three duties too many": (
        good(1, "宁阳县委组织部", "审计员", name=COUNTY.name, id_number=COUNTY.id_number, phone=COUNTY.phone),
        "三个人分别"),
    "a formula": (good(1, name="=1+1"), "姓名"),
}


@pytest.mark.parametrize(("line", "reason"), BAD.values(), ids=BAD)
async def test_a_wrong_row_keeps_its_reason_and_the_good_ones_go_in(database, line, reason):
    done = await import_of(good(7), line, good(8))
    if line[0] == "=1+1":  # a formula is the text it is written with: an odd name, and nothing is worked out
        assert await one("SELECT count(*) FROM person WHERE name = '=1+1'") == 1
        return
    assert (done["opened"], done["wrong"]) == (2, 1)
    assert reason in (await reasons(done["id"]))[3]


async def test_everything_that_is_wrong_with_a_row_is_told_at_once(database):
    done = await import_of(["", "1", "2", "天上支部", "村长", ""])
    told = (await reasons(done["id"]))[2]
    assert all(word in told for word in ("姓名", "身份证号", "手机号", "党组织", "村长"))


async def test_a_short_name_that_is_not_the_only_one_is_asked_for_in_full(owner):
    await owner.execute("""INSERT INTO organisation (parent_id, unit_code, kind, name, official_name)
        SELECT id, unit_code, '党支部', '后村支部', '中共泗店镇后村支部委员会' FROM organisation
        WHERE name = '泗店镇党委'""")
    done = await import_of(good(1), good(2, "中共泗店镇后村支部委员会"))
    assert done["opened"] == 2 or "请写全称" in (await reasons(done["id"]))[2]
    assert await one("""SELECT o.official_name FROM role_grant g JOIN organisation o ON o.id = g.organisation_id
                        WHERE o.official_name LIKE '中共泗店%'""") == "中共泗店镇后村支部委员会"


async def test_run_twice_makes_no_doubles(database):
    lines = [good(serial) for serial in range(1, 6)]
    first, second = await import_of(*lines), await import_of(*lines)
    assert first["id"] != second["id"]
    assert (first["opened"], second["opened"], second["known"]) == (5, 0, 5)
    assert await one("SELECT count(*) FROM role_grant WHERE role = '组织委员' AND why = '2026年换届'") == 5
    assert len(await messages("13800000001")) == 1


async def test_the_same_row_twice_in_a_sheet_is_one_account(database):
    done = await import_of(good(1), good(1))
    assert (done["opened"], done["known"]) == (1, 1)


async def test_two_roles_of_one_person_are_one_account_with_one_code(database):
    done = await import_of(good(1), good(1, "西村支部", "书记"))
    assert done["opened"] == 2
    assert await one("SELECT count(*) FROM authorisation") == 1


async def test_the_same_file_handed_in_at_once_is_one_import(database):
    body = workbook(good(1))
    assert await handed_in(body) == await handed_in(body)
    assert await evidence("begin_import") == 1


# Going on -------------------------------------------------------------------------------------------------------------

async def batches(many: int) -> None:
    for _ in range(many):
        assert await effects.carry_one()


async def done_rows(made: int) -> int:
    return await one("SELECT count(*) FROM officer_import_row WHERE import_id = $1 AND state <> '待导入'", made)


async def test_an_import_pauses_after_its_batch_and_goes_on_at_the_next_row(database):
    made = await begin(*(good(serial) for serial in range(1, 100)))
    await batches(1)
    for _ in range(2):
        await imports.TURNS.pause(await actor_of(SAFETY), made)
    await effects.sweep()
    assert await done_rows(made) == imports.BATCH
    for _ in range(2):
        await imports.TURNS.resume(await actor_of(SAFETY), made)
    await effects.sweep()
    assert await done_rows(made) == 99
    assert await evidence("pause_import") == await evidence("resume_import") == 1
    with pytest.raises(WrongState):
        await imports.TURNS.pause(await actor_of(SAFETY), made)


async def test_paused_and_resumed_in_haste_runs_once(database):
    made = await begin(*(good(serial) for serial in range(1, 100)))
    for _ in range(3):
        await imports.TURNS.pause(await actor_of(SAFETY), made)
        await imports.TURNS.resume(await actor_of(SAFETY), made)
    await asyncio.gather(*(effects.sweep() for _ in range(3)))
    assert await one("SELECT opened FROM officer_import WHERE id = $1", made) == 99
    assert await evidence("grant_role") == 99


async def test_what_a_killed_worker_had_begun_is_begun_again_whole(database, monkeypatch):
    """It dies in the middle of a batch: what the batch had done is undone, and done once by the next worker."""
    made = await begin(*(good(serial) for serial in range(1, 60)))
    await batches(1)
    count, through = 0, imports.open_row

    async def dies(*values: Any) -> Any:
        nonlocal count
        count += 1
        if count == 10:
            raise asyncio.CancelledError
        return await through(*values)

    monkeypatch.setattr(imports, "open_row", dies)
    with pytest.raises(asyncio.CancelledError):
        await effects.carry_one()
    assert await done_rows(made) == imports.BATCH
    assert await evidence("grant_role") == imports.BATCH
    monkeypatch.undo()
    await effects.sweep()
    assert await evidence("grant_role") == 59
    assert await one("SELECT state FROM officer_import WHERE id = $1", made) == Progress.DONE


async def test_an_import_stops_when_its_safety_officer_is_none_any_more_and_another_goes_on(owner):
    made = await begin(*(good(serial) for serial in range(1, 60)))
    await batches(1)
    await second_safety_officer(owner)
    await owner.execute("UPDATE role_grant SET until = ebranch_now() WHERE account_id = $1",
                        (await actor_of(SAFETY)).account_id)
    await effects.sweep()
    assert await one("SELECT state FROM officer_import WHERE id = $1", made) == Progress.PAUSED
    assert await done_rows(made) == imports.BATCH


async def test_a_refusal_of_the_database_is_a_rows_reason_and_spoils_no_other(owner):
    officer = await somebody(3)
    account = (await opened(officer)).account_id
    await owner.execute("UPDATE account SET closed_at = now() WHERE id = $1", account)
    line = good(3, name=officer.name, id_number=officer.id_number, phone=officer.phone)
    done = await import_of(good(1), line, good(2))
    assert (done["opened"], done["wrong"]) == (2, 1)
    assert "已停用" in (await reasons(done["id"]))[3]


async def test_no_personal_value_stands_in_a_job_or_unencrypted_in_a_row(owner):
    await begin(good(1))
    kept = str(await owner.fetch("SELECT payload::text, key FROM effect")) + str(
        await owner.fetch("SELECT * FROM officer_import_row"))
    assert id_number(1) not in kept
    assert "13800000001" not in kept


# Files ----------------------------------------------------------------------------------------------------------------

async def unfit(body: bytes) -> str:
    with pytest.raises(sheets.Unfit) as why:
        await sheets.read(body, LAYOUT)
    return str(why.value)


def bomb() -> bytes:
    """Sixty megabytes and more of nothing, in some kilobytes."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * (read_sheet.MOST_UNPACKED + 1))
    return written.getvalue()


@pytest.mark.parametrize(("body", "words"), [
    (b"", "不是 .xlsx"), (b"name,number\n", "不是 .xlsx"), (b"PK\x03\x04" + b"x" * 100, "不是 .xlsx"),
    (b"x" * (LAYOUT.most_bytes + 1), "不能超过"), (bomb(), "太大"), (workbook(), "没有要导入的行"),
    (workbook(["张三"], heads=["姓名"]), "缺少“身份证号”"), (workbook([1, 2], heads=["甲", "乙"]), "缺少“姓名”"),
], ids=["nothing", "text", "half a zip", "too large", "a zip bomb", "only heads", "one column", "other heads"])
async def test_what_is_no_sheet_of_ours_is_told_in_words(body, words):
    assert words in await unfit(body)


async def test_columns_may_stand_in_another_order_and_empty_rows_between():
    body = workbook(["书记", "张三", ""], ["", "", ""], ["书记", "李四", ""],
                    heads=["身份", "姓名", "身份证号", "手机号码", "党组织全称"])
    assert [(number, cells["name"], cells["role"]) for number, cells in (await sheets.read(body, LAYOUT)).rows] == [
        (2, "张三", "书记"), (4, "李四", "书记")]


async def test_the_template_is_text_through_and_through_and_can_be_read_back():
    places = [{"official_name": "中共宁阳县东疏镇前村支部委员会", "kind": "党支部"}]
    body = books.template(places, [str(Role.SECRETARY)])
    page = load_workbook(io.BytesIO(body)).worksheets[0]
    assert [cell.value for cell in page[1]] == HEADS
    assert {page.cell(row, column).number_format for row in (2, 100, 2001) for column in range(1, 7)} == {"@"}
    assert "没有要导入的行" in await unfit(body)


async def test_the_list_of_wrong_rows_gives_no_formula_and_can_be_handed_in_again():
    body = books.wrong_rows([(5, {"name": "=HYPERLINK(1)", "role": "@书记", "phone": "+86"}, "请填写身份证号")])
    cells = [cell.value for cell in load_workbook(io.BytesIO(body)).worksheets[0][2]]
    assert cells[0] == "'=HYPERLINK(1)"
    assert not any(str(cell).startswith(("=", "+", "-", "@")) for cell in cells if cell)
    assert (await sheets.read(body, LAYOUT)).rows[0][1]["role"] == "'@书记"


async def test_who_hands_the_sheet_in_is_in_it_for_nothing_whoever_goes_on_with_it(owner):
    safety = await actor_of(SAFETY)
    made = await begin([SAFETY.name, SAFETY.id_number, SAFETY.phone, "后村支部", "书记", None], good(1))
    other = await second_safety_officer(owner)
    grant = await owner.fetchval("SELECT id FROM role_grant WHERE account_id = $1", other)
    await owner.execute("UPDATE officer_import SET account_id = $2, grant_id = $3 WHERE id = $1", made, other, grant)
    await effects.sweep()
    assert "不能给自己开通身份" in (await reasons(made))[2]
    assert await roles(safety.account_id) == [("安全员", "宁阳县委组织部")]


async def test_a_number_in_the_wrong_column_stands_in_no_reason_and_in_no_files_name(owner):
    shifted = ["张三", "后村支部", id_number(7), id_number(8), "书记", "13800000007"]
    made = await begin(shifted)
    await effects.sweep()
    told = await owner.fetchval("SELECT string_agg(r::text, ' ') FROM (SELECT reason FROM officer_import_row) r")
    assert not [number for number in (id_number(7), id_number(8), "13800000007") if number in told]
    assert made
    assert safe_name(f"张三 {id_number(7)}.xlsx") == f"张三 {id_number(7)[:6]}********{id_number(7)[-4:]}.xlsx"
    assert safe_name("13800000007.jpg") == "138****0007.jpg"


async def test_why_a_cell_cannot_be_read_is_told_once_and_never_masked_like_a_number(visit, database):
    done = await import_of(good(1, id_number=370921198001019999), good(2, id_number=id_number(2)[:17]))
    page = (await visit(SAFETY, "GET", f"/accounts/imports/{done['id']}")).text
    assert page.count("末几位已经丢失") == 1
    assert len(re.findall(rf"{id_number(2)[:6]}\*+", page)) == len(re.findall(r"\*\*+", page)) == 1


async def test_whole_numbers_go_back_to_whoever_handed_them_in_alone(visit, owner):
    made = await begin([None, id_number(3), "13800000003", "后村支部", "书记", None])
    await effects.sweep()
    assert (await visit(SAFETY, "GET", f"/accounts/imports/{made}/wrong-rows")).status_code == 200
    await owner.execute("UPDATE officer_import SET begun_by = $1", await second_safety_officer(owner))
    page = await visit(SAFETY, "GET", f"/accounts/imports/{made}")
    assert "只有交表的人能下载" in page.text
    assert id_number(3) not in page.text
    assert (await visit(SAFETY, "GET", f"/accounts/imports/{made}/wrong-rows")).status_code == 404
