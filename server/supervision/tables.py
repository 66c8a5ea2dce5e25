"""The figures of supervision, spot checks, and what is to be pressed today."""
from collections.abc import Sequence
from datetime import date, datetime

from asyncpg import Record
from piccolo.columns import BigInt, BigSerial, Date, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.combination import WhereRaw
from piccolo.table import Table

from server.core.actor import Actor
from server.core.database import row, rows, the_row
from server.organisations.rules import CODE_LENGTH, Level
from server.permissions import Can
from server.supervision.rules import COUNTED, NAMED, PRESSED, WAITING, Figures, State


def sight(actor: Actor) -> tuple[str, str]:
    """Which spot checks an actor sees: a village's own to who keeps or signs there, a subtree's to who oversees it. A
    condition with {} for its value, and the value."""
    if actor.may(Can.DISCLOSURE_OVERSEE):
        return "organisation_path LIKE {} || '%'", actor.organisation_path
    return "village_code = {}", actor.unit_code


class SpotCheck(Table):
    id = BigSerial(primary_key=True)
    village_code = Text()
    organisation_id = BigInt()
    organisation_path = Text()
    matter_id = BigInt(null=True, default=None)
    question_id = BigInt(null=True, default=None)
    state = Text(choices=State)
    finding = Text()
    mend_by = Date(null=True, default=None)
    by_id = BigInt()
    person_id = BigInt()
    who = Text()
    at = Timestamptz()
    closed_at = Timestamptz(null=True, default=None)

    @classmethod
    def visible_to(cls, actor: Actor) -> WhereRaw:
        condition, value = sight(actor)
        return WhereRaw(condition.format("{}"), value)


class SpotCheckStep(Table):
    id = BigSerial(primary_key=True)
    check_id = ForeignKey(SpotCheck, null=False, on_delete=OnDelete.restrict)
    kind = Text()
    text = Text()
    who = Text()
    at = Timestamptz()


class Pressing(Table):
    unit_code = Text(primary_key=True)
    day = Date()
    who = Text()
    things = Integer()
    at = Timestamptz()


FOLDED = 20_000  # changes at once
# By township for whatever is above it: a province has 62,000 villages and 1,800 townships.
FIGURES = {True: ("village_figure", "village_code"), False: ("township_figure", "township_code")}
SUMS = ", ".join(f"coalesce(sum({name}), 0)::int AS {name}" for name in COUNTED)
STILL_SUMS = ", ".join(f"coalesce(sum({what}), 0)::int AS {name}" for name, what in WAITING.items())
BELOW = f"""
SELECT left({{code}}, $4) AS code, {SUMS} FROM {{figures}}
WHERE month BETWEEN $2 AND $3 AND {{code}} >= $1 AND {{code}} < $1 || '~' GROUP BY 1"""
STILL = f"""
SELECT left({{code}}, $2) AS code, {STILL_SUMS} FROM {{figures}}
WHERE {{code}} >= $1 AND {{code}} < $1 || '~' GROUP BY 1"""
MONTHS = f"""
SELECT month, {SUMS} FROM {{figures}}
WHERE month BETWEEN $2 AND $3 AND {{code}} >= $1 AND {{code}} < $1 || '~' GROUP BY month ORDER BY month"""
PLACES = """
SELECT left(u.code, $2) AS code, count(*)::int AS villages, count(v.code)::int AS opened
FROM unit u LEFT JOIN village v ON v.code = u.code AND v.state = '已开通'
WHERE u.level = 'village' AND u.code >= $1 AND u.code < $1 || '~' GROUP BY 1"""


def of(length: int, sql: str) -> str:
    """A query for units whose codes have so many digits: a village's own figures, or its township's."""
    figures, code = FIGURES[length == CODE_LENGTH[Level.VILLAGE]]
    return sql.format(figures=figures, code=code)


async def fold(most: int = FOLDED) -> bool:
    """Folds what has changed lately into the figures; whether there may be more."""
    folded = await the_row("SELECT fold_kept($1) AS many", most)
    return folded["many"] == most


async def still(code: str) -> Record | None:
    """What waits now in a unit, by the names of WAITING."""
    return await row(of(len(code), STILL), code, len(code))


async def below(code: str, first: date, last: date) -> list[Figures]:
    """How each unit directly below one kept to it in the months from `first` to `last`."""
    children = await rows("SELECT code, name, level FROM unit WHERE parent_code = $1 ORDER BY code", code)
    if not children:
        return []
    length = CODE_LENGTH[Level(children[0]["level"])]
    places = {one["code"]: one for one in await rows(PLACES, code, length)}
    counted = {one["code"]: one for one in await rows(of(length, BELOW), code, first, last, length)}
    waiting = {one["code"]: one for one in await rows(of(length, STILL), code, length)}
    return [figures(one["code"], one["name"], *(found.get(one["code"]) for found in (places, counted, waiting)))
            for one in children]


def figures(code: str, name: str, *found: Record | None) -> Figures:
    """The figures of one unit from its rows; a row that isn't there counts nothing."""
    parts = {part: value for one in found if one is not None for part, value in one.items() if part != "code"}
    return Figures(code, name, **parts)


def total(code: str, name: str, parts: Sequence[Figures]) -> Figures:
    """All of them together."""
    sums = {part: sum(getattr(one, part) for one in parts) for part in ("villages", "opened", *COUNTED, *WAITING)}
    return Figures(code, name, **sums)


async def months(code: str, first: date, last: date) -> list[Record]:
    """How a unit kept to it month by month."""
    return await rows(of(len(code), MONTHS), code, first, last)


async def of_village(code: str, name: str, first: date, last: date) -> Figures:
    """How one village kept to it."""
    counted = await row(of(len(code), BELOW), code, first, last, len(code))
    place = await row(PLACES, code, len(code))
    return figures(code, name, place, counted, await still(code))


LATE = "(d.overdue_at IS NOT NULL OR d.late_before)"  # also what was handed on late and came back


async def overdue_of(village_code: str, most: int = 100) -> list[Record]:
    """What a village has let lapse: title, due_at, href, rule."""
    return await rows(f"""
        SELECT d.title, d.due_at, d.href, d.rule, d.starts_at, d.days FROM deadline d
        JOIN village v ON v.organisation_id = d.organisation_id
        WHERE v.code = $1 AND d.state = 'open' AND {LATE}
          AND d.rule = ANY($3)
        ORDER BY d.due_at LIMIT $2""", village_code, most, list(PRESSED))


LAPSED = f"""count(*) AS things, min(d.due_at) AS oldest,
            (array_agg(d.title ORDER BY d.due_at, d.id))[:{NAMED}] AS named"""


async def to_press(organisation_path: str, today: date, now: datetime) -> list[Record]:
    """The villages of a subtree that have let something lapse or will today: how many things, the oldest by name and
    day, and who has pressed today already. They don't stand one by one in the to-dos of the level above
    (`Rule.cascades`): a township of fifty villages presses them together."""
    return await rows(f"""
        SELECT v.code, v.organisation_id, u.name, t.name AS township, n.things, n.oldest, n.named, p.who AS pressed
        FROM (
            SELECT d.organisation_id, {LAPSED} FROM deadline d
            WHERE d.organisation_path LIKE $1 || '%' AND d.state = 'open' AND d.starts_at <= $3
              AND d.rule = ANY($4)
              AND ({LATE} OR d.due_at <= ($2::date + 1)::timestamp AT TIME ZONE 'Asia/Shanghai')
            GROUP BY d.organisation_id) n
        JOIN village v ON v.organisation_id = n.organisation_id JOIN unit u ON u.code = v.code
        JOIN unit t ON t.code = u.parent_code
        LEFT JOIN pressing p ON p.unit_code = v.code AND p.day = $2
        ORDER BY n.oldest, v.code LIMIT 300""", organisation_path, today, now, list(PRESSED))


async def reviews_to_press(organisation_path: str, today: date) -> list[Record]:
    """The townships below whose reviews are overdue: how many, the oldest by name and day, and who has
    pressed today already."""
    return await rows(f"""
        SELECT n.*, p.who AS pressed FROM (
            SELECT o.unit_code AS code, o.id AS organisation_id, o.name, {LAPSED}
            FROM deadline d JOIN organisation o ON o.id = d.organisation_id
            WHERE d.organisation_path LIKE $1 || '_%' AND d.rule = 'disclosure_review' AND d.state = 'open'
              AND {LATE} GROUP BY o.id) n
        LEFT JOIN pressing p ON p.unit_code = n.code AND p.day = $2 ORDER BY n.oldest, n.code""",
                      organisation_path, today)


CHECK = """
SELECT c.*, u.name AS village, m.title FROM spot_check c JOIN unit u ON u.code = c.village_code
LEFT JOIN matter m ON m.id = c.matter_id"""


async def checks_open(actor: Actor) -> int:
    """How many of the spot checks an actor sees are not closed."""
    condition, value = sight(actor)
    found = await the_row(f"SELECT count(*) AS many FROM spot_check WHERE {condition.format('$1')}"
                          " AND state IN ('整改中', '待复核')", value)
    return int(found["many"])


async def checks_seen_by(actor: Actor, state: State | None, before: int, most: int) -> list[Record]:
    """A page of the spot checks an actor sees, the newest first."""
    condition, value = sight(actor)
    return await rows(f"""{CHECK} WHERE c.{condition.format('$1')} AND c.id < $2 AND ($3::text IS NULL OR c.state = $3)
                          ORDER BY c.id DESC LIMIT $4""", value, before, state and str(state), most)


async def spot_check(check_id: int) -> Record | None:
    """One spot check with its village and matter."""
    return await row(f"{CHECK} WHERE c.id = $1", check_id)


async def steps(check_id: int) -> list[Record]:
    """What happened to a spot check, in order, each with its photographs (id, name …) as JSON."""
    return await rows("""
        SELECT s.id, s.kind, s.text, s.who, s.at, ARRAY(
            SELECT f.file_id FROM spot_check_file f WHERE f.step_id = s.id ORDER BY f.rank) AS files
        FROM spot_check_step s WHERE s.check_id = $1 ORDER BY s.id""", check_id)
