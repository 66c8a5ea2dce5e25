"""What is carried out when a deadline draws near or is past: who must act is reminded, then the level above."""
from typing import Any

from server.core import deadlines, effects
from server.core.calendar_days import calendar
from server.core.clock import now
from server.core.database import rows
from server.core.deadline_words import describe
from server.permissions import Can, Role, holders
from server.threads.reminders import remind

# Who hears of what the level below has let pass.
ABOVE = (Role.COMMITTEE_ADMIN, Role.COUNTY_ADMIN, Role.CITY_ADMIN, Role.PROVINCE_ADMIN)


def pressing_line(due: str, title: str) -> tuple[str, str]:
    """A deadline as a line of the day's reminder: 还剩 1 个工作日, and what until when."""
    left, _, until = due.partition("（")
    return left, f"{title}（{until}" if until else title


def acting(rule: str) -> list[str]:
    """The roles that keep a rule where it is owed."""
    known = deadlines.RULES.get(rule)
    right = known.can if known and known.can else Can.TODO_READ
    return holders(right)


@effects.carries(deadlines.REMINDER)
async def remind_responsible(payload: dict[str, Any]) -> None:
    """Reminds those at the organisation who must act; once overdue, the level above as well."""
    due = await deadlines.still_due(payload["deadline"], payload["revision"])
    if due is None:
        return
    term, text = pressing_line(describe(due, now(), await calendar()).text, due.title)
    people = await rows("""
        SELECT DISTINCT a.person_id FROM role_grant g JOIN account a ON a.id = g.account_id AND a.closed_at IS NULL
        JOIN organisation o ON o.id = g.organisation_id
        WHERE (o.id = $1 AND g.role = ANY($2) OR o.path = $3 AND g.role = ANY($4))
          AND g.since <= $5
          AND (g.until IS NULL OR g.until > $5) ORDER BY 1""",
                        due.organisation_id, acting(due.rule), due.escalated_to, [*map(str, ABOVE)], now())
    for one in people:
        await remind(one["person_id"], term, text, due.href)
