"""The demonstration's villages: opened but for two, one of them exempt; the county's catalogue in its two versions."""
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from asyncpg import Connection

from server.accounts.passwords import HASHER
from server.catalogues.actions import FIELDS
from server.catalogues.rules import Item, of_row
from server.catalogues.typical import typical
from server.demo.names import invent
from server.demo.people import CAST, PASSWORD
from server.demo.places import DONGSHU, OPENED
from server.demo.residents import SEED, numbers
from server.people.rules import sort_key
from server.people.tables import kept_phone
from server.permissions import Role
from server.threads.rules import KINDS
from server.threads.tables import OPEN_THREADS
from server.villages.rules import is_community

COUNTY = "370921"
BEGAN = timedelta(days=430)  # before the demonstration's present: when the villages were opened
SECOND = timedelta(days=140)  # when the catalogue's second version came
NOT_OPENED = ("370921102249",)  # of 东疏镇; 于庄 of 伏山镇 has not been either
EXEMPT = "370921102248"
ADDED = "网格划分、网格员"  # what the second version brought


@dataclass(frozen=True)
class Place:
    """An opened village with those who answer for it: person ids and names, by what they are."""

    code: str
    name: str
    branch: int
    path: str
    community: bool
    people: dict[str, tuple[int, str]]


async def load(connection: Connection, now: datetime) -> None:
    """Opens the villages of 东疏镇, gives each a 村务监督委员会, publishes the catalogue."""
    await catalogue(connection, now)
    branches = await connection.fetch("""
        SELECT o.id, o.name, o.unit_code, u.official_name FROM organisation o JOIN unit u ON u.code = o.unit_code
        WHERE o.kind = '党支部' AND o.unit_code LIKE $1 || '%' ORDER BY o.unit_code""", DONGSHU)
    opened = [one for one in branches if one["unit_code"] not in (*NOT_OPENED, EXEMPT)]
    await connection.executemany("""
        INSERT INTO village (code, path, community, state, organisation_id, organisation_path, opened_at)
        VALUES ($1, '', $4, '已开通', $2, '', $3)""", [
            (one["unit_code"], one["id"], now - BEGAN, is_community(one["official_name"])) for one in opened])
    exempt = next(one for one in branches if one["unit_code"] == EXEMPT)
    await connection.execute("""
        INSERT INTO village (code, path, community, state, organisation_id, organisation_path)
        VALUES ($1, '', false, '暂不开通', $2, '')""", EXEMPT, exempt["id"])
    await exemption(connection, exempt, now)
    owned = [kind for kind in KINDS.values() if kind.owner != "person"]
    await connection.execute(OPEN_THREADS, [kind.name for kind in owned], [kind.owner for kind in owned], "")
    await supervisors(connection, opened, now)
    await keepers(connection, now)


async def keepers(connection: Connection, now: datetime) -> None:
    """Who keeps a village's matters where nobody does yet: the branch's 宣传委员, with an account that may wait for its
    first password."""
    await connection.execute("""
        INSERT INTO account (person_id, created_at)
        SELECT s.person_id, $1 FROM village v JOIN seat s ON s.branch_id = v.organisation_id AND s.until IS NULL
        WHERE s.office = '宣传委员' AND NOT EXISTS (SELECT FROM account WHERE person_id = s.person_id)
        ORDER BY v.code""", now - OPENED)
    await connection.execute("""
        INSERT INTO role_grant (account_id, role, organisation_id, since)
        SELECT a.id, $1, v.organisation_id, $2 FROM village v
        JOIN seat s ON s.branch_id = v.organisation_id AND s.until IS NULL AND s.office = '宣传委员'
        JOIN account a ON a.person_id = s.person_id
        WHERE v.state = '已开通' AND NOT EXISTS (
            SELECT FROM role_grant g WHERE g.organisation_id = v.organisation_id AND g.role = $1)
        ORDER BY v.code""", str(Role.VILLAGE_ADMIN), now - OPENED)


async def catalogue(connection: Connection, now: datetime) -> None:
    """Two versions: the second one added an item and asks for it."""
    first = await connection.fetchval("INSERT INTO catalogue (county_code) VALUES ($1) RETURNING id", COUNTY)
    columns = ", ".join(FIELDS)
    holders = ", ".join(f"${number}" for number in range(3, 3 + len(FIELDS)))
    for rank, one in enumerate((one for one in typical() if one["name"] != ADDED), 1):
        await connection.execute(
            f"INSERT INTO catalogue_item (catalogue_id, rank, {columns}) VALUES ($1, $2, {holders})",
            first, rank, *(one[name] for name in FIELDS))
    await publish(connection, first, "", now - BEGAN)
    second = await connection.fetchval("INSERT INTO catalogue (county_code) VALUES ($1) RETURNING id", COUNTY)
    await connection.execute(f"""INSERT INTO catalogue_item (catalogue_id, item, rank, {columns})
                                 SELECT $1, item, rank, {columns} FROM catalogue_item WHERE catalogue_id = $2""",
                             second, first)
    added = next(one for one in typical() if one["name"] == ADDED)
    await connection.execute(f"INSERT INTO catalogue_item (catalogue_id, rank, {columns}) VALUES ($1, $2, {holders})",
                             second, 90, *(added[name] for name in FIELDS))
    await publish(connection, second, f"增加“{ADDED}”", now - SECOND)


async def publish(connection: Connection, id_: int, note: str, at: datetime) -> None:
    """Publishes a catalogue at that moment; its trigger would say now."""
    await connection.execute("UPDATE catalogue SET number = 1, published_at = $2, who = '陈国栋 · 县级管理员',"
                             " note = $3 WHERE id = $1", id_, at, note)
    await connection.execute("ALTER TABLE catalogue DISABLE TRIGGER USER")
    await connection.execute("UPDATE catalogue SET published_at = $2 WHERE id = $1", id_, at)
    await connection.execute("ALTER TABLE catalogue ENABLE TRIGGER USER")


async def exemption(connection: Connection, branch: object, now: datetime) -> None:
    """Why one village need not publish for the time being, and until when."""
    await connection.execute("""
        INSERT INTO exemption (village_code, organisation_id, organisation_path, state, reason, who, at, opinion,
                               opinion_who, opinion_at, answer, answer_who, answer_at, review_on)
        SELECT $1, o.id, o.path, '已备案', '正在整村搬迁，临时安置点没有通网', '村支部书记 · 书记', $3,
               '情况属实，搬迁后马上开通', '宋文斌 · 党委管理员', $3::timestamptz + interval '1 day', '同意备案',
               '陈国栋 · 县级管理员', $3::timestamptz + interval '3 days', ($2::timestamptz + interval '5 days')::date
        FROM organisation o WHERE o.unit_code = $1 AND o.kind = '党支部'""", EXEMPT, now, now - timedelta(days=300))


async def supervisors(connection: Connection, branches: list, now: datetime) -> None:
    """The head of each village's 村务监督委员会, with an account; 前村's is one of those one can sign in as."""
    there = {one["organisation_id"] for one in await connection.fetch(
        "SELECT organisation_id FROM role_grant WHERE role = $1", str(Role.SUPERVISOR))}
    rng, taken = Random(f"{SEED} supervisors"), {someone.name for someone in CAST}
    missing = [one for one in branches if one["id"] not in there]
    people = await numbers(connection, "person", len(missing))
    accounts = await numbers(connection, "account", len(missing))
    names = [invent(rng, one["name"].removesuffix("支部"), taken) for one in missing]
    opened, password = now - OPENED, HASHER.hash(PASSWORD)
    await connection.copy_records_to_table(
        "person", columns=["id", "name", "sort_key", "created_at", "phone", "phone_index"],
        records=[(id_, name, sort_key(name), opened, *kept_phone(id_, f"139000090{number:02}"))
                 for number, (id_, name) in enumerate(zip(people, names, strict=True))])
    await connection.copy_records_to_table(
        "account", columns=["id", "person_id", "password_hash", "created_at"],
        records=[(id_, person, password, opened) for id_, person in zip(accounts, people, strict=True)])
    await connection.copy_records_to_table(
        "role_grant", columns=["account_id", "role", "organisation_id", "since"],
        records=[(id_, str(Role.SUPERVISOR), one["id"], opened) for id_, one in zip(accounts, missing, strict=True)])


async def places(connection: Connection) -> list[Place]:
    """The opened villages with those who answer for them."""
    seats = await connection.fetch("""
        SELECT v.code, s.office AS what, p.id, p.name FROM village v JOIN seat s ON s.branch_id = v.organisation_id
        AND s.until IS NULL JOIN person p ON p.id = s.person_id WHERE v.state = '已开通'
        UNION ALL
        SELECT v.code, g.role, p.id, p.name FROM village v JOIN role_grant g ON g.organisation_id = v.organisation_id
        AND g.role IN ('村务监督委员会', '村（社区）管理员') JOIN account a ON a.id = g.account_id
        JOIN person p ON p.id = a.person_id""")
    people: dict[str, dict[str, tuple[int, str]]] = {}
    for one in seats:
        people.setdefault(one["code"], {})[one["what"]] = (one["id"], one["name"])
    found = await connection.fetch("""
        SELECT v.code, u.name, v.organisation_id, v.organisation_path, v.community
        FROM village v JOIN unit u ON u.code = v.code WHERE v.state = '已开通' ORDER BY v.code""")
    return [Place(one["code"], one["name"], one["organisation_id"], one["organisation_path"], one["community"],
                  people[one["code"]]) for one in found]


async def items(connection: Connection) -> list[Item]:
    """The items of the county's newest catalogue."""
    return [of_row(one) for one in await connection.fetch("""
        SELECT i.* FROM catalogue_item i JOIN catalogue c ON c.id = i.catalogue_id
        WHERE c.county_code = $1 AND c.number = (SELECT max(number) FROM catalogue WHERE county_code = $1)
        ORDER BY i.rank, i.id""", COUNTY)]
