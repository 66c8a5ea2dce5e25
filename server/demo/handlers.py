"""/demo/outbox: what would have been sent by SMS. Where real people are, there is no such address."""
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException

from server.core import sms
from server.core.database import rows
from server.core.page import page
from server.permissions import Can
from server.settings import settings

SHOWN = 60


@get("/demo/outbox", can=Can.PUBLIC)
async def outbox(request: Request) -> Response[Any]:
    if not settings.demo:
        raise NotFoundException
    found = await rows(f"SELECT id, phone, words, kind, state, created_at FROM sms ORDER BY id DESC LIMIT {SHOWN}")
    return await page(request, "demo/outbox.html", messages=[
        {"phone": sms.phone_of(one), "words": sms.words_of(one)[0], "at": one["created_at"],
         "kind": sms.KINDS[one["kind"]], "state": sms.STATES[one["state"]]} for one in found])


ROUTES = [outbox]
