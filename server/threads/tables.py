"""Threads, entries and what each person has seen. The two lists everybody opens all day are fixed SQL."""
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

from asyncpg import Record
from piccolo.columns import JSONB, BigInt, BigSerial, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.combination import WhereRaw
from piccolo.table import Table

from server.core.actor import Actor
from server.core.database import rows
from server.core.together import Together
from server.permissions import Role
from server.threads.rules import DAY, PAGE, readable_kinds

Viewer = tuple[int, int, Role]  # organisation, person, role: whose threads are meant


class Thread(Table):
    id = BigSerial(primary_key=True)
    kind = Text()
    organisation_id = BigInt(null=True, default=None)
    person_id = BigInt(null=True, default=None)

    @classmethod
    def visible_to(cls, actor: Actor) -> WhereRaw:
        """The threads of the actor's organisation that the role may read, and the actor's own."""
        return WhereRaw(
            "((organisation_id = {} AND kind = ANY({})) OR person_id = {})",
            actor.organisation_id, readable_kinds(actor.role), actor.person_id)


class Entry(Table):
    id = BigSerial(primary_key=True)
    thread_id = ForeignKey(Thread, null=False, on_delete=OnDelete.restrict)
    at = Timestamptz()
    person_id = BigInt(null=True, default=None)
    who = Text()
    text = Text()
    card_kind = Text(null=True, default=None)
    subject_id = BigInt(null=True, default=None)
    card = JSONB(null=True, default=None)
    html = Text(null=True, default=None)
    version = Integer(default=1)
    superseded_at = Timestamptz(null=True, default=None)
    taken_down_at = Timestamptz(null=True, default=None)
    taken_down_by = Text(null=True, default=None)
    take_down_reason = Text(null=True, default=None)


class LastSeen(Table):
    person_id = BigInt(primary_key=True)
    thread_id = BigInt()
    entry_id = BigInt()
    at = Timestamptz()


OWNED = "((t.organisation_id = {} AND t.kind = ANY({})) OR t.person_id = {})"  # what Thread.visible_to says
OWN = OWNED.format("$1", "$3", "$2")
# Viewers, each with its place: for statements that ask for many of them together.
VIEWERS = """unnest($1::bigint[], $2::bigint[], $3::text[])
    WITH ORDINALITY AS k (organisation_id, person_id, kinds, place)"""
OWN_OF_VIEWER = OWNED.format("k.organisation_id", "string_to_array(k.kinds, ' ')", "k.person_id")
# How many entries of the thread t the viewer k has not seen (u.unread); more than a hundred are a hundred.
NEWS = """LEFT JOIN last_seen s ON s.person_id = k.person_id AND s.thread_id = t.id
CROSS JOIN LATERAL (SELECT count(*)::int AS unread FROM (
    SELECT FROM entry WHERE thread_id = t.id AND id > coalesce(s.entry_id, 0) AND superseded_at IS NULL
    AND person_id IS DISTINCT FROM k.person_id LIMIT 100) x) u"""
THREAD_LISTS = f"""
SELECT k.place, t.id, t.kind, e.at, e.who, e.person_id, e.card_kind,
       CASE WHEN e.taken_down_at IS NULL THEN e.text ELSE '（已撤下）' END AS text, u.unread,
       (SELECT count(*) FROM member WHERE branch_id = k.organisation_id AND left_on IS NULL) AS members
FROM {VIEWERS} JOIN thread t ON {OWN_OF_VIEWER} {NEWS}
LEFT JOIN LATERAL (SELECT at, who, person_id, card_kind, text, taken_down_at FROM entry
                   WHERE thread_id = t.id AND superseded_at IS NULL ORDER BY id DESC LIMIT 1) e ON true
ORDER BY k.place, e.at DESC NULLS LAST, t.id"""

# How many entries the viewer k has not seen in all threads.
OF_VIEWER = f"""(
    SELECT coalesce(sum(u.unread), 0)::int FROM thread t {NEWS} WHERE {OWN_OF_VIEWER}) AS unread"""
UNREAD = f"SELECT k.place, {OF_VIEWER} FROM {VIEWERS}"

THREAD = f"""
SELECT t.kind, s.entry_id AS seen, e.* FROM thread t
LEFT JOIN last_seen s ON s.person_id = $2 AND s.thread_id = t.id
LEFT JOIN LATERAL (
    SELECT id, at, person_id, who, text, card_kind, subject_id, html, superseded_at, taken_down_by, take_down_reason
    FROM entry WHERE thread_id = t.id AND id < $5 AND (superseded_at IS NULL OR card_kind <> '{DAY}')
    ORDER BY id DESC LIMIT {PAGE + 1}) e ON true
WHERE t.id = $4 AND {OWN}
ORDER BY e.id DESC"""

OPEN_THREADS = """
INSERT INTO thread (kind, organisation_id)
SELECT k.kind, o.id FROM organisation o JOIN unnest($1::text[], $2::text[]) AS k (kind, owner)
    ON k.owner = o.kind OR k.owner = '村' AND o.kind = '党支部' AND EXISTS (
        SELECT FROM village v WHERE v.code = o.unit_code AND v.state = '已开通')
WHERE o.path LIKE $3 || '%'
ON CONFLICT DO NOTHING"""


def viewer_of(actor: Actor) -> Viewer:
    return actor.organisation_id, actor.person_id, actor.role


def columns_of(viewers: Sequence[Viewer]) -> tuple[list[int], list[int], list[str]]:
    """The viewers as `OF_VIEWER` wants them: organisation_id, person_id, kinds."""
    return ([organisation for organisation, _, _ in viewers], [person for _, person, _ in viewers],
            [" ".join(readable_kinds(role)) for _, _, role in viewers])


async def lists_of(viewers: Sequence[Viewer]) -> dict[Viewer, list[Record]]:
    """The threads of each of them, in one statement."""
    found = await rows(THREAD_LISTS, *columns_of(viewers))
    return {viewers[place - 1]: list(threads) for place, threads in groupby(found, key=itemgetter("place"))}


_lists = Together(lists_of)


async def thread_list(actor: Actor) -> list[Record]:
    """The actor's threads, the one with the newest entry first, each with that entry, the count of unread ones, and
    how many members the actor's branch has. What an open transaction has changed it does not see."""
    return await _lists.ask(viewer_of(actor)) or []


async def unread_of(viewers: Sequence[Viewer]) -> dict[Viewer, int]:
    """How many entries each of them has not seen, in one statement."""
    found = await rows(UNREAD, *columns_of(viewers))
    return {viewers[one["place"] - 1]: one["unread"] for one in found}


_unread = Together(unread_of)


async def unread(actor: Actor) -> int:
    """How many entries in all the actor's threads have not been seen. What an open transaction has changed it does
    not see."""
    return await _unread.ask(viewer_of(actor)) or 0


async def thread_page(actor: Actor, thread_id: int, before: int) -> list[Record]:
    """A page of a thread's entries older than `before`, newest first, and one more where there are more; each with
    the thread's kind and up to where the actor has seen it. One row without an entry when there is none, none at all
    when the actor doesn't see the thread."""
    return await rows(THREAD, actor.organisation_id, actor.person_id, readable_kinds(actor.role), thread_id, before)
