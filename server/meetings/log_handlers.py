"""Addresses of the log: writing, drafts, photographs, the check."""
import json
from collections.abc import Sequence
from typing import Any

from asyncpg import Record
from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from server.core import forms, serving, uploads
from server.core.actor import Actor
from server.core.clock import now
from server.core.dates import moment as exactly
from server.core.kinds import Place, Unfit
from server.core.page import page, see_other
from server.core.sight import find
from server.meetings import amendments, fields, logs
from server.meetings.rules import ATTACHMENTS, PHOTOS, REASON_MAX, Verdict
from server.meetings.show import head, papers_of, shown
from server.meetings.tables import Meeting, draft, tally, written
from server.permissions import Can

PLACES = (PHOTOS, ATTACHMENTS)
LOG = (*fields.TEXTS, fields.VERSION, *(field for place in PLACES for field in uploads.fields(place)))
VERDICT = (
    fields.VERSION, forms.number("photos", "照片"), forms.choice("verdict", "审核结果", Verdict),
    forms.text("reason", "审核不通过的原因", most=REASON_MAX, required=False),
)
LIMIT = uploads.form_limit(*PLACES)


@get("/meetings/{meeting_id:int}/log", can=Can.MEETING_KEEP)
async def log_form(request: Request, meeting_id: FromPath[int]) -> Response[Any]:
    meeting = await find(Meeting, request.user, meeting_id)
    logs.refuse(meeting)
    log = await written(meeting_id)
    filled = await as_saved(request.user, meeting_id, log)
    if log and log["version"] > filled.typed["version"]:
        filled.values, filled.typed["version"] = dict(filled.typed), log["version"]
        differs = any(log[name] != filled[name] for name in logs.FIELDS)
        return await log_page(request, meeting, filled, theirs=log if differs else None)
    return await log_page(request, meeting, filled)


async def as_saved(actor: Actor, meeting_id: int, log: Record | None) -> forms.Filled:
    """The text as it stands in `log`, or the actor's own draft of it where there is one."""
    kept = await draft(meeting_id, actor.person_id)
    typed: dict[str, Any] = {name: log[name] if log else "" for name in logs.FIELDS}
    typed |= {"version": log["version"] if log else 0, "draft": None}
    if kept:
        typed |= json.loads(kept["fields"])
        typed |= {"version": kept["log_version"], "draft": exactly(kept["saved_at"], now())}
    return forms.Filled(typed=typed)


async def log_page(request: Request, meeting: dict[str, Any], filled: forms.Filled, *, theirs: Record | None = None,
                   status: int | None = None, handed: Sequence[uploads.Handed] = ()) -> Response[Any]:
    """The editor. theirs: what somebody else saved meanwhile, shown beside one's own; handed: the papers as sent."""
    counted = await tally(meeting["id"])
    figures = (("应到", "expected"), ("参加", "present"), ("请假", "excused"), ("缺席", "absent"),
               ("还没记", "unmarked"))
    attendance = {"text": "，".join(f"{word} {counted[name]}" for word, name in figures),
                  "href": f"/meetings/{meeting['id']}/attendance", "complete": not counted["unmarked"]}
    return await page(
        request, "meetings/log.html", **await head(meeting), form=filled.typed, errors=filled.errors,
        version=filled.typed["version"], draft=filled.typed.get("draft"), attendance=attendance,
        returned=meeting["check_reason"] if meeting["verdict"] == Verdict.RETURNED else None,
        conflict=conflict(filled, theirs) if theirs else None, status=status or filled.status,
        papers=await papers_shown(request.user, meeting["id"], handed))


async def papers_shown(actor: Actor, meeting_id: int, handed: Sequence[uploads.Handed]) -> dict[str, Any]:
    """The upload component of each place: what the log has, and what this officer has sent and not saved."""
    there, sent = await papers_of(meeting_id), {one.place.name: one for one in handed}
    return {place.name: await uploads.listed(actor, place, form_of(meeting_id), there[place.name],
                                             sent.get(place.name)) for place in PLACES}


def form_of(meeting_id: int) -> str:
    """What its uploads belong to."""
    return f"/meetings/{meeting_id}/log"


def conflict(filled: forms.Filled, theirs: Record) -> dict[str, Any]:
    """Two texts side by side, where they differ."""
    return {"who": theirs["writer"], "when": exactly(theirs["written_at"], now()), "rows": [
        {"name": name, "label": amendments.LABELS[name],
         "theirs": theirs[name] or "（空）", "mine": filled[name] or "（空）"}
        for name in logs.FIELDS if theirs[name] != filled[name]]}


@post("/meetings/{meeting_id:int}/log", can=Can.MEETING_KEEP, status_code=200, request_max_body_size=LIMIT)
async def write(request: Request, meeting_id: FromPath[int]) -> Response[Any]:
    meeting = await find(Meeting, request.user, meeting_id)
    logs.refuse(meeting)
    filled = await forms.fill(request, LOG)
    handed = [await uploads.handed_in(request.user, place, form_of(meeting_id), filled) for place in PLACES]
    empty = meeting["text_version"] is None and not any(filled.typed[name] for name in logs.FIELDS)
    if empty and not filled.errors and not any(handed):
        filled.errors["minutes"] = "还没有写内容；手写的记录，拍照上传也可以"
    if filled.errors:
        return await log_page(request, meeting, filled, handed=handed)
    texts = {name: filled[name] for name in logs.FIELDS}
    try:
        await logs.write(request.user, meeting, texts, filled["version"], handed)
    except Unfit as unfit:
        filled.errors["form"] = str(unfit)
        return await log_page(request, meeting, filled, handed=handed)
    except logs.Stale:
        await logs.keep_draft(request.user, meeting, texts, filled["version"])
        theirs = await written(meeting_id)
        filled.typed["version"] = theirs["version"] if theirs else 0
        return await log_page(request, meeting, filled, theirs=theirs, status=409, handed=handed)
    return see_other(f"/meetings/{meeting_id}")


@post("/meetings/{meeting_id:int}/log/draft", can=Can.MEETING_KEEP, status_code=204)
async def keep_draft(request: Request, meeting_id: FromPath[int]) -> None:
    meeting = await find(Meeting, request.user, meeting_id)
    filled = await forms.pressed(request, LOG)
    await logs.keep_draft(request.user, meeting, {name: filled[name] for name in logs.FIELDS}, filled["version"])


@get("/meetings/{meeting_id:int}/photos/{file_id:int}", can=Can.MEETING_READ)
async def photo(request: Request, meeting_id: FromPath[int], file_id: FromPath[int]) -> Response[Any]:
    return await paper(request, meeting_id, file_id, PHOTOS)


@get("/meetings/{meeting_id:int}/attachments/{file_id:int}", can=Can.MEETING_READ)
async def attachment(request: Request, meeting_id: FromPath[int], file_id: FromPath[int]) -> Response[Any]:
    return await paper(request, meeting_id, file_id, ATTACHMENTS)


async def paper(request: Request, meeting_id: int, file_id: int, place: Place) -> Response[Any]:
    """A file of the log to who sees the log it belongs to."""
    meeting = await find(Meeting, request.user, meeting_id)
    if request.user.may(Can.LOG_READ):
        visible = (await papers_of(meeting_id))[place.name]
    else:
        log = (await shown(request.user, meeting))["log"]
        visible = log["photos" if place is PHOTOS else "attachments"] if log else []
    if file_id not in [one["id"] for one in visible]:
        raise NotFoundException
    return await serving.serve(request, file_id)


@post("/meetings/{meeting_id:int}/log/check", can=Can.LOG_CHECK, status_code=200)
async def check(request: Request, meeting_id: FromPath[int]) -> Response[Any]:
    meeting = await find(Meeting, request.user, meeting_id)
    filled = await forms.fill(request, VERDICT)
    if filled.values.get("verdict") is Verdict.RETURNED and not filled.values.get("reason"):
        filled.errors.setdefault("reason", "请写明为什么不通过")
    if filled.errors:
        context = await shown(request.user, meeting) | {"form": filled.typed, "errors": filled.errors}
        return await page(request, "meetings/show.html", status=422, **context)
    await logs.check(request.user, meeting, filled["version"], filled["photos"], reason=filled["reason"],
                     passed=filled["verdict"] is Verdict.PASSED)
    return see_other(f"/meetings/{meeting_id}")


ROUTES = [log_form, write, keep_draft, photo, attachment, check]
