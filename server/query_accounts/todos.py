"""What query accounts put on the 工作台: applications that wait, the way to the list."""
from typing import Any

from server.core.actor import Actor
from server.core.clock import now
from server.core.database import row, rows
from server.core.dates import moment
from server.permissions import Can
from server.query_accounts.tables import content_of
from server.todos.sources import AREAS, SOURCES, ToDo


async def to_verify(actor: Actor) -> list[ToDo]:
    """Applications for the actor's own village; a township sees them with the villages."""
    if not actor.may(Can.READER_KEEP) or actor.may(Can.DISCLOSURE_OVERSEE):
        return []
    return [ToDo("核实", "申请", "amber", f"查询账号申请 · {content_of('reader_application', one)['name']}",
                 f"{moment(one['at'], now())}申请", f"/query-accounts/applications/{one['id']}") for one in await rows(
        "SELECT * FROM reader_application WHERE village_code = $1 AND state = '待核实' ORDER BY id LIMIT 30",
        actor.unit_code)]


async def area(actor: Actor) -> dict[str, Any] | None:
    """The way to the list, with how many there are."""
    if not actor.may(Can.READER_KEEP):
        return None
    found = await row("""SELECT count(*) AS many FROM reader WHERE organisation_path LIKE $1 || '%'
                         AND ended_at IS NULL""", actor.organisation_path)
    return {"icon": "people", "tone": "blue", "title": "查询账号", "href": "/query-accounts",
            "line": f"已开通 {found['many'] if found else 0} 个"}


SOURCES.append(to_verify)
AREAS.append(area)
