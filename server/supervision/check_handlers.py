"""Addresses of spot checks: the list, noting one before the wall, mending, closing."""
from typing import Any

from asyncpg import Record
from litestar import Request, Response, get, post
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import FromPath, FromQuery

from server.core import forms, serving, uploads
from server.core.calendar_days import calendar
from server.core.clock import now, today
from server.core.dates import day, moment
from server.core.deadline_tables import find as find_deadline
from server.core.deadline_words import describe
from server.core.forms import Filled, Refused
from server.core.keyset import IDS_END, below
from server.core.moves import Move
from server.core.page import page, see_other
from server.core.sight import find
from server.disclosure.sight import the_matter
from server.permissions import Can
from server.supervision import checking
from server.supervision.rules import BACK, CLOSE, MENDED, PHOTOS, TEXT_MAX, TONES, State
from server.supervision.tables import SpotCheck, checks_seen_by, spot_check, steps
from server.villages.tables import opened_below, village_seen_by

PAGE = 30
VILLAGES_MOST = 1000  # to choose from
LIMIT = uploads.form_limit(PHOTOS)
FOUND = (
    forms.text("village", "村（社区）", most=12, seen=False), forms.number("matter", "事项", most=2**63 - 1),
    forms.text("finding", "看到的情况", most=TEXT_MAX), forms.flag("same", "墙上和网上一致"),
    forms.day("mend_by", "整改期限", required=False), *uploads.fields(PHOTOS),
)
STEP = (forms.text("text", "说明", most=TEXT_MAX, required=False), *uploads.fields(PHOTOS))
MENDING_DONE = (forms.text("text", "怎样整改的", most=TEXT_MAX), *uploads.fields(PHOTOS))
SENT_BACK = (forms.text("text", "哪里还不对", most=TEXT_MAX),)


@get("/spot-checks", can=Can.SPOT_CHECK_READ)
async def index(request: Request, status: FromQuery[str] = "", before: FromQuery[int] = 0) -> Response[Any]:
    wanted = State(status) if status in set(State) else None
    found = await checks_seen_by(request.user, wanted, below(before), PAGE + 1)
    base = f"/spot-checks?status={wanted}&" if wanted else "/spot-checks?"
    return await page(
        request, "supervision/checks.html", here="/spot-checks", checks=request.user.may(Can.SPOT_CHECK),
        chips=[{"label": "全部", "href": "/spot-checks", "current": wanted is None}] + [
            {"label": str(one), "href": f"/spot-checks?status={one}", "current": one is wanted} for one in State],
        found=[{"href": f"/spot-checks/{one['id']}", "title": f"{one['village']} {one['title'] or one['finding'][:20]}",
                "line": f"{moment(one['at'], now())} · {one['who']}", "state": one["state"],
                "tone": TONES[State(one["state"])]} for one in found[:PAGE]],
        more=f"{base}before={found[PAGE - 1]['id']}" if len(found) > PAGE else None)


@get("/spot-checks/new", can=Can.SPOT_CHECK)
async def new(request: Request, matter: FromQuery[int] = 0, village: FromQuery[str] = "") -> Response[Any]:
    return await new_page(request, Filled(typed={"matter": str(max(0, matter)), "village": village}))


async def about(request: Request, filled: Filled) -> tuple[Record | None, Record | None]:
    """The matter and the village a check is about, as far as they are chosen; NotFoundException outside one's sight."""
    number = int(filled.typed.get("matter") or 0)
    if number >= IDS_END:
        raise NotFoundException
    matter = await the_matter(request.user, number) if number else None
    code = matter["village_code"] if matter else filled.typed.get("village", "")
    its = await village_seen_by(request.user, code) if code else None
    if code and its is None:
        raise NotFoundException
    return matter, its


async def new_page(request: Request, filled: Filled, handed: uploads.Handed | None = None) -> Response[Any]:
    matter, its = await about(request, filled)
    villages = [] if its else await opened_below(request.user.organisation_path, most=VILLAGES_MOST)
    return await page(
        request, "supervision/new_check.html", status=filled.status, errors=filled.errors, form=filled.typed,
        village=its["name"] if its else None, code=its["code"] if its else "",
        villages=[(one["code"], f"{one['township']} {one['name']}") for one in villages],
        matter={"id": matter["id"], "title": matter["title"]} if matter else None, today=today().isoformat(),
        photos=await uploads.listed(request.user, PHOTOS, "/spot-checks/new", (), handed))


@post("/spot-checks/new", can=Can.SPOT_CHECK, status_code=200, request_max_body_size=LIMIT)
async def add(request: Request) -> Response[Any]:
    filled = await forms.fill(request, FOUND)
    handed = await uploads.handed_in(request.user, PHOTOS, "/spot-checks/new", filled)
    if "matter" in filled.errors:
        raise ClientException(filled.errors["matter"], status_code=422)
    matter, its = await about(request, filled)
    if its is None:
        filled.errors["village"] = "请选择村（社区）"
    if not filled.errors and not filled["same"] and filled["mend_by"] is None:
        filled.errors["mend_by"] = "不一致的要写明整改期限"
    if not filled.errors and its is not None:
        try:
            mend_by = None if filled["same"] else filled["mend_by"]
            made = await checking.check(request.user, its, filled["finding"], mend_by, handed,
                                        matter_id=matter["id"] if matter else None)
            return see_other(f"/spot-checks/{made}")
        except Refused as refused:
            filled.errors[refused.field] = str(refused)
        except uploads.Unfit as unfit:
            filled.errors[PHOTOS.name] = str(unfit)
    return await new_page(request, filled, handed)


@get("/spot-checks/{check_id:int}", can=Can.SPOT_CHECK_READ)
async def show(request: Request, check_id: FromPath[int]) -> Response[Any]:
    await find(SpotCheck, request.user, check_id)
    return await check_page(request, check_id, Filled())


def address(check_id: int) -> str:
    """What uploads of its forms belong to."""
    return f"/spot-checks/{check_id}"


async def check_page(request: Request, check_id: int, filled: Filled,
                     handed: uploads.Handed | None = None) -> Response[Any]:
    one = await spot_check(check_id)
    if one is None:
        raise NotFoundException
    state, may = State(one["state"]), request.user.may
    due = await find_deadline("mending", checking.CHECK, check_id)
    facts = [["村（社区）", one["village"]], ["抽查", f"{one['who']} · {moment(one['at'], now())}"]]
    facts += [["事项", one["title"]]] if one["title"] else []
    facts += [["整改期限", day(one["mend_by"], now())]] if one["mend_by"] else []
    return await page(
        request, "supervision/check.html", status=filled.status, form=filled.typed, errors=filled.errors,
        check={"id": check_id, "state": str(state), "tone": TONES[state], "finding": one["finding"], "facts": facts},
        steps=[{"kind": step["kind"], "text": step["text"], "who": f"{step['who']} · {moment(step['at'], now())}",
                "files": [f"/spot-checks/{check_id}/photos/{file}" for file in step["files"]]}
               for step in await steps(check_id)],
        due=describe(due, now(), await calendar()) if due and due.state == "open" else None,
        matter=f"/disclosures/{one['matter_id']}" if one["matter_id"] else None,
        may_mend=may(MENDED.can) and state in MENDED.frm,
        may_close=may(CLOSE.can) and state in CLOSE.frm and one["by_id"] == request.user.organisation_id,
        photos=await uploads.listed(request.user, PHOTOS, address(check_id), (), handed))


async def move(request: Request, check_id: int, by: Move, fields: tuple[forms.Field, ...]) -> Response[Any]:
    found = await find(SpotCheck, request.user, check_id)
    filled = await forms.fill(request, fields)
    with_photos = any(one.name == PHOTOS.name for one in fields)
    handed = await uploads.handed_in(request.user, PHOTOS, address(check_id), filled) if with_photos else None
    if not filled.errors:
        try:
            await checking.move(request.user, found, by, filled["text"], handed)
            return see_other(f"/spot-checks/{check_id}")
        except uploads.Unfit as unfit:
            filled.errors[PHOTOS.name] = str(unfit)
    return await check_page(request, check_id, filled, handed)


@post("/spot-checks/{check_id:int}/mending", can=MENDED.can, status_code=200, request_max_body_size=LIMIT)
async def mended(request: Request, check_id: FromPath[int]) -> Response[Any]:
    return await move(request, check_id, MENDED, MENDING_DONE)


@post("/spot-checks/{check_id:int}/closing", can=CLOSE.can, status_code=200, request_max_body_size=LIMIT)
async def close(request: Request, check_id: FromPath[int]) -> Response[Any]:
    return await move(request, check_id, CLOSE, STEP)


@post("/spot-checks/{check_id:int}/return", can=BACK.can, status_code=200)
async def send_back(request: Request, check_id: FromPath[int]) -> Response[Any]:
    return await move(request, check_id, BACK, SENT_BACK)


@get("/spot-checks/{check_id:int}/photos/{file_id:int}", can=Can.SPOT_CHECK_READ)
async def photo(request: Request, check_id: FromPath[int], file_id: FromPath[int]) -> Response[Any]:
    await find(SpotCheck, request.user, check_id)
    if file_id not in [file for step in await steps(check_id) for file in step["files"]]:
        raise NotFoundException
    return await serving.serve(request, file_id)


ROUTES = [index, new, add, show, mended, close, send_back, photo]
