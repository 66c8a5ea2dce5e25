"""Meetings as tests need them: planned, running, held, recorded, locked."""
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from server.core.clock import now
from server.core.database import rows, the_row
from server.core.forms import wall_time
from server.meetings import actions
from tests.cast import IN_QIANCUN, SECRETARY, Person, phone_index
from tests.visits import actor_of

HOUR = timedelta(hours=1)


async def ids_of(*people: Person) -> list[int]:
    """The person ids of some of the cast."""
    found = await rows("""
        SELECT p.id FROM person p WHERE phone_index = ANY($1) ORDER BY p.id""",
                       [phone_index(person.phone) for person in people])
    return [one["id"] for one in found]


async def planned(begins: datetime | None = None, *, length: timedelta = HOUR, by: Person = SECRETARY,
                  people: tuple[Person, ...] = IN_QIANCUN, **facts: Any) -> int:
    """A meeting of 前村支部, on now unless told otherwise; its id."""
    begins = begins or now() + timedelta(minutes=5)
    given = {"kinds": ["主题党日"], "topic": "学条例、议修路", "place": "村委会会议室", "begins_at": begins,
             "ends_at": begins + length, **facts}
    return await actions.plan(await actor_of(by), given, await ids_of(*people))


async def meeting(meeting_id: int) -> dict[str, Any]:
    """A meeting's row."""
    return dict(await the_row("SELECT * FROM meeting WHERE id = $1", meeting_id))


async def marks(meeting_id: int) -> dict[str, str | None]:
    """Names and marks of a meeting's list."""
    return {one["name"]: one["mark"] for one in await rows(
        "SELECT name, mark FROM attendance WHERE meeting_id = $1 ORDER BY place_in_list", meeting_id)}


async def evidence(verb: str) -> int:
    """How often the trail says `verb`."""
    return (await the_row("SELECT count(*) AS times FROM audit_event WHERE verb = $1", verb))["times"]


def gathering(begins: datetime, people: Sequence[int] = (), *, length: timedelta = HOUR,
              **fields: Any) -> dict[str, Any]:
    """The form of a meeting, as a browser sends it."""
    return {"kinds": "主题党日", "topic": "学条例、议修路", "place": "村委会", "begins_at": wall_time(begins),
            "ends_at": wall_time(begins + length), "people": list(people)} | fields


async def one(sql: str, *values: Any) -> Any:
    """The one value of a query that always has an answer."""
    return next(iter((await the_row(sql, *values)).values()))


async def card_lines(organisation: str = "前村支部", kind: str = "meetings") -> list[str]:
    """The lines of an organisation's thread that are not replaced by later ones, oldest first."""
    return [one["text"] for one in await rows("""
        SELECT e.text FROM entry e JOIN thread t ON t.id = e.thread_id JOIN organisation o ON o.id = t.organisation_id
        WHERE o.name = $1 AND t.kind = $2 AND e.superseded_at IS NULL ORDER BY e.id""", organisation, kind)]


async def deadline_of(meeting_id: int) -> dict[str, Any]:
    """The deadline by which the meeting is to be recorded."""
    return dict(await the_row("SELECT state, due_at, starts_at FROM deadline WHERE subject_id = $1", meeting_id))
