"""What the auditor's pages show of the evidence: rows, timelines, and the chains as pictures."""
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from asyncpg import Record

from server.core import file_checks
from server.core.actor import Actor
from server.core.audit import COMMITMENT, PLATFORM
from server.core.audit_faults import CHINESE, Fault
from server.core.clock import now
from server.core.dates import clock_time, day, local, moment
from server.evidence import tables, words

LINKS = 12  # of a chain in its picture
ICONS = {"account": "me", "person": "me", "meeting": "people", "entry": "chat", "session": "phone", "sms": "phone",
         "organisation": "open", "verification": "check"}
OPENINGS = ("open_id_number", "open_phone", "search_number")  # what an auditor looks for first
FALLBACK = "其他"


def days(found: Sequence[Record], names: Mapping[tuple[str, int], str], altered: set[int]) -> list[dict[str, Any]]:
    """Events for the list, day by day. altered: those that are no more what was sealed."""
    return [{"label": day(on, now()), "items": [item(event, names, event["id"] in altered) for event in its]}
            for on, its in groupby(found, key=lambda event: local(event["at"]).date())]


def item(event: Record, names: Mapping[tuple[str, int], str], altered: bool) -> dict[str, Any]:
    """One event for the list."""
    tone, icon = ("amber", "lock") if event["verb"] in OPENINGS else ("blue", ICONS.get(event["subject_kind"], "paper"))
    return {
        "href": f"/audit/{event['subject_kind']}/{event['subject_id']}", "time": clock_time(event["at"]),
        "title": f"{who(event)} · {said(event['verb'])}", "thing": thing(event, names) + about_role(event),
        "line": " · ".join(filter(None, (event["role"], event["organisation"]))), "why": event["why"],
        "tone": "red" if altered else tone, "icon": "warn" if altered else icon, "altered": altered}


def who(event: Record) -> str:
    """Who did it, and for whom: 钱永军（代赵德山）."""
    return f"{event['person_name']}（代{event['acting_for']}）" if event["acting_for"] else event["person_name"]


def said(verb: str) -> str:
    return words.VERBS.get(verb, FALLBACK)


def thing(event: Record, names: Mapping[tuple[str, int], str]) -> str:
    """What it was done to: 会议 12 · 学条例."""
    kind, number = event["subject_kind"], event["subject_id"]
    name = names.get((kind, number))
    return f"{words.KINDS.get(kind, FALLBACK)} {number}" + (f" · {name}" if name else "")


def about_role(event: Record) -> str:
    """Which role was given or taken, where the event is of one."""
    for side in ("after", "before"):
        role = json.loads(event[side]).get("role") if event[side] else None
        if isinstance(role, str):
            return f" · {role}"
    return ""


def told(event: Record, erased: set[str], altered: bool) -> dict[str, Any]:
    """One event in full, for the timeline: who, as what, where, when, before and after, why, from where; and whether it
    is what was sealed."""
    sealed = "与封存时不一致" if altered else "已封存"
    before, after = (json.loads(event[side]) if event[side] else {} for side in ("before", "after"))
    differing = [name for name in before | after if before.get(name) is not None and name in after]
    single = [(words.LABELS.get(name, FALLBACK) + ("（原）" if name not in after or after[name] is None else ""),
               shown(value, erased)) for name, value in ((before | {name: value for name, value in after.items()
                                                                    if value is not None}).items())
              if name not in differing]
    return {
        "id": event["id"], "at": moment(event["at"], now()), "verb": said(event["verb"]), "who": who(event),
        "facts": [(label, value) for label, value in (
            ("身份", event["role"]), ("所在组织", event["organisation"]), *single, ("原因", event["why"]),
            ("来自", event["source"])) if value],
        "rows": [{"label": words.LABELS.get(name, FALLBACK), "before": shown(before[name], erased),
                  "after": shown(after[name], erased)} for name in differing],
        "tone": "red" if altered else "amber" if event["verb"] in OPENINGS else "blue",
        "altered": altered,
        "seal": f"第 {event['sealed']:,} 条，{sealed}" if event["sealed"] else "尚未封存"}


def shown(value: Any, erased: set[str]) -> str:
    """A value in before or after as people read it; a personal one stays in confidence."""
    if value is None or value == "" or value == []:
        return "—"
    if isinstance(value, dict):
        if COMMITMENT in value:
            return words.ERASED if value[COMMITMENT] in erased else words.IN_CONFIDENCE
        return "；".join(f"{words.LABELS.get(name, FALLBACK)}：{shown(its, erased)}" for name, its in value.items())
    if isinstance(value, list):
        return "、".join(" ".join(shown(part, erased) for part in one) if isinstance(one, list) else shown(one, erased)
                        for one in value)
    if isinstance(value, bool):
        return "是" if value else "否"
    return dated(value) if isinstance(value, str) else str(value)


def dated(text: str) -> str:
    """A moment as people say it; any other text as it is."""
    if len(text) < 19 or text[4:5] != "-" or not text[:4].isdecimal():
        return text
    try:
        return moment(datetime.fromisoformat(text), now())
    except ValueError:
        return text


def sought(asked: Mapping[str, Any]) -> str:
    """What is searched for, in one line: 王秀英 · 查看身份证号 · 11月1日起."""
    name, verb, organisation, since, until, kind, number = (asked.get(key) for key in (
        "name", "verb", "organisation", "since", "until", "kind", "number"))
    return " · ".join(part for part in (
        name, words.VERBS.get(verb or ""), organisation, f"{since} 起" if since else "", f"到 {until}" if until else "",
        words.KINDS.get(kind or ""), number) if part)


async def picture(actor: Actor) -> dict[str, Any]:
    """The chains below the actor's department, the checkpoints, and what the last verification found."""
    chains, tails = await tables.chains(actor), await tables.tails()
    signed = await tables.newest_checkpoints()
    heads = json.loads(signed[0]["body"])["chains"] if signed else {}
    last = await tables.last_verification()
    known = {chain["chain"]: chain_name(chain) for chain in chains}
    result = verdict(last, known) if last else None
    broken = result["broken"] if result else {}
    drawn = []
    for chain in chains:
        name, at = chain["chain"], broken.get(chain["chain"])
        drawn.append(link_up(chain, heads.get(name, [0])[0], tails.get(name, 0), at)
                     | {"story": at and await tables.story_of(name, at)})
    return {
        "chains": drawn,
        "checkpoints": [{"number": one["number"], "at": moment(one["at"], now()),
                         "href": f"/audit/verification/checkpoints/{one['number']}"} for one in signed],
        "result": result,
        "files": files_looked_at(await file_checks.last_finding()),
    }


def files_looked_at(check: Record | None) -> dict[str, Any] | None:
    """What the last night's look at every file found, in one line; None before the first night."""
    if check is None:
        return None
    wrong = [f"{len(check[kind])} 个{word}" for kind, word in (("missing", "不见了"), ("changed", "被改动"))
             if check[kind]]
    result = "、".join(wrong) + "，请联系系统运维" if wrong else "与收到时一致"
    return {"well": not wrong, "at": moment(check["ended_at"], now()),
            "line": f"核对了 {check['checked']:,} 个文件，{result}"}


def chain_name(chain: Record) -> str:
    return words.PLATFORM if chain["chain"] == PLATFORM else chain["name"]


def link_up(chain: Record, signed: int, tail: int, broken_at: int | None) -> dict[str, Any]:
    """A chain as a row of links: what a checkpoint has signed, what is sealed since, what is not sealed yet; and where
    it is broken."""
    sealed = chain["sealed"]
    parts = [("signed", min(signed, sealed)), ("sealed", max(sealed - signed, 0)), ("loose", tail)]
    of_all = sum(number for _, number in parts) or 1
    there = [(part, max(1, round(LINKS * number / of_all))) for part, number in parts if number]
    links = [part for part, number in there for _ in range(number)]
    while len(links) > LINKS:
        links.remove(max(set(links), key=links.count))
    at = None if broken_at is None else min(LINKS - 1, (broken_at - 1) * LINKS // max(of_all, 1))
    return {
        "name": chain_name(chain), "links": [{"x": 4 + 26 * place, "part": "broken" if place == at else part}
                                             for place, part in enumerate(links)],
        "sealed": f"{sealed:,}", "signed": f"{min(signed, sealed):,}", "tail": tail, "broken": broken_at,
        "head": chain["digest"].hex()[:16], "at": moment(chain["at"], now())}


def verdict(last: Record, known: Mapping[str, str]) -> dict[str, Any]:
    """What the last verification found, or how far it has come. known: the chains the viewer may know by name."""
    beside = f"{last['asked_by']} · {moment(last['ended_at'] or last['asked_at'], now())}"
    if last["ended_at"] is None:
        return {"running": True, "looked_at": last["looked_at"], "of_all": last["of_all"] or 0, "beside": beside,
                "broken": {}}
    found = json.loads(last["finding"])
    if found.get("given_up"):
        return {"running": False, "well": False, "title": "上一次核验没有完成", "lines": ["请再核验一次。"],
                "beside": beside, "broken": {}}
    faults, notes = ([fault(one, known) for one in found[name]] for name in ("faults", "notes"))
    if faults:
        title, lines = "发现不一致", [*faults, f"此前的 {found['sealed']:,} 条与封存时一致。"]
    else:
        title = f"{found['sealed']:,} 条记录全部完好"
        lines = [f"{found['chains']:,} 条链，逐条重新计算，与封存时一致。",
                 f"{found['checkpoints']:,} 个签名检查点全部相符。" if found["checkpoints"] else "还没有检查点。"]
    lines += notes + ([f"另有 {found['unsealed']:,} 条刚写入，正在等待封存。"] if found["unsealed"] else [])
    return {"running": False, "well": not faults, "title": title, "lines": lines, "beside": beside,
            "broken": {one["facts"]["chain"]: one["facts"].get("first", one["facts"]["number"])
                       for one in found["faults"] if "chain" in one["facts"]}}


def fault(one: dict[str, Any], known: Mapping[str, str]) -> str:
    """A fault in Chinese; a chain the viewer may not know stays without its name."""
    beside = one["beside"] and Fault(one["beside"]["kind"], one["beside"]["facts"])
    facts = one["facts"]
    names = {"chain": f"“{known.get(facts['chain'], '其他组织')}”链"} if "chain" in facts else {}
    if "name" in facts:
        names["name"] = facts["name"].replace("checkpoint", "检查点")
    return Fault(one["kind"], facts, beside).said(CHINESE, **names)
