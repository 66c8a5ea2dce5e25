"""The yearly look at the list of query accounts (M3§9): owed from the year's first day, done by confirming the list."""
from collections.abc import Sequence

from asyncpg import Record

from server.core import audit, deadlines, live
from server.core.actor import Actor
from server.core.clock import day_begins, now, today
from server.core.database import rows, transaction
from server.core.deadlines_many import Begun, start_all
from server.core.moves import WrongState
from server.core.periods import Every, period_of
from server.query_accounts.rules import LIST_LOOK

LIST = "reader_list"  # the kind of the deadline's subject: the branch that answers for the village


async def owe_the_look() -> None:
    """Each opened village with query accounts owes its yearly look at the list (M3§9), from the year's first day."""
    year = period_of(Every.YEAR, today())
    async with transaction():
        found = await rows("""
            SELECT v.organisation_id, v.organisation_path FROM village v
            WHERE v.state = '已开通'
              AND EXISTS (SELECT FROM reader r
                          WHERE r.village_code = v.code AND r.ended_at IS NULL AND r.confirmed_on < $1)
              AND NOT EXISTS (SELECT FROM deadline d WHERE d.rule = $2 AND d.subject_kind = $3
                              AND d.subject_id = v.organisation_id AND d.starts_at >= $4)
            ORDER BY v.code""", year.first, LIST_LOOK.name, LIST, day_begins(year.first))
        await start_all(LIST_LOOK, LIST, [
            Begun(one["organisation_id"], one["organisation_id"], one["organisation_path"],
                  f"核对查询账号名单（{year.label}）", "/query-accounts/confirmation") for one in found],
                        day_begins(year.first))


async def confirm(actor: Actor, village: Record, staying: Sequence[int], shown: Sequence[int]) -> int:
    """Looks the list through for the year: of those who were shown the named stay, the others end; how many ended. Said
    twice in a day it is said once. WrongState when there are some who were not shown."""
    async with transaction():
        held = await rows("""SELECT id, grant_id, person_id, confirmed_on FROM reader
                             WHERE village_code = $1 AND ended_at IS NULL
                             ORDER BY id FOR NO KEY UPDATE""", village["code"])
        if {one["id"] for one in held} - set(shown):
            raise WrongState("名单刚才有变化，请刷新以后再核对")
        going = [one for one in held if one["id"] in set(shown) - set(staying)]
        met = await deadlines.meet(LIST_LOOK, LIST, village["organisation_id"], closed_at=now())
        if met is None and not going and all(one["confirmed_on"] == today() for one in held):
            return 0
        await rows("UPDATE reader SET confirmed_on = $2 WHERE village_code = $1 AND ended_at IS NULL AND id = ANY($3)",
                   village["code"], today(), list(staying))
        for one in going:
            await rows("UPDATE reader SET ended_at = ebranch_now(), end_why = '年度核对' WHERE id = $1", one["id"])
            await rows("""UPDATE role_grant SET until = ebranch_clock(), ended_by = $2, end_why = '年度核对'
                          WHERE id = $1""", one["grant_id"], actor.account_id)
            live.session_ended(one["person_id"])
        await audit.record(actor, "confirm_readers", "organisation", village["organisation_id"],
                           after={"rows": len(held) - len(going), "ended": [one["id"] for one in going]})
    return len(going)
