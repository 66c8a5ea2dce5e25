"""Addresses of 我的: roles, sessions, signing out."""
from datetime import datetime, timedelta
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from server.accounts import sessions
from server.accounts.authentication import OVER, SESSION_COOKIE, session_cookie
from server.accounts.code_page import NEXT
from server.accounts.devices import in_words, is_handheld
from server.accounts.tables import open_sessions, roles_of
from server.core import forms
from server.core.clock import now, today
from server.core.dates import calendar_day
from server.core.guard import code_wanted
from server.core.origin import within
from server.core.page import page, see_other
from server.core.workdays import last_day
from server.permissions import Can
from server.tabs import links_for

SIGN_OUT = (forms.flag("everywhere", "所有设备"),)


@get("/me", can=Can.SIGNED_IN)
async def mine(request: Request) -> Response[Any]:
    actor, moment = request.user, now()
    return await page(request, "accounts/mine.html", links=links_for(actor.role),
                      roles=[dict(grant) | {"current": grant["id"] == actor.grant_id, "last": last_of(grant["until"])}
                             for grant in await roles_of(actor.account_id, moment)],
                      signed_in=len(await open_sessions(actor.account_id, moment)))


def last_of(until: datetime | None) -> str | None:
    """The last day of a role that ends, in words."""
    return calendar_day(last_day(until), today()) if until else None


@post("/me/roles/{grant_id:int}", can=Can.SIGNED_IN, status_code=303)
async def switch_role(request: Request, grant_id: FromPath[int]) -> Response[Any]:
    filled = await forms.pressed(request, (NEXT,))
    try:
        renewed = await sessions.switch_role(request.user, grant_id)
    except sessions.CodeMissing:
        raise await code_wanted(request, "POST") from None
    return with_session(see_other(within(filled["next"])), renewed)


def with_session(answer: Response[Any], renewed: tuple[str, timedelta] | None) -> Response[Any]:
    """`answer`, with the cookie of a session that has a new token."""
    if renewed:
        answer.cookies = [session_cookie(*renewed)]
    return answer


@get("/me/sessions", can=Can.SIGNED_IN)
async def session_list(request: Request) -> Response[Any]:
    actor = request.user
    found = [{
        "id": one["id"], "current": one["id"] == actor.session_id, "device": in_words(one["device"]),
        "icon": "phone" if is_handheld(one["device"]) else "screen", "source": one["source"], "used_at": one["used_at"],
        "created_at": one["created_at"],
    } for one in await open_sessions(actor.account_id, now())]
    return await page(request, "accounts/sessions.html", sessions=found)


@post("/me/sessions/{session_id:int}/ending", can=Can.SIGNED_IN, status_code=303)
async def end_session(request: Request, session_id: FromPath[int]) -> Response[Any]:
    await forms.nothing(request)
    await sessions.sign_out_there(request.user, session_id)
    return see_other("/sign-in" if session_id == request.user.session_id else "/me/sessions")


@post("/sign-out", can=Can.SIGNED_IN, status_code=303, parks=False)
async def sign_out(request: Request) -> Response[Any]:
    filled = await forms.pressed(request, SIGN_OUT)
    await sessions.sign_out(request.user, everywhere=filled["everywhere"])
    answer = see_other("/sign-in")
    answer.cookies = [OVER[SESSION_COOKIE]]
    return answer


ROUTES = [mine, switch_role, session_list, end_session, sign_out]
