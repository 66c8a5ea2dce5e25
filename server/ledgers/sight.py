"""The month somebody may write in."""
from asyncpg import Record
from litestar import Request
from litestar.exceptions import NotFoundException

from server.core.moves import WrongState
from server.disclosure.rules import OPEN
from server.disclosure.sight import to_write
from server.ledgers.tables import ledger


async def to_keep(request: Request, matter_id: int) -> tuple[Record, Record, Record]:
    """A matter, its open edition and the month; NotFoundException where there is none, WrongState once it was handed
    on."""
    matter, edition = await to_write(request, matter_id)
    its = await ledger(edition["id"])
    if its is None:
        raise NotFoundException
    if edition["state"] not in OPEN:
        raise WrongState(f"这份内容现在是“{edition['state']}”，不能再改")
    return matter, edition, its
