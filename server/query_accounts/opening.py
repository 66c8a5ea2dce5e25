"""Opening query accounts, one by one within whatever asks for it; ending them; the household's members."""
from collections.abc import Sequence
from dataclasses import dataclass

from asyncpg import Record

from server.core import audit, live, sms
from server.core.actor import Actor
from server.core.database import row, rows, the_row, transaction
from server.core.forms import Refused
from server.core.moves import WrongState
from server.people.actions import OtherName, change_phone, enter_person
from server.people.tables import phone_of
from server.query_accounts.rules import Standing, role_of
from server.settings import settings

# Said whatever it is that differs: a village learns nothing about people who are registered elsewhere.
DIFFERS = "姓名、身份证号或手机号与登记的不一致，请核对；都没有填错的，请本人带身份证到支部当面更改"


@dataclass(frozen=True, repr=False)
class Wanted:
    """For whom an account is wanted. household: (name, relation) of those it reads for; None for one person alone."""

    name: str
    id_number: str
    phone: str
    standing: Standing
    household: Sequence[tuple[str, str]] | None = None


@dataclass(frozen=True)
class Opened:
    reader_id: int
    known: bool = False


async def open_reader(actor: Actor, village: Record, wanted: Wanted, how: str) -> Opened:
    """Opens a query account at a village and tells its owner by SMS, once; within a transaction. One that is there
    already stays as it is. Refused, in words, for another name or phone than is known, and for a closed account."""
    try:
        person = await enter_person(wanted.name, wanted.id_number, wanted.phone)
    except OtherName:
        raise Refused("name", DIFFERS) from None
    account = await account_of(person)
    await same_phone(account, wanted.phone)
    return await open_for(actor, village, account, wanted.standing, how, wanted.household)


async def open_for(actor: Actor, village: Record, account: Record, standing: Standing, how: str,
                   household: Sequence[tuple[str, str]] | None = None) -> Opened:
    """As `open_reader`, for somebody who is entered already."""
    if account["closed_at"]:
        raise Refused("id_number", "这个人的账号已停用，请先请安全员恢复")
    if account["id"] == actor.account_id:
        raise Refused("id_number", "不能给自己开通，请由村里另一位管理员办理")
    there = await row("SELECT id FROM reader WHERE village_code = $1 AND person_id = $2 AND ended_at IS NULL",
                      village["code"], account["person_id"])
    if there is not None:
        return Opened(there["id"], known=True)
    grant = await the_row("""
        INSERT INTO role_grant (account_id, role, organisation_id, granted_by, why) VALUES ($1, $2, $3, $4, $5)
        RETURNING id""", account["id"], str(role_of(standing)), village["organisation_id"], actor.account_id,
                          f"查询账号 · {standing}")
    made = await the_row("""
        INSERT INTO reader (village_code, organisation_path, person_id, grant_id, standing, household, how, who)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id""", village["code"], village["organisation_path"],
                         account["person_id"], grant["id"], str(standing), household is not None, how, actor.signature)
    for name, relation in household or ():
        await rows("INSERT INTO household_member (reader_id, name, relation) VALUES ($1, $2, $3)",
                   made["id"], name, relation)
    await audit.record(actor, "open_reader", "reader", made["id"], after={
        "standing": standing, "how": how, "people": len(household or ())})
    phone = phone_of(account["person_id"], account["phone"])
    if phone:
        await sms.send(f"reader-{grant['id']}", phone, "notice", words(village, activated=account["activated"]),
                       organisation_id=village["organisation_id"])
    return Opened(made["id"])


def words(village: Record, *, activated: bool) -> str:
    """What the SMS says."""
    how = "用原来的手机号和密码登录，在“我的”里切换身份。" if activated else (
        f"首次使用请打开 {settings.origin}/registration?reader=1 填姓名、身份证号、手机号，设密码后登录。")
    return f"【灯塔e支部】您的{village['name']}三务公开查询账号已开通。{how}"


async def account_of(person_id: int) -> Record:
    """Somebody's one account, held for this transaction; opened, without a password, if there was none."""
    await rows("INSERT INTO account (person_id) VALUES ($1) ON CONFLICT DO NOTHING", person_id)
    return await the_row("""
        SELECT a.id, a.person_id, a.closed_at, a.password_hash IS NOT NULL AS activated, p.phone
        FROM account a JOIN person p ON p.id = a.person_id WHERE a.person_id = $1 FOR NO KEY UPDATE OF a""", person_id)


async def same_phone(account: Record, phone: str) -> None:
    """Whoever has the phone can take the account over: another number than the known one is refused."""
    known = phone_of(account["person_id"], account["phone"])
    if known is None:
        await change_phone(account["person_id"], phone)
    elif known != phone:
        raise Refused("phone", DIFFERS)


async def end(actor: Actor, found: Record, why: str) -> None:
    """停用: ends a query account with its grant, and its sessions under it at once. WrongState when it has ended."""
    async with transaction():
        ended = await row("""UPDATE reader SET ended_at = ebranch_now(), end_why = $2
                             WHERE id = $1 AND ended_at IS NULL RETURNING grant_id""", found["id"], why)
        if ended is None:
            raise WrongState("这个查询账号已经停用了")
        await rows("UPDATE role_grant SET until = ebranch_clock(), ended_by = $2, end_why = $3 WHERE id = $1",
                   ended["grant_id"], actor.account_id, why)
        await audit.record(actor, "end_reader", "reader", found["id"], why=why)
        live.session_ended(found["person_id"])


async def take_off(actor: Actor, found: Record, member_id: int) -> None:
    """Takes somebody off a household's list; who is off it already stays so."""
    async with transaction():
        gone = await row("""UPDATE household_member SET ended_at = ebranch_now(), end_who = $3
                            WHERE id = $1 AND reader_id = $2 AND ended_at IS NULL RETURNING id""",
                         member_id, found["id"], actor.signature)
        if gone:
            await audit.record(actor, "take_off_household", "reader", found["id"], after={"member": member_id})
