"""撤下: a published matter is taken out of sight, on the township's decision, and leaves a notice with the reason."""
from asyncpg import Record
from litestar.exceptions import PermissionDeniedException

from server.catalogues import duties
from server.catalogues.rules import DutyState
from server.core import audit, deadlines, live
from server.core.actor import Actor
from server.core.clock import now
from server.core.database import row, rows, the_row, transaction
from server.core.moves import WrongState
from server.disclosure import cards
from server.disclosure.private import without_numbers
from server.disclosure.publication import hold, others_anew, post
from server.disclosure.rules import REVIEW_TIME
from server.disclosure.submission import EDITION
from server.permissions import Can
from server.threads import actions as threads


async def ask(actor: Actor, matter: Record, reason: str) -> None:
    """The village asks for it, with a reason; what a township takes down by itself is decided with the asking.

    WrongState where it is not published, or asked for already."""
    async with transaction():
        if actor.may(Can.DISCLOSURE_REVIEW) and matter["edition_id"]:
            await hold(matter, matter["edition_id"])
        there = await the_row("SELECT edition_id, withdrawn_at FROM matter WHERE id = $1 FOR NO KEY UPDATE",
                              matter["id"])
        if there["edition_id"] is None or there["withdrawn_at"]:
            raise WrongState("只有公开着的事项才能撤下")
        asked = await row("""INSERT INTO withdrawal (matter_id, reason, person_id, who) VALUES ($1, $2, $3, $4)
                             ON CONFLICT DO NOTHING RETURNING id""",
                          matter["id"], reason, actor.person_id, actor.signature)
        if asked is None:
            raise WrongState("已经申请过撤下，在等镇里办理")
        await audit.record(actor, "ask_withdrawal", "matter", matter["id"], why=reason)
        if actor.may(Can.DISCLOSURE_REVIEW):
            await take_down(actor, matter, asked["id"], reason, "")
        live.changed(matter["organisation_path"], f"matter-{matter['id']}", "disclosures", "todos")


async def decide(actor: Actor, matter: Record, withdrawal: Record, agreed: bool, answer: str) -> None:
    """The township takes it down, or says why not. WrongState when somebody was faster, PermissionDenied (403) for who
    asked for it."""
    if withdrawal["person_id"] == actor.person_id:
        raise PermissionDeniedException("自己提出的申请，要由镇里另一位同志决定")
    async with transaction():
        if agreed:
            await hold(matter, matter["edition_id"])
            await take_down(actor, matter, withdrawal["id"], withdrawal["reason"], answer)
        else:
            refused = await row("""UPDATE withdrawal SET state = '不同意', answer = $2, answer_who = $3,
                                       answer_at = ebranch_now() WHERE id = $1 AND state = '待审核' RETURNING id""",
                                withdrawal["id"], answer, actor.signature)
            if refused is None:
                raise WrongState("这件申请刚才已经办了")
            await audit.record(actor, "refuse_withdrawal", "matter", matter["id"], why=answer)
        live.changed(matter["organisation_path"], f"matter-{matter['id']}", "disclosures", "todos")


async def take_down(actor: Actor, matter: Record, withdrawal_id: int, reason: str, answer: str) -> None:
    """Out of sight it goes, and a notice stays in its threads; what the calendar asks for is owed again, with another
    matter. Within a transaction."""
    down = await row("""UPDATE withdrawal SET state = '已撤下', answer = $2, answer_who = $3, answer_at = ebranch_now()
                        WHERE id = $1 AND state = '待审核' RETURNING id""", withdrawal_id, answer, actor.signature)
    if down is None:
        raise WrongState("这件申请刚才已经办了")
    await rows("UPDATE matter SET withdrawn_at = ebranch_now(), withdrawn_why = $2 WHERE id = $1",
               matter["id"], f"{without_numbers(reason)}（{actor.signature}批准撤下）")
    await stop_correction(matter["id"])
    await others_anew(matter, matter["edition_id"])
    if not matter["period"].startswith("matter-") and matter["duty_state"] == DutyState.PUBLISHED:
        await duties.reopen(matter["duty_id"], DutyState.PUBLISHED, "公开的内容已撤下，要重新公开")
    await audit.record(actor, "withdraw_matter", "matter", matter["id"], why=reason)
    await threads.take_down_cards(actor, cards.MATTER, matter["id"], without_numbers(reason))
    card = cards.withdrawn_card(matter, without_numbers(reason), actor.signature)
    await post(actor, matter, matter["audience"], card, f"已撤下：{matter['title']}")


async def stop_correction(matter_id: int) -> None:
    """A correction on its way has nothing left to correct."""
    for one in await rows("""UPDATE edition SET state = '已作废' WHERE matter_id = $1
                             AND state NOT IN ('已公开', '已作废') RETURNING id, version""", matter_id):
        await deadlines.withdraw(REVIEW_TIME, EDITION, one["id"], at=now(), period=str(one["version"]))


async def asked(matter_id: int) -> Record | None:
    """The request that waits for the township."""
    return await row("SELECT * FROM withdrawal WHERE matter_id = $1 AND state = '待审核'", matter_id)
