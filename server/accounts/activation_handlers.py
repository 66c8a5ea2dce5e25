"""Addresses of 用户激活: one form, whose three buttons are 获取验证码, 激活 and asking for a new 授权码."""
from typing import Any

from litestar import Request, Response, get, post

from server.accounts import activation
from server.accounts.authentication import source_of
from server.accounts.phone_step import SMALL, Door, claim_of, claim_with_password, only
from server.core import forms
from server.core.page import page
from server.permissions import Can

DOOR = Door("accounts/activation.html", activation.PURPOSE, "管理员密码", activation.send_code,
            more=(forms.text("authorisation", "授权码", most=20),))


@get("/activation", can=Can.PUBLIC)
async def form(request: Request) -> Response[Any]:
    return await DOOR.show(request)


@post("/activation/code", can=Can.PUBLIC, status_code=200, request_max_body_size=SMALL)
async def send_code(request: Request) -> Response[Any]:
    return await DOOR.send(request)


@post("/activation", can=Can.PUBLIC, status_code=200, request_max_body_size=SMALL)
async def activate(request: Request) -> Response[Any]:
    """激活."""
    filled = await DOOR.fill(request)
    claim = claim_with_password(filled)
    if filled.errors or claim is None:
        return await DOOR.show(request, filled)
    try:
        await activation.activate(claim, filled["sms_token"], filled["sms_code"], filled["authorisation"],
                                  filled["password"], source_of(request))
    except forms.Refused as refused:
        officer = refused.officer if isinstance(refused, activation.AuthorisationRefused) else None
        return await DOOR.refuse(request, filled, refused, officer=officer)
    return await page(request, "accounts/welcome.html", title="激活成功", name=claim.name)


@post("/activation/request", can=Can.PUBLIC, status_code=200, request_max_body_size=SMALL)
async def ask_again(request: Request) -> Response[Any]:
    """请安全员重发授权码."""
    filled = only(await DOOR.fill(request), "phone", "name", "id_number", "sms_code", "sms_token")
    claim = claim_of(filled)
    if filled.errors or claim is None:
        return await DOOR.show(request, filled)
    try:
        asked = await activation.ask_again(claim, filled["sms_token"], filled["sms_code"], source_of(request))
    except forms.Refused as refused:
        return await DOOR.refuse(request, filled, refused)
    return await DOOR.show(request, filled, asked=asked)


ROUTES = [form, send_code, activate, ask_again]
