"""Supervision as tests need it: villages that let things lapse, spot checks, what stands in the figures."""
from datetime import date
from typing import Any

from server.catalogues import duties
from server.core import deadlines
from server.core.clock import now
from server.core.database import the_row, transaction
from server.supervision.rules import COUNTED
from tests.cast import COMMITTEE, Person
from tests.disclosure.stories import HOUCUN, QIANCUN, catalogue, opened
from tests.meetings.test_actions_photos import picture

SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 1)
LAPSED = "2026-10-15 09:00"  # what September owed was due on the 10th, the third working day of October


async def lapsed(at: Any, *codes: str, until: str = LAPSED) -> None:
    """前村 and 后村 have published nothing of September, and it is overdue."""
    await at("2026-09-01 09:00")
    await catalogue()
    for code in codes or (QIANCUN, HOUCUN):
        await opened(code)
    await at(until)
    await duties.renew_all()
    await swept()


async def swept() -> None:
    """What time does to deadlines has been done."""
    while True:
        async with transaction():
            if not await deadlines.sweep(now()):
                return


async def month(code: str = QIANCUN, first: date = OCTOBER) -> dict[str, int]:
    """The figures of a village's month that are above nothing."""
    sums = ", ".join(f"coalesce(sum({name}), 0)::int AS {name}" for name in COUNTED)
    found = await the_row(f"SELECT {sums} FROM village_figure WHERE village_code = $1 AND month = $2", code, first)
    return {name: value for name, value in found.items() if value}


def finding(code: str = QIANCUN, **more: Any) -> dict[str, Any]:
    """The form of a spot check: something was not the same."""
    return {"village": code, "matter": 0, "finding": "墙上还是上个季度的", "mend_by": "2026-10-25"} | more


async def check(visit, by: Person = COMMITTEE, *, photo: bool = False, **form: Any) -> int:
    """A spot check; its id."""
    files = [("spot_photos_file", ("墙.jpg", picture(), "image/jpeg"))] if photo else None
    answer = await visit(by, "POST", "/spot-checks/new", data=finding(**form), files=files)
    assert answer.status_code == 303, answer.text
    return int(answer.headers["location"].rpartition("/")[2])


async def the_check(made: int) -> dict[str, Any]:
    return dict(await the_row("SELECT * FROM spot_check WHERE id = $1", made))
