"""Spot checks of the wall against what is online (M3§10): found, mended by the village, closed or sent back."""
from datetime import date
from typing import Any

from asyncpg import Record
from litestar.exceptions import PermissionDeniedException

from server.core import audit, deadlines, live, uploads
from server.core.actor import Actor
from server.core.clock import now, today
from server.core.database import row, rows, the_row, transaction
from server.core.forms import Refused
from server.core.moves import Move, WrongState
from server.core.workdays import Length, Unit
from server.supervision.rules import BACK, CLOSE, MENDED, MENDING, MENDING_MOST, State

CHECK = "spot_check"  # the kind of the deadline's subject
LATELY = "interval '2 minutes'"  # within which the same words about the same village are the same check
KINDS = {MENDED: "整改", CLOSE: "销号", BACK: "退回"}


async def check(actor: Actor, village: Record, finding: str, mend_by: date | None, handed: uploads.Handed, *,
                matter_id: int | None = None, question_id: int | None = None) -> int:
    """Notes what somebody found before the wall; its id, of the one that is there where it was sent twice.

    mend_by: until when it must be mended; None where wall and online say the same. Refused for a day that has passed or
    is too far away."""
    if mend_by is not None and not today() <= mend_by <= today() + MENDING_MOST:
        raise Refused("mend_by", f"整改期限要在今天到 {MENDING_MOST.days} 天以内")
    state = State.SAME if mend_by is None else State.MENDING
    async with transaction():
        await rows("SELECT FROM village WHERE code = $1 FOR NO KEY UPDATE", village["code"])
        there = await row(f"""SELECT id FROM spot_check WHERE village_code = $1 AND person_id = $2 AND finding = $3
                              AND state = $4 AND at > ebranch_now() - {LATELY}""",
                          village["code"], actor.person_id, finding, str(state))
        if there is not None:
            return there["id"]
        made = await the_row("""
            INSERT INTO spot_check (village_code, organisation_id, organisation_path, matter_id, question_id, state,
                                    finding, mend_by, by_id, person_id, who, closed_at)
            VALUES ($1, 0, '', $2, $3, $4, $5, $6, $7, $8, $9, CASE WHEN $4 = '一致' THEN ebranch_now() END)
            RETURNING *""", village["code"], matter_id, question_id, str(state), finding, mend_by,
                             actor.organisation_id, actor.person_id, actor.signature)
        await step(actor, made["id"], "抽查", finding, handed)
        if mend_by is not None:
            await clock(made, village["name"], mend_by)
        await audit.record(actor, "spot_check", "spot_check", made["id"], after={"state": state, "finding": finding})
        live.changed(village["organisation_path"], "spot-checks", "todos")
    return made["id"]


async def clock(made: Record, village: str, mend_by: date) -> None:
    """It is to be mended by that day."""
    await deadlines.start(
        MENDING, CHECK, made["id"], organisation_id=made["organisation_id"],
        organisation_path=made["organisation_path"], starts_at=now(), title=f"整改 · {village} {made['finding'][:40]}",
        href=f"/spot-checks/{made['id']}", now=now(), length=Length((mend_by - today()).days + 1, Unit.NOTICE))


async def step(actor: Actor, check_id: int, kind: str, text: str, handed: uploads.Handed | None = None) -> None:
    """One thing that happened to a check, with its photographs."""
    made = await the_row("INSERT INTO spot_check_step (check_id, kind, text, who) VALUES ($1, $2, $3, $4) RETURNING id",
                         check_id, kind, text, actor.signature)
    if handed is not None:
        kept = await uploads.settle(actor, handed, [])
        for rank, file_id in enumerate(kept.order):
            await rows("INSERT INTO spot_check_file (step_id, file_id, rank) VALUES ($1, $2, $3)", made["id"], file_id,
                       rank)


async def move(actor: Actor, found: dict[str, Any], by: Move, text: str, handed: uploads.Handed | None = None) -> None:
    """整改完成, or, by the organisation that found it, 销号 or 退回再改; PermissionDenied (403) for another one,
    WrongState when somebody was faster."""
    if by is not MENDED and found["by_id"] != actor.organisation_id:
        raise PermissionDeniedException("这件抽查由发现的单位复核、销号")
    async with transaction():
        moved = await row("""
            UPDATE spot_check SET state = $2, closed_at = CASE WHEN $2 = '已销号' THEN ebranch_now() END,
                mend_by = CASE WHEN $2 = '整改中' THEN greatest(mend_by, $4) ELSE mend_by END
            WHERE id = $1 AND state = ANY($3) RETURNING id""", found["id"], by.to, sorted(by.frm), today())
        if moved is None:
            raise WrongState("这件抽查刚才有了变化，请刷新再看")
        await step(actor, found["id"], KINDS[by], text or by.label, handed)
        if by is MENDED:
            await deadlines.meet(MENDING, CHECK, found["id"], closed_at=now())
        elif by is BACK:
            again = await the_row("""SELECT *, (SELECT name FROM unit WHERE code = village_code) AS village
                                     FROM spot_check WHERE id = $1""", found["id"])
            await clock(again, again["village"], again["mend_by"])
        await audit.record(actor, f"spot_check_{by.name}", "spot_check", found["id"], before={"state": found["state"]},
                           after={"state": by.to}, why=text or None)
        live.changed(found["organisation_path"], "spot-checks", "todos")
