"""撤下: a published matter is taken out of sight, on the township's decision, and leaves a notice with the reason."""
from asyncpg import Record

from server.core import audit, live
from server.core.actor import Actor
from server.core.database import row, rows, transaction
from server.core.moves import WrongState
from server.disclosure import cards
from server.disclosure.publication import places
from server.permissions import Can
from server.threads import actions as threads


async def ask(actor: Actor, matter: Record, reason: str) -> None:
    """The village asks for it, with a reason; what a township takes down by itself is decided with the asking.

    WrongState where it is not published, or asked for already."""
    if matter["edition_id"] is None or matter["withdrawn_at"]:
        raise WrongState("只有公开着的事项才能撤下")
    async with transaction():
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
    """The township takes it down, or says why not; WrongState when somebody was faster."""
    async with transaction():
        if agreed:
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
    """Out of sight it goes, and a notice stays in its threads. Within a transaction."""
    down = await row("""UPDATE withdrawal SET state = '已撤下', answer = $2, answer_who = $3, answer_at = ebranch_now()
                        WHERE id = $1 AND state = '待审核' RETURNING id""", withdrawal_id, answer, actor.signature)
    if down is None:
        raise WrongState("这件申请刚才已经办了")
    await rows("UPDATE matter SET withdrawn_at = ebranch_now(), withdrawn_why = $2 WHERE id = $1",
               matter["id"], f"{reason}（{actor.signature}批准撤下）")
    await audit.record(actor, "withdraw_matter", "matter", matter["id"], why=reason)
    await threads.supersede(cards.MATTER, matter["id"])
    card = cards.withdrawn_card(matter, reason, actor.signature)
    for kind, organisation in await places(matter, matter["audience"]):
        await threads.post_card(actor, kind, cards.MATTER, matter["id"], card, line=f"已撤下：{matter['title']}",
                                organisation_id=organisation["id"], audience=organisation["path"])


async def asked(matter_id: int) -> Record | None:
    """The request that waits for the township."""
    return await row("SELECT * FROM withdrawal WHERE matter_id = $1 AND state = '待审核'", matter_id)
