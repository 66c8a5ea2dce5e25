"""GET /health: whether the database, Redis and the worker answer. Public, and says nothing else."""
import asyncio
from collections.abc import Awaitable
from typing import Any

from asyncpg import InterfaceError, PostgresError
from litestar import Response, get
from redis.exceptions import RedisError

from server.core.database import row
from server.core.live import redis
from server.permissions import Can

HEARTBEAT = "ebranch:worker"
SILENCE_S = 20  # after which the worker, which says every 5 s that it lives, is taken for dead
PATIENCE_S = 1  # with each of those asked


async def answers(question: Awaitable[Any]) -> tuple[str, Any]:
    """What is said of whom `question` goes to, and the answer if there is one."""
    try:
        return "ok", await asyncio.wait_for(question, PATIENCE_S)
    except (PostgresError, InterfaceError, RedisError, OSError) as fault:
        return f"down: {type(fault).__name__}", None


@get("/health", can=Can.PUBLIC)
async def health() -> Response[dict[str, Any]]:
    """200 when everything answers, else 503 with what is down."""
    (database, _), (cache, beat) = await asyncio.gather(
        answers(row("SELECT 1 AS one")), answers(redis().get(HEARTBEAT)))
    worker = "ok" if beat else "unknown: redis is down" if cache != "ok" else "down: no sign of life"
    well = database == cache == worker == "ok"
    return Response({"status": "ok" if well else "down", "database": database, "redis": cache, "worker": worker},
                    status_code=200 if well else 503, headers={"Cache-Control": "no-store"})
