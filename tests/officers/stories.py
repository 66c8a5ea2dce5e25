"""Officers as tests need them: somebody to open an account for, another safety officer, what was sent."""
from typing import Any

from server.core import sms
from server.core.database import rows, the_row
from server.officers import actions
from server.officers.actions import Officer, Opened
from server.people.rules import check_character
from server.permissions import Role
from tests.cast import ORGANISATIONS, SAFETY, Person, enter
from tests.passwords import HASH
from tests.visits import actor_of

NAMES = {key: name for key, _, _, _, name in ORGANISATIONS}


def id_number(serial: int) -> str:
    """An invented one: born on one of the days of 1980, with a serial nobody is given."""
    digits = f"3709211980{1 + serial // 28 % 12:02}{1 + serial % 28:02}{900 + serial // 336:03}"
    return digits + check_character(digits)


async def place(key: str) -> int:
    """The id of one of the cast's organisations."""
    return (await the_row("SELECT id FROM organisation WHERE name = $1", NAMES[key]))["id"]


async def somebody(serial: int = 1, role: Role = Role.BRANCH_ADMIN, at: str = "houcun", **facts: Any) -> Officer:
    """Somebody whom nobody knows yet."""
    given: dict[str, Any] = {
        "name": f"新干部{serial}", "id_number": id_number(serial), "phone": f"138000{serial:05}", "role": role,
        "organisation_id": await place(at), "why": "2026年换届"}
    return Officer(**given | facts)


async def known(person: Person, role: Role, at: str, **facts: Any) -> Officer:
    """Somebody of the cast, for a further role."""
    return await somebody(role=role, at=at, name=person.name, id_number=person.id_number, phone=person.phone, **facts)


async def opened(officer: Officer, by: Person = SAFETY) -> Opened:
    return await actions.open_account(await actor_of(by), officer)


async def activate(account_id: int) -> None:
    """As if its owner had activated it with the demonstration's password."""
    await rows("UPDATE account SET password_hash = $2 WHERE id = $1", account_id, HASH)


async def account_of(person: Person) -> int:
    return (await actor_of(person)).account_id


async def roles(account_id: int) -> list[tuple[str, str]]:
    """The roles an account holds now, with their places."""
    return [(one["role"], one["name"]) for one in await rows("""
        SELECT g.role, o.name FROM role_grant g JOIN organisation o ON o.id = g.organisation_id
        WHERE g.account_id = $1 AND (g.until IS NULL OR g.until > ebranch_now()) ORDER BY g.id""", account_id)]


async def messages(phone: str) -> list[str]:
    """What was sent to a phone, oldest first."""
    return [sms.words_of(one)[0] for one in await rows("SELECT * FROM sms ORDER BY id") if sms.phone_of(one) == phone]


async def second_safety_officer(owner: Any, at: str = "county", *, active: bool = True, serial: int = 77) -> int:
    """Another safety officer of a department, put there by the owner; the account's id."""
    person = await enter(owner, f"安全员{serial}", f"138999{serial:05}", id_number(serial))
    account = await owner.fetchval("INSERT INTO account (person_id, password_hash) VALUES ($1, $2) RETURNING id",
                                   person, HASH if active else None)
    await owner.execute("""INSERT INTO role_grant (account_id, role, organisation_id, since)
                           VALUES ($1, '安全员', $2, '2021-01-01')""", account, await place(at))
    return account
