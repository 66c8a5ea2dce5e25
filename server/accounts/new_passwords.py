"""New passwords: for who forgot the old one, and for who wants another."""
from datetime import timedelta

from server.accounts.passwords import fits, hashed
from server.accounts.rules import GUESSES, read_password
from server.accounts.sessions import Refused, end_all, end_others
from server.accounts.tables import accounts_with_phone, actor_without_session, sharing_phone
from server.core import audit, codes, forms
from server.core.actor import Actor
from server.core.database import row, rows, the_row, transaction
from server.core.throttle import Throttle
from server.people.tables import id_number_of, phone_of

RESET = "password-reset"  # what the code is good for
WORDS = "验证码 {code}，用于重设灯塔e支部的密码，5 分钟内有效。不是您本人在办，不要理会，也不要告诉任何人。"
OWN_PASSWORD = Throttle("own password", most=GUESSES)


async def send_code(phone: str) -> str:
    """Sends a code to a phone, if somebody has it; the token the browser keeps, in either case. Raises Refused when
    too many left already."""
    found = await accounts_with_phone(phone)
    try:
        return await codes.send(RESET, phone, found[0]["id"] if found else None, words=WORDS, again_ok=True)
    except (codes.TooSoon, codes.TooMany) as limit:
        raise Refused(str(limit)) from None


async def reset(token: str, code: str, tail: str, typed: str, again: str, *, source: str) -> None:
    """Gives the person who holds the phone and knows the last six characters of the own ID number a new password; all
    sessions of the account end.

    A phone may serve two people: the six characters say who. Each try counts as one at the code, of which there are
    five. Raises forms.Refused."""
    known(typed, again)
    with codes.told_beside("code"):
        subject = await codes.confirm(token, RESET, code, keep=True)
    people = [(one, id_number_of(one["person_id"], one["id_number"]) or "") for one in await sharing_phone(subject)]
    meant = [(one, number) for one, number in people if number.endswith(tail)]
    if len(meant) > 1:
        raise forms.Refused("id_tail", "这个手机号有两个人的身份证号后六位相同，请找所在支部书记或安全员当面办理")
    actor = await actor_without_session(meant[0][0]["id"], source) if meant else None
    if actor is None:
        raise forms.Refused("id_tail", "身份证号后六位不对")
    one, number = meant[0]
    phone = phone_of(one["person_id"], one["phone"]) or ""
    known(typed, again, one["name"], phone, number)
    await nobody_elses(phone, typed, actor.account_id)
    fresh = await hashed(typed)
    async with transaction():
        with codes.told_beside("code"):
            await codes.use(token, RESET)
        await rows("UPDATE account SET password_hash = $2 WHERE id = $1", actor.account_id, fresh)
        await end_all(actor.account_id)
        await audit.record(actor, "reset_password", "account", actor.account_id)


def known(typed: str, again: str, *about: str) -> None:
    """forms.Refused when the new password breaks a rule."""
    try:
        read_password(typed, again, about)
    except ValueError as fault:
        raise forms.Refused("password", str(fault)) from None


async def nobody_elses(phone: str, typed: str, account_id: int | None) -> None:
    """forms.Refused when somebody else who signs in with this phone has that password: nobody could tell who it is."""
    for other in await accounts_with_phone(phone) if phone else ():
        if other["id"] != account_id and await fits(other["password_hash"], typed):
            raise forms.Refused("password", "用这个手机号登录的另一位也用这个密码，登录时分不清是谁，请换一个")


async def change(actor: Actor, old: str, typed: str, again: str) -> tuple[str, timedelta]:
    """Changes the actor's own password; every other session of the account ends, this one gets a new token.

    Returns the token, and how long it still lives. Raises forms.Refused."""
    known(typed, again)
    person = await the_row("""SELECT a.password_hash, p.id, p.name, p.phone, p.id_number FROM account a
                              JOIN person p ON p.id = a.person_id WHERE a.id = $1""", actor.account_id)
    if not await OWN_PASSWORD.take(str(actor.account_id)):
        raise forms.Refused("old_password", "密码错误次数太多，请 15 分钟后再试")
    if not await fits(person["password_hash"], old):
        raise forms.Refused("old_password", "原来的密码不对")
    phone = phone_of(person["id"], person["phone"]) or ""
    await nobody_elses(phone, typed, actor.account_id)  # each try counts as a guess
    await OWN_PASSWORD.clear(str(actor.account_id))
    known(typed, again, person["name"], phone, id_number_of(person["id"], person["id_number"]) or "")
    if typed == old:
        raise forms.Refused("password", "新密码和原来的一样，请换一个")
    fresh = await hashed(typed)
    async with transaction():
        changed = await row("UPDATE account SET password_hash = $2 WHERE id = $1 AND password_hash = $3 RETURNING id",
                            actor.account_id, fresh, person["password_hash"])
        if changed is None:  # another of several at once has changed it
            raise forms.Refused("old_password", "原来的密码不对")
        renewed = await end_others(actor)
        await audit.record(actor, "change_password", "account", actor.account_id)
    return renewed
