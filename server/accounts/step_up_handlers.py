"""Addresses of what has to be confirmed by a code, and of forms that waited for it or for signing in again."""
from typing import Any
from urllib.parse import quote

from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery

from server.accounts import actions, sessions
from server.accounts.authentication import HALF_COOKIE, OVER, half_cookie, session_cookie
from server.accounts.code_page import CODE, NEXT, code_page
from server.accounts.rules import CONFIRMED_FOR
from server.accounts.tables import roles_of
from server.core import codes, forms
from server.core.clock import now
from server.core.origin import within
from server.core.page import page, see_other
from server.core.parked import TAKEN_UP, parked_under
from server.permissions import Can


@get("/step-up", can=Can.SIGNED_IN)
async def step_up_form(request: Request, next: FromQuery[str] = "/") -> Response[Any]:
    if request.user.confirmed:
        return see_other(within(next))
    half = request.cookies.get(HALF_COOKIE, "")
    if "again" not in request.query_params and await codes.waiting(half, actions.STEP_UP):
        return await code_page(request, "/step-up", half, next, {})
    return await asking_page(request, within(next), None)


async def asking_page(request: Request, onwards: str, error: str | None, status: int = 200) -> Response[Any]:
    return await page(request, "accounts/step_up.html", next=onwards, error=error, status=status,
                      minutes=CONFIRMED_FOR.seconds // 60)


@post("/step-up/code", can=Can.SIGNED_IN, status_code=303, parks=False)
async def send_code(request: Request) -> Response[Any]:
    onwards = within((await forms.pressed(request, (NEXT,)))["next"])
    try:
        half = await actions.send_code(actions.STEP_UP, request.user.account_id)
    except actions.Refused as refused:
        return await asking_page(request, onwards, str(refused), 422)
    answer = see_other(f"/step-up?next={quote(onwards)}")
    answer.cookies = [half_cookie(half)]
    return answer


@post("/step-up", can=Can.SIGNED_IN, status_code=200, parks=False)
async def step_up(request: Request) -> Response[Any]:
    filled = await forms.fill(request, CODE)
    onwards, half = filled.values.get("next", ""), request.cookies.get(HALF_COOKIE, "")
    if not filled.errors:
        try:
            await actions.confirm_own_code(request.user, half, filled["code"])
            answer = see_other(within(onwards))
            answer.cookies = [session_cookie(*await sessions.confirm(request.user)), OVER[HALF_COOKIE]]
            return answer
        except actions.Refused as refused:
            filled.errors["code"] = str(refused)
    return await code_page(request, "/step-up", half, onwards, filled.errors, filled.status)


@get("/parked/{key:str}", can=Can.SIGNED_IN)
async def parked_form(request: Request, key: FromPath[str]) -> Response[Any]:
    parked = await parked_under(key, request.user.account_id)
    told, untold = forms.in_words((label, value) for name, value, label in parked.fields
                                  if label or name not in forms.HIDDEN)
    other = None
    if parked.grant_id != request.user.grant_id:
        other = next((grant for grant in await roles_of(request.user.account_id, now())
                      if grant["id"] == parked.grant_id), None)
    return await page(request, "accounts/parked.html", form=parked, told=told, untold=untold, role=other,
                      path=f"{parked.path}?{TAKEN_UP}={key}", here=f"/parked/{key}")


ROUTES = [step_up_form, send_code, step_up, parked_form]
