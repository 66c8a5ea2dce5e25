"""Doors for who has no password yet, activation and registration: somebody proves a phone (number, picture code, SMS
code) and says who he is, in one form. The rest of the form stays as it was typed meanwhile."""
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response

from server.accounts import password_fields
from server.accounts.activation import Claim
from server.accounts.rules import read_password
from server.core import codes, forms, picture_code, sms
from server.core.page import page
from server.people import fields
from server.people.rules import masked_phone

SMALL = 20_000  # bytes of a form
BESIDE = {"picture": "picture_code", "sms_token": "sms_code"}  # where what is wrong with a hidden field is told
STEP = (
    fields.phone("phone", "手机号码"), fields.name("name", "姓名"), fields.id_number("id_number", "身份证号"),
    *picture_code.FIELDS, forms.text("sms_code", "短信验证码", most=10),
    forms.text("sms_token", "短信验证码", most=200, required=False, seen=False),
    forms.text("again", "重新获取", most=1, required=False, seen=False))


@dataclass(frozen=True)
class Door:
    """One such form: its page, what the password is called, its fields besides, who sends its SMS codes and what
    they are good for."""
    template: str
    purpose: str  # of its SMS codes
    password: str
    send_code: Callable[[str], Awaitable[str]]
    more: tuple[forms.Field, ...] = ()

    async def fill(self, request: Request) -> forms.Filled:
        return await forms.fill(request, (*STEP, *password_fields.new(self.password), *self.more))

    async def show(self, request: Request, filled: forms.Filled | None = None,
                   changed: dict[str, str] | None = None, **context: Any) -> Response[Any]:
        """The page: what was typed with what `changed` since (passwords are given back to nobody), the picture until
        the SMS is sent, and where it was sent to."""
        typed = filled.typed if filled else {}
        kept = ("phone", "name", "id_number", "sms_code", "sms_token", *(one.name for one in self.more))
        form = {name: typed.get(name, "") for name in kept} | (changed or {})
        sent = form["sms_token"]
        return await page(request, self.template, form=form, errors=filled.errors if filled else {},
                          picture=None if sent else picture_code.new(), rule=password_fields.RULE,
                          sent=masked_phone(form["phone"]) if sent else None, sms_off=await sms.held_back(),
                          status=filled.status if filled else 200, **context)

    async def refuse(self, request: Request, filled: forms.Filled, refused: forms.Refused,
                     **context: Any) -> Response[Any]:
        """The page with what was refused beside its field; without the SMS step done where its code is over."""
        filled.errors[refused.field] = str(refused)
        going_on = await codes.waiting(filled["sms_token"], self.purpose)
        if not going_on:
            filled.errors.setdefault("sms_code", codes.TRIED)
        return await self.show(request, filled, {} if going_on else {"sms_token": "", "sms_code": ""}, **context)

    async def send(self, request: Request) -> Response[Any]:
        """获取验证码: only the phone and the picture count."""
        filled = only(await self.fill(request), "phone", "picture", "picture_code")
        changed, again = {"sms_token": "", "sms_code": ""}, bool(filled.values.get("again"))
        if not filled.errors and not again:
            await picture_code.check_in(filled)
            if not filled.errors:
                try:
                    changed |= {"phone": filled["phone"], "sms_token": await self.send_code(filled["phone"])}
                except (codes.TooSoon, codes.TooMany) as refused:
                    filled.errors["phone"] = str(refused)
        return await self.show(request, filled, changed, again=again)


def only(filled: forms.Filled, *names: str) -> forms.Filled:
    """The form as one of its buttons takes it: what is wrong with the rest is not told yet."""
    filled.errors = {BESIDE.get(name, name): words for name, words in filled.errors.items() if name in names}
    return filled


def claim_of(filled: forms.Filled) -> Claim | None:
    """Whom the form names, once each of the three fields could be read."""
    named = [filled.values.get(name) for name in ("phone", "name", "id_number")]
    return Claim(*named) if all(named) else None  # type: ignore[arg-type] # all of them are text then


def claim_with_password(filled: forms.Filled) -> Claim | None:
    """Whom the form names, after a look at the new password (G2.1): what is wrong with it stands beside its field."""
    claim = claim_of(filled)
    if claim and "password" in filled.values:
        try:
            read_password(filled["password"], filled.typed["password_again"],
                          (claim.name, claim.phone, claim.id_number))
        except ValueError as fault:
            filled.errors["password"] = str(fault)
    return claim
