"""Live changes: who hears of what, what ends a connection, and what becomes of it all when Redis is away."""
import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest

from server.core import live
from server.core.clock import now
from server.core.database import all_told, row, rows, transaction
from server.core.keys import key
from server.meetings import actions, tokens
from server.meetings.check_in import KEY_PURPOSE
from server.threads.reminders import remind
from tests.cast import (
    APPLICANT,
    AUDITOR,
    COMMITTEE,
    COUNTY,
    MEMBER,
    NEIGHBOUR,
    OTHER_COUNTY,
    PROBATIONARY,
    SECRETARY,
    SUPERVISOR,
    VILLAGE_ADMIN,
    VILLAGER,
    Person,
)
from tests.disclosure.stories import DUES, published, ready, review, submitted
from tests.meetings.stories import ids_of, meeting, planned
from tests.questions.stories import ask
from tests.visits import Visitor, actor_of

pytestmark = pytest.mark.xdist_group("live")  # Redis is one for all workers, and one of these ends its connections
BEAT_S = 0.4


@pytest.fixture(autouse=True)
async def quick(database, monkeypatch):
    """The relay of a web process, with a beat that tests can wait for."""
    monkeypatch.setattr(live, "CHANNEL", f"live-{database}")  # others' tests tell of the same branches
    monkeypatch.setattr(live, "BEAT_S", BEAT_S)
    monkeypatch.setattr(live, "RESPITE_S", 0.1)
    monkeypatch.setattr(live, "_silent_until", 0.0)
    async with live.relaying():
        await until_subscribed()
        yield


async def until_subscribed() -> None:
    for _ in range(100):
        if (await live.redis().pubsub_numsub(live.CHANNEL))[0][1]:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("nobody listens to Redis")


async def sign_out_everybody() -> None:
    await rows("UPDATE session SET revoked_at = $1 WHERE revoked_at IS NULL", now())


@pytest.fixture
def heard(visit):
    """heard(person, path, during) → the topics told on one connection while `during()` happens; then it is ended."""
    async def listen(person: Person | None, during, path: str = "/live", end=sign_out_everybody) -> list[str]:
        connection = asyncio.create_task(visit(person, "GET", path))
        await until_listening(1)
        await during()
        await all_told()
        await asyncio.sleep(0.3)
        await end()
        answer = await asyncio.wait_for(connection, BEAT_S + 3)
        assert answer.headers["content-type"].startswith("text/event-stream")
        return [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]

    return listen


async def until_listening(connections: int) -> None:
    for _ in range(200):
        if len(live._listeners) >= connections:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("no connection was opened")


async def quiet() -> None:
    """What was done until now has been told."""
    await all_told()
    await asyncio.sleep(0.1)


async def tell_of_the_branch() -> None:
    """Something happens in 前村支部."""
    await planned(now() + timedelta(hours=2))


@pytest.mark.parametrize("person", [MEMBER, SECRETARY, COMMITTEE, COUNTY], ids=lambda person: str(person.role))
async def test_what_happens_in_a_branch_is_heard_there_and_above(heard, person):
    assert "threads" in await heard(person, tell_of_the_branch)


@pytest.mark.parametrize("person", [NEIGHBOUR, OTHER_COUNTY, VILLAGER, APPLICANT, AUDITOR],
                         ids=lambda person: f"{person.at} {person.role}")
async def test_nobody_else_hears_of_it(heard, person):
    assert await heard(person, tell_of_the_branch) == []


@pytest.mark.parametrize(("person", "hears"), [
    (VILLAGER, True), (SUPERVISOR, True), (MEMBER, True), (COMMITTEE, True), (NEIGHBOUR, False), (APPLICANT, False)])
async def test_what_is_published_is_heard_by_everybody_it_is_for(heard, at, person, hears):
    await ready(at)
    made = await submitted()
    await quiet()

    async def approve() -> None:
        await review(made)

    told = await heard(person, approve)
    assert ({"threads", f"matter-{made}", "disclosures"} <= set(told)) is hears


async def test_what_is_for_members_alone_villagers_do_not_hear_of(heard, at):
    await ready(at)
    made = await submitted(DUES)
    await quiet()

    async def approve() -> None:
        await review(made)

    assert await heard(VILLAGER, approve) == []


@pytest.mark.parametrize("person", [VILLAGER, MEMBER], ids=lambda person: str(person.role))
async def test_one_s_own_reminder_is_heard(heard, person):
    async def remind_somebody() -> None:
        async with transaction():
            await remind((await ids_of(person))[0], "今天", "来开会", "/meetings/1")

    assert "threads" in await heard(person, remind_somebody)


async def test_somebody_else_s_reminder_is_not_heard(heard):
    async def remind_somebody_else() -> None:
        async with transaction():
            await remind((await ids_of(PROBATIONARY))[0], "今天", "来开会", "/meetings/1")

    assert await heard(COUNTY, remind_somebody_else) == []
    assert await heard(MEMBER, remind_somebody_else) == []


async def test_what_was_rolled_back_is_not_told(heard):
    async def fail() -> None:
        with suppress(ZeroDivisionError):
            async with transaction():
                live.changed((await actor_of(MEMBER)).organisation_path, "threads")
                raise ZeroDivisionError

    assert await heard(MEMBER, fail) == []


async def test_a_hall_checking_in_is_told_a_few_times_not_each(heard):
    async def check_in_fifty() -> None:
        path = (await actor_of(MEMBER)).organisation_path
        for _ in range(50):
            async with transaction():
                live.changed(path, "meeting-7")

    told = await heard(MEMBER, check_in_fifty)
    assert 1 <= told.count("meeting-7") <= 5


async def test_nobody_listens_without_signing_in(visit):
    assert (await visit(None, "GET", "/live")).status_code == 303
    assert not live._listeners


async def test_a_connection_goes_on_as_long_as_its_session(visit):
    connection = asyncio.create_task(visit(MEMBER, "GET", "/live"))
    await asyncio.sleep(3 * BEAT_S)
    assert not connection.done()
    await sign_out_everybody()
    answer = await asyncio.wait_for(connection, BEAT_S + 3)
    assert answer.text.count(": still here") >= 1, "so that no proxy closes it"
    assert not live._listeners


ENDS = {
    "sign-out": "UPDATE session SET revoked_at = ebranch_now()",
    "the session's end": "UPDATE session SET expires_at = ebranch_now()",
    "the account's end": "UPDATE account SET closed_at = ebranch_now()",
    "the role's end": "UPDATE role_grant SET until = ebranch_now()",
    "the organisation's end": "UPDATE organisation SET closed_at = ebranch_now()",
    "another role": """WITH other AS (INSERT INTO role_grant (account_id, role, organisation_id)
        SELECT g.account_id, '村民', g.organisation_id FROM role_grant g JOIN session s ON s.grant_id = g.id
        RETURNING id) UPDATE session SET grant_id = (SELECT id FROM other)""",
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_it_ends_with(visit, owner, end):
    connection = asyncio.create_task(visit(MEMBER, "GET", "/live"))
    await until_listening(1)
    await owner.execute(end)
    await asyncio.wait_for(connection, BEAT_S + 3)


async def test_it_ends_at_once_when_one_signs_out(visit, monkeypatch):
    """And tells nothing of why; who is still there, on another device, goes on."""
    monkeypatch.setattr(live, "BEAT_S", 60)
    async with Visitor() as elsewhere:
        here = asyncio.create_task(visit(MEMBER, "GET", "/live"))
        there = asyncio.create_task(elsewhere.visit(MEMBER, "GET", "/live"))
        await until_listening(2)
        assert (await visit(MEMBER, "POST", "/sign-out", data={})).status_code == 303
        answer = await asyncio.wait_for(here, 3)
        assert "data:" not in answer.text
        await asyncio.sleep(0.3)
        assert not there.done()
        there.cancel()


async def test_a_forgotten_page_of_the_county_ends_after_a_quarter_of_an_hour(visit, at):
    moment = await at("2026-11-22 10:00")
    connection = asyncio.create_task(visit(COUNTY, "GET", "/live"))
    await until_listening(1)
    await at(moment + timedelta(minutes=14))
    await asyncio.sleep(2 * BEAT_S)
    assert not connection.done()
    await at(moment + timedelta(minutes=16))
    await asyncio.wait_for(connection, BEAT_S + 3)


async def wall_of(made: int) -> str:
    return f"/wall/{tokens.wall_token(key(KEY_PURPOSE), made, now())}/live"


async def test_a_wall_hears_of_its_meeting_only_and_until_that_ends(heard, at):
    moment = await at("2026-11-22 19:30")
    made = await planned(moment)

    async def much_happens() -> None:
        await planned(moment + timedelta(hours=3))
        path = (await meeting(made))["branch_path"]
        async with transaction():
            live.changed(path, f"meeting-{made}", f"meeting-{made}0", "todos")

    async def end() -> None:
        await at(moment + timedelta(hours=1))

    assert await heard(None, much_happens, await wall_of(made), end) == [f"meeting-{made}"]


async def test_a_wall_ends_when_its_meeting_is_called_off(heard):
    made = await planned(now() + timedelta(minutes=20))

    async def call_off() -> None:
        await actions.cancel(await actor_of(SECRETARY), await meeting(made), "停电")

    async def nothing() -> None:
        pass

    assert await heard(None, call_off, await wall_of(made), nothing) == [f"meeting-{made}"]


async def test_a_wall_is_only_there_for_a_meeting_that_is_still_to_end(visit, at):
    moment = await at("2026-11-22 19:30")
    path = await wall_of(await planned(moment))
    await at(moment + timedelta(hours=1))
    assert (await visit(None, "GET", path)).status_code == 404
    scan = tokens.scan_token(key(KEY_PURPOSE), 1, now())
    assert (await visit(None, "GET", f"/wall/{scan}/live")).status_code == 404


async def test_after_redis_was_away_changes_are_heard_again(heard):
    await live.redis().client_kill_filter(_type="pubsub")
    await asyncio.sleep(0.1)
    await until_subscribed()
    assert "threads" in await heard(MEMBER, tell_of_the_branch)


async def test_what_is_no_message_of_ours_stops_nothing(heard):
    await live.redis().publish(live.CHANNEL, b"\xff\xfe")
    await asyncio.sleep(0.3)
    await until_subscribed()
    assert "threads" in await heard(MEMBER, tell_of_the_branch)


async def test_a_redis_that_is_silent_is_asked_once_and_then_left_alone(caplog, monkeypatch):
    monkeypatch.setattr(live, "RESPITE_S", 60)
    asked = []

    async def hang() -> None:
        asked.append(1)
        await asyncio.sleep(60)

    monkeypatch.setattr(live, "PATIENCE_S", 0.1)
    await live.attempt(hang, "it is late")
    began = asyncio.get_running_loop().time()
    for _ in range(100):
        await live.attempt(hang, "it is late")
    assert asyncio.get_running_loop().time() - began < 0.1
    assert len(asked) == 1
    assert [said.getMessage() for said in caplog.records if "redis" in said.msg] == [
        "redis does not answer, it is late: TimeoutError()"]


async def test_many_changes_are_told_in_the_background(monkeypatch):
    """A change of the database does not wait for what is told of it."""
    began = asyncio.get_running_loop().time()

    async def slow(*_: object) -> None:
        await asyncio.sleep(5)

    monkeypatch.setattr(live, "attempt", slow)
    await tell_of_the_branch()
    assert asyncio.get_running_loop().time() - began < 3
    assert (await row("SELECT count(*) FROM meeting"))["count"] == 1


async def test_who_keeps_the_villages_matters_hears_of_them(heard, at):
    await ready(at)
    made = await submitted()
    await quiet()

    async def give_back() -> None:
        await review(made, text="写清楚")

    assert {f"matter-{made}", "disclosures", "todos"} <= set(await heard(VILLAGE_ADMIN, give_back))


@pytest.mark.parametrize(("person", "of", "hears"), [
    (SECRETARY, "村里", True), (SECRETARY, "镇里", False), (MEMBER, "镇里", False), (VILLAGE_ADMIN, "县里", False),
    (COMMITTEE, "镇里", True), (COMMITTEE, "县里", False), (COUNTY, "县里", True)])
async def test_nobody_hears_of_a_question_that_goes_past_him(heard, visit, at, person, of, hears):
    await ready(at)
    made = await published()
    await quiet()

    async def question() -> None:
        await ask(visit, made, of=of)

    assert ("questions" in await heard(person, question)) is hears
