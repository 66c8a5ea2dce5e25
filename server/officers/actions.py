"""What a department's safety officer does with officers' accounts (M3§5, G2.1): open, grant, end, close, open again.

Nobody grants anything to oneself, the three duties stay apart, the last safety officer stays: the words stand here,
the database refuses it by itself."""
from dataclasses import dataclass
from datetime import datetime

from asyncpg import Record
from litestar.exceptions import NotFoundException

from server.accounts import authorisations
from server.accounts.sessions import end_all
from server.core import audit, codes, live
from server.core.actor import Actor
from server.core.clock import now
from server.core.database import row, rows, transaction
from server.core.forms import Refused
from server.core.moves import WrongState
from server.core.workdays import last_day
from server.officers.messages import send_code, tell_of_role
from server.officers.rules import ROLES_AT, excluded_by
from server.officers.tables import (
    account_in_care,
    live_roles,
    member_elsewhere,
    officer_elsewhere,
    organisation_in_care,
    role_in_care,
)
from server.organisations.rules import OrganisationKind
from server.people.actions import OtherName, change_phone, enter_person, tell_former_phone
from server.people.rules import masked_phone
from server.people.tables import phone_of
from server.permissions import Role


@dataclass(frozen=True)
class Officer:
    """Whom an account is opened for, as it was read from a form or a sheet."""

    name: str
    id_number: str
    phone: str
    role: Role
    organisation_id: int
    why: str


@dataclass(frozen=True)
class Opened:
    """What became of it. known: the role was there already, and nothing was changed."""

    account_id: int
    known: bool = False


async def open_account(actor: Actor, officer: Officer) -> Opened:
    """Opens an account with a role, or gives the role to the account there is; sends the 授权码, or tells of the role.

    404 for an organisation that is not in the department's care; Refused otherwise."""
    async with transaction():
        return await open_within(actor, officer)


async def open_within(actor: Actor, officer: Officer) -> Opened:
    """As `open_account`, within the caller's transaction."""
    return await open_at(actor, officer, await place_of(actor, officer.organisation_id, officer.role))


async def open_at(actor: Actor, officer: Officer, place: Record) -> Opened:
    """As `open_within`, at an organisation that has been looked up."""
    try:
        person = await enter_person(officer.name, officer.id_number, officer.phone)
    except OtherName as other:
        raise Refused("name", str(other)) from None
    account = await account_of(person)
    if account["closed_at"]:
        raise Refused("id_number", "这个人的账号已停用，请先在账号页启用")
    held = await live_roles(account["id"])
    if holds(held, officer.role, place["id"]):
        return Opened(account["id"], known=True)
    await same_phone(actor, account, officer.phone)
    await grant(actor, account, held, officer.role, place, officer.why, officer.phone)
    return Opened(account["id"])


def holds(held: list[Record], role: Role, organisation_id: int) -> bool:
    """Whether the role there is among those held already."""
    return any((one["role"], one["organisation_id"]) == (role, organisation_id) for one in held)


async def place_of(actor: Actor, organisation_id: int, role: Role) -> Record:
    """The organisation, if it is in the department's care; Refused when it has no such role."""
    place = await organisation_in_care(actor.organisation_id, organisation_id)
    if place is None:
        raise NotFoundException
    if role not in ROLES_AT.get(OrganisationKind(place["kind"]), ()):
        raise Refused("role", f"{place['kind']}没有“{role}”这个身份")
    return place


async def account_of(person_id: int) -> Record:
    """Somebody's one account, held for this transaction; opened, without a password, if there was none."""
    await rows("INSERT INTO account (person_id) VALUES ($1) ON CONFLICT DO NOTHING", person_id)
    found = await row("""
        SELECT a.id, a.person_id, a.closed_at, a.password_hash IS NOT NULL AS activated, p.phone
        FROM account a JOIN person p ON p.id = a.person_id WHERE a.person_id = $1 FOR NO KEY UPDATE OF a""", person_id)
    assert found is not None
    return found


async def same_phone(actor: Actor, account: Record, phone: str) -> None:
    """The phone somebody is known under is the one that was given, or becomes it while the account is not in use and
    nobody else is in charge of its owner: whoever has the phone can take the account over."""
    known = phone_of(account["person_id"], account["phone"])
    if known == phone:
        return
    if known and account["activated"]:
        raise Refused("phone", f"这个人登记的手机号是 {masked_phone(known)}，与填写的不一致，请核对")
    care = actor.organisation_id
    if await officer_elsewhere(care, account["id"]) or await member_elsewhere(care, account["person_id"]):
        raise Refused("phone", "这个人在别处已有登记，手机号与填写的不一致，请由他所在的支部或安全员核对后更改")
    await change_phone(account["person_id"], phone)
    await audit.record(actor, "change_phone", "person", account["person_id"], why="开通账号时核对",
                       before={"phone": audit.personal(known)}, after={"phone": audit.personal(phone)})


async def grant(
    actor: Actor, account: Record, held: list[Record], role: Role, place: Record, why: str, phone: str, *,
    since: datetime | None = None, until: datetime | None = None, acting_for: int | None = None,
) -> int:
    """Gives an account a role that is not among those it holds, and tells its owner; the grant's id.

    since, until: from when to when, by default from now on for good; acting_for: the account it stands in for."""
    if account["id"] == actor.account_id:
        raise Refused("role", "不能给自己开通身份，请由上级或本部门另一位安全员办理")
    if other := excluded_by(role, {Role(one["role"]) for one in held}):
        where = next(one["organisation"] for one in held if one["role"] == other)
        raise Refused("role", f"这个人是{where}的{other}；管理员、安全员、审计员须由三个人分别担任")
    made = await row("""
        INSERT INTO role_grant (account_id, role, organisation_id, granted_by, why, since, until, acting_for)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id""",
                     account["id"], str(role), place["id"], actor.account_id, why, since or now(), until, acting_for)
    assert made is not None
    await enrol(account["id"])
    span = {"acting_for": f"账号 {acting_for}", "since": since,
            "until": f"{last_day(until)} 24:00"} if acting_for and until else {}
    await audit.record(actor, "act_for" if acting_for else "grant_role", "account", account["id"], why=why,
                       after={"role": str(role), "organisation": place["name"]} | span)
    await tell(actor, account, made["id"], role, place, phone)
    return made["id"]


async def enrol(account_id: int) -> None:
    """Who stands in the register is a member in the account too: an auditor also checks in at the own branch."""
    await rows("""
        INSERT INTO role_grant (account_id, role, organisation_id, why)
        SELECT a.id, m.standing, m.branch_id, '党员名册'
        FROM account a JOIN member m ON m.person_id = a.person_id AND m.left_on IS NULL
        JOIN organisation o ON o.id = m.branch_id AND o.closed_at IS NULL
        WHERE a.id = $1 AND NOT EXISTS (
            SELECT FROM role_grant g WHERE g.account_id = a.id AND g.organisation_id = m.branch_id
            AND (g.until IS NULL OR g.until > ebranch_now()))""", account_id)


async def tell(actor: Actor, account: Record, grant_id: int, role: Role, place: Record, phone: str) -> None:
    """By SMS: the 授权码 of an account that has none, or that there is a further role."""
    if account["activated"] or await rows("""
            SELECT FROM authorisation WHERE account_id = $1 AND used_at IS NULL AND replaced_at IS NULL
            AND expires_at > $2""", account["id"], now()):
        await tell_of_role(grant_id, phone, role=role, organisation=place["name"], organisation_id=place["id"],
                           activated=account["activated"])
    else:
        code, made = await authorisations.issue(account["id"], actor.account_id)
        await send_code(made["id"], phone, code, made["expires_at"], role=role, organisation=place["name"],
                        organisation_id=place["id"])


async def change_officers_phone(actor: Actor, account_id: int, phone: str, why: str) -> None:
    """Another phone for an officer whose account is the department's alone, after the safety officer has made sure who
    it is: the branch may not, for whoever has the phone has the account. All its sessions end."""
    async with transaction():
        account = await in_care(actor, account_id)
        if account_id == actor.account_id:
            raise Refused("phone", "自己的手机号码由上级或本部门另一位安全员更改")
        await refuse_elsewhere(actor, account)
        if await member_elsewhere(actor.organisation_id, account["person_id"]):
            raise Refused("phone", "这个人的党组织关系不在本辖区，请由他所在的支部核对后更改")
        known = phone_of(account["person_id"], account["phone"])
        if known == phone:
            raise Refused("phone", "登记的已经是这个手机号码")
        await change_phone(account["person_id"], phone)
        await end_all(account_id)
        event = await audit.record(actor, "change_phone", "person", account["person_id"], why=why,
                                   before={"phone": audit.personal(known)}, after={"phone": audit.personal(phone)})
        await tell_former_phone(known, event, actor.signature, actor.organisation_id)


async def add_role(actor: Actor, account_id: int, role: Role, organisation_id: int, why: str) -> None:
    """Gives an account in the department's care a further role; one that it has changes nothing."""
    async with transaction():
        account = await in_care(actor, account_id)
        if account["closed_at"]:
            raise WrongState("这个账号已停用", "请先启用账号，再增加身份。")
        place = await place_of(actor, organisation_id, role)
        held, phone = await live_roles(account_id), phone_of(account["person_id"], account["phone"])
        if holds(held, role, place["id"]):
            return
        if phone is None:
            raise Refused("role", "这个人没有登记手机号，请从“开通账号”办理")
        await grant(actor, account, held, role, place, why, phone)


async def in_care(actor: Actor, account_id: int) -> Record:
    """An account in the department's care, held for this transaction; 404 for another."""
    await row("SELECT FROM account WHERE id = $1 FOR NO KEY UPDATE", account_id)
    account = await account_in_care(actor.organisation_id, account_id)
    if account is None:
        raise NotFoundException
    return account


async def issue_code(actor: Actor, account_id: int, after: int) -> None:
    """Sends a new 授权码; the former one is good no longer. after: the id of the code that the page showed as the
    newest (0: none), so that a second tap on the same page sends no second one. Where the phone has just had an SMS, of
    its owner's activation maybe, this one leaves when the minute is over."""
    async with transaction():
        account = await in_care(actor, account_id)
        newest = await authorisations.newest_authorisation(account_id)
        if (newest["id"] if newest else 0) != after:
            return
        if account["activated"] or account["closed_at"]:
            raise WrongState("这个账号已经激活或停用，不需要授权码")
        held = await role_in_care(actor.organisation_id, account_id)
        phone = phone_of(account["person_id"], account["phone"])
        if held is None or phone is None:
            raise WrongState("这个账号没有可用的身份，先增加身份")
        leaves_at = await codes.count(codes.phone_mac(phone), patience=codes.EVERY)
        if leaves_at is None:
            raise WrongState("给这个手机号的短信太多了", "一分钟一条，一天最多十条，请过一会儿再发。")
        code, made = await authorisations.issue(account_id, actor.account_id)
        await send_code(made["id"], phone, code, made["expires_at"], role=held["role"],
                        organisation=held["organisation"], organisation_id=held["organisation_id"],
                        not_before=leaves_at)
        await audit.record(actor, "issue_code", "account", account_id)


async def end_role(actor: Actor, account_id: int, grant_id: int, why: str) -> None:
    """Ends a role from the next request on; one that has ended changes nothing. The last safety officer's is refused
    by the database."""
    async with transaction():
        await end_within(actor, account_id, grant_id, why)


async def end_within(actor: Actor, account_id: int, grant_id: int, why: str) -> bool:
    """As `end_role`, within the caller's transaction; whether there was anything to end."""
    await in_care(actor, account_id)
    found = await row("""
        SELECT g.role, g.acting_for, o.id AS organisation_id, o.name AS organisation FROM role_grant g
        JOIN organisation o ON o.id = g.organisation_id WHERE g.id = $1 AND g.account_id = $2""", grant_id, account_id)
    if found is None or await organisation_in_care(actor.organisation_id, found["organisation_id"]) is None:
        raise NotFoundException
    ended = await row("""
        UPDATE role_grant SET until = $2, ended_by = $3, end_why = $4
        WHERE id = $1 AND (until IS NULL OR until > $2)
        RETURNING (SELECT person_id FROM account WHERE id = account_id)""", grant_id, now(), actor.account_id, why)
    if ended is None:
        return False
    await forget_code(account_id)
    await enrol(account_id)
    live.session_ended(ended["person_id"])
    await audit.record(actor, "end_acting_for" if found["acting_for"] else "end_role", "account", account_id, why=why,
                       before={"role": found["role"], "organisation": found["organisation"]})
    await end_substitutes(actor, account_id, found, why)
    return True


async def end_substitutes(actor: Actor, account_id: int, its: Record, why: str) -> None:
    """Nobody acts any longer for somebody whose role has ended. its: role, organisation_id, organisation."""
    for one in await rows("""
            UPDATE role_grant g SET until = greatest($2, since), ended_by = $3, end_why = $4
            FROM account a WHERE a.id = g.account_id AND g.acting_for = $1 AND (g.role, g.organisation_id) = ($5, $6)
            AND g.until > $2 RETURNING a.id, a.person_id""", account_id, now(), actor.account_id, why, its["role"],
                          its["organisation_id"]):
        live.session_ended(one["person_id"])
        await audit.record(actor, "end_acting_for", "account", one["id"], why=why,
                           before={"role": its["role"], "organisation": its["organisation"]})


async def forget_code(account_id: int) -> None:
    """A 授权码 for no officer's role any more is good no longer."""
    if not await rows("""
            SELECT FROM role_grant WHERE account_id = $1 AND granted_by IS NOT NULL
            AND (until IS NULL OR until > ebranch_clock())""", account_id):
        await authorisations.withdraw(account_id)


async def refuse_elsewhere(actor: Actor, account: Record) -> None:
    """WrongState where an account is not the department's alone: then each department ends its own roles."""
    if await officer_elsewhere(actor.organisation_id, account["id"]):
        raise WrongState("这个人在别的部门还有职务，整个账号不归您管",
                         "请终止本部门给的身份；其余的由那里的安全员办理。")


async def close_account(actor: Actor, account_id: int, why: str) -> None:
    """Closes an account, because a phone was lost or somebody leaves: all its sessions end at once. One that is closed
    already changes nothing."""
    async with transaction():
        await refuse_elsewhere(actor, await in_care(actor, account_id))
        if account_id == actor.account_id:
            raise WrongState("不能停用自己的账号", "请由上级或本部门另一位安全员办理。")
        closed = await row("""
            UPDATE account SET closed_at = $2, switched_by = $3, switch_why = $4
            WHERE id = $1 AND closed_at IS NULL RETURNING id""", account_id, now(), actor.account_id, why)
        if closed is None:
            return
        await end_all(account_id)
        await authorisations.withdraw(account_id)
        await audit.record(actor, "close_account", "account", account_id, why=why)


async def reopen(actor: Actor, account_id: int, why: str) -> None:
    """Opens a closed account again, with the roles that have not been ended; one that is open changes nothing."""
    async with transaction():
        await refuse_elsewhere(actor, await in_care(actor, account_id))
        opened = await row("""
            UPDATE account SET closed_at = NULL, switched_by = $2, switch_why = $3
            WHERE id = $1 AND closed_at IS NOT NULL RETURNING id""", account_id, actor.account_id, why)
        if opened is None:
            return
        await audit.record(actor, "reopen_account", "account", account_id, why=why)
