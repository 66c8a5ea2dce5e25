"""催办: what a village or a township has let lapse reaches its people in one grouped reminder a day."""
from collections.abc import Sequence
from typing import NamedTuple

from asyncpg import Record

from server.core import audit, live
from server.core.actor import Actor
from server.core.clock import now, today
from server.core.database import row, transaction
from server.permissions import Can, Role, holders
from server.supervision.rules import in_short
from server.supervision.tables import reviews_to_press, to_press
from server.threads.reminders import remind_holders


class Told(NamedTuple):
    """Who of a place is told, what, and where he goes to do it."""
    roles: list[str]
    words: str
    href: str


OF_VILLAGE = Told([*holders(Can.DISCLOSURE_KEEP), str(Role.SECRETARY)],
                  "三务公开到期未办：{}（M3§8）", "/disclosures")
OF_TOWNSHIP = Told(holders(Can.DISCLOSURE_REVIEW), "三务公开审核逾期：{}（M3§8）", "/reviews")


async def press(actor: Actor, codes: Sequence[str]) -> int:
    """Reminds those who keep these villages and review for these townships, once a day for each whoever presses; how
    many places heard of it."""
    path = actor.organisation_path
    waiting = {one["code"]: (one, whose)
               for found, whose in ((await to_press(path, today(), now()), OF_VILLAGE),
                                    (await reviews_to_press(path, today()), OF_TOWNSHIP)) for one in found}
    async with transaction():
        told = [await press_one(actor, *waiting[code]) for code in sorted(set(codes) & set(waiting))].count(True)
        if told:
            await audit.record(actor, "press_villages", "organisation", actor.organisation_id, after={"number": told})
            live.changed(path, "supervision")
    return told


async def press_one(actor: Actor, one: Record, whose: Told) -> bool:
    """Reminds the people of one place; whether nobody had today."""
    noted = await row("""INSERT INTO pressing (unit_code, day, who, things) VALUES ($1, $2, $3, $4)
                         ON CONFLICT DO NOTHING RETURNING day""", one["code"], today(), actor.signature, one["things"])
    if noted is None:
        return False
    words = whose.words.format(in_short(one["named"], one["things"]))
    await remind_holders(one["organisation_id"], whose.roles, "催办", words, whose.href)
    return True
