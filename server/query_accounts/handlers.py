"""Addresses of a village's query accounts for who keeps them: the list, choosing from the register, the yearly look."""
from collections import Counter
from typing import Any

from asyncpg import Record
from litestar import Request, Response, get, post
from litestar.params import FromQuery

from server.core import forms
from server.core.actor import Actor
from server.core.clock import now
from server.core.database import rows, transaction
from server.core.dates import day, moment
from server.core.forms import Filled, Refused
from server.core.page import page, see_other
from server.people.tables import phone_of
from server.permissions import Can
from server.query_accounts import opening, yearly
from server.query_accounts.fields import STANDING
from server.query_accounts.kept import kept_village
from server.query_accounts.rules import PAGE, Standing
from server.query_accounts.tables import applications as waiting
from server.query_accounts.tables import (
    candidates,
    content_of,
    counts,
    readers,
)

CHOSEN = (STANDING, forms.numbers("people", "给谁开通"))
STAYING = (forms.numbers("staying", "继续使用的", required=False), forms.numbers("shown", "名单", required=False),
           forms.number("ending", "停用几个", required=False))
NAMED = 5  # of those whose accounts end


SEARCH = (  # by POST: no name ever stands in an address
    forms.text("name", "姓名", most=20, required=False),
    forms.text("village", "村（社区）", most=12, required=False, seen=False),
    forms.number("after", "上一个", most=2**63 - 1, required=False),
)


@get("/query-accounts", can=Can.READER_KEEP)
async def index(request: Request, village: FromQuery[str | None] = None,
                after: FromQuery[int | None] = None) -> Response[Any]:
    if village is None and request.user.may(Can.DISCLOSURE_OVERSEE):
        return await choose_village(request)
    its = await kept_village(request.user, village)
    return await list_page(request, its, after if after and 0 < after < 2**63 else None)


@post("/query-accounts/search", can=Can.READER_KEEP, status_code=200)
async def find(request: Request) -> Response[Any]:
    filled = await forms.pressed(request, SEARCH)
    its = await kept_village(request.user, filled["village"] or None)
    return await list_page(request, its, filled["after"], filled["name"])


async def list_page(request: Request, its: Record, after: int | None, words: str = "") -> Response[Any]:
    """A page of a village's query accounts; words: only of names that have them."""
    actor: Actor = request.user
    found = await readers(its["code"], after, words)
    of = await counts(its["code"])
    where = f"&village={its['code']}" if actor.may(Can.DISCLOSURE_OVERSEE) else ""
    return await page(
        request, "query_accounts/list.html", village={"code": its["code"], "name": its["name"]}, typed=words,
        back="/query-accounts" if where else "/to-dos", own=not where, here=f"/query-accounts?{where.lstrip('&')}",
        figures=[(str(of.get(one, 0)), str(one), "grey") for one in Standing],
        applications=[application_line(one) for one in await waiting(its["code"])] if after is None else [],
        readers=[reader_line(one) for one in found[:PAGE]],
        after=found[PAGE - 1]["id"] if len(found) > PAGE else None,
        more=f"/query-accounts?after={found[PAGE - 1]['id']}{where}" if len(found) > PAGE and not words else None)


async def choose_village(request: Request) -> Response[Any]:
    """A township first says whose list it wants to see."""
    found = await rows("""
        SELECT v.code, u.name,
            (SELECT count(*) FROM reader r WHERE r.village_code = v.code AND r.ended_at IS NULL) AS many,
            (SELECT count(*) FROM reader_application a WHERE a.village_code = v.code AND a.state = '待核实') AS waiting
        FROM village v JOIN unit u ON u.code = v.code
        WHERE v.organisation_path LIKE $1 || '%' AND v.state = '已开通' ORDER BY v.code""",
                       request.user.organisation_path)
    return await page(request, "query_accounts/villages.html", villages=[dict(one) for one in found])


def application_line(one: Record) -> dict[str, Any]:
    content = content_of("reader_application", one)
    return {"href": f"/query-accounts/applications/{one['id']}", "name": content["name"],
            "line": f"{'一户' if one['household'] else '个人'} · {moment(one['at'], now())}申请"}


def reader_line(one: Record) -> dict[str, Any]:
    about = [one["standing"], f"一户 {one['people'] + 1} 人" if one["household"] else "",
             "" if one["activated"] else "还没有设密码"]
    return {"href": f"/query-accounts/{one['id']}", "name": one["name"], "line": " · ".join(filter(None, about))}


# Choosing from the register, the yearly look --------------------------------------------------------------------------

@get("/query-accounts/choice", can=Can.READER_KEEP)
async def choice(request: Request) -> Response[Any]:
    return await choice_page(request, await kept_village(request.user, None), Filled())


async def choice_page(request: Request, its: Record, filled: Filled) -> Response[Any]:
    options = [{"value": one["id"], "label": f"{one['name']}（{one['office']}）" if one["office"] else one["name"]}
               for one in await candidates(its["organisation_id"], its["code"])]
    return await page(request, "query_accounts/choice.html", status=filled.status, errors=filled.errors,
                      options=options, standings=forms.options(Standing),
                      form=filled.typed | {"people": filled.several("people")})


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
                    account = await opening.account_of(person)
                    await opening.open_for(request.user, its, account, filled["standing"], "名单")
            return see_other("/query-accounts")
        except Refused as refused:
            filled.errors["people"] = str(refused)
    return await choice_page(request, its, filled)


@get("/query-accounts/confirmation", can=Can.READER_KEEP)
async def confirmation(request: Request) -> Response[Any]:
    return await confirmation_page(request, await kept_village(request.user, None), None)


async def confirmation_page(request: Request, its: Record, filled: Filled | None) -> Response[Any]:
    """The list; filled: what was sent with some not ticked, whose accounts end, and so is asked once more."""
    found = await rows("""SELECT r.id, p.id AS person_id, p.name, p.phone, r.standing, r.confirmed_on
                          FROM reader r JOIN person p ON p.id = r.person_id
                          WHERE r.village_code = $1 AND r.ended_at IS NULL ORDER BY p.sort_key, r.id""", its["code"])
    times = Counter(one["name"] for one in found)
    labels = {one["id"]: told_apart(one, times[one["name"]]) for one in found}
    staying = set(labels) - (set(filled["shown"]) - set(filled["staying"])) if filled else set(labels)
    ending = [label for reader, label in labels.items() if reader not in staying]
    named = "、".join(ending[:NAMED]) + "等" * (len(ending) > NAMED)
    words = f"没有勾的 {len(ending)} 个账号会停用：{named}。对的话，在下面再确认一次；不对的，把勾打上"
    return await page(request, "query_accounts/confirmation.html", village=its["name"], ending=len(ending),
                      options=[{"value": reader, "label": label} for reader, label in labels.items()],
                      staying=[str(reader) for reader in staying],
                      errors={"staying": words} if filled else {}, status=422 if filled else 200,
                      last=day(min(one["confirmed_on"] for one in found), now()) if found else None)


def told_apart(one: Record, namesakes: int) -> str:
    """A reader's name and standing; of several of one name also how the phone ends."""
    phone = phone_of(one["person_id"], one["phone"]) if namesakes > 1 else None
    return f"{one['name']}{f' 尾号 {phone[-4:]}' if phone else ''}（{one['standing']}）"


@post("/query-accounts/confirmation", can=Can.READER_KEEP, status_code=200)
async def confirm(request: Request) -> Response[Any]:
    its = await kept_village(request.user, None)
    filled = await forms.pressed(request, STAYING)
    ending = set(filled["shown"]) - set(filled["staying"])
    if ending and filled["ending"] != len(ending):
        return await confirmation_page(request, its, filled)
    await yearly.confirm(request.user, its, filled["staying"], filled["shown"])
    return see_other("/query-accounts")


ROUTES = [index, find, choice, open_chosen, confirmation, confirm]
