"""村里一月: how what fell due in it was kept stands there at any moment, kept by the database as it happens."""
import asyncio
import random
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from server.catalogues.rules import CONVENIENCE, PUBLISH
from server.core import deadlines
from server.core.clock import BEIJING, now, today
from server.core.database import rows, the_row, transaction
from server.supervision.rules import COUNTED
from server.supervision.tables import fold, to_press
from tests.cast import COMMITTEE, COUNTY, VILLAGE_ADMIN, VILLAGER
from tests.disclosure.stories import (
    ACCOUNTS,
    MEETINGS,
    QIANCUN,
    duty,
    published,
    ready,
    returned,
    review,
    submitted,
    withdrawn,
)
from tests.meetings import stories
from tests.questions.stories import ask, reply
from tests.supervision.stories import LAPSED, lapsed, month, swept
from tests.villages.test_guards import refused
from tests.visits import actor_of

PREFIX = {"disclosure_review": "review_", "question_answer": "answer_"}
RULES = ("disclosure_publish", "convenience", "disclosure_review", "question_answer")
NOVEMBER = date(2026, 11, 1)


async def recomputed() -> Counter[tuple[str, date, str]]:
    """The figures from the deadlines themselves: by village, month and name."""
    found: Counter[tuple[str, date, str]] = Counter()
    for one in await rows("""
            SELECT d.rule, d.state, q.asked_of, d.overdue_at, d.late_before, d.due_at,
                   coalesce(y.village_code, m.village_code, q.village_code) AS code, i.form FROM deadline d
            LEFT JOIN duty y ON d.subject_kind = 'duty' AND y.id = d.subject_id
            LEFT JOIN catalogue_item i ON i.id = y.item_id
            LEFT JOIN edition e ON d.subject_kind = 'edition' AND e.id = d.subject_id
            LEFT JOIN matter m ON m.id = e.matter_id
            LEFT JOIN question q ON d.subject_kind = 'question' AND q.id = d.subject_id
            WHERE d.rule = ANY($1)""", list(RULES)):
        if one["state"] in ("met", "late"):
            kept = one["state"]
        elif one["state"] == "open":
            kept = "overdue" if one["overdue_at"] or one["late_before"] else "running"
        else:
            continue
        last = (one["due_at"] - timedelta(seconds=1)).astimezone(BEIJING).date().replace(day=1)
        above = one["asked_of"] not in (None, "村里")
        found[one["code"], last, ("above_" if above else PREFIX.get(one["rule"], "")) + kept] += 1
        if one["form"] == "账目" and kept == "overdue":
            found[one["code"], last, "ledger_overdue"] += 1
    return found


async def stored(of: str = "village") -> Counter[tuple[str, date, str]]:
    """The figures as they are read: what is folded in already, and what is not yet."""
    sums = ", ".join(f"sum({name})::int AS {name}" for name in COUNTED)
    return Counter({(one["code"], one["month"], name): one[name] for one in await rows(
        f"SELECT {of}_code AS code, month, {sums} FROM {of}_figure GROUP BY 1, 2") for name in COUNTED if one[name]})


async def right() -> bool:
    """Whether villages' and townships' figures are what the deadlines say."""
    said = await recomputed()
    townships: Counter[tuple[str, date, str]] = Counter()
    for (code, first, name), many in said.items():
        townships[code[:9], first, name] += many
    return (await stored(), await stored("township")) == (said, townships)


# One by one -----------------------------------------------------------------------------------------------------------

async def test_what_begins_to_be_owed_is_running_in_the_month_it_falls_due(at):
    await ready(at, "2026-09-01 10:00")
    owed = await rows("SELECT rule, due_at FROM deadline WHERE rule = ANY($1)", list(RULES))
    assert {one["rule"] for one in owed} == {"disclosure_publish", "convenience"}
    assert await right()
    assert set(await month()) == {"running"}, "September is over on 30 September; it is due in October"


async def test_done_in_time_it_is_met_and_the_townships_share_is_its_own(at):
    await ready(at)
    before = await month()
    made = await submitted(MEETINGS)
    handed_on = before | {"running": before["running"] - 1, "met": 1}
    assert await month() == handed_on | {"review_running": 1}, "the village's clock stops when it is handed on"
    await review(made)
    assert await month() == handed_on | {"review_met": 1}
    assert await right()


async def test_not_done_it_is_overdue_and_of_the_books_a_gap(at):
    await ready(at)
    running = (await month())["running"]
    await at(LAPSED)
    assert (await month())["running"] == running, "until the sweep"
    await swept()
    found = await month()
    assert found["ledger_overdue"] == 1
    assert found["overdue"] + found.get("running", 0) == running
    assert await right()


async def test_done_after_it_was_overdue_it_is_late(at):
    await lapsed(at)
    before = await month()
    await published(ACCOUNTS, "2026-09")
    found = await month()
    assert (found["late"], found["overdue"], found.get("ledger_overdue", 0)) == (1, before["overdue"] - 1, 0)
    assert await right()


async def test_handed_on_late_and_sent_back_it_is_overdue_still_for_everybody(visit, at):
    await lapsed(at, QIANCUN)
    before = await month()
    things = (await to_press((await actor_of(COMMITTEE)).organisation_path, today(), now()))[0]["things"]
    await returned(ACCOUNTS, "2026-09")
    clock = await the_row("SELECT state, overdue_at, late_before FROM deadline WHERE subject_kind = 'duty'"
                          " AND subject_id = $1", await duty(ACCOUNTS, "2026-09"))
    assert tuple(clock) == ("open", None, True)
    found = await month()
    assert (found["overdue"], found["ledger_overdue"]) == (before["overdue"], before["ledger_overdue"])
    assert await right()
    assert "逾期未公开" in (await visit(VILLAGER, "GET", "/disclosures?month=2026-09")).text
    assert "已逾期，退回后" in (await visit(VILLAGE_ADMIN, "GET", "/disclosures/new")).text
    assert f"{ACCOUNTS}（2026年9月）" in (await visit(COUNTY, "GET", f"/supervision/{QIANCUN}")).text
    assert (await to_press((await actor_of(COMMITTEE)).organisation_path, today(), now()))[0]["things"] == things


async def test_declared_as_not_having_occurred_it_is_met(visit, at):
    await ready(at)
    its = await duty(MEETINGS, "2026-Q3")
    await visit(VILLAGE_ADMIN, "POST", "/disclosures/nothing", data={"duties": [its]})
    assert await month() != {}
    assert await right()


async def test_no_longer_owed_it_counts_nowhere(at):
    await ready(at)
    before = (await month())["running"]
    async with transaction():
        await deadlines.withdraw(PUBLISH, "duty", await duty(MEETINGS, "2026-Q3"), at=now())
    assert (await month())["running"] == before - 1
    assert await right()


async def test_moved_into_another_month_it_counts_there(at, owner):
    await ready(at)
    before, after = (await month())["running"], await month(first=NOVEMBER)
    await owner.execute("""UPDATE deadline SET due_at = due_at + interval '31 days'
                           WHERE subject_kind = 'duty' AND subject_id = $1""", await duty(MEETINGS, "2026-Q3"))
    assert (await month())["running"] == before - 1
    assert (await month(first=NOVEMBER))["running"] == after.get("running", 0) + 1
    assert await right()


async def test_due_at_midnight_it_belongs_to_the_day_and_the_month_before(at, owner):
    await ready(at)
    await owner.execute("""UPDATE deadline SET due_at = '2026-11-01 00:00 Asia/Shanghai'
                           WHERE subject_kind = 'duty' AND subject_id = $1""", await duty(MEETINGS, "2026-Q3"))
    assert await right()
    before = (await month(first=NOVEMBER)).get("running", 0)
    await owner.execute("""UPDATE deadline SET due_at = '2026-11-01 00:00:01 Asia/Shanghai'
                           WHERE subject_kind = 'duty' AND subject_id = $1""", await duty(MEETINGS, "2026-Q3"))
    assert (await month(first=NOVEMBER))["running"] == before + 1


async def test_questions_are_counted_for_whom_is_asked(visit, at):
    await ready(at)
    made = await published(MEETINGS)
    village, township = await ask(visit, made), await ask(visit, made, of="镇里")
    asked = await month()
    assert (asked["answer_running"], asked["above_running"]) == (1, 1), "the village does not owe its township's answer"
    await reply(visit, village)
    await visit(COUNTY, "POST", f"/questions/{township}/hiding", data={"why": "骂人"})
    found = await month()
    assert (found["answer_met"], found.get("answer_running", 0), found.get("above_running", 0)) == (1, 0, 0)
    assert await right()


async def test_a_withdrawn_matter_and_one_that_was_sent_back_are_as_their_deadlines_say(at):
    await ready(at)
    await withdrawn(MEETINGS)
    await review(await submitted(ACCOUNTS, "2026-09"), text="写明")
    assert await right()


# Whatever happens -----------------------------------------------------------------------------------------------------

async def step(chance: random.Random, owner: Any, moment: datetime) -> None:
    """Something happens to one of the deadlines."""
    every = await rows("""SELECT id, rule, subject_kind, subject_id, period FROM deadline
                          WHERE rule = ANY($1) ORDER BY id""", list(RULES))
    one = chance.choice(every)
    rule, about = deadlines.RULES[one["rule"]], (one["subject_kind"], one["subject_id"])
    shift = timedelta(days=chance.randint(-20, 60))
    act = chance.choice(("meet", "meet", "withdraw", "pause", "resume", "move", "sweep", "moved by a calendar", "again",
                         "fold"))
    if act == "fold":
        await fold(chance.randint(1, 40))
    async with transaction():
        if act == "meet":
            await deadlines.meet(rule, *about, closed_at=moment + shift, period=one["period"])
        elif act == "withdraw":
            await deadlines.withdraw(rule, *about, at=moment, period=one["period"])
        elif act == "pause" and rule is not CONVENIENCE:
            await deadlines.pause(rule, *about, at=moment, period=one["period"])
        elif act == "resume" and rule is not CONVENIENCE:
            await deadlines.resume(rule, *about, at=moment + abs(shift), why="退回", period=one["period"])
        elif act == "move":
            await deadlines.move(rule, *about, starts_at=moment + abs(shift), now=moment, why="改期",
                                 period=one["period"])
        elif act == "sweep":
            await deadlines.sweep(moment + shift, most=chance.randint(1, 5))
        elif act == "again":
            its = await rows("SELECT organisation_id, organisation_path, title, href FROM deadline WHERE id = $1",
                             one["id"])
            await deadlines.start(rule, *about, starts_at=moment + shift, now=moment, period=one["period"], **its[0])
    if act == "moved by a calendar":
        await owner.execute("""
            UPDATE deadline SET due_at = greatest(due_at + $2::interval, starts_at + interval '1 day', counted_from
                                                  + interval '1 day') WHERE id = $1 AND state = 'open'""",
                            one["id"], shift)


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_the_figures_are_what_the_deadlines_say(visit, at, owner, seed):
    await lapsed(at, until="2026-10-08 09:00")
    made = await published(MEETINGS)
    await submitted(ACCOUNTS, "2026-09")
    for number in range(3):
        await ask(visit, made, text=f"问题 {number}", of=("村里", "镇里", "县里")[number])
    chance, moment = random.Random(seed), now()
    for number in range(60):
        await step(chance, owner, moment + timedelta(days=number))
        assert await right(), number
    assert {name.rpartition("_")[2] for _, _, name in await stored()} == {"running", "met", "late", "overdue"}


async def test_folded_in_a_few_at_a_time_or_by_many_at_once_they_stay_the_same(at):
    await lapsed(at)
    await published(MEETINGS)
    before, left = await stored(), "SELECT count(*) FROM kept_change"
    many = await stories.one(left)
    assert await fold(7)
    assert (await stories.one(left), await stored()) == (many - 7, before)
    await asyncio.gather(*(fold(20) for _ in range(4)), published(ACCOUNTS, "2026-09"))
    assert await right()
    while await fold():
        pass
    assert await stories.one(left) == 0
    assert await right()
    assert not await fold()
    assert await right()


async def test_the_applications_sql_writes_no_figures(at, as_app):
    await ready(at)
    await fold()
    for table in ("village_month", "township_month", "kept_change"):
        for sql in ("UPDATE {} SET met = 99", "DELETE FROM {}", "INSERT INTO {} DEFAULT VALUES", "TRUNCATE {}"):
            await refused("42501", as_app, sql.replace("{}", table))
    await refused("42501", as_app, "SELECT note_in_month(d, 1) FROM deadline d")
