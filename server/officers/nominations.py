"""上报 (G2.1): from below to the safety officer, who opens the account, or returns it with a reason."""
from typing import Any

from asyncpg import UniqueViolationError
from litestar.exceptions import NotFoundException

from server.core import audit, crypto
from server.core.actor import Actor
from server.core.clock import now
from server.core.database import next_id, row, rows, transaction
from server.core.forms import Refused
from server.core.moves import WrongState
from server.officers.actions import Officer, Opened, open_within
from server.officers.rules import ROLES_AT, NominationState, may_nominate
from server.officers.tables import kept_number, kept_phone, number_of, phone_of
from server.organisations.rules import OrganisationKind
from server.organisations.tables import organisation
from server.people.tables import ID_NUMBER
from server.permissions import Role


async def nominate(actor: Actor, officer: Officer) -> int:
    """Reports somebody for a role; the nomination's id, of the waiting one where he or she was reported before.

    404 for an organisation that is not the actor's to nominate for; Refused when it has no such role, or somebody
    holds it already who is the same person."""
    place = await organisation(officer.organisation_id)
    if place is None or place["closed_at"] or not may_nominate(actor.role, actor.organisation_path, place["path"]):
        raise NotFoundException
    if officer.role not in ROLES_AT.get(OrganisationKind(place["kind"]), ()):
        raise Refused("role", f"{place['kind']}没有“{officer.role}”这个身份")
    found = crypto.blind_indexes(officer.id_number, ID_NUMBER)
    if await rows("""
            SELECT FROM role_grant g JOIN account a ON a.id = g.account_id JOIN person p ON p.id = a.person_id
            WHERE g.organisation_id = $1 AND g.role = $2 AND p.id_number_index = ANY($3) AND g.since <= $4
              AND (g.until IS NULL OR g.until > $4)""", place["id"], str(officer.role), found, now()):
        raise Refused("id_number", f"这个人已经是{place['name']}的{officer.role}，不用再上报")
    try:
        return await put_down(actor, officer, place["name"])
    except UniqueViolationError:
        waiting = await row("""
            SELECT id FROM nomination WHERE organisation_id = $1 AND role = $2 AND id_number_index = ANY($3)
            AND state = '待开通' AND nominated_at_id = $4""", place["id"], str(officer.role), found,
                            actor.organisation_id)
        if waiting is None:
            raise Refused("id_number", "这个人的这个身份已由别处上报，正在等待开通") from None
        return waiting["id"]


async def put_down(actor: Actor, officer: Officer, place: str) -> int:
    async with transaction():
        made = await next_id("nomination")
        await rows("""
            INSERT INTO nomination (id, organisation_id, role, name, id_number, id_number_index, phone, reason,
                                    nominated_by, nominated_at_id, who, nominated_at)
            OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)""",
                   made, officer.organisation_id, str(officer.role), officer.name,
                   kept_number(made, officer.id_number), crypto.blind_index(officer.id_number, ID_NUMBER),
                   kept_phone(made, officer.phone), officer.why, actor.account_id, actor.organisation_id,
                   actor.signature, now())
        await audit.record(actor, "nominate", "nomination", made,
                           after={"role": str(officer.role), "organisation": place,
                                  "name": audit.personal(officer.name), "phone": audit.personal(officer.phone)})
    return made


async def open_nominated(actor: Actor, nomination: dict[str, Any]) -> Opened:
    """Opens the account of who was nominated, as it was reported; a second time changes nothing. Refused as for any
    other."""
    officer = Officer(nomination["name"], number_of(nomination), phone_of(nomination), Role(nomination["role"]),
                      nomination["organisation_id"], nomination["reason"])
    async with transaction():
        held = await hold(nomination["id"])
        if held["state"] == NominationState.OPENED:
            return Opened(held["account_id"], known=True)
        still_waits(held)
        opened = await open_within(actor, officer)
        await answer(actor, held, NominationState.OPENED, account_id=opened.account_id)
    return opened


async def return_nomination(actor: Actor, nomination: dict[str, Any], reason: str) -> None:
    """Sends it back with a reason; a second time changes nothing."""
    async with transaction():
        held = await hold(nomination["id"])
        if held["state"] == NominationState.RETURNED:
            return
        still_waits(held)
        await answer(actor, held, NominationState.RETURNED, words=reason)


async def withdraw_nomination(actor: Actor, nomination: dict[str, Any]) -> None:
    """Who nominated takes it back while it waits; a second time changes nothing."""
    async with transaction():
        held = await hold(nomination["id"])
        if held["state"] == NominationState.WITHDRAWN:
            return
        still_waits(held)
        await answer(actor, held, NominationState.WITHDRAWN)


async def hold(nomination_id: int) -> Any:
    """The nomination as it stands, held for this transaction."""
    return await row("SELECT id, state, account_id FROM nomination WHERE id = $1 FOR NO KEY UPDATE", nomination_id)


def still_waits(held: Any) -> None:
    """WrongState when it has been answered otherwise."""
    if held["state"] != NominationState.WAITING:
        raise WrongState(f"这条上报{held['state']}")


async def answer(actor: Actor, held: Any, state: NominationState, *, words: str = "",
                 account_id: int | None = None) -> None:
    await rows("""
        UPDATE nomination SET state = $2, answer = $3, answered_by = $4, answered_who = $5, answered_at = $6,
            account_id = $7 WHERE id = $1""", held["id"], str(state), words, actor.account_id, actor.signature, now(),
               account_id)
    await audit.record(actor, VERBS[state], "nomination", held["id"], why=words or None)


VERBS = {NominationState.OPENED: "open_nomination", NominationState.RETURNED: "return_nomination",
         NominationState.WITHDRAWN: "withdraw_nomination"}
