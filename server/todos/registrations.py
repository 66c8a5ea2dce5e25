"""Members who want to register with another phone than the register has: the branch asks them face to face."""
from server.core.actor import Actor
from server.members.registration import requests_at
from server.permissions import BRANCH_OFFICERS
from server.todos.sources import SOURCES, ToDo


async def to_confirm(actor: Actor) -> list[ToDo]:
    """Whose new phone waits to be confirmed by this branch."""
    if actor.role not in BRANCH_OFFICERS:
        return []
    return [ToDo("当面", "确认", "amber", f"当面确认手机号 · {one['name']}", "想注册账号，手机号和党员名册上的不一样",
                 f"/members/{one['person_id']}/phone") for one in await requests_at(actor.organisation_path)]


SOURCES.append(to_confirm)
