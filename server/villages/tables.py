"""The directory of villages (M3§6), exemptions, and what counties settle. An opened village is a row; the others are
units and nothing more."""
from collections.abc import Mapping, Sequence
from typing import Any

from asyncpg import Record
from piccolo.columns import Array, BigInt, BigSerial, Boolean, Date, Integer, Text, Timestamptz
from piccolo.columns.combination import WhereRaw
from piccolo.table import Table

from server.core.actor import Actor
from server.core.database import row, rows
from server.organisations.rules import CODE_LENGTH, Level
from server.permissions import Can
from server.villages.rules import Exempting, State

DEFAULT_SIGNED, DEFAULT_ANSWER_DAYS = ("财务",), 5
OPEN_BRANCH = "o.kind = '党支部' AND o.closed_at IS NULL"


class Village(Table):
    code = Text(primary_key=True)
    path = Text()  # the unit's: "37/3709/370921/370921102/370921102201/"
    community = Boolean()
    state = Text(choices=State)
    organisation_id = BigInt()  # the branch that answers for it
    organisation_path = Text()
    opened_at = Timestamptz(null=True, default=None)


class Exemption(Table):
    id = BigSerial(primary_key=True)
    village_code = Text()
    organisation_id = BigInt()
    organisation_path = Text()
    state = Text(choices=Exempting)
    reason = Text()
    who = Text()
    at = Timestamptz()
    opinion = Text(default="")
    opinion_who = Text(null=True, default=None)
    opinion_at = Timestamptz(null=True, default=None)
    answer = Text(default="")
    answer_who = Text(null=True, default=None)
    answer_at = Timestamptz(null=True, default=None)
    review_on = Date(null=True, default=None)
    ended_at = Timestamptz(null=True, default=None)

    @classmethod
    def visible_to(cls, actor: Actor) -> WhereRaw:
        """A village's own to those who answer for it, a subtree's to who oversees it."""
        return WhereRaw("organisation_path LIKE {}", f"{actor.organisation_path}%")


class CountySetting(Table):
    county_code = Text(primary_key=True)
    signed = Array(base_column=Text())
    answer_days = Integer(default=DEFAULT_ANSWER_DAYS)
    version = Integer(default=1)


def is_code(typed: str) -> bool:
    """Whether this may be a unit's code: what stands in an address may be anything."""
    return typed.isascii() and typed.isdecimal()


async def village(code: str) -> Record | None:
    """An opened or exempted village with its name and the names of the units above it; None for one that is neither."""
    return await row("""
        SELECT v.*, u.name, u.official_name, t.name AS township, t.code AS township_code, c.name AS county,
               o.name AS organisation, o.committee_id
        FROM village v JOIN unit u ON u.code = v.code JOIN unit t ON t.code = u.parent_code
        JOIN unit c ON c.code = t.parent_code JOIN organisation o ON o.id = v.organisation_id
        WHERE v.code = $1""", code) if is_code(code) else None


async def the_village(code: str) -> Record:
    """A village that is there; LookupError else."""
    found = await village(code)
    if found is None:
        raise LookupError(f"no village {code}")
    return found


async def village_of(actor: Actor) -> Record | None:
    """The village where the actor is at home: where the branch stands. None where it has not been opened."""
    return await village(actor.unit_code)


async def village_seen_by(actor: Actor, code: str) -> Record | None:
    """A village the actor reads: the own one, or one whose branch stands in the subtree the actor oversees."""
    found = await village(code)
    return found if found and sees(actor, code, found["organisation_path"]) else None


async def opened_below(organisation_path: str, most: int | None = None) -> list[Record]:
    """The opened villages of a subtree by their codes: code, name, official_name, township, their branch."""
    return await rows("""
        SELECT v.code, v.organisation_id, v.organisation_path, u.name, u.official_name, t.name AS township
        FROM village v JOIN unit u ON u.code = v.code JOIN unit t ON t.code = u.parent_code
        WHERE v.organisation_path LIKE $1 || '%' AND v.state = '已开通' ORDER BY v.code LIMIT $2""",
                      organisation_path, most)


def by_every_name(found: Sequence[Record]) -> dict[str, list[Record]]:
    """Villages by all a sheet may call them: the code, the official name, the short one, which several may share."""
    called: dict[str, list[Record]] = {}
    for one in found:
        for name in {one["code"], one["official_name"], one["name"]}:
            called.setdefault(name, []).append(one)
    return called


def the_one_called(villages: Mapping[str, Sequence[Record]], cell: str) -> Record:
    """The village a sheet's cell names. ValueError, in Chinese: where there is none, or several are called that."""
    name = "".join(cell.split())
    found = villages.get(name, ())
    if len(found) > 1:
        raise ValueError(f"有 {len(found)} 个村都叫“{name}”，请填村的代码")
    if not found:
        raise ValueError("管辖范围内已开通的村里没有这个村" if name else "请填写村")
    return found[0]


def sees(actor: Actor, code: str, organisation_path: str) -> bool:
    """Whether what a village of `code` publishes is for this actor to read."""
    if actor.may(Can.DISCLOSURE_OVERSEE):
        return organisation_path.startswith(actor.organisation_path)
    return actor.unit_code == code


async def settings_of(county_code: str) -> dict[str, Any]:
    """What a county has settled, or what holds unless it does: signed, answer_days, version (0: nothing yet)."""
    found = await row("SELECT signed, answer_days, version FROM county_setting WHERE county_code = $1", county_code)
    return dict(found) if found else {
        "signed": list(DEFAULT_SIGNED), "answer_days": DEFAULT_ANSWER_DAYS, "version": 0}


def county_of(code: str) -> str:
    """The county a unit of this code lies in."""
    return code[:CODE_LENGTH[Level.COUNTY]]


def township_of(code: str) -> str:
    """The township a village of this code lies in."""
    return code[:CODE_LENGTH[Level.TOWNSHIP]]


async def unit(code: str) -> Record | None:
    """A unit with the one above it."""
    return await row("""SELECT u.code, u.name, u.official_name, u.level, u.path, u.parent_code FROM unit u
                        WHERE u.code = $1""", code) if is_code(code) else None


CHILDREN = """
SELECT u.code, u.name, u.level, n.villages, n.opened, n.exempt FROM unit u
CROSS JOIN LATERAL (
    SELECT count(*) AS villages, count(*) FILTER (WHERE v.state = '已开通') AS opened,
           count(*) FILTER (WHERE v.state = '暂不开通') AS exempt
    FROM unit d LEFT JOIN village v ON v.code = d.code
    WHERE d.path >= u.path AND d.path < u.path || '~' AND d.level = 'village') n
WHERE u.parent_code = $1 ORDER BY u.code"""
VILLAGES = f"""
SELECT u.code, u.name, coalesce(v.state, '未开通') AS state, v.opened_at, e.state AS exemption, e.id AS exemption_id,
       e.review_on, b.branches
FROM unit u LEFT JOIN village v ON v.code = u.code
LEFT JOIN exemption e ON e.village_code = u.code AND e.state IN ('待镇街意见', '待县级审批', '已备案')
CROSS JOIN LATERAL (SELECT count(*) AS branches FROM organisation o
                    WHERE o.unit_code = u.code AND {OPEN_BRANCH}) b
WHERE u.parent_code = $1 ORDER BY u.code"""


async def children(code: str) -> list[Record]:
    """The units below one, each with how many villages it has, how many of them are opened and how many exempt."""
    return await rows(CHILDREN, code)


async def villages_in(township_code: str) -> list[Record]:
    """The villages of a township: state, exemption under way or on file, how many branches there are."""
    return await rows(VILLAGES, township_code)


async def branches_in(code: str) -> list[Record]:
    """The open branches in a village, the oldest first: id, name, path."""
    return await rows(f"SELECT o.id, o.name, o.path FROM organisation o WHERE o.unit_code = $1 AND {OPEN_BRANCH}"
                      " ORDER BY o.id", code)


async def exemption_of(code: str) -> Record | None:
    """The newest exemption of a village, whatever became of it."""
    return await row("SELECT * FROM exemption WHERE village_code = $1 ORDER BY id DESC LIMIT 1", code)
