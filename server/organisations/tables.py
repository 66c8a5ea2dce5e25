"""The unit directory tree, the organisation tree, and who holds which seat."""
from collections.abc import Collection

from asyncpg import Record
from piccolo.columns import BigInt, BigSerial, Boolean, Date, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.combination import WhereRaw
from piccolo.table import Table

from server.core.actor import Actor
from server.core.database import row, rows
from server.organisations.rules import Level, Office, OrganisationKind

PAGE = 30


class Unit(Table):
    code = Text(primary_key=True)
    parent_code = Text(null=True)
    level = Text(choices=Level)
    name = Text()  # as people say it: 前村
    official_name = Text()  # 前村村委会
    path = Text(unique=True)  # "37/3709/370921/370921102/370921102201/"


class Organisation(Table):
    id = BigSerial(primary_key=True)
    parent_id = BigInt(null=True)
    unit_code = ForeignKey(Unit, null=False, on_delete=OnDelete.restrict)
    kind = Text(choices=OrganisationKind)
    name = Text()  # 前村支部
    official_name = Text()  # 中共宁阳县东疏镇前村支部委员会
    path = Text(unique=True)  # "1/17/301/", made by the database
    committee_id = BigInt(null=True)  # 基层党委 it belongs to, itself if it is one; made by the database
    department_id = BigInt(null=True)  # in whose care it is: the next department above it; made by the database
    functional = Boolean(default=False)  # “功能型” (M5§6)
    created_at = Timestamptz()
    closed_at = Timestamptz(null=True, default=None)

    @classmethod
    def visible_to(cls, actor: Actor) -> WhereRaw:
        """The actor's own organisation and everything below it."""
        return WhereRaw("organisation.path LIKE {}", f"{actor.organisation_path}%")


class Seat(Table):
    id = BigSerial(primary_key=True)
    branch_id = ForeignKey(Organisation, null=False, on_delete=OnDelete.restrict)
    person_id = BigInt()
    office = Text(choices=Office)
    rank = Integer()  # as they are named: 书记 is 1
    since = Date()
    until = Date(null=True, default=None)


async def organisation(organisation_id: int) -> Record | None:
    """One organisation, open or closed, with the name of its unit."""
    return await row("""
        SELECT o.id, o.parent_id, o.kind, o.name, o.official_name, o.path, o.committee_id, o.functional, o.closed_at,
               o.unit_code, u.name AS unit_name
        FROM organisation o JOIN unit u ON u.code = o.unit_code WHERE o.id = $1""", organisation_id)


async def names_of(organisation_ids: Collection[int]) -> dict[int, str]:
    """The names of organisations, by id."""
    found = await rows("SELECT id, name FROM organisation WHERE id = ANY($1)", list(organisation_ids))
    return {one["id"]: one["name"] for one in found}


async def committee_above(organisation_id: int) -> Record | None:
    """The 基层党委 an organisation belongs to (id, name, path): itself if it is one, None for the departments."""
    return await row("""
        SELECT c.id, c.name, c.path FROM organisation o JOIN organisation c ON c.id = o.committee_id
        WHERE o.id = $1""", organisation_id)


async def branches_under(path: str, after: int = 0, limit: int = PAGE) -> list[Record]:
    """The open branches at and below `path` whose id is above `after`, in the order in which they were opened."""
    return await rows("""
        SELECT id, name, official_name, path FROM organisation
        WHERE path LIKE $1 || '%' AND kind = '党支部' AND closed_at IS NULL AND id > $2 ORDER BY id LIMIT $3""",
                      path, after, limit)


async def groups_of(branch_id: int) -> list[Record]:
    """The open party groups of a branch."""
    return await rows("""
        SELECT id, name FROM organisation WHERE parent_id = $1 AND kind = '党小组' AND closed_at IS NULL ORDER BY id""",
                      branch_id)


async def has_committee(branch_id: int) -> bool:
    """Whether the branch has a committee: somebody sits there beside 书记 and 副书记."""
    found = await row("""SELECT FROM seat WHERE branch_id = $1 AND until IS NULL AND office NOT IN ('书记', '副书记')
                         LIMIT 1""", branch_id)
    return found is not None


async def seats_of(branch_id: int) -> list[Record]:
    """Who sits in a branch's committee, as they are named."""
    return await rows("""SELECT p.name, s.office FROM seat s JOIN person p ON p.id = s.person_id
                         WHERE s.branch_id = $1 AND s.until IS NULL ORDER BY s.rank, s.id""", branch_id)


async def children_of(organisation_id: int) -> list[Record]:
    """The open organisations directly below, in the order of their units."""
    return await rows("""SELECT id, name, kind FROM organisation WHERE parent_id = $1 AND closed_at IS NULL
                         ORDER BY unit_code, id""", organisation_id)
