"""What of a matter an actor may see: the matter, its editions, their files."""
from asyncpg import Record
from litestar import Request
from litestar.exceptions import NotFoundException

from server.core.actor import Actor
from server.disclosure.rules import State
from server.disclosure.tables import editions, matter_seen_by, open_edition, works_on
from server.permissions import Can


async def the_matter(actor: Actor, matter_id: int) -> Record:
    """A matter the actor may see; NotFoundException else."""
    found = await matter_seen_by(actor, matter_id)
    if found is None:
        raise NotFoundException
    return found


def may_not_read_old(actor: Actor, matter: Record) -> bool:
    """Whether what was taken down is no longer for this reader."""
    return matter["withdrawn_at"] is not None and not (works_on(actor) or actor.may(Can.DISCLOSURE_OVERSEE))


async def readable_editions(actor: Actor, matter: Record) -> list[Record]:
    """The editions of a matter whose files this actor may open: published ones, and the one on its way for who works
    on it."""
    found = [] if may_not_read_old(actor, matter) else await editions(matter["id"])
    current = await open_edition(matter["id"])
    handed_on = current is not None and current["state"] in (State.SUBMITTED, State.APPROVED)
    if current is not None and (works_on(actor) or (actor.may(Can.DISCLOSURE_OVERSEE) and handed_on)):
        found.append(current)
    return found


async def to_write(request: Request, matter_id: int) -> tuple[Record, Record]:
    """A matter and the edition of it that is on its way; NotFoundException where there is none."""
    matter = await the_matter(request.user, matter_id)
    edition = await open_edition(matter_id)
    if edition is None:
        raise NotFoundException
    return matter, edition
