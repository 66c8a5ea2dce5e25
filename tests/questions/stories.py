"""Questions as tests need them: asked as a browser does, answered, and where they stand."""
from typing import Any

from server.core.database import rows
from tests.cast import SECRETARY, VILLAGER, Person
from tests.disclosure.stories import ACCOUNTS, published
from tests.meetings.stories import one

TEXT = "路灯为什么换了 6 盏？"
ANSWER = "坏了 6 盏，发票在村委会，欢迎来看。"
VILLAGE, TOWNSHIP, COUNTY_ASKED = "村里", "镇里", "县里"
ASKED_AT = "2026-11-24 10:00"  # a Tuesday
NEXT_DAY, LATER = "2026-11-25 10:00", "2026-12-02 09:00"  # the day after; after the fifth working day


def question(text: str = TEXT, of: str = VILLAGE, line: int = 0, *, named: bool = False,
             agrees: bool = True, **more: Any) -> dict[str, Any]:
    """The form, as a browser sends it: a tick that is not set is not there."""
    return {"text": text, "of": of, "line": line} | more | ({"named": "1"} if named else {}) | (
        {"agrees": "1"} if agrees else {})


async def ask(visit, made: int, by: Person = VILLAGER, **form: Any) -> int:
    """Somebody asks about a matter; the question's id."""
    answer = await visit(by, "POST", f"/disclosures/{made}/questions", data=question(**form))
    assert answer.status_code == 303, answer.text
    return int(answer.headers["location"].rpartition("/")[2])


async def books() -> int:
    """September's books of 前村, published."""
    return await published(ACCOUNTS, "2026-09")


async def entry(summary: str = "村内路灯维修 6 盏") -> int:
    """The name of an entry of the books."""
    return await one("SELECT max(line) FROM ledger_line WHERE summary = $1", summary)


async def reply(visit, asked: int, by: Person = SECRETARY, text: str = ANSWER, *, offered: bool = True):
    return await visit(by, "POST", f"/questions/{asked}/answer",
                       data={"answer": text} | ({"offered": "1"} if offered else {}))


async def state(asked: int) -> str:
    return await one("SELECT state FROM question WHERE id = $1", asked)


async def cards(kind: str) -> list[str]:
    """What stands in people's own threads of a kind, as JSON, the newest last."""
    return [found["card"] for found in await rows("""
        SELECT e.card::text FROM entry e JOIN thread t ON t.id = e.thread_id
        WHERE t.kind = $1 AND e.superseded_at IS NULL ORDER BY e.id""", kind)]
