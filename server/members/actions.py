"""What happens to what the register says about somebody: a number opened, another phone confirmed."""
from datetime import datetime
from hashlib import sha256

from litestar.exceptions import ClientException, NotFoundException

from server.accounts.tables import is_officer
from server.core import audit
from server.core.actor import Actor
from server.core.clock import now
from server.core.database import row, rows, the_row, transaction
from server.core.forms import Refused
from server.core.throttle import Throttle
from server.members.register import seen_by
from server.members.rules import OPENINGS, OPENINGS_WITHIN, SEARCHES, Number, Proof
from server.people.actions import change_phone, tell_former_phone
from server.people.tables import numbers_of

SEARCHING = Throttle("number search", most=SEARCHES, window=OPENINGS_WITHIN)
VERBS = {Number.ID_NUMBER: "open_id_number", Number.PHONE: "open_phone"}


class TooMany(ClientException):
    """429: so many numbers were opened, or looked for, within the hour."""

    status_code = 429


async def open_number(actor: Actor, person_id: int, what: Number, why: str, press: str) -> str | None:
    """The number in clear, once, with its evidence; None when this press of the button has been answered before, so
    that a page loaded again shows nothing.

    why: the reason, without any number in it; press: the button's own token. Raises NotFoundException for somebody out
    of sight or without such a number, TooMany after OPENINGS in an hour, exactly, also under a hundred at once."""
    async with transaction():
        if await seen_by(actor, person_id) is None:
            raise NotFoundException
        id_number, phone = await numbers_of(person_id)
        number = id_number if what is Number.ID_NUMBER else phone
        if number is None:
            raise NotFoundException
        await rows("SELECT pg_advisory_xact_lock(hashtextextended('number_opening', $1))", actor.account_id)
        if await row("SELECT FROM number_opening WHERE press = $1", digest(actor, press)) is not None:
            return None
        await refuse_too_many(actor)
        await rows("INSERT INTO number_opening (account_id, person_id, what, press) VALUES ($1, $2, $3, $4)",
                   actor.account_id, person_id, what, digest(actor, press))
        await audit.record(actor, VERBS[what], "person", person_id, why=why)
    return number


def digest(actor: Actor, press: str) -> bytes:
    """What is kept of a press of the button: nobody's can be taken for another's."""
    return sha256(f"{actor.account_id} {press}".encode()).digest()


async def refuse_too_many(actor: Actor) -> None:
    """TooMany when the account has opened OPENINGS within the hour; says from when one more may be."""
    lately = await the_row("""
        SELECT count(*), min(at) AS first FROM (SELECT at FROM number_opening WHERE account_id = $1 AND at > $2
        ORDER BY at DESC LIMIT $3) o""", actor.account_id, now() - OPENINGS_WITHIN, OPENINGS)
    if lately["count"] >= OPENINGS:
        raise TooMany(f"一小时内最多查看 {OPENINGS} 个号码，请 {minutes_until(lately['first'])} 分钟后再看")


def minutes_until(first: datetime) -> int:
    """Minutes, rounded up, until an opening is an hour old."""
    return max(1, -int((now() - first - OPENINGS_WITHIN).total_seconds() // 60))


async def count_search(actor: Actor) -> None:
    """Counts a search by number before anything is looked up; TooMany after SEARCHES within the hour."""
    if not await SEARCHING.take(str(actor.account_id)):
        raise TooMany(f"一小时内最多按号码查找 {SEARCHES} 次，请过一会儿再查，或按姓名查找")


async def confirm_phone(
    actor: Actor, person_id: int, *, name: str, phone: str, confirmed_by: str, proof: Proof, why: str,
) -> None:
    """Puts another phone into the register, face to face (domain.md, Accounts: where the known one is outdated).

    name: as the person said it, and as the register has it; confirmed_by: who sat opposite. Raises NotFoundException
    for somebody out of sight, Refused for the own phone (an open session on a lost phone would take over the account),
    an officer's (whoever has it would take over the duties), another name, or the phone that stands there already."""
    async with transaction():
        found = await seen_by(actor, person_id)
        if found is None:
            raise NotFoundException
        if person_id == actor.person_id:
            raise Refused("phone", "自己的手机号要请另一位支部干部当面核实后更改")
        if await is_officer(person_id):
            raise Refused("phone", "这位同志有管理员身份，手机号码请由开通账号的安全员更改")
        if name != found["name"]:
            raise Refused("name", "姓名和名册上的不一致，请核对是不是这位同志")
        await rows("SELECT FROM person WHERE id = $1 FOR NO KEY UPDATE", person_id)
        _, former = await numbers_of(person_id)
        if former == phone:
            raise Refused("phone", "名册上已经是这个手机号")
        await change_phone(person_id, phone)
        event = await audit.record(
            actor, "confirm_phone", "person", person_id, why=why,
            before={"phone": audit.personal(former)},
            after={"phone": audit.personal(phone), "confirmed_by": audit.personal(confirmed_by), "proof": proof})
        await tell_former_phone(former, event, actor.signature, actor.organisation_id)
