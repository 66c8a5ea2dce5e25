"""Versions of whatever may be corrected, and who may append one; a refusal that says what can be done instead."""
from datetime import UTC, date, datetime

import asyncpg
import httpx
import pytest
from litestar import get

from server.app import ROUTES, make_app
from server.core import versions
from server.core.moves import WrongState
from server.meetings import amendments
from server.permissions import Can
from tests.cast import COMMITTEE, COMMITTEE_ORGANISER, COUNTY, MEMBER, NEIGHBOUR, ORGANISER, SECRETARY, SIDIAN
from tests.databases import fingerprint
from tests.meetings.stories import meeting, planned
from tests.visits import actor_of

KIND = "sample"
AFTER = "2026-12-07 09:00"  # of a log that locked on 4 December, 24:00


async def appended(actor, number: int, before: dict, after: dict, subject: int = 7) -> int:
    return await versions.append(actor, KIND, subject, before=before, after=after, explanation_id=number, why="核对过")


# Versions -------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("before", "after", "difference"), [
    ({}, {}, {}), ({"a": 1, "b": [1, 2]}, {"a": 1, "b": [1, 2]}, {}), ({"a": 1}, {"a": 2}, {"a": [1, 2]}),
    ({"a": "", "b": "x"}, {"a": "y", "b": "x"}, {"a": ["", "y"]}), ({}, {"a": 1}, {"a": [None, 1]}),
    ({"a": [1, 2]}, {"a": [2, 1]}, {"a": [[1, 2], [2, 1]]}), ({"a": 1}, {}, {"a": [1, None]}),
    ({"a": "x"}, {"a": None}, {"a": ["x", None]}),
])
def test_a_difference_is_everything_that_differs(before, after, difference):
    assert versions.difference(before, after) == difference


def test_a_version_is_spelled_so_that_people_can_read_it():
    content = {"主题": "学条例", "at": datetime(2026, 11, 25, 11, 30, tzinfo=UTC), "on": date(2026, 11, 25)}
    assert versions.spelled(content) == '{"主题": "学条例", "at": "2026-11-25 11:30:00+00:00", "on": "2026-11-25"}'


async def test_what_was_never_corrected_has_no_version(database):
    assert await versions.current(KIND, 7) is None
    assert await versions.history(KIND, 7) == []


async def test_versions_are_numbered_and_the_newest_is_the_current_one(actor, at):
    someone, texts = await actor(COMMITTEE), [{"topic": "一"}, {"topic": "二"}, {"topic": "三"}]
    moments = [await at("2026-12-07 09:00")]
    assert await appended(someone, 1, texts[0], texts[1]) == 1
    moments.append(await at("2026-12-08 09:00"))
    assert await appended(someone, 2, texts[1], texts[2]) == 2
    assert await versions.current(KIND, 7) == texts[2]
    history = await versions.history(KIND, 7)
    assert [(one["number"], one["explanation_id"], one["who"], one["why"]) for one in history] == [
        (2, 2, someone.signature, "核对过"), (1, 1, someone.signature, "核对过")]
    assert [one["difference"] for one in history] == ['{"topic": ["二", "三"]}', '{"topic": ["一", "二"]}']
    assert [one["at"].date() for one in reversed(history)] == [moment.date() for moment in moments]


async def test_each_thing_has_versions_of_its_own(actor):
    someone = await actor(COMMITTEE)
    assert await appended(someone, 1, {}, {"topic": "一"}) == 1
    assert await appended(someone, 1, {}, {"topic": "二"}, subject=8) == 1
    assert await versions.current(KIND, 7) == {"topic": "一"}
    assert await versions.current("another", 7) is None


async def test_two_versions_never_have_one_number(actor, owner):
    await appended(await actor(COMMITTEE), 1, {}, {"topic": "一"})
    before = await fingerprint(owner)
    columns = ("subject_kind, subject_id, number, content, difference, explanation_id, why, account_id, grant_id,"
               " who")
    with pytest.raises(asyncpg.PostgresError, match="one after the other"):
        await owner.execute(f"INSERT INTO version ({columns}) SELECT {columns} FROM version")
    assert await fingerprint(owner) == before


@pytest.mark.parametrize("why", ["", None])
async def test_no_version_is_without_a_reason(actor, why):
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="why"):
        await versions.append(await actor(COMMITTEE), KIND, 7, before={}, after={"a": 1}, explanation_id=1, why=why)


# Whoever asks the database --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("statement", ["UPDATE version SET why = '改了'", "UPDATE version SET content = '{}'",
                                       "DELETE FROM version", "TRUNCATE version"])
async def test_no_version_is_changed_or_taken_away_not_even_by_the_tables_owner(actor, as_app, owner, statement):
    await appended(await actor(COMMITTEE), 1, {}, {"topic": "一"})
    for connection, words in ((as_app, "permission denied"), (owner, "append-only")):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match=words):
            await connection.execute(statement)
    assert await versions.current(KIND, 7) == {"topic": "一"}


INSERT = """
INSERT INTO version (subject_kind, subject_id, number, content, difference, explanation_id, why, account_id, grant_id,
                     who)
SELECT 'meeting_log', $1, 1, '{}', '{}', $2, '改',
       (SELECT a.id FROM account a JOIN person p ON p.id = a.person_id WHERE p.name = $4), g.id, '某人'
FROM role_grant g JOIN account a ON a.id = g.account_id JOIN person p ON p.id = a.person_id WHERE p.name = $3"""


async def explained(at, begins: str = "2026-11-25 19:30") -> tuple[int, int]:
    """A locked log of 前村支部 with an open explanation: the ids of both."""
    its = await meeting(await planned(await at(begins)))
    await at(AFTER)
    return its["id"], await amendments.explain(await actor_of(SECRETARY), its, "漏记一人")


async def refused(as_app, log: int, explanation: int, grant=COMMITTEE, account=None) -> None:
    """Nobody's SQL adds a version on this explanation, with this person's grant and this one's account."""
    with pytest.raises(asyncpg.PostgresError) as fault:
        await as_app.execute(INSERT, log, explanation, grant.name, (account or grant).name)
    assert fault.value.sqlstate == "EB005"


async def test_a_locked_log_has_a_version_of_its_committee_alone(at, as_app):
    log, explanation = await explained(at)
    for person in (SECRETARY, ORGANISER, MEMBER, NEIGHBOUR, SIDIAN, COMMITTEE_ORGANISER, COUNTY):
        await refused(as_app, log, explanation, person)
    await refused(as_app, log, explanation, COMMITTEE, SECRETARY)
    await as_app.execute(INSERT, log, explanation, COMMITTEE.name, COMMITTEE.name)
    assert (await versions.history("meeting_log", log))[0]["number"] == 1


async def test_a_locked_log_has_a_version_on_its_own_open_explanation_alone(at, as_app):
    log, explanation = await explained(at)
    _, of_another = await explained(at, "2026-11-24 19:30")
    for wrong in (0, of_another):
        await refused(as_app, log, wrong)
    await at("2026-12-04 23:59:50")
    await refused(as_app, log, explanation)
    await at(AFTER)
    await amendments.send_back(await actor_of(COMMITTEE), await meeting(log), explanation, "不改")
    await refused(as_app, log, explanation)
    assert await versions.current("meeting_log", log) is None


@pytest.mark.parametrize("ended", ["UPDATE role_grant SET until = ebranch_now() WHERE role = '党委管理员'",
                                   "UPDATE organisation SET closed_at = ebranch_now() WHERE kind = '基层党委'"])
async def test_whoever_was_the_committee_is_it_no_more(at, as_app, owner, ended):
    log, explanation = await explained(at)
    await owner.execute(ended)
    await refused(as_app, log, explanation)


# Refused --------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("refusal", "advice"), [
    (WrongState("已经锁定"), "请返回刷新后再看"), (WrongState("已经锁定", "可以请党委更改"), "可以请党委更改")])
async def test_what_comes_too_late_is_told_with_what_can_be_done(database, refusal, advice):
    @get("/late", can=Can.PUBLIC)
    async def late() -> None:
        raise refusal

    transport = httpx.ASGITransport(app=make_app([*ROUTES, late]), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        answer = await client.get("/late")
    assert answer.status_code == 409
    assert '<h1 class="empty__title">已经锁定</h1>' in answer.text
    assert advice in answer.text
    assert ("请返回刷新后再看" in answer.text) is (refusal.advice is None)
