"""The auditor's addresses: searching the evidence, an object's story, the verification. All but asking for it reads."""
from typing import Any

from litestar import MediaType, Request, Response, get, post
from litestar.datastructures import FormMultiDict
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from server.core import checkpoints, forms, keyset
from server.core.page import page, see_other
from server.evidence import actions, show, tables, words
from server.people import fields
from server.permissions import Can


def one_of(name: str, label: str, known: dict[str, str]) -> forms.Field:
    """One of the keys of `known`, or nothing."""
    def read_one(typed: list[str]) -> str:
        if typed and typed[0] and typed[0] not in known:
            raise ValueError(f"请选择{label}")
        return typed[0] if typed else ""
    return forms.Field(name, label, read_one)


def some_number(name: str, label: str) -> forms.Field:
    """A number, or None."""
    def read_number(typed: list[str]) -> int | None:
        digits = typed[0].strip() if typed else ""
        if digits and not (digits.isascii() and digits.isdecimal() and len(digits) < 19):
            raise ValueError(f"{label}应是数字")
        return int(digits) if digits else None
    return forms.Field(name, label, read_number)


SEARCH = (
    fields.reason("name", "姓名", most=40, required=False), one_of("verb", "事项", words.VERBS),
    one_of("kind", "对象", words.KINDS), some_number("number", "对象编号"),
    fields.reason("organisation", "党组织", most=40, required=False), forms.day("since", "从哪天", required=False),
    forms.day("until", "到哪天", required=False),
)
AFTER = forms.text("after", "页面", most=80, required=False, seen=False)


@post("/audit", can=Can.AUDIT_READ, status_code=200)
async def search(request: Request) -> Response[Any]:
    """What is searched for comes this way: a name, or a number typed by mistake, stands in no address."""
    filled = await forms.fill(request, (*SEARCH, AFTER))
    filled.typed.pop("after", None)
    return await list_page(request, filled, keyset.read(filled.values.pop("after", None)))


@get("/audit", can=Can.AUDIT_READ)
async def index(request: Request) -> Response[Any]:
    sent = request.query_params
    filled = forms.read(FormMultiDict([(one.name, value) for one in SEARCH for value in sent.getall(one.name, [])]),
                        SEARCH)
    return await list_page(request, filled, keyset.read(sent.get("after")))


async def list_page(request: Request, filled: forms.Filled, after: keyset.Place | None) -> Response[Any]:
    """The events that were asked for, from `after` on."""
    typed = {name: value for name, value in filled.typed.items() if value}
    found = await tables.events(request.user, await asked(request, filled), after) if not filled.errors else []
    listed = found[:tables.PAGE]
    older = keyset.mark(listed[-1]["at"], listed[-1]["id"]) if len(found) > tables.PAGE else None
    altered = await tables.altered([event["id"] for event in listed])
    return await page(
        request, "evidence/list.html", form=filled.typed, errors=filled.errors,
        sought=None if filled.errors else show.sought(typed), status=filled.status,
        subline=request.user.organisation_name,
        verbs=list(words.VERBS.items()), kinds=list(words.KINDS.items()),
        days=show.days(listed, await tables.names_of(listed), altered), older=older, typed=typed)


async def asked(request: Request, filled: forms.Filled) -> dict[str, Any]:
    """What was asked for, as tables.CONDITIONS names it."""
    values = {name: value for name, value in filled.values.items() if value not in ("", None)}
    if "organisation" in values:
        values["paths"] = await tables.paths_named(request.user, values.pop("organisation"))
    if "since" in values:
        values["since"] = tables.day_begins(values["since"])
    if "until" in values:
        values["until"] = tables.day_ends(values["until"])
    return values


@get("/audit/{kind:str}/{subject_id:int}", can=Can.AUDIT_READ)
async def story(request: Request, kind: FromPath[str], subject_id: FromPath[int]) -> Response[Any]:
    after = keyset.read(request.query_params.get("after"))
    found = kind in words.KINDS and await tables.events(request.user, {"kind": kind, "number": subject_id}, after)
    if not found:
        raise NotFoundException
    listed, names = found[:tables.PAGE], await tables.names_of(found[:1])
    ids = [event["id"] for event in listed]
    erased, altered = await tables.erased(ids), await tables.altered(ids)
    return await page(
        request, "evidence/show.html", title=f"{words.KINDS[kind]} {subject_id}",
        subline=names.get((kind, subject_id)),
        events=[show.told(event, erased, event["id"] in altered) for event in listed],
        older=f"/audit/{kind}/{subject_id}?after={keyset.mark(listed[-1]['at'], listed[-1]['id'])}"
        if len(found) > tables.PAGE else None)


@get("/audit/verification", can=Can.AUDIT_READ)
async def verification(request: Request) -> Response[Any]:
    return await page(request, "evidence/verification.html", key=checkpoints.public_key().hex(),
                      **await show.picture(request.user))


@post("/audit/verification", can=Can.AUDIT_READ, status_code=303)
async def verify(request: Request) -> Response[Any]:
    await forms.nothing(request)
    await actions.ask(request.user)
    return see_other("/audit/verification")


@get("/audit/verification/checkpoints/{number:int}", can=Can.AUDIT_READ, media_type=MediaType.TEXT)
async def download(number: FromPath[int]) -> Response[str]:
    kept = await tables.checkpoint(number)
    if kept is None:
        raise NotFoundException
    name = checkpoints.NAME.format(number)
    return Response(checkpoints.opened(kept["body"], kept["signature"]).text, media_type="text/plain; charset=utf-8",
                    headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"})


ROUTES = [index, search, story, verification, verify, download]
