"""The card of a meeting: what it says to everybody, and what it offers the one who looks at it."""
from datetime import datetime
from typing import Any

from asyncpg import Record

from server.core.actor import Actor
from server.core.calendar_days import calendar
from server.core.clock import now
from server.core.database import row, rows
from server.core.dates import clock_time, day, span
from server.core.dates import moment as exactly
from server.core.workdays import Calendar
from server.meetings.rules import Mark, Reply, Stage
from server.meetings.tables import AMENDED, times
from server.meetings.words import checked_in, lock_due
from server.permissions import Can
from server.threads.cards import NEXT_UP, CardState, Subjects, declares

INVITATION, LOG = "meeting", "meeting_log"  # kinds of cards


def invitation(meeting: dict[str, Any], expected: int, *, chip: str | None = None, note: str = "") -> dict[str, Any]:
    """The card of a planned meeting. chip: instead of its kinds (改期, 取消); note: the reason."""
    return {
        "chip": chip or " · ".join(meeting["kinds"]), "tone": "amber", "title": meeting["topic"], "text": note,
        "facts": [["时间", span(meeting["begins_at"], meeting["ends_at"], now())], ["地点", meeting["place"] or "未定"],
                  ["应到", f"{expected} 名"]],
    }


def log_card(meeting: dict[str, Any], counted: Record, text: str) -> dict[str, Any]:
    """The card of a log the branch may read. text: the first lines of the minutes or decisions."""
    came = f"应到 {counted['expected']}，实到 {counted['present']}，请假 {counted['excused']}。"
    return {
        "chip": "组织生活日志", "tone": "green", "title": meeting["topic"], "text": came + text[:80],
        "facts": [["时间", span(meeting["begins_at"], meeting["ends_at"], now())],
                  ["类别", "、".join(meeting["kinds"])]],
    }


def report(branch: str, topic: str, begins_at: datetime, who: str, explanation: str, at: datetime) -> dict[str, Any]:
    """The card of a branch's explanation, for its committee."""
    return {"chip": "更改说明", "tone": "gold", "title": f"{branch} · {topic}", "text": explanation,
            "facts": [["时间", exactly(begins_at, at)], ["说明人", who]]}


def amended(topic: str, who: str, why: str, changed: list[str]) -> dict[str, Any]:
    """The card of a log that its committee has changed. changed: the names of what differs."""
    return {"chip": "日志已更改", "tone": "gold", "title": topic, "text": why,
            "facts": [["更改人", who], ["改了什么", "、".join(changed)]]}


OWN = f"""
SELECT m.id, m.state, m.begins_at, m.ends_at, m.lock_at, m.recorded_at, a.reply, a.mark, a.how, a.marked_at,
    a.expected, {AMENDED} AS amended, CASE WHEN m.begins_at > $3 THEN (
        SELECT count(*) FROM attendance WHERE meeting_id = m.id AND reply IS NOT NULL) END AS replied
FROM meeting m LEFT JOIN attendance a ON a.meeting_id = m.id AND a.person_id = $2
WHERE m.id = ANY($1)"""


def replies(address: str, given: str | None, before_given: str = "") -> list[dict[str, Any]]:
    """The two answers to an invitation. given: the one that was chosen; before_given: what its button says in front."""
    return [{"label": before_given + reply if reply == given else str(reply), "href": f"{address}/reply",
             "method": "post", "fields": {"reply": str(reply)}, "style": "done" if reply == given else style}
            for reply, style in ((Reply.COMING, "main"), (Reply.EXCUSED, "dim"))]


@declares(INVITATION, LOG)
async def own_states(actor: Actor, subjects: Subjects) -> dict[tuple[str, int], CardState]:
    """What the viewer may do with each of these meetings now, and with their logs."""
    moment, days = now(), await calendar()
    ids = {meeting_id for its in subjects.values() for meeting_id in its}
    found = {meeting["id"]: meeting for meeting in await rows(OWN, list(ids), actor.person_id, moment)}
    return {
        (kind, one): state_of(actor, found[one], moment) if kind == INVITATION
        else log_state_of(actor, found[one], moment, days)
        for kind, its in subjects.items() for one in its if one in found
    }


def state_of(actor: Actor, meeting: Record, moment: datetime) -> CardState:
    """On an invitation: answering, checking in, taking attendance, whatever it is time for."""
    its = times(meeting, amended=meeting["amended"])
    stage = its.stage(moment)
    address = f"/meetings/{meeting['id']}"
    if meeting["mark"] is not None:
        came = meeting["mark"] == Mark.PRESENT
        note = checked_in(meeting["how"], meeting["marked_at"]) if came else f"您的记录：{meeting['mark']}"
        return {"acts": [{"label": "查看详情", "href": address, "method": "get", "style": "dim"}], "note": note}
    acts: list[dict[str, Any]] = []
    if stage is Stage.PLANNED and meeting["expected"]:
        acts = replies(address, meeting["reply"], "已回复")
    if its.may_check_in(moment) and meeting["expected"]:
        acts = [{"label": "签到", "href": f"{address}/check-in", "method": "get", "style": "main"}]
    if actor.may(Can.MEETING_KEEP) and its.may_take_attendance(moment):
        acts.append({"label": "签到名单", "href": f"{address}/attendance", "method": "get", "style": "dim"})
    acts = acts or [{"label": "查看详情", "href": address, "method": "get", "style": "dim"}]
    return {"acts": acts, "note": f"{stage} · 已回复 {meeting['replied']} 人" if stage is Stage.PLANNED else str(stage)}


def log_state_of(actor: Actor, meeting: Record, moment: datetime, days: Calendar) -> CardState:
    """On a log: reading it; for those who keep it, how long it may still be changed."""
    address = f"/meetings/{meeting['id']}"
    locked = times(meeting).locked(moment)
    acts = [{"label": "看记录", "href": address, "method": "get", "style": "main"}]
    if actor.may(Can.MEETING_KEEP) and locked:
        acts.append({"label": "更改说明", "href": f"{address}/amendments", "method": "get", "style": "dim"})
    if locked:
        return {"acts": acts, "note": "已锁定"}
    return {"acts": acts, "due": lock_due(meeting, moment, days)}


async def next_up(actor: Actor) -> dict[str, Any] | None:
    """The meeting that is on, or begins today, for who is on its list."""
    if not actor.may(Can.MEETING_ATTEND):
        return None
    moment = now()
    meeting = await row("""
        SELECT m.*, a.mark FROM meeting m JOIN attendance a ON a.meeting_id = m.id AND a.person_id = $2
        WHERE m.branch_id = $1 AND m.state = 'open' AND m.ends_at > $3 AND m.begins_at < $3 + interval '1 day'
        ORDER BY a.mark IS NOT NULL, m.begins_at, m.id LIMIT 1""", actor.organisation_id, actor.person_id, moment)
    if meeting is None:
        return None
    address = f"/meetings/{meeting['id']}"
    label, href = "查看", address
    if times(meeting).may_check_in(moment) and meeting["mark"] is None:
        label, href = "签到", f"{address}/check-in"
    elif meeting["mark"] == "参加":
        label = "已签到"
    begins = f"{day(meeting['begins_at'], moment)} {clock_time(meeting['begins_at'])}"
    when = f"{begins} · {meeting['place'] or '地点未定'}"
    return {"when": when, "title": meeting["topic"], "label": label, "href": href}


NEXT_UP.append(next_up)
