"""Whose query accounts somebody keeps."""
from asyncpg import Record
from litestar.exceptions import NotFoundException

from server.core.actor import Actor
from server.permissions import Can
from server.villages.tables import village_of, village_seen_by


async def kept_village(actor: Actor, code: str | None) -> Record:
    """The opened village whose query accounts the actor keeps; NotFoundException else."""
    its = await village_seen_by(actor, code) if code else await village_of(actor)
    if its is None or its["state"] != "已开通":
        raise NotFoundException
    return its


def list_of(actor: Actor, code: str) -> str:
    """Where the list of a village's accounts is: a township names the village, a village has but its own."""
    return f"/query-accounts?village={code}" if actor.may(Can.DISCLOSURE_OVERSEE) else "/query-accounts"
