"""Accounts and signing in (G1.3, G2.1): lengths of life, limits, what a password is."""
import re
from collections.abc import Iterable
from datetime import timedelta

from server.core.workdays import Length, Unit
from server.permissions import LONG_SESSION, OFFICERS, Role
from server.settings import settings

AUTHORISATION = Length(7, Unit.DAYS)  # how long a 授权码 is good: 一周 (G2.1)

PASSWORD_LEAST = 8  # characters (G2.1); the most is a setting, 18 unless told
KINDS = (("[A-Z]", "大写字母"), ("[a-z]", "小写字母"), ("[0-9]", "数字"))  # of each at least one (G2.1)
TOO_EASY = 1  # zxcvbn's score: known passwords and what machines try right after them
OWN_DIGITS = 6  # as many in a row of one's own phone or ID number tell too much
ID_TAIL = 6  # the last characters of an ID number, for who forgot the password

GUESSES = 10  # wrong passwords for one phone number within a quarter of an hour
SHARED_BY = 2  # a couple's phone: as many passwords are tried for every number, so that the time tells nothing

MEMBER_SESSION = timedelta(days=30)
OFFICER_SESSION = timedelta(hours=settings.officer_session_h)
OFFICER_IDLE = timedelta(minutes=settings.officer_idle_min)
TOUCH_EVERY = timedelta(minutes=1)  # how exactly the last use of a session is kept that may be left alone
CONFIRMED_FOR = timedelta(minutes=15)  # how long a one-time code is good for what asks for one
FORGOTTEN = timedelta(hours=1)  # how long a session that was ended elsewhere still keeps a form for its owner
REMEMBERED = timedelta(days=1)  # how long a browser still knows whose session it had: forms wait for their owner

# Officers of branch and village keep the member's session: their phone is their desk. Those above do not.
AT_A_DESK = OFFICERS - LONG_SESSION


def confirms_by_code(roles: set[Role]) -> bool:
    """Whether somebody holding `roles` confirms each sign-in by a one-time code: every officer does (G1.3.3)."""
    return bool(roles & OFFICERS)


def asks_for_picture(setting: str, mistakes: int) -> bool:
    """Whether a sign-in needs a picture code. setting: "always" or "after-failure"; mistakes: made lately."""
    return setting == "always" or mistakes > 0


def session_life(roles: set[Role]) -> timedelta:
    """How long a session may live at most: the shortest that any of the roles asks for."""
    return OFFICER_SESSION if roles & AT_A_DESK else MEMBER_SESSION


def idle_limit(role: Role) -> timedelta | None:
    """After how long without use a session under this role ends; None: only at its end of life."""
    return OFFICER_IDLE if role in AT_A_DESK else None


def touch_every(role: Role) -> timedelta:
    """How exactly the last use of a session under this role is kept: to the moment where leaving it alone ends it."""
    return timedelta() if idle_limit(role) else TOUCH_EVERY


def switching_asks_for_code(role: Role, present: Role, *, confirmed: bool, lately: bool) -> bool:
    """Whether a session under `present` asks for a one-time code before it takes up `role`.

    confirmed: whether a code was ever entered in it; lately: within CONFIRMED_FOR. Nobody comes by an officer's role
    without a code, and from a role that may be left alone for weeks to one that may not, the code must be fresh: to
    wait out the quarter of an hour as a member would be no way round it."""
    if role not in OFFICERS:
        return False
    return not (lately if role in AT_A_DESK and present not in AT_A_DESK else confirmed)


def read_password(typed: str, again: str, about: Iterable[str] = ()) -> str:
    """The password that was typed twice: 8 to 18 characters (the upper bound a setting), with upper and lower case
    and digits (G2.1), none that everybody knows and none that tells who one is.

    about: the own name, phone, ID number. Raises ValueError, in Chinese."""
    most = settings.password_most
    if not PASSWORD_LEAST <= len(typed) <= most:
        raise ValueError(f"密码要 {PASSWORD_LEAST}–{most} 个字符，现在有 {len(typed)} 个")
    if not (typed.isascii() and typed.isprintable()) or " " in typed:
        raise ValueError("密码只用半角的字母、数字和符号，不要空格和汉字")
    missing = [word for kind, word in KINDS if not re.search(kind, typed)]
    if missing:
        raise ValueError(f"密码里还要有{'、'.join(missing)}")
    if tells(typed, about):
        raise ValueError("密码里不要有自己的姓名、手机号、身份证号")
    from zxcvbn import zxcvbn  # here: its lists of words are wanted once in a person's year

    if zxcvbn(typed)["score"] <= TOO_EASY:
        raise ValueError("这个密码太常见，容易被猜到，请换一个")
    if typed != again:
        raise ValueError("两次填的密码不一样，请重新填")
    return typed


def tells(password: str, about: Iterable[str]) -> bool:
    """Whether a password has one of these in it, or six characters in a row of a number among them."""
    for known in filter(None, about):
        pieces = {known[at:at + OWN_DIGITS] for at in range(len(known) - OWN_DIGITS + 1)} if known[0].isdigit() else ()
        if known.lower() in password.lower() or any(piece in password.upper() for piece in pieces):
            return True
    return False


def read_id_tail(typed: str) -> str:
    """The last six characters of an ID number as they were typed, X upper or lower. Raises ValueError, in Chinese."""
    tail = typed.strip().upper()
    if not re.fullmatch(f"[0-9]{{{ID_TAIL - 1}}}[0-9X]", tail):
        raise ValueError("请填身份证号的最后六位，最后一位可以是 X")
    return tail
