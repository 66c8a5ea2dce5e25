"""我的提醒 of the last days, as the worker would have sent them to those who can sign in."""
from collections import defaultdict
from datetime import datetime, time, timedelta

from asyncpg import Connection

from server.core.clock import BEIJING
from server.core.deadline_words import due_text
from server.core.deadlines import REMIND_AT
from server.demo.records import Said
from server.demo.residents import SIGNS_IN
from server.demo.year import Held
from server.meetings.rules import LOG_LOCK, reminder_moments
from server.meetings.words import invitation_line
from server.threads.reminders import DAY, day_card
from server.todos.reminders import pressing_line

BEGIN = timedelta(days=12)  # before now
Line = tuple[str, str, str]  # term, text, address


async def load(connection: Connection, numbered: list[tuple[int, Held]], now: datetime) -> list[Said]:
    """Opens everybody's own thread and returns the cards in it: one a person and day."""
    await connection.execute("""
        INSERT INTO thread (kind, person_id) SELECT 'reminders', person_id FROM account ON CONFLICT DO NOTHING""")
    lines: dict[tuple[int, datetime], list[Line]] = defaultdict(list)
    for meeting_id, held in numbered:
        if held.branch.name in SIGNS_IN and held.ends > now - BEGIN:
            invite(lines, meeting_id, held, now)
            await press(connection, lines, meeting_id, held, now)
    days: dict[tuple[int, int], tuple[datetime, list[Line]]] = {}
    for (person, moment), told in sorted(lines.items(), key=lambda one: one[0][1]):
        day = int(moment.astimezone(BEIJING).strftime("%Y%m%d"))
        days[person, day] = (moment, [*days.get((person, day), (moment, []))[1], *told])
    return [card(person, day, moment, told) for (person, day), (moment, told) in days.items()]


def invite(lines: dict[tuple[int, datetime], list[Line]], meeting_id: int, held: Held, now: datetime) -> None:
    """The evening before a planned meeting: to those invited who had not asked for leave."""
    for moment in reminder_moments(held.begins, held.planned_at) if held.planned_at else []:
        for member in held.expected if moment < now else []:
            reply = held.replies.get(member.person_id)
            if not (reply and reply[0] == "请假" and reply[2] < moment):
                lines[member.person_id, moment].append(
                    (*invitation_line(held.begins, held.topic, held.place, moment), f"/meetings/{meeting_id}"))


async def press(connection: Connection, lines: dict[tuple[int, datetime], list[Line]], meeting_id: int, held: Held,
                now: datetime) -> None:
    """Working mornings before a log locks that nobody had recorded by then: to the branch's officers."""
    for before in LOG_LOCK.remind:
        found = await connection.fetchrow("""
            SELECT ahead.day, m.lock_at FROM meeting m
            JOIN calendar_day last ON last.day = ((m.lock_at - interval '1 second') AT TIME ZONE 'Asia/Shanghai')::date
            JOIN calendar_day ahead ON ahead.working AND ahead.ordinal = last.ordinal - $2
            WHERE m.id = $1""", meeting_id, before)
        moment = datetime.combine(found["day"], time(REMIND_AT.hour), BEIJING)
        if held.ends < moment < min(now, held.recorded_at or now):
            due = f"还剩 {before + 1} 个工作日（{due_text(found['lock_at'], moment)} 截止）"
            line = (*pressing_line(due, f"记入 · {held.topic}"), f"/meetings/{meeting_id}")
            for officer in (held.branch.secretary, held.branch.organiser, held.branch.keeper):
                lines[officer.person_id, moment].append(line)


def card(person: int, day: int, moment: datetime, told: list[Line]) -> Said:
    """One day's card, as threads.reminders makes it."""
    return Said(("reminders", person), moment, None, "；".join(text for _, text, _ in told), DAY, day,
                day_card(moment.astimezone(BEIJING).date(), told))
