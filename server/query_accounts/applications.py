"""Applying for a query account (M3§9): who it is, for a person or a household; the village verifies, or refuses."""
from collections.abc import Sequence
from typing import Any

from asyncpg import Record

from server.core import audit, crypto, live, sms
from server.core.actor import Actor, Machine
from server.core.database import next_id, row, rows, transaction
from server.core.forms import Refused
from server.core.moves import WrongState
from server.core.throttle import DAY, Throttle
from server.people.tables import ID_NUMBER
from server.query_accounts.opening import Opened, Wanted, open_reader
from server.query_accounts.rules import OPENING, REFUSAL, Standing
from server.query_accounts.tables import content_of, id_number_of, kept
from server.villages.tables import branches_in

TABLE = "reader_application"
APPLYING = Throttle("reader application", most=5, window=DAY)  # of one phone
# of one address on the net: a village shares its committee's, and a mobile network's many share one
FROM_ONE_PLACE = Throttle("reader applications of a place", most=500, window=DAY)


async def apply(village_code: str, name: str, id_number: str, phone: str,
                household: Sequence[tuple[str, str]] | None, source: str) -> None:
    """Puts down an application; the same person's again, while one waits, is that one, and says so where the phone is
    another. Nothing tells whether somebody has an account already. Refused after the fifth of a day from one phone, or
    the 500th from one source."""
    if not await APPLYING.take(phone):
        raise Refused("phone", "这个手机号今天申请的次数太多，请明天再试")
    if not await FROM_ONE_PLACE.take(source):
        raise Refused("form", "这个网络今天提交的申请太多，请明天再试，或到村委会当面申请")
    place = next(iter(await branches_in(village_code)), None)
    async with transaction():
        made = await next_id(TABLE)
        put = await row("""
            INSERT INTO reader_application (id, village_code, id_number, id_number_index, content, household)
            OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING id""",
                        made, village_code,
                        crypto.encrypt(id_number, table=TABLE, column="id_number", row_id=made),
                        crypto.blind_index(id_number, ID_NUMBER),
                        kept(TABLE, made, {"name": name, "phone": phone, "household": household}),
                        household is not None)
        if put is None:
            return await note_other(village_code, id_number, phone)
        await audit.record(
            Machine("自称本人，尚未核实", "未登录", source, organisation_id=place["id"] if place else None),
            "apply_for_reader", "reader_application", made)
        if place:
            live.changed(place["path"], "todos", "readers")


async def note_other(village_code: str, id_number: str, phone: str) -> None:
    """The village is told that somebody gave the same ID number with another phone: one of them is not who they say."""
    there = await row("""SELECT * FROM reader_application WHERE village_code = $1 AND id_number_index = $2
                         AND state = '待核实' FOR NO KEY UPDATE""", village_code,
                      crypto.blind_index(id_number, ID_NUMBER))
    if there is not None and content_of(TABLE, there)["phone"] != phone:
        await rows("UPDATE reader_application SET others = others + 1 WHERE id = $1", there["id"])


async def open_applied(actor: Actor, application: dict[str, Any], village: Record, standing: Standing) -> Opened:
    """核实无误，开通: the village knows who it is. WrongState when it is answered already; Refused in words."""
    content = content_of(TABLE, application)
    household = [tuple(one) for one in content["household"]] if content["household"] is not None else None
    async with transaction():
        held = await row("SELECT FROM reader_application WHERE id = $1 AND state = ANY($2) FOR NO KEY UPDATE",
                         application["id"], sorted(OPENING.frm))
        if held is None:
            raise WrongState("这份申请刚才已经办了")
        opened = await open_reader(actor, village, Wanted(
            content["name"], id_number_of(application), content["phone"], standing, household), "申请")
        await rows("""UPDATE reader_application SET state = '已开通', answer_who = $2, answer_at = ebranch_now(),
                          reader_id = $3 WHERE id = $1""", application["id"], actor.signature, opened.reader_id)
        await audit.record(actor, "open_application", TABLE, application["id"])
        live.changed(village["organisation_path"], "todos", "readers")
    return opened


async def refuse(actor: Actor, application: dict[str, Any], village: Record | None, why: str) -> None:
    """不同意, with the reason, which the applicant gets by SMS. WrongState when it is answered already."""
    content = content_of(TABLE, application)
    async with transaction():
        refused = await row("""
            UPDATE reader_application SET state = '不同意', answer = $2, answer_who = $3, answer_at = ebranch_now()
            WHERE id = $1 AND state = ANY($4) RETURNING id""", application["id"], why, actor.signature,
                            sorted(REFUSAL.frm))
        if refused is None:
            raise WrongState("这份申请刚才已经办了")
        await audit.record(actor, "refuse_application", TABLE, application["id"], why=why)
        await sms.send(f"reader-application-{application['id']}", content["phone"], "notice",
                       f"【灯塔e支部】您申请的三务公开查询账号没有开通，原因：{why}。有疑问请到村委会当面问。",
                       organisation_id=village["organisation_id"] if village else actor.organisation_id)
        live.changed(actor.organisation_path, "todos", "readers")
