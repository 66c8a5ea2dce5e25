"""Catalogues, their items, and what villages owe from them."""
from collections.abc import Awaitable, Callable, Sequence
from datetime import date

from asyncpg import Record
from piccolo.columns import Array, BigInt, BigSerial, Date, Integer, Text, Timestamptz
from piccolo.table import Table

from server.catalogues.rules import DutyState, Item, of_row
from server.core.actor import Actor
from server.core.database import row, rows
from server.villages.tables import county_of

CountDrafts = Callable[[Sequence[int]], Awaitable[dict[int, int]]]
OPEN_DRAFTS: list[CountDrafts] = []  # how many drafts are open of each item: who keeps them declares it
ITEM = "id, item, rank, category, name, content, form, columns, frequency, audience, department, guidance, variant"


class Catalogue(Table):
    id = BigSerial(primary_key=True)
    county_code = Text()
    number = Integer(null=True, default=None)  # None: a draft
    note = Text(default="")
    version = Integer(default=1)
    published_at = Timestamptz(null=True, default=None)
    who = Text(null=True, default=None)


class CatalogueItem(Table):
    id = BigSerial(primary_key=True)
    catalogue_id = BigInt()
    item = BigInt()
    rank = Integer()
    category = Text()
    name = Text()
    content = Text(default="")
    form = Text()
    columns = Array(base_column=Text())
    frequency = Text()
    audience = Text()
    department = Text(default="")
    guidance = Text(default="")
    variant = Text()


class Duty(Table):
    id = BigSerial(primary_key=True)
    village_code = Text()
    organisation_path = Text()
    item = BigInt()
    item_id = BigInt()
    period = Text()
    first = Date()
    last = Date()
    state = Text(choices=DutyState)
    settled_at = Timestamptz(null=True, default=None)


def sees_county(actor: Actor, county: str) -> bool:
    """Whether a county's catalogue is for this actor to read: the own one's, or of one below."""
    return county.startswith(actor.unit_code) or actor.unit_code.startswith(county)


async def published(county: str, number: int | None = None) -> Record | None:
    """A county's catalogue of that number, or the newest: id, number, note, published_at, who."""
    return await row("""SELECT id, number, note, published_at, who FROM catalogue
                        WHERE county_code = $1 AND number IS NOT NULL AND ($2::bigint IS NULL OR number = $2)
                        ORDER BY number DESC LIMIT 1""", county, number)


async def draft(county: str) -> Record | None:
    """The draft of a county's next catalogue."""
    return await row("SELECT id, note, version FROM catalogue WHERE county_code = $1 AND number IS NULL", county)


async def versions(county: str) -> list[Record]:
    """The published catalogues of a county, the newest first."""
    return await rows("""SELECT id, number, note, published_at, who FROM catalogue
                         WHERE county_code = $1 AND number IS NOT NULL ORDER BY number DESC""", county)


async def items(catalogue_id: int) -> list[Item]:
    """The items of one catalogue, in its order."""
    return [of_row(found) for found in await rows(
        f"SELECT {ITEM} FROM catalogue_item WHERE catalogue_id = $1 ORDER BY rank, id", catalogue_id)]


async def item(item_id: int) -> Item | None:
    """One item as one version of a catalogue has it."""
    found = await row(f"SELECT {ITEM} FROM catalogue_item WHERE id = $1", item_id)
    return of_row(found) if found else None


async def current_items(county: str) -> list[Item]:
    """The items of a county's newest catalogue; none where there is no catalogue yet."""
    newest = await published(county)
    return await items(newest["id"]) if newest else []


async def item_now(village_code: str, community: bool, item: int) -> Item | None:
    """An item as the county's newest catalogue asks it of this village or community; None where it no longer does."""
    return next((one for one in await current_items(county_of(village_code))
                 if one.item == item and one.applies_to(community)), None)


async def since(county: str) -> dict[int, date]:
    """From which day each item of the newest catalogue has been asked for as often as it is now, by its number."""
    found = await rows("""
        SELECT i.item, i.frequency, c.number, (c.published_at AT TIME ZONE 'Asia/Shanghai')::date AS day
        FROM catalogue c JOIN catalogue_item i ON i.catalogue_id = c.id
        WHERE c.county_code = $1 AND c.number IS NOT NULL ORDER BY c.number""", county)
    days: dict[int, date] = {}
    last: dict[int, tuple[int, str]] = {}
    for one in found:
        if last.get(one["item"]) != (one["number"] - 1, one["frequency"]):
            days[one["item"]] = one["day"]
        last[one["item"]] = one["number"], one["frequency"]
    return days


async def open_duties(items: Sequence[int]) -> dict[int, int]:
    """How many duties of each item are open, by the item's number."""
    return {one["item"]: one["count"] for one in await rows(
        "SELECT item, count(*) FROM duty WHERE item = ANY($1) AND state = '应公开' GROUP BY item", list(items))}


async def open_drafts(items: Sequence[int]) -> dict[int, int]:
    """How many drafts of each item are open, by the item's number."""
    found: dict[int, int] = {}
    for count in OPEN_DRAFTS:
        found |= await count(items)
    return found
