"""Planning a meeting, entering one that was held, moving it, calling it off, answering an invitation."""
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from asyncpg import Connection, Record
from litestar.exceptions import ClientException

from server.core import audit, deadlines, effects, live
from server.core.actor import Actor
from server.core.calendar_days import on_recompute
from server.core.clock import now, today
from server.core.database import row, rows, the_row, transaction
from server.core.dates import calendar_day
from server.core.moves import WrongState
from server.meetings import cards
from server.meetings.rules import CANCEL, LOG_LOCK, MOVE, Reply, reminder_moments
from server.meetings.tables import open_times, people_reply, tally, times
from server.members.tables import members_of
from server.threads import actions as threads

REMINDER = "meeting_reminder"
PLANNING_LOCK = 7_003  # advisory lock, with the branch's id: one new meeting after the other

INSERT = """
INSERT INTO meeting (branch_id, branch_path, origin, kinds, topic, place, begins_at, ends_at, lock_at, created_by)
VALUES ($1, '', $2, $3, $4, $5, $6, $7, $7, $8) RETURNING *"""
SAME = """
SELECT m.id FROM meeting m
WHERE m.branch_id = $1 AND m.begins_at = $2 AND m.ends_at = $3 AND m.topic = $4 AND m.place = $5 AND m.state = 'open'
  AND m.kinds @> $6 AND m.kinds <@ $6 AND CASE WHEN $7::bigint[] IS NULL THEN m.origin = 'late'
  ELSE $7 = ARRAY(SELECT person_id FROM attendance WHERE meeting_id = m.id ORDER BY person_id) END
ORDER BY m.id LIMIT 1"""
INVITE = """
INSERT INTO attendance (meeting_id, person_id, name, place_in_list)
SELECT $1, p.person_id, p.name, p.place
FROM unnest($2::bigint[], $3::text[], $4::int[]) AS p (person_id, name, place)"""


async def plan(actor: Actor, facts: dict[str, Any], person_ids: Sequence[int]) -> int:
    """Plans a meeting of the actor's branch and sends everybody on its list a card; returns its id.

    facts: kinds, topic, place, begins_at, ends_at. Planned a second time it is the one that is there.
    ClientException (400) when somebody listed is no member there."""
    async with transaction():
        if there := await same(actor, facts, person_ids):
            return there
        meeting = await insert(actor, "planned", facts)
        invited = await invite(actor, meeting["id"], person_ids)
        await clock(actor, meeting)
        await remind_later(meeting)
        await threads.post_card(
            actor, "meetings", cards.INVITATION, meeting["id"], cards.invitation(meeting, invited),
            line=f"{meeting['topic']}", organisation_id=meeting["branch_id"], audience=meeting["branch_path"])
        await evidence(actor, "plan_meeting", meeting, after=facts | {"people": list(person_ids)})
    return meeting["id"]


async def enter_held(actor: Actor, facts: dict[str, Any], person_ids: Sequence[int]) -> int:
    """补记: enters a gathering that was never planned, within the 7 working days after it (M2§6); returns its id.

    The database refuses it after the lock; then only an explanation to the committee helps: amendments.explain_late."""
    async with transaction():
        if there := await same(actor, facts, person_ids):
            return there
        meeting = await insert(actor, "held", facts)
        await invite(actor, meeting["id"], person_ids)
        await clock(actor, meeting)
        await evidence(actor, "enter_meeting", meeting, after=facts | {"people": list(person_ids)})
        live.changed(meeting["branch_path"], "meetings", "todos")
    return meeting["id"]


async def same(actor: Actor, facts: dict[str, Any], person_ids: Sequence[int] | None) -> int | None:
    """The meeting of the actor's branch that says exactly this already: a form sent twice, or by two officers.

    person_ids: who should attend; None for a late one, which has no list before the committee enters it."""
    await rows("SELECT pg_advisory_xact_lock($1, ($2::bigint % 2147483647)::int)", PLANNING_LOCK, actor.organisation_id)
    found = await row(SAME, actor.organisation_id, facts["begins_at"], facts["ends_at"], facts["topic"], facts["place"],
                      list(map(str, facts["kinds"])), None if person_ids is None else sorted(set(person_ids)))
    return found["id"] if found else None


async def insert(actor: Actor, origin: str, facts: dict[str, Any]) -> dict[str, Any]:
    """The meeting's row; the database computes its lock."""
    return dict(await the_row(
        INSERT, actor.organisation_id, origin, list(map(str, facts["kinds"])), facts["topic"], facts["place"],
        facts["begins_at"], facts["ends_at"], actor.person_id))


async def invite(actor: Actor, meeting_id: int, person_ids: Sequence[int]) -> int:
    """Puts members of the branch on the meeting's list, in the list's order; returns how many."""
    members = await members_of(actor.organisation_id)
    refuse_strangers(members, person_ids)
    chosen = [(member["person_id"], member["name"], place) for place, member in enumerate(members, 1)
              if member["person_id"] in set(person_ids)]
    ids, names, places = zip(*chosen, strict=True)
    await rows(INVITE, meeting_id, list(ids), list(names), list(places))
    return len(chosen)


def refuse_strangers(members: Sequence[Record], person_ids: Sequence[int]) -> None:
    """ClientException (400) unless the people chosen are members of the branch, and at least one of them."""
    if not person_ids or not set(person_ids) <= {member["person_id"] for member in members}:
        raise ClientException("名单里有人不是本支部党员，请重新选择")


async def clock(actor: Actor, meeting: dict[str, Any]) -> None:
    """Starts the 7 working days in which it must be recorded."""
    await deadlines.start(
        LOG_LOCK, "meeting", meeting["id"], organisation_id=meeting["branch_id"],
        organisation_path=meeting["branch_path"], starts_at=meeting["ends_at"],
        title=f"记入 · {meeting['topic']}", href=f"/meetings/{meeting['id']}", now=now())


async def remind_later(meeting: dict[str, Any]) -> None:
    """Puts down the reminder to those invited; a meeting that is moved gets another one."""
    for moment in reminder_moments(meeting["begins_at"], now()):
        await effects.later(f"meeting:{meeting['id']}:{meeting['version']}:reminder", REMINDER,
                            reminder(meeting["id"], meeting["begins_at"]), moment)


def reminder(meeting_id: int, begins_at: datetime) -> dict[str, Any]:
    """What a reminder carries: it speaks of the meeting as long as that begins then."""
    return {"meeting": meeting_id, "begins_at": begins_at.isoformat()}


async def move(actor: Actor, meeting: dict[str, Any], changed: dict[str, Any], reason: str, version: int) -> None:
    """Puts a meeting that has not begun to another time or place, with a reason everybody invited sees.

    changed: begins_at, ends_at, place. WrongState when it has begun, is cancelled, or somebody changed it meanwhile."""
    async with transaction():
        refuse_moving(meeting)
        after = await row("""
            UPDATE meeting SET begins_at = $3, ends_at = $4, place = $5, reason = $8, version = version + 1
            WHERE id = $1 AND version = $2 AND state = ANY($7) AND begins_at > $6 RETURNING *""",
                          meeting["id"], version, changed["begins_at"], changed["ends_at"], changed["place"], now(),
                          [*MOVE.frm], reason)
        if after is None:
            raise WrongState("这次会议刚才已被改过，请刷新后再改")
        moved = dict(after)
        if moved["begins_at"] != meeting["begins_at"]:  # what was answered was answered for another time
            await rows("UPDATE attendance SET reply = NULL, reply_note = '', replied_at = NULL WHERE meeting_id = $1",
                       moved["id"])
        await deadlines.move(LOG_LOCK, "meeting", moved["id"], starts_at=moved["ends_at"], now=now(),
                             why=f"{MOVE.label}：{reason}")
        await effects.cancel(f"meeting:{moved['id']}:")
        await remind_later(moved)
        await tell(actor, moved, MOVE.label, reason)
        await evidence(actor, "move_meeting", moved, before={name: meeting[name] for name in changed}, after=changed,
                       why=reason)


async def cancel(actor: Actor, meeting: dict[str, Any], reason: str) -> None:
    """Calls a meeting off, or notes that it was not held; it says why for ever (M2§7).

    WrongState when it is cancelled already, recorded as held, or locked."""
    async with transaction():
        refuse_cancelling(meeting)
        after = await row("""
            UPDATE meeting SET state = $4, reason = $2, version = version + 1
            WHERE id = $1 AND state = ANY($5) AND recorded_at IS NULL AND lock_at > $3 RETURNING *""",
                          meeting["id"], reason, now(), CANCEL.to, [*CANCEL.frm])
        if after is None:
            raise WrongState("这次会议的情况刚才变了，请刷新后再看")
        cancelled = dict(after)
        await deadlines.withdraw(LOG_LOCK, "meeting", cancelled["id"], at=now())
        await effects.cancel(f"meeting:{cancelled['id']}:")
        await tell(actor, cancelled, CANCEL.label, reason)
        await evidence(actor, "cancel_meeting", cancelled, why=reason)


def refuse_cancelling(meeting: dict[str, Any]) -> None:
    """WrongState when it is too late to say that the meeting was not held."""
    if open_times(meeting).recorded:
        raise WrongState("已经记为开过的会议不能取消")


def refuse_moving(meeting: dict[str, Any]) -> None:
    """WrongState when the meeting has begun: what happened is recorded, not moved."""
    if not open_times(meeting).may_move(now()):
        raise WrongState("会议已经开始，不能改期；没有开成的，可以取消并写明原因")


async def tell(actor: Actor, meeting: dict[str, Any], chip: str, reason: str) -> None:
    """Replaces the meeting's card in the thread by one that says what changed and why."""
    counted = await tally(meeting["id"])
    await threads.supersede(cards.INVITATION, meeting["id"])
    await threads.post_card(
        actor, "meetings", cards.INVITATION, meeting["id"],
        cards.invitation(meeting, counted["expected"], chip=chip, note=f"{chip}原因：{reason}"),
        line=f"{chip}：{meeting['topic']}", organisation_id=meeting["branch_id"], audience=meeting["branch_path"])
    live.changed(meeting["branch_path"], f"meeting-{meeting['id']}", "meetings", "todos")


async def answer(actor: Actor, meeting: dict[str, Any], reply: Reply, note: str) -> None:
    """Answers an invitation before the meeting begins; it may be answered anew until then. WrongState afterwards."""
    if not times(meeting).may_move(now()):
        raise WrongState("会议已经开始或已取消，不能再回复；到会请签到，来不了请告诉支部")
    async with transaction():
        if await people_reply(meeting["id"], actor.person_id, reply, note, now()):
            await evidence(actor, "reply", meeting, after={"reply": str(reply), "note": audit.personal(note or None)})
            live.changed(meeting["branch_path"], f"meeting-{meeting['id']}")


async def evidence(actor: Actor, verb: str, meeting: dict[str, Any], **told: Any) -> None:
    """Evidence about a meeting, in the chain of the branch's own committee whoever acts."""
    await audit.record(actor, verb, "meeting", meeting["id"], **told)


def default_times(moment: datetime, *, held: bool) -> tuple[datetime, datetime]:
    """What the form proposes, for an hour and a half: from the next half-hour on; held: until the last one."""
    half_hour, length = timedelta(minutes=30), timedelta(minutes=90)
    last = moment.replace(minute=moment.minute - moment.minute % 30, second=0, microsecond=0)
    return (last - length, last) if held else (last + half_hour, last + half_hour + length)


async def already_locked(ends_at: datetime) -> bool:
    """Whether the log of a gathering that ended then can no longer be entered by its branch (M2§6)."""
    found = await row("SELECT log_lock_moment($1) <= ebranch_now() AS locked", ends_at)
    return bool(found and found["locked"])


async def earliest_held() -> str | None:
    """Until what day back a gathering may still be entered by its branch, in words."""
    found = await the_row("""
        SELECT min(day) AS day FROM calendar_day
        WHERE day BETWEEN $1::date - 39 AND $1
          AND log_lock_moment(day::timestamp AT TIME ZONE 'Asia/Shanghai') > ebranch_now()""", today())
    first = found["day"]
    return f"{calendar_day(first, today())}以后开的可以直接补记，更早的要向党委说明原因" if first else None


@on_recompute
async def move_locks(connection: Connection, why: str) -> None:
    """Lets the locks that are still to come follow a newly published year; why: kept beside their deadlines."""
    await connection.execute("UPDATE meeting SET version = version WHERE lock_at > ebranch_now()")
