"""The part of a form in which somebody proves a phone: number, picture code, SMS code. Activation and registration
have it in common; the rest of the form stays as it was typed meanwhile."""
from collections.abc import Awaitable, Callable
from typing import Any

from server.accounts.activation import Claim
from server.accounts.rules import read_password
from server.core import codes, forms, picture_code
from server.people import fields
from server.people.rules import masked_phone

READ = 200  # characters of a password that are read, so that one too long is told and not cut
PHONE = fields.phone("phone", "手机号码")
STEP = (
    PHONE, forms.text("sms_code", "短信验证码", most=10),
    forms.text("sms_token", "短信验证码", most=200, required=False),
    forms.text("picture", "图形验证码", most=200, required=False),
    forms.text("picture_code", "图形验证码", most=10, required=False),
    forms.text("again", "重新获取", most=1, required=False))
BESIDE = {"picture": "picture_code", "sms_token": "sms_code"}  # where what is wrong with a hidden field is told
WHO = (fields.name("name", "姓名"), fields.id_number("id_number", "身份证号"))


def passwords(label: str) -> tuple[forms.Field, forms.Field]:
    """A new password, and the same once more."""
    return forms.text("password", label, most=READ), forms.text("password_again", "确认密码", most=READ)


def context(filled: forms.Filled | None, kept: tuple[str, ...], changed: dict[str, str]) -> dict[str, Any]:
    """What the page shows: `form` (what was typed in the fields of `kept`, with what changed since), the picture until
    the SMS is sent, and where it was sent to. Passwords are given back to nobody."""
    form = {name: filled.typed.get(name, "") if filled else "" for name in kept} | changed
    sent = form["sms_token"]
    return {"form": form, "errors": filled.errors if filled else {}, "status": filled.status if filled else 200,
            "picture": None if sent else picture_code.new(), "sent": masked_phone(form["phone"]) if sent else None}


async def send(filled: forms.Filled, send_code: Callable[[str], Awaitable[str]]) -> dict[str, str]:
    """获取验证码: only the phone and the picture count. Returns what changed in the form; what is wrong stands in
    `filled.errors`."""
    only(filled, "phone", "picture", "picture_code")
    nothing_sent = {"sms_token": "", "sms_code": ""}
    if filled.values.get("again") or filled.errors:
        return nothing_sent
    if not await picture_code.check(filled["picture"], filled["picture_code"]):
        filled.errors["picture_code"] = "图形验证码不对，请按新的图片再填一次"
        return nothing_sent
    try:
        return {"phone": filled["phone"], "sms_code": "", "sms_token": await send_code(filled["phone"])}
    except (codes.TooSoon, codes.TooMany) as refused:
        filled.errors["phone"] = str(refused)
        return nothing_sent


def only(filled: forms.Filled, *names: str) -> forms.Filled:
    """The form as one of its buttons takes it: what is wrong with the rest is not told yet."""
    filled.errors = {BESIDE.get(name, name): words for name, words in filled.errors.items() if name in names}
    return filled


def claim_of(filled: forms.Filled) -> Claim | None:
    """Whom the form names, once each of the three fields could be read."""
    named = [filled.values.get(name) for name in ("phone", "name", "id_number")]
    return Claim(*named) if all(named) else None  # type: ignore[arg-type] # all of them are text then


def check_password(filled: forms.Filled, claim: Claim | None) -> None:
    """Puts what is wrong with the new password beside its field (G2.1)."""
    if claim and "password" in filled.values:
        try:
            read_password(filled["password"], filled.typed["password_again"],
                          (claim.name, claim.phone, claim.id_number))
        except ValueError as fault:
            filled.errors["password"] = str(fault)
