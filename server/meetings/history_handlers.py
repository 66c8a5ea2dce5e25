"""我的组织生活: where somebody was invited, and how it stands in the log. Nobody is ranked, nothing counted up."""
from typing import Any

from litestar import Request, Response, get

from server.core.actor import Actor
from server.core.clock import now
from server.core.database import rows
from server.core.dates import WEEKDAYS, clock_time, local
from server.core.page import page
from server.meetings.show import MARK_TONES
from server.meetings.tables import NEWEST
from server.permissions import Can

OWN = f"""
SELECT m.id, coalesce(v.content->>'topic', m.topic) AS topic, m.kinds, m.begins_at,
       CASE WHEN v.content IS NULL THEN a.mark ELSE its.mark END AS mark,
       CASE WHEN v.content IS NULL OR its.mark = a.mark THEN a.how END AS how, a.marked_at
FROM meeting m LEFT JOIN attendance a ON a.meeting_id = m.id AND a.person_id = $1 {NEWEST}
LEFT JOIN LATERAL (SELECT one->>2 AS mark, true AS listed FROM jsonb_array_elements(v.content->'attendance') AS one
                   WHERE (one->>0)::bigint = $1) its ON true
WHERE m.state = 'open' AND m.branch_id = $2 AND m.begins_at <= $3 AND (a.person_id IS NOT NULL OR its.listed)
ORDER BY m.begins_at DESC, m.id DESC LIMIT 60"""


@get("/me/attendance", can=Can.MEETING_ATTEND)
async def index(request: Request) -> Response[Any]:
    actor: Actor = request.user
    found = await rows(OWN, actor.person_id, actor.organisation_id, now())
    return await page(request, "meetings/history.html", items=[{
        "href": f"/meetings/{one['id']}", "day": str(local(one["begins_at"]).day),
        "month": f"{local(one['begins_at']).month}月", "weekday": WEEKDAYS[local(one["begins_at"]).weekday()],
        "title": one["topic"], "line": "、".join(one["kinds"]), "mark": one["mark"] or "未记",
        "tone": MARK_TONES[one["mark"]] if one["mark"] else "grey",
        "how": f"{one['how']} {clock_time(one['marked_at'])}" if one["how"] in ("扫码", "数字码") else None,
    } for one in found])


ROUTES = [index]
