"""Addresses of signing in."""
import re
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromQuery

from server.accounts import actions, sessions
from server.accounts.authentication import (
    HALF_COOKIE,
    OVER,
    SESSION_COOKIE,
    half_cookie,
    session_cookie,
    source_of,
)
from server.accounts.code_page import CODE, NEXT, code_page
from server.accounts.tables import why_over
from server.core import codes, forms, picture_code
from server.core.origin import within
from server.core.page import page, see_other
from server.permissions import Can
from server.tabs import home_of

SIGN_IN = (forms.text("phone", "手机号", most=11), forms.text("password", "密码", most=64), *picture_code.FIELDS, NEXT)
WALL = re.compile(r"/disclosures/\d+/versions/\d+/wall\?village=(\d{12})")  # what the code on a wall opens
LARGE = (forms.flag("large", "大字版"),)


@get("/", can=Can.PUBLIC)
async def entrance(request: Request) -> Response[Any]:
    return see_other(home_of(request.user.role) if request.user else "/sign-in")


@get("/sign-in", can=Can.PUBLIC)
async def sign_in_form(request: Request, next: FromQuery[str] = "/") -> Response[Any]:
    if request.user:
        return see_other(within(next))
    half = request.cookies.get(HALF_COOKIE, "")
    if "again" not in request.query_params and await codes.waiting(half, actions.SIGN_IN):
        return await code_page(request, "/sign-in", half, next, {})
    return await password_page(request, forms.Filled(), next)


def application_address(onwards: str) -> str:
    """Where whoever has no account applies for one: for the village whose wall's code was scanned, where it was one."""
    scanned = WALL.fullmatch(onwards)
    return f"/query-accounts/new?village={scanned[1]}" if scanned else "/query-accounts/new"


async def password_page(request: Request, filled: forms.Filled, onwards: str) -> Response[Any]:
    phone = filled.typed.get("phone", "")
    picture = picture_code.new() if await actions.wants_picture(phone) else None
    token = request.cookies.get(SESSION_COOKIE)
    over = await why_over(token) if token and not filled.errors else None
    return await page(request, "accounts/sign_in.html", form={"phone": phone}, errors=filled.errors, picture=picture,
                      over=over, changed="changed" in request.query_params, next=within(onwards), status=filled.status,
                      apply=application_address(within(onwards)))


@post("/sign-in", can=Can.PUBLIC, status_code=200, request_max_body_size=20_000)
async def sign_in(request: Request) -> Response[Any]:
    asked = CODE if "code" in await forms.names(request) else SIGN_IN
    filled = await forms.fill(request, asked)
    filled.errors.pop("next", None)  # an odd way onwards is no reason to stay outside
    onwards = filled.values.get("next", "")
    if asked is CODE:
        return await confirm(request, filled, onwards)
    if not filled.errors:
        try:
            await actions.check_picture(filled["phone"], filled["picture"], filled["picture_code"])
            account = await actions.check_password(filled["phone"], filled["password"])
            if await actions.asks_for_code(account):
                half = await actions.send_code(actions.SIGN_IN, account)
                answer = await code_page(request, "/sign-in", half, onwards, {})
                answer.cookies = [half_cookie(half)]
                return answer
            return await signed_in(request, account, onwards, confirmed=False)
        except actions.PictureRefused as refused:
            filled.errors["picture_code"] = str(refused)
        except actions.Refused as refused:
            filled.errors["password"] = str(refused)
    return await password_page(request, filled, onwards)


async def confirm(request: Request, filled: forms.Filled, onwards: str) -> Response[Any]:
    half = request.cookies.get(HALF_COOKIE, "")
    if not filled.errors:
        try:
            account = await actions.confirm_code(half, actions.SIGN_IN, filled["code"])
            return await signed_in(request, account, onwards, confirmed=True)
        except actions.Refused as refused:
            filled.errors["code"] = str(refused)
    if await codes.waiting(half, actions.SIGN_IN):
        return await code_page(request, "/sign-in", half, onwards, filled.errors, filled.status)
    filled.errors = {"phone": filled.errors["code"]}
    return await password_page(request, filled, onwards)


async def signed_in(request: Request, account: int, onwards: str, *, confirmed: bool) -> Response[Any]:
    opened = await sessions.sign_in(
        account, device=request.headers.get("user-agent", "未知设备"), source=source_of(request), confirmed=confirmed,
        instead_of=request.cookies.get(SESSION_COOKIE, ""))
    answer = see_other(within(onwards))
    answer.cookies = [session_cookie(*opened), OVER[HALF_COOKIE]]
    return answer


@post("/settings/large", can=Can.SIGNED_IN, status_code=303)
async def large(request: Request) -> Response[Any]:
    await actions.set_large(request.user, (await forms.pressed(request, LARGE))["large"])
    return see_other("/me")


ROUTES = [entrance, sign_in_form, sign_in, large]
