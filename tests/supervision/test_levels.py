"""督查 level by level: each sees its own subtree and nothing beyond; the table leaves with its taker's name on it."""
import io

import pytest
from openpyxl import load_workbook

from server.core.database import the_row
from server.supervision import export as sheet
from server.supervision.rules import Figures
from tests.cast import (
    AUDITOR,
    CITY,
    COMMITTEE,
    COMMITTEE_ORGANISER,
    COUNTY,
    MEMBER,
    OTHER_CITY,
    OTHER_COUNTY,
    PROVINCE,
    SAFETY,
    SECRETARY,
    SIDIAN,
    SUPERVISOR,
    VILLAGE_ADMIN,
    VILLAGER,
    ZHOUCHENG,
)
from tests.databases import fingerprint
from tests.disclosure.stories import ACCOUNTS, HOUCUN, MEETINGS, QIANCUN, published
from tests.meetings.stories import evidence
from tests.questions.stories import ask
from tests.supervision.stories import lapsed, month

TOWNSHIP, COUNTY_CODE, CITY_CODE = "370921102", "370921", "3709"


# Levels ---------------------------------------------------------------------------------------------------------------

async def test_a_township_sees_its_villages_and_what_each_has_let_lapse(visit, at):
    await lapsed(at)
    await published(MEETINGS)
    text = (await visit(COMMITTEE, "GET", "/supervision")).text
    assert all(words in text for words in ("东疏镇", "已开通 2 / 2", "前村", "后村", f"/supervision/{QIANCUN}"))
    figures = await month()
    assert f"逾期未公开 {figures['overdue'] + 2}" in text, "this month's, and the two services of September"
    assert "其中账目 1" in text
    assert "西村" not in text
    assert "不作考核" in text


async def test_a_village_is_told_item_by_item(visit, at):
    await lapsed(at)
    text = (await visit(COMMITTEE, "GET", f"/supervision/{QIANCUN}")).text
    assert f"{ACCOUNTS}（2026年9月）" in text
    assert "应于" in text
    assert f"/disclosures?village={QIANCUN}" in text
    await published(ACCOUNTS, "2026-09")
    assert f"{ACCOUNTS}（2026年9月）" not in (await visit(COMMITTEE, "GET", f"/supervision/{QIANCUN}")).text
    assert f"{ACCOUNTS}（2026年9月）" in (await visit(COMMITTEE, "GET", f"/supervision/{HOUCUN}")).text


async def test_what_is_asked_and_waits_stands_there(visit, at):
    await lapsed(at)
    made = await published(MEETINGS)
    await ask(visit, made)
    await ask(visit, made, of="镇里", text="向镇里反映的")
    for address in ("/supervision", f"/supervision/{QIANCUN}"):
        assert "提问待答" in (await visit(COMMITTEE, "GET", address)).text
    text = (await visit(COMMITTEE, "GET", "/supervision")).text
    assert "提问待答 1" in text
    assert "反映待答 1" in text


@pytest.mark.parametrize(("person", "code", "below"), [
    (COUNTY, COUNTY_CODE, "东疏镇"), (CITY, CITY_CODE, "宁阳县"), (PROVINCE, "37", "泰安市"),
    (COMMITTEE_ORGANISER, TOWNSHIP, "前村")])
async def test_each_level_begins_with_its_own_and_goes_down(visit, at, person, code, below):
    await lapsed(at, QIANCUN)
    assert below in (await visit(person, "GET", "/supervision")).text
    for place in (code, TOWNSHIP, QIANCUN):
        for span in ("", "?span=quarter", "?span=three", "?span=x"):
            assert (await visit(person, "GET", f"/supervision/{place}{span}")).status_code == 200


@pytest.mark.parametrize(("person", "places"), [
    (COMMITTEE, (COUNTY_CODE, "370921103", "370921103201", "37", "370921102999", "x", "37092110", "")),
    (SIDIAN, (TOWNSHIP, QIANCUN)), (ZHOUCHENG, (TOWNSHIP, QIANCUN)), (OTHER_COUNTY, (COUNTY_CODE, TOWNSHIP, QIANCUN)),
    (COUNTY, (CITY_CODE, "370923", "370923100201")), (OTHER_CITY, (CITY_CODE, COUNTY_CODE, QIANCUN))])
async def test_beyond_the_own_subtree_there_is_nothing(visit, at, person, places):
    await lapsed(at, QIANCUN)
    for place in filter(None, places):
        for tail in ("", "/export"):
            answer = await visit(person, "GET", f"/supervision/{place}{tail}")
            assert answer.status_code == 404, (person.name, place)


async def test_a_committee_of_the_countys_own_offices_sees_no_townships_villages(visit, at, owner):
    """机关党委 stands in the county's unit and has no village below it."""
    await lapsed(at, QIANCUN)
    await owner.execute("UPDATE organisation SET unit_code = $1 WHERE name = '泗店镇党委'", COUNTY_CODE)
    assert "前村" not in (await visit(SIDIAN, "GET", "/supervision")).text
    for place in (TOWNSHIP, QIANCUN):
        assert (await visit(SIDIAN, "GET", f"/supervision/{place}")).status_code == 404


@pytest.mark.parametrize("place", ["370921102%00", "370921102%EF%BC%91", "370921102'", "9" * 400])
async def test_no_code_is_too_odd_for_an_address(visit, at, place):
    await lapsed(at, QIANCUN)
    for tail in ("", "/export"):
        assert (await visit(COMMITTEE, "GET", f"/supervision/{place}{tail}")).status_code in (400, 404)


@pytest.mark.parametrize("person", [SECRETARY, VILLAGE_ADMIN, VILLAGER, MEMBER, SUPERVISOR, SAFETY, AUDITOR])
async def test_nobody_below_or_beside_looks_at_it(visit, at, owner, person):
    await lapsed(at, QIANCUN)
    before = await fingerprint(owner)
    for address in ("/supervision", f"/supervision/{QIANCUN}", f"/supervision/{TOWNSHIP}/export", "/pressing"):
        assert (await visit(person, "GET", address)).status_code == 403, address
    assert await fingerprint(owner) == before


async def test_where_nothing_fell_due_it_says_so_and_no_share(visit, at):
    await lapsed(at, QIANCUN)
    text = (await visit(SIDIAN, "GET", "/supervision")).text
    below = text.partition("下级单位")[2]
    assert all(words in below for words in ("西村", "—", "未开通 1"))
    assert "0%" not in below


async def test_the_workbench_leads_there_with_what_is_overdue(visit, at):
    await lapsed(at, QIANCUN)
    text = (await visit(COMMITTEE, "GET", "/to-dos")).text
    assert "三务公开督查" in text
    assert "三务公开今天要催的" in text
    assert "没有逾期的" in (await visit(SIDIAN, "GET", "/to-dos")).text


# The table ------------------------------------------------------------------------------------------------------------

async def book(visit, person=COMMITTEE, address: str = f"/supervision/{TOWNSHIP}/export"):
    answer = await visit(person, "GET", address)
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "no-store"
    return load_workbook(io.BytesIO(answer.content)).worksheets[0]


async def test_the_table_says_what_the_page_says(visit, at):
    await lapsed(at)
    page = await book(visit)
    assert [cell.value for cell in page[2]] == list(sheet.HEADS)
    its = {line[0]: dict(zip(sheet.HEADS, line, strict=False)) for line in page.iter_rows(min_row=3, values_only=True)}
    figures = await month()
    assert its["前村"]["期内未公开"] == its["前村"]["到期应公开"] == figures["overdue"]
    assert its["前村"]["现在逾期未公开"] == figures["overdue"] + 2, "as the page says: those of September too"
    assert its["前村"]["按时率（村）"] == "0%"
    assert its["前村"]["现在账目缺月"] == 1
    assert its["合计"]["期内未公开"] == 2 * figures["overdue"]
    assert its["合计"]["按时率（镇）"] == "—"


async def test_who_took_it_and_when_stands_all_over_it(visit, at):
    await lapsed(at)
    page = await book(visit)
    mark = f"东疏镇党委 {COMMITTEE.name} 2026年10月15日"
    for place in (page["A1"].value, page.cell(page.max_row, 1).value, page.oddHeader.center.text,
                  page.oddFooter.center.text, page.parent.properties.creator):
        assert place is not None
        assert mark in place


async def test_taking_it_is_evidence_and_changes_nothing_else(visit, at):
    await lapsed(at)
    await book(visit)
    await book(visit, COUNTY, f"/supervision/{TOWNSHIP}/export?span=year")
    assert await evidence("export_supervision") == 2
    said = (await the_row("""SELECT after::text AS said FROM audit_event WHERE verb = 'export_supervision'
                             ORDER BY id DESC LIMIT 1"""))["said"]
    assert all(words in said for words in ("东疏镇", "2025-11-01", "2026-10-01"))


async def test_looking_at_the_page_is_none(visit, at, owner):
    await lapsed(at)
    before = await fingerprint(owner)
    await visit(COMMITTEE, "GET", "/supervision")
    assert await fingerprint(owner) == before


@pytest.mark.parametrize("name", ["=1+1", "+cmd", "-x", "@SUM(A1)", "=HYPERLINK(\"http://x\")"])
async def test_no_units_name_becomes_a_formula(visit, at, owner, name):
    """Neither in its row nor above the table, nor in the name of who took it."""
    await lapsed(at, QIANCUN)
    await owner.execute("UPDATE unit SET name = $2 WHERE code = ANY($1)", [QIANCUN, TOWNSHIP], name)
    await owner.execute("UPDATE organisation SET name = $1 WHERE name = '东疏镇党委'", name)
    page = await book(visit)
    assert not [cell.coordinate for line in page.iter_rows() for cell in line if cell.data_type == "f"]
    assert next(line[0] for line in page.iter_rows(min_row=3, values_only=True)) == f"'{name}"


def test_figures_stand_in_the_table_as_numbers():
    body = sheet.workbook("督查", "某人 导出", [Figures("a", "甲", villages=3, met=2)], Figures("x", "合计"))
    page = load_workbook(io.BytesIO(body)).worksheets[0]
    assert (page["B3"].value, page["E3"].value, page["H3"].value) == (3, 2, "100%")
