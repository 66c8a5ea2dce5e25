"""签到: by QR code, by six digits, or by one tap on the officer's list. All three are worth the same."""
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asyncpg import UniqueViolationError

from server.core import audit, deadlines, live
from server.core.actor import Actor
from server.core.clock import now
from server.core.database import row, rows, transaction
from server.core.dates import clock_time, day
from server.core.keys import key
from server.core.moves import WrongState
from server.core.throttle import Throttle
from server.meetings import tokens
from server.meetings.rules import CHECK_IN_OPENS, LOG_LOCK, Mark, Times
from server.meetings.tables import open_times, own_place, times

KEY_PURPOSE = "check-in"
CAME = (Mark.PRESENT, Mark.GUEST)
WRONG_CODES = Throttle("check-in code", most=tokens.CODE_TRIES)

# The mark and its evidence in one statement, whole or not at all: this is what a whole hall does within a minute. It
# answers with the branch's path if it marked, and with what stood there before.
CHECK_IN = f"""
WITH came AS (
    UPDATE attendance a SET mark = '参加', how = $3, marked_at = $4, marked_by = NULL, scan = $5
    FROM meeting m
    WHERE a.meeting_id = $1 AND a.person_id = $2 AND (a.mark IS NULL OR a.mark IN ('请假', '缺席'))
      AND m.id = a.meeting_id AND m.state = 'open'
      AND m.begins_at - $6::interval <= $4 AND $4 < least(m.ends_at, m.lock_at)
    RETURNING m.branch_path)
, noted AS (
    INSERT INTO audit_event ({audit.COLUMNS})
    SELECT $7::text, $8::bigint, $9::text, $10::text, $11::bigint, $12::text, $13::text, $14::bigint,
           $15::jsonb, $16::jsonb, $17::text, $18::text, $19::text FROM came)
SELECT (SELECT branch_path FROM came), a.mark, a.marked_at FROM attendance a
WHERE a.meeting_id = $1 AND a.person_id = $2"""


@dataclass(frozen=True)
class Outcome:
    """What a check-in came to: done (now or before), and if not, why in words and what to do."""

    done: bool
    at: datetime | None = None
    title: str = ""
    text: str = ""


USED = Outcome(False, title="这个链接已经用过", text="一次扫码只能给一个人签到，请您自己扫一下屏幕上的二维码。")


async def check_in(actor: Actor, meeting_id: int, how: str, scan: bytes | None = None) -> Outcome:
    """Marks the actor as present. Repeats are harmless; refused with words when not invited, too early, too late.

    how: 扫码 or 数字码; scan: the grant that was used, so that it serves one person once."""
    moment = now()
    try:
        came = await row(CHECK_IN, meeting_id, actor.person_id, how, moment, scan, CHECK_IN_OPENS,
                         *audit.values(actor, "check_in", "meeting", meeting_id, after={"how": how}))
    except UniqueViolationError:  # the grant has served somebody else
        return USED
    if came and came["branch_path"]:
        live.announce(came["branch_path"], f"meeting-{meeting_id}")
        return Outcome(True, moment)
    if came and came["mark"] in CAME:
        return Outcome(True, came["marked_at"])
    return await why_not(actor, meeting_id)


async def why_not(actor: Actor, meeting_id: int) -> Outcome:
    """Why a check-in changed nothing."""
    meeting = await row("SELECT m.*, o.name AS branch FROM meeting m JOIN organisation o ON o.id = m.branch_id"
                        " WHERE m.id = $1", meeting_id)
    place = await own_place(meeting_id, actor.person_id)
    if meeting is None or place is None:
        branch = meeting["branch"] if meeting else "别的支部"
        return Outcome(False, title="您不在这次会议的名单里",
                       text=f"这是{branch}的会议。如果您应该参加，请当面告诉主持人，由支部加上。")
    if place["mark"] in CAME:
        return Outcome(True, place["marked_at"])
    return closed(times(meeting), now())


def closed(its: Times, moment: datetime) -> Outcome:
    """Why one may not check in at `moment`: says when it was, or will be, open."""
    opens = f"{day(its.check_in_opens, moment)} {clock_time(its.check_in_opens)}"
    last_day = "" if day(its.ends_at, moment) in opens else f"{day(its.ends_at, moment)} "
    until = last_day + clock_time(its.ends_at)
    if its.cancelled:
        return Outcome(False, title="这次会议已取消", text="不用签到了。")
    if moment < its.check_in_opens:
        return Outcome(False, title="还没到签到时间", text=f"{opens} 开始签到，到 {until} 为止。到时候再扫一次就行。")
    return Outcome(False, title="签到已经结束",
                   text=f"签到时间是 {opens} 到 {until}。到了会没签上的，请告诉支部，可以在名单里补上。")


async def by_code(actor: Actor, meeting: dict[str, Any], code: str) -> Outcome:
    """Checks in by the six digits on the wall; five wrong ones within a quarter of an hour, and one has to wait."""
    guess = f"{meeting['id']} {actor.person_id}"
    if not times(meeting).may_check_in(now()):
        return closed(times(meeting), now())
    if not await WRONG_CODES.take(guess):
        return Outcome(False, title="数字码错误次数太多", text="请过 15 分钟再试，或请支部在名单里点一下。")
    if not tokens.code_fits(key(KEY_PURPOSE), meeting["id"], code, now()):
        return Outcome(False, title="数字码不对", text="请看着屏幕上最新的六位数字再输一次。")
    await WRONG_CODES.clear(guess)
    return await check_in(actor, meeting["id"], "数字码")


async def mark(actor: Actor, meeting: dict[str, Any], person_id: int, given: Mark) -> None:
    """The officer's tap: one person's mark. The same twice changes nothing; two officers' taps both count, in order."""
    async with transaction():
        refuse_closed(meeting)
        before = await row("SELECT mark FROM attendance WHERE meeting_id = $1 AND person_id = $2 FOR NO KEY UPDATE",
                           meeting["id"], person_id)
        if before is None:
            raise WrongState("这个人不在名单里，请刷新后再看")
        if before["mark"] == given:
            return
        await rows("""UPDATE attendance SET mark = $3, how = '名单', marked_at = $4, marked_by = $5
                      WHERE meeting_id = $1 AND person_id = $2""",
                   meeting["id"], person_id, str(given), now(), actor.person_id)
        await audit.record(actor, "mark_attendance", "meeting", meeting["id"],
                           before={"person": person_id, "mark": before["mark"]}, after={"mark": str(given)})
        await record_if_complete(meeting["id"])
        live.changed(meeting["branch_path"], f"meeting-{meeting['id']}")


async def mark_rest(actor: Actor, meeting: dict[str, Any], *, everybody_came: bool) -> int:
    """全部到会: whoever has no mark came. Or 完成签到: who asked for leave is 请假, the rest 缺席. Returns how many."""
    async with transaction():
        refuse_closed(meeting)
        changed = await rows("""
            UPDATE attendance SET how = '名单', marked_at = $2, marked_by = $3,
                mark = CASE WHEN $4 THEN '参加' WHEN reply = '请假' THEN '请假' ELSE '缺席' END
            WHERE meeting_id = $1 AND expected AND mark IS NULL RETURNING person_id, mark""",
                             meeting["id"], now(), actor.person_id, everybody_came)
        if changed:
            await audit.record(actor, "mark_rest", "meeting", meeting["id"],
                               after={"people": [[one["person_id"], one["mark"]] for one in changed]})
        await record_if_complete(meeting["id"])
        live.changed(meeting["branch_path"], f"meeting-{meeting['id']}", "meetings", "todos")
    return len(changed)


def refuse_closed(meeting: dict[str, Any]) -> None:
    """WrongState when attendance can't be taken now."""
    its, moment = open_times(meeting), now()
    if not its.may_take_attendance(moment):
        opens = f"{day(its.check_in_opens, moment)} {clock_time(its.check_in_opens)}"
        raise WrongState(f"会议还没开始，{opens} 起可以签到")


async def record_if_complete(meeting_id: int | None = None) -> list[int]:
    """记入: once a meeting has begun and everybody on its list has a mark, the four facts are there (M2§6) and its
    deadline is met. None: looks at every meeting (the worker does, for those complete by QR alone). Returns the ids."""
    recorded = await rows("""
        UPDATE meeting m SET recorded_at = $1
        WHERE ($2::bigint IS NULL OR m.id = $2) AND m.recorded_at IS NULL AND m.state = 'open'
          AND m.begins_at <= $1 AND m.lock_at > $1
          AND EXISTS (SELECT FROM attendance WHERE meeting_id = m.id)
          AND NOT EXISTS (SELECT FROM attendance WHERE meeting_id = m.id AND expected AND mark IS NULL)
        RETURNING m.id, m.branch_path""", now(), meeting_id)
    for meeting in recorded:
        await deadlines.meet(LOG_LOCK, "meeting", meeting["id"], closed_at=now())
        live.changed(meeting["branch_path"], f"meeting-{meeting['id']}", "meetings", "todos")
    return [meeting["id"] for meeting in recorded]
