"""Addresses of signing in and out and of 我的."""
from datetime import timedelta
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from server.accounts import actions
from server.accounts.authentication import HALF_COOKIE, SESSION_COOKIE, cookie, source_of
from server.accounts.rules import CODE_LIFE, CODE_TRIES
from server.accounts.tables import open_sessions, roles_of
from server.core import forms
from server.core.clock import now
from server.core.page import page, see_other
from server.permissions import Can
from server.settings import settings
from server.tabs import home_of, links_for

NEXT = forms.text("next", "页面", most=500, required=False)
SIGN_IN = (forms.text("phone", "手机号", most=11), forms.text("password", "密码", most=64), NEXT)
CODE = (forms.text("code", "验证码", most=6), NEXT)
SIGN_OUT = (forms.flag("everywhere", "所有设备"),)
LARGE = (forms.flag("large", "大字版"),)
OVER = timedelta()  # the life of a cookie that is taken away


def safe(path: str) -> str:
    """`path` if it stays within this site, else the entrance."""
    inside = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if inside else "/"


@get("/", can=Can.PUBLIC)
async def entrance(request: Request) -> Response[Any]:
    return see_other(home_of(request.user.role) if request.user else "/sign-in")


@get("/sign-in", can=Can.PUBLIC)
async def sign_in_form(request: Request, next: str = "/") -> Response[Any]:
    if request.user:
        return see_other(safe(next))
    half = request.cookies.get(HALF_COOKIE)
    if half and "again" not in request.query_params and await actions.waiting_for_code(half):
        return await code_page(request, half, next, {})
    return await page(request, "accounts/sign_in.html", form={}, errors={}, next=safe(next))


async def code_page(request: Request, half: str, next: str, errors: dict[str, str], status: int = 200) -> Response[Any]:
    shown = actions.one_time_code(half) if settings.demo else None
    return await page(request, "accounts/code.html", errors=errors, next=safe(next), shown_code=shown,
                      minutes=CODE_LIFE.seconds // 60, tries=CODE_TRIES, status=status)


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
            account = await actions.check_password(filled["phone"], filled["password"])
            if await actions.asks_for_code(account):
                half = await actions.begin_half_sign_in(account)
                answer = await code_page(request, half, onwards, {})
                answer.cookies = [cookie(HALF_COOKIE, half, CODE_LIFE)]
                return answer
            return await signed_in(request, account, onwards)
        except actions.Refused as refused:
            filled.errors["password"] = str(refused)
    return await page(request, "accounts/sign_in.html", form={"phone": filled.typed["phone"]}, errors=filled.errors,
                      next=safe(onwards), status=filled.status)


async def confirm(request: Request, filled: forms.Filled, onwards: str) -> Response[Any]:
    half = request.cookies.get(HALF_COOKIE, "")
    if not filled.errors:
        try:
            return await signed_in(request, await actions.confirm_code(half, filled["code"]), onwards)
        except actions.Refused as refused:
            filled.errors["code"] = str(refused)
    if await actions.waiting_for_code(half):
        return await code_page(request, half, onwards, filled.errors, filled.status)
    return await page(request, "accounts/sign_in.html", form={}, errors={"phone": filled.errors["code"]},
                      next=safe(onwards), status=filled.status)


async def signed_in(request: Request, account: int, onwards: str) -> Response[Any]:
    token, life = await actions.sign_in(
        account, device=request.headers.get("user-agent", "未知设备"), source=source_of(request))
    answer = see_other(safe(onwards))
    answer.cookies = [cookie(SESSION_COOKIE, token, life), cookie(HALF_COOKIE, "", OVER)]
    return answer


@post("/sign-out", can=Can.SIGNED_IN, status_code=303)
async def sign_out(request: Request) -> Response[Any]:
    filled = await forms.pressed(request, SIGN_OUT)
    await actions.sign_out(request.user, everywhere=filled["everywhere"])
    answer = see_other("/sign-in")
    answer.cookies = [cookie(SESSION_COOKIE, "", OVER)]
    return answer


@get("/me", can=Can.SIGNED_IN)
async def mine(request: Request) -> Response[Any]:
    actor, moment = request.user, now()
    return await page(request, "accounts/mine.html", links=links_for(actor.role),
                      roles=[dict(grant) | {"current": grant["id"] == actor.grant_id}
                             for grant in await roles_of(actor.account_id, moment)],
                      sessions=[dict(session) | {"current": session["id"] == actor.session_id}
                                for session in await open_sessions(actor.account_id, moment)])


@post("/me/roles/{grant_id:int}", can=Can.SIGNED_IN, status_code=303)
async def switch_role(request: Request, grant_id: FromPath[int]) -> Response[Any]:
    await forms.nothing(request)
    await actions.switch_role(request.user, grant_id)
    return see_other("/")


@post("/settings/large", can=Can.SIGNED_IN, status_code=303)
async def large(request: Request) -> Response[Any]:
    await actions.set_large(request.user, (await forms.pressed(request, LARGE))["large"])
    return see_other("/me")


ROUTES = [entrance, sign_in_form, sign_in, sign_out, mine, switch_role, large]
