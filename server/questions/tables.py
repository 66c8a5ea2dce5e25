"""Questions as they are stored, and who sees which."""
from typing import Any

from asyncpg import Record
from piccolo.columns import BigInt, BigSerial, Boolean, Integer, Text, Timestamptz
from piccolo.table import Table

from server.core.actor import Actor
from server.core.database import row, rows
from server.disclosure.private import without_numbers
from server.permissions import Can
from server.questions.rules import ASKED, SOMEBODY, Kind, Of, State

PAGE = 30


class Question(Table):
    id = BigSerial(primary_key=True)
    matter_id = BigInt()
    village_code = Text()
    organisation_id = BigInt()
    organisation_path = Text()
    edition_number = Integer()
    line = BigInt(null=True, default=None)
    line_words = Text(default="")
    asked_of = Text(choices=Of)
    kind = Text(choices=Kind)
    text = Text()
    named = Boolean()
    person_id = BigInt()
    who = Text()
    agrees = Boolean(default=False)
    asked_at = Timestamptz()
    state = Text(choices=State)
    answer = Text(default="")
    answered_by = BigInt(null=True, default=None)
    answer_who = Text(null=True, default=None)
    answered_at = Timestamptz(null=True, default=None)
    offered = Boolean(default=False)
    shown = Boolean()  # computed by the database
    hidden_why = Text(null=True, default=None)
    hidden_who = Text(null=True, default=None)
    hidden_at = Timestamptz(null=True, default=None)


QUESTION = """
SELECT q.*, e.title, m.edition_id, u.name AS village FROM question q JOIN matter m ON m.id = q.matter_id
JOIN edition e ON e.matter_id = q.matter_id AND e.number = q.edition_number -- as it was read
JOIN unit u ON u.code = q.village_code"""


def sight(actor: Actor) -> tuple[str, list[Any]]:
    """Which questions an actor sees, as a condition on q with its values from $1 on: the own ones; those asked of the
    village by who answers there; all of the subtree by who oversees it."""
    if actor.may(Can.DISCLOSURE_OVERSEE):
        return "q.organisation_path LIKE $1 || '%'", [actor.organisation_path]
    if actor.may(Can.QUESTION_ANSWER):
        return "(q.village_code = $1 AND q.asked_of = '村里' OR q.person_id = $2)", [actor.unit_code, actor.person_id]
    return "q.person_id = $1", [actor.person_id]


async def question_seen_by(actor: Actor, question_id: int) -> Record | None:
    """A question the actor sees, with the title of what was read and its village."""
    condition, values = sight(actor)
    return await row(f"{QUESTION} WHERE {condition} AND q.id = ${len(values) + 1}", *values, question_id)


async def questions_seen_by(actor: Actor, state: State | None, before: int) -> list[Record]:
    """A page of the questions an actor sees, the newest first, and one more where there are more."""
    condition, values = sight(actor)
    place = len(values)
    return await rows(f"""
        {QUESTION} WHERE {condition} AND q.id < ${place + 1} AND (${place + 2}::text IS NULL OR q.state = ${place + 2})
        ORDER BY q.id DESC LIMIT {PAGE + 1}""", *values, before, state and str(state))


async def beside(matter_id: int, edition_id: int) -> dict[int | None, list[dict[str, Any]]]:
    """What stands beside a matter for everybody to read, by the entry it is about: both sides agreed, no name. What
    is about an entry that this edition no longer has stands below, with the entry's words; what members asked while it
    was theirs alone villagers do not read."""
    found: dict[int | None, list[dict[str, Any]]] = {}
    for one in await rows("""
            SELECT q.line, q.line_words, q.text, q.answer, q.answer_who, q.answered_at, EXISTS (
                SELECT FROM ledger_line l WHERE l.edition_id = $2 AND l.line = q.line) AS there FROM question q
            JOIN matter m ON m.id = q.matter_id JOIN edition e ON e.matter_id = m.id AND e.number = q.edition_number
            JOIN catalogue_item i ON i.id = e.item_id
            WHERE q.matter_id = $1 AND q.shown AND (m.audience = '党员' OR i.audience <> '党员') ORDER BY q.id""",
                          matter_id, edition_id):
        gone = one["line"] is not None and not one["there"]
        found.setdefault(None if gone else one["line"], []).append(
            {"text": without_numbers(f"{one['line_words']}：{one['text']}" if gone else one["text"]),
             "answer": without_numbers(one["answer"]),
             "who": one["answer_who"].split(" · ")[-1], "at": one["answered_at"]})
    return found


def asker(actor: Actor, question: Any) -> str:
    """Who asked, as far as this actor learns it: who is asked for help knows the name, a village only where it was
    given; nobody else does, and other villagers never."""
    if question["person_id"] == actor.person_id:
        return "我"
    asked = question["asked_of"] != Of.VILLAGE and actor.organisation_kind in ASKED[Of(question["asked_of"])]
    if question["named"] or (actor.may(Can.DISCLOSURE_OVERSEE) and asked):
        return str(question["who"]).split(" · ")[0]
    return SOMEBODY
