"""Who somebody is: by password, after a mistake by a picture code too, and for officers by a one-time code."""
from server.accounts.passwords import fits, hashed, outdated, turn
from server.accounts.rules import GUESSES, SHARED_BY, asks_for_picture, confirms_by_code
from server.accounts.sessions import Refused
from server.accounts.tables import accounts_with_phone, own_phone, roles_of
from server.core import codes, picture_code
from server.core.actor import Actor
from server.core.clock import now
from server.core.database import rows
from server.core.throttle import Throttle
from server.permissions import Role
from server.settings import settings

PASSWORDS = Throttle("password", most=GUESSES)  # counted before they are looked at
MISTAKES = Throttle("wrong password", most=GUESSES)  # counted after
SIGN_IN, STEP_UP = "sign-in", "step-up"  # what a code is good for
WORDS = {
    SIGN_IN: "验证码 {code}，用于登录灯塔e支部，5 分钟内有效。不要告诉任何人。",
    STEP_UP: "验证码 {code}，用于确认是您本人在办事，5 分钟内有效。不要告诉任何人。",
}


class PictureRefused(Refused):
    """The picture code is missing or wrong; the password was not looked at."""


async def wants_picture(phone: str) -> bool:
    """Whether who signs in with this number types a picture code: after a mistake, whether or not anybody has it."""
    return asks_for_picture(settings.picture_code, await MISTAKES.taken(phone) if phone else 0)


async def check_picture(phone: str, token: str, typed: str) -> None:
    """PictureRefused when this number's picture code is wanted and not the right one."""
    if await wants_picture(phone) and not await picture_code.check(token, typed):
        raise PictureRefused(picture_code.WRONG if typed else "请填写图形验证码")


async def check_password(phone: str, password: str) -> int:
    """The account that `phone` and `password` open. Refused, in the same words and after the same time whether or not
    the number is known."""
    async with turn():  # before it is counted: many right ones at once are no wrong ones
        if not await PASSWORDS.take(phone):
            raise Refused("密码错误次数太多，请 15 分钟后再试")
        found = await accounts_with_phone(phone)
        fitting = [account for account in found if await fits(account["password_hash"], password)]
        for _ in range(len(found), SHARED_BY if not fitting else 0):
            await fits(None, password)
        if len(fitting) > 1:
            raise Refused("这个手机号有两个人用了同一个密码，分不清是哪一位：请点“忘记密码”，各设一个")
        if fitting:
            await PASSWORDS.clear(phone)
            await MISTAKES.clear(phone)
            await keep_up_to_date(fitting[0]["id"], fitting[0]["password_hash"], password)
            return fitting[0]["id"]
        await MISTAKES.take(phone)
    raise Refused("手机号或密码不对，请检查后再试")


async def keep_up_to_date(account_id: int, stored: str, password: str) -> None:
    """Hashes a password anew whose hash was made with other parameters than today's."""
    if outdated(stored):
        await rows("UPDATE account SET password_hash = $3 WHERE id = $1 AND password_hash = $2",
                   account_id, stored, await hashed(password))


async def asks_for_code(account_id: int) -> bool:
    """Whether this account confirms its sign-in by a one-time code."""
    return confirms_by_code({Role(grant["role"]) for grant in await roles_of(account_id, now())})


async def send_code(purpose: str, account_id: int) -> str:
    """Sends a one-time code to the account's own phone; the token the browser keeps meanwhile. In the demonstration
    the page shows it and no SMS leaves. Refused when too many left already, or nobody knows a phone."""
    phone = await own_phone(account_id)
    if phone is None:
        raise Refused("没有登记您的手机号，请找所在支部或开通账号的安全员")
    try:
        return await codes.send(purpose, phone, account_id, words=WORDS[purpose], by_sms=not settings.demo,
                                again_ok=True)
    except (codes.TooSoon, codes.TooMany) as limit:
        raise Refused(str(limit)) from None


async def confirm_code(token: str, purpose: str, code: str) -> int:
    """The account whose one-time code this is. Refused, in words for the page: wrong, over, used, tried too often."""
    try:
        return await codes.confirm(token, purpose, code)
    except codes.Refused as refused:
        raise Refused(str(refused)) from None


async def confirm_own_code(actor: Actor, token: str, code: str) -> None:
    """As `confirm_code`, for a code the actor asked for within a session; somebody else's is none."""
    if await confirm_code(token, STEP_UP, code) != actor.account_id:
        raise Refused(codes.GONE)


async def set_large(actor: Actor, large: bool) -> None:
    """Turns 大字版 on or off for the account, on every device it uses."""
    await rows("UPDATE account SET large = $2 WHERE id = $1", actor.account_id, large)
