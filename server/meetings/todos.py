"""What meetings put on the 工作台 beside their deadlines: texts to check, explanations to act on."""
from datetime import datetime
from typing import Any

from server.core.actor import Actor
from server.core.clock import now
from server.core.database import row, rows
from server.core.dates import day
from server.core.workdays import beijing_date
from server.meetings.rules import checker
from server.meetings.tables import AMENDED, NEWEST
from server.permissions import Can, Role
from server.todos.sources import AREAS, SOURCES, ToDo

UNCHECKED = f"""
SELECT m.id, m.topic, l.written_at, p.name AS writer,
  EXISTS (SELECT FROM role_grant g JOIN account a ON a.id = g.account_id AND a.closed_at IS NULL
          WHERE g.organisation_id = m.branch_id AND g.role = '组织委员' AND g.since <= $2
          AND (g.until IS NULL OR g.until > $2)
  ) AS has_organiser,
  EXISTS (SELECT FROM role_grant g JOIN account a ON a.id = g.account_id AND a.closed_at IS NULL
          AND (a.person_id = l.written_by OR a.person_id IN (
            SELECT f.uploaded_by FROM log_file h JOIN file f ON f.id = h.file_id
            WHERE h.meeting_id = m.id))
          WHERE g.organisation_id = m.branch_id AND g.role = '组织委员' AND g.since <= $2
          AND (g.until IS NULL OR g.until > $2)
  ) AS by_organiser
FROM meeting_log l JOIN meeting m ON m.id = l.meeting_id JOIN person p ON p.id = l.written_by
WHERE m.branch_id = $1 AND m.state = 'open'
  AND (l.chair || l.recorder || l.guests || l.agenda || l.minutes || l.decisions || l.votes <> ''
       OR EXISTS (SELECT FROM log_file WHERE meeting_id = m.id))
  AND NOT EXISTS (
    SELECT FROM log_check c WHERE (c.meeting_id, c.log_version, c.photos) = (l.meeting_id, l.version, l.photos))
  AND NOT {AMENDED}
ORDER BY l.written_at LIMIT 50"""


async def to_check(actor: Actor) -> list[ToDo]:
    """Logs whose text waits for this officer's check (M2§5)."""
    if not actor.may(Can.LOG_CHECK):
        return []
    return [
        ToDo("审核", "记录", "amber", f"审核 · {log['topic']}",
             f"{log['writer']} {day(log['written_at'], now())}写的记录", f"/meetings/{log['id']}")
        for log in await rows(UNCHECKED, actor.organisation_id, now())
        if Role(checker(log["by_organiser"], log["has_organiser"])) == actor.role]


RETURNED = """
SELECT m.id, m.topic, c.reason FROM log_check c JOIN meeting_log l
    ON (l.meeting_id, l.version, l.photos) = (c.meeting_id, c.log_version, c.photos)
JOIN meeting m ON m.id = c.meeting_id
WHERE m.branch_id = $1 AND c.verdict = '审核不通过' AND m.state = 'open' AND m.lock_at > $2
ORDER BY m.lock_at LIMIT 50"""


async def to_rewrite(actor: Actor) -> list[ToDo]:
    """Logs whose text came back from the check (M2§5), while they can still be changed."""
    if not actor.may(Can.MEETING_KEEP):
        return []
    return [ToDo("修改", "记录", "red", f"审核不通过 · {log['topic']}", f"原因：{log['reason']}",
                 f"/meetings/{log['id']}/log") for log in await rows(RETURNED, actor.organisation_id, now())]


async def to_amend(actor: Actor) -> list[ToDo]:
    """Explanations of the branches below that wait for this committee (M2§6)."""
    if not actor.may(Can.LOG_AMEND):
        return []
    return [
        ToDo(*since(one["explained_at"]), "amber",
             f"更改说明 · {one['branch']} {one['topic']}", f"说明：{one['explanation']}",
             f"/meetings/{one['meeting_id']}/amendments")
        for one in await rows(f"""
            SELECT a.meeting_id, a.explanation, a.explained_at, coalesce(v.content->>'topic', m.topic) AS topic,
                o.name AS branch
            FROM amendment a JOIN meeting m ON m.id = a.meeting_id JOIN organisation o ON o.id = m.branch_id {NEWEST}
            WHERE a.state = '待处理' AND m.branch_path LIKE $1 || '%' ORDER BY a.explained_at, a.id LIMIT 50""",
            actor.organisation_path)]


def since(moment: datetime) -> tuple[str, str]:
    """How long ago, as the figure before a to-do and its word."""
    days = (beijing_date(now()) - beijing_date(moment)).days
    return (str(days), "天前") if days else ("今天", "提交")


async def area(actor: Actor) -> dict[str, Any] | None:
    """The way to the meetings, with how this month stands."""
    found = await row(f"""
        SELECT count(*) FILTER (WHERE m.ends_at <= $2) AS held,
               count(*) FILTER (WHERE m.ends_at <= $2 AND (m.recorded_at IS NOT NULL OR {AMENDED})) AS recorded
        FROM meeting m WHERE m.branch_path LIKE $1 || '%' AND m.state = 'open' AND (m.origin <> 'late' OR {AMENDED})
          AND m.begins_at >= date_trunc('month', $2 AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai'
          AND m.begins_at <= $2""", actor.organisation_path, now())
    line = f"本月已开展 {found['held']} 次，已记入 {found['recorded']} 次" if found else ""
    return {"icon": "people", "tone": "amber", "title": "组织生活", "line": line, "href": "/meetings"}


SOURCES += [to_rewrite, to_check, to_amend]
AREAS.append(area)
