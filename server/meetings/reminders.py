"""What is carried out when its time has come: reminders to those invited, and to officers whose days run out."""
from datetime import datetime
from typing import Any

from server.core import deadlines, effects
from server.core.calendar_days import calendar
from server.core.clock import now
from server.core.database import row, rows
from server.core.deadline_words import describe
from server.meetings.actions import REMINDER
from server.meetings.words import invitation_line, pressing_line
from server.permissions import BRANCH_OFFICERS, Role
from server.threads.reminders import remind

ABOVE = (Role.COMMITTEE_ADMIN,)  # who hears of what a branch has let pass


@effects.carries(REMINDER)
async def remind_invited(payload: dict[str, Any]) -> None:
    """Reminds everybody invited who has not asked for leave; nothing when the meeting was moved or called off since."""
    meeting = await row("""SELECT id, topic, place, begins_at FROM meeting
                           WHERE id = $1 AND begins_at = $2 AND state = 'open'""",
                        payload["meeting"], datetime.fromisoformat(payload["begins_at"]))
    if meeting is None or meeting["begins_at"] <= now():
        return
    term, text = invitation_line(meeting["begins_at"], meeting["topic"], meeting["place"], now())
    for invited in await rows("""SELECT person_id FROM attendance WHERE meeting_id = $1 AND expected AND mark IS NULL
                                 AND reply IS DISTINCT FROM '请假' ORDER BY person_id""", meeting["id"]):
        await remind(invited["person_id"], term, text, f"/meetings/{meeting['id']}")


@effects.carries(deadlines.REMINDER)
async def remind_responsible(payload: dict[str, Any]) -> None:
    """Reminds the officers of the organisation that must act; once overdue, the level above as well."""
    due = await deadlines.still_due(payload["deadline"], payload["revision"])
    if due is None:
        return
    term, text = pressing_line(describe(due, now(), await calendar()).text, due.title)
    officers = await rows("""
        SELECT DISTINCT a.person_id FROM role_grant g JOIN account a ON a.id = g.account_id AND a.closed_at IS NULL
        JOIN organisation o ON o.id = g.organisation_id
        WHERE (o.id = $1 AND g.role = ANY($2) OR o.path = $3 AND g.role = ANY($4))
          AND g.since <= $5
          AND (g.until IS NULL OR g.until > $5) ORDER BY 1""",
                          due.organisation_id, [*map(str, BRANCH_OFFICERS)], due.escalated_to, [*map(str, ABOVE)],
                          now())
    for officer in officers:
        await remind(officer["person_id"], term, text, due.href)
