"""Addresses for those who write: choosing what to publish, filling it in, handing it on, correcting, taking down."""
import json
from typing import Any

from asyncpg import Record
from litestar import MediaType, Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from markupsafe import Markup

from server.catalogues import duties
from server.catalogues.rules import Category, DutyState, Form, Frequency, Item
from server.catalogues.tables import current_items
from server.catalogues.tables import item as item_of
from server.core import forms, rich_text, uploads
from server.core.clock import now, today
from server.core.database import row
from server.core.dates import moment
from server.core.forms import Filled, Refused, wall_time
from server.core.moves import WrongState
from server.core.page import page, see_other
from server.core.templates import ENVIRONMENT
from server.disclosure import editing, fields, submission
from server.disclosure.calendar_view import is_for, owed_line, title
from server.disclosure.checks import findings
from server.disclosure.coming_back import came_back, catalogue_told
from server.disclosure.parts import part_of
from server.disclosure.publication import category_word, content_context
from server.disclosure.rules import LEVEL_TONES, OPEN, PLACES, errors
from server.disclosure.show import due_of
from server.disclosure.sight import the_matter, to_write
from server.disclosure.tables import duty_of, files_of, open_edition, owed_now, works_on
from server.permissions import Can
from server.villages.rules import State as VillageState
from server.villages.tables import county_of, village_of

LIMIT = uploads.form_limit(*PLACES)
GRID_MOST = 40  # rows that are shown cell by cell
BLANK = 3  # empty rows to begin with
MOVED = "公开目录刚才更新了，表格的列有变化。写的都在下面，请看一遍再存一次"
EDITED = ("title", "text", "phone", "why")


async def own_village(request: Request) -> Record:
    """The opened village whose matters the actor keeps; NotFoundException else."""
    village = await village_of(request.user)
    if village is None or village["state"] != VillageState.OPENED:
        raise NotFoundException
    return village


# Choosing -------------------------------------------------------------------------------------------------------------

@get("/disclosures/new", can=Can.DISCLOSURE_KEEP)
async def new(request: Request) -> Response[Any]:
    return await new_page(request, await own_village(request), Filled())


async def new_page(request: Request, village: Record, filled: Filled) -> Response[Any]:
    moment_now = now()
    owed = [owed_line(one, moment_now) | {"id": one["id"]} for one in await owed_now(village["code"], today())]
    items = [(one.item, f"{category_word(one.category, village['community'])} · {one.name}")
             for one in await current_items(county_of(village["code"]))
             if one.frequency is Frequency.AT_ONCE and one.applies_to(village["community"])]
    return await page(request, "disclosure/new.html", status=filled.status, form=filled.typed, errors=filled.errors,
                      owed=[one | {"line": one["text"]} for one in owed], items=items, today=today().isoformat())


@post("/disclosures", can=Can.DISCLOSURE_KEEP, status_code=200)
async def begin(request: Request) -> Response[Any]:
    village = await own_village(request)
    owed = "duty" in await forms.names(request)
    filled = await forms.fill(request, fields.CHOSEN if owed else fields.AT_ONCE)
    if not filled.errors:
        try:
            made = await (editing.begin(request.user, village, filled["duty"]) if owed else
                          editing.begin_at_once(request.user, village, filled["item"], filled["ended_on"]))
            return see_other(f"/disclosures/{made}/edit")
        except Refused as refused:
            filled.errors[refused.field] = str(refused)
    return await new_page(request, village, filled)


@get("/disclosures/duties/{duty_id:int}", can=Can.DISCLOSURE_READ)
async def duty(request: Request, duty_id: FromPath[int]) -> Response[Any]:
    if request.user.may(Can.DISCLOSURE_OVERSEE):
        return see_other(f"/disclosures?village={await village_of_duty(request, duty_id)}")
    village = await village_of(request.user)
    found = await duty_of(village["code"], duty_id) if village else None
    if village is None or found is None or not is_for(request.user, found):
        raise NotFoundException
    if found["matter_id"] and (found["published_at"] or (found["edition_state"] and works_on(request.user))):
        return see_other(f"/disclosures/{found['matter_id']}")
    item = await item_of(found["item_id"])
    facts = [["公开时间", found["frequency"]], ["公开形式", found["form"]], ["公开范围", found["audience"]]]
    facts += [[word, text] for word, text in (("内容", item.content), ("业务指导", item.guidance),
                                              ("责任部门", item.department)) if item and text] if item else []
    keeps = request.user.may(Can.DISCLOSURE_KEEP) and found["state"] == DutyState.OWED
    return await page(
        request, "disclosure/duty.html", duty={"id": duty_id, "title": title(found), "facts": facts,
                                               "category": category_word(found["category"], village["community"])},
        due=await due_of({"duty_id": duty_id, "category": found["category"]}), may_keep=keeps,
        may_be_nothing=duties.may_be_nothing(found), errors={},
        nothing_word="本月核对无变化" if found["category"] == Category.CONVENIENCE else "本期没有发生")


async def village_of_duty(request: Request, duty_id: int) -> str:
    """Whose duty it is, for who oversees the village; NotFoundException else."""
    found = await row("SELECT village_code FROM duty WHERE id = $1 AND organisation_path LIKE $2 || '%'", duty_id,
                      request.user.organisation_path)
    if found is None:
        raise NotFoundException
    return found["village_code"]


@get("/disclosures/nothing", can=Can.DISCLOSURE_KEEP)
async def nothing_form(request: Request) -> Response[Any]:
    return await nothing_page(request, Filled())


async def nothing_page(request: Request, filled: Filled) -> Response[Any]:
    village = await own_village(request)
    options = [{"value": one["id"], "label": title(one)} for one in await owed_now(village["code"], today())
               if duties.may_be_nothing(one) and not one["edition_state"]]
    return await page(request, "disclosure/nothing.html", status=filled.status, options=options, errors=filled.errors,
                      form={"duties": filled.several("duties")})


@post("/disclosures/nothing", can=Can.DISCLOSURE_KEEP, status_code=200)
async def nothing(request: Request) -> Response[Any]:
    village = await own_village(request)
    filled = await forms.fill(request, fields.NOTHING)
    if filled.errors:
        return await nothing_page(request, filled)
    await duties.nothing_occurred(request.user, village, filled["duties"])
    return see_other("/disclosures")


# Filling in -----------------------------------------------------------------------------------------------------------

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
    newest = await editing.item_now(matter["village_code"], matter["item"])
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
    now_is = await editing.item_now(matter["village_code"], matter["item"]) or await item_of(edition["item_id"])
    sent = filled.values.get("catalogue_item")
    its = await item_of(sent) if sent and now_is and sent != now_is.id else now_is
    if its is None or now_is is None or its.item != now_is.item:
        raise NotFoundException
    if its.columns != now_is.columns:
        filled.errors["form"] = MOVED
    return its, fields.rows_typed(filled, len(its.columns))


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
    return rich_text.pasted(filled["html"])


# Handing on -----------------------------------------------------------------------------------------------------------

@get("/disclosures/{matter_id:int}/preview", can=Can.DISCLOSURE_KEEP)
async def preview(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter, edition = await to_write(request, matter_id)
    await part_of(matter["form"]).follow(matter, edition)
    return await preview_page(request, matter, edition, {})


async def preview_page(request: Request, matter: Record, edition: Record, faults: dict[str, str],
                       status: int = 200) -> Response[Any]:
    found = await findings(matter, edition)
    context = await content_context(matter, edition, preview=True)
    return await page(
        request, "disclosure/preview.html", status=status, back=f"/disclosures/{matter['id']}", title=edition["title"],
        matter={"id": matter["id"]}, version=edition["version"], errors=faults, fits=not errors(found),
        page=Markup(ENVIRONMENT.get_template("disclosure/_content.html").render(**context)),
        signs=await submission.is_signed_first(matter), open=edition["state"] in OPEN,
        findings=[{"level": str(one.level), "tone": LEVEL_TONES[one.level], "words": one.words, "source": one.source}
                  for one in found])


@post("/disclosures/{matter_id:int}/submission", can=Can.DISCLOSURE_KEEP, status_code=200)
async def submit(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter, edition = await to_write(request, matter_id)
    filled = await forms.pressed(request, (fields.VERSION,))
    try:
        await submission.submit(request.user, matter, edition, filled["version"])
    except submission.NotFit as unfit:
        return await preview_page(request, matter, edition, {"form": str(unfit)}, status=422)
    return see_other(f"/disclosures/{matter_id}")


@post("/disclosures/{matter_id:int}/taking-back", can=Can.DISCLOSURE_KEEP, status_code=200)
async def take_back(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter, edition = await to_write(request, matter_id)
    await forms.nothing(request)
    await submission.take_back(request.user, matter, edition)
    return see_other(f"/disclosures/{matter_id}/edit")


@post("/disclosures/{matter_id:int}/dropping", can=Can.DISCLOSURE_KEEP, status_code=200)
async def drop(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter, edition = await to_write(request, matter_id)
    await forms.nothing(request)
    await editing.drop(request.user, matter, edition)
    return see_other("/disclosures")


# What is published ----------------------------------------------------------------------------------------------------

@get("/disclosures/{matter_id:int}/corrections", can=Can.DISCLOSURE_KEEP)
async def correction_form(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter = await the_matter(request.user, matter_id)
    if matter["edition_id"] is None or matter["withdrawn_at"]:
        raise WrongState("只有公开着的事项才能更正")
    return await correction_page(request, matter, Filled())


async def correction_page(request: Request, matter: Record, filled: Filled) -> Response[Any]:
    return await page(request, "disclosure/correction.html", status=filled.status, form=filled.typed,
                      errors=filled.errors, withdraws=False, asks=False,
                      matter={"id": matter["id"], "title": matter["title"]})


@post("/disclosures/{matter_id:int}/corrections", can=Can.DISCLOSURE_KEEP, status_code=200)
async def correct(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter = await the_matter(request.user, matter_id)
    filled = await forms.fill(request, (fields.WHY,))
    if filled.errors:
        return await correction_page(request, matter, filled)
    await editing.correct(request.user, matter, filled["why"])
    return see_other(f"/disclosures/{matter_id}/edit")


ROUTES = [new, begin, duty, nothing_form, nothing, edit_form, write, keep_draft, cleaned, preview, submit, take_back,
          drop, correction_form, correct]
