"""The directory on the 工作台: exemptions that wait for an opinion or an approval, or are to be looked at again."""
from datetime import timedelta
from typing import Any

from server.core.actor import Actor
from server.core.clock import now, today
from server.core.database import row, rows
from server.core.dates import day
from server.permissions import Can
from server.todos.sources import AREAS, SOURCES, ToDo
from server.villages.rules import FILE, OPINION, Exempting

AHEAD = timedelta(days=7)  # before the day an exemption is to be looked at again


async def exemptions(actor: Actor) -> list[ToDo]:
    """Exemptions that wait for this township's opinion, or this county's approval (M3§4)."""
    states = [str(state) for move, state in ((OPINION, Exempting.ASKED), (FILE, Exempting.WITH_COUNTY))
              if actor.may(move.can)]
    if not states:
        return []
    found = await rows("""
        SELECT e.id, e.village_code, e.state, e.reason, e.review_on, u.name FROM exemption e
        JOIN unit u ON u.code = e.village_code
        WHERE e.organisation_path LIKE $1 || '%' AND (e.state = ANY($2) OR e.state = '已备案' AND e.review_on <= $3)
        ORDER BY e.id LIMIT 50""", actor.organisation_path, states, today() + AHEAD)
    return [ToDo("复核" if one["state"] == Exempting.ON_FILE else "审批", "开通", "amber", f"暂不开通 · {one['name']}",
                 f"复核日期 {day(one['review_on'], now())}" if one["review_on"] else f"原因：{one['reason']}",
                 f"/villages/{one['village_code']}") for one in found]


async def area(actor: Actor) -> dict[str, Any] | None:
    """The way to the directory, with how many villages are opened."""
    if not actor.may(Can.DISCLOSURE_OVERSEE):
        return None
    found = await row("""SELECT count(*) FILTER (WHERE state = '已开通') AS opened FROM village
                         WHERE organisation_path LIKE $1 || '%'""", actor.organisation_path)
    return {"icon": "village", "tone": "green", "title": "村（社区）目录", "href": "/villages",
            "line": f"已开通三务公开 {found['opened'] if found else 0} 个"}


SOURCES.append(exemptions)
AREAS.append(area)
