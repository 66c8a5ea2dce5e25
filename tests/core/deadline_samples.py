"""Sample rules for every row of the domain's table (the domains declare their own), deadlines made of them, a year."""
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from server.core import deadlines as engine
from server.core.database import rows, transaction
from server.core.deadline_tables import Deadline
from server.core.deadlines import Rule, declare
from server.core.periods import Every
from server.core.workdays import (
    Length,
    at_once,
    each,
    minutes,
    months,
    notice_days,
    seed_calendar,
    weeks,
    working_days,
)

BEIJING = ZoneInfo("Asia/Shanghai")
CALENDAR = seed_calendar()
TOWNSHIP, VILLAGE, NEIGHBOUR = "1/17/301/", "1/17/301/4001/", "1/17/301/4002/"
ORGANISATIONS = (  # id, parent, kind; below the cast's province
    (17, 1, "市委组织部"), (301, 17, "基层党委"), (4001, 301, "党支部"), (4002, 301, "党支部"),
)


def rule(name: str, length: Length, source: str, **more) -> Rule:
    return declare(Rule("sample_" + name, name, length, source, **more))


LOG = rule("log", working_days(7), "M2§6", remind=(2, 0))
PUBLISH = rule("publish", working_days(3), "M3§8")
REVIEW = rule("review", working_days(2), "M3§8")
CONVENIENCE = rule("convenience", each(Every.MONTH), "M3§8")
PLAN = rule("plan", working_days(5), "M1§6(1)")
STEP = rule("step", working_days(10), "M1§6(2)")
STAGE = rule("stage", working_days(10), "M1§6(4)")
KEY_STEP = rule("key_step", at_once(), "M1§6(4)", urges=True)
NOTICE = rule("notice", notice_days(7), "G2.3.8", cascades=False)
OPINIONS = rule("opinions", each(Every.HALF_YEAR), "G2.3.10")
CONTACT = rule("contact", working_days(5), "M1§9")
COLLECTION = rule("collection", months(4), "M1§4", remind=(20, 5, 1))
LETTER = rule("letter", working_days(5), "M4§6", urges=True)
REPORTING = rule("reporting", working_days(15), "M4§7", urges=True, cascades=False)
SUSPENSION = rule("suspension", working_days(15), "M4§8", urges=True)
PROVINCE = rule("province", working_days(5), "M5§9")
UPKEEP = rule("upkeep", working_days(5), "M5§5, §8")
ACTIVATION = rule("activation", weeks(1), "G2.1", remind=(), cascades=False)
CODE = rule("code", minutes(5), "G1.3.3", remind=(), cascades=False)
COUNTY_INSPECTION = rule("county_inspection", each(Every.HALF_YEAR), "M1§14", remind=(20,))
CITY_INSPECTION = rule("city_inspection", each(Every.YEAR), "M5§16", remind=(40,))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


OFF, WORKED = {"is_workday": "0", "kind": "放假"}, {"is_workday": "1", "kind": "调休上班"}
NOTICE_2027 = [
    {"date": day, "holiday": holiday, **kind} for day, holiday, kind in (
        ("2026-12-26", "元旦", WORKED), ("2027-01-01", "元旦", OFF), ("2027-02-05", "春节", OFF),
        ("2027-02-08", "春节", OFF), ("2027-02-09", "春节", OFF), ("2027-02-10", "春节", OFF),
        ("2027-02-11", "春节", OFF), ("2027-02-20", "春节", WORKED), ("2027-04-05", "清明节", OFF),
        ("2027-05-03", "劳动节", OFF), ("2027-06-09", "端午节", OFF), ("2027-09-15", "中秋节", OFF),
        ("2027-10-01", "国庆节", OFF))]


def made_up(sample: Rule, starts_at: str, **more) -> Deadline:
    """A deadline as it would be stored, without a database."""
    begun = at(starts_at)
    due = sample.length.due(begun, CALENDAR)
    return Deadline(**{
        "id": 1, "rule": sample.name, "subject_kind": "sample", "subject_id": 1, "period": "", "organisation_id": 4001,
        "organisation_path": VILLAGE, "title": "t", "href": "/", "starts_at": begun, "counted_from": begun,
        "days": sample.length.working, "unit": sample.length.unit, "due_at": due, "sort_at": due, "provisional": False,
        "revision": 1, "state": "open", "left_working_days": None, "closed_at": None, "overdue_at": None,
        "late_before": False, "escalated_to": None, **more})


async def do(function: Callable[..., Awaitable[Any]], *arguments: Any, **named: Any) -> Any:
    """One engine function in a transaction of its own."""
    async with transaction():
        return await function(*arguments, **named)


async def begin(
    sample: Rule, starts_at: str, *, subject: int = 1, path: str = VILLAGE, now: str = "", period: str = "",
) -> Deadline:
    return await do(
        engine.start, sample, "sample", subject, period=period, organisation_id=int(path.split("/")[-2]),
        organisation_path=path, starts_at=at(starts_at), title="审核 · 前村 九月财务收支", href=f"/samples/{subject}",
        now=at(now or starts_at))


async def reminders(state: str = "waiting") -> list[tuple[str, datetime]]:
    """(occasion, moment) of every reminder in `state`, in order."""
    found = await rows("SELECT payload, due_at FROM effect WHERE state = $1 AND kind = 'deadline_reminder'"
                       " ORDER BY due_at, id", state)
    return [(json.loads(effect["payload"])["occasion"], effect["due_at"]) for effect in found]
