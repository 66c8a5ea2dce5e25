"""Meetings, who attended, what was written, and what was amended after the lock."""
from datetime import datetime
from typing import Any

from asyncpg import Record
from piccolo.columns import JSONB, Array, BigInt, BigSerial, Boolean, Bytea, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.combination import Where
from piccolo.table import Table

from server.core.actor import Actor
from server.core.clock import now
from server.core.database import row, rows, the_row
from server.core.moves import WrongState
from server.meetings.rules import EXPLAIN, LOCKED, Mark, State, Times
from server.permissions import Can

PAGE = 30  # meetings a page

MEETING = """
SELECT m.*, o.name AS branch, c.name AS committee, l.chair, l.recorder, l.guests, l.agenda, l.minutes, l.decisions,
       l.votes, l.version AS text_version, l.photos AS text_photos, l.written_by, l.written_at, p.name AS writer,
       k.verdict, k.reason AS check_reason, k.who AS checked_by,
       (SELECT content::text FROM version WHERE subject_kind = 'meeting_log' AND subject_id = m.id
        ORDER BY number DESC LIMIT 1) AS amended,
       EXISTS (SELECT FROM amendment WHERE meeting_id = m.id) AS explained,
       EXISTS (SELECT FROM log_file WHERE meeting_id = m.id) AS photographed
FROM meeting m JOIN organisation o ON o.id = m.branch_id LEFT JOIN organisation c ON c.id = o.committee_id
LEFT JOIN meeting_log l ON l.meeting_id = m.id LEFT JOIN person p ON p.id = l.written_by
LEFT JOIN log_check k ON (k.meeting_id, k.log_version, k.photos) = (l.meeting_id, l.version, l.photos)
WHERE m.id = $1 AND {scope}"""
ONE_OF_BRANCH = MEETING.format(scope="m.branch_id = $2")  # what Meeting.visible_to says
ONE_IN_TREE = MEETING.format(scope="m.branch_path LIKE $2 || '%'")
NEWEST = """LEFT JOIN LATERAL (SELECT content FROM version WHERE subject_kind = 'meeting_log' AND subject_id = m.id
                   ORDER BY number DESC LIMIT 1) v ON true"""  # the log as the committee last made it
AMENDED = "EXISTS (SELECT FROM version WHERE subject_kind = 'meeting_log' AND subject_id = m.id)"  # whether m's log is


class Meeting(Table):
    id = BigSerial(primary_key=True)
    branch_id = BigInt()
    branch_path = Text()
    origin = Text()
    state = Text(choices=State)
    kinds = Array(base_column=Text())
    topic = Text()
    place = Text()
    begins_at = Timestamptz()
    ends_at = Timestamptz()
    lock_at = Timestamptz()  # computed by the database
    recorded_at = Timestamptz(null=True, default=None)
    reason = Text(null=True, default=None)
    version = Integer(default=1)
    created_by = BigInt()
    created_at = Timestamptz()

    @classmethod
    def visible_to(cls, actor: Actor) -> Where:
        """A branch's own meetings to its people, a subtree's to who oversees it."""
        if actor.may(Can.MEETING_ATTEND):
            return cls.branch_id == actor.organisation_id
        return cls.branch_path.like(f"{actor.organisation_path}%")

    @classmethod
    async def seen_by(cls, actor: Actor, meeting_id: int) -> dict[str, Any] | None:
        """A meeting the actor may see, with the names of its branch and its committee, the text of its log as the
        branch wrote it and how that was checked (text_version: None where there is no text), the log as the committee
        last made it (amended: JSON or None), and whether it was explained or photographed; None if not seen."""
        if actor.may(Can.MEETING_ATTEND):
            found = await row(ONE_OF_BRANCH, meeting_id, actor.organisation_id)
        else:
            found = await row(ONE_IN_TREE, meeting_id, actor.organisation_path)
        return dict(found) if found else None


class Attendance(Table):
    meeting_id = ForeignKey(Meeting, null=False, on_delete=OnDelete.restrict, primary_key=True)
    person_id = BigInt()
    name = Text()
    place_in_list = Integer()
    expected = Boolean(default=True)
    reply = Text(null=True, default=None)
    reply_note = Text(default="")
    replied_at = Timestamptz(null=True, default=None)
    mark = Text(null=True, default=None, choices=Mark)
    how = Text(null=True, default=None)
    marked_at = Timestamptz(null=True, default=None)
    marked_by = BigInt(null=True, default=None)
    scan = Bytea(null=True, default=None)


class Amendment(Table):
    id = BigSerial(primary_key=True)
    meeting_id = ForeignKey(Meeting, null=False, on_delete=OnDelete.restrict)
    explanation = Text()
    proposal = JSONB(default="{}")
    state = Text()
    explained_by = BigInt()
    who = Text()
    explained_at = Timestamptz()
    answer = Text()
    closed_by = Text(null=True, default=None)
    closed_at = Timestamptz(null=True, default=None)


def times(meeting: dict[str, Any] | Record, *, amended: bool = False) -> Times:
    """The moments of a meeting. amended: whether the committee has recorded it since."""
    return Times(meeting["begins_at"], meeting["ends_at"], meeting["lock_at"],
                 meeting["recorded_at"] is not None or amended, meeting["state"] == State.CANCELLED)


def open_times(meeting: dict[str, Any]) -> Times:
    """The moments of a meeting its branch may still change; WrongState once it is cancelled, or locked (M2§6)."""
    its = times(meeting)
    if its.cancelled:
        raise WrongState("这次会议已经取消了")
    if its.locked(now()):
        raise WrongState(LOCKED, EXPLAIN)
    return its


MEETING_LIST = f"""
SELECT m.*, o.name AS branch, c.present, c.expected, v.content::text AS amended
FROM meeting m JOIN organisation o ON o.id = m.branch_id {NEWEST}
CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE mark IN ('参加')) AS present,
                           count(*) FILTER (WHERE expected AND mark IS DISTINCT FROM '列席') AS expected
                    FROM attendance WHERE meeting_id = m.id) c
WHERE {{scope}} AND (m.begins_at, m.id) < ($2, $3)
ORDER BY m.begins_at DESC, m.id DESC LIMIT {PAGE + 1}"""
OF_BRANCH = MEETING_LIST.format(scope="m.branch_id = $1")
IN_TREE = MEETING_LIST.format(scope="starts_with(m.branch_path, $1) AND m.branch_path LIKE $1 || '%'")


async def meeting_list(actor: Actor, before: tuple[datetime, int]) -> list[Record]:
    """A page of the meetings the actor sees, latest first, and one more where there are more."""
    if actor.may(Can.MEETING_ATTEND):
        return await rows(OF_BRANCH, actor.organisation_id, *before)
    return await rows(IN_TREE, actor.organisation_path, *before)


async def people(meeting_id: int) -> list[Record]:
    """Everybody on a meeting's list, in the order of the list."""
    return await rows("""
        SELECT person_id, name, expected, reply, reply_note, mark, how, marked_at FROM attendance
        WHERE meeting_id = $1 ORDER BY place_in_list, person_id""", meeting_id)


async def own_place(meeting_id: int, person_id: int) -> Record | None:
    """One person's line on a meeting's list, or None when not invited."""
    return await row("""SELECT person_id, expected, reply, reply_note, mark, how, marked_at FROM attendance
                        WHERE meeting_id = $1 AND person_id = $2""", meeting_id, person_id)


async def tally(meeting_id: int) -> Record:
    """Figures of a list: how many are expected, present, excused, absent, guests; who came last."""
    return await the_row("""
        SELECT count(*) FILTER (WHERE expected AND mark IS DISTINCT FROM '列席') AS expected,
               count(*) FILTER (WHERE mark = '参加') AS present,
               count(*) FILTER (WHERE mark = '请假') AS excused, count(*) FILTER (WHERE mark = '缺席') AS absent,
               count(*) FILTER (WHERE mark = '列席') AS guests,
               count(*) FILTER (WHERE expected AND mark IS NULL) AS unmarked,
               count(*) FILTER (WHERE reply IS NOT NULL) AS replied,
               (array_agg(name ORDER BY marked_at DESC) FILTER (WHERE mark = '参加' AND how <> '名单'))[1]
                   AS latest
        FROM attendance WHERE meeting_id = $1""", meeting_id)


async def written(meeting_id: int) -> Record | None:
    """The log's text as the branch wrote it, and what the check of this version said."""
    return await row("""
        SELECT l.*, p.name AS writer, c.verdict, c.reason AS check_reason, c.who AS checked_by, c.checked_at
        FROM meeting_log l JOIN person p ON p.id = l.written_by
        LEFT JOIN log_check c ON (c.meeting_id, c.log_version, c.photos) = (l.meeting_id, l.version, l.photos)
        WHERE l.meeting_id = $1""", meeting_id)


async def papers(meeting_id: int) -> list[Record]:
    """The photographs of handwritten minutes and the attachments, each place's in its order."""
    return await rows("""
        SELECT f.id, f.name, f.kind, f.size, f.width, f.height, f.blurred, l.place
        FROM log_file l JOIN file f ON f.id = l.file_id
        WHERE l.meeting_id = $1 ORDER BY l.place, l.rank, f.id""", meeting_id)


async def draft(meeting_id: int, person_id: int) -> Record | None:
    """What one officer typed and has not saved."""
    return await row("SELECT log_version, fields, saved_at FROM log_draft WHERE meeting_id = $1 AND person_id = $2",
                     meeting_id, person_id)


async def explanations_of(meeting_id: int) -> list[Record]:
    """A meeting's explanations, oldest first."""
    return await rows("""SELECT id, explanation, state, who, explained_at, answer, closed_by, closed_at
                         FROM amendment WHERE meeting_id = $1 ORDER BY id""", meeting_id)


async def people_reply(meeting_id: int, person_id: int, reply: str, note: str, moment: datetime) -> bool:
    """Stores an answer to an invitation; False when it says what was said already, or the person isn't invited."""
    return await row("""
        UPDATE attendance SET reply = $3, reply_note = $4, replied_at = $5
        WHERE meeting_id = $1 AND person_id = $2 AND (reply, reply_note) IS DISTINCT FROM ($3, $4)
        RETURNING person_id""", meeting_id, person_id, reply, note, moment) is not None
