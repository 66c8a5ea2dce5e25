"""What happens to a village of the directory: opened, or exempted for the time being (M3§4); what a county settles."""
from datetime import date, timedelta
from typing import Any

from asyncpg import Record
from litestar.exceptions import NotFoundException

from server.core import audit, effects, live
from server.core.actor import Actor
from server.core.clock import now, today
from server.core.database import row, rows, the_row, transaction
from server.core.forms import Refused
from server.core.moves import Move, WrongState
from server.threads import actions as threads
from server.villages.rules import LOOKED_AT_AGAIN, OPINION, RENEW, Exempting, State, is_community
from server.villages.tables import branches_in, county_of, settings_of, unit

VILLAGE_LOCK = 7_022  # advisory, with the village's code: opened, or exempted, one after the other

OPEN = """
INSERT INTO village (code, path, community, state, organisation_id, organisation_path, opened_at)
VALUES ($1, '', $2, '已开通', $3, '', ebranch_now())
ON CONFLICT (code) DO UPDATE SET state = '已开通', opened_at = ebranch_now(), organisation_id = EXCLUDED.organisation_id
WHERE village.state <> '已开通'
RETURNING organisation_path"""
EXEMPT = """
INSERT INTO village (code, path, community, state, organisation_id, organisation_path)
VALUES ($1, '', $2, '暂不开通', $3, '')
ON CONFLICT (code) DO UPDATE SET state = '暂不开通', opened_at = NULL"""


async def branch_of(actor: Actor, code: str, branch_id: int | None = None) -> Record:
    """The branch that answers for a village: the one chosen, or its first. NotFoundException where the actor's subtree
    has none there."""
    found = [one for one in await branches_in(code) if one["path"].startswith(actor.organisation_path)
             and branch_id in (None, one["id"])]
    if not found:
        raise NotFoundException
    return found[0]


async def hold(code: str) -> None:
    """Keeps a village from being opened and exempted at once, until the transaction ends; it may have no row yet."""
    await rows("SELECT pg_advisory_xact_lock($1, hashtext($2))", VILLAGE_LOCK, code)


async def open_village(actor: Actor, code: str, branch_id: int | None) -> None:
    """Opens a village's disclosure; an exemption on file ends with it. What it owes is made by the worker at once.

    branch_id: the branch that answers for it where there are several. WrongState when it is open already."""
    place = await unit(code)
    branch = await branch_of(actor, code, branch_id)
    async with transaction():
        await hold(code)
        opened = await row(OPEN, code, is_community(place["official_name"]) if place else False, branch["id"])
        if opened is None:
            raise WrongState("这个村已经开通了")
        await rows("""UPDATE exemption SET state = '已结束', ended_at = ebranch_now()
                      WHERE village_code = $1 AND state IN ('待镇街意见', '待县级审批', '已备案')""", code)
        await threads.open_threads(branch["path"])
        await audit.record(actor, "open_village", "organisation", branch["id"], after={"state": State.OPENED})
        await renew(f"village-{code}-{now().timestamp():.0f}", {"village": code})
        live.changed(branch["path"], "villages", "disclosures", "threads")


async def renew(key: str, payload: dict[str, Any]) -> None:
    """Has the worker make what a village, or a county's villages, owe by the catalogue."""
    await effects.later(f"{RENEW}:{key}", RENEW, payload, now())


async def ask_exemption(actor: Actor, code: str, reason: str) -> int:
    """Says why a village can't publish for the time being; its township's own word is an opinion already (M3§4).

    Returns the exemption's id; asked twice it is the one that is there. WrongState where the village is opened."""
    branch = await branch_of(actor, code)
    by_township = actor.may(OPINION.can)
    async with transaction():
        await hold(code)
        if await row("SELECT FROM village WHERE code = $1 AND state = '已开通'", code) is not None:
            raise WrongState("这个村已经开通，不能再申请暂不开通")
        made = await row("""
            INSERT INTO exemption (village_code, organisation_id, organisation_path, state, reason, who, opinion,
                                   opinion_who, opinion_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING id""",
                         code, branch["id"], branch["path"],
                         str(Exempting.WITH_COUNTY if by_township else Exempting.ASKED), reason, actor.signature,
                         reason if by_township else "", *((actor.signature, now()) if by_township else (None, None)))
        if made is None:
            return (await the_row("""SELECT id FROM exemption WHERE village_code = $1
                                     AND state IN ('待镇街意见', '待县级审批', '已备案')""", code))["id"]
        await audit.record(actor, "ask_exemption", "exemption", made["id"], why=reason)
        live.changed(branch["path"], "villages", "todos")
    return made["id"]


async def move(actor: Actor, exemption: dict[str, Any], by: Move, words: str, review_on: date | None = None) -> None:
    """Gives an exemption its opinion, files it until `review_on`, or returns it; WrongState when somebody was faster.

    Refused when the day to look at it again is not within the year to come."""
    if by.to == Exempting.ON_FILE and not (review_on and today() < review_on <= today() + timedelta(LOOKED_AT_AGAIN)):
        raise Refused("review_on", "复核日期要在今天以后、一年以内")
    column = "opinion" if by is OPINION else "answer"
    async with transaction():
        await hold(exemption["village_code"])
        moved = await row(f"""
            UPDATE exemption SET state = $2, {column} = $3, {column}_who = $4, {column}_at = ebranch_now(),
                review_on = $5 WHERE id = $1 AND state = ANY($6)
                AND (state <> $2 OR review_on <> $5) RETURNING village_code, organisation_id""",
                          exemption["id"], by.to, words, actor.signature, review_on, sorted(by.frm))
        if moved is None:
            raise WrongState("这件申请刚才已经办了")
        if by.to == Exempting.ON_FILE:
            place = await unit(moved["village_code"])
            await rows(EXEMPT, moved["village_code"], is_community(place["official_name"]) if place else False,
                       moved["organisation_id"])
        await audit.record(actor, f"exemption_{by.name}", "exemption", exemption["id"],
                           before={"state": exemption["state"]}, after={"state": by.to}, why=words or None)
        live.changed(exemption["organisation_path"], "villages", "todos")


async def settle(actor: Actor, signed: list[str], answer_days: int, version: int) -> None:
    """Keeps what the actor's county settles: which categories are signed, how many working days an answer may take.

    version: as the form was opened; WrongState when somebody settled something meanwhile."""
    county = county_of(actor.unit_code)
    before = await settings_of(county)
    async with transaction():
        kept = await row("""
            INSERT INTO county_setting (county_code, signed, answer_days) SELECT $1, $2, $3 WHERE $4 = 0
            ON CONFLICT DO NOTHING RETURNING version""" if version == 0 else """
            UPDATE county_setting SET signed = $2, answer_days = $3, version = version + 1
            WHERE county_code = $1 AND version = $4 RETURNING version""", county, signed, answer_days, version)
        if kept is None:
            raise WrongState("设置刚才被别人改过，请刷新后再改")
        await audit.record(actor, "settle_county", "organisation", actor.organisation_id,
                           before={name: before[name] for name in ("signed", "answer_days")},
                           after={"signed": signed, "answer_days": answer_days})
