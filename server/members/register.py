"""The register as officers read it: lists, searches, and one person's page. Never a number in clear."""
from asyncpg import Record

from server.core.actor import Actor
from server.core.database import row, rows
from server.members.rules import PAGE
from server.people.tables import people_with_phone, person_with_id_number
from server.permissions import Can

LISTED = """
SELECT p.id, p.name, m.standing, o.name AS branch, s.office
FROM person p JOIN member m ON m.person_id = p.id AND m.left_on IS NULL
JOIN organisation o ON o.id = m.branch_id AND o.path LIKE $1 || '%'
LEFT JOIN LATERAL (SELECT office FROM seat WHERE branch_id = m.branch_id AND person_id = p.id AND until IS NULL
                   ORDER BY rank LIMIT 1) s ON true"""

# `after` is the last person shown, not his name: addresses don't say who somebody is.
AFTER = """
($2::bigint IS NULL OR (p.sort_key, p.id) > (SELECT a.sort_key, a.id FROM person a WHERE a.id = $2))
ORDER BY p.sort_key, p.id LIMIT $3"""

PERSON = """
SELECT p.id, p.name, p.id_number, p.phone, m.standing, m.since, o.id AS branch_id, o.name AS branch,
       o.official_name, s.office
FROM person p LEFT JOIN member m ON m.person_id = p.id AND m.left_on IS NULL
LEFT JOIN organisation o ON o.id = m.branch_id
LEFT JOIN LATERAL (SELECT office FROM seat WHERE branch_id = m.branch_id AND person_id = p.id AND until IS NULL
                   ORDER BY rank LIMIT 1) s ON true
WHERE p.id = $1 AND (p.id = $2 OR ($3 AND o.path LIKE $4 || '%'))"""


async def listed(path: str, after: int | None, name: str = "") -> list[Record]:
    """Members at and below `path` in the order of their names, one more than a page: id, name, standing, branch,
    office. name: only those in whose name it stands. after: the last person of the page before, one at `path` too."""
    return await rows(f"{LISTED} WHERE ($4 = '' OR strpos(p.name, $4) > 0) AND {AFTER}", path, after, PAGE + 1, name)


async def with_ids(path: str, people: list[int]) -> list[Record]:
    """Those of `people` who are members at and below `path`, as they are listed."""
    return await rows(f"{LISTED} WHERE p.id = ANY($2) ORDER BY p.sort_key, p.id", path, people)


async def with_id_number(path: str, number: str) -> list[Record]:
    """The member at or below `path` with this ID number, if there is one."""
    found = await person_with_id_number(number)
    return await with_ids(path, [found["id"]] if found else [])


async def with_phone(path: str, phone: str) -> list[Record]:
    """The members at and below `path` whom this phone serves."""
    return await with_ids(path, [one["id"] for one in await people_with_phone(phone)])


async def count_at(path: str) -> int:
    """How many members there are at and below `path`."""
    found = await row("""SELECT count(*) FROM member m JOIN organisation o ON o.id = m.branch_id
                         WHERE m.left_on IS NULL AND o.path LIKE $1 || '%'""", path)
    return found["count"] if found else 0


async def is_listed(path: str, person_id: int) -> bool:
    """Whether somebody is a member at or below `path`."""
    return bool(await with_ids(path, [person_id]))


async def seen_by(actor: Actor, person_id: int) -> Record | None:
    """Somebody whom the actor may know of: a member of the own branch or subtree for who reads the register, and
    everybody himself."""
    return await row(PERSON, person_id, actor.person_id, actor.may(Can.MEMBER_READ), actor.organisation_path)
