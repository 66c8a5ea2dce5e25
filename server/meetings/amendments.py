"""After the lock: the branch explains, its committee changes, and what stood before is kept beside it (M2§6)."""
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from asyncpg import Record

from server.core import audit, deadlines, live, versions
from server.core.actor import Actor
from server.core.clock import now
from server.core.database import row, rows, transaction
from server.core.dates import moment as exactly
from server.core.moves import WrongState
from server.meetings import actions, cards, logs
from server.meetings.logs import FIELDS
from server.meetings.rules import LOG_LOCK, Mark
from server.meetings.tables import people, times, written
from server.members.tables import members_of
from server.organisations.tables import committee_above
from server.threads import actions as threads
from server.threads.reminders import remind

SUBJECT = "meeting_log"
REPORT = "amendment"  # the card in the committee's thread
LABELS = {
    "kinds": "类别", "topic": "主题", "begins_at": "开始时间", "ends_at": "结束时间", "place": "地点",
    "chair": "主持人", "recorder": "记录人", "guests": "列席人员", "agenda": "议程", "minutes": "会议记录",
    "decisions": "决议", "votes": "表决情况", "attendance": "党员参加情况",
}


async def log_content(meeting: dict[str, Any] | Record) -> dict[str, Any]:
    """What the log says now: its newest version, or what the branch itself recorded."""
    amended = await versions.current(SUBJECT, meeting["id"])
    if amended is not None:
        return amended
    return as_recorded(meeting, await written(meeting["id"]), await people(meeting["id"]))


def as_recorded(meeting: Mapping[str, Any], text: Mapping[str, Any] | None,
                listed: Sequence[Record]) -> dict[str, Any]:
    """What the branch itself recorded: the facts of the meeting, its text, and the marks of everybody listed."""
    return {
        "kinds": list(meeting["kinds"]), "topic": meeting["topic"], "begins_at": meeting["begins_at"].isoformat(),
        "ends_at": meeting["ends_at"].isoformat(), "place": meeting["place"],
        **{name: (text[name] or "") if text else "" for name in FIELDS},
        "attendance": [[one["person_id"], one["name"], one["mark"]] for one in listed],
    }


def shown(name: str, value: Any) -> str:
    """One value of a log as people read it, for the table of before and after."""
    if not value:
        return "（空）"
    if name == "kinds":
        return "、".join(value)
    if name in ("begins_at", "ends_at"):
        return exactly(datetime.fromisoformat(value), now())
    if name == "attendance":
        return "；".join(f"{mark}：{'、'.join(names)}" for mark, names in by_mark(value).items())
    return str(value)


def by_mark(attendance: Sequence[Sequence[Any]]) -> dict[str, list[str]]:
    """Names by mark, in the order of the marks; those without one come last."""
    marks = [*map(str, Mark), None]
    found = {mark: [name for _, name, its in attendance if its == mark] for mark in marks}
    return {mark or "未记": names for mark, names in found.items() if names}


def rows_of(difference: dict[str, list[Any]]) -> list[dict[str, str]]:
    """A difference as rows: what, before, after. Of attendance only the people whose mark changed."""
    told = []
    for name, (before, after) in difference.items():
        if name == "attendance":
            old, new = ({one[0]: one for one in side or []} for side in (before, after))
            moved = [person for person in {**old, **new} if old.get(person) != new.get(person)]
            before = [old[person] for person in moved if person in old]
            after = [new[person] for person in moved if person in new]
        told.append({"label": LABELS.get(name, name), "before": shown(name, before), "after": shown(name, after)})
    return told


async def explain(actor: Actor, meeting: dict[str, Any], explanation: str) -> int:
    """更改说明: the branch tells its committee what is wrong in a locked log and why. WrongState before the lock, or
    while another explanation is open."""
    if times(meeting).cancelled:
        raise WrongState("取消了的会议没有日志可改；实际开过的，请另行补记")
    if not times(meeting).locked(now()):
        raise WrongState("还没有锁定，支部可以直接更改")
    async with transaction():
        return await put_before_committee(actor, meeting, explanation, {})


async def explain_late(actor: Actor, facts: dict[str, Any], person_ids: Sequence[int], explanation: str) -> int:
    """A gathering that was never planned nor entered within the 7 working days: the branch gives the facts and says
    why; it counts when the committee has entered it. Returns the meeting's id."""
    async with transaction():
        if there := await actions.same(actor, facts, None):
            return there
        members = await members_of(actor.organisation_id)
        actions.refuse_strangers(members, person_ids)
        meeting = await actions.insert(actor, "late", facts)
        everybody = [[member["person_id"], member["name"], None] for member in members]
        marks = {person: Mark.PRESENT if person in person_ids else Mark.ABSENT for person, _, _ in everybody}
        attendance = merged(everybody, marks)
        await put_before_committee(actor, meeting, explanation, {"attendance": attendance})
    return meeting["id"]


async def put_before_committee(
    actor: Actor, meeting: dict[str, Any], explanation: str, proposal: dict[str, Any],
) -> int:
    committee = await committee_above(meeting["branch_id"])
    if committee is None:
        raise WrongState("这个支部上面没有登记基层党委，请联系县委组织部")
    made = await row("""
        INSERT INTO amendment (meeting_id, explanation, proposal, explained_by, who, explained_at)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (meeting_id) WHERE state = '待处理' DO NOTHING RETURNING id""",
                     meeting["id"], explanation, json.dumps(proposal, ensure_ascii=False), actor.person_id,
                     actor.signature, now())
    if made is None:
        raise WrongState("已经有一份更改说明在等党委处理")
    await audit.record(actor, "explain", "meeting", meeting["id"], why=explanation)
    branch, topic = actor.organisation_name, (await log_content(meeting))["topic"]
    await threads.post_card(
        actor, "reports", REPORT, made["id"],
        cards.report(branch, topic, meeting["begins_at"], actor.signature, explanation, now()),
        line=f"{branch}：{topic}", organisation_id=committee["id"], audience=committee["path"])
    live.changed(meeting["branch_path"], f"meeting-{meeting['id']}", "todos")
    return made["id"]


async def open_explanation(meeting_id: int) -> Record | None:
    """The explanation that waits for the committee."""
    return await row("""SELECT id, explanation, proposal::text, who, explained_at FROM amendment
                        WHERE meeting_id = $1 AND state = '待处理'""", meeting_id)


async def amend(actor: Actor, meeting: dict[str, Any], changed: dict[str, Any], why: str, explanation_id: int) -> int:
    """Appends the committee's version of a locked log and closes the explanation; returns the version's number.

    changed: the whole log as it shall read. WrongState when nothing differs, or the explanation is closed already.
    The database checks the lock, the explanation and the committee's grant once more."""
    async with transaction():
        if await row("SELECT FROM amendment WHERE id = $1 AND meeting_id = $2 AND state = '待处理' FOR NO KEY UPDATE",
                     explanation_id, meeting["id"]) is None:
            raise WrongState("这份更改说明已经处理过了，请刷新后再看")
        before = await log_content(meeting)
        after = before | changed
        if not versions.difference(before, after):
            raise WrongState("还没有改动任何内容")
        number = await versions.append(actor, SUBJECT, meeting["id"], before=before, after=after,
                                       explanation_id=explanation_id, why=why)
        await deadlines.meet(LOG_LOCK, "meeting", meeting["id"], closed_at=now())
        await close(actor, meeting, explanation_id, "已更改", why)
        await audit.record(actor, "amend_log", "meeting", meeting["id"], why=why,
                           **logs.told(without_names(before), without_names(after)))
        await threads.supersede(cards.LOG, meeting["id"])
        told = rows_of(versions.difference(before, after))
        await threads.post_card(
            actor, "meetings", cards.LOG, meeting["id"],
            cards.amended(after["topic"], actor.signature, why, [one["label"] for one in told]),
            line=f"{after['topic']}的日志已由{actor.organisation_name}更改", organisation_id=meeting["branch_id"],
            audience=meeting["branch_path"])
    return number


def without_names(content: dict[str, Any]) -> dict[str, Any]:
    """A log for the evidence, where who came stands by number."""
    return content | {"attendance": [[person, mark] for person, _, mark in content["attendance"]]}


async def send_back(actor: Actor, meeting: dict[str, Any], explanation_id: int, answer: str) -> None:
    """退回: the committee does not change the log, and says why."""
    async with transaction():
        explained_by = await close(actor, meeting, explanation_id, "已退回", answer)
        await remind(explained_by, "更改说明已退回", f"{meeting['topic']}：{answer}",
                     f"/meetings/{meeting['id']}/amendments")
        await audit.record(actor, "return_explanation", "meeting", meeting["id"], why=answer)


async def close(actor: Actor, meeting: dict[str, Any], explanation_id: int, state: str, answer: str) -> int:
    """Closes an open explanation; returns who had written it. WrongState when somebody was faster."""
    closed = await row("""UPDATE amendment SET state = $3, answer = $4, closed_by = $5, closed_at = $6
                          WHERE id = $1 AND meeting_id = $2 AND state = '待处理' RETURNING explained_by""",
                       explanation_id, meeting["id"], state, answer, actor.signature, now())
    if closed is None:
        raise WrongState("这份更改说明已经处理过了，请刷新后再看")
    await threads.supersede(REPORT, explanation_id)
    live.changed(meeting["branch_path"], f"meeting-{meeting['id']}", "meetings", "todos")
    return closed["explained_by"]


@cards.declares(REPORT)
async def own_states(actor: Actor, subjects: cards.Subjects) -> dict[tuple[str, int], cards.CardState]:
    """马上处理, for the committee."""
    waiting = await rows("SELECT id, meeting_id FROM amendment WHERE id = ANY($1) AND state = '待处理'",
                         subjects[REPORT])
    return {(REPORT, one["id"]): {"acts": [{"label": "马上处理", "href": f"/meetings/{one['meeting_id']}/amendments",
                                            "method": "get", "style": "main"}]} for one in waiting}


def merged(attendance: Sequence[Sequence[Any]], marks: dict[int, Mark]) -> list[list[Any]]:
    """Attendance with some marks changed."""
    return [[person, name, str(marks[person]) if person in marks else mark] for person, name, mark in attendance]


async def preview(meeting: dict[str, Any], after: dict[str, Any]) -> list[dict[str, str]]:
    """What a change would change, before it is made."""
    before = await log_content(meeting)
    return rows_of(versions.difference(before, before | after))
