"""Query accounts for the matrix: accounts of villagers and households, applications in every state, imports; the cast's
own villagers have one, too."""
import itertools
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from server.core import crypto
from server.core.clock import now
from server.people.tables import ID_NUMBER
from server.query_accounts.tables import kept
from tests.cast import Person, enter
from tests.officers.stories import id_number
from tests.permissions.thing import Thing, id_of
from tests.permissions.villages import CODES

if TYPE_CHECKING:
    from tests.permissions.world import World

STATES = {"waiting": "待核实", "opened": "已开通", "refused": "不同意"}
_serial = itertools.count(1000)


async def reader(world: "World", key: str, stage: str) -> Thing:
    """A query account for a household of a village, in use or ended."""
    person = await enter(world.postgres, "查询人", f"13800{next(_serial):06}")
    account = await world.postgres.fetchval("INSERT INTO account (person_id) VALUES ($1) RETURNING id", person)
    grant = await world.postgres.fetchval("""
        INSERT INTO role_grant (account_id, role, organisation_id, since) VALUES ($1, '村民', $2, '2020-07-01')
        RETURNING id""", account, id_of(world.paths[key]))
    made = await insert(world, key, person, grant)
    if stage == "ended":
        await world.postgres.execute("UPDATE reader SET ended_at = ebranch_now(), end_why = '迁走' WHERE id = $1", made)
    return Thing(f"a query account at {key}, {stage}", world.paths[key], {"reader_id": made}, stage=stage,
                 facts={"member": await member(world, made)}, again=partial(reader, world, key, stage))


async def insert(world: "World", key: str, person: int, grant: int) -> int:
    return await world.postgres.fetchval("""
        INSERT INTO reader (village_code, organisation_path, person_id, grant_id, standing, household, how, who)
        VALUES ($1, $2, $3, $4, '村（居）民', true, '名单', '施村 · 村（社区）管理员') RETURNING id""",
                                         CODES[key], world.paths[key], person, grant)


async def member(world: "World", reader_id: int) -> int:
    """Somebody of the household."""
    return await world.postgres.fetchval(
        "INSERT INTO household_member (reader_id, name, relation) VALUES ($1, '家人', '妻子') RETURNING id", reader_id)


async def own(world: "World", person: Person) -> Thing:
    """The query account behind the active role of a villager, with somebody new in the household; put in again where
    it was ended."""
    actor = await world.actor(person)
    made = await world.postgres.fetchval("SELECT id FROM reader WHERE grant_id = $1", actor.grant_id)
    if made is None:
        made = await insert(world, person.at, actor.person_id, actor.grant_id)
    await restore(world)
    return Thing(f"{person.name}'s query account", actor.organisation_path, owner=person.phone,
                 facts={"member": await member(world, made)}, again=partial(own, world, person))


async def restore(world: "World") -> None:
    """What nonsense has ended of the cast's own goes on."""
    await world.postgres.execute("""
        WITH back AS (UPDATE role_grant SET until = NULL, end_why = '' WHERE end_why = '年度核对' RETURNING id)
        UPDATE reader SET ended_at = NULL, end_why = NULL WHERE grant_id IN (SELECT id FROM back)""")


async def all_of(world: "World", person: Person) -> Thing:
    """The query accounts of somebody's village, and who in the branch's register may be given one."""
    await restore(world)
    path = (await world.actor(person)).organisation_path
    staying = [one["id"] for one in await world.postgres.fetch(
        "SELECT id FROM reader WHERE organisation_path = $1 AND ended_at IS NULL", path)]
    fresh = (await world.new_member(Thing("", path), f"13801{next(_serial):06}")).ids["person_id"]
    return Thing("the query accounts", path, facts={"staying": staying, "people": [fresh]},
                 again=partial(all_of, world, person))


async def application(world: "World", key: str, stage: str) -> Thing:
    """Somebody's application to a village."""
    serial, answered = next(_serial), stage != "waiting"
    number, phone = id_number(serial), f"13802{serial:06}"
    made = await world.postgres.fetchval("SELECT nextval('reader_application_id_seq')")
    await world.postgres.execute("""
        INSERT INTO reader_application (id, village_code, id_number, id_number_index, content, household, state, answer,
                                        answer_who, answer_at, reader_id)
        OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5, false, $6, $7, $8, $9, $10)""", made, CODES[key],
        crypto.encrypt(number, table="reader_application", column="id_number", row_id=made),
        crypto.blind_index(number, ID_NUMBER),
        kept("reader_application", made, {"name": "申请人", "phone": phone, "household": None}), STATES[stage],
        "不是本村的" if stage == "refused" else "", "施村 · 村（社区）管理员" if answered else None,
        now() if answered else None, 1 if stage == "opened" else None)
    return Thing(f"an application to {key}, {stage}", world.paths[key], {"application_id": made}, stage=stage,
                 again=partial(application, world, key, stage))


async def reader_import(world: "World", key: str, paused: str = "", by: Person | None = None) -> Thing:
    """Query accounts that came as a sheet, with a row that was wrong. by: who handed it in, else a stranger."""
    actor = await world.actor(by) if by else None
    made = await world.postgres.fetchval("""
        INSERT INTO reader_import (organisation_id, grant_id, account_id, who, source, file_name, sha256, state, total,
                                   wrong)
        VALUES ($1, $2, $3, '某人', 'test', '名单.xlsx', $4, $5, 2, 1) RETURNING id""", id_of(world.paths[key]),
        actor.grant_id if actor else 1, actor.account_id if actor else 0,
        sha256(str(next(_serial)).encode()).digest(), "已暂停" if paused else "导入中")
    row = await world.postgres.fetchval("SELECT nextval('reader_import_row_id_seq')")
    await world.postgres.execute("""
        INSERT INTO reader_import_row (id, import_id, number, content, state, reason)
        OVERRIDING SYSTEM VALUE VALUES ($1, $2, 3, $3, '有误', '请填写身份证号')""", row, made,
        kept("reader_import_row", row, {"name": "张三"}))
    return Thing(f"an import of query accounts at {key}", world.paths[key], {"import_id": made},
                 owner=by.phone if by else None, again=partial(reader_import, world, key, paused, by))


async def everything(world: "World", key: str, mark: str) -> None:
    """Query accounts, applications and imports of a village, each with `mark` in what it says."""
    made = (await reader(world, key, "reading")).ids["reader_id"]
    await world.postgres.execute("UPDATE household_member SET name = $2 WHERE reader_id = $1", made, mark)
    await world.postgres.execute(
        "UPDATE person SET name = $2 WHERE id = (SELECT person_id FROM reader WHERE id = $1)", made, mark)
    asked = (await application(world, key, "waiting")).ids["application_id"]
    await world.postgres.execute(
        "UPDATE reader_application SET content = $2 WHERE id = $1", asked,
        kept("reader_application", asked, {"name": mark, "phone": "13800000000", "household": None}))
    handed = (await reader_import(world, key)).ids["import_id"]
    await world.postgres.execute("UPDATE reader_import SET file_name = $2 WHERE id = $1", handed, mark)
