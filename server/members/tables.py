"""Who is a member of which branch."""
from asyncpg import Record
from piccolo.columns import BigSerial, Date, ForeignKey, Text
from piccolo.columns.base import OnDelete
from piccolo.columns.combination import WhereRaw
from piccolo.table import Table

from server.core.actor import Actor
from server.core.database import row, rows
from server.members.rules import Standing
from server.organisations.tables import Organisation
from server.people.tables import Person
from server.permissions import Can


class Member(Table):
    id = BigSerial(primary_key=True)
    person_id = ForeignKey(Person, null=False, on_delete=OnDelete.restrict)
    branch_id = ForeignKey(Organisation, null=False, on_delete=OnDelete.restrict)
    group_id = ForeignKey(Organisation, null=True, on_delete=OnDelete.restrict)
    standing = Text(choices=Standing)
    since = Date()
    left_on = Date(null=True, default=None)

    @classmethod
    def visible_to(cls, actor: Actor) -> WhereRaw:
        """Memberships in the actor's branch or subtree; without such a role, only the own."""
        if actor.may(Can.MEETING_READ):
            return WhereRaw("member.branch_id IN (SELECT id FROM organisation WHERE path LIKE {})",
                            f"{actor.organisation_path}%")
        return WhereRaw("member.person_id = {}", actor.person_id)


async def members_of(branch_id: int) -> list[Record]:
    """The members of a branch as they are listed: the committee's seats by rank, then by name."""
    return await rows("""
        SELECT p.id AS person_id, p.name, m.standing, m.group_id, s.office
        FROM member m JOIN person p ON p.id = m.person_id
        LEFT JOIN LATERAL (SELECT office, rank FROM seat WHERE branch_id = m.branch_id AND person_id = m.person_id
                           AND until IS NULL ORDER BY rank LIMIT 1) s ON true
        WHERE m.branch_id = $1 AND m.left_on IS NULL
        ORDER BY s.rank NULLS LAST, p.sort_key, p.id""", branch_id)


async def member_count(branch_id: int) -> int:
    """How many members a branch has, probationary ones included."""
    found = await row("SELECT count(*) FROM member WHERE branch_id = $1 AND left_on IS NULL", branch_id)
    return found["count"] if found else 0


async def full_member_count(branch_id: int) -> int:
    """How many full members a branch has: seven owe it a committee (organisations.rules.owes_committee)."""
    found = await row("""SELECT count(*) FROM member WHERE branch_id = $1 AND left_on IS NULL
                         AND standing = '正式党员'""", branch_id)
    return found["count"] if found else 0


async def member_counts(branch_ids: list[int]) -> dict[int, int]:
    """How many members each of these branches or groups has."""
    return {found["id"]: found["members"] for found in await rows("""
        SELECT o.id, count(*) AS members FROM unnest($1::bigint[]) AS o (id)
        JOIN member m ON (m.branch_id = o.id OR m.group_id = o.id) AND m.left_on IS NULL GROUP BY o.id""", branch_ids)}
