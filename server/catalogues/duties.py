"""What villages owe, made from the catalogue and never typed: when a village opens, when a catalogue is published, and
each night. Settling a duty: published, or declared as not having occurred."""
from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import Any

from asyncpg import Record
from litestar.exceptions import ClientException

from server.catalogues.rules import CONVENIENCE, PUBLISH, STANDING, Category, DutyState, Form, Item, owed
from server.catalogues.tables import current_items, item_now, since
from server.core import audit, deadlines, effects, live
from server.core.actor import Actor
from server.core.clock import day_begins, now, today
from server.core.database import row, rows, the_row, transaction
from server.core.deadlines_many import Begun, start_all, withdraw_all
from server.core.moves import WrongState
from server.core.workdays import beijing_date
from server.permissions import Can
from server.villages.rules import RENEW
from server.villages.tables import county_of

DUTY = "duty"  # the kind of a deadline's subject
RULES = (PUBLISH.name, CONVENIENCE.name)
COUNTY_LOCK = 7_020  # advisory, with the county's code: its duties are made by one after the other

VILLAGES = """
SELECT v.code, v.organisation_id, v.organisation_path, v.community, v.opened_at FROM village v
WHERE v.state = '已开通' AND v.code >= $1 AND v.code < $1 || '~' ORDER BY v.code"""
WANTED = "unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::date[], $7::date[])"
MAKE = f"""
INSERT INTO duty (village_code, organisation_path, item, item_id, period, first, last) SELECT * FROM {WANTED}
ON CONFLICT (village_code, item, period) DO NOTHING RETURNING id, village_code, item, period, first, last"""
REVIVE = f"""
UPDATE duty d SET state = '应公开', settled_at = NULL, item_id = w.item_id
FROM {WANTED} AS w (village_code, organisation_path, item, item_id, period, first, last)
WHERE (d.village_code, d.item, d.period) = (w.village_code, w.item, w.period) AND d.state = '不再要求'
RETURNING d.id, d.village_code, d.item, d.period, d.first, d.last, EXISTS (
    SELECT FROM deadline WHERE subject_kind = 'duty' AND subject_id = d.id AND state IN ('met', 'late')) AS handed_on"""
# What nobody has begun is asked as the newest catalogue asks it: by that name, of that audience.
FOLLOW = """
UPDATE duty d SET item_id = i.id FROM catalogue_item f, catalogue_item i
WHERE d.village_code >= $1 AND d.village_code < $1 || '~' AND d.state = '应公开' AND f.id = d.item_id AND i.id = ANY($2)
  AND i.item = d.item AND i.id <> f.id AND i.category = f.category
  AND NOT EXISTS (SELECT FROM matter WHERE duty_id = d.id)"""
OBSOLETE = """
UPDATE duty d SET state = '不再要求', settled_at = ebranch_now()
FROM duty x JOIN village v ON v.code = x.village_code
LEFT JOIN unnest($2::bigint[], $3::text[], $5::text[]) AS i (item, frequency, variant) ON i.item = x.item
    AND i.variant IN ('都适用', CASE WHEN v.community THEN '社区' ELSE '村' END)
WHERE x.id = d.id AND d.state = '应公开' AND d.village_code >= $1 AND d.village_code < $1 || '~'
  AND (i.item IS NULL AND d.period NOT LIKE 'matter-%' AND NOT (d.last < $4 AND EXISTS (
            SELECT FROM catalogue_item f WHERE f.id = x.item_id AND f.form = '账目'))
       OR d.last >= $4 AND d.period NOT LIKE 'matter-%' AND d.period !~ CASE i.frequency
            WHEN '每月' THEN '^[0-9]{4}-[0-9]{2}$' WHEN '每季度' THEN '^[0-9]{4}-Q[1-4]$'
            WHEN '每年' THEN '^[0-9]{4}$' WHEN '长期' THEN '^长期$' ELSE '^$' END)
RETURNING d.id"""


@effects.carries(RENEW)
async def renew(payload: dict[str, Any]) -> None:
    """Makes what one village, or all of a county's, owe by the newest catalogue; what it no longer asks is dropped."""
    code = payload.get("village") or payload["county"]
    await make(county_of(code), code)


async def renew_all() -> None:
    """Makes what every county's villages owe today, a transaction each: a month begins, or a night was missed."""
    for one in await rows("SELECT DISTINCT county_code FROM catalogue WHERE number IS NOT NULL ORDER BY 1"):
        async with transaction():
            await make(one["county_code"], one["county_code"])


async def make(county: str, below: str) -> int:
    """Makes what the opened villages at or below the unit `below` owe today; returns how many duties are new, or asked
    for again.

    Within a transaction. Done twice it changes nothing."""
    await rows("SELECT pg_advisory_xact_lock($1, $2::int)", COUNTY_LOCK, int(county))
    items, asked = await current_items(county), await since(county)
    villages = {one["code"]: one for one in await rows(VILLAGES, below)}
    await drop_obsolete(below, items)
    await rows(FOLLOW, below, [item.id for item in items])
    wanted = [(village, item, period) for village in villages.values() for item in items
              if item.applies_to(village["community"])
              for period in owed(item, asked[item.item], beijing_date(village["opened_at"]), today())]
    values = [list(column) for column in zip(*(
        (village["code"], village["organisation_path"], item.item, item.id, period.key, period.first, period.last)
        for village, item, period in wanted), strict=True)]
    revived, new = (await rows(REVIVE, *values), await rows(MAKE, *values)) if wanted else ([], [])
    to_do = [one for one in revived if not one["handed_on"]] + new
    await start_clocks(to_do, villages, {item.item: item for item in items})
    for village in {one["village_code"] for one in revived + new}:
        live.changed(villages[village]["organisation_path"], "disclosures", "todos")
    return len(revived + new)


async def drop_obsolete(below: str, items: Sequence[Item]) -> None:
    """Drops the open duties of items that the catalogue no longer has for villages, or communities, like this one, but
    for the books of months that are over; and of periods that have not ended where it now asks for another frequency. A
    draft that was begun for one stays, and says so."""
    dropped = await rows(OBSOLETE, below, [one.item for one in items], [str(one.frequency) for one in items], today(),
                         [str(one.variant) for one in items])
    await withdraw_all(RULES, DUTY, [one["id"] for one in dropped], now())


async def start_clocks(made: Sequence[Record], villages: dict[str, Record], items: dict[int, Item]) -> None:
    """Starts the clock of each new duty: at the end of its period (M3§8); of 便民服务 at its beginning."""
    def begins(one: Record) -> tuple[str, date]:
        rule = items[one["item"]].rule
        return rule.name, one["first"] if rule is CONVENIENCE else one["last"]

    for (rule, day), its in groupby(sorted(made, key=begins), key=begins):
        await start_all(CONVENIENCE if rule == CONVENIENCE.name else PUBLISH, DUTY, [
            begun(one, villages[one["village_code"]], items[one["item"]]) for one in its], day_begins(day))


def begun(duty: Record, village: Record, item: Item) -> Begun:
    return Begun(duty["id"], village["organisation_id"], village["organisation_path"],
                 f"{'更新' if item.rule is CONVENIENCE else '公开'} · {item.name}{in_words(duty)}",
                 f"/disclosures/duties/{duty['id']}")


def in_words(duty: Record) -> str:
    """（2026年10月）, or nothing for what is owed once."""
    label = period_label(duty["period"], duty["first"])
    return f"（{label}）" if label else ""


def period_label(key: str, first: date) -> str:
    """2026年10月, 2026年第四季度, 2026年; nothing for what has no period."""
    if key == STANDING or key.startswith("matter-"):
        return ""
    if "Q" in key:
        return f"{first.year}年第{'一二三四'[(first.month - 1) // 3]}季度"
    return f"{first.year}年{first.month}月" if "-" in key else f"{first.year}年"


# 随时 -----------------------------------------------------------------------------------------------------------------

async def owe_at_once(village: Record, item: Item, ended_on: date, serial: int) -> int:
    """Something happened that the catalogue wants published: the village owes it from then on. The duty's id.

    serial: the number of the matter, by which this duty is told from the others of its item."""
    made = await the_row("""
        INSERT INTO duty (village_code, organisation_path, item, item_id, period, first, last)
        VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING id, village_code, item, period, first, last""",
                         village["code"], village["organisation_path"], item.item, item.id, f"matter-{serial}",
                         ended_on)
    one = begun(made, village, item)
    await deadlines.start(
        PUBLISH, DUTY, made["id"], organisation_id=one.organisation_id, organisation_path=one.organisation_path,
        starts_at=day_begins(ended_on), title=one.title, href=one.href, now=now())
    return made["id"]


# Settling -------------------------------------------------------------------------------------------------------------

UNDER_WAY = """
SELECT FROM matter m JOIN edition e ON e.matter_id = m.id
WHERE m.duty_id = ANY($1) AND e.state NOT IN ('已公开', '已作废') LIMIT 1"""


async def settle(duty_id: int, state: DutyState) -> None:
    """Marks a duty as done with, in the transaction of what settles it."""
    await rows("UPDATE duty SET state = $2, settled_at = coalesce(settled_at, ebranch_now()) WHERE id = $1",
               duty_id, str(state))


def rule_of(category: str) -> deadlines.Rule:
    """The deadline under which what is of this category is owed."""
    return CONVENIENCE if category == Category.CONVENIENCE else PUBLISH


async def no_longer_owed(duty_id: int) -> None:
    """Drops a duty whose thing turns out not to have happened; that it was overdue stays in the figures."""
    await settle(duty_id, DutyState.DROPPED)
    await deadlines.give_up(PUBLISH, DUTY, duty_id, at=now())


async def nothing_occurred(actor: Actor, village: Record, duty_ids: Sequence[int]) -> int:
    """Declares, once for all of them, that these did not occur in their periods; the declaration's id.

    ClientException (400) for what is none of the village's open duties, for a ledger (a month without entries still has
    a balance), for what is standing and for what is not over; WrongState where somebody has settled all of them
    meanwhile, or has begun to write about one."""
    async with transaction():
        held = await rows("""
            SELECT d.id, d.state, d.last, d.period, i.form, i.category FROM duty d
            JOIN catalogue_item i ON i.id = d.item_id
            WHERE d.id = ANY($1) AND d.village_code = $2 ORDER BY d.id FOR NO KEY UPDATE OF d""",
                          list(duty_ids), village["code"])
        if len(held) != len(set(duty_ids)) or not all(may_be_nothing(one) for one in held):
            raise ClientException("选的事项里有不能声明“没有发生”的，请重新选择")
        open_ones = [one["id"] for one in held if one["state"] == DutyState.OWED]
        if not open_ones:
            raise WrongState("这些事项刚才已经办了")
        if await row(UNDER_WAY, open_ones) is not None:
            raise WrongState("选的事项里有已经填写或正在审核的，没有发生的话，请先把它作废")
        made = (await the_row("""INSERT INTO declaration (village_code, who, account_id) VALUES ($1, $2, $3)
                                 RETURNING id""", village["code"], actor.signature, actor.account_id))["id"]
        await rows("INSERT INTO declared SELECT $1, unnest($2::bigint[])", made, open_ones)
        for one in held:
            if one["id"] in open_ones:
                await settle(one["id"], DutyState.NOTHING)
                await deadlines.meet(rule_of(one["category"]), DUTY, one["id"], closed_at=now())
        await audit.record(actor, "declare_nothing", "declaration", made, after={"duties": open_ones})
        live.changed(village["organisation_path"], "disclosures", "todos")
    return made


def may_be_nothing(duty: Record) -> bool:
    """Whether it can be said of a duty that nothing occurred: not of a ledger, nor of what is standing, nor before its
    period is over; of 便民服务 it is “本月核对无变化” and may be said before the month ends."""
    return (duty["form"] != Form.LEDGER and duty["period"] != STANDING
            and not duty["period"].startswith("matter-")
            and (duty["last"] < today() or duty["category"] == Category.CONVENIENCE))


async def did_occur(actor: Actor, duty: Record, why: str) -> None:
    """What was declared as not having occurred did: the township found out, and the clock goes on with what was left;
    or the village takes its word back, and it is due when it was. WrongState when somebody was faster."""
    community = (await the_row("SELECT community FROM village WHERE code = $1", duty["village_code"]))["community"]
    if await item_now(duty["village_code"], community, duty["item"]) is None:
        raise WrongState("县里的公开目录已不再列这一项，不用再公开")
    async with transaction():
        if actor.may(Can.DISCLOSURE_REVIEW):
            await reopen(duty["id"], DutyState.NOTHING, why)
        else:
            await owe_again(duty["id"], DutyState.NOTHING)
            await deadlines.reopen(rule_of(duty["category"]), DUTY, duty["id"], at=now(), why=why)
        undone = await the_row("""
            UPDATE declared SET undone_why = $2, undone_who = $3, undone_at = ebranch_now()
            WHERE duty_id = $1 AND undone_at IS NULL RETURNING declaration_id""", duty["id"], why, actor.signature)
        await audit.record(actor, "undo_nothing", "declaration", undone["declaration_id"], why=why,
                           after={"duties": [duty["id"]]})
        live.changed(duty["organisation_path"], "disclosures", "todos")


async def owe_again(duty_id: int, state: DutyState) -> str:
    """Takes back that a duty was settled so; its category. WrongState when it is not, any more."""
    back = await row("""UPDATE duty d SET state = '应公开', settled_at = NULL FROM catalogue_item i
                        WHERE d.id = $1 AND d.state = $2 AND i.id = d.item_id RETURNING i.category""",
                     duty_id, str(state))
    if back is None:
        raise WrongState("这一项刚才已经有了变化")
    return back["category"]


async def reopen(duty_id: int, state: DutyState, why: str) -> None:
    """What was settled so is owed again: something did occur, or what was published was taken down. Within a
    transaction; the clock goes on with what was left, one working day at the least."""
    await deadlines.resume(rule_of(await owe_again(duty_id, state)), DUTY, duty_id, at=now(), why=why)
