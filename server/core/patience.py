"""How long a request's body is waited for: a slow phone gets its time, who only wants to hold a connection does not.

Nothing is held meanwhile but the connection itself: no transaction, no thread (house rule: a form is read first)."""
import asyncio
import time

from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, HTTPReceiveMessage, Receive, Scope, Send

PIECE_S = 20.0  # between two pieces of a body
BEGIN_S = 30.0  # before the pace is looked at
SLOWEST = 1_000  # bytes a second on the whole: a photograph by 2G comes in at ten times that


class TooSlow(HTTPException):
    """The body did not come in time."""

    status_code = 408


def patient(app: ASGIApp) -> ASGIApp:
    """`app`, where reading a body that comes too slowly ends in TooSlow (408)."""
    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        begun, received, whole = time.monotonic(), 0, False

        async def hear() -> HTTPReceiveMessage:
            nonlocal received, whole
            if whole:  # from then on it is waited for the browser to leave
                return await receive()  # type: ignore[return-value]
            left = begun + BEGIN_S + received / SLOWEST - time.monotonic()
            try:
                async with asyncio.timeout(max(0, min(PIECE_S, left))):
                    message = await receive()
            except TimeoutError:
                raise TooSlow from None
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                whole = not message.get("more_body", False)
            return message  # type: ignore[return-value]

        await app(scope, hear, send)
    return serve
