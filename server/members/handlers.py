"""Addresses of organisations: where one stands in the tree, who sits in its committee, who belongs to it.

They stand with the members because an organisation's page names its people."""
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from server.core.page import page, see_other
from server.members.tables import member_counts, members_of
from server.organisations.rules import OrganisationKind
from server.organisations.tables import Organisation, children_of, organisation, seats_of
from server.permissions import Can

LOOKS = {OrganisationKind.BRANCH: ("people", "amber"), OrganisationKind.GROUP: ("people", "blue")}  # icon, tone


@get("/organisations", can=Can.ORGANISATION_READ)
async def own(request: Request) -> Response[Any]:
    return see_other(f"/organisations/{request.user.organisation_id}")


@get("/organisations/{organisation_id:int}", can=Can.ORGANISATION_READ)
async def show(request: Request, organisation_id: FromPath[int]) -> Response[Any]:
    visible = await Organisation.exists().where(
        Organisation.visible_to(request.user), Organisation.id == organisation_id)
    found = await organisation(organisation_id) if visible else None
    if found is None:
        raise NotFoundException
    below = await children_of(organisation_id)
    counts = await member_counts([one["id"] for one in below])
    is_branch = found["kind"] == OrganisationKind.BRANCH
    reads = request.user.may(Can.MEMBER_READ)
    facts = [["全称", found["official_name"]], ["类别", found["kind"] + ("（功能型）" if found["functional"] else "")],
             ["所在单位", found["unit_name"]]]
    return await page(
        request, "organisations/show.html", title=found["name"], facts=facts,
        back="/me" if organisation_id == request.user.organisation_id else f"/organisations/{found['parent_id']}",
        seats=[dict(seat) for seat in await seats_of(organisation_id)],
        members=[member_row(member, reads) for member in await members_of(organisation_id)] if is_branch else [],
        below=[below_row(one, counts.get(one["id"], 0)) for one in below])


def member_row(member: Any, reads: bool) -> dict[str, Any]:
    return dict(member) | {"href": f"/members/{member['person_id']}" if reads else None}


def below_row(one: Any, members: int) -> dict[str, Any]:
    icon, tone = LOOKS.get(one["kind"], ("open", "gold"))
    line = f"{one['kind']} · 党员 {members} 名" if members else one["kind"]
    return {"href": f"/organisations/{one['id']}", "title": one["name"], "line": line, "icon": icon, "tone": tone}


ROUTES = [own, show]
