"""Addresses of members who register by themselves."""
from typing import Any

from litestar import Request, Response, get, post

from server.accounts import phone_step
from server.accounts.activation import Refused
from server.accounts.authentication import source_of
from server.core import forms, picture_code
from server.core.page import page
from server.members import registration
from server.permissions import Can

FORM = (*phone_step.STEP, *phone_step.WHO, *phone_step.passwords("密码"))
KEPT = ("phone", "sms_token", "sms_code", "name", "id_number")
SMALL = 20_000  # bytes of a form


async def show(request: Request, filled: forms.Filled | None = None, *, changed: dict[str, str] | None = None,
               asked: bool = False) -> Response[Any]:
    """The form with what was typed, and what is wrong beside each field."""
    return await page(request, "members/registration.html", asked=asked,
                      **phone_step.context(filled, KEPT, changed or {}))


@get("/registration", can=Can.PUBLIC)
async def form(request: Request) -> Response[Any]:
    return await show(request)


@post("/registration/code", can=Can.PUBLIC, status_code=200, request_max_body_size=SMALL)
async def send_code(request: Request) -> Response[Any]:
    """获取验证码."""
    filled = await forms.fill(request, FORM)
    return await show(request, filled, changed=await phone_step.send(filled, registration.send_code))


@post("/registration", can=Can.PUBLIC, status_code=200, request_max_body_size=SMALL)
async def register(request: Request) -> Response[Any]:
    """注册."""
    filled = await forms.fill(request, FORM)
    claim = phone_step.claim_of(filled)
    phone_step.check_password(filled, claim)
    if filled.errors or claim is None:
        return await show(request, filled)
    try:
        fresh = await registration.register(claim, filled["sms_token"], filled["sms_code"], filled["password"],
                                            source_of(request))
    except Refused as refused:
        filled.errors[refused.field] = str(refused)
        return await show(request, filled)
    return await page(request, "accounts/welcome.html", title="注册成功" if fresh else "已加上党员身份",
                      name=claim.name, former=not fresh)


@post("/registration/request", can=Can.PUBLIC, status_code=200, request_max_body_size=SMALL)
async def ask_in_person(request: Request) -> Response[Any]:
    """换了手机号: the branch asks face to face."""
    filled = phone_step.only(await forms.fill(request, FORM), "phone", "name", "id_number", "picture", "picture_code")
    claim = phone_step.claim_of(filled)
    if not filled.errors and not await picture_code.check(filled["picture"], filled["picture_code"]):
        filled.errors["picture_code"] = "图形验证码不对，请按新的图片再填一次"
    if filled.errors or claim is None:
        return await show(request, filled, changed={"sms_token": ""})
    await registration.ask_in_person(claim)
    return await show(request, filled, changed={"sms_token": ""}, asked=True)


ROUTES = [form, send_code, register, ask_in_person]
