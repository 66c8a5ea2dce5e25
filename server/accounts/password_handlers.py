"""Addresses of a forgotten password, and of changing one's own."""
from typing import Any

from litestar import Request, Response, get, post

from server.accounts import new_passwords
from server.accounts.authentication import OVER, RESET_COOKIE, cookie, session_cookie, source_of
from server.accounts.password_fields import RULE, new, old
from server.accounts.rules import read_id_tail
from server.accounts.sessions import Refused
from server.core import codes, forms, picture_code, sms
from server.core.page import page, see_other
from server.people import fields
from server.permissions import Can


def typed_field(name: str, label: str, read: Any) -> forms.Field:
    """One line that `read` reads or refuses in words."""
    return forms.Field(name, label, lambda typed: read(typed[0] if typed else ""))


PHONE = (fields.phone("phone", "手机号"), *picture_code.FIELDS)
RESET = (forms.text("code", "短信验证码", most=6), typed_field("id_tail", "身份证号后六位", read_id_tail),
         *new("新密码"))
CHANGE = (old("old_password", "原来的密码"), *new("新密码"))


@get("/password-reset", can=Can.PUBLIC)
async def reset_form(request: Request) -> Response[Any]:
    token = request.cookies.get(RESET_COOKIE, "")
    if "again" not in request.query_params and await codes.waiting(token, new_passwords.RESET):
        return await new_password_page(request, forms.Filled())
    return await phone_page(request, forms.Filled())


async def phone_page(request: Request, filled: forms.Filled) -> Response[Any]:
    return await page(request, "accounts/password_reset.html", form=filled.typed, errors=filled.errors,
                      picture=picture_code.new(), sms_off=await sms.held_back(), status=filled.status)


async def new_password_page(request: Request, filled: forms.Filled) -> Response[Any]:
    return await page(request, "accounts/new_password.html", errors=filled.errors, form=filled.typed, rule=RULE,
                      minutes=codes.minutes(), tries=codes.TRIES, sms_off=await sms.held_back(), status=filled.status)


@post("/password-reset", can=Can.PUBLIC, status_code=200, request_max_body_size=20_000)
async def reset(request: Request) -> Response[Any]:
    if "code" in await forms.names(request):
        return await set_new(request, await forms.fill(request, RESET))
    filled = await forms.fill(request, PHONE)
    if not filled.errors:
        await picture_code.check_in(filled)
    if not filled.errors:
        try:
            token = await new_passwords.send_code(filled["phone"])
            answer = see_other("/password-reset")
            answer.cookies = [cookie(RESET_COOKIE, token, codes.LIFE)]
            return answer
        except Refused as refused:
            filled.errors["phone"] = str(refused)
    return await phone_page(request, filled)


async def set_new(request: Request, filled: forms.Filled) -> Response[Any]:
    if not filled.errors:
        try:
            await new_passwords.reset(request.cookies.get(RESET_COOKIE, ""), filled["code"], filled["id_tail"],
                                      filled["password"], filled["password_again"], source=source_of(request))
            answer = see_other("/sign-in?changed=1")
            answer.cookies = [OVER[RESET_COOKIE]]
            return answer
        except forms.Refused as wrong:
            filled.errors[wrong.field] = str(wrong)
    return await new_password_page(request, filled)


@get("/me/password", can=Can.SIGNED_IN)
async def change_form(request: Request) -> Response[Any]:
    return await change_page(request, forms.Filled())


async def change_page(request: Request, filled: forms.Filled) -> Response[Any]:
    return await page(request, "accounts/change_password.html", errors=filled.errors, rule=RULE, status=filled.status)


@post("/me/password", can=Can.SIGNED_IN, status_code=200, parks=False)
async def change(request: Request) -> Response[Any]:
    filled = await forms.fill(request, CHANGE)
    if not filled.errors:
        try:
            renewed = await new_passwords.change(request.user, filled["old_password"], filled["password"],
                                                 filled["password_again"])
            answer = see_other("/me")
            answer.cookies = [session_cookie(*renewed)]
            return answer
        except forms.Refused as wrong:
            filled.errors[wrong.field] = str(wrong)
    return await change_page(request, filled)


ROUTES = [reset_form, reset, change_form, change]
