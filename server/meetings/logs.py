"""The log's text: written, kept as a draft, photographed, checked; never lost to a second officer."""
import json
from collections.abc import Mapping, Sequence
from typing import Any

from litestar.exceptions import PermissionDeniedException

from server.core import audit, live, uploads
from server.core.actor import Actor
from server.core.clock import now
from server.core.database import row, rows, transaction
from server.core.moves import WrongState
from server.meetings import cards
from server.meetings.rules import ATTACHMENTS, EXPLAIN, PHOTOS, Verdict, checker
from server.meetings.tables import open_times, tally, times, written
from server.permissions import Role
from server.threads import actions as threads
from server.threads.reminders import remind

FIELDS = ("chair", "recorder", "guests", "agenda", "minutes", "decisions", "votes")
SAVE = f"""
INSERT INTO meeting_log AS l (meeting_id, {', '.join(FIELDS)}, written_by, written_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (meeting_id) DO UPDATE SET ({', '.join(FIELDS)}, written_by, written_at, version) =
    ($2, $3, $4, $5, $6, $7, $8, $9, $10, l.version + 1)
    WHERE l.version = $11
RETURNING version"""

KEPT_IN = {PHOTOS.name: "log_photo", ATTACHMENTS.name: "log_attachment"}  # which table holds which place's files


class Stale(Exception):
    """Somebody else saved meanwhile; both texts are shown, nothing typed is lost."""


def refuse(meeting: dict[str, Any]) -> None:
    """WrongState when the log can't be written now: not begun, cancelled, or locked (M2§6-7)."""
    if not open_times(meeting).may_record(now()):
        raise WrongState("会议还没有开始，不能记为已开展")


async def hold(meeting_id: int) -> None:
    """One officer after the other, until the transaction ends; who checks in meanwhile is not kept waiting."""
    await rows("SELECT FROM meeting WHERE id = $1 FOR NO KEY UPDATE", meeting_id)


async def write(actor: Actor, meeting: dict[str, Any], texts: dict[str, str], version: int,
                papers: Sequence[uploads.Handed] = ()) -> int:
    """Saves the log's text on top of `version` (0: there was none) together with its photographs and attachments, and
    drops the draft; returns the new version.

    Stale when somebody saved in between; Unfit where there would be too many files. What is the same as before makes no
    new version, so its check stands."""
    async with transaction():
        refuse(meeting)
        await hold(meeting["id"])
        current = await row("SELECT * FROM meeting_log WHERE meeting_id = $1 FOR NO KEY UPDATE", meeting["id"])
        await rows("DELETE FROM log_draft WHERE meeting_id = $1 AND person_id = $2", meeting["id"], actor.person_id)
        same = all((current[name] if current else "") == texts[name] for name in FIELDS)
        if not same:
            version = await save_text(actor, meeting, texts, version, current["version"] if current else 0)
        moved: dict[str, Any] = {}
        for handed in papers:
            moved |= await keep_papers(actor, meeting, handed)
        if same and not moved:
            return current["version"] if current else 0
        changed = told(current or dict.fromkeys(FIELDS, ""), texts)
        await audit.record(actor, "write_log", "meeting", meeting["id"],
                           before=changed["before"], after=changed["after"] | moved)
        live.changed(meeting["branch_path"], f"meeting-{meeting['id']}", "todos")
    return version


async def save_text(actor: Actor, meeting: dict[str, Any], texts: dict[str, str], version: int, current: int) -> int:
    """Writes the text on top of `version`; Stale when `current` is another."""
    saved = None
    if current == version:
        saved = await row(SAVE, meeting["id"], *(texts[name] for name in FIELDS), actor.person_id, now(), version)
    if saved is None:
        raise Stale
    return saved["version"]


def told(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What differs between two logs, as before and after for the evidence; the text, which names people and tells of
    them, in confidence."""
    differing = [name for name in after if before[name] != after[name]]
    return {side: {name: audit.personal(content[name] or None) if name in FIELDS else content[name]
                   for name in differing} for side, content in (("before", before), ("after", after))}


async def keep_papers(actor: Actor, meeting: dict[str, Any], handed: uploads.Handed) -> dict[str, Any]:
    """Puts the files of one place as the form has them; what was added and taken off, for the evidence.

    What is taken off stays as evidence. Other papers are another log to check."""
    table = KEPT_IN[handed.place.name]
    there = await rows(f"""
        SELECT f.id, f.sha256_received FROM {table} l JOIN file f ON f.id = l.file_id
        WHERE l.meeting_id = $1 AND l.removed_at IS NULL ORDER BY l.rank, f.id""", meeting["id"])
    kept = await uploads.settle(actor, handed, there)
    if kept.removed:
        await rows(f"UPDATE {table} SET removed_at = $3 WHERE meeting_id = $1 AND file_id = ANY($2)",
                   meeting["id"], list(kept.removed), now())
    for rank, file_id in enumerate(kept.order):
        await rows(f"""
            INSERT INTO {table} AS l (meeting_id, file_id, rank) VALUES ($1, $2, $3)
            ON CONFLICT (meeting_id, file_id) DO UPDATE SET rank = $3 WHERE l.rank <> $3""",
                   meeting["id"], file_id, rank)
    if not kept.added and not kept.removed:
        return {}
    await note_photos(actor, meeting["id"])
    added = [[one["id"], one["sha256_stored"].hex()] for one in kept.added]
    told_of = {f"{handed.place.name}_added": added, f"{handed.place.name}_removed": list(kept.removed)}
    return {name: ids for name, ids in told_of.items() if ids}


async def note_photos(actor: Actor, meeting_id: int) -> None:
    """Other photographs are another log to check; the text, and who types it just now, are not disturbed."""
    await rows("""
        INSERT INTO meeting_log (meeting_id, version, written_by, written_at, photos) VALUES ($1, 0, $2, $3, 1)
        ON CONFLICT (meeting_id) DO UPDATE SET photos = meeting_log.photos + 1""",
               meeting_id, actor.person_id, now())


async def keep_draft(actor: Actor, meeting: dict[str, Any], texts: dict[str, str], version: int) -> None:
    """Keeps what an officer has typed so far, for this officer alone; it is no log and makes no evidence."""
    refuse(meeting)
    await rows("""
        INSERT INTO log_draft (meeting_id, person_id, log_version, fields, saved_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (meeting_id, person_id) DO UPDATE SET (log_version, fields, saved_at) = ($3, $4, $5)""",
               meeting["id"], actor.person_id, version, json.dumps(texts, ensure_ascii=False), now())


async def who_checks(meeting: dict[str, Any], log: Any) -> Role:
    """The officer whose check this text waits for: the 组织委员, or the 书记 (M2§5)."""
    organisers = await rows("""
        SELECT a.person_id FROM role_grant g JOIN account a ON a.id = g.account_id AND a.closed_at IS NULL
        WHERE g.organisation_id = $1 AND g.role = $2 AND g.since <= $3
          AND (g.until IS NULL OR g.until > $3)""",
                            meeting["branch_id"], str(Role.ORGANISER), now())
    photographers = await rows("""SELECT f.uploaded_by FROM log_file l JOIN file f ON f.id = l.file_id
                                  WHERE l.meeting_id = $1""", meeting["id"])
    authors = {log["written_by"], *(one["uploaded_by"] for one in photographers)}
    wrote_it = any(organiser["person_id"] in authors for organiser in organisers)
    return Role(checker(wrote_it, bool(organisers)))


async def check(actor: Actor, meeting: dict[str, Any], version: int, photos: int, *, passed: bool, reason: str) -> None:
    """审核: passes text and photographs, and the branch sees them; or returns them with a reason. May come after the
    lock, for it stands beside the log. PermissionDenied for who wrote it, unless a lone 书记 has nobody else (M2§5)."""
    async with transaction():
        log = await written(meeting["id"])
        if log is None or (log["version"], log["photos"]) != (version, photos):
            raise WrongState("记录刚才又改过了，请刷新后再审核")
        its_checker = await who_checks(meeting, log)
        if actor.role != its_checker:
            raise PermissionDeniedException(f"这份记录由{its_checker}审核")
        if times(meeting).cancelled or meeting["amended"]:
            raise WrongState("这份记录不用再审核了")
        if not passed and times(meeting).locked(now()):
            raise WrongState("已锁定的记录支部不能再改，退回也改不了", EXPLAIN)
        done = await row("""
            INSERT INTO log_check (meeting_id, log_version, photos, verdict, reason, checked_by, who, checked_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (meeting_id, log_version, photos) DO NOTHING RETURNING id""",
                         meeting["id"], version, photos, str(Verdict.PASSED if passed else Verdict.RETURNED), reason,
                         actor.person_id, actor.signature, now())
        if done is None:
            raise WrongState("这份记录已经审核过了")
        await audit.record(actor, "check_log", "meeting", meeting["id"],
                           after={"version": version, "photos": photos, "passed": passed}, why=reason or None)
        if not passed:
            await remind(log["written_by"], "审核不通过", f"{meeting['topic']}的记录：{reason}",
                         f"/meetings/{meeting['id']}/log")
        if passed:
            await threads.supersede(cards.LOG, meeting["id"])
            await threads.post_card(
                actor, "meetings", cards.LOG, meeting["id"],
                cards.log_card(meeting, await tally(meeting["id"]), log["decisions"] or log["minutes"]),
                line=f"{meeting['topic']}的记录已审核，请查看", organisation_id=meeting["branch_id"],
                audience=meeting["branch_path"])
        live.changed(meeting["branch_path"], f"meeting-{meeting['id']}", "todos")
