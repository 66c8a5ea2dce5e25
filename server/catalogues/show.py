"""What the pages of a catalogue have in common: whose it is, and how two versions differ."""
from typing import Any

from litestar import Request
from litestar.exceptions import NotFoundException

from server.catalogues.rules import BEARS, Change, Frequency, Kind
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


BECOMES = {  # what a change does to what is owed, and to drafts
    Kind.CHANGED: ("{} 项还没公开的，按新的要求公开", "{} 份草稿要再看一遍、存一次"),
    Kind.REMOVED: ("{} 项还没公开的，不再要求公开", "{} 份草稿留着，不能再提交")}


def shown_change(one: Change, owed: int = 0, drafts: int = 0) -> dict[str, Any]:
    """One difference between two versions; owed, drafts: what it does to what is open."""
    return {"kind": str(one.kind), "tone": TONES[one.kind], "name": one.item.name, "category": str(one.item.category),
            "fields": one.fields, "bears": "；".join(bearing(one, owed, drafts))}


def bearing(one: Change, owed: int, drafts: int) -> list[str]:
    """What a difference does to so many things owed and drafts, in words."""
    if one.kind is Kind.ADDED:
        return ["有这样的事才公开" if one.item.frequency is Frequency.AT_ONCE else "发布后，各村从本期起就应公开"]
    touched = drafts if one.kind is Kind.REMOVED or any(label in BEARS for label, _, _ in one.fields) else 0
    return [words.format(many) for words, many in zip(BECOMES[one.kind], (owed, touched), strict=True) if many]
