"""What happens to a county's catalogue: drafted, its items written, published as a version with a date (M3§7)."""
from typing import Any

from server.catalogues.rules import ITEMS_MOST, Form, Item, Variant, changes, wrong
from server.catalogues.tables import draft, items, published
from server.catalogues.telling import tell_later
from server.catalogues.typical import typical
from server.core import audit, live
from server.core.actor import Actor
from server.core.database import row, rows, the_row, transaction
from server.core.forms import Refused
from server.core.masking import without_numbers
from server.core.moves import WrongState
from server.villages.actions import renew

FIELDS = ("category", "name", "content", "form", "columns", "frequency", "audience", "department", "guidance",
          "variant")
COPY = f"""
INSERT INTO catalogue_item (catalogue_id, item, rank, {", ".join(FIELDS)})
SELECT $1, item, rank, {", ".join(FIELDS)} FROM catalogue_item WHERE catalogue_id = $2 ORDER BY rank, id"""
ADD = f"""
INSERT INTO catalogue_item (catalogue_id, rank, {", ".join(FIELDS)})
SELECT $1, coalesce(max(rank), 0) + 1, {", ".join(f"${number}" for number in range(2, 2 + len(FIELDS)))}
FROM catalogue_item WHERE catalogue_id = $1 RETURNING id, item"""
CHANGE = f"""
UPDATE catalogue_item SET {", ".join(f"{name} = ${number}" for number, name in enumerate(FIELDS, 3))}
WHERE id = $1 AND catalogue_id = $2 RETURNING item"""


async def begin_draft(actor: Actor, county: str) -> None:
    """Begins the next version: a copy of the newest, or of what counties typically have; one that is there stays."""
    async with transaction():
        made = await row("INSERT INTO catalogue (county_code) VALUES ($1) ON CONFLICT DO NOTHING RETURNING id", county)
        if made is None:
            return
        newest = await published(county)
        if newest:
            await rows(COPY, made["id"], newest["id"])
        else:
            for one in typical():
                await rows(ADD, made["id"], *(one[name] for name in FIELDS))
        await audit.record(actor, "draft_catalogue", "catalogue", made["id"])


async def held_draft(county: str, version: int) -> int:
    """The id of the draft as it was opened, held until the transaction ends; WrongState when it was changed or
    published meanwhile."""
    held = await row("""UPDATE catalogue SET version = version + 1 WHERE county_code = $1 AND number IS NULL
                        AND version = $2 RETURNING id""", county, version)
    if held is None and await draft(county) is None:
        raise WrongState("这份目录草稿刚才已经发布或作废了")
    if held is None:
        raise WrongState("目录草稿刚才被别人改过，请刷新后再改")
    return held["id"]


async def write_item(actor: Actor, county: str, version: int, item_id: int | None, values: dict[str, Any]) -> None:
    """Adds an item to the draft, or changes one. Refused for what no item can be, where it would have two ledgers for
    the same villages, or too many items."""
    async with transaction():
        catalogue = await held_draft(county, version)
        there = await items(catalogue)
        refuse(there, item_id, values)
        given = [list(values[name]) if name == "columns" else str(values[name]) for name in FIELDS]
        if item_id is None:
            made = await the_row(ADD, catalogue, *given)
        else:
            changed = await row(CHANGE, item_id, catalogue, *given)
            if changed is None:
                raise WrongState("这一项刚才被别人去掉了")
            made = changed
        await audit.record(actor, "write_catalogue_item", "catalogue", catalogue,
                           after={"item": made["item"], "name": values["name"]})


def refuse(there: list[Item], item_id: int | None, values: dict[str, Any]) -> None:
    """Refused for what the rules, or the other items of the draft, forbid."""
    if fault := wrong(values):
        raise Refused(*fault)
    others = [one for one in there if one.id != item_id]
    if item_id is None and len(others) >= ITEMS_MOST:
        raise Refused("name", f"目录最多 {ITEMS_MOST} 项")
    if any(one.name == values["name"] and one.category == values["category"] and one.variant == values["variant"]
           for one in others):
        raise Refused("name", "目录里已经有这一项了")
    for_the_same = (Variant.BOTH, values["variant"]) if values["variant"] != Variant.BOTH else tuple(Variant)
    if values["form"] == Form.LEDGER and any(
            one.form is Form.LEDGER and one.variant in for_the_same for one in others):
        raise Refused("form", "一个村每月只有一本账，目录里已经有账目这一项了")


async def remove_item(actor: Actor, county: str, version: int, item_id: int) -> None:
    """Takes an item out of the draft; one that is gone already changes nothing."""
    async with transaction():
        catalogue = await held_draft(county, version)
        gone = await row("DELETE FROM catalogue_item WHERE id = $1 AND catalogue_id = $2 RETURNING item, name",
                         item_id, catalogue)
        if gone:
            await audit.record(actor, "remove_catalogue_item", "catalogue", catalogue,
                               before={"item": gone["item"], "name": gone["name"]})


async def discard_draft(actor: Actor, county: str, version: int) -> None:
    """Throws the draft away; what is published stays."""
    async with transaction():
        catalogue = await held_draft(county, version)
        await rows("DELETE FROM catalogue_item WHERE catalogue_id = $1", catalogue)
        await rows("DELETE FROM catalogue WHERE id = $1", catalogue)
        await audit.record(actor, "discard_catalogue", "catalogue", catalogue)


async def publish(actor: Actor, county: str, version: int, note: str) -> int:
    """Publishes the draft as the county's next version; its number. What villages owe follows within seconds.

    Refused when it has no items, or says what the newest version says; WrongState when it was changed meanwhile."""
    async with transaction():
        catalogue = await held_draft(county, version)
        listed, newest = await items(catalogue), await published(county)
        if not listed:
            raise Refused("note", "目录里还没有事项")
        if newest and not changes(await items(newest["id"]), listed):
            raise Refused("note", f"和现行的第 {newest['number']} 版没有不同，不用发布")
        made = await the_row("""
            UPDATE catalogue SET number = 1, published_at = ebranch_now(), who = $2, note = $3 WHERE id = $1
            RETURNING number""", catalogue, actor.signature, without_numbers(note))
        await audit.record(actor, "publish_catalogue", "catalogue", catalogue, after={"version": made["number"]},
                           why=note or None)
        await renew(f"catalogue-{catalogue}", {"county": county})
        await tell_later(county, catalogue)
        live.changed(actor.organisation_path, "catalogue", "disclosures")
    return made["number"]


