"""The list of meetings: what is on or next on top, then month by month what was and is to come."""
import json
from datetime import datetime
from itertools import groupby
from typing import Any

from asyncpg import Record

from server.core import keyset
from server.core.actor import Actor
from server.core.clock import now
from server.core.dates import WEEKDAYS, clock_time, local
from server.meetings.cards import next_up
from server.meetings.due import owed_by
from server.meetings.rules import TONES, Mark, Stage
from server.meetings.tables import PAGE, meeting_list, times
from server.permissions import Can


async def listed(actor: Actor, after: str | None) -> dict[str, Any]:
    """A page of the meetings the actor sees."""
    found = await meeting_list(actor, keyset.read(after) or keyset.BEGINNING)
    shown, own = found[:PAGE], actor.may(Can.MEETING_ATTEND)
    return {
        "headline": actor.organisation_name, "subline": None if own else "所属党支部",
        "may_keep": actor.may(Can.MEETING_KEEP), "next_up": await next_up(actor) if after is None else None,
        "owed": await owed_by(actor.organisation_id) if own and after is None else [],
        "months": [{"label": f"{year}年{month}月", "items": [item(one, actor) for one in its]}
                   for (year, month), its in groupby(shown, key=month_of)],
        "older": f"/meetings?after={keyset.mark(shown[-1]['begins_at'], shown[-1]['id'])}"
        if len(found) > PAGE else None,
    }


def month_of(meeting: Record) -> tuple[int, int]:
    begins = local(meeting["begins_at"])
    return begins.year, begins.month


def item(meeting: Record, actor: Actor) -> dict[str, Any]:
    stage = times(meeting, amended=meeting["amended"] is not None).stage(now())
    begun = stage not in (Stage.PLANNED, Stage.CANCELLED)
    its: dict[str, Any] = dict(meeting)
    if meeting["amended"]:
        its |= json.loads(meeting["amended"])
        its["begins_at"] = datetime.fromisoformat(its["begins_at"])
        marks = [mark for _, _, mark in its["attendance"]]
        its |= {"present": marks.count(Mark.PRESENT), "expected": len(marks) - marks.count(Mark.GUEST)}
    begins = local(its["begins_at"])
    line = ["、".join(its["kinds"]), clock_time(begins), its["place"]]
    return {
        "href": f"/meetings/{meeting['id']}", "day": str(begins.day), "weekday": WEEKDAYS[begins.weekday()],
        "title": its["topic"], "stage": str(stage), "tone": TONES[stage],
        "line": " · ".join(filter(None, line)),
        "came": f"{its['present']} / {its['expected']}" if begun and its["expected"] else None,
        "branch": None if actor.may(Can.MEETING_ATTEND) else meeting["branch"],
    }
