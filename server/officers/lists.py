"""Nominations as lists: what waits for the safety officer, and how what was reported stands."""
from typing import Any

from asyncpg import Record

from server.core.actor import Actor
from server.core.clock import now
from server.core.database import rows
from server.core.dates import brief
from server.core.keyset import below
from server.officers.rules import TONES, NominationState
from server.officers.tables import IN_CARE
from server.permissions import Can

PAGE = 30
COLUMNS = """n.id, n.role, n.name, n.state, n.who, n.nominated_at, n.answer, n.reason, o.name AS organisation,
    f.name AS from_name"""
PLACES = "JOIN organisation o ON o.id = n.organisation_id JOIN organisation f ON f.id = n.nominated_at_id"


def sight(actor: Actor) -> str:
    """Which nominations n the actor sees; $1 is the own organisation."""
    return IN_CARE.format("$1") if actor.may(Can.ACCOUNT_KEEP) else "n.nominated_at_id = $1"


async def nominations_waiting(actor: Actor) -> list[dict[str, Any]]:
    """What waits to be opened or returned, the oldest first."""
    return [line(one) for one in await rows(f"""
        SELECT {COLUMNS} FROM nomination n {PLACES} WHERE n.state = '待开通' AND {sight(actor)}
        ORDER BY n.nominated_at, n.id LIMIT 50""", actor.organisation_id)]


async def nominations_listed(actor: Actor, state: NominationState | None,
                             before: int | None) -> tuple[list[dict[str, Any]], int | None]:
    """A page of nominations, the newest first; and the id before which the next page begins, if there is more."""
    found = await rows(f"""
        SELECT {COLUMNS} FROM nomination n {PLACES}
        WHERE {sight(actor)} AND ($2::text IS NULL OR n.state = $2) AND n.id < $3
        ORDER BY n.id DESC LIMIT {PAGE + 1}""", actor.organisation_id, state and str(state),
                       below(before))
    return [line(one) for one in found[:PAGE]], found[PAGE - 1]["id"] if len(found) > PAGE else None


def line(one: Record) -> dict[str, Any]:
    told = f"{one['from_name']} {one['who']}上报"
    if one["state"] == NominationState.RETURNED:
        told = f"退回：{one['answer']}"
    return {"href": f"/accounts/nominations/{one['id']}", "name": one["name"],
            "title": f"{one['organisation']} {one['role']}", "line": told, "time": brief(one["nominated_at"], now()),
            "state": one["state"], "tone": TONES[one["state"]]}


async def returned(actor: Actor) -> list[Record]:
    """What came back to who nominated and has not been reported again since."""
    return await rows("""
        SELECT n.id, n.name, n.role, n.answer, o.name AS organisation FROM nomination n
        JOIN organisation o ON o.id = n.organisation_id
        WHERE n.nominated_at_id = $1 AND n.state = '已退回' AND n.answered_at > $2::timestamptz - interval '30 days'
          AND NOT EXISTS (SELECT FROM nomination later WHERE later.nominated_at_id = n.nominated_at_id
                          AND later.id > n.id AND (later.organisation_id, later.role) = (n.organisation_id, n.role))
        ORDER BY n.answered_at DESC LIMIT 20""", actor.organisation_id, now())


async def figures(actor: Actor) -> dict[str, int]:
    """How many nominations of the own organisation are in each state."""
    return {one["state"]: one["count"] for one in await rows(
        "SELECT state, count(*) FROM nomination WHERE nominated_at_id = $1 GROUP BY state", actor.organisation_id)}
