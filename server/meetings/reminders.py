"""What is carried out when its time has come: reminders to those invited."""
from datetime import datetime
from typing import Any

from server.core import effects
from server.core.clock import now
from server.core.database import row, rows
from server.meetings.actions import REMINDER
from server.meetings.words import invitation_line
from server.threads.reminders import remind


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
