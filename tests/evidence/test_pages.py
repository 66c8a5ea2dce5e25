"""The auditor's pages: what is found, what an object's story says, whose evidence it is, and the verification."""
import asyncio
import json
import re
from dataclasses import replace
from html import unescape

import pytest

from server.core import audit, checkpoints, effects
from server.core.database import row, rows
from server.evidence import actions
from server.settings import settings
from tests.cast import AUDITOR, COMMITTEE, COUNTY, MEMBER, OTHER_COUNTY, PROVINCE, SAFETY, SECRETARY, XICUN
from tests.evidence.lots import leave_evidence, middle
from tests.servers import url
from tests.visits import actor_of

TITLE = re.compile(r'<span class="row__title">([^<]*)</span>')


@pytest.fixture
async def opened(database):
    """前村's 书记 has opened the ID number of person 17, for another whose duties he has; others did other things."""
    secretary = replace(await actor_of(SECRETARY), acting_for="钱永军")
    await audit.record(secretary, "open_id_number", "person", 17, why="核对转接介绍信")
    await audit.record(await actor_of(XICUN), "plan_meeting", "meeting", 5, after={"topic": "学条例"})
    await audit.record(await actor_of(OTHER_COUNTY), "open_id_number", "person", 99, why="别的县")
    await audit.record(await actor_of(PROVINCE), "say", "entry", 3)


async def found(visit, query: str = "", person=AUDITOR) -> list[str]:
    answer = await visit(person, "GET", f"/audit{query}")
    assert answer.status_code == 200, answer.text
    return [unescape(title) for title in TITLE.findall(answer.text) if "登录" not in title]


async def test_the_auditor_finds_who_opened_an_id_number_for_whom_and_why(visit, opened):
    assert await found(visit, "?verb=open_id_number") == ["赵德山（代钱永军） · 查看身份证号"]
    page = (await visit(AUDITOR, "GET", "/audit?verb=open_id_number")).text
    assert "原因：核对转接介绍信" in page
    assert 'href="/audit/person/17"' in page
    story = (await visit(AUDITOR, "GET", "/audit/person/17")).text
    assert all(word in story for word in (
        "查看身份证号", "赵德山（代钱永军）", "书记", "前村支部", "核对转接介绍信", "test"))


async def test_a_role_that_is_given_or_taken_is_named_in_the_list(visit, owner):
    safety = await actor_of(SAFETY)
    account = (await actor_of(MEMBER)).account_id
    await audit.record(safety, "grant_role", "account", account, after={"role": "组织委员", "organisation": 7})
    await audit.record(safety, "end_role", "account", account, before={"role": "书记"}, after={"until": "2026-11-24"})
    lines = re.findall(r'row__last--whole">([^<]*)<', (await visit(AUDITOR, "GET", "/audit")).text)
    assert [line.split(" · ")[-1] for line in lines if f"账号 {account}" in line] == ["书记", "组织委员"]


async def test_what_is_looked_for_may_be_whom_it_was_about(visit, owner):
    member = await owner.fetchval("SELECT id FROM person WHERE name = $1", MEMBER.name)
    secretary = await actor_of(SECRETARY)
    await audit.record(secretary, "open_id_number", "person", member, why="核对")
    await audit.record(secretary, "close_account", "account", (await actor_of(MEMBER)).account_id, why="停用")
    assert set(await found(visit, f"?name={MEMBER.name}")) == {"赵德山 · 停用账号", "赵德山 · 查看身份证号"}


async def test_a_number_that_is_typed_by_mistake_stands_in_no_address(visit):
    for field in ("name", "organisation"):
        answer = await visit(AUDITOR, "POST", "/audit", data={field: f"王秀英 {MEMBER.id_number}"})
        assert (answer.status_code, "location" in answer.headers) == (422, False)
        assert "不要写身份证号、手机号" in answer.text


OPENED, PLANNED = "赵德山（代钱永军） · 查看身份证号", "沈西 · 安排会议"


@pytest.mark.parametrize(("query", "titles"), [
    ("name=赵德山", [OPENED]), ("name=钱永军", [OPENED]), ("name=无此人", []), ("kind=meeting&number=5", [PLANNED]),
    ("kind=meeting&number=6", []), ("organisation=西村", [PLANNED]), ("organisation=泗店", [PLANNED]),
    ("organisation=东平", []), ("organisation=无", []), ("since=2026-11-22", [PLANNED, OPENED]),
    ("since=2026-11-22&until=2026-11-22", [PLANNED, OPENED]), ("since=2026-11-23", []), ("until=2026-11-21", []),
    ("name=赵德山&verb=plan_meeting", []), ("name=+赵德山+&verb=open_id_number", [OPENED])])
async def test_it_is_searched_by_person_object_organisation_time_and_kind(visit, at, database, query, titles):
    await at("2026-11-22 19:30")
    secretary = replace(await actor_of(SECRETARY), acting_for="钱永军")
    await audit.record(secretary, "open_id_number", "person", 17, why="核对")
    await audit.record(await actor_of(XICUN), "plan_meeting", "meeting", 5)
    here = [title for title in await found(visit, f"?{query}") if title]
    assert here[:len(titles)] == titles
    assert set(here) == set(titles)


@pytest.mark.parametrize(("query", "words"), [
    ("since=gestern", "从哪天要写成"), ("until=2050-01-01", "到哪天的年份不对"), ("number=x", "对象编号应是数字"),
    ("verb=nothing", "请选择事项"), ("kind=nothing", "请选择对象"), ("since=2000-01-01", "从哪天的年份不对"),
    ("name=%00", "不能保存的字符"), ("name=" + "长" * 41, "最多 40 个字")])
async def test_what_cannot_be_searched_for_is_told_beside_its_field(visit, opened, query, words):
    answer = await visit(AUDITOR, "GET", f"/audit?{query}")
    assert answer.status_code == 422
    assert words in answer.text


async def test_an_auditor_sees_the_own_department_s_subtree_and_nothing_else(visit, opened, owner):
    assert await found(visit) == ["沈西 · 安排会议", "赵德山（代钱永军） · 查看身份证号"]
    for path in ("/audit/person/99", "/audit/entry/3", "/audit/person/1000", "/audit/nothing/17"):
        assert (await visit(AUDITOR, "GET", path)).status_code == 404, path
    await owner.execute("UPDATE role_grant SET organisation_id = 1 WHERE role = '审计员'")
    assert len(await found(visit)) == 4, "the province's auditor sees all of it"
    await audit.record(replace(await actor_of(PROVINCE), organisation_id=None), "say", "entry", 4)
    assert len(await found(visit)) == 5, "and what no organisation did"


async def test_thirty_a_page_none_twice_none_left_out(visit, database):
    await leave_evidence(33, (MEMBER,))
    seen, form = [], {"verb": "say"}
    while form:
        page = (await visit(AUDITOR, "POST", "/audit", data=form)).text
        links = re.findall(r'href="/audit/entry/(\d+)"', page)
        assert len(links) <= 30
        seen += links
        form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.rpartition("<form")[2]))
    assert seen == [str(number) for number in reversed(range(33))]
    older = re.search(r'class="more" href="([^"]*)"', (await visit(AUDITOR, "GET", "/audit")).text)
    assert older
    assert (await visit(AUDITOR, "GET", unescape(older[1]))).status_code == 200
    for garbled in ("x", "%00", "MQ==", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5IDE="):
        assert (await visit(AUDITOR, "GET", f"/audit?after={garbled}")).status_code == 200


async def test_before_and_after_stand_side_by_side_and_personal_values_stay_in_confidence(visit, opened, owner):
    acting = await actor_of(SECRETARY)
    await audit.record(acting, "change_phone", "person", 17, before={"phone": audit.personal("13700000010")},
                       after={"phone": audit.personal("13800000010")}, why="换号")
    await audit.record(acting, "move_meeting", "meeting", 8, before={"place": "会议室"}, after={"place": "礼堂"})
    story = (await visit(AUDITOR, "GET", "/audit/person/17")).text
    assert story.count("已加密保存，此处不显示") == 2
    assert "1370000" not in story
    assert "1380000" not in story
    moved = (await visit(AUDITOR, "GET", "/audit/meeting/8")).text
    assert re.search(r"<del[^>]*>会议室</del>", moved)
    assert re.search(r"<ins[^>]*>礼堂</ins>", moved)
    erasure = await audit.record(acting, "erase_values", "person", 17, why="依法")
    await owner.execute("UPDATE audit_value SET value = NULL, erased_by = $1", erasure)
    assert (await visit(AUDITOR, "GET", "/audit/person/17")).text.count("已依法删除") >= 2


async def test_markup_in_the_evidence_stays_text(visit, database):
    await audit.record(await actor_of(SECRETARY), "explain", "meeting", 9, why="<script>alert(1)</script>",
                       after={"topic": ["<b>", {"x": True, "n": None}]})
    for path in ("/audit", "/audit/meeting/9"):
        page = (await visit(AUDITOR, "GET", path)).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page


@pytest.mark.parametrize("person", [MEMBER, SECRETARY, COMMITTEE, COUNTY, SAFETY, PROVINCE])
async def test_nobody_else_reads_the_evidence(visit, opened, person):
    for path in ("/audit", "/audit/person/17", "/audit/verification", "/audit/verification/checkpoints/1"):
        assert (await visit(person, "GET", path)).status_code == 403


@pytest.mark.parametrize(("person", "home"), [(AUDITOR, "/audit"), (SECRETARY, "/threads"), (COUNTY, "/threads")])
async def test_everybody_begins_at_the_own_first_tab(visit, person, home):
    assert (await visit(person, "GET", "/")).headers["location"] == home


@pytest.mark.parametrize("person", [AUDITOR, SAFETY])
async def test_auditor_and_safety_officer_have_no_business_screens(visit, person):
    assert (await visit(person, "GET", "/")).headers["location"] != "/threads"
    for path in ("/threads", "/threads/1", "/meetings", "/to-dos", "/organisations", "/meetings/1"):
        assert (await visit(person, "GET", path)).status_code == 403, path
    assert "消息" not in re.sub(r"<title>.*?</title>", "", (await visit(person, "GET", "/me")).text)


@pytest.fixture
def verifying(database, monkeypatch):
    """The worker's sweep, called by the test, connecting to the test's database."""
    async def asleep() -> None:
        return None

    monkeypatch.setattr(effects, "wake", asleep)
    monkeypatch.setattr(actions, "settings", replace(settings, database_url=url("ebranch_app", database)))


async def test_a_verification_is_asked_for_carried_out_once_and_its_result_stays(visit, sealed, verifying):
    await checkpoints.make()
    page = (await visit(AUDITOR, "GET", "/audit/verification")).text
    assert "还没有核验过" in page
    for _ in range(2):
        assert (await visit(AUDITOR, "POST", "/audit/verification")).status_code == 303
    assert len(await rows("SELECT FROM audit_verification")) == 1, "while one runs, that one serves"
    assert len(await rows("SELECT FROM audit_event WHERE verb = 'verify_audit'")) == 1
    assert "正在核验" in (await visit(AUDITOR, "GET", "/audit/verification")).text
    assert await effects.sweep() == 1
    page = (await visit(AUDITOR, "GET", "/audit/verification")).text
    assert all(word in page for word in (
        "40 条记录全部完好", "3 条链", "1 个签名检查点全部相符", "陈审 · 审计员", "东疏镇党委"))
    assert "州城镇" not in page
    assert (await visit(AUDITOR, "POST", "/audit/verification")).status_code == 303
    assert len(await rows("SELECT FROM audit_verification")) == 2


async def test_what_is_wrong_is_said_in_chinese_and_drawn(visit, sealed, verifying):
    place = await middle(sealed)
    await sealed.execute("UPDATE audit_event SET why = '改' WHERE id = $1", place["event_id"])
    await visit(AUDITOR, "POST", "/audit/verification")
    await effects.sweep()
    page = unescape((await visit(AUDITOR, "GET", "/audit/verification")).text)
    assert f"“东疏镇党委”链第 {place['number']} 条：记录 {place['event_id']} 与封存时不一致" in page
    assert "chain__link--broken" in page
    assert f"第 {place['number']} 条不一致" in page
    story = page.partition(f"第 {place['number']} 条不一致")[2].partition('href="')[2].partition('"')[0]
    assert story.endswith(f"#event-{place['event_id']}")
    _, _, kind, number = story.partition("#")[0].split("/")
    for path in (story, f"/audit?kind={kind}&number={number}"):
        shown = (await visit(AUDITOR, "GET", path)).text
        assert shown.count("与封存时不一致，内容可能被改动") == 1, "that one, and no other"


async def test_what_stands_as_it_was_sealed_is_called_sealed(visit, sealed):
    place = await middle(sealed)
    event = await sealed.fetchrow("SELECT subject_kind, subject_id FROM audit_event WHERE id = $1", place["event_id"])
    page = (await visit(AUDITOR, "GET", f"/audit/{event['subject_kind']}/{event['subject_id']}")).text
    assert "条，已封存" in page
    assert "不一致" not in page + (await visit(AUDITOR, "GET", "/audit")).text


async def test_a_verification_that_never_ended_does_not_stand_in_the_way_for_ever(visit, sealed, verifying, at):
    await at("2026-11-22 19:30")
    await visit(AUDITOR, "POST", "/audit/verification")
    await at("2026-11-22 19:41")
    await visit(AUDITOR, "POST", "/audit/verification")
    kept = await rows("SELECT ended_at FROM audit_verification ORDER BY id")
    assert [one["ended_at"] is None for one in kept] == [False, True]


async def test_its_progress_is_seen_while_it_runs(sealed, verifying):
    await rows("INSERT INTO audit_verification (asked_by) VALUES ('陈审')")
    asked = await row("SELECT id FROM audit_verification")
    async with actions.telling(asked["id"], 40) as advance:
        advance(17)
        for _ in range(100):
            told = await row("SELECT looked_at, of_all FROM audit_verification")
            if tuple(told) == (17, 40):
                break
            await asyncio.sleep(0.05)
    assert tuple(told) == (17, 40)


async def test_a_checkpoint_is_downloaded_as_it_stands_in_the_folder(visit, sealed, folder):
    await checkpoints.make()
    answer = await visit(AUDITOR, "GET", "/audit/verification/checkpoints/1")
    assert answer.headers["content-disposition"] == 'attachment; filename="checkpoint-00000001.txt"'
    assert answer.text == next(checkpoints.files())[1].read_text()
    assert json.loads(answer.text.splitlines()[0])["number"] == 1
    assert (await visit(AUDITOR, "GET", "/audit/verification/checkpoints/2")).status_code == 404
    assert "checkpoints/1" in (await visit(AUDITOR, "GET", "/audit/verification")).text
