"""Organisations as they are typed: by the full name, or by the short one where there is only one of it."""
from asyncpg import Record

from server.core.actor import Actor
from server.core.database import rows
from server.core.forms import Refused
from server.officers.rules import NOMINATES_BELOW, ROLES_AT
from server.officers.tables import IN_CARE
from server.organisations.rules import OrganisationKind
from server.permissions import Can, Role

OFFERED = 3000  # names a page offers while one types
TOLD = 3  # full names a message gives to choose from
CARE, BELOW, OWN = IN_CARE.format("$1::bigint"), "o.path LIKE $1::text || '%'", "o.id = $1::bigint"


def sight(actor: Actor) -> tuple[str, int | str]:
    """The condition under which the actor opens or nominates officers for an organisation o, and its first value."""
    if actor.may(Can.ACCOUNT_KEEP):
        return CARE, actor.organisation_id
    if actor.role in NOMINATES_BELOW:
        return BELOW, actor.organisation_path
    return OWN, actor.organisation_id


async def offered(actor: Actor) -> list[Record]:
    """The organisations there are to choose from: id, name, official_name, kind; those above first."""
    condition, value = sight(actor)
    return await rows(f"""
        SELECT o.id, o.name, o.official_name, o.kind FROM organisation o
        WHERE {condition} AND o.closed_at IS NULL AND o.kind = ANY($2) ORDER BY o.path LIMIT {OFFERED}""",
                      value, [str(kind) for kind in ROLES_AT])


async def find_place(actor: Actor, typed: str) -> int:
    """The id of the organisation that was typed; Refused when there is none of that name, or more than one."""
    condition, value = sight(actor)
    name = "".join(typed.split())
    found = await rows(f"""
        SELECT o.id, o.official_name, o.official_name = $2 AS whole FROM organisation o
        WHERE {condition} AND o.closed_at IS NULL AND (o.official_name = $2 OR o.name = $2)
        ORDER BY whole DESC, o.path LIMIT 20""", value, name)
    if not found:
        raise Refused("organisation", "管辖范围内没有这个党组织，请写全称，以填写时的提示或模板“党组织全称”页为准")
    if len(found) > 1 and not found[0]["whole"]:
        names = "、".join(one["official_name"] for one in found[:TOLD])
        raise Refused("organisation", f"有 {len(found)} 个党组织叫这个名字，请写全称，如：{names}")
    return found[0]["id"]


def roles_among(places: list[Record]) -> list[Role]:
    """The roles there are at organisations of these kinds, those above first."""
    kinds = {OrganisationKind(place["kind"]) for place in places}
    return list(dict.fromkeys(role for kind, roles in ROLES_AT.items() if kind in kinds for role in roles))
