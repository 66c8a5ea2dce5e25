"""The page of a matter: to readers the stored rendering, to who works on it also where it stands and what is next."""
from collections.abc import Sequence
from typing import Any

from asyncpg import Record
from markupsafe import Markup

from server.catalogues.duties import DUTY
from server.catalogues.rules import Audience, Category
from server.core.actor import Actor
from server.core.calendar_days import calendar
from server.core.clock import now, today
from server.core.dates import day, moment, paper_day
from server.core.deadline_tables import find
from server.core.deadline_words import describe
from server.core.templates import ENVIRONMENT
from server.disclosure.comparing import difference, published_difference
from server.disclosure.publication import category_word, content_context
from server.disclosure.rules import LEVEL_TONES, ON_ITS_WAY, TONES, Finding, State, Verdict, label_of, reasons_told
from server.disclosure.sight import editions_for
from server.disclosure.submission import EDITION, rule_of, seats_of
from server.disclosure.tables import (
    audiences,
    editions,
    last_period,
    last_refusal,
    last_review,
    looked_through,
    open_edition,
    signatures,
    works_on,
)
from server.disclosure.withdrawing import asked
from server.permissions import Can


def back_of(actor: Actor, matter: Record) -> str:
    """Where the page came from: the village's list."""
    return f"/disclosures?village={matter['village_code']}" if actor.may(Can.DISCLOSURE_OVERSEE) else "/disclosures"


async def shown(actor: Actor, matter: Record, number: int | None = None) -> dict[str, Any]:
    """The page of a matter. number: of an older edition that is looked at."""
    every = await editions_for(actor, matter) if (matter["number"] and matter["number"] > 1) or number else []
    edition = next((one for one in every if one["number"] == number), None)
    page, differs = matter["page"], None
    if edition is not None:
        page = edition["page"]
    present = edition or next(iter(every), None)
    former = next((one for one in every if present and one["number"] < present["number"]), None)
    if present is not None and former is not None:
        differs = await published_difference(matter, former, present, f"与第 {former['number']} 版的不同")
    published_at = edition["published_at"] if edition else matter["edition_at"]
    waits = await under_way(actor, matter)
    leaving = await asked(matter["id"]) if actor.may(Can.DISCLOSURE_WITHDRAW) and not matter["withdrawn_at"] else None
    hidden = matter["withdrawn_at"] is not None and not (works_on(actor) or actor.may(Can.DISCLOSURE_OVERSEE))
    return {
        "back": back_of(actor, matter), "title": matter["title"], "here": f"/disclosures/{matter['id']}",
        "subline": subline(matter, published_at, edition["number"] if edition else matter["number"]),
        "page": Markup(page) if page and not hidden else None,
        "notices": [*expired(matter), *await unchanged(matter), *corrected(matter, edition),
                    *asked_to_go(leaving), *([] if waits else await nothing_here(actor, matter))],
        "matter": {"id": matter["id"], "withdrawn": matter["withdrawn_why"]},
        "editions": [{"label": f"第 {one['number']} 版{'（现在）' if place == 0 else ''}", "current": one is present,
                      "href": f"/disclosures/{matter['id']}" + (f"/versions/{one['number']}" if place else "")}
                     for place, one in enumerate(every)] if len(every) > 1 and not hidden else [],
        "difference": None if hidden else differs, "under_way": waits,
        "tools": [] if matter["withdrawn_at"] or not matter["edition_id"] else tools(actor, matter, leaving),
        "asks": asks(actor, matter) if matter["edition_id"] and matter["withdrawn_at"] is None else [],
    }


def expired(matter: Record) -> list[str]:
    """That what is good until a day is no longer."""
    if matter["until"] is None or matter["until"] >= today():
        return []
    return [f"这条信息的有效期到 {paper_day(matter['until'])} 为止，已经过期，办事前请打电话问一问"]


async def unchanged(matter: Record) -> list[str]:
    """That 便民服务 was looked through since, and is still as it was."""
    found = await looked_through(matter) if matter["category"] == Category.CONVENIENCE else None
    return [f"{found['first'].year}年{found['first'].month}月核对过，没有变化"] if found else []


def corrected(matter: Record, edition: Record | None) -> list[str]:
    """That an older edition is looked at."""
    if edition is None or matter["withdrawn_at"] or edition["number"] == matter["number"]:
        return []
    return [f"这是第 {edition['number']} 版，后来更正过。现在公开的是第 {matter['number']} 版，不同的地方标在那里"]


def asked_to_go(leaving: Record | None) -> list[str]:
    """That the village asks to have it taken down, to those who ask and who decide."""
    if leaving is None:
        return []
    return [f"{leaving['who']} {moment(leaving['at'], now())}申请撤下，等镇里决定：{leaving['reason']}"]


async def nothing_here(actor: Actor, matter: Record) -> list[str]:
    """Why an officer reads nothing of what is not published and is shown nothing under way: it went back to the
    village, or was thrown away."""
    if matter["edition_id"]:
        return []
    edition = await open_edition(matter["id"])
    if edition is None:
        return ["写过的内容已作废。仍要公开的，从公开日历里重新填写" if works_on(actor) else
                "村里写过的内容已作废，还没有重新提交"]
    last = await last_review(edition["id"])
    if last is None or edition["state"] != State.RETURNED:
        return ["村里正在写或等签字，提交以后才看得到内容"]
    reasons = "；".join(f"{label}：{reason}" for label, reason in reasons_told(last["reasons"]))
    return [f"{last['who']} {moment(last['at'], now())}退回，村里正在改：{reasons}"]


def subline(matter: Record, published_at: Any, number: int | None) -> str:
    """前村 · 11月3日公开 · 第 1 版."""
    facts = [matter["village"], category_word(matter["category"], matter["community"])]
    if published_at:
        facts += [f"{day(published_at, now())}公开", f"第 {number} 版"]
    if matter["withdrawn_at"]:
        facts[-2:] = [f"{day(matter['withdrawn_at'], now())}撤下"]
    return " · ".join(facts)


def tools(actor: Actor, matter: Record, leaving: Record | None) -> list[dict[str, str]]:
    """What else may be done with what is published; not by the village while it asks to have it taken down."""
    address = f"/disclosures/{matter['id']}"
    found = [] if matter["audience"] == Audience.MEMBERS else [
             {"label": "公开栏打印", "icon": "print", "href": f"{address}/versions/{matter['number']}/sheet"},
             {"label": "广播稿", "icon": "sound", "href": f"{address}/broadcast"}]
    if not actor.may(Can.DISCLOSURE_WITHDRAW) or (actor.may(Can.DISCLOSURE_KEEP) and leaving):
        return found
    if actor.may(Can.DISCLOSURE_KEEP) and not matter["under_way"]:
        found += [{"label": "更正", "icon": "pen", "href": f"{address}/corrections"}]
    return [*found, {"label": "撤下", "icon": "close", "href": f"{address}/withdrawal"}]


def asks(actor: Actor, matter: Record) -> list[dict[str, Any]]:
    """The two buttons below: to the village, and straight to the township."""
    if not actor.may(Can.DISCLOSURE_ASK):
        return []
    address = f"/disclosures/{matter['id']}/questions/new"
    return [{"label": "向镇里反映", "href": f"{address}?to=township", "quiet": True},
            {"label": "我要问", "href": address, "quiet": False}]


async def under_way(actor: Actor, matter: Record) -> dict[str, Any] | None:
    """Where the edition on its way stands, for who works on it; None for readers, and where there is none."""
    if not matter["under_way"] or not (works_on(actor) or actor.may(Can.DISCLOSURE_OVERSEE)):
        return None
    edition = await open_edition(matter["id"])
    if edition is None or (actor.may(Can.DISCLOSURE_OVERSEE) and not works_on(actor)
                           and edition["state"] not in (State.SUBMITTED, State.APPROVED)):
        return None
    state, correcting = State(edition["state"]), edition["number"] > 1 and matter["edition_id"] is not None
    return {"state": f"更正 · {state}" if correcting else str(state), "tone": TONES[state],
            "text": await words_of(actor, matter, edition, state), "marks": await marks(edition),
            "acts": acts(actor, matter, edition, state)}


async def words_of(actor: Actor, matter: Record, edition: Record, state: State) -> str:
    """What the state means to this actor, in a sentence."""
    if state is State.SIGNING:
        done = {one["seat"] for one in await signatures(edition["id"], edition["version"])}
        missing = "、".join(seat for seat in await seats_of(matter, edition) if seat not in done)
        return f"等{missing}签字，签好自动交镇里审核"
    if state is State.APPROVED:
        return f"镇里审核通过，{moment(edition['publish_at'], now())}公开"
    if state is State.DRAFT and edition["delivered"]:
        return ("镇里代管账目送来的账，请逐笔核对，没有出入就提交确认" if actor.may(Can.DISCLOSURE_KEEP) else
                "镇里代管账目送来的账，等村（社区）管理员核对、提交")
    return {State.DRAFT: f"{edition['saved_who'].split(' · ')[0]} {moment(edition['saved_at'], now())}写的，还没有提交",
            State.SUBMITTED: "已经交到镇里，2 个工作日内审核（M3§8）",
            State.RETURNED: "镇里退回，改好再提交"}.get(state, "")


async def marks(edition: Record) -> list[str]:
    """Who signed or would not; who returned it and why, also once it was handed on again."""
    returned = edition["state"] == State.RETURNED  # what was signed before is signed anew
    found = [f"{one['seat']} {one['who'].split(' · ')[0]} {moment(one['at'], now())} {one['verdict']}"
             for one in await signatures(edition["id"], edition["version"]) if not returned]
    refusal = await last_refusal(edition["id"])
    if refusal and edition["state"] == State.DRAFT:
        found.append(f"{refusal['who']}不同意公开：{refusal['reason']}")
    review = await last_review(edition["id"])
    if review and returned:
        found += [f"{label}：{reason}" for label, reason in reasons_told(review["reasons"])]
    elif review and edition["state"] in ON_ITS_WAY and review["verdict"] == Verdict.RETURNED:
        found += [f"{moment(review['at'], now())}退回过，{label}：{reason}"
                  for label, reason in reasons_told(review["reasons"])]
    return found


def acts(actor: Actor, matter: Record, edition: Record, state: State) -> list[dict[str, Any]]:
    """What the viewer may do with it next."""
    address = f"/disclosures/{matter['id']}"
    if actor.may(Can.DISCLOSURE_KEEP):
        if state in (State.DRAFT, State.RETURNED):
            return [act("继续填写", f"{address}/edit"), act("预览", f"{address}/preview", "dim"),
                    act("作废", f"{address}/dropping", "dim", "post") | {
                        "sure": "作废后，写的内容不再显示；仍要公开的，要重新填写。"}]
        if state in ON_ITS_WAY:
            return [act("看提交的内容", f"{address}/preview"),
                    act("撤回修改", f"{address}/taking-back", "dim", "post")]
    if actor.may(Can.DISCLOSURE_SIGN) and state is State.SIGNING:
        return [act("看内容、签字", f"{address}/signature")]
    if actor.may(Can.DISCLOSURE_REVIEW) and state is State.SUBMITTED:
        return [act("审核", f"{address}/review")]
    return []


def act(label: str, href: str, style: str = "main", method: str = "get") -> dict[str, str]:
    """One thing that may be done, as cards show it."""
    return {"label": label, "href": href, "style": style, "method": method}


async def due_of(matter: Record) -> Any:
    """The deadline of a matter that is not published yet, as pages show it; None once its clock has stopped."""
    found = await find(rule_of(matter).name, DUTY, matter["duty_id"])
    return describe(found, now(), await calendar()) if found and found.state == "open" else None


async def review_due(edition: Record) -> Any:
    """The township's deadline for an edition, as pages show it."""
    found = await find("disclosure_review", EDITION, edition["id"], str(edition["version"]))
    return describe(found, now(), await calendar()) if found and found.state == "open" else None


async def beside(actor: Actor, matter: Record, edition: Record) -> dict[str, Any] | None:
    """What an edition is held against by who signs and who reviews it: the one it corrects, else the period before,
    where they may read that."""
    corrects = matter["edition_id"] is not None
    former = next(iter(await editions(matter["id"])), None) if corrects else await last_period(matter)
    if former is None or former["audience"] not in audiences(actor):
        return None
    if not corrects:
        return await difference(matter, former, edition, "与上一期的不同", periods=True)
    return await difference(matter, former, edition, f"与公开着的第 {former['number']} 版的不同")


async def rendered(matter: Record, edition: Record, *, wall: bool = False) -> Markup:
    """An edition as villagers would see it; wall: as it hangs on the board."""
    context = await content_context(matter, edition, preview=not wall, wall=wall)
    return Markup(ENVIRONMENT.get_template("disclosure/_content.html").render(**context))


def told(found: Sequence[Finding]) -> list[dict[str, Any]]:
    """What the checks found, as pages show it."""
    return [{"level": str(one.level), "tone": LEVEL_TONES[one.level], "field": label_of(one.field), "words": one.words,
             "source": one.source}
            for one in found]
