"""What a branch may put right until the lock: the facts of a meeting, and who is on its list."""
from typing import Any

from server.core import audit, deadlines, live
from server.core.actor import Actor
from server.core.clock import now
from server.core.database import row, transaction
from server.core.moves import WrongState
from server.meetings import cards
from server.meetings.actions import already_locked
from server.meetings.check_in import refuse_closed
from server.meetings.rules import CORRECT, LOG_LOCK, LONGEST
from server.meetings.tables import open_times, people, tally
from server.members.tables import members_of
from server.threads import actions as threads

FACTS = ("kinds", "topic", "place", "begins_at", "ends_at")


async def wrong_times(meeting: dict[str, Any], changed: dict[str, Any]) -> str | None:
    """What is wrong with corrected moments, in words: what has begun stays in the past, a past end moves no later, and
    a slip of the date locks no log."""
    moment = now()
    if meeting["begins_at"] > moment:
        return None
    if changed["begins_at"] > moment:
        return "会议已经开始，开始时间不能改到以后"
    if meeting["ends_at"] <= moment and changed["ends_at"] > meeting["ends_at"]:
        return "结束时间已过，不能再往后改"
    if changed["ends_at"] > meeting["begins_at"] + LONGEST:
        return "会议已经开始，结束时间最多到开始后的24小时"
    if await already_locked(changed["ends_at"]):
        return "照这个时间，会后已超过7个工作日，一改就锁定了，请检查日期"
    return None


async def correct(actor: Actor, meeting: dict[str, Any], changed: dict[str, Any], version: int) -> None:
    """Puts the facts of a meeting right. The times of one that has not begun are moved instead, with a reason.

    WrongState when it is locked or cancelled, or somebody changed it meanwhile. The database refuses to move a past
    end later."""
    async with transaction():
        open_times(meeting)
        if meeting["begins_at"] > now():
            changed = changed | {name: meeting[name] for name in ("begins_at", "ends_at")}
        made = await row("""
            UPDATE meeting SET kinds = $3, topic = $4, place = $5, begins_at = $6, ends_at = $7, version = version + 1
            WHERE id = $1 AND version = $2 AND state = ANY($8) RETURNING *""",
                          meeting["id"], version, [str(kind) for kind in changed["kinds"]], changed["topic"],
                          changed["place"], changed["begins_at"], changed["ends_at"], [*CORRECT.frm])
        if made is None:
            raise WrongState("这次会议刚才已被改过，请刷新后再改")
        corrected = dict(made)
        await deadlines.move(LOG_LOCK, "meeting", corrected["id"], starts_at=corrected["ends_at"], now=now(),
                             why="更正结束时间")
        before, after = ({name: its[name] for name in FACTS} for its in (meeting, corrected))
        await audit.record(actor, "correct_meeting", "meeting", corrected["id"], before=before, after=after)
        await threads.supersede(cards.INVITATION, corrected["id"])
        await threads.post_card(
            actor, "meetings", cards.INVITATION, corrected["id"],
            cards.invitation(corrected, (await tally(corrected["id"]))["expected"], chip=CORRECT.label),
            line=f"{CORRECT.label}：{corrected['topic']}", organisation_id=corrected["branch_id"],
            audience=corrected["branch_path"])
        live.changed(corrected["branch_path"], f"meeting-{corrected['id']}", "meetings", "todos")


async def add_person(actor: Actor, meeting: dict[str, Any], person_id: int) -> None:
    """Puts a forgotten member on the list; one who is there already stays as he is. WrongState for no member."""
    async with transaction():
        refuse_closed(meeting)
        members = await members_of(meeting["branch_id"])
        found = [(place, one) for place, one in enumerate(members, 1) if one["person_id"] == person_id]
        if not found:
            raise WrongState("这个人不是本支部党员，请刷新后再看")
        place, member = found[0]
        added = await row("""
            INSERT INTO attendance (meeting_id, person_id, name, place_in_list) VALUES ($1, $2, $3, $4)
            ON CONFLICT DO NOTHING RETURNING person_id""", meeting["id"], person_id, member["name"], place)
        if added:
            await audit.record(actor, "add_person", "meeting", meeting["id"], after={"person": person_id})
            live.changed(meeting["branch_path"], f"meeting-{meeting['id']}")


async def not_listed(meeting: dict[str, Any]) -> list[dict[str, Any]]:
    """The branch's members who are not on the list."""
    listed = {one["person_id"] for one in await people(meeting["id"])}
    return [{"id": member["person_id"], "name": member["name"]} for member in await members_of(meeting["branch_id"])
            if member["person_id"] not in listed]
