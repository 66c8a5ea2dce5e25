"""Writing a matter: begun, saved as often as one likes, thrown away; a correction of what is published (更正)."""
import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from asyncpg import Record

from server.catalogues import duties
from server.catalogues.rules import DutyState, Form, Frequency, Item
from server.catalogues.tables import item as item_of
from server.catalogues.tables import item_now
from server.core import audit, live, uploads
from server.core.actor import Actor
from server.core.clock import today
from server.core.database import next_id, row, rows, the_row, transaction
from server.core.forms import Refused
from server.core.moves import WrongState
from server.core.rich_text import to_html
from server.core.workdays import beijing_date
from server.disclosure.parts import part_of
from server.disclosure.private import hide
from server.disclosure.rules import DROPPING, OPEN
from server.disclosure.tables import duty_of, files_of, open_edition

TEXTS = ("title", "text", "phone", "why")
BEGUN_LATELY = "interval '1 minute'"  # within which the same thing begun by the same person is the same matter
SAVE = """
UPDATE edition SET version = version + 1, item_id = $3, title = $4, text = $5, html = $6, lines = $7, until = $8,
    phone = $9, publish_at = $10, why = $11, saved_who = $13, saved_at = ebranch_now(),
    authors = (SELECT array_agg(DISTINCT a) FROM unnest(authors || $12::bigint) a)
WHERE id = $1 AND version = $2 AND state = ANY($14) RETURNING version"""
SAVED_ALREADY = """
SELECT version FROM edition WHERE id = $1 AND version = $2 + 1 AND item_id = $3 AND (title, text, html) = ($4, $5, $6)
AND lines = $7 AND until IS NOT DISTINCT FROM $8 AND phone = $9 AND publish_at IS NOT DISTINCT FROM $10 AND why = $11
AND $12 = ANY(authors) AND saved_who = $13 AND state = ANY($14)"""


class Stale(Exception):
    """Somebody else saved the edition since this page was opened."""


async def begin(actor: Actor, village: Record, duty_id: int) -> int:
    """Begins the matter that answers a duty of the village; its id, of the one that is there where it was begun before.

    Refused where the duty is settled without one, or the catalogue no longer asks for it."""
    async with transaction():
        return await begun(actor, village, duty_id)


async def begun(actor: Actor, village: Record, duty_id: int) -> int:
    """As `begin`, within a transaction."""
    await rows("SELECT FROM duty WHERE id = $1 FOR NO KEY UPDATE", duty_id)
    duty = await duty_of(village["code"], duty_id)
    if duty is None:
        raise Refused("duty", "没有这一项")
    there = await row("SELECT id, edition_id FROM matter WHERE duty_id = $1 AND withdrawn_at IS NULL", duty_id)
    if there is not None and (there["edition_id"] or await open_edition(there["id"]) is not None):
        return there["id"]
    if duty["state"] != DutyState.OWED:
        raise Refused("duty", f"这一项已经是“{duty['state']}”")
    item = await item_now(village["code"], village["community"], duty["item"])
    if item is None and duty["form"] == Form.LEDGER and duty["last"] < today():
        item = await item_of(duty["item_id"])  # books go on month by month, whatever the catalogue lists from now on
    if item is None:
        raise Refused("duty", "县里的公开目录已不再列这一项")
    title = f"{item.name}{duties.in_words(duty)}"
    if there is not None:  # what was begun before was thrown away
        await as_asked(there["id"], item, title)
        await first_edition(actor, there["id"], item, title)
        return there["id"]
    return await insert(actor, village, duty["id"], item, await next_id("matter"), title)


async def begin_at_once(actor: Actor, village: Record, item_number: int, ended_on: date) -> int:
    """Begins a matter about something that happened (随时): owed from the day it ended (M3§8). Its id.

    Sent twice it is one. Refused for a day to come, and for an item that is owed by the calendar."""
    item = await item_now(village["code"], village["community"], item_number)
    if item is None:
        raise Refused("item", "县里的公开目录没有这一项")
    if item.frequency is not Frequency.AT_ONCE:
        raise Refused("item", f"这一项按{item.frequency}公开，请从应公开的事项里进入")
    if ended_on > today():
        raise Refused("ended_on", "事项还没有结束，结束以后再公开")
    if ended_on < beijing_date(village["opened_at"]):
        raise Refused("ended_on", "这是开通三务公开以前的事项，不用在这里补公开")
    async with transaction():
        await rows("SELECT pg_advisory_xact_lock($1, $2::int)", duties.COUNTY_LOCK + 1, item.item % 2**31)
        there = await row(f"""
            SELECT m.id FROM matter m JOIN duty d ON d.id = m.duty_id JOIN edition e ON e.matter_id = m.id
            WHERE m.village_code = $1 AND d.item = $2 AND d.last = $3 AND m.created_by = $4 AND e.version = 1
              AND m.created_at > ebranch_now() - {BEGUN_LATELY} LIMIT 1""",
                          village["code"], item.item, ended_on, actor.person_id)
        if there is not None:
            return there["id"]
        serial = await next_id("matter")
        duty_id = await duties.owe_at_once(village, item, ended_on, serial)
        return await insert(actor, village, duty_id, item, serial, item.name)


async def insert(actor: Actor, village: Record, duty_id: int, item: Item, serial: int, title: str) -> int:
    """The matter and its first edition, empty."""
    await rows("""
        INSERT INTO matter (id, village_code, organisation_id, organisation_path, duty_id, category, form, audience,
                            title, created_by)
        OVERRIDING SYSTEM VALUE VALUES ($1, $2, 0, '', $3, $4, $5, $6, $7, $8)""",
               serial, village["code"], duty_id, str(item.category), str(item.form), str(item.audience), title[:60],
               actor.person_id)
    await first_edition(actor, serial, item, title)
    return serial


async def first_edition(actor: Actor, matter_id: int, item: Item, title: str) -> None:
    """An empty edition of a matter that nothing is published of."""
    matter = await the_row("SELECT m.*, d.first, d.last FROM matter m JOIN duty d ON d.id = m.duty_id WHERE m.id = $1",
                           matter_id)
    edition = await the_row("""
        INSERT INTO edition (matter_id, number, item_id, title, authors, saved_who)
        SELECT $1, 1 + coalesce(max(number), 0), $2, $3, $4, $5 FROM edition WHERE matter_id = $1
        RETURNING id""", matter_id, item.id, title[:60], [actor.person_id], actor.signature)
    await part_of(item.form).begin(actor, matter, edition["id"], None)
    await audit.record(actor, "begin_matter", "matter", matter_id, after={"name": item.name})
    live.changed(matter["organisation_path"], "disclosures")


async def correct(actor: Actor, matter: Record, why: str) -> None:
    """更正: begins a new edition of what is published, with all it says; it goes through the same review, and the one
    before stays readable. One that is under way already is left as it is; WrongState for what was withdrawn."""
    if matter["edition_id"] is None or matter["withdrawn_at"]:
        raise WrongState("只有公开着的事项才能更正")
    async with transaction():
        held = await the_row("SELECT withdrawn_at FROM matter WHERE id = $1 FOR NO KEY UPDATE", matter["id"])
        if held["withdrawn_at"]:
            raise WrongState("这件事项刚才撤下了，不能再更正")
        if await open_edition(matter["id"]) is not None:
            return
        last = await the_row("SELECT max(number) AS number FROM edition WHERE matter_id = $1", matter["id"])
        made = await the_row("""
            INSERT INTO edition (matter_id, number, item_id, title, text, html, lines, until, phone, why, authors,
                                 saved_who)
            SELECT matter_id, $2, item_id, title, text, html, lines, until, phone, $3,
                   ARRAY(SELECT DISTINCT unnest(authors || $4::bigint[])), $5 FROM edition -- what they wrote is in it
            WHERE id = $1 RETURNING id""", matter["edition_id"], last["number"] + 1, why, [actor.person_id],
                             actor.signature)
        await rows("""INSERT INTO edition_file (edition_id, file_id, place, rank)
                      SELECT $1, file_id, place, rank FROM edition_file WHERE edition_id = $2""",
                   made["id"], matter["edition_id"])
        await part_of(matter["form"]).begin(actor, matter, made["id"], matter["edition_id"])
        await audit.record(actor, "begin_correction", "matter", matter["id"], why=why)
        live.changed(matter["organisation_path"], f"matter-{matter['id']}", "disclosures")


async def save(actor: Actor, matter: Record, edition: Record, values: dict[str, Any], version: int,
               papers: Sequence[uploads.Handed] = ()) -> int:
    """Writes into an open edition what its form says, on top of `version`; the version it then has.

    values: title, text (Markdown), lines (rows of cells), until, phone, publish_at, why. In a table's cells numbers
    and illnesses are masked for good. Said again by the same person, because the answer was lost, it is said once.
    Stale when somebody else saved; WrongState once it was handed on."""
    async with transaction():
        newest = await item_now(matter["village_code"], matter["community"], matter["item"])
        item = newest or await item_of(edition["item_id"])
        columns = item.columns if item else ()
        bound = item.id if item else edition["item_id"]
        said = (edition["id"], version, bound, values["title"], values["text"], to_html(values["text"]),
                json.dumps(hide(columns, values["lines"]), ensure_ascii=False), values["until"], values["phone"],
                values["publish_at"], values["why"] or edition["why"], actor.person_id, actor.signature, sorted(OPEN))
        saved = await row(SAVE, *said)
        if saved is None and matter["form"] != Form.LEDGER:  # an entry of one, too, makes it a newer version
            saved = await row(SAVED_ALREADY, *said)
        if saved is None:
            raise await why_not(edition["id"])
        if matter["edition_id"] is None and newest:
            await as_asked(matter["id"], newest, values["title"] or newest.name)
            if matter["form"] != newest.form:
                await part_of(newest.form).begin(actor, matter, edition["id"], None)
        for handed in papers:
            await keep_papers(actor, edition["id"], handed)
        live.changed(matter["organisation_path"], f"matter-{matter['id']}")
    return saved["version"]


async def as_asked(matter_id: int, item: Item, title: str) -> None:
    """A matter of which nothing is published yet goes by its item as the catalogue has it now."""
    await rows("""UPDATE matter SET title = $2, form = $3, audience = $4 WHERE id = $1
                  AND (title, form, audience) <> ($2, $3, $4)""",
               matter_id, title[:60], str(item.form), str(item.audience))


async def why_not(edition_id: int) -> Exception:
    """Why an edition can't be written in: it was handed on, or somebody else wrote."""
    its = await the_row("SELECT state FROM edition WHERE id = $1", edition_id)
    return Stale() if its["state"] in OPEN else WrongState(f"这份内容现在是“{its['state']}”，不能再改")


async def keep_papers(actor: Actor, edition_id: int, handed: uploads.Handed) -> None:
    """Puts the files of one place as the form has them."""
    there = [one for one in await files_of(edition_id) if one["place"] == handed.place.name]
    kept = await uploads.settle(actor, handed, there)
    await rows("DELETE FROM edition_file WHERE edition_id = $1 AND file_id = ANY($2)", edition_id, list(kept.removed))
    for rank, file_id in enumerate(kept.order):
        await rows("""INSERT INTO edition_file AS l (edition_id, file_id, place, rank) VALUES ($1, $2, $3, $4)
                      ON CONFLICT (edition_id, file_id) DO UPDATE SET rank = $4 WHERE l.rank <> $4""",
                   edition_id, file_id, handed.place.name, rank)


async def drop(actor: Actor, matter: Record, edition: Record) -> None:
    """Throws an edition away that was never handed on, or came back; the duty is owed as before."""
    async with transaction():
        dropped = await row("UPDATE edition SET state = '已作废' WHERE id = $1 AND state = ANY($2) RETURNING id",
                            edition["id"], sorted(DROPPING.frm))
        if dropped is None:
            raise await why_not(edition["id"])
        if matter["edition_id"] is None and matter["period"].startswith("matter-"):
            await duties.no_longer_owed(matter["duty_id"])  # what was begun by mistake did not happen
        await audit.record(actor, "drop_edition", "matter", matter["id"], after={"version": edition["number"]})
        live.changed(matter["organisation_path"], f"matter-{matter['id']}", "disclosures", "todos")

