"""Query accounts as tests need them: somebody new, applied for, opened, imported."""
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from openpyxl import Workbook

from server.core import effects, picture_code, sheets
from server.core.database import row, rows, the_row
from server.core.workbooks import packed, sheet_of
from server.people.rules import check_character
from server.permissions import Role
from server.query_accounts import applications, imports
from server.query_accounts.rules import Standing
from server.villages.tables import village
from tests.cast import VILLAGE_ADMIN, Person
from tests.disclosure.stories import OPENED, QIANCUN, opened
from tests.officers.stories import id_number
from tests.visits import actor_of

NEW = Person("13700000050", "冯老汉", Role.VILLAGER, "qiancun", standing=None)
ANOTHER = Person("13700000051", "陈大娘", Role.VILLAGER, "qiancun", standing=None)
OWN_HEADS = ("姓名", "身份证号", "手机号码", "身份")
MANY_HEADS = ("村", *OWN_HEADS)


async def village_open(at: Any, *codes: str) -> None:
    """前村, and what else is named, has been opened."""
    await at(OPENED)
    for code in codes or (QIANCUN,):
        await opened(code)


# Applying -------------------------------------------------------------------------------------------------------------

def picture(typed: str | None = None) -> dict[str, str]:
    token = picture_code.new()
    return {"picture": token, "picture_code": str(picture_code.shown(token)) if typed is None else typed}


def application(person: Person = NEW, code: str = QIANCUN, **more: str) -> dict[str, str]:
    """The form as somebody fills it in, the picture read rightly."""
    return {"village": code, "name": person.name, "id_number": person.id_number, "phone": person.phone,
            **picture()} | more


async def apply(visit, person: Person = NEW, code: str = QIANCUN, **more: str):
    return await visit(None, "POST", "/query-accounts/new", data=application(person, code, **more))


async def applied(person: Person = NEW, code: str = QIANCUN,
                  household: Sequence[tuple[str, str]] | None = None) -> int:
    """An application that waits; its id."""
    await applications.apply(code, person.name, person.id_number, person.phone, household, "test")
    return (await the_row("SELECT max(id) AS id FROM reader_application"))["id"]


async def verified(person: Person = NEW, by: Person = VILLAGE_ADMIN, standing: Standing = Standing.VILLAGER,
                   household: Sequence[tuple[str, str]] | None = None, code: str = QIANCUN) -> int:
    """A query account that was applied for; its id."""
    made = await applied(person, code, household)
    one = await row("SELECT * FROM reader_application WHERE id = $1", made)
    its = await village(code)
    assert its is not None
    return (await applications.open_applied(await actor_of(by), dict(one), its, standing)).reader_id


async def readers(code: str = QIANCUN) -> list[tuple[str, str, bool]]:
    """The query accounts of a village: name, standing, whether in use."""
    return [(one["name"], one["standing"], one["used"]) for one in await rows("""
        SELECT p.name, r.standing, r.ended_at IS NULL AS used FROM reader r JOIN person p ON p.id = r.person_id
        WHERE r.village_code = $1 ORDER BY r.id""", code)]


async def the_application(made: int) -> dict[str, Any]:
    return dict(await the_row("SELECT * FROM reader_application WHERE id = $1", made))


async def grants(person: Person) -> list[str]:
    """The roles somebody holds now."""
    return [one["role"] for one in await rows("""
        SELECT g.role FROM role_grant g JOIN account a ON a.id = g.account_id JOIN person p ON p.id = a.person_id
        WHERE p.name = $1 AND (g.until IS NULL OR g.until > ebranch_now()) ORDER BY g.id""", person.name)]


# Importing ------------------------------------------------------------------------------------------------------------

def line(serial: int = 1, standing: str = "", **cells: str) -> list[str]:
    """A row of a village's own sheet."""
    its = {"name": f"村民{serial}", "id_number": id_number(serial), "phone": f"139000{serial:05}",
           "standing": standing} | cells
    return [its[name] for name in imports.COLUMNS]


def sheet(*lines: Sequence[Any], heads: Sequence[str] = OWN_HEADS, title: str = imports.TITLE) -> bytes:
    book = Workbook()
    page = sheet_of(book, "查询账号", heads, [14], above=title)
    for one in lines:
        page.append(list(one))
    return packed(book)


async def begun(*lines: Sequence[Any], by: Person = VILLAGE_ADMIN, heads: Sequence[str] = OWN_HEADS) -> int:
    """An import that has been handed in."""
    actor, body = await actor_of(by), sheet(*lines, heads=heads)
    return await imports.take_in(actor, "名单.xlsx", sha256(body).digest(),
                                 await sheets.read(body, imports.layout_of(actor)))


async def done(*lines: Sequence[Any], **more: Any) -> dict[str, Any]:
    """An import that has been worked off."""
    made = await begun(*lines, **more)
    await effects.sweep()
    return await import_of(made)


async def import_of(made: int) -> dict[str, Any]:
    return dict(await the_row("SELECT * FROM reader_import WHERE id = $1", made))


async def reasons(made: int) -> dict[int, str]:
    return {one["number"]: one["reason"] for one in await rows(
        "SELECT number, reason FROM reader_import_row WHERE import_id = $1 AND state = '有误' ORDER BY number", made)}


def odd_id_number(serial: int) -> str:
    """One with a wrong check character."""
    right = id_number(serial)
    return right[:17] + ("0" if check_character(right[:17]) != "0" else "1")


