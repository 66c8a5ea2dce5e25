"""Whether the actor sees a row. One outside of the own sight is as good as not there: the same 404."""
from typing import Any

from litestar.exceptions import NotFoundException

from server.core.actor import Actor


async def find(table: Any, actor: Actor, row_id: int) -> dict[str, Any]:
    """The row of `table`, which has `visible_to(actor)`; NotFoundException when there is none the actor may know of.

    A table whose rows are looked up all day answers by fixed SQL instead, its `seen_by(actor, row_id)`."""
    if hasattr(table, "seen_by"):
        found = await table.seen_by(actor, row_id)
    else:
        found = await table.select().where(table.visible_to(actor), table.id == row_id).first()
    if found is None:
        raise NotFoundException
    return found
