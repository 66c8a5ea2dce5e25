"""What nominations put on the 工作台 of those who nominate."""
from typing import Any

from server.core.actor import Actor
from server.officers.lists import figures, returned
from server.officers.rules import NominationState
from server.permissions import Can
from server.todos.sources import AREAS, SOURCES, ToDo


async def to_report_again(actor: Actor) -> list[ToDo]:
    """Nominations that came back with a reason."""
    if not actor.may(Can.OFFICER_NOMINATE):
        return []
    return [ToDo("退回", "上报", "red", f"账号上报被退回 · {one['name']}",
                 f"{one['organisation']} {one['role']}：{one['answer']}", f"/accounts/nominations/{one['id']}")
            for one in await returned(actor)]


async def area(actor: Actor) -> dict[str, Any] | None:
    """The way to the own nominations, with how they stand."""
    if not actor.may(Can.OFFICER_NOMINATE):
        return None
    count = await figures(actor)
    waiting = count.get(NominationState.WAITING, 0)
    line = f"{waiting} 人等待安全员开通" if waiting else "上报本级管理员，由安全员开通账号"
    return {"icon": "me", "tone": "blue", "title": "管理员账号上报", "line": line, "href": "/accounts/nominations"}


SOURCES.append(to_report_again)
AREAS.append(area)
