"""Addresses of members who register by themselves."""
from typing import Any, Literal

from litestar import Request, Response, get, post
from litestar.params import FromQuery

from server.accounts.authentication import source_of
from server.accounts.phone_step import SMALL, Door, claim_of, claim_with_password, only
from server.core import forms, picture_code
from server.core.page import page
from server.members import registration
from server.permissions import Can

READER = "reader"  # whether somebody with a new query account asks, who sets its password here as well
DOOR = Door("members/registration.html", registration.PURPOSE, "密码", registration.send_code,
            (forms.text(READER, "查询账号", most=1, required=False, seen=False),))


@get("/registration", can=Can.PUBLIC)
async def form(request: Request, reader: FromQuery[Literal["1"] | None] = None) -> Response[Any]:
    return await DOOR.show(request, changed={READER: reader or ""})


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
    return await page(request, "accounts/welcome.html", title=title(fresh, bool(filled[READER])),
                      name=claim.name, former=not fresh)


def title(fresh: bool, reader: bool) -> str:
    if not fresh:
        return "已加上党员身份"
    return "密码已设好" if reader else "注册成功"


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
