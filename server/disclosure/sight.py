"""What of a matter an actor may see: the matter, its editions, their files."""
from asyncpg import Record
from litestar import Request
from litestar.exceptions import NotFoundException

from server.catalogues.rules import Audience
from server.catalogues.tables import item as item_of
from server.core.actor import Actor
from server.core.moves import WrongState
from server.disclosure.rules import State
from server.disclosure.tables import audiences, editions, matter_seen_by, open_edition, works_on
from server.permissions import Can, Role


async def the_matter(actor: Actor, matter_id: int) -> Record:
    """A matter the actor may see; NotFoundException else."""
    found = await matter_seen_by(actor, matter_id)
    if found is None:
        raise NotFoundException
    return found


def may_not_read_old(actor: Actor, matter: Record) -> bool:
    """Whether what was taken down is no longer for this reader."""
    return matter["withdrawn_at"] is not None and not (works_on(actor) or actor.may(Can.DISCLOSURE_OVERSEE))


async def editions_for(actor: Actor, matter: Record) -> list[Record]:
    """The published editions of a matter this actor may read, the newest first: none once it was taken down, but for
    who works on it; of an earlier edition that was for members, members alone."""
    if may_not_read_old(actor, matter):
        return []
    oversees = actor.may(Can.DISCLOSURE_OVERSEE)
    return [one for one in await editions(matter["id"]) if oversees or one["audience"] in audiences(actor)]


async def readable_editions(actor: Actor, matter: Record) -> list[Record]:
    """The editions of a matter whose files this actor may open: published ones, and the one on its way for who works
    on it."""
    found = await editions_for(actor, matter)
    current = await open_edition(matter["id"])
    if current is not None and actor.role == Role.SUPERVISOR and await is_for_members(current):
        return found
    handed_on = current is not None and current["state"] in (State.SUBMITTED, State.APPROVED)
    if current is not None and (works_on(actor) or (actor.may(Can.DISCLOSURE_OVERSEE) and handed_on)):
        found.append(current)
    return found


async def is_for_members(edition: Record) -> bool:
    """Whether an edition on its way will be for members alone."""
    item = await item_of(edition["item_id"])
    return item is not None and item.audience is Audience.MEMBERS


async def to_write(request: Request, matter_id: int) -> tuple[Record, Record]:
    """A matter and the edition of it that is on its way; NotFoundException where there is none, WrongState for what was
    sent from the page of one that is no longer."""
    matter = await the_matter(request.user, matter_id)
    edition = await open_edition(matter_id)
    if edition is None and request.method == "POST":
        raise WrongState("这份内容刚才已经作废或公开了，请刷新再看")
    if edition is None:
        raise NotFoundException
    return matter, edition
