"""我的提醒: one grouped card per person and day, whatever comes together on it."""
import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from server.core import live
from server.core.actor import Actor
from server.core.clock import now, today
from server.core.database import row, rows
from server.core.dates import calendar_day
from server.threads import cards
from server.threads.actions import hold, put, thread_of
from server.threads.rules import DAY


async def remind(person_id: int, term: str, text: str, href: str) -> None:
    """Adds a line to a person's reminder of today; must stand in the transaction of the effect that asks for it.

    term: when, or how long still, in a few words; text: what; href: where the person goes to do it."""
    thread = await thread_of("reminders", person_id=person_id)
    await hold(thread)
    subject = int(today().strftime("%Y%m%d"))
    there = await row("SELECT id, card::text FROM entry WHERE thread_id = $1 AND card_kind = $2 AND subject_id = $3"
                      " AND superseded_at IS NULL ORDER BY id DESC LIMIT 1", thread, DAY, subject)
    lines: list[list[str]] = json.loads(there["card"])["lines"] if there else []
    lines = [line for line in lines if line[2] != href] + [[term, text, href]]
    if there:
        await rows("UPDATE entry SET superseded_at = ebranch_now() WHERE id = $1", there["id"])
    in_short = "；".join(text for _, text, _ in lines)
    await put(None, thread, DAY, subject, day_card(today(), lines), in_short, f"person-{person_id}")
    live.changed(f"person-{person_id}", "threads")


async def remind_holders(organisation_id: int, roles: Sequence[str], term: str, text: str, href: str) -> None:
    """The same for everybody who holds one of these roles at an organisation now."""
    for one in await rows("""
            SELECT DISTINCT a.person_id FROM role_grant g JOIN account a ON a.id = g.account_id AND a.closed_at IS NULL
            WHERE g.organisation_id = $1 AND g.role = ANY($2) AND g.since <= $3 AND (g.until IS NULL OR g.until > $3)
            ORDER BY 1""", organisation_id, roles, now()):
        await remind(one["person_id"], term, text, href)


def day_card(day: date, lines: Sequence[Sequence[str]]) -> dict[str, Any]:
    """The card of one day's reminders. lines: term, text and address of each."""
    return {"chip": "提醒", "tone": "red", "title": f"{calendar_day(day, day)} 要办的事",
            "facts": [[term, f"{number}. {text}" if len(lines) > 1 else text]
                      for number, (term, text, _) in enumerate(lines, 1)], "lines": [list(line) for line in lines]}


@cards.declares(DAY)
async def own_states(actor: Actor, subjects: cards.Subjects) -> dict[tuple[str, int], cards.CardState]:
    """马上处理 for each line of the viewer's own reminders, 处理第 2 件 where there are several."""
    found = await rows("""
        SELECT e.subject_id, e.card::text FROM entry e JOIN thread t ON t.id = e.thread_id
        WHERE t.person_id = $1 AND t.kind = 'reminders' AND e.card_kind = $2 AND e.subject_id = ANY($3)
          AND e.superseded_at IS NULL""", actor.person_id, DAY, subjects[DAY])
    return {(DAY, one["subject_id"]): {"acts": [
        {"label": f"处理第 {number} 件" if len(lines) > 1 else "马上处理", "href": href, "method": "get",
         "style": "main"} for number, (_, _, href) in [*enumerate(lines, 1)][-3:]]}
        for one in found for lines in [json.loads(one["card"])["lines"]]}
