"""What a branch owes beside what is recorded (M2§7-8), and what meetings put on the 工作台."""
from datetime import timedelta
from typing import Any

import pytest

from server.meetings import amendments, logs
from server.meetings.due import OWED, owed_by
from server.meetings.logs import FIELDS
from server.meetings.rules import Kind
from server.meetings.todos import area, to_amend, to_check
from server.todos.sources import count
from tests.cast import BRANCH_ADMIN, COMMITTEE, COUNTY, MEMBER, NEIGHBOUR, ORGANISER, SECRETARY, SIDIAN, organisation_id
from tests.meetings.stories import HOUR, deadline_of, gathering, ids_of, meeting, planned
from tests.visits import actor_of

DAY = timedelta(days=1)
TODAY = "2026-11-25 12:00"  # a Wednesday in the year's last quarter
EVERY = {"支部党员大会": "本季度", "支部委员会会议": "本月", "党课": "本季度", "主题党日": "本月", "组织生活会": "本年",
         "民主评议党员": "本年"}


async def held(visit, at, begins: str, *kinds: str, today: str = TODAY, record: bool = True, by=SECRETARY) -> int:
    """A gathering of these kinds that began then, and was recorded the same evening unless told otherwise."""
    made = await planned(await at(begins), kinds=list(kinds or ("主题党日",)), topic=f"{begins} 的会", by=by,
                         people=(by,))
    if record:
        await visit(by, "POST", f"/meetings/{made}/attendance/rest", data={"everybody": "1"})
    await at(today)
    return made


async def owed(owner, branch: str = "前村支部") -> dict[str, tuple[str, int, int]]:
    """What a branch owes: period, done and due, by kind."""
    return {one["kind"]: (one["period"], one["done"], one["due"])
            for one in await owed_by(await organisation_id(owner, branch))}


async def done(owner, branch: str = "前村支部") -> dict[str, int]:
    """What is done of what is owed, where anything is."""
    return {kind: its for kind, (_, its, _) in (await owed(owner, branch)).items() if its}


async def form_group(owner, *, closed: bool = False) -> None:
    await owner.execute("""
        INSERT INTO organisation (parent_id, unit_code, kind, name, official_name, closed_at)
        VALUES ($1, '370921102201', '党小组', '第一党小组', '第一党小组', CASE WHEN $2 THEN ebranch_now() END)""",
                        await organisation_id(owner, "前村支部"), closed)


# What is owed ---------------------------------------------------------------------------------------------------------

async def test_a_branch_owes_what_the_regulations_ask_for(owner, at):
    await at(TODAY)
    assert await owed(owner) == {kind: (period, 0, 1) for kind, period in EVERY.items()}
    assert {one.kind for one in OWED} == set(Kind) - {Kind.OTHER}


async def test_no_committee_meeting_is_owed_without_a_committee(owner, at):
    await at(TODAY)
    assert set(await owed(owner, "后村支部")) == set(EVERY) - {"支部委员会会议"}
    await owner.execute("UPDATE seat SET until = '2026-11-01' WHERE office = '组织委员'")
    assert "支部委员会会议" not in await owed(owner)


async def test_group_meetings_are_owed_where_there_are_groups(owner, at):
    await at(TODAY)
    await form_group(owner, closed=True)
    assert "党小组会" not in await owed(owner)
    await owner.execute("UPDATE organisation SET closed_at = NULL WHERE kind = '党小组'")
    assert (await owed(owner))["党小组会"] == ("本月", 0, 1)
    assert "党小组会" not in await owed(owner, "后村支部")


# What counts ----------------------------------------------------------------------------------------------------------

async def test_what_is_recorded_counts_in_its_own_branch(visit, at, owner):
    await held(visit, at, "2026-11-24 19:30")
    assert await done(owner) == {"主题党日": 1}
    assert await done(owner, "后村支部") == {}
    page = (await visit(MEMBER, "GET", "/meetings")).text
    counted = page[:page.index('<span class="owed__kind">主题党日')].rpartition('<b class="owed__n num">')[2]
    assert counted.startswith('1<span class="owed__of"> / 1</span>')


async def test_twice_is_twice(visit, at, owner):
    for begins in ("2026-11-23 19:30", "2026-11-24 19:30"):
        await held(visit, at, begins)
    assert (await owed(owner))["主题党日"] == ("本月", 2, 1)


async def test_a_gathering_of_several_kinds_counts_for_each(visit, at, owner):
    await held(visit, at, "2026-11-24 19:30", "支部党员大会", "党课", "主题党日")
    assert await done(owner) == {"支部党员大会": 1, "党课": 1, "主题党日": 1}


async def test_a_kind_that_is_not_owed_is_not_counted(visit, at, owner):
    await held(visit, at, "2026-11-24 19:30", "党小组会", "其他")
    assert await done(owner) == {}
    await form_group(owner)
    assert await done(owner) == {"党小组会": 1}


@pytest.mark.parametrize("today", [TODAY, "2026-12-20 09:00"], ids=["open", "locked"])
async def test_what_is_not_recorded_counts_nothing(visit, at, owner, today):
    await held(visit, at, "2026-11-24 19:30", "党课", record=False, today=today)
    assert await done(owner) == {}


async def test_what_was_called_off_or_is_to_come_counts_nothing(visit, at, owner):
    made = await held(visit, at, "2026-11-24 19:30", record=False)
    await visit(SECRETARY, "POST", f"/meetings/{made}/cancellation", data={"reason": "没有人来"})
    await planned(await at(TODAY) + HOUR, kinds=["党课"])
    assert await done(owner) == {}


@pytest.mark.parametrize(("begins", "today", "counted"), [
    ("2026-11-01 00:00", "2026-11-30 23:59", {"主题党日", "党课", "组织生活会"}),
    ("2026-11-30 23:00", "2026-12-01 00:30", {"党课", "组织生活会"}),
    ("2026-10-01 00:00", "2026-12-31 23:59", {"党课", "组织生活会"}),
    ("2026-09-30 23:00", "2026-10-01 00:30", {"组织生活会"}),
    ("2026-01-01 00:00", "2026-12-31 23:59", {"组织生活会"}),
    ("2025-12-31 23:00", "2026-01-01 00:30", set()),
])
async def test_a_month_a_quarter_and_a_year_turn_at_midnight_in_beijing(visit, at, owner, begins, today, counted):
    await held(visit, at, begins, "主题党日", "党课", "组织生活会", today=today)
    assert set(await done(owner)) == counted


# What the committee made of it ----------------------------------------------------------------------------------------

async def amended(meeting_id: int, **changed: object) -> None:
    """The branch explains, and its committee changes the log."""
    its = await meeting(meeting_id)
    explanation = await amendments.explain(await actor_of(SECRETARY), its, "记错了")
    await amendments.amend(await actor_of(COMMITTEE), its, changed, "核对过", explanation)


async def marked(who, mark: str) -> list[list[Any]]:
    return [[(await ids_of(who))[0], who.name, mark]]


async def test_what_only_the_committee_recorded_counts_and_was_late(visit, at, owner):
    made = await held(visit, at, "2026-11-06 19:30", record=False)
    assert await done(owner) == {}
    await amended(made, attendance=await marked(SECRETARY, "参加"))
    assert await done(owner) == {"主题党日": 1}
    assert (await deadline_of(made))["state"] == "late"


@pytest.mark.parametrize(("changed", "counted"), [
    ({"kinds": ["党课"]}, {"党课": 1}), ({"begins_at": "2026-10-31T19:30:00+08:00"}, {})])
async def test_what_counts_is_the_log_as_the_committee_made_it(visit, at, owner, changed, counted):
    await amended(await held(visit, at, "2026-11-06 19:30", "主题党日"), **changed)
    assert await done(owner) == counted


@pytest.mark.parametrize("words", [">学党章</span>", "党课 · 19:30"])
async def test_the_list_says_what_the_log_says_now(visit, at, words):
    await amended(await held(visit, at, "2026-11-06 19:30"), topic="学党章", kinds=["党课"])
    for person in (MEMBER, COMMITTEE):
        assert words in (await visit(person, "GET", "/meetings")).text


@pytest.mark.parametrize(("page", "words"), [
    ("/meetings/{}", "您的参加情况：请假"), ("/meetings", 'num">0 / 1</span>'), ("/me/attendance", ">请假</span>")])
async def test_whose_mark_was_wrong_finds_it_put_right_everywhere(visit, at, page, words):
    made = await held(visit, at, "2026-11-06 19:30")
    await amended(made, attendance=await marked(SECRETARY, "请假"))
    assert words in (await visit(SECRETARY, "GET", page.format(made))).text


# To-dos: texts to check (M2§5) ----------------------------------------------------------------------------------------

async def write(meeting_id: int, by, minutes: str = "议了修路", version: int = 0) -> None:
    await logs.write(await actor_of(by), await meeting(meeting_id), dict.fromkeys(FIELDS, "") | {"minutes": minutes},
                     version)


async def who_is_asked() -> set[str]:
    """Whose 工作台 asks for a check."""
    return {person.name for person in (SECRETARY, ORGANISER, BRANCH_ADMIN, NEIGHBOUR, COMMITTEE, MEMBER)
            if await to_check(await actor_of(person))}


@pytest.mark.parametrize(("writer", "asked"), [(SECRETARY, ORGANISER), (BRANCH_ADMIN, ORGANISER),
                                               (ORGANISER, SECRETARY)], ids=lambda person: person.name)
async def test_a_text_waits_for_the_organiser_or_the_secretary_where_he_wrote_it(visit, at, writer, asked):
    made = await held(visit, at, "2026-11-24 19:30")
    assert await who_is_asked() == set()
    await write(made, writer)
    assert await who_is_asked() == {asked.name}
    (its,) = await to_check(await actor_of(asked))
    assert its.title == "审核 · 2026-11-24 19:30 的会"
    assert its.line == f"{writer.name} 今天写的记录"
    assert its.href == f"/meetings/{made}"
    assert its.title in (await visit(asked, "GET", "/to-dos")).text


@pytest.mark.parametrize("gone", [
    "UPDATE role_grant SET until = ebranch_now() - interval '1 day' WHERE role = '组织委员'",
    "UPDATE account SET closed_at = ebranch_now() FROM person p WHERE p.id = person_id AND p.name = '孙桂兰'"])
async def test_without_an_organiser_the_secretary_checks_even_his_own(visit, at, owner, gone):
    made = await held(visit, at, "2026-11-24 19:30")
    await owner.execute(gone)
    await write(made, SECRETARY)
    assert await who_is_asked() == {"赵德山"}


@pytest.mark.parametrize("verdict", [{"verdict": "审核通过"}, {"verdict": "审核不通过", "reason": "写得太短"}])
async def test_what_is_checked_waits_no_more_until_it_is_written_anew(visit, at, verdict):
    made = await held(visit, at, "2026-11-24 19:30")
    await write(made, SECRETARY)
    answer = await visit(ORGANISER, "POST", f"/meetings/{made}/log/check", data=verdict | {"version": 1, "photos": 0})
    assert answer.status_code == 303
    assert await who_is_asked() == set()
    await write(made, SECRETARY, "议了修路，定了三条", 1)
    assert await who_is_asked() == {"孙桂兰"}


async def test_a_text_may_still_be_checked_after_the_lock_but_not_after_the_committee(visit, at):
    made = await held(visit, at, "2026-11-24 19:30")
    await write(made, SECRETARY)
    await at("2026-12-20 09:00")
    assert await who_is_asked() == {"孙桂兰"}
    await amended(made, topic="学党章")
    assert await who_is_asked() == set()


# To-dos: explanations, deadlines, the area ----------------------------------------------------------------------------

async def test_an_explanation_waits_for_its_own_committee_alone(visit, at):
    made = await held(visit, at, "2026-11-06 19:30", today="2026-11-25 23:00")
    await visit(SECRETARY, "POST", f"/meetings/{made}/amendments", data={"explanation": "漏记一人"})
    for person in (SIDIAN, COUNTY, SECRETARY, NEIGHBOUR, MEMBER):
        assert await to_amend(await actor_of(person)) == [], person.name
    for moment, *since in (("2026-11-25 23:59", "今天", "提交"), ("2026-11-26 00:01", "1", "天前"),
                           ("2026-12-05 12:00", "10", "天前")):
        await at(moment)
        (its,) = await to_amend(await actor_of(COMMITTEE))
        assert [its.left, its.unit, its.href] == [*since, f"/meetings/{made}/amendments"]
        assert its.title == "更改说明 · 前村支部 2026-11-06 19:30 的会"
        assert its.line == "说明：漏记一人"


async def test_what_was_explained_first_stands_first(visit, at):
    made = [await held(visit, at, begins) for begins in ("2026-11-05 19:30", "2026-11-06 19:30")]
    for meeting_id in reversed(made):
        await visit(SECRETARY, "POST", f"/meetings/{meeting_id}/amendments", data={"explanation": "漏记一人"})
    found = await to_amend(await actor_of(COMMITTEE))
    assert [its.href for its in found] == [f"/meetings/{meeting_id}/amendments" for meeting_id in reversed(made)]
    assert await count(await actor_of(COMMITTEE)) == 2


async def test_what_is_to_be_recorded_waits_until_it_is(visit, at):
    made = await held(visit, at, "2026-11-24 19:30", record=False)
    assert "记入 · 2026-11-24 19:30 的会" in (await visit(SECRETARY, "GET", "/to-dos")).text
    await visit(SECRETARY, "POST", f"/meetings/{made}/attendance/rest", data={"everybody": "1"})
    assert "没有待办的事" in (await visit(SECRETARY, "GET", "/to-dos")).text


async def line(person) -> str:
    return (await area(await actor_of(person)))["line"]


async def test_the_way_to_the_meetings_says_how_the_month_stands(visit, at):
    await held(visit, at, "2026-10-30 19:30")
    await held(visit, at, "2026-11-23 19:30")
    await held(visit, at, "2026-11-24 19:30", record=False)
    called_off = await held(visit, at, "2026-11-24 21:30", record=False)
    await visit(SECRETARY, "POST", f"/meetings/{called_off}/cancellation", data={"reason": "停电"})
    await planned(await at(TODAY) + HOUR)
    for person in (SECRETARY, COMMITTEE, COUNTY):
        assert await line(person) == "本月已开展 2 次，已记入 1 次"
    assert await line(NEIGHBOUR) == await line(SIDIAN) == "本月已开展 0 次，已记入 0 次"


async def test_what_the_committee_recorded_is_recorded_there_too(visit, at):
    made = await held(visit, at, "2026-11-06 19:30", record=False)
    assert await line(SECRETARY) == "本月已开展 1 次，已记入 0 次"
    await amended(made, topic="学党章")
    assert await line(SECRETARY) == "本月已开展 1 次，已记入 1 次"


async def test_what_was_entered_too_late_is_there_once_the_committee_entered_it(visit, at):
    late = gathering(await at("2026-11-03 19:30"), await ids_of(MEMBER), explanation="没有网络")
    await at(TODAY)
    address = (await visit(SECRETARY, "POST", "/meetings/held", data=late)).headers["location"]
    made = int(address.split("/")[2])
    assert await line(SECRETARY) == "本月已开展 0 次，已记入 0 次"
    explanation = await amendments.open_explanation(made)
    await amendments.amend(await actor_of(COMMITTEE), await meeting(made), {"topic": "学党章"}, "核对过",
                           explanation["id"])
    assert await line(SECRETARY) == "本月已开展 1 次，已记入 1 次"
