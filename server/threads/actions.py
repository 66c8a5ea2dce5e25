"""What happens in threads: somebody says something, a card arrives, somebody reads, an officer takes something down."""
from datetime import timedelta
from typing import Any

from litestar.exceptions import NotFoundException

from server.core import audit, live
from server.core.actor import Actor
from server.core.database import row, rows, the_row, transaction
from server.core.moves import WrongState
from server.threads import cards
from server.threads.rules import KINDS
from server.threads.tables import OPEN_THREADS

THREAD_LOCK = 7_002  # advisory lock, with the thread's id
SAY = "INSERT INTO entry (thread_id, person_id, who, text) VALUES ($1, $2, $3, $4) RETURNING id"
SENT_TWICE = timedelta(seconds=10)  # within which the same words are the same message
JUST_SAID = """
SELECT id FROM (SELECT * FROM entry WHERE thread_id = $1 ORDER BY id DESC LIMIT 20) e
WHERE person_id = $2 AND text = $3 AND card_kind IS NULL AND taken_down_at IS NULL AND at > ebranch_now() - $4::interval
LIMIT 1"""
POST_CARD = """
INSERT INTO entry (thread_id, person_id, who, text, card_kind, subject_id, card, html)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id"""


async def open_threads(path: str = "") -> None:
    """Opens the threads that organisations at and below `path` should have; those that are there stay."""
    owned = [kind for kind in KINDS.values() if kind.owner != "person"]
    await rows(OPEN_THREADS, [kind.name for kind in owned], [kind.owner for kind in owned], path)


async def say(actor: Actor, thread: dict[str, Any], text: str) -> int:
    """Puts a message into a thread the actor may write to; returns the entry's id. Sent twice it is said once."""
    async with transaction():
        await hold(thread["id"])
        if just_said := await row(JUST_SAID, thread["id"], actor.person_id, text, SENT_TWICE):
            return just_said["id"]
        said = await the_row(SAY, thread["id"], actor.person_id, actor.signature, text)
        await seen(actor, thread["id"], said["id"])
        await audit.record(actor, "say", "entry", said["id"])
        live.changed(actor.organisation_path, f"thread-{thread['id']}", "threads")
    return said["id"]


async def hold(thread_id: int) -> None:
    """One entry after the other within a thread, so that ids grow in the order people see and none is passed over."""
    await rows("SELECT pg_advisory_xact_lock($1, ($2::bigint % 2147483647)::int)", THREAD_LOCK, thread_id)


async def post_card(
    actor: Actor | None, kind: str, card_kind: str, subject_id: int, card: dict[str, Any], *, line: str,
    organisation_id: int, audience: str, readers: str = "",
) -> int:
    """Puts a card into an organisation's thread, in the transaction of what it tells; returns its entry's id.

    actor: who signs it, None for the platform; line: how the thread list shows it; audience: the path of its readers'
    organisation; readers: who beside them hears of it (live.of_readers)."""
    thread = await thread_of(kind, organisation_id=organisation_id)
    posted = await put(actor, thread, card_kind, subject_id, card, line, audience)
    if readers:
        live.changed(readers, f"thread-{thread}", "threads")
    return posted


async def put(actor: Actor | None, thread_id: int, card_kind: str, subject_id: int, card: dict[str, Any],
              line: str, audience: str) -> int:
    """Puts a card into a thread; must stand in the transaction of what it tells."""
    await hold(thread_id)
    stored, html = cards.frozen(card)
    person_id, who = (actor.person_id, actor.signature) if actor else (None, "灯塔")
    posted = await the_row(POST_CARD, thread_id, person_id, who, line, card_kind, subject_id, stored, html)
    live.changed(audience, f"thread-{thread_id}", "threads")
    return posted["id"]


async def thread_of(kind: str, *, organisation_id: int | None = None, person_id: int | None = None) -> int:
    """The id of a thread, opened now if it is the first thing that arrives there."""
    await rows("INSERT INTO thread (kind, organisation_id, person_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
               kind, organisation_id, person_id)
    found = await the_row("""
        SELECT id FROM thread WHERE kind = $1 AND organisation_id IS NOT DISTINCT FROM $2
        AND person_id IS NOT DISTINCT FROM $3""", kind, organisation_id, person_id)
    return found["id"]


async def supersede(card_kind: str, subject_id: int) -> None:
    """Marks the cards that told an older state; they stay readable, without actions."""
    await rows("""UPDATE entry SET superseded_at = ebranch_now()
                  WHERE card_kind = $1 AND subject_id = $2 AND superseded_at IS NULL""", card_kind, subject_id)


async def take_down_cards(actor: Actor, card_kind: str, subject_id: int, reason: str) -> None:
    """Takes the cards of what is to be out of sight out of sight too; must stand in a transaction."""
    await rows("""UPDATE entry SET superseded_at = coalesce(superseded_at, ebranch_now()),
                      taken_down_at = ebranch_now(), taken_down_by = $3, take_down_reason = $4
                  WHERE card_kind = $1 AND subject_id = $2 AND taken_down_at IS NULL""",
               card_kind, subject_id, actor.signature, reason)


async def seen(actor: Actor, thread_id: int, entry_id: int) -> None:
    """Notes up to where the actor has read; it only moves forward."""
    await rows("""INSERT INTO last_seen AS s (person_id, thread_id, entry_id) VALUES ($1, $2, $3)
                  ON CONFLICT (person_id, thread_id) DO UPDATE SET entry_id = $3, at = ebranch_now()
                  WHERE s.entry_id < $3""", actor.person_id, thread_id, entry_id)


async def take_down(actor: Actor, thread: dict[str, Any], entry_id: int, reason: str) -> None:
    """Takes a message out of sight, with the reason; both stay (M2§5). 404 for a card or an unknown entry, WrongState
    when somebody was faster."""
    async with transaction():
        down = await row("""
            UPDATE entry SET taken_down_at = ebranch_now(), taken_down_by = $3, take_down_reason = $4
            WHERE id = $1 AND thread_id = $2 AND card_kind IS NULL AND taken_down_at IS NULL RETURNING text, who""",
                         entry_id, thread["id"], actor.signature, reason)
        if down is None:
            if await row("SELECT id FROM entry WHERE (id, thread_id) = ($1, $2) AND taken_down_at IS NOT NULL",
                         entry_id, thread["id"]):
                raise WrongState("这条已经撤下了")
            raise NotFoundException
        await audit.record(actor, "take_down", "entry", entry_id, why=reason,
                           before={name: audit.personal(said) for name, said in down.items()})
        live.changed(actor.organisation_path, f"thread-{thread['id']}", "threads")
