"""Officers' accounts, nominations and imports for the matrix: at organisations in care and beyond it."""
import itertools
import json
from functools import cache
from typing import Any

from server.core import crypto
from server.core.clock import now
from server.core.workbooks import packed, sheet_of
from server.core.workdays import beijing_date
from server.officers.sheet import COLUMNS
from server.officers.tables import kept_number, kept_phone
from server.people.tables import ID_NUMBER
from tests.cast import MEMBER, ORGANISER, enter
from tests.officers.stories import id_number
from tests.permissions.world import Thing, World, id_of

ROLES = {"province": "省级管理员", "city": "市级管理员", "county": "县级管理员", "other_county": "县级管理员",
         "committee": "党委管理员", "qiancun": "书记", "beimen": "书记"}
DEPARTMENTS = ("city", "county", "other_county")
_serial = itertools.count(26_000)  # those of readers begin at 1,000


async def officer(world: World, at: str) -> Thing:
    """An account with a role there that waits to be activated."""
    serial = next(_serial)
    person = await enter(world.postgres, "新干部", f"139000{serial:05}", id_number(serial))
    account = await world.postgres.fetchval("INSERT INTO account (person_id) VALUES ($1) RETURNING id", person)
    path = world.paths[at]
    grant = await world.postgres.fetchval("""
        INSERT INTO role_grant (account_id, role, organisation_id, since, granted_by)
        SELECT $1, $2, $3, '2026-01-01', account_id FROM role_grant WHERE role = '安全员' LIMIT 1 RETURNING id""",
                                          account, ROLES[at], id_of(path))
    return Thing(f"an officer's account at {at}", path, {"account_id": account, "grant_id": grant})


async def nomination(world: World, at: str) -> Thing:
    """A nomination from there, for there, that waits."""
    path, serial = world.paths[at], next(_serial)
    made = await world.postgres.fetchval("SELECT nextval('nomination_id_seq')")
    await world.postgres.execute("""
        INSERT INTO nomination (id, organisation_id, role, name, id_number, id_number_index, phone, reason,
                                nominated_by, nominated_at_id, who)
        OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, '被上报人', $4, $5, $6, '换届', 1, $2, '某人')""",
                                 made, id_of(path), ROLES[at], kept_number(made, id_number(serial)),
                                 crypto.blind_index(id_number(serial), ID_NUMBER),
                                 kept_phone(made, f"139100{serial:05}"))
    return Thing(f"a nomination at {at}", path, {"nomination_id": made})


async def an_import(world: World, at: str, state: str = "导入中") -> Thing:
    """An import of a department, with a row that was wrong."""
    path = world.paths[at]
    made = await world.postgres.fetchval("""
        INSERT INTO officer_import (department_id, grant_id, account_id, begun_by, who, source, file_name, sha256, why,
                                    state, total, wrong)
        SELECT $1, id, account_id, account_id, '某人 · 安全员', 'test', '名单.xlsx', sha256($2), '换届', $3, 2, 1
        FROM role_grant WHERE role = '安全员' ORDER BY organisation_id = $1 DESC, id LIMIT 1
        RETURNING id""", id_of(path), str(next(_serial)).encode(), state)
    row = await world.postgres.fetchval("SELECT nextval('officer_import_row_id_seq')")
    content = crypto.encrypt(json.dumps({"name": "张三"}), table="officer_import_row", column="content", row_id=row)
    await world.postgres.execute("""
        INSERT INTO officer_import_row (id, import_id, number, content, state, reason)
        OVERRIDING SYSTEM VALUE VALUES ($1, $2, 2, $3, '有误', '请填写身份证号')""", row, made, content)
    return Thing(f"an import of {at}", path, {"import_id": made})


async def a_hand_over(world: World, at: str) -> Thing:
    """A role there that was handed over to another."""
    gone, taken = await officer(world, at), await officer(world, at)
    made = await world.postgres.fetchval("""
        INSERT INTO hand_over (grant_id, successor_grant_id, items, why, account_id) VALUES ($1, $2, '[]', '换届', 1)
        RETURNING id""", gone.ids["grant_id"], taken.ids["grant_id"])
    return Thing(f"a hand-over at {at}", gone.path, {"hand_over_id": made})


async def fresh_thing(world: World, path: str, at: str) -> Thing | None:
    """A thing of its own for a change to it; None for an address about something else."""
    if "account_id" in path:
        return await officer(world, at)
    if "nomination_id" in path:
        return await nomination(world, at)
    if "hand_over_id" in path:
        return await a_hand_over(world, at)
    if "import_id" in path:
        return await an_import(world, at, "已暂停" if path.endswith("resumption") else "导入中")
    return None


def places(path: str) -> tuple[str, ...]:
    """Where things for an address stand; none for an address about something else."""
    if any(name in path for name in ("account_id", "nomination_id", "hand_over_id")):
        return tuple(ROLES)
    return DEPARTMENTS if "import_id" in path else ()


def person(serial: int) -> dict[str, str]:
    """The fields that say who somebody is."""
    return {"name": "新干部", "id_number": id_number(serial), "phone": f"138000{serial:05}", "why": "换届"}


@cache
def workbook() -> bytes:
    """An .xlsx with one good row."""
    from openpyxl import Workbook

    book = Workbook()
    sheet_of(book, "管理员", COLUMNS.values(), [12]).append(
        ["新干部", id_number(400), "13800000400", "后村支部", "组织委员", ""])
    return packed(book)


FORMS: dict[str, Any] = {
    "/accounts": lambda _: person(401) | {"organisation": "后村支部", "role": "组织委员"},
    "/accounts/search": lambda _: {"words": "13700000007"},
    "/accounts/{account_id:int}/codes": lambda _: {"after": 0},
    "/accounts/{account_id:int}/roles": lambda _: {"organisation": "后村支部", "role": "组织委员", "why": "换届"},
    "/accounts/{account_id:int}/roles/{grant_id:int}/end": lambda _: {"why": "离任"},
    "/accounts/{account_id:int}/roles/{grant_id:int}/hand-over": lambda _: {"phone": ORGANISER.phone, "why": "换届"},
    "/accounts/{account_id:int}/roles/{grant_id:int}/substitution": lambda _: {
        "phone": MEMBER.phone, "first": str(beijing_date(now())), "last": str(beijing_date(now())), "why": "住院"},
    "/accounts/{account_id:int}/phone": lambda _: {
        "phone": "13800009990", "again": "13800009990", "why": "换了号码"},
    "/accounts/{account_id:int}/closure": lambda _: {"why": "手机丢失"},
    "/accounts/{account_id:int}/reopening": lambda _: {"why": "补了卡"},
    "/accounts/imports": lambda _: {"why": "换届"},
    "/accounts/nominations": lambda thing: nominated(thing.facts.get("role", ""), thing.facts.get("at", "")),
    "/accounts/nominations/{nomination_id:int}/opening": lambda _: {},
    "/accounts/nominations/{nomination_id:int}/return": lambda _: {"reason": "请核对身份证号"},
    "/accounts/nominations/{nomination_id:int}/withdrawal": lambda _: {},
    "/accounts/imports/{import_id:int}/pause": lambda _: {},
    "/accounts/imports/{import_id:int}/resumption": lambda _: {},
}
IMPORTS = "/accounts/imports"
OWN_ROLE = {"县级管理员": "审计员", "市级管理员": "审计员", "省级管理员": "审计员", "党委管理员": "组织员"}


def nominated(role: str, at: str) -> dict[str, str]:
    """What somebody of `role` there reports for the own organisation; a committee names it."""
    named = {"organisation": at} if role == "党委管理员" else {}
    return person(402) | {"role": OWN_ROLE.get(role, "组织委员")} | named


