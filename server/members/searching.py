"""Looking for somebody in the register: by name, by full ID number or by full phone number, in one field."""
from dataclasses import dataclass
from typing import Any

from asyncpg import Record

from server.core import audit, forms
from server.core.actor import Actor
from server.core.clock import BEIJING, now
from server.core.database import transaction
from server.members import register
from server.members.actions import count_search
from server.people.rules import read_id_number, read_phone, written_name
from server.permissions import Can

LONG = 11  # digits from which something is meant as a number

SEARCH = (
    forms.text("wanted", "姓名、身份证号或手机号码", most=40),
    forms.text("after", "页面", most=19, required=False, seen=False),
)


@dataclass(frozen=True)
class Result:
    """What was found, one more than a page; by: the word for what was looked for."""

    people: list[Record]
    by: str


def is_number(wanted: str) -> bool:
    """Whether a number was meant, be it a wrong one: such a one is never looked for among the names."""
    return sum(character.isdigit() for character in wanted) >= LONG


async def search(actor: Actor, filled: forms.Filled) -> Result | None:
    """The members of the actor's branch or subtree that were looked for; None, with a message beside the field, when
    it is neither a name nor a right number. A search by number is evidence, without the number."""
    wanted: str = filled["wanted"]
    if not is_number(wanted):
        after = filled["after"]
        last = int(after) if after.isascii() and after.isdecimal() else None
        path = actor.organisation_path
        last = last if last is not None and await register.is_listed(path, last) else None
        return Result(await register.listed(path, last, written_name(wanted)), "姓名")
    try:
        by, find, number = read_number(wanted)
    except ValueError as fault:
        filled.errors["wanted"] = str(fault)
        return None
    if not actor.may(Can.NUMBER_OPEN):  # trying out numbers would open them by and by
        filled.errors["wanted"] = "您的身份不按号码查找，请填姓名"
        return None
    await count_search(actor)
    async with transaction():
        people = await find(actor.organisation_path, number)
        await audit.record(actor, "search_number", "organisation", actor.organisation_id,
                           after={"by": by, "found": [one["id"] for one in people]})
    return Result(people, by)


def read_number(wanted: str) -> tuple[str, Any, str]:
    """What kind of number it is, how it is looked for, and the number. Raises ValueError, in Chinese."""
    compact = "".join(wanted.split()).replace("-", "")
    if len(compact) > LONG:
        return "身份证号", register.with_id_number, read_id_number(compact, now().astimezone(BEIJING).date())
    return "手机号码", register.with_phone, read_phone(compact)
