"""The two pages that everybody opens, a published matter and a village's list: what all who ask at the same time want
is one statement, with what is unread by each of them, which every page shows."""
from collections.abc import Sequence
from typing import NamedTuple

from asyncpg import Record
from litestar.exceptions import NotFoundException

from server.catalogues.rules import Audience
from server.core.actor import Actor
from server.core.database import rows
from server.core.together import Together
from server.disclosure.sight import the_matter
from server.disclosure.tables import AROUND, SHOWN, is_member, works_on
from server.permissions import Can
from server.threads.tables import OF_VIEWER, Viewer, columns_of, viewer_of
from server.villages.tables import is_code, sees

THREADS = "/threads"  # the tab that counts what is unread

# To readers: published matters of their own village, what is for members to members (what Matter.visible_to says).
MATTERS = f"""
SELECT k.place, {OF_VIEWER}, {SHOWN}
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::boolean[])
    WITH ORDINALITY AS k (organisation_id, person_id, kinds, wanted, village, member, place)
JOIN matter m ON m.id = k.wanted AND m.village_code = k.village AND m.published_at IS NOT NULL
    AND (k.member OR m.audience = '{Audience.VILLAGERS!s}') {AROUND}"""
# The numbers of its newest changes: as long as they are the same, so is what a village's page consists of.
VILLAGES = f"""
SELECT k.place, {OF_VIEWER}, v.code, v.state, v.community, v.organisation_path,
       ARRAY(SELECT id FROM village_change WHERE village_code = v.code ORDER BY id DESC LIMIT 60) AS changes
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[])
    WITH ORDINALITY AS k (organisation_id, person_id, kinds, wanted, place)
JOIN village v ON v.code = k.wanted"""


class OneMatter(NamedTuple):
    viewer: Viewer
    wanted: int
    village: str
    member: bool


class OneVillage(NamedTuple):
    viewer: Viewer
    wanted: str


async def matters(asked: Sequence[OneMatter]) -> dict[OneMatter, Record]:
    """The matters those who ask may read."""
    found = await rows(MATTERS, *columns_of([one.viewer for one in asked]), [one.wanted for one in asked],
                       [one.village for one in asked], [one.member for one in asked])
    return {asked[one["place"] - 1]: one for one in found}


async def villages(asked: Sequence[OneVillage]) -> dict[OneVillage, Record]:
    """The villages of these codes, as they stand."""
    found = await rows(VILLAGES, *columns_of([one.viewer for one in asked]), [one.wanted for one in asked])
    return {asked[one["place"] - 1]: one for one in found}


_matters, _villages = Together(matters), Together(villages)


async def opened_matter(actor: Actor, matter_id: int) -> Record:
    """A matter somebody opens, as `sight.the_matter` has it; to readers with what else is unread. NotFoundException."""
    if works_on(actor) or actor.may(Can.DISCLOSURE_OVERSEE):
        return await the_matter(actor, matter_id)
    found = await _matters.ask(OneMatter(viewer_of(actor), matter_id, actor.unit_code, is_member(actor)))
    if found is None:
        raise NotFoundException
    return found


async def opened_village(actor: Actor, code: str) -> Record | None:
    """A village whose page somebody opens, with its newest changes and what else is unread: code, state, community,
    organisation_path, changes, unread. None where there is none, or it is not the actor's to read."""
    found = await _villages.ask(OneVillage(viewer_of(actor), code)) if is_code(code) else None
    return found if found and sees(actor, code, found["organisation_path"]) else None


def badges(found: Record | None) -> dict[str, int] | None:
    """What was asked for along with a page, for its tabs."""
    return {THREADS: found["unread"]} if found and "unread" in found else None
