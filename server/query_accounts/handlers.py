"""Addresses of query accounts for who keeps them: the list, applications, one account, choosing from the register, the
yearly look; and for their owners the household."""
from typing import Any

from asyncpg import Record
from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from server.core import forms
from server.core.actor import Actor
from server.core.clock import now
from server.core.database import rows, transaction
from server.core.dates import day, moment
from server.core.forms import Filled, Refused
from server.core.page import page, see_other
from server.core.sight import find
from server.people import fields
from server.people.rules import masked_id_number, masked_phone
from server.permissions import Can
from server.query_accounts import applications, opening, yearly
from server.query_accounts.rules import PAGE, WHY_MAX, Standing
from server.query_accounts.tables import (
    Reader,
    ReaderApplication,
    candidates,
    content_of,
    counts,
    household,
    id_number_of,
    own_reader,
    reader,
    readers,
)
from server.query_accounts.tables import applications as waiting
from server.villages.tables import village, village_of, village_seen_by

STANDING = forms.choice("standing", "身份", Standing)
OPEN_APPLIED = (STANDING,)
REFUSE = (fields.reason("why", "原因", most=WHY_MAX),)
END = (fields.reason("why", "原因", most=WHY_MAX),)
CHOSEN = (STANDING, forms.numbers("people", "给谁开通"))
STAYING = (forms.numbers("staying", "继续使用的", required=False),)
MEMBER = (forms.number("member", "家人", most=2**63 - 1),)


async def kept_village(actor: Actor, code: str | None) -> Record:
    """The opened village whose query accounts the actor keeps; NotFoundException else."""
    its = await village_seen_by(actor, code) if code else await village_of(actor)
    if its is None or its["state"] != "已开通":
        raise NotFoundException
    return its


@get("/query-accounts", can=Can.READER_KEEP)
async def index(request: Request, village: FromQuery[str | None] = None, after: FromQuery[int | None] = None,
                q: FromQuery[str] = "") -> Response[Any]:
    actor: Actor = request.user
    if village is None and actor.may(Can.DISCLOSURE_OVERSEE):
        return await choose_village(request)
    its = await kept_village(actor, village)
    words = "".join(character for character in q if character.isprintable())[:20].strip()
    found = await readers(its["code"], after if after and 0 < after < 2**63 else None, words)
    of = await counts(its["code"])
    where = f"&village={its['code']}" if actor.may(Can.DISCLOSURE_OVERSEE) else ""
    return await page(
        request, "query_accounts/list.html", village={"code": its["code"], "name": its["name"]}, typed=words,
        back="/query-accounts" if where else "/to-dos", own=not where, here=f"/query-accounts?{where.lstrip('&')}",
        figures=[(str(of.get(one, 0)), str(one), "grey") for one in Standing],
        applications=[application_line(one) for one in await waiting(its["code"])] if after is None else [],
        readers=[reader_line(one) for one in found[:PAGE]],
        more=f"/query-accounts?after={found[PAGE - 1]['id']}{where}&q={words}" if len(found) > PAGE else None)


async def choose_village(request: Request) -> Response[Any]:
    """A township first says whose list it wants to see."""
    found = await rows("""
        SELECT v.code, u.name, (SELECT count(*) FROM reader r WHERE r.village_code = v.code AND r.ended_at IS NULL) AS many,
               (SELECT count(*) FROM reader_application a WHERE a.village_code = v.code AND a.state = '待核实') AS waiting
        FROM village v JOIN unit u ON u.code = v.code
        WHERE v.organisation_path LIKE $1 || '%' AND v.state = '已开通' ORDER BY v.code""", request.user.organisation_path)
    return await page(request, "query_accounts/villages.html", villages=[dict(one) for one in found])


def application_line(one: Record) -> dict[str, Any]:
    content = content_of("reader_application", one)
    return {"href": f"/query-accounts/applications/{one['id']}", "name": content["name"],
            "line": f"{'一户' if one['household'] else '个人'} · {moment(one['at'], now())}申请"}


def reader_line(one: Record) -> dict[str, Any]:
    about = [one["standing"], f"一户 {one['people'] + 1} 人" if one["household"] else "",
             "" if one["activated"] else "还没有设密码"]
    return {"href": f"/query-accounts/{one['id']}", "name": one["name"], "line": " · ".join(filter(None, about))}


# Applications ---------------------------------------------------------------------------------------------------------

@get("/query-accounts/applications/{application_id:int}", can=Can.READER_KEEP)
async def application(request: Request, application_id: FromPath[int]) -> Response[Any]:
    return await application_page(request, await find(ReaderApplication, request.user, application_id), Filled())


async def application_page(request: Request, one: dict[str, Any], filled: Filled) -> Response[Any]:
    content, its = content_of("reader_application", one), await village(one["village_code"])
    facts = [["姓名", content["name"]], ["身份证号", masked_id_number(id_number_of(one))],
             ["手机号码", masked_phone(content["phone"])],
             ["账号", "一户一个" if one["household"] else "个人"], ["申请", moment(one["at"], now())]]
    facts += [["家庭成员", "、".join(f"{name}（{relation}）" for name, relation in content["household"] or [])]
              ] if content["household"] else []
    if one["answer_at"]:
        facts.append(["结果", f"{one['state']} {one['answer']} · {one['answer_who']} {moment(one['answer_at'], now())}"])
    opened = its is not None and its["state"] == "已开通"
    return await page(
        request, "query_accounts/application.html", status=filled.status, errors=filled.errors, facts=facts,
        form={"standing": str(Standing.VILLAGER)} | filled.typed, application={"id": one["id"], "state": one["state"]},
        standings=forms.options(Standing), opened=opened, waits=one["state"] == "待核实",
        back=f"/query-accounts?village={one['village_code']}" if request.user.may(Can.DISCLOSURE_OVERSEE)
        else "/query-accounts")


@post("/query-accounts/applications/{application_id:int}/opening", can=Can.READER_KEEP, status_code=200)
async def open_applied(request: Request, application_id: FromPath[int]) -> Response[Any]:
    one = await find(ReaderApplication, request.user, application_id)
    its = await kept_village(request.user, one["village_code"])
    filled = await forms.fill(request, OPEN_APPLIED)
    if not filled.errors:
        try:
            opened = await applications.open_applied(request.user, one, its, filled["standing"])
            return see_other(f"/query-accounts/{opened.reader_id}")
        except Refused as refused:
            filled.errors["form"] = str(refused)
    return await application_page(request, one, filled)


@post("/query-accounts/applications/{application_id:int}/refusal", can=Can.READER_KEEP, status_code=200)
async def refuse(request: Request, application_id: FromPath[int]) -> Response[Any]:
    one = await find(ReaderApplication, request.user, application_id)
    filled = await forms.fill(request, REFUSE)
    if filled.errors:
        return await application_page(request, one, filled)
    await applications.refuse(request.user, one, await village(one["village_code"]), filled["why"])
    return see_other(f"/query-accounts/applications/{application_id}")


# Choosing from the register, the yearly look --------------------------------------------------------------------------

@get("/query-accounts/choice", can=Can.READER_KEEP)
async def choice(request: Request) -> Response[Any]:
    return await choice_page(request, await kept_village(request.user, None), Filled())


async def choice_page(request: Request, its: Record, filled: Filled) -> Response[Any]:
    options = [{"value": one["id"], "label": f"{one['name']}（{one['office']}）" if one["office"] else one["name"]}
               for one in await candidates(its["organisation_id"], its["code"])]
    return await page(request, "query_accounts/choice.html", status=filled.status, errors=filled.errors, options=options,
                      standings=forms.options(Standing),
                      form={"standing": str(Standing.COMMITTEES)} | filled.typed | {"people": filled.several("people")})


@post("/query-accounts/choice", can=Can.READER_KEEP, status_code=200)
async def open_chosen(request: Request) -> Response[Any]:
    its = await kept_village(request.user, None)
    filled = await forms.fill(request, CHOSEN)
    if not filled.errors:
        known = {one["id"] for one in await candidates(its["organisation_id"], its["code"])}
        if not set(filled["people"]) <= known:
            filled.errors["people"] = "名单刚才有变化，请重新选择"
    if not filled.errors:
        try:
            async with transaction():
                for person in filled["people"]:
                    await opening.open_for(request.user, its, await opening.account_of(person), filled["standing"], "名单")
            return see_other("/query-accounts")
        except Refused as refused:
            filled.errors["people"] = str(refused)
    return await choice_page(request, its, filled)


@get("/query-accounts/confirmation", can=Can.READER_KEEP)
async def confirmation(request: Request) -> Response[Any]:
    its = await kept_village(request.user, None)
    found = await rows("""SELECT r.id, p.name, r.standing, r.confirmed_on FROM reader r JOIN person p ON p.id = r.person_id
                          WHERE r.village_code = $1 AND r.ended_at IS NULL ORDER BY p.sort_key, r.id""", its["code"])
    return await page(request, "query_accounts/confirmation.html", village=its["name"],
                      options=[{"value": one["id"], "label": f"{one['name']}（{one['standing']}）"} for one in found],
                      staying=[str(one["id"]) for one in found],
                      last=day(min(one["confirmed_on"] for one in found), now()) if found else None)


@post("/query-accounts/confirmation", can=Can.READER_KEEP, status_code=200)
async def confirm(request: Request) -> Response[Any]:
    its = await kept_village(request.user, None)
    filled = await forms.pressed(request, STAYING)
    await yearly.confirm(request.user, its, filled["staying"])
    return see_other("/query-accounts")


# One account ----------------------------------------------------------------------------------------------------------

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
        reader={"id": reader_id, "name": one["name"], "household": one["household"], "ended": one["ended_at"] is not None},
        facts=facts, people=[dict(member) for member in await household(reader_id)], own=False,
        back=f"/query-accounts?village={one['village_code']}" if request.user.may(Can.DISCLOSURE_OVERSEE)
        else "/query-accounts")


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


ROUTES = [index, application, open_applied, refuse, choice, open_chosen, confirmation, confirm, show, end, take_off, own,
          take_off_own]
