"""Addresses of members who register by themselves."""
from typing import Any

from litestar import Request, Response, get, post

from server.accounts.authentication import source_of
from server.accounts.phone_step import SMALL, Door, claim_of, claim_with_password, only
from server.core import forms, picture_code
from server.core.page import page
from server.members import registration
from server.permissions import Can

DOOR = Door("members/registration.html", registration.PURPOSE, "密码", registration.send_code)


@get("/registration", can=Can.PUBLIC)
async def form(request: Request) -> Response[Any]:
    return await DOOR.show(request)


@post("/registration/code", can=Can.PUBLIC, status_code=200, request_max_body_size=SMALL)
async def send_code(request: Request) -> Response[Any]:
    return await DOOR.send(request)


@post("/registration", can=Can.PUBLIC, status_code=200, request_max_body_size=SMALL)
async def register(request: Request) -> Response[Any]:
    """注册."""
    filled = await DOOR.fill(request)
    claim = claim_with_password(filled)
    if filled.errors or claim is None:
        return await DOOR.show(request, filled)
    try:
        fresh = await registration.register(claim, filled["sms_token"], filled["sms_code"], filled["password"],
                                            source_of(request))
    except forms.Refused as refused:
        return await DOOR.refuse(request, filled, refused)
    return await page(request, "accounts/welcome.html", title="注册成功" if fresh else "已加上党员身份",
                      name=claim.name, former=not fresh)


@post("/registration/request", can=Can.PUBLIC, status_code=200, request_max_body_size=SMALL)
async def ask_in_person(request: Request) -> Response[Any]:
    """换了手机号: the branch asks face to face."""
    filled = only(await DOOR.fill(request), "phone", "name", "id_number", "picture", "picture_code")
    claim = claim_of(filled)
    if not filled.errors:
        await picture_code.check_in(filled)
    if filled.errors or claim is None:
        return await DOOR.show(request, filled, {"sms_token": ""})
    await registration.ask_in_person(claim, source_of(request))
    return await DOOR.show(request, filled, {"sms_token": ""}, asked=True)


ROUTES = [form, send_code, register, ask_in_person]
