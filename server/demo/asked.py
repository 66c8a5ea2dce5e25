"""What villagers of the demonstration have asked: about an entry of 前村's books, a decision, past the village; what
was answered, and what stands beside the entry for everybody to read."""
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from asyncpg import Connection

from server.core.dates import moment
from server.demo.affairs_year import Told
from server.demo.people import BY_PHONE
from server.demo.records import Said, say
from server.demo.residents import numbers
from server.ledgers.rules import signed
from server.questions.rules import ANSWER, Of, State

VILLAGER, ANSWERER = "13700000012", "书记"
LAMPS, DECIDED = "村内路灯维修 6 盏", "重大决策（四议两公开）"


@dataclass
class Asked:
    """One question of 前村's villager. about: an entry's words or the name of an item; days: how long ago it was asked,
    and after how many it was answered."""

    about: str
    of: Of
    text: str
    asked_days: float
    answer: str = ""
    answered_days: float = 0
    agrees: bool = True
    matter: Told | None = None
    line: int | None = None
    words: str = ""
    id: int = 0

    @property
    def shown(self) -> bool:
        return self.agrees and bool(self.answer)


def questions() -> list[Asked]:
    """All of them."""
    return [
        Asked(LAMPS, Of.VILLAGE, "路灯去年才换过，怎么又修了 6 盏？是哪几盏？", 20,
              "村西头 4 盏、小学门口 2 盏，大风刮坏的，去年换的是村东头。发票和换下来的灯都在村委会，欢迎来看。",
              2.1),
        Asked(DECIDED, Of.TOWNSHIP, "会上说要公示三天，公开栏上只贴了一天就没有了。", 3.2, agrees=False),
        Asked("街道清扫、垃圾清运", Of.VILLAGE, "垃圾清运是一个月结一次，还是按车算？", 1.3),
    ]


def of_the_year(written: list[Told], named: dict[int, list[int]]) -> list[Asked]:
    """The questions, each with the matter and the entry it is about."""
    found = questions()
    published = [one for one in written if one.place.name == "前村" and one.state == "已公开"]
    for asked in found:
        for one in published:
            for name, line in zip(named.get(one.edition, []), one.book.lines if one.book else [], strict=True):
                if line.summary == asked.about:
                    asked.matter, asked.line = one, name
                    asked.words = f"{line.day.month}月{line.day.day}日 {line.summary} {signed(line)}"
            if one.item.name == asked.about:
                asked.matter = one
    return [one for one in found if one.matter]


def beside(found: list[Asked], now: datetime) -> dict[int, dict[int | None, list[dict[str, Any]]]]:
    """What stands beside the entries, by edition and entry."""
    told: dict[int, dict[int | None, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for one in found:
        if one.shown and one.matter:
            told[one.matter.edition][one.line].append({
                "text": one.text, "answer": one.answer, "who": ANSWERER, "at": answered_at(one, now)})
    return told


def asked_at(one: Asked, now: datetime) -> datetime:
    return now - timedelta(days=one.asked_days)


def answered_at(one: Asked, now: datetime) -> datetime:
    return asked_at(one, now) + timedelta(days=one.answered_days)


async def write(connection: Connection, found: list[Asked], now: datetime) -> None:
    """Writes them down with their deadlines, and the cards in the asker's own thread."""
    who = await connection.fetchrow("SELECT id, name FROM person WHERE name = $1", BY_PHONE[VILLAGER].name)
    for one, number in zip(found, await numbers(connection, "question", len(found)), strict=True):
        one.id = number
        its, by = one.matter, one.matter and one.matter.place.people[ANSWERER]
        assert its
        assert by
        await connection.execute("""
            INSERT INTO question (id, matter_id, village_code, organisation_id, organisation_path, edition_number, line,
                                  line_words, asked_of, text, named, person_id, who, agrees, asked_at, state, answer,
                                  answered_by, answer_who, answered_at, offered)
            OVERRIDING SYSTEM VALUE
            VALUES ($1, $2, '', $3, '', 1, $4, $5, $6, $7, false, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)""",
                                 number, its.matter, its.place.branch, one.line, one.words, str(one.of), one.text,
                                 who["id"], f"{who['name']} · 村民", one.agrees, asked_at(one, now),
                                 str(State.ANSWERED if one.answer else State.OPEN), one.answer,
                                 by[0] if one.answer else None, f"{by[1]} · {ANSWERER}" if one.answer else None,
                                 answered_at(one, now) if one.answer else None, bool(one.answer))
    await write_clocks(connection, found, now)
    await say(connection, [card(one, who["id"], now) for one in found])


async def write_clocks(connection: Connection, found: list[Asked], now: datetime) -> None:
    """By when an answer was or is owed, and by whom."""
    await connection.execute("""
        INSERT INTO deadline (rule, subject_kind, subject_id, organisation_id, organisation_path, title, href,
            starts_at, counted_from, days, unit, due_at, sort_at, provisional, reminders_for, state, closed_at,
            overdue_at, left_working_days)
        SELECT $1, 'question', t.id, o.id, o.path, t.title, '/questions/' || t.id, t.begins, t.begins, $2, $3, t.due,
               t.due, false, 1, CASE WHEN t.closed IS NULL THEN 'open' WHEN t.closed > t.due THEN 'late' ELSE 'met' END,
               t.closed, CASE WHEN coalesce(t.closed, $4) > t.due THEN t.due END,
               CASE WHEN t.closed IS NOT NULL THEN 1 END
        FROM (SELECT q.*, working_deadline(q.begins, $2) AS due
              FROM unnest($5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::timestamptz[], $10::timestamptz[])
                  AS q (id, branch, asked_of, title, begins, closed)) t
        JOIN organisation b ON b.id = t.branch
        JOIN organisation o ON o.id = CASE t.asked_of WHEN '村里' THEN b.id ELSE b.committee_id END""",
        ANSWER.name, ANSWER.length.working, str(ANSWER.length.unit), now, [one.id for one in found],
        [one.matter.place.branch for one in found if one.matter], [str(one.of) for one in found],
        [f"答复 · 前村 {one.words or one.about}" for one in found], [asked_at(one, now) for one in found],
        [answered_at(one, now) if one.answer else None for one in found])


def card(one: Asked, person_id: int, now: datetime) -> Said:
    """In the asker's own thread."""
    at = answered_at(one, now) if one.answer else asked_at(one, now)
    return Said(("questions", person_id), at, None, one.answer or one.text, "question", one.id, {
        "chip": "已答复" if one.answer else f"问{one.of}", "tone": "green" if one.answer else "blue",
        "title": one.text[:60], "text": one.answer[:200],
        "facts": [["事项", one.words or one.about], ["提出", moment(asked_at(one, now), now)]]})
