"""What the pages of a catalogue have in common: whose it is, and how two versions differ."""
from typing import Any

from litestar import Request
from litestar.exceptions import NotFoundException

from server.catalogues.rules import Change, Kind
from server.catalogues.tables import sees_county
from server.core.actor import Actor
from server.villages.tables import unit

TONES = {Kind.ADDED: "green", Kind.CHANGED: "amber", Kind.REMOVED: "red"}


async def seen_county(actor: Actor, code: str) -> Any:
    """The county of a catalogue the actor reads; NotFoundException else."""
    place = await unit(code) if sees_county(actor, code) else None
    if place is None or place["level"] != "county":
        raise NotFoundException
    return place


async def own_county(request: Request, code: str) -> Any:
    """The actor's own county, whose catalogue he keeps; NotFoundException for another one."""
    if code != request.user.unit_code:
        raise NotFoundException
    return await seen_county(request.user, code)


def shown_change(one: Change, owed: int = 0, drafts: int = 0) -> dict[str, Any]:
    """One difference between two versions; owed, drafts: what it does to what is open."""
    bears = [words for words, many in ((f"{owed} 项应公开未公开的", owed), (f"{drafts} 份草稿", drafts)) if many]
    return {"kind": str(one.kind), "tone": TONES[one.kind], "name": one.item.name, "category": str(one.item.category),
            "fields": one.fields, "bears": "、".join(bears) if one.kind is not Kind.ADDED else ""}
