"""Addresses of one query account: for who keeps it, and for its owner, whose household reads with it."""
from typing import Any

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from server.core import forms
from server.core.clock import now
from server.core.dates import day, moment
from server.core.forms import Filled
from server.core.page import page, see_other
from server.core.sight import find
from server.people import fields
from server.permissions import Can
from server.query_accounts import opening
from server.query_accounts.kept import list_of
from server.query_accounts.rules import WHY_MAX
from server.query_accounts.tables import Reader, household, own_reader, reader

END = (fields.reason("why", "原因", most=WHY_MAX),)
MEMBER = (forms.number("member", "家人", most=2**63 - 1),)


@get("/query-accounts/{reader_id:int}", can=Can.READER_KEEP)
async def show(request: Request, reader_id: FromPath[int]) -> Response[Any]:
    await find(Reader, request.user, reader_id)
    return await reader_page(request, reader_id, Filled())


async def reader_page(request: Request, reader_id: int, filled: Filled) -> Response[Any]:
    one = await reader(reader_id)
    if one is None:
        raise NotFoundException
    facts = [["身份", one["standing"]], ["开通", f"{moment(one['opened_at'], now())} · {one['who']}（{one['how']}）"],
             ["核对", day(one["confirmed_on"], now())], ["登录", "已经设密码" if one["activated"] else "还没有设密码"]]
    if one["ended_at"]:
        facts.append(["停用", f"{moment(one['ended_at'], now())}，{one['end_why']}"])
    return await page(
        request, "query_accounts/show.html", status=filled.status, form=filled.typed, errors=filled.errors,
        reader={"id": reader_id, "name": one["name"], "household": one["household"],
                "ended": one["ended_at"] is not None},
        facts=facts, people=[dict(member) for member in await household(reader_id)], own=False,
        back=list_of(request.user, one["village_code"]))


@post("/query-accounts/{reader_id:int}/ending", can=Can.READER_KEEP, status_code=200)
async def end(request: Request, reader_id: FromPath[int]) -> Response[Any]:
    found = await find(Reader, request.user, reader_id)
    filled = await forms.fill(request, END)
    if filled.errors:
        return await reader_page(request, reader_id, filled)
    await opening.end(request.user, found, filled["why"])
    return see_other(f"/query-accounts/{reader_id}")


@post("/query-accounts/{reader_id:int}/household", can=Can.READER_KEEP, status_code=200)
async def take_off(request: Request, reader_id: FromPath[int]) -> Response[Any]:
    found = await find(Reader, request.user, reader_id)
    filled = await forms.pressed(request, MEMBER)
    await opening.take_off(request.user, found, filled["member"])
    return see_other(f"/query-accounts/{reader_id}")


@get("/query-accounts/own", can=Can.READER_OWN)
async def own(request: Request) -> Response[Any]:
    one = await own_reader(request.user.grant_id)
    if one is None:
        return await page(request, "query_accounts/none.html")
    return await page(
        request, "query_accounts/show.html", form={}, errors={}, back="/me", own=True,
        reader={"id": one["id"], "name": one["name"], "household": one["household"], "ended": False},
        facts=[["身份", one["standing"]], ["开通", day(one["opened_at"], now())]],
        people=[dict(member) for member in await household(one["id"])])


@post("/query-accounts/own/household", can=Can.READER_OWN, status_code=200)
async def take_off_own(request: Request) -> Response[Any]:
    one = await own_reader(request.user.grant_id)
    if one is None:
        raise NotFoundException
    filled = await forms.pressed(request, MEMBER)
    await opening.take_off(request.user, one, filled["member"])
    return see_other("/query-accounts/own")


ROUTES = [show, end, take_off, own, take_off_own]
