"""交接 and 代理: somebody's duties go to a successor, or for a while to a substitute."""
import json
from datetime import date, datetime, time
from typing import Any

from asyncpg import Record

from server.core import audit
from server.core.actor import Actor
from server.core.clock import BEIJING, now
from server.core.database import the_row, transaction
from server.core.dates import on_paper
from server.core.forms import Refused
from server.core.moves import WrongState
from server.core.workdays import beijing_date, end_of
from server.leaving.rules import refuse_span
from server.leaving.tables import hand_over_of, hold, holds, open_account_named
from server.meetings.drafts import drafts_of, pass_on_drafts
from server.officers.actions import account_of, end_within, grant, place_of
from server.officers.tables import live_roles
from server.people.tables import phone_of
from server.permissions import Can, Role, may
from server.todos.sources import grouped

DRAFT = "没写完的草稿"
ON_PAPER = {"等您处理": "等待处理", "今明两天": "未到期", "以后": "未到期"}  # headings that others read later


async def unfinished(its: Record) -> list[dict[str, Any]]:
    """What is unfinished under somebody's role: the 工作台 as its holder sees it, and the drafts not saved yet.

    its: the role, as of leaving.tables.GRANT. The to-dos and clocks are the organisation's, so they stay with the role;
    the drafts are the holder's own."""
    role = Role(its["role"])
    holder = Actor(its["person_id"], its["account_id"], 0, its["id"], its["name"], role, its["organisation_id"],
                   its["organisation_path"], its["organisation"], its["organisation_kind"], its["committee_id"],
                   large=False, source="")
    with on_paper():
        groups = await grouped(holder) if may(role, Can.TODO_READ) else []
    items = [{"group": ON_PAPER.get(group["label"], group["label"]), "title": item.title, "line": item.line}
             for group in groups for item in group["items"]]
    return items + [{"group": DRAFT, "title": one["topic"], "line": "组织生活记录的草稿，转到接收人名下"}
                    for one in await drafts_of(its["organisation_path"], its["person_id"])]


async def successor_of(its: Record, account_id: int) -> Record:
    """The open account that takes over or stands in; Refused when there is none, or it is the holder's own."""
    found = await open_account_named(account_id)
    if found is None or found["id"] == its["account_id"]:
        raise Refused("account", "没有找到这个人的账号，请先为他开通账号")
    return found


async def give(actor: Actor, its: Record, taker: Record, why: str, **span: Any) -> int:
    """Gives the role of `its` to the account of `taker` too; the new grant's id. Refused by the officers' own rules."""
    place = await place_of(actor, its["organisation_id"], Role(its["role"]))
    account = await account_of(taker["person_id"])
    phone = phone_of(taker["person_id"], account["phone"])
    if phone is None:
        raise Refused("account", "这个人没有登记手机号，请先补上")
    return await grant(actor, account, await live_roles(account["id"]), Role(its["role"]), place, why, phone, **span)


async def hand_over(actor: Actor, its: Record, account_id: int, why: str) -> int:
    """Ends a role and gives it to another account in one transaction, the drafts along with it; the hand-over's id.

    its: the role, in the actor's care. Refused, WrongState when it has ended meanwhile; what must not be (the three
    duties, oneself) the officers' own rules and the database refuse."""
    async with transaction():
        await hold(its["account_id"], account_id)
        if done := await hand_over_of(actor.organisation_id, its["account_id"], its["id"]):
            return done
        taker = await successor_of(its, account_id)
        items = await unfinished(its)
        taken = await holds(taker["id"], its) or await give(actor, its, taker, f"接替{its['name']}：{why}")
        if not await end_within(actor, its["account_id"], its["id"], f"交接给{taker['name']}：{why}"):
            raise WrongState("这个身份已经结束了", "请刷新后再看。")
        await pass_on_drafts(its["organisation_path"], its["person_id"], taker["person_id"])
        made = await the_row("""
            INSERT INTO hand_over (grant_id, successor_grant_id, items, why, account_id) VALUES ($1, $2, $3, $4, $5)
            RETURNING id""", its["id"], taken, json.dumps(items, ensure_ascii=False), why, actor.account_id)
        await audit.record(actor, "hand_over", "account", its["account_id"], why=why, after={
            "role": its["role"], "organisation": its["organisation"], "to": audit.personal(taker["name"]),
            "unfinished": len(items)})
    return made["id"]


async def substitute(actor: Actor, its: Record, account_id: int, first: date, last: date, why: str) -> int:
    """Lets another account act for the holder of a role from `first` to `last`, both days included; the new grant's id.

    Whatever it does meanwhile carries both names. Refused beside the field."""
    if wrong := refuse_span(first, last, beijing_date(now())):
        raise Refused("last", wrong)
    async with transaction():
        await hold(its["account_id"], account_id)
        taker = await successor_of(its, account_id)
        if await holds(taker["id"], its):
            raise Refused("account", f"{taker['name']}已经有这个身份，不用代理")
        return await give(
            actor, its, taker, f"代理{its['name']}：{why}",
            since=max(now(), datetime.combine(first, time(), BEIJING)), until=end_of(last),
            acting_for=its["account_id"])
