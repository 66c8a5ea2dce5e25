"""Addresses of 审核分工: among which of its offices a township divides the review."""
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery

from server.catalogues.tables import current_items
from server.core import forms
from server.core.forms import Filled, Refused
from server.core.page import page, see_other
from server.disclosure import reviewing
from server.permissions import Can
from server.villages.tables import county_of

OFFICE = (
    forms.text("name", "科室", most=20), forms.numbers("items", "审核哪些事项", required=False),
    forms.numbers("accounts", "由谁审核", required=False),
    forms.number("id", "科室编号", most=2**63 - 1, required=False),
)


@get("/reviews/offices", can=Can.VILLAGE_OPEN)
async def offices(request: Request, office: FromQuery[int | None] = None) -> Response[Any]:
    chosen = next((one for one in await reviewing.offices(request.user.organisation_id) if one["id"] == office), None)
    typed = {"id": chosen["id"], "name": chosen["name"], "items": list(map(str, chosen["items"])),
             "accounts": list(map(str, chosen["accounts"]))} if chosen else {}
    return await offices_page(request, Filled(typed=typed))


async def offices_page(request: Request, filled: Filled) -> Response[Any]:
    items = await current_items(county_of(request.user.unit_code))
    names = {one.item: one.name for one in items}
    return await page(
        request, "disclosure/offices.html", status=filled.status, errors=filled.errors,
        editing=bool(filled.typed.get("id")),
        form=filled.typed | {name: filled.several(name) for name in ("items", "accounts")},
        items=[{"value": one.item, "label": f"{one.category} · {one.name}"} for one in items],
        people=[{"value": one["id"], "label": f"{one['name']}（{one['role']}）"}
                for one in await reviewing.reviewers(request.user.organisation_id)],
        offices=[{"id": one["id"], "name": one["name"], "people": "、".join(one["people"]) or "还没有人",
                  "items": "；".join(names[item] for item in one["items"] if item in names) or "还没有事项",
                  "href": f"/reviews/offices?office={one['id']}"}
                 for one in await reviewing.offices(request.user.organisation_id)])


@post("/reviews/offices", can=Can.VILLAGE_OPEN, status_code=200)
async def keep_office(request: Request) -> Response[Any]:
    filled = await forms.fill(request, OFFICE)
    if not filled.errors:
        try:
            await reviewing.keep_office(request.user, filled["id"], filled["name"], filled["items"], filled["accounts"])
            return see_other("/reviews/offices")
        except Refused as refused:
            filled.errors[refused.field] = str(refused)
    return await offices_page(request, filled)


@post("/reviews/offices/{office_id:int}/removal", can=Can.VILLAGE_OPEN, status_code=200)
async def close_office(request: Request, office_id: FromPath[int]) -> Response[Any]:
    await forms.nothing(request)
    await reviewing.close_office(request.user, office_id)
    return see_other("/reviews/offices")


ROUTES = [offices, keep_office, close_office]
