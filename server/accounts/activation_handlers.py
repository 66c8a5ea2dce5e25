"""Addresses of 用户激活: one form, whose three buttons are 获取验证码, 激活 and asking for a new 授权码."""
from typing import Any

from litestar import Request, Response, get, post

from server.accounts import activation, phone_step
from server.accounts.authentication import source_of
from server.core import forms
from server.core.page import page
from server.permissions import Can

FORM = (*phone_step.STEP, *phone_step.WHO, *phone_step.passwords("管理员密码"),
        forms.text("authorisation", "授权码", most=20))
KEPT = ("phone", "sms_token", "sms_code", "authorisation", "name", "id_number")
SMALL = 20_000  # bytes of a form


async def show(request: Request, filled: forms.Filled | None = None, *, changed: dict[str, str] | None = None,
               officer: Any = None, asked: Any = None) -> Response[Any]:
    """The form with what was typed, and what is wrong beside each field."""
    return await page(request, "accounts/activation.html", officer=officer, asked=asked,
                      **phone_step.context(filled, KEPT, changed or {}))


@get("/activation", can=Can.PUBLIC)
async def form(request: Request) -> Response[Any]:
    return await show(request)


@post("/activation/code", can=Can.PUBLIC, status_code=200, request_max_body_size=SMALL)
async def send_code(request: Request) -> Response[Any]:
    """获取验证码."""
    filled = await forms.fill(request, FORM)
    return await show(request, filled, changed=await phone_step.send(filled, activation.send_code))


@post("/activation", can=Can.PUBLIC, status_code=200, request_max_body_size=SMALL)
async def activate(request: Request) -> Response[Any]:
    """激活."""
    filled = await forms.fill(request, FORM)
    claim = phone_step.claim_of(filled)
    phone_step.check_password(filled, claim)
    if filled.errors or claim is None:
        return await show(request, filled)
    try:
        await activation.activate(claim, filled["sms_token"], filled["sms_code"], filled["authorisation"],
                                  filled["password"], source_of(request))
    except activation.Refused as refused:
        filled.errors[refused.field] = str(refused)
        return await show(request, filled, officer=refused.officer)
    return await page(request, "accounts/welcome.html", title="激活成功", name=claim.name)


@post("/activation/request", can=Can.PUBLIC, status_code=200, request_max_body_size=SMALL)
async def ask_again(request: Request) -> Response[Any]:
    """请安全员重发授权码."""
    filled = phone_step.only(await forms.fill(request, FORM), "phone", "name", "id_number", "sms_code", "sms_token")
    claim = phone_step.claim_of(filled)
    if filled.errors or claim is None:
        return await show(request, filled)
    try:
        asked = await activation.ask_again(claim, filled["sms_token"], filled["sms_code"], source_of(request))
    except activation.Refused as refused:
        filled.errors[refused.field] = str(refused)
        return await show(request, filled)
    return await show(request, filled, asked=asked)


ROUTES = [form, send_code, activate, ask_again]
