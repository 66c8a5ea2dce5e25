"""Addresses of the log: writing, drafts, photographs, the check."""
import json
from typing import Any

from asyncpg import Record
from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from server.core import files, forms
from server.core.actor import Actor
from server.core.clock import now
from server.core.dates import moment as exactly
from server.core.page import page, see_other
from server.core.sight import find
from server.meetings import amendments, fields, logs
from server.meetings.rules import REASON_MAX, Verdict
from server.meetings.show import head, pictures, shown
from server.meetings.tables import Meeting, draft, photos, tally, written
from server.permissions import Can

LOG = (*fields.TEXTS, fields.VERSION)
VERDICT = (
    fields.VERSION, forms.number("photos", "照片"), forms.choice("verdict", "审核结果", Verdict),
    forms.text("reason", "审核不通过的原因", most=REASON_MAX, required=False),
)
PHOTOS = (forms.files("photo", "照片"),)
PHOTO_LIMIT = 25_000_000  # bytes of a form with one photograph


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
                   status: int | None = None) -> Response[Any]:
    """The editor. theirs: what somebody else saved meanwhile, shown beside one's own."""
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
        photos=await pictures(meeting["id"]))


def conflict(filled: forms.Filled, theirs: Record) -> dict[str, Any]:
    """Two texts side by side, where they differ."""
    return {"who": theirs["writer"], "when": exactly(theirs["written_at"], now()), "rows": [
        {"name": name, "label": amendments.LABELS[name],
         "theirs": theirs[name] or "（空）", "mine": filled[name] or "（空）"}
        for name in logs.FIELDS if theirs[name] != filled[name]]}


@post("/meetings/{meeting_id:int}/log", can=Can.MEETING_KEEP, status_code=200)
async def write(request: Request, meeting_id: FromPath[int]) -> Response[Any]:
    meeting = await find(Meeting, request.user, meeting_id)
    filled = await forms.fill(request, LOG)
    if filled.errors:
        logs.refuse(meeting)
        return await log_page(request, meeting, filled)
    if meeting["text_version"] is None and not any(filled[name] for name in logs.FIELDS):
        logs.refuse(meeting)
        filled.errors["minutes"] = "还没有写内容；手写的记录，请在下面上传照片"
        return await log_page(request, meeting, filled)
    try:
        await logs.write(request.user, meeting, {name: filled[name] for name in logs.FIELDS}, filled["version"])
    except logs.Stale:
        await logs.keep_draft(request.user, meeting, {name: filled[name] for name in logs.FIELDS}, filled["version"])
        theirs = await written(meeting_id)
        filled.typed["version"] = theirs["version"] if theirs else 0
        return await log_page(request, meeting, filled, theirs=theirs, status=409)
    return see_other(f"/meetings/{meeting_id}")


@post("/meetings/{meeting_id:int}/log/draft", can=Can.MEETING_KEEP, status_code=204)
async def keep_draft(request: Request, meeting_id: FromPath[int]) -> None:
    meeting = await find(Meeting, request.user, meeting_id)
    filled = await forms.pressed(request, LOG)
    await logs.keep_draft(request.user, meeting, {name: filled[name] for name in logs.FIELDS}, filled["version"])


@post("/meetings/{meeting_id:int}/log/photos", can=Can.MEETING_KEEP, status_code=200, request_max_body_size=PHOTO_LIMIT)
async def add_photo(request: Request, meeting_id: FromPath[int]) -> Response[Any]:
    meeting = await find(Meeting, request.user, meeting_id)
    sent = await forms.fill(request, PHOTOS)
    try:
        if sent.errors or not sent["photo"]:
            raise files.Unfit(sent.errors.get("photo", "请选择照片"))
        for upload in sent["photo"]:
            await logs.add_photo(request.user, meeting, files.Received(upload.filename or "", await upload.read()))
    except files.Unfit as unfit:
        filled = await as_saved(request.user, meeting_id, await written(meeting_id))
        filled.errors["photo"] = str(unfit)
        return await log_page(request, meeting, filled)
    return see_other(f"/meetings/{meeting_id}/log")


@post("/meetings/{meeting_id:int}/log/photos/{file_id:int}/removal", can=Can.MEETING_KEEP, status_code=200)
async def remove_photo(request: Request, meeting_id: FromPath[int], file_id: FromPath[int]) -> Response[Any]:
    await forms.nothing(request)
    await logs.remove_photo(request.user, await find(Meeting, request.user, meeting_id), file_id)
    return see_other(f"/meetings/{meeting_id}/log")


@get("/meetings/{meeting_id:int}/photos/{file_id:int}", can=Can.MEETING_READ)
async def photo(request: Request, meeting_id: FromPath[int], file_id: FromPath[int]) -> Response[bytes]:
    meeting = await find(Meeting, request.user, meeting_id)
    log = (await shown(request.user, meeting))["log"]
    visible = [one["id"] for one in log["photos"]] if log else []
    if request.user.may(Can.LOG_READ):
        visible = [one["id"] for one in await photos(meeting_id)]
    found = await files.stored(file_id) if file_id in visible else None
    if found is None:
        raise NotFoundException
    media_type, body = found
    return Response(body, media_type=media_type, headers={
        "Cache-Control": "no-store", "Content-Security-Policy": "sandbox; default-src 'none'"})


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


ROUTES = [log_form, write, keep_draft, add_photo, remove_photo, photo, check]
