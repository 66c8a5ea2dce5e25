"""On the 工作台, beside the deadlines of disclosure: what waits for a signature, what a village wants taken down."""
from collections.abc import Sequence
from typing import Any

from server.catalogues import tables as catalogues
from server.catalogues.duties import DUTY
from server.core.actor import Actor
from server.core.clock import now, today
from server.core.database import row, rows
from server.core.dates import moment, paper_day
from server.disclosure.calendar_view import OVERDUE, is_for, state_of
from server.disclosure.tables import audiences, owed_now, works_on
from server.permissions import Can
from server.todos.sources import AREAS, MARKS, SOURCES, ToDo
from server.villages.rules import State
from server.villages.tables import county_of, village_of


async def to_sign(actor: Actor) -> list[ToDo]:
    """What waits for the signature of the actor's seat."""
    if not actor.may(Can.DISCLOSURE_SIGN):
        return []
    return [ToDo("签字", "公开", "amber", f"签字 · {one['title']}", f"{one['submitted_who']}提交",
                 f"/disclosures/{one['matter_id']}/signature") for one in await rows("""
        SELECT e.matter_id, e.title, e.submitted_who FROM edition e JOIN matter m ON m.id = e.matter_id
        JOIN catalogue_item i ON i.id = e.item_id
        WHERE e.state = '待签字' AND m.village_code = $1 AND m.audience = ANY($3) AND i.audience = ANY($3)
          AND NOT EXISTS (
            SELECT FROM signature s WHERE s.edition_id = e.id AND s.edition_version = e.version AND s.seat = $2)
        ORDER BY e.id LIMIT 50""", actor.unit_code, str(actor.role), audiences(actor))]


async def to_take_down(actor: Actor) -> list[ToDo]:
    """Matters that villages ask to have taken down."""
    if not actor.may(Can.DISCLOSURE_REVIEW):
        return []
    return [ToDo("撤下", "申请", "amber", f"撤下 · {one['village']} {one['title']}", f"原因：{one['reason']}",
                 f"/disclosures/{one['matter_id']}/withdrawal") for one in await rows("""
        SELECT w.matter_id, w.reason, m.title, u.name AS village FROM withdrawal w JOIN matter m ON m.id = w.matter_id
        JOIN unit u ON u.code = m.village_code
        WHERE w.state = '待审核' AND m.organisation_path LIKE $1 || '%' ORDER BY w.id LIMIT 50""",
                                                          actor.organisation_path)]


async def returned(actor: Actor) -> list[ToDo]:
    """What the township sent back: corrections have no deadline of their own."""
    if not actor.may(Can.DISCLOSURE_KEEP):
        return []
    return [ToDo("修改", "公开", "red", f"审核不通过 · {one['title']}", f"{moment(one['at'], now())}退回",
                 f"/disclosures/{one['matter_id']}/edit") for one in await rows("""
        SELECT e.matter_id, e.title, r.at FROM edition e JOIN matter m ON m.id = e.matter_id
        JOIN review r ON r.edition_id = e.id AND r.edition_version = e.version
        WHERE e.state = '审核不通过' AND m.village_code = $1 AND m.edition_id IS NOT NULL ORDER BY r.at LIMIT 50""",
                                                                        actor.unit_code)]


async def sent_back(duties: Sequence[int]) -> dict[int, str]:
    """Of what is owed, what the township sent back, and what a seat did not sign."""
    return {one["duty_id"]: f"{one['who']}，改好再提交" for one in await rows("""
        SELECT m.duty_id, CASE WHEN e.state = '草稿' THEN s.seat || '不同意公开' ELSE '镇里退回' END AS who
        FROM matter m JOIN edition e ON e.matter_id = m.id AND e.state IN ('草稿', '审核不通过')
        LEFT JOIN LATERAL (SELECT seat FROM signature WHERE edition_id = e.id AND verdict = '不同意'
                           AND edition_version = (SELECT max(edition_version) FROM signature WHERE edition_id = e.id)
                           LIMIT 1) s ON true
        WHERE m.duty_id = ANY($1) AND m.withdrawn_at IS NULL AND (e.state = '审核不通过' OR s.seat IS NOT NULL)""",
                                                                         list(duties))}


async def expired(actor: Actor) -> list[ToDo]:
    """What says itself that it is no longer good: to be corrected or taken down."""
    if not actor.may(Can.DISCLOSURE_KEEP):
        return []
    found = await rows("""
        SELECT m.id, m.title, e.until FROM matter m JOIN edition e ON e.id = m.edition_id
        WHERE m.village_code = $1 AND e.until < $2 AND m.withdrawn_at IS NULL AND NOT EXISTS (
            SELECT FROM edition x WHERE x.matter_id = m.id AND x.state NOT IN ('已公开', '已作废'))
        ORDER BY e.until LIMIT 50""", actor.unit_code, today())
    return [ToDo("更新", "过期", "amber", f"已过期 · {one['title']}",
                 f"有效期到 {paper_day(one['until'])}，请更正或撤下", f"/disclosures/{one['id']}") for one in found]


async def village_area(actor: Actor) -> dict[str, Any] | None:
    """For who keeps or signs: the way to the village's matters."""
    if not works_on(actor) and not actor.may(Can.VILLAGE_HOME):
        return None
    its = await village_of(actor)
    if its is None or its["state"] != State.OPENED:
        return None
    late = sum(is_for(actor, one) and state_of(one, now()) == OVERDUE
               for one in await owed_now(actor.unit_code, today()))
    return {"icon": "village", "tone": "green", "title": "三务公开", "href": "/disclosures",
            "line": f"逾期未公开 {late} 项" if late else "没有逾期的"}


async def review_area(actor: Actor) -> dict[str, Any] | None:
    """For the township: the queue."""
    if not actor.may(Can.DISCLOSURE_REVIEW):
        return None
    found = await row("""SELECT count(*) AS many FROM edition e JOIN matter m ON m.id = e.matter_id
                         WHERE e.state = '待审核' AND m.organisation_path LIKE $1 || '%'""", actor.organisation_path)
    return {"icon": "check", "tone": "blue", "title": "三务公开审核", "href": "/reviews",
            "line": f"待审核 {found['many'] if found else 0} 件"}


async def catalogue_area(actor: Actor) -> dict[str, Any] | None:
    """For the county: its catalogue."""
    if not actor.may(Can.CATALOGUE_KEEP):
        return None
    found = await row("SELECT max(number) AS number FROM catalogue WHERE county_code = $1", county_of(actor.unit_code))
    number = found["number"] if found else None
    return {"icon": "book", "tone": "gold", "title": "公开目录", "href": f"/catalogues/{actor.unit_code}",
            "line": f"现行第 {number} 版" if number else "还没有发布"}


async def open_drafts(items: Sequence[int]) -> dict[int, int]:
    """How many drafts are open of each item of a catalogue."""
    return {one["item"]: one["count"] for one in await rows("""
        SELECT d.item, count(*) FROM edition e JOIN matter m ON m.id = e.matter_id JOIN duty d ON d.id = m.duty_id
        WHERE d.item = ANY($1) AND e.state IN ('草稿', '审核不通过') GROUP BY d.item""", list(items))}


MARKS[DUTY] = sent_back
SOURCES += [to_sign, to_take_down, returned, expired]
AREAS += [village_area, review_area, catalogue_area]
catalogues.OPEN_DRAFTS.append(open_drafts)
