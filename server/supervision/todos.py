"""What supervision puts on the 工作台: mended things to be looked at again, the ways to the figures and the checks."""
from typing import Any

from server.core.actor import Actor
from server.core.clock import now, today
from server.core.database import rows
from server.organisations.rules import CODE_LENGTH, Level
from server.permissions import Can
from server.supervision.tables import checks_open, reviews_to_press, still, to_press
from server.todos.sources import AREAS, SOURCES, ToDo


async def to_close(actor: Actor) -> list[ToDo]:
    """What villages have mended and the actor's organisation found."""
    if not actor.may(Can.SPOT_CHECK):
        return []
    return [ToDo("复核", "整改", "amber", f"复核整改 · {one['name']}", one["finding"][:60], f"/spot-checks/{one['id']}")
            for one in await rows("""
                SELECT c.id, c.finding, u.name FROM spot_check c JOIN unit u ON u.code = c.village_code
                WHERE c.by_id = $1 AND c.state = '待复核' ORDER BY c.id LIMIT 50""", actor.organisation_id)]


async def to_be_pressed(actor: Actor) -> list[ToDo]:
    """A township's villages that have let something lapse and that nobody has pressed today; a county's townships whose
    reviews are late."""
    if not actor.may(Can.DISCLOSURE_OVERSEE):
        return []
    if len(actor.unit_code) == CODE_LENGTH[Level.COUNTY]:
        late = [one for one in await reviews_to_press(actor.organisation_path, today()) if one["pressed"] is None]
        line = f"{sum(one['things'] for one in late)} 件过了审核期限"
        return [ToDo(str(len(late)), "个镇街", "red", "三务公开审核逾期", line, "/pressing")] if late else []
    if len(actor.unit_code) != CODE_LENGTH[Level.TOWNSHIP]:
        return []
    found = [one for one in await to_press(actor.organisation_path, today(), now()) if one["pressed"] is None]
    if not found:
        return []
    line = f"{sum(one['things'] for one in found)} 件到期未办，一次提醒"
    return [ToDo(str(len(found)), "个村", "red", "三务公开今天要催的", line, "/pressing")]


async def area(actor: Actor) -> dict[str, Any] | None:
    """The way to the figures, with how many things are overdue this month."""
    if not actor.may(Can.DISCLOSURE_OVERSEE):
        return None
    found = await still(actor.unit_code)
    return {"icon": "flag", "tone": "red", "title": "三务公开督查", "href": "/supervision",
            "line": f"逾期未公开 {found['still_overdue']} 项" if found and found["still_overdue"] else "没有逾期的"}


async def checks_area(actor: Actor) -> dict[str, Any] | None:
    """The way to the spot checks."""
    if not actor.may(Can.SPOT_CHECK_READ):
        return None
    return {"icon": "camera", "tone": "blue", "title": "抽查和整改", "href": "/spot-checks",
            "line": f"未销号 {await checks_open(actor)} 件"}


SOURCES += [to_close, to_be_pressed]
AREAS += [area, checks_area]
