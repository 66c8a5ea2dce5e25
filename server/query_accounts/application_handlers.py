"""Addresses of applying (M3§9): the place step by step or by the wall's code, then who it is. No sign-in needed."""
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromQuery

from server.accounts.authentication import source_of
from server.core import forms, picture_code
from server.core.database import rows
from server.core.forms import Filled, Refused
from server.core.page import page
from server.organisations.rules import Level
from server.people import fields
from server.permissions import Can
from server.query_accounts import applications
from server.query_accounts.fields import members_field
from server.villages.tables import unit, village

SMALL = 20_000  # bytes of a form
TOP = "37"  # where choosing begins
APPLY = (
    forms.text("village", "村（社区）", most=12, seen=False), fields.name("name", "姓名"),
    fields.id_number("id_number", "身份证号"), fields.phone("phone", "手机号码"),
    forms.flag("household", "我是户代表"), members_field("members", "家庭成员"), *picture_code.FIELDS,
)


@get("/query-accounts/new", can=Can.PUBLIC)
async def form(request: Request, place: FromQuery[str] = "", village: FromQuery[str] = "") -> Response[Any]:
    chosen = await unit(village or place or TOP)
    if chosen is None:
        chosen = await unit(TOP)
    if chosen is None or chosen["level"] != Level.VILLAGE:
        return await choose(request, chosen)
    return await apply_page(request, chosen["code"], Filled())


async def choose(request: Request, chosen: Any, status: int = 200) -> Response[Any]:
    """One step down the tree: 市, 县, 乡镇, 村."""
    below = await rows("SELECT code, name, level FROM unit WHERE parent_code = $1 ORDER BY code", chosen["code"]) \
        if chosen else []
    above = chosen["parent_code"] if chosen else None
    return await page(
        request, "query_accounts/choose.html", status=status, name=chosen["name"] if chosen else "", places=[
            {"name": one["name"], "href": f"/query-accounts/new?place={one['code']}"} for one in below],
        back=f"/query-accounts/new?place={above}" if above else "/sign-in")


async def apply_page(request: Request, code: str, filled: Filled) -> Response[Any]:
    place, its = await unit(code), await village(code)
    above = await unit(place["parent_code"]) if place else None
    return await page(
        request, "query_accounts/apply.html", status=filled.status, form=filled.typed | {"village": code},
        errors=filled.errors, place=f"{above['name'] if above else ''} {place['name'] if place else ''}",
        opened=its is not None and its["state"] == "已开通", picture=picture_code.new(),
        back=f"/query-accounts/new?place={place['parent_code']}" if place else "/query-accounts/new")


@post("/query-accounts/new", can=Can.PUBLIC, status_code=200, request_max_body_size=SMALL)
async def apply(request: Request) -> Response[Any]:
    filled = await forms.fill(request, APPLY)
    place = await unit(filled.values.get("village", ""))
    if place is None or place["level"] != Level.VILLAGE:
        return await choose(request, await unit(TOP), filled.status)
    if filled.values.get("members") and not filled.values.get("household"):
        filled.errors["members"] = "写了家庭成员，请勾选上面的“我是户代表”；只给自己申请就清空这里"
    if not filled.errors:
        await picture_code.check_in(filled)
    if not filled.errors:
        try:
            await applications.apply(place["code"], filled["name"], filled["id_number"], filled["phone"],
                                     filled["members"] if filled["household"] else None, source_of(request))
            its = await village(place["code"])
            return await page(request, "query_accounts/applied.html", name=filled["name"], place=place["name"],
                              opened=its is not None and its["state"] == "已开通")
        except Refused as refused:
            filled.errors[refused.field] = str(refused)
    return await apply_page(request, place["code"], filled)


ROUTES = [form, apply]
