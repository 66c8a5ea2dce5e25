"""What the pages of one meeting show, computed here so that the templates only show it."""
import json
from datetime import datetime
from typing import Any

from asyncpg import Record

from server.core import uploads, versions
from server.core.actor import Actor
from server.core.calendar_days import calendar
from server.core.clock import now
from server.core.dates import moment as exactly
from server.core.dates import span
from server.meetings import amendments
from server.meetings.cards import replies
from server.meetings.logs import FIELDS, who_checks
from server.meetings.rules import ATTACHMENTS, CANCEL, CORRECT, LOCKED, MOVE, MOVES, PHOTOS, TONES, Mark, Reply, Verdict
from server.meetings.tables import explanations_of, papers, people, times
from server.meetings.words import checked_in, lock_due
from server.permissions import Can

MARK_TONES: dict[str, str] = {Mark.PRESENT: "green", Mark.EXCUSED: "gold", Mark.ABSENT: "red", Mark.GUEST: "blue"}
STATE_TONES = {"待处理": "amber", "已更改": "green", "已退回": "grey"}
UNSEEN = "记录还在审核，审核通过后在这里看"


async def head(meeting: dict[str, Any]) -> dict[str, Any]:
    """What every page of a meeting knows of it: title, when, stage and the countdown.

    meeting: as it was found; `amended` is the log as the committee made it, or None."""
    moment, days = now(), await calendar()
    amended = json.loads(meeting["amended"]) if meeting["amended"] else None
    its = times(meeting, amended=amended is not None)
    facts = amended or meeting
    begins, ends = meeting["begins_at"], meeting["ends_at"]
    if amended:
        begins, ends = (datetime.fromisoformat(amended[name]) for name in ("begins_at", "ends_at"))
    when, stage = span(begins, ends, moment), its.stage(moment)
    due = None if its.cancelled else lock_due(meeting, moment, days)
    return {
        "its": its, "amended": amended, "due": due,
        "meeting": {
            "id": meeting["id"], "title": facts["topic"], "kinds": facts["kinds"], "when": when,
            "branch": meeting["branch"], "stage": str(stage), "tone": TONES[stage], "due": due,
            "place": facts["place"], "reason": meeting["reason"] and
            f"{CANCEL.label if its.cancelled else MOVE.label}原因：{meeting['reason']}",
            "facts": [["时间", when], ["地点", facts["place"] or "未填"]],
        },
    }


def views(meeting_id: int, current: str) -> list[dict[str, Any]]:
    """The two ways of taking attendance, side by side."""
    return [{"label": label, "href": f"/meetings/{meeting_id}/{name}", "current": name == current}
            for label, name in (("名单", "attendance"), ("签到二维码", "check-in-wall"))]


async def shown(actor: Actor, meeting: dict[str, Any]) -> dict[str, Any]:
    """Everything the page of one meeting shows to this viewer."""
    context, listed = await head(meeting), await people(meeting["id"])
    content = context["amended"] or amendments.as_recorded(meeting, meeting, listed)
    place = next((one for one in listed if one["person_id"] == actor.person_id), None)
    its = context["its"]
    begun = now() >= its.check_in_opens or context["amended"]
    attendance = came(content["attendance"]) if begun else expected(listed)
    return context | await text_of(actor, meeting, context, content) | {
        "back": "/meetings", "branch": context["meeting"]["branch"], "notice": None, "form": {}, "errors": {},
        "acts": acts(actor, context, place, explained=meeting["explained"]), "changes": changes(actor, context),
        "own": own_words(place, context["amended"], actor.person_id), "locked": lock_words(actor, meeting, context),
        "attendance": None if its.cancelled else attendance,
        "attendance_note": None, "amendments": await told(meeting) if meeting["explained"] else [],
    }


def own_words(place: Record | None, amended: dict[str, Any] | None, person_id: int) -> dict[str, str] | None:
    """The viewer's own place on the list, or in the log as the committee made it."""
    mark = next((mark for person, _, mark in amended["attendance"] if person == person_id), None) if amended else None
    if mark and (place is None or mark != place["mark"]):
        return {"text": f"您的参加情况：{mark}", "tone": MARK_TONES[mark]}
    if place is None:
        return None
    if place["mark"] == Mark.PRESENT:
        return {"text": checked_in(place["how"], place["marked_at"]), "tone": "green"}
    if place["mark"]:
        return {"text": f"您的参加情况：{place['mark']}", "tone": MARK_TONES[place["mark"]]}
    return {"text": f"您已回复：{place['reply']}", "tone": "green"} if place["reply"] else None


def lock_words(actor: Actor, meeting: dict[str, Any], context: dict[str, Any]) -> dict[str, Any] | None:
    """Once locked: why nothing can be changed, and what to do (M2§6)."""
    if not context["its"].locked(now()) or context["its"].cancelled:
        return None
    act, above = None, meeting["committee"] or "基层党委"
    if actor.may(Can.MEETING_KEEP):
        act = {"label": "更改说明", "href": f"/meetings/{meeting['id']}/amendments"}
    title = LOCKED if context["its"].recorded else f"{LOCKED}；没有按时记入"
    text = f"确需更改的，由支部写“更改说明”，{above}核对以后更改，改前改后都会留下。"
    return {"title": title, "act": act, "text": text}


def came(attendance: list[list[Any]]) -> dict[str, Any]:
    """Who came: figures, and names by mark."""
    marks = [mark for _, _, mark in attendance]
    groups = [{"label": mark, "tone": MARK_TONES.get(mark, "grey"), "names": names}
              for mark, names in amendments.by_mark(attendance).items()]
    return {
        "planned": False, "expected": len(marks) - marks.count(Mark.GUEST), "present": marks.count(Mark.PRESENT),
        "excused": marks.count(Mark.EXCUSED), "absent": marks.count(Mark.ABSENT), "guests": marks.count(Mark.GUEST),
        "unmarked": marks.count(None), "groups": groups,
    }


def expected(listed: list[Record]) -> dict[str, Any]:
    """Who is expected before check-in opens, and what they answered."""
    by_reply = {reply: [one["name"] for one in listed if one["reply"] == reply] for reply in (*Reply, None)}
    groups = [{"label": f"回复{reply}" if reply else "还没回复", "names": names,
               "tone": MARK_TONES[reply] if reply else "grey"} for reply, names in by_reply.items()]
    return {"planned": True, "expected": len(listed), "present": len(by_reply[Reply.COMING]), "absent": 0,
            "excused": len(by_reply[Reply.EXCUSED]), "guests": 0, "unmarked": len(by_reply[None]), "groups": groups}


async def papers_of(meeting_id: int) -> dict[str, list[dict[str, Any]]]:
    """The photographs and the attachments of the log, by place, with their addresses."""
    found: dict[str, list[dict[str, Any]]] = {PHOTOS.name: [], ATTACHMENTS.name: []}
    for one in await papers(meeting_id):
        noun = "photos" if one["place"] == PHOTOS.name else "attachments"
        found[one["place"]].append(uploads.described(one, f"/meetings/{meeting_id}/{noun}/{one['id']}") | {
            "width": one["width"], "height": one["height"]})
    return found


async def text_of(actor: Actor, meeting: dict[str, Any], context: dict[str, Any],
                  content: dict[str, Any]) -> dict[str, Any]:
    """The log's text as far as this viewer may read it (M2§5), and the check it waits for.

    content: the log as it reads now."""
    moment, kept = now(), await papers_of(meeting["id"]) if meeting["photographed"] else {}
    texts = [{"label": amendments.LABELS[name], "text": content[name]} for name in FIELDS if content[name]]
    unwritten = meeting["text_version"] is None
    if not kept and not (texts and (context["amended"] or not unwritten)):
        held = moment >= meeting["begins_at"] and not context["its"].cancelled
        return {"log": None, "log_missing": "还没有写会议记录。" if held else None, "check": None}
    passed = meeting["verdict"] == Verdict.PASSED
    if not passed and not actor.may(Can.LOG_READ):
        kept = {}  # what nobody has checked stays with the officers, whatever the committee wrote since
    shown: dict[str, Any] = {
        "texts": texts, "photos": kept.get(PHOTOS.name, []), "attachments": kept.get(ATTACHMENTS.name, []),
        "signature": None, "state": None, "tone": None, "returned": None}
    if context["amended"] or unwritten:
        readable = context["amended"] or actor.may(Can.LOG_READ)
        return {"log": shown if readable else None, "log_missing": None if readable else UNSEEN, "check": None}
    if not passed and not actor.may(Can.LOG_READ):
        return {"log": None, "log_missing": UNSEEN, "check": None}
    checker = None if meeting["verdict"] else await who_checks(meeting, meeting)
    signature = f"{meeting['writer']} 记于 {exactly(meeting['written_at'], moment)}"
    shown |= {
        "signature": f"{signature} · {meeting['checked_by']} 审核通过" if passed else signature,
        "state": None if passed else meeting["verdict"] or f"待{checker}审核", "tone": "amber" if checker else "red",
        "returned": meeting["check_reason"] if meeting["verdict"] == Verdict.RETURNED else None,
    }
    check = None
    if checker is not None and not context["its"].cancelled and actor.role == checker and actor.may(Can.LOG_CHECK):
        check = {"action": f"/meetings/{meeting['id']}/log/check", "version": meeting["text_version"],
                 "photos": meeting["text_photos"]}
    return {"log": shown, "log_missing": None, "check": check}


async def told(meeting: dict[str, Any]) -> list[dict[str, Any]]:
    """Every explanation with what the committee did, newest first: who, when, why, before and after."""
    moment = now()
    changes = {one["explanation_id"]: one for one in await versions.history(amendments.SUBJECT, meeting["id"])}
    shown = []
    for one in reversed(await explanations_of(meeting["id"])):
        change = changes.get(one["id"])
        shown.append({
            "id": one["id"], "state": one["state"], "tone": STATE_TONES[one["state"]],
            "explanation": one["explanation"], "who": one["who"], "when": exactly(one["explained_at"], moment),
            "answer": one["answer"] or None, "by": change["who"] if change else one["closed_by"],
            "at": exactly(one["closed_at"], moment) if one["closed_at"] else None,
            "rows": amendments.rows_of(json.loads(change["difference"])) if change else [],
        })
    return shown


def acts(actor: Actor, context: dict[str, Any], place: Record | None, *, explained: bool) -> list[dict[str, Any]]:
    """What this viewer may do with the meeting now: the buttons of its page."""
    its, moment, href = context["its"], now(), f"/meetings/{context['meeting']['id']}"

    def link(label: str, noun: str, style: str = "main") -> dict[str, Any]:
        return {"label": label, "href": f"{href}/{noun}", "method": "get", "style": style}

    found = []
    invited = place is not None and place["expected"] and place["mark"] is None
    if invited and its.may_move(moment) and not its.may_check_in(moment):
        found += replies(href, place["reply"] if place else None)
    if invited and its.may_check_in(moment) and not actor.may(Can.MEETING_KEEP):
        found.append(link("签到", "check-in"))
    if actor.may(Can.MEETING_KEEP):
        if its.may_take_attendance(moment):
            found.append(link("签到名单", "attendance"))
        if its.may_check_in(moment):
            found.append(link("签到二维码", "check-in-wall"))
        if its.may_record(moment):
            found.append(link("写记录", "log"))
    elif actor.may(Can.LOG_AMEND) and its.locked(moment) and explained:
        found.append(link("更改说明", "amendments"))
    return found


def changes(actor: Actor, context: dict[str, Any]) -> list[dict[str, str]]:
    """What this viewer may put right about the meeting: the quiet links under its buttons."""
    its, moment = context["its"], now()
    may = {MOVE: its.may_move(moment), CORRECT: its.may_correct(moment), CANCEL: its.may_cancel(moment)}
    return [{"label": move.label, "href": f"/meetings/{context['meeting']['id']}/{move.name}"}
            for move in MOVES if may[move] and actor.may(move.can)]
