"""The demonstration's places and organisations: 东疏镇 and its 49 villages, with a branch in each; two more townships
and one more county in outline, so that scoping can be seen."""
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from asyncpg import Connection

from server.organisations.import_units import import_units
from server.organisations.rules import OrganisationKind as Kind

UNITS = Path(__file__).parent / "data" / "units.csv"  # an extract of the statistical division codes, real places
OPENED = timedelta(days=800)  # before the demonstration's present: older than everything that happens in it

DONGSHU, SIDIAN, FUSHAN, LAOHU = "370921102", "370921101", "370921103", "370923106"
GROUPS = ("第一党小组", "第二党小组")
GROUPS_EVERY = 4  # every so many-th village branch of 东疏镇 has them, 前村 first


async def load(connection: Connection, now: datetime) -> None:
    """Imports the units and opens the organisations in them, all on one day; the database gives each its place."""
    await import_units(connection, UNITS.read_bytes())
    open_one = partial(open_organisation, connection, now - OPENED)
    province = await open_one(None, Kind.PROVINCE, "37", "省委组织部", "中共山东省委组织部")
    city = await open_one(province, Kind.CITY, "3709", "泰安市委组织部", "中共泰安市委组织部")
    ningyang = await open_one(city, Kind.COUNTY, "370921", "宁阳县委组织部", "中共宁阳县委组织部")
    dongping = await open_one(city, Kind.COUNTY, "370923", "东平县委组织部", "中共东平县委组织部")
    for above, county, code, name, most in (
        (ningyang, "宁阳县", DONGSHU, "东疏镇", 49),
        (ningyang, "宁阳县", SIDIAN, "泗店镇", 3),
        (dongping, "东平县", LAOHU, "老湖镇", 2),
    ):
        committee = await open_one(above, Kind.COMMITTEE, code, f"{name}党委", f"中共{county}{name}委员会")
        villages = await connection.fetch(
            "SELECT code, name FROM unit WHERE parent_code = $1 ORDER BY code LIMIT $2", code, most)
        for number, village in enumerate(villages):
            branch = await open_one(committee, *branch_in(village["code"], village["name"], county + name))
            for group in GROUPS if code == DONGSHU and number % GROUPS_EVERY == 0 else ():
                await open_one(branch, Kind.GROUP, village["code"], group,
                               f"中共{county}{name}{village['name']}支部{group}")
    await open_fushan(open_one, ningyang)


async def open_fushan(open_one: Callable[..., Awaitable[int]], county: int) -> None:
    """伏山镇: two of its branches stand under a general branch."""
    committee = await open_one(county, Kind.COMMITTEE, FUSHAN, "伏山镇党委", "中共宁阳县伏山镇委员会")
    general = await open_one(committee, Kind.GENERAL_BRANCH, "370921103201", "伏山党总支",
                             "中共宁阳县伏山镇伏山总支部委员会")
    for above, code, village in (
            (general, "370921103201", "前伏山"), (general, "370921103202", "后伏山"),
            (committee, "370921103210", "于庄")):
        await open_one(above, *branch_in(code, village, "宁阳县伏山镇"))


def branch_in(code: str, village: str, where: str) -> tuple[Kind, str, str, str]:
    """A village branch: its kind, unit, name and official name."""
    return Kind.BRANCH, code, f"{village}支部", f"中共{where}{village}支部委员会"


async def open_organisation(connection: Connection, opened_at: datetime, above: int | None, kind: Kind, unit: str,
                            name: str, official_name: str) -> int:
    return await connection.fetchval("""
        INSERT INTO organisation (parent_id, kind, unit_code, name, official_name, created_at)
        VALUES ($1, $2, $3, $4, $5, $6) RETURNING id""", above, kind, unit, name, official_name, opened_at)
