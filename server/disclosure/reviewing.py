"""审核把关 (M3§8, §11): the township approves, or returns with a reason for each field; 审核分工 among its offices."""
import json
from collections.abc import Mapping, Sequence
from typing import Any

from asyncpg import Record
from litestar.exceptions import NotFoundException, PermissionDeniedException

from server.core import audit, deadlines, effects, live
from server.core.actor import Actor, Machine
from server.core.clock import now
from server.core.database import row, rows, the_row, transaction
from server.core.forms import Refused
from server.core.moves import WrongState
from server.disclosure import publication
from server.disclosure.checks import is_narrowed
from server.disclosure.rules import FIELDS, REVIEW_TIME, SECRECY, State, Verdict
from server.disclosure.submission import EDITION, owed_again
from server.disclosure.tables import matter_by_id, signatures
from server.permissions import Can, holders
from server.threads.reminders import remind_holders

OFFICE_LOCK = 7_031  # advisory, with the township's id: one office after the other
NARROWED = "把这一项改为只对党员公开"
PUBLISH_LATER = "publish_edition"  # the kind of the effect that publishes what was approved for a later moment


async def review(actor: Actor, matter: Record, edition: Record, version: int, verdict: Verdict,
                 reasons: Mapping[str, str], checked: Sequence[str]) -> State:
    """Approves a version, and it is published at once or at its moment; or returns it with reasons by field, and the
    village's clock goes on. Where it then stands.

    Refused for a yes before everything of the secrecy list was looked at, and a no without a reason. WrongState when it
    was changed, taken back or reviewed meanwhile; PermissionDenied (403) for who wrote it."""
    refuse(verdict, reasons, checked)
    if actor.person_id in edition["authors"] or actor.account_id in [
            one["account_id"] for one in await signatures(edition["id"], version)]:
        raise PermissionDeniedException("不能审核自己写的、自己签过字的内容，请由镇里另一位同志审核")
    async with transaction():
        await publication.hold(matter, edition["id"])
        held = await row("SELECT * FROM edition WHERE id = $1 FOR NO KEY UPDATE", edition["id"])
        if held is None or (held["state"], held["version"]) != (State.SUBMITTED, version):
            raise WrongState("这份内容刚才已经审核过，或被撤回修改了")
        if verdict is Verdict.PASSED and await is_narrowed(matter, held):
            raise Refused("verdict", f"县里已{NARROWED}，请审核不通过，由村里看过再提交")
        await rows("""
            INSERT INTO review (edition_id, edition_version, verdict, reasons, checked, account_id, grant_id, who)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""", held["id"], version, str(verdict),
                   json.dumps(dict(reasons), ensure_ascii=False), list(checked), actor.account_id, actor.grant_id,
                   actor.signature)
        await deadlines.meet(REVIEW_TIME, EDITION, held["id"], closed_at=now(), period=str(version))
        await audit.record(actor, "review_matter", "matter", matter["id"], why="；".join(reasons.values()) or None,
                           after={"number": held["number"], "version": version, "verdict": verdict})
        to = await carry_on(actor, matter, held, verdict)
        live.changed(matter["organisation_path"], f"matter-{matter['id']}", "disclosures", "todos")
    return to


def refuse(verdict: Verdict, reasons: Mapping[str, str], checked: Sequence[str]) -> None:
    """Refused where the verdict lacks what it stands on."""
    if verdict is Verdict.PASSED and not set(SECRECY) <= set(checked):
        raise Refused("checked", "审核通过前，保密和一致性各项都要看过、打上勾（M3§11）")
    if verdict is Verdict.PASSED and reasons:
        raise Refused("verdict", "写了退回原因，请点“审核不通过”；没有问题就清空原因")
    if verdict is Verdict.RETURNED and not reasons:
        raise Refused("reason-title", f"请在要改的地方写明原因（{'、'.join(FIELDS.values())}）")


async def carry_on(actor: Actor, matter: Record, edition: Record, verdict: Verdict) -> State:
    """What follows from a verdict, in its transaction."""
    if verdict is Verdict.RETURNED:
        await rows("UPDATE edition SET state = '审核不通过' WHERE id = $1", edition["id"])
        await owed_again(matter, "镇街退回修改")
        return State.RETURNED
    if edition["publish_at"] and edition["publish_at"] > now():
        await rows("UPDATE edition SET state = '待公开' WHERE id = $1", edition["id"])
        await effects.later(f"publish-edition-{edition['id']}-{edition['version']}", PUBLISH_LATER,
                            {"edition": edition["id"]}, edition["publish_at"])
        return State.APPROVED
    await publication.publish(actor, matter, edition)
    return State.PUBLISHED


@effects.carries(PUBLISH_LATER)
async def publish_now(payload: dict[str, Any]) -> None:
    """Publishes what was approved for this moment; once however often it is asked. The matter is held first, as by
    whoever takes it down or reviews it."""
    its = await the_row("SELECT matter_id FROM edition WHERE id = $1", payload["edition"])
    await publication.hold(await matter_by_id(its["matter_id"]), payload["edition"])
    edition = await row("""SELECT * FROM edition WHERE id = $1 AND state = '待公开' AND publish_at <= ebranch_now()
                           FOR NO KEY UPDATE""", payload["edition"])
    if edition is not None:
        matter = await matter_by_id(edition["matter_id"])
        if await is_narrowed(matter, edition):
            await ask_again(matter, edition)
        else:
            await publication.publish(None, matter, edition)


async def ask_again(matter: Record, edition: Record) -> None:
    """What was approved for readers who may not have it any more goes back to the village, which is told."""
    await rows("UPDATE edition SET state = '草稿' WHERE id = $1", edition["id"])
    await owed_again(matter, NARROWED)
    await audit.record(Machine(), "take_back_matter", "matter", matter["id"], why=NARROWED,
                       after={"number": edition["number"]})
    await remind_holders(matter["organisation_id"], holders(Can.DISCLOSURE_KEEP), "没有公开",
                         f"{edition['title']}：县里{NARROWED}，请看过再提交", f"/disclosures/{matter['id']}")
    live.changed(matter["organisation_path"], f"matter-{matter['id']}", "disclosures", "todos")


# 审核分工 -------------------------------------------------------------------------------------------------------------

QUEUE = """
SELECT e.id, e.matter_id, m.edition_id AS published, e.title, e.authors, e.submitted_at, e.version, m.category, m.form,
       u.name AS village, d.item, i.department, x.due_at, x.starts_at, o.name AS office, ($2 = ANY(o.accounts)) AS mine
FROM edition e JOIN matter m ON m.id = e.matter_id JOIN duty d ON d.id = m.duty_id
JOIN unit u ON u.code = m.village_code JOIN catalogue_item i ON i.id = e.item_id
LEFT JOIN deadline x ON x.rule = 'disclosure_review' AND x.subject_kind = 'edition' AND x.subject_id = e.id
    AND x.state = 'open'
LEFT JOIN LATERAL (SELECT name, accounts FROM office WHERE committee_id = $3 AND closed_at IS NULL
                   AND d.item = ANY(items) ORDER BY id LIMIT 1) o ON true
WHERE e.state = '待审核' AND m.organisation_path LIKE $1 || '%'
ORDER BY x.due_at NULLS LAST, e.submitted_at, e.id LIMIT 500"""


async def queue(actor: Actor) -> list[Record]:
    """What waits for the township's review, what falls due first on top; each with its office, and whether that is the
    actor's (None where the division names nobody)."""
    return await rows(QUEUE, actor.organisation_path, actor.account_id, actor.organisation_id)


async def offices(committee_id: int) -> list[Record]:
    """The offices among which a township divides the review, with the names of those who work there."""
    return await rows("""
        SELECT o.id, o.name, o.items, o.accounts, ARRAY(
            SELECT p.name FROM account a JOIN person p ON p.id = a.person_id
            WHERE a.id = ANY(o.accounts) ORDER BY p.name
        ) AS people FROM office o WHERE o.committee_id = $1 AND o.closed_at IS NULL ORDER BY o.id""", committee_id)


async def reviewers(committee_id: int) -> list[Record]:
    """Who may review at a township: account, person and name."""
    return await rows("""
        SELECT DISTINCT a.id, a.person_id, p.name, p.sort_key, g.role
        FROM role_grant g JOIN account a ON a.id = g.account_id JOIN person p ON p.id = a.person_id
        WHERE g.organisation_id = $1 AND g.role IN ('党委管理员', '组织员') AND g.since <= $2
          AND (g.until IS NULL OR g.until > $2) AND a.closed_at IS NULL ORDER BY p.sort_key""", committee_id, now())


async def keep_office(actor: Actor, office_id: int | None, name: str, items: Sequence[int],
                      accounts: Sequence[int]) -> None:
    """Adds an office, or changes one. Refused for people who don't review here, and for a name that is taken."""
    known = {one["id"] for one in await reviewers(actor.organisation_id)}
    if not set(accounts) <= known:
        raise Refused("accounts", "只能选本镇街的管理员和组织员")
    async with transaction():
        await rows("SELECT pg_advisory_xact_lock($1, ($2::bigint % 2147483647)::int)", OFFICE_LOCK,
                   actor.organisation_id)
        if await row("SELECT FROM office WHERE committee_id = $1 AND name = $2 AND closed_at IS NULL AND id <> $3",
                     actor.organisation_id, name, office_id or 0) is not None:
            raise Refused("name", "已经有这个科室了")
        kept = await row("""
            UPDATE office SET name = $3, items = $4, accounts = $5 WHERE id = $2 AND committee_id = $1
            AND closed_at IS NULL RETURNING id""" if office_id else """
            INSERT INTO office (committee_id, name, items, accounts) SELECT $1, $3, $4, $5 WHERE $2::bigint IS NULL
            RETURNING id""", actor.organisation_id, office_id, name, list(items), list(accounts))
        if kept is None:
            raise WrongState("这个科室刚才被去掉了")
        await audit.record(actor, "divide_review", "organisation", actor.organisation_id,
                           after={"name": name, "items": list(items), "accounts": list(accounts)})


async def close_office(actor: Actor, office_id: int) -> None:
    """Takes an office out of the division; one that is out already changes nothing. NotFoundException (404) for what is
    none of the township's."""
    if await row("SELECT FROM office WHERE committee_id = $1 AND id = $2", actor.organisation_id, office_id) is None:
        raise NotFoundException
    async with transaction():
        closed = await row("""UPDATE office SET closed_at = ebranch_now() WHERE id = $2 AND committee_id = $1
                              AND closed_at IS NULL RETURNING name""", actor.organisation_id, office_id)
        if closed:
            await audit.record(actor, "divide_review", "organisation", actor.organisation_id,
                               before={"name": closed["name"]})
