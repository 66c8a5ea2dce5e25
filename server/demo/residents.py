"""The demonstration's people: some 22 members in each branch, their committee, and who can sign in."""
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random

from asyncpg import Connection, Record

from server.accounts.passwords import HASHER
from server.demo.names import invent
from server.demo.people import CAST, PASSWORD
from server.demo.places import DONGSHU, OPENED
from server.members.rules import Standing
from server.organisations.rules import Office
from server.people.rules import sort_key
from server.people.tables import kept_phone
from server.permissions import Role

SEED = 2026
QIANCUN, HOUCUN = "前村支部", "后村支部"
SIGNS_IN = (QIANCUN, HOUCUN)  # where every member has an account
MEMBERS_OF_DONGSHU = 1087  # of 49 branches
QIANCUN_SIZE = 23
PROBATIONARY = 2  # of every branch
SEATS = (Office.SECRETARY, Office.ORGANISER, Office.PUBLICITY)
ALSO = (Office.DEPUTY, Office.DISCIPLINE)  # in the larger branches
LARGE = 24
SEATED_AS = {"13700000007": Office.SECRETARY, "13700000008": Office.ORGANISER, "13700000009": Office.PUBLICITY,
             "13700000013": Office.SECRETARY}  # those of the cast who sit on a committee
BRANCH_ROLES = frozenset({Role.SECRETARY, Role.ORGANISER, Role.BRANCH_ADMIN, Role.MEMBER, Role.PROBATIONARY})
OFFICERS_OF_BRANCH: dict[Office | None, Role] = {Office.ORGANISER: Role.ORGANISER, Office.PUBLICITY: Role.BRANCH_ADMIN}
# In 前村: a name the older fonts lack, one with a middle dot, and one the forum hears of.
ALSO_IN_QIANCUN = ("张建国", "陈𬶮", "阿依努尔·吐尔逊")


@dataclass
class Resident:
    name: str
    branch: Record | None = None  # of which he or she is a member
    office: Office | None = None
    standing: Standing = Standing.FULL
    phone: str | None = None
    roles: list[tuple[Role, str]] = field(default_factory=list)


async def load(connection: Connection, now: datetime) -> None:
    """Registers the members of all branches, and opens the accounts one can sign in with."""
    organisations = await connection.fetch("SELECT id, name, kind, unit_code FROM organisation ORDER BY id")
    branches = [found for found in organisations if found["kind"] == "党支部"]
    residents = [resident for branch, size in sizes(branches) for resident in members_of(branch, size)]
    residents += [Resident(someone.name, phone=someone.phone, roles=list(someone.roles)) for someone in CAST
                  if not branch_of(someone.roles)]
    await register(connection, now, residents, {found["name"]: found["id"] for found in organisations})


def branch_of(roles: Iterable[tuple[Role, str]]) -> str | None:
    """The branch in which somebody of these roles is a member."""
    return next((name for role, name in roles if role in BRANCH_ROLES), None)


def sizes(branches: list[Record]) -> Iterable[tuple[Record, int]]:
    """Each branch with the number of its members: 20 to 25, in 东疏镇 MEMBERS_OF_DONGSHU in all."""
    rng = Random(SEED)
    size = {branch["id"]: rng.randint(20, 25) for branch in branches}
    here = [branch for branch in branches if branch["unit_code"].startswith(DONGSHU)]
    size[next(branch["id"] for branch in here if branch["name"] == QIANCUN)] = QIANCUN_SIZE
    others = [branch["id"] for branch in here if branch["name"] != QIANCUN]
    while left := MEMBERS_OF_DONGSHU - sum(size[branch["id"]] for branch in here):
        chosen = rng.choice(others)
        size[chosen] = min(25, max(20, size[chosen] + (1 if left > 0 else -1)))
    return [(branch, size[branch["id"]]) for branch in branches]


def members_of(branch: Record, size: int) -> list[Resident]:
    """The members of one branch, the cast among them, with their seats; the last ones are on probation."""
    rng = Random(f"{SEED} {branch['unit_code']}")
    cast = [someone for someone in CAST if branch_of(someone.roles) == branch["name"]]
    members = [
        Resident(someone.name, branch, SEATED_AS.get(someone.phone), phone=someone.phone, roles=list(someone.roles),
                 standing=Standing.PROBATIONARY if someone.roles[0][0] is Role.PROBATIONARY else Standing.FULL)
        for someone in cast]
    if branch["name"] == QIANCUN:
        members += [Resident(name, branch) for name in ALSO_IN_QIANCUN]
    taken = {member.name for member in members} | {someone.name for someone in CAST}
    village = branch["name"].removesuffix("支部")
    members += [Resident(invent(rng, village, taken), branch) for _ in range(size - len(members))]
    seat(members, size)
    if branch["name"] in SIGNS_IN:
        give_phones(members, branch["name"])
    return members


def seat(members: list[Resident], size: int) -> None:
    """Fills the committee's empty seats, and puts the last of the list on probation."""
    free = [member for member in members if not member.phone and member.name not in ALSO_IN_QIANCUN]
    taken = {member.office for member in members}
    for office in SEATS + (ALSO if size >= LARGE else ()):
        if office not in taken:
            free.pop(0).office = office
    on_probation = sum(member.standing is Standing.PROBATIONARY for member in members)
    for member in free[len(free) - (PROBATIONARY - on_probation):]:
        member.standing = Standing.PROBATIONARY


def give_phones(members: list[Resident], branch: str) -> None:
    """Makes those who are not of the cast able to sign in too."""
    for number, member in enumerate((member for member in members if not member.phone), 1):
        role = OFFICERS_OF_BRANCH.get(member.office) or Role(member.standing)
        member.phone = f"1390000{1 + SIGNS_IN.index(branch)}{number:03}"
        member.roles = [(role, branch)]


async def register(connection: Connection, now: datetime, residents: list[Resident], place: dict[str, int]) -> None:
    """Writes people, memberships, seats, accounts and roles."""
    rng, opened = Random(SEED), now - OPENED
    ids = await numbers(connection, "person", len(residents))
    await connection.copy_records_to_table(
        "person", columns=["id", "name", "sort_key", "created_at", "phone", "phone_index"],
        records=[
            (id_, one.name, sort_key(one.name), opened, *(kept_phone(id_, one.phone) if one.phone else (None, None)))
            for id_, one in zip(ids, residents, strict=True)])
    groups = await connection.fetch(
        "SELECT parent_id, array_agg(id ORDER BY id) AS ids FROM organisation WHERE kind = '党小组' GROUP BY parent_id")
    groups_of = {group["parent_id"]: group["ids"] for group in groups}
    members: list[tuple[object, ...]] = []
    seats: list[tuple[object, ...]] = []
    accounts: list[tuple[int, Resident]] = []
    for id_, one in zip(ids, residents, strict=True):
        if one.branch:
            group = groups_of.get(one.branch["id"])
            members.append((id_, one.branch["id"], group[len(members) % 2] if group else None, one.standing,
                            joined(rng, one.standing, now.date())))
        if one.branch and one.office:
            seats.append((one.branch["id"], id_, one.office, one.office.rank, opened.date()))
        if one.phone:
            accounts.append((id_, one))
    await connection.copy_records_to_table(
        "member", columns=["person_id", "branch_id", "group_id", "standing", "since"], records=members)
    await connection.copy_records_to_table(
        "seat", columns=["branch_id", "person_id", "office", "rank", "since"], records=seats)
    await open_accounts(connection, accounts, place, opened)


async def open_accounts(connection: Connection, accounts: list[tuple[int, Resident]], place: dict[str, int],
                        opened: datetime) -> None:
    """Accounts that all share the demonstration's password, with their roles."""
    password_hash = HASHER.hash(PASSWORD)
    ids = await numbers(connection, "account", len(accounts))
    await connection.copy_records_to_table(
        "account", columns=["id", "person_id", "password_hash", "created_at"],
        records=[(id_, person, password_hash, opened) for id_, (person, _) in zip(ids, accounts, strict=True)])
    await connection.copy_records_to_table(
        "role_grant", columns=["account_id", "role", "organisation_id", "since"],
        records=[(id_, role, place[name], opened)
                 for id_, (_, one) in zip(ids, accounts, strict=True) for role, name in one.roles])


def joined(rng: Random, standing: Standing, today: date) -> date:
    """A day on which somebody of this standing may have become a member."""
    if standing is Standing.PROBATIONARY:
        return today - timedelta(days=rng.randint(30, 330))
    return today - timedelta(days=rng.randint(2 * 365, 45 * 365))


async def numbers(connection: Connection, table: str, count: int) -> list[int]:
    """The next `count` ids of a table: COPY keeps ids that are given, and says nothing of those it made."""
    rows = await connection.fetch(
        "SELECT nextval(pg_get_serial_sequence($1, 'id')) AS id FROM generate_series(1, $2)", table, count)
    return [row["id"] for row in rows]
