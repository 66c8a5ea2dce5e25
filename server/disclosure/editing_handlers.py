"""Addresses for those who write a matter: the form, its autosave, what is pasted into it."""
import asyncio
import json
from typing import Any

from asyncpg import Record
from litestar import MediaType, Request, Response, get, post
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import FromPath, FromQuery

from server.catalogues.rules import Form, Item
from server.catalogues.tables import item as item_of
from server.catalogues.tables import item_now
from server.core import forms, rich_text, uploads
from server.core.clock import now
from server.core.dates import moment
from server.core.forms import Filled, wall_time
from server.core.moves import WrongState
from server.core.page import page, see_other
from server.disclosure import editing, fields
from server.disclosure.coming_back import came_back, catalogue_told
from server.disclosure.parts import part_of
from server.disclosure.publication import category_word
from server.disclosure.rules import OPEN, PLACES
from server.disclosure.show import due_of
from server.disclosure.sight import to_write
from server.disclosure.tables import files_of, open_edition
from server.permissions import Can

LIMIT = uploads.form_limit(*PLACES)
GRID_MOST = 40  # rows that are shown cell by cell
BLANK = 3  # empty rows to begin with
MOVED = "公开目录刚才更新了，表格的列有变化。写的都在下面，请看一遍再存一次"
EDITED = ("title", "text", "phone", "why")


@get("/disclosures/{matter_id:int}/edit", can=Can.DISCLOSURE_KEEP)
async def edit_form(request: Request, matter_id: FromPath[int], papers: FromQuery[bool] = False) -> Response[Any]:
    matter, edition = await to_write(request, matter_id)
    desk = part_of(matter["form"]).desk
    if edition["state"] not in OPEN:
        return see_other(f"/disclosures/{matter_id}")
    if desk and not papers:
        return see_other(f"/disclosures/{matter_id}/{desk}")
    return await edit_page(request, matter, edition, Filled(typed=as_stored(edition)), json.loads(edition["lines"]),
                           await item_of(edition["item_id"]))


def as_stored(edition: Record) -> dict[str, Any]:
    """An edition as its form shows it."""
    return {name: edition[name] for name in EDITED} | {
        "version": edition["version"], "until": edition["until"].isoformat() if edition["until"] else "",
        "publish_at": wall_time(edition["publish_at"]) if edition["publish_at"] else "", "pasted": ""}


async def edit_page(request: Request, matter: Record, edition: Record, filled: Filled, rows: list[list[str]],
                    its: Item | None, *, handed: tuple[uploads.Handed, ...] = (),
                    conflict: dict[str, Any] | None = None, status: int | None = None) -> Response[Any]:
    """The form. rows: of the table, in the columns of `its`; handed: the papers as sent; conflict: what somebody else
    saved."""
    newest = await item_now(matter["village_code"], matter["community"], matter["item"])
    then = await item_of(edition["item_id"])
    item = newest or then
    columns, before = item.columns if item else (), its.columns if its else ()
    lost = fields.falls_away(rows, before, columns)
    rows = fields.refit(rows, before, columns) if columns else []
    told = await catalogue_told(matter, then, newest)
    if lost:
        told = f"{told or ''}不再公开的列里原来写着：{lost}"
    long = len(rows) > GRID_MOST
    there, sent = await files_of(edition["id"]), {one.place.name: one for one in handed}
    papers = {place.name: await uploads.listed(
        request.user, place, about(matter["id"]),
        [uploads.described(one, f"/disclosures/{matter['id']}/files/{one['id']}") for one in there
         if one["place"] == place.name], sent.get(place.name)) for place in PLACES}
    return await page(
        request, "disclosure/edit.html", status=status or filled.status,
        matter={"id": matter["id"], "title": matter["title"],
                "category": category_word(matter["category"], matter["community"])},
        item={name: getattr(item, name, "") for name in ("id", "content", "guidance")} | {
            "columns": columns, "kind": str(item.form) if item and item.form is not Form.LEDGER else "文字"},
        due=await due_of(matter), form=filled.typed, errors=filled.errors, papers=papers, long=long,
        rows=rows + [[""] * len(columns)] * BLANK if columns else [],
        pasted="\n".join("\t".join(row) for row in rows) if long else filled.typed.get("pasted", ""),
        told=told, conflict=conflict, corrects=matter["edition_id"] is not None,
        **await came_back(edition))


def about(matter_id: int) -> str:
    """What uploads of this form belong to."""
    return f"/disclosures/{matter_id}/edit"


@post("/disclosures/{matter_id:int}/edit", can=Can.DISCLOSURE_KEEP, status_code=200, request_max_body_size=LIMIT)
async def write(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter, edition = await to_write(request, matter_id)
    filled = await forms.fill(request, fields.EDIT)
    handed = tuple([await uploads.handed_in(request.user, place, about(matter_id), filled) for place in PLACES])
    its, rows = await table_sent(matter, edition, filled)
    if not filled.errors and not filled["title"]:
        filled.errors["title"] = "请填写标题"
    if filled.errors:
        return await edit_page(request, matter, edition, filled, rows, its, handed=handed,
                               status=409 if MOVED in filled.errors.values() else None)
    values = {name: filled[name] for name in ("title", "text", "until", "phone", "publish_at", "why")} | {"lines": rows}
    try:
        await editing.save(request.user, matter, edition, values, filled["version"], handed)
    except uploads.Unfit as unfit:
        filled.errors["form"] = str(unfit)
        return await edit_page(request, matter, edition, filled, rows, its, handed=handed)
    except editing.Stale:
        fresh = await open_edition(matter_id)
        if fresh is None:
            raise NotFoundException from None
        filled.typed["version"] = fresh["version"]
        return await edit_page(request, matter, fresh, filled, rows, its, handed=handed, status=409,
                               conflict=conflict_of(fresh, filled, rows))
    return see_other(f"/disclosures/{matter_id}/preview")


async def table_sent(matter: Record, edition: Record, filled: Filled) -> tuple[Item | None, list[list[str]]]:
    """The item whose columns the sent page had, and its rows; puts beside the form that the columns are others now."""
    now_is = await item_now(matter["village_code"], matter["community"], matter["item"])
    now_is = now_is or await item_of(edition["item_id"])
    sent = filled.values.get("catalogue_item")
    its = await item_of(sent) if sent and now_is and sent != now_is.id else now_is
    if its is None or now_is is None or its.item != now_is.item:
        raise NotFoundException
    if its.columns != now_is.columns:
        filled.errors["form"] = MOVED
    return its, fields.rows_typed(filled, its.columns)


def conflict_of(theirs: Record, filled: Filled, table: list[list[str]]) -> dict[str, Any]:
    """Two texts beside each other, where they differ."""
    sides = [(label, theirs[name], filled[name])
             for name, label in (("title", "标题"), ("text", "正文"), ("phone", "联系电话"))]
    sides.append(("表格", in_words(json.loads(theirs["lines"])), in_words(table)))
    return {"who": theirs["saved_who"].split(" · ")[0], "when": moment(theirs["saved_at"], now()), "rows": [
        {"label": label, "theirs": before or "（空）", "mine": mine or "（空）"}
        for label, before, mine in sides if before != mine]}


def in_words(table: list[list[str]]) -> str:
    """A table as a text, a row a line."""
    return "\n".join(" ".join(filter(None, row)) for row in table)


@post("/disclosures/{matter_id:int}/draft", can=Can.DISCLOSURE_KEEP, status_code=204)
async def keep_draft(request: Request, matter_id: FromPath[int]) -> Response[None]:
    """Autosave: the same as saving, without leaving the form. The answer says the version it then has."""
    matter, edition = await to_write(request, matter_id)
    filled = await forms.pressed(request, fields.EDIT)
    _, rows = await table_sent(matter, edition, filled)
    if filled.errors:
        raise WrongState(next(iter(filled.errors.values())))
    values = {name: filled[name] for name in ("title", "text", "until", "phone", "publish_at", "why")} | {"lines": rows}
    try:
        saved = await editing.save(request.user, matter, edition, values, filled["version"])
    except editing.Stale:
        raise WrongState("别人也保存了这份内容") from None
    return Response(None, status_code=204, headers={"X-Version": str(saved)})


@post("/disclosures/cleaned", can=Can.DISCLOSURE_KEEP, status_code=200, media_type=MediaType.TEXT)
async def cleaned(request: Request) -> str:
    """What was pasted from Word, as the text the form keeps."""
    filled = await forms.pressed(request, (forms.text("html", "粘贴的内容", most=rich_text.PASTED_MOST, seen=False),))
    try:
        return await asyncio.to_thread(rich_text.pasted, filled["html"])
    except rich_text.TooMuch as fault:
        raise ClientException(str(fault), status_code=422) from None


ROUTES = [edit_form, write, keep_draft, cleaned]
