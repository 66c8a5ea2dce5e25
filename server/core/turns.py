"""Long work on one row, turn by turn, each a transaction of the sweep: a worker that is killed begins again with the
turn it was at, what is paused goes on where it was, and an older call to go on does nothing.

The row's table has state (导入中, 已暂停, 已完成), turn, grant_id, account_id, who, source."""
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from asyncpg import Record

from server.core import audit, effects
from server.core.actor import Actor
from server.core.clock import now
from server.core.database import row, rows, transaction
from server.core.moves import WrongState


class Progress(StrEnum):
    RUNNING = "导入中"
    PAUSED = "已暂停"
    DONE = "已完成"


TONES = {Progress.RUNNING: "blue", Progress.PAUSED: "amber", Progress.DONE: "green"}


@dataclass(frozen=True)
class Turns:
    """One kind of such work. table: of its rows, and the kind of their evidence; effect: the kind of the effect that a
    turn is."""

    table: str
    effect: str

    async def begin(self, row_id: int) -> None:
        """Has the first turn carried out. Within the transaction that makes the row."""
        await self.go_on(row_id, 0)

    async def go_on(self, row_id: int, turn: int, *, waking: bool = True) -> None:
        """Has a turn carried out once this transaction is committed. waking: not by the sweep that is at it."""
        await effects.later(f"{self.effect}-{row_id}-{turn}", self.effect, {"row": row_id, "turn": turn}, now(),
                            waking=waking)

    async def hold(self, payload: dict[str, Any]) -> Record | None:
        """The row whose turn it is, held until the transaction ends; None when the call is an older one, or the work is
        paused or done."""
        row_id = payload.get("row") or payload["import"]  # import: a former version's
        return await row(f"""SELECT * FROM {self.table} WHERE id = $1 AND turn = $2 AND state = '导入中'
                             FOR NO KEY UPDATE""", row_id, payload["turn"])

    async def turned(self, held: Record, *, over: bool) -> None:
        """The turn is done: the next one is asked for, or all is over."""
        await rows(f"""UPDATE {self.table} SET turn = turn + 1, state = CASE WHEN $2 THEN '已完成' ELSE state END,
                           done_at = CASE WHEN $2 THEN ebranch_now() END WHERE id = $1""", held["id"], over)
        if not over:
            await self.go_on(held["id"], held["turn"] + 1, waking=False)

    async def stop(self, held: Record) -> None:
        """Pauses within a turn: whoever began it may not do this any more, and another one may go on."""
        await rows(f"UPDATE {self.table} SET state = '已暂停' WHERE id = $1", held["id"])

    async def pause(self, actor: Actor, row_id: int) -> None:
        """Stops after the turn that is being carried out; what is paused already stays so. WrongState once done."""
        async with transaction():
            paused = await row(f"""UPDATE {self.table} SET state = '已暂停' WHERE id = $1 AND state = '导入中'
                                   RETURNING id""", row_id)
            if paused is None:
                await self.still(row_id, Progress.PAUSED)
                return
            await audit.record(actor, "pause_import", self.table, row_id)

    async def resume(self, actor: Actor, row_id: int) -> None:
        """Goes on at the next turn, in the name of who resumes it; what is running already goes on running."""
        async with transaction():
            running = await row(f"""
                UPDATE {self.table} SET state = '导入中', turn = turn + 1, grant_id = $2, account_id = $3, who = $4,
                    source = $5 WHERE id = $1 AND state = '已暂停' RETURNING turn""",
                                row_id, actor.grant_id, actor.account_id, actor.signature, actor.source)
            if running is None:
                await self.still(row_id, Progress.RUNNING)
                return
            await audit.record(actor, "resume_import", self.table, row_id)
            await self.go_on(row_id, running["turn"])

    async def still(self, row_id: int, state: Progress) -> None:
        """WrongState unless the work is in that state already."""
        found = await row(f"SELECT state FROM {self.table} WHERE id = $1", row_id)
        if found and found["state"] != state:
            raise WrongState("这次导入已经完成")
