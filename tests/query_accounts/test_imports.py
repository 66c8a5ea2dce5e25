"""Query accounts from an .xlsx: the good rows go in, each wrong one keeps its reason, and whatever dies goes on."""
import asyncio
import io
from typing import Any

import pytest
from openpyxl import load_workbook

from server.core import effects, sheets
from server.core.database import rows
from server.core.moves import WrongState
from server.query_accounts import imports
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
from tests.disclosure.stories import HOUCUN, QIANCUN, XICUN_CODE, opened
from tests.meetings.stories import evidence, one
from tests.officers.stories import id_number, messages
from tests.query_accounts.stories import (
    MANY_HEADS,
    begun,
    done,
    import_of,
    line,
    odd_id_number,
    readers,
    reasons,
    sheet,
    village_open,
)
from tests.visits import actor_of


async def hand_in(visit, body: bytes, by=VILLAGE_ADMIN, name: str = "名单.xlsx"):
    return await visit(by, "POST", "/query-accounts/imports", files={"file": (name, body, sheets.MEDIA_TYPE)})


# Rows -----------------------------------------------------------------------------------------------------------------

async def test_good_rows_are_opened_each_with_one_message(visit, at):
    await village_open(at)
    answer = await hand_in(visit, sheet(line(1), line(2, "两委成员"), line(3, "监督委员会成员"), line(4, " 小组长 "),
                                        line(5, "居民")))
    made = int(answer.headers["location"].rpartition("/")[2])
    await effects.sweep()
    found = await import_of(made)
    assert (found["state"], found["total"], found["opened"], found["known"], found["wrong"]) == ("已完成", 5, 5, 0, 0)
    assert await readers() == [
        ("村民1", "村（居）民", True), ("村民2", "两委成员", True), ("村民3", "监督委员会成员", True),
        ("村民4", "小组长", True), ("村民5", "村（居）民", True)]
    assert [len(await messages(f"139000{serial:05}")) for serial in range(1, 6)] == [1] * 5
    assert await one("SELECT count(*) FROM reader_import_row WHERE content IS NOT NULL") == 0
    assert await evidence("open_reader") == 5
    text = (await visit(VILLAGE_ADMIN, "GET", f"/query-accounts/imports/{made}")).text
    assert all(words in text for words in ("已完成", "5 / 5 行", "名单.xlsx"))
    assert "开通 5 / 5" in (await visit(VILLAGE_ADMIN, "GET", "/query-accounts/imports")).text


BAD = {
    "no name": (line(1, name=""), "请填写姓名"),
    "a name of one character": (line(1, name="王"), "姓名应是"),
    "no number": (line(1, id_number=""), "身份证号应是 18 位"),
    "a wrong check digit": (line(1, id_number=odd_id_number(1)), "最后一位"),
    "a number without its last digits": ([*line(1)[:1], 370921198001019999, *line(1)[2:]], "末几位已经丢失"),
    "full-width digits": (line(1, id_number=id_number(1).translate({48 + n: 0xFF10 + n for n in range(10)})), "半角"),
    "no phone": (line(1, phone=""), "手机号应是 11 位"),
    "a telephone": (line(1, phone="0538-5621234"), "11 位"),
    "a standing there is not": (line(1, "村长"), "没有“村长”这种身份"),
    "another one's number": (line(1, id_number=MEMBER.id_number), "与登记的不一致"),
    "another phone than is known": (line(1, name=MEMBER.name, id_number=MEMBER.id_number), "与登记的不一致"),
    "oneself": (line(1, name=VILLAGE_ADMIN.name, id_number=VILLAGE_ADMIN.id_number, phone=VILLAGE_ADMIN.phone),
                "不能给自己"),
    "a formula for a number": (line(1, id_number="=B4"), "身份证号"),
    "a formula for a name": (line(1, name='=HYPERLINK("http://x","张三")'), "公式"),
}


@pytest.mark.parametrize(("bad", "reason"), BAD.values(), ids=BAD)
async def test_a_wrong_row_keeps_its_reason_and_the_good_ones_go_in(visit, at, bad, reason):
    await village_open(at)
    found = await done(line(7), bad, line(8))
    assert (found["opened"], found["wrong"]) == (2, 1)
    told = await reasons(found["id"])
    assert reason in told[4], "as the sheet counts: title, heads, then the rows"
    text = (await visit(VILLAGE_ADMIN, "GET", f"/query-accounts/imports/{found['id']}")).text
    assert all(words in text for words in ("有误的行", '<b class="left__n num">4</b>', reason))


async def test_everything_that_is_wrong_with_a_row_is_told_at_once(at):
    await village_open(at)
    found = await done(["", "1", "2", "村长"])
    told = (await reasons(found["id"]))[3]
    assert all(word in told for word in ("姓名", "身份证号", "手机号", "村长"))


async def test_run_again_or_twice_in_a_sheet_nobody_gets_two(at):
    await village_open(at)
    first = await done(line(1), line(2), line(1))
    second = await done(line(1), line(2), line(1))
    assert first["id"] != second["id"]
    assert [(found["opened"], found["known"]) for found in (first, second)] == [(2, 1), (0, 3)]
    assert len(await readers()) == 2
    assert len(await messages("13900000001")) == 1


async def test_the_same_file_handed_in_at_once_is_one_import(visit, at, monkeypatch):
    monkeypatch.setattr(sheets, "_one_at_a_time", asyncio.Semaphore(1))  # a lock is of one loop, a test has its own
    await village_open(at)
    body = sheet(line(1))
    answers = await asyncio.gather(*(hand_in(visit, body) for _ in range(3)))
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    await effects.sweep()
    assert len(await readers()) == 1
    assert await evidence("begin_import") == 1


# A township's ---------------------------------------------------------------------------------------------------------

async def test_a_townships_sheet_names_the_village_in_each_row(at):
    await village_open(at, QIANCUN, HOUCUN)
    found = await done(["前村", *line(1)], ["后 村", *line(2)], [HOUCUN, *line(3)], by=COMMITTEE, heads=MANY_HEADS)
    assert found["opened"] == 3
    assert [name for name, _, _ in await readers()] == ["村民1"]
    assert [name for name, _, _ in await readers(HOUCUN)] == ["村民2", "村民3"]


async def test_villages_that_are_not_its_own_not_opened_or_unknown_are_told(at):
    await village_open(at)
    await opened(XICUN_CODE, SIDIAN)
    found = await done(["前村", *line(1)], ["后村", *line(2)], ["西村", *line(3)], ["天上村", *line(4)], ["", *line(5)],
                       by=COMMITTEE, heads=MANY_HEADS)
    assert (found["opened"], found["wrong"]) == (1, 4)
    told = await reasons(found["id"])
    assert {number: "没有这个村" in words for number, words in told.items()} == {4: True, 5: True, 6: True, 7: False}
    assert "请填写村" in told[7]
    assert await readers(XICUN_CODE) == await readers(HOUCUN) == []


# Going on -------------------------------------------------------------------------------------------------------------

def dies_at(monkeypatch, row: int) -> None:
    """The worker is killed as it comes to this row of the import, counted from 1."""
    count, through = 0, imports.open_reader

    async def open_reader(*values: Any) -> Any:
        nonlocal count
        count += 1
        if count == row:
            raise asyncio.CancelledError
        return await through(*values)

    monkeypatch.setattr(imports, "open_reader", open_reader)


@pytest.mark.parametrize("row", range(1, 8))
async def test_killed_at_any_row_it_goes_on_with_nobody_twice(at, monkeypatch, row):
    await village_open(at)
    monkeypatch.setattr(imports, "BATCH", 3)
    made = await begun(*(line(serial) for serial in range(1, 8)))
    with monkeypatch.context() as patch:
        dies_at(patch, row)
        with pytest.raises(asyncio.CancelledError):
            await effects.sweep()
    whole = (row - 1) // 3 * 3
    assert len(await readers()) == whole, "what its batch had done is undone"
    assert (await import_of(made))["opened"] == whole
    await effects.sweep()
    found = await import_of(made)
    assert (found["state"], found["opened"], found["known"], found["wrong"]) == ("已完成", 7, 0, 0)
    assert [name for name, _, _ in await readers()] == [f"村民{serial}" for serial in range(1, 8)]
    assert [len(await messages(f"139000{serial:05}")) for serial in range(1, 8)] == [1] * 7
    assert await evidence("open_reader") == 7


async def test_it_pauses_after_its_batch_and_goes_on_at_the_next_row(visit, at, monkeypatch):
    await village_open(at)
    monkeypatch.setattr(imports, "BATCH", 3)
    made = await begun(*(line(serial) for serial in range(1, 8)))
    address = f"/query-accounts/imports/{made}"
    assert await effects.carry_one()
    for _ in range(2):
        assert (await visit(VILLAGE_ADMIN, "POST", f"{address}/pause")).status_code == 303
    await effects.sweep()
    assert len(await readers()) == 3
    text = (await visit(VILLAGE_ADMIN, "GET", address)).text
    assert all(words in text for words in ("已暂停", "3 / 7 行", "继续导入"))
    for _ in range(2):
        assert (await visit(SECRETARY, "POST", f"{address}/resumption")).status_code == 303
    await effects.sweep()
    assert len(await readers()) == 7
    assert [await evidence(verb) for verb in ("pause_import", "resume_import")] == [1, 1]
    assert (await import_of(made))["account_id"] == (await actor_of(SECRETARY)).account_id
    for button in ("pause", "resumption"):
        answer = await visit(VILLAGE_ADMIN, "POST", f"{address}/{button}")
        assert (answer.status_code, "已经完成" in answer.text) == (409, True)
    with pytest.raises(WrongState):
        await imports.TURNS.pause(await actor_of(VILLAGE_ADMIN), made)


async def test_it_stops_when_who_began_it_keeps_the_village_no_more_and_another_goes_on(visit, at, owner, monkeypatch):
    await village_open(at)
    monkeypatch.setattr(imports, "BATCH", 3)
    made = await begun(*(line(serial) for serial in range(1, 8)))
    assert await effects.carry_one()
    await owner.execute("UPDATE role_grant SET until = ebranch_now() WHERE id = $1",
                        (await actor_of(VILLAGE_ADMIN)).grant_id)
    await effects.sweep()
    assert ((await import_of(made))["state"], len(await readers())) == ("已暂停", 3)
    await visit(SECRETARY, "POST", f"/query-accounts/imports/{made}/resumption")
    await effects.sweep()
    assert ((await import_of(made))["state"], len(await readers())) == ("已完成", 7)


# Whose ----------------------------------------------------------------------------------------------------------------

async def test_an_import_is_seen_where_it_was_handed_in(visit, at, owner):
    await village_open(at, QIANCUN, HOUCUN)
    made = await begun(line(1))
    before = await fingerprint(owner)
    for person, status in ((NEIGHBOUR, 404), (COMMITTEE, 404), (SIDIAN, 404), (COUNTY, 403), (VILLAGER, 403),
                           (COMMITTEE_ORGANISER, 403)):
        for method, path in (("GET", ""), ("GET", "/wrong-rows"), ("POST", "/pause"), ("POST", "/resumption")):
            answer = await visit(person, method, f"/query-accounts/imports/{made}{path}")
            assert answer.status_code == status, (person.name, path)
    assert (await visit(VILLAGE_ADMIN, "POST", f"/query-accounts/imports/{made}/pause",
                        data={"x": "1"})).status_code == 422
    assert await fingerprint(owner) == before
    assert (await visit(SECRETARY, "GET", f"/query-accounts/imports/{made}")).status_code == 200


async def test_wrong_rows_go_back_whole_to_who_handed_them_in_and_can_be_handed_in_again(visit, at):
    await village_open(at)
    made = (await done(line(2), line(4, "村长", name="=张三")))["id"]
    answer = await visit(VILLAGE_ADMIN, "GET", f"/query-accounts/imports/{made}/wrong-rows")
    cells = [cell.value for cell in load_workbook(io.BytesIO(answer.content)).worksheets[0][3]]
    assert cells[:2] == ["'=张三", id_number(4)]
    assert "没有“村长”这种身份" in cells[-1]
    assert (await sheets.read(answer.content, imports.OWN)).rows[0][1]["id_number"] == id_number(4)
    assert (await visit(SECRETARY, "GET", f"/query-accounts/imports/{made}/wrong-rows")).status_code == 404
    page = (await visit(SECRETARY, "GET", f"/query-accounts/imports/{made}")).text
    assert id_number(4) not in page
    assert "下载有误的行" not in page


async def test_nothing_personal_stands_unencrypted_in_a_row_or_a_job(at, owner):
    await village_open(at)
    await begun(line(1))
    kept = str(await owner.fetch("SELECT payload::text, key FROM effect")) + str(
        await rows("SELECT * FROM reader_import_row"))
    assert not [value for value in (id_number(1), "13900000001", "村民1") if value in kept]


# Files ----------------------------------------------------------------------------------------------------------------

FILES = {
    "20 MB": (b"x" * 20_000_000, "表格不能超过 5 MB"), "no table": (b"name,number\n", "这不是 .xlsx 表格"),
    "nothing": (b"", "这不是 .xlsx 表格"), "only heads": (sheet(), "没有要导入的行"),
    "an older template": (sheet(line(1), title="三务公开查询账号 · 模板第 0 版"), "旧模板，现在用第 1 版，请重新下载"),
    "a column less": (sheet(["张三", "1"], heads=("姓名", "身份证号")), "缺少“手机号码”这一列"),
    "a ledger": (sheet(["1"], heads=("日期",)), "缺少“姓名”这一列"),
}


@pytest.mark.parametrize(("body", "words"), FILES.values(), ids=FILES)
async def test_a_file_that_does_not_fit_is_told_in_words_beside_its_field(visit, at, owner, body, words):
    await village_open(at)
    before = await fingerprint(owner)
    answer = await hand_in(visit, body)
    assert answer.status_code == 422
    assert words in answer.text
    assert 'id="file-error"' in answer.text
    assert await fingerprint(owner) == before


async def test_without_a_file_one_is_asked_for(visit, at):
    await village_open(at)
    for files in ({"file": ("", b"", "")}, [("file", ("a.xlsx", sheet(line(1)), "")), ("file", ("b.xlsx", b"x", ""))]):
        answer = await visit(VILLAGE_ADMIN, "POST", "/query-accounts/imports", files=files)
        assert (answer.status_code, "请选择填好的表格" in answer.text) == (422, True)


@pytest.mark.parametrize(("person", "heads"), [(VILLAGE_ADMIN, MANY_HEADS[1:]), (COMMITTEE, MANY_HEADS)])
async def test_the_template_is_text_through_and_through_and_fits(visit, at, person, heads):
    await village_open(at)
    answer = await visit(person, "GET", "/query-accounts/imports/template")
    page = load_workbook(io.BytesIO(answer.content)).worksheets[0]
    assert [cell.value for cell in page[2]] == list(heads)
    assert {page.cell(row, column).number_format for row in (3, 100, 2002) for column in range(1, len(heads) + 1)
            } == {"@"}
    assert "没有要导入的行" in (await hand_in(visit, answer.content, person)).text
