"""Ledgers on the 工作台: months the township delivered, to be confirmed by the village; the township's imports."""
from typing import Any

from server.core.actor import Actor
from server.core.database import row, rows
from server.permissions import Can
from server.todos.sources import AREAS, SOURCES, ToDo


async def to_confirm(actor: Actor) -> list[ToDo]:
    """Months that the township delivered and nobody in the village has handed on yet."""
    if not actor.may(Can.DISCLOSURE_KEEP):
        return []
    return [ToDo("核对", "账目", "amber", f"核对确认 · {one['title']}", f"{one['saved_who']}送来",
                 f"/disclosures/{one['matter_id']}/ledger") for one in await rows("""
        SELECT e.matter_id, e.title, e.saved_who FROM edition e JOIN matter m ON m.id = e.matter_id
        WHERE e.state = '草稿' AND e.delivered AND m.village_code = $1 ORDER BY e.id LIMIT 50""", actor.unit_code)]


async def area(actor: Actor) -> dict[str, Any] | None:
    """For a township: bringing in its villages' books."""
    if not actor.may(Can.LEDGER_DELIVER):
        return None
    newest = await row("""SELECT month, state FROM ledger_import WHERE organisation_id = $1 AND matter_id IS NULL
                          ORDER BY id DESC LIMIT 1""", actor.organisation_id)
    line = "村账镇代管的，一张表导入"
    if newest:
        line = f"上次：{newest['month'].year}年{newest['month'].month}月，{newest['state']}"
    return {"icon": "coin", "tone": "gold", "title": "导入各村账目", "href": "/ledger-imports", "line": line}


SOURCES.append(to_confirm)
AREAS.append(area)
