"""Writing gatherings into the database: many at once, as the tables' owner, with their past where it was.

The triggers that keep a locked log as it is would refuse a year that is over; they are off inside this transaction,
which nobody else sees, and the moments they compute are computed here by the same function."""
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from asyncpg import Connection

from server.demo.residents import numbers
from server.demo.year import Branch, Held, Listed
from server.meetings import cards
from server.meetings.actions import reminder
from server.meetings.rules import LOG_LOCK, Mark, reminder_moments
from server.threads.cards import frozen
from server.threads.rules import KINDS

GUARDED = ("meeting", "attendance", "meeting_log", "version")


@dataclass(frozen=True)
class Said:
    """One entry of a thread: something said, or a card."""

    thread: tuple[str, int]  # its kind, and the organisation or the person it belongs to
    at: datetime
    by: Listed | None  # None: the platform
    text: str
    card_kind: str | None = None
    subject_id: int | None = None
    card: dict | None = None
    signed: str | None = None  # by somebody who is in no branch's list
    superseded_at: datetime | None = None


async def write(connection: Connection, gatherings: list[Held], now: datetime) -> list[int]:
    """Writes the gatherings and returns their ids, in the same order. Their cards are `cards_of`."""
    ids = await numbers(connection, "meeting", len(gatherings))
    locks = [found["lock"] for found in await connection.fetch("""
        SELECT working_deadline(ends, $2) AS lock FROM unnest($1::timestamptz[]) WITH ORDINALITY AS t (ends, n)
        ORDER BY n""", [held.ends for held in gatherings], LOG_LOCK.length.amount)]
    for table in GUARDED:
        await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    await write_meetings(connection, ids, locks, gatherings)
    await write_attendance(connection, ids, gatherings)
    await write_logs(connection, ids, gatherings)
    for table in GUARDED:
        await connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    await write_deadlines(connection, ids, now)
    return ids


async def write_meetings(connection: Connection, ids: list[int], locks: list[datetime],
                         gatherings: list[Held]) -> None:
    await connection.copy_records_to_table(
        "meeting", columns=["id", "branch_id", "branch_path", "origin", "kinds", "topic", "place", "begins_at",
                            "ends_at", "lock_at", "recorded_at", "created_by", "created_at"],
        records=[(id_, held.branch.id, held.branch.path, "planned" if held.planned_at else "held",
                  [str(kind) for kind in held.kinds], held.topic, held.place, held.begins, held.ends, lock,
                  held.recorded_at, held.branch.keeper.person_id, held.planned_at or held.recorded_at or held.ends)
                 for id_, lock, held in zip(ids, locks, gatherings, strict=True)])


async def write_attendance(connection: Connection, ids: list[int], gatherings: list[Held]) -> None:
    nothing = (None, None, None, None)
    await connection.copy_records_to_table(
        "attendance", columns=["meeting_id", "person_id", "name", "place_in_list", "reply", "reply_note", "replied_at",
                               "mark", "how", "marked_at", "marked_by"],
        records=[(id_, member.person_id, member.name, member.place,
                  *held.replies.get(member.person_id, (None, "", None)), *held.marks.get(member.person_id, nothing))
                 for id_, held in zip(ids, gatherings, strict=True) for member in held.expected])


async def write_logs(connection: Connection, ids: list[int], gatherings: list[Held]) -> None:
    written = [(id_, held) for id_, held in zip(ids, gatherings, strict=True) if held.written_at]
    fields = ("chair", "recorder", "guests", "agenda", "minutes", "decisions", "votes")
    await connection.copy_records_to_table(
        "meeting_log", columns=["meeting_id", *fields, "written_by", "written_at"],
        records=[(id_, *(held.log[name] for name in fields), held.branch.keeper.person_id, held.written_at)
                 for id_, held in written])
    await connection.copy_records_to_table(
        "log_check", columns=["meeting_id", "log_version", "verdict", "reason", "checked_by", "who", "checked_at"],
        records=[(id_, 1, "审核通过", "", held.branch.organiser.person_id, held.branch.organiser.signature,
                  held.checked_at) for id_, held in written if held.checked_at])


async def write_deadlines(connection: Connection, ids: list[int], now: datetime) -> None:
    """The clock each meeting had: met when it was recorded; overdue, and so the committee's too, when it was not.
    The worker lays the reminders of those that still run."""
    await connection.execute("""
        INSERT INTO deadline (rule, subject_kind, subject_id, organisation_id, organisation_path, title, href,
                              starts_at, counted_from, days, unit, due_at, sort_at, provisional, state, closed_at,
                              left_working_days, overdue_at, escalated_to)
        SELECT $2, 'meeting', m.id, m.branch_id, m.branch_path, '记入 · ' || m.topic, '/meetings/' || m.id, m.ends_at,
               m.ends_at, $3, 'working', m.lock_at, m.lock_at, NOT last.confirmed,
               CASE WHEN m.recorded_at IS NULL THEN 'open' ELSE 'met' END, m.recorded_at,
               CASE WHEN m.recorded_at IS NOT NULL THEN last.ordinal - done.ordinal END,
               CASE WHEN m.recorded_at IS NULL AND m.lock_at < $4 THEN m.lock_at END,
               CASE WHEN m.recorded_at IS NULL AND m.lock_at < $4 THEN above.path END
        FROM meeting m
        JOIN organisation o ON o.id = m.branch_id JOIN organisation above ON above.id = o.parent_id
        JOIN calendar_day last ON last.day = ((m.lock_at - interval '1 second') AT TIME ZONE 'Asia/Shanghai')::date
        LEFT JOIN calendar_day done ON done.day = (m.recorded_at AT TIME ZONE 'Asia/Shanghai')::date
        WHERE m.id = ANY($1) AND m.state = 'open' ORDER BY m.id""", ids, LOG_LOCK.name, LOG_LOCK.length.amount, now)


async def remind_of(connection: Connection, meeting_id: int, held: Held, now: datetime) -> None:
    """Puts down the reminder that planning this meeting would have put down."""
    for moment in reminder_moments(held.begins, now):
        await connection.execute(
            "INSERT INTO effect (key, kind, payload, due_at) VALUES ($1, 'meeting_reminder', $2, $3)",
            f"meeting:{meeting_id}:1:reminder", json.dumps(reminder(meeting_id, held.begins)), moment)


def cards_of(meeting_id: int, held: Held) -> Iterable[Said]:
    """The cards a gathering left in its branch's thread: the invitation, and the log once it was checked."""
    thread = ("meetings", held.branch.id)
    meeting = {"topic": held.topic, "kinds": [str(kind) for kind in held.kinds], "begins_at": held.begins,
               "ends_at": held.ends, "place": held.place}
    if held.planned_at:
        yield Said(thread, held.planned_at, held.branch.keeper, held.topic, cards.INVITATION, meeting_id,
                   cards.invitation(meeting, len(held.expected)))
    if held.checked_at:
        marks = [mark for mark, *_ in held.marks.values()]
        counted = {"expected": len(held.expected), "present": marks.count(Mark.PRESENT),
                   "excused": marks.count(Mark.EXCUSED)}
        yield Said(thread, held.checked_at, held.branch.organiser, f"{held.topic}的记录已审核，请查看", cards.LOG,
                   meeting_id, cards.log_card(meeting, counted, held.log["decisions"] or held.log["minutes"]))


async def say(connection: Connection, entries: Iterable[Said]) -> None:
    """Puts entries into their threads, which are opened where they are missing, in the order of time."""
    entries = sorted(entries, key=lambda entry: entry.at)
    threads = await threads_for(connection, {entry.thread for entry in entries})
    ids = await numbers(connection, "entry", len(entries))
    await connection.copy_records_to_table(
        "entry", columns=["id", "thread_id", "at", "person_id", "who", "text", "card_kind", "subject_id",
                          "superseded_at", "card", "html"],
        records=[(id_, threads[entry.thread], entry.at, entry.by.person_id if entry.by else None,
                  entry.signed or (entry.by.signature if entry.by else "灯塔"), entry.text, entry.card_kind,
                  entry.subject_id, entry.superseded_at, *(frozen(entry.card) if entry.card else (None, None)))
                 for id_, entry in zip(ids, entries, strict=True)])


async def threads_for(connection: Connection, wanted: set[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """The ids of threads by kind and owner."""
    await connection.executemany(
        "INSERT INTO thread (kind, organisation_id, person_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        [(kind, None, owner) if KINDS[kind].owner == "person" else (kind, owner, None)
         for kind, owner in sorted(wanted)])
    return {(found["kind"], found["owner"]): found["id"] for found in await connection.fetch(
        "SELECT id, kind, coalesce(organisation_id, person_id) AS owner FROM thread")}


async def seen_until(connection: Connection, moment: datetime) -> None:
    """Everybody with an account has read what is older than `moment`."""
    await connection.execute("""
        INSERT INTO last_seen (person_id, thread_id, entry_id, at)
        SELECT a.person_id, t.id, max(e.id), $1 FROM account a
        JOIN role_grant g ON g.account_id = a.id
        JOIN thread t ON t.organisation_id = g.organisation_id OR t.person_id = a.person_id
        JOIN entry e ON e.thread_id = t.id AND e.at < $1
        GROUP BY a.person_id, t.id ON CONFLICT DO NOTHING""", moment)


async def branches(connection: Connection) -> list[Branch]:
    """The open branches with their members as they are listed."""
    listed: dict[int, list[Listed]] = defaultdict(list)
    for found in await connection.fetch("""
            SELECT m.branch_id, m.person_id, p.name, m.standing, m.group_id, s.office
            FROM member m JOIN person p ON p.id = m.person_id
            LEFT JOIN seat s ON s.branch_id = m.branch_id AND s.person_id = m.person_id AND s.until IS NULL
            WHERE m.left_on IS NULL ORDER BY m.branch_id, s.rank NULLS LAST, p.sort_key, p.id"""):
        list_ = listed[found["branch_id"]]
        list_.append(Listed(found["person_id"], found["name"], found["standing"], found["group_id"], found["office"],
                            len(list_) + 1))
    return [Branch(found["id"], found["path"], found["name"], found["village"], listed[found["id"]])
            for found in await connection.fetch("""
                SELECT o.id, o.path, o.name, u.name AS village FROM organisation o JOIN unit u ON u.code = o.unit_code
                WHERE o.kind = '党支部' AND o.closed_at IS NULL ORDER BY o.id""")]


