"""Accounts and signing in (G1.3, G2.1): lengths of life, limits, what a password is."""
from datetime import timedelta

from server.core.workdays import Length, Unit
from server.permissions import OFFICERS, Role

CODE_DIGITS = 6  # G1.3.3
CODE_LIFE = timedelta(minutes=5)  # G1.3.3
CODE_TRIES = 5  # for one code
CODE_GUESSES = 15  # wrong ones for one account within a quarter of an hour, however often the password is entered

AUTHORISATION = Length(7, Unit.DAYS)  # how long a 授权码 is good: 一周 (G2.1)

GUESSES = 10  # wrong passwords for one phone number within a quarter of an hour

MEMBER_SESSION = timedelta(days=30)
OFFICER_SESSION = timedelta(hours=12)
DEPARTMENT_IDLE = timedelta(minutes=15)
TOUCH_EVERY = timedelta(minutes=1)  # how exactly the last use of a session is kept

# Officers of branch and village keep the member's session: their phone is their desk. Those above do not.
KEEPS_MEMBER_SESSION = frozenset({Role.SECRETARY, Role.ORGANISER, Role.BRANCH_ADMIN, Role.VILLAGE_ADMIN})


def confirms_by_code(roles: set[Role]) -> bool:
    """Whether somebody holding `roles` confirms each sign-in by a one-time code: every officer does (G1.3.3)."""
    return bool(roles & OFFICERS)


def session_life(roles: set[Role]) -> timedelta:
    """How long a session may live at most: the shortest that any of the roles asks for."""
    return OFFICER_SESSION if roles & (OFFICERS - KEEPS_MEMBER_SESSION) else MEMBER_SESSION


def idle_limit(role: Role) -> timedelta | None:
    """After how long without use a session under this role ends; None: only at its end of life."""
    return DEPARTMENT_IDLE if role in OFFICERS - KEEPS_MEMBER_SESSION else None
