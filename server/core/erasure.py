"""Erasing personal values from the evidence, where the law asks for it: the event stays, and its chain stays valid."""
import getpass

from server.core import audit
from server.core.actor import Machine
from server.core.database import rows, transaction

FOUND = """
SELECT v.id FROM audit_value v JOIN audit_event e ON e.id = v.event_id
WHERE (e.subject_kind, e.subject_id) = ($1, $2) AND ($3::bigint IS NULL OR e.id = $3) AND v.value IS NOT NULL
ORDER BY v.id FOR NO KEY UPDATE OF v"""


async def erase(kind: str, subject_id: int, event_id: int | None, why: str) -> int:
    """Erases the personal values kept beside the evidence about an object, or those of one event of it; returns how
    many. Only the tables' owner may. It is evidence itself, with its reason; a second time there is nothing to erase
    and nothing is noted."""
    async with transaction():
        found = [one["id"] for one in await rows(FOUND, kind, subject_id, event_id)]
        if found:
            operator = Machine(getpass.getuser(), "系统运维", "ebranch")  # by the name the machine knows
            erased_by = await audit.record(operator, "erase_values", kind, subject_id, why=why,
                                           after={"values": len(found)} | ({"event": event_id} if event_id else {}))
            await rows("UPDATE audit_value SET value = NULL, erased_by = $2 WHERE id = ANY($1)", found, erased_by)
    return len(found)
