"""A new catalogue is told to those who go by it: who keeps the villages' books, and who reviews them."""
from typing import Any

from server.core import effects
from server.core.clock import now
from server.core.database import row, rows
from server.permissions import Can, Role, holders
from server.threads.reminders import remind_holders

TELL = "catalogue_told"  # the kind of the effect, one for each organisation
TOLD = [*holders(Can.DISCLOSURE_KEEP, Can.DISCLOSURE_REVIEW), str(Role.SECRETARY)]
CONCERNED = """
SELECT DISTINCT unnest(ARRAY[o.id, o.committee_id]) AS id FROM village v JOIN organisation o ON o.id = v.organisation_id
WHERE v.state = '已开通' AND v.code >= $1 AND v.code < $1 || '~'"""


async def tell_later(county: str, catalogue: int) -> None:
    """Tells the opened villages of a county and their townships, each once."""
    for one in await rows(CONCERNED, county):
        await effects.later(f"{TELL}-{catalogue}-{one['id']}", TELL,
                            {"catalogue": catalogue, "organisation": one["id"]}, now())


@effects.carries(TELL)
async def tell(payload: dict[str, Any]) -> None:
    """Reminds the people of one organisation; of a newer catalogue only, where it is newer meanwhile."""
    found = await row("""
        SELECT county_code, number, note FROM catalogue c WHERE id = $1
        AND NOT EXISTS (SELECT FROM catalogue WHERE county_code = c.county_code AND number > c.number)""",
                      payload["catalogue"])
    if found:
        note = f"：{found['note']}" if found["note"] else ""
        await remind_holders(payload["organisation"], TOLD, "新目录", f"三务公开目录第 {found['number']} 版{note}",
                             f"/catalogues/{found['county_code']}")
