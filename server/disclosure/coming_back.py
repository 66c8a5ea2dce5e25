"""Why a draft is to be looked at again: the township or a signer returned it, or the catalogue changed under it."""
from typing import Any

from asyncpg import Record

from server.catalogues.rules import DutyState
from server.disclosure.checks import changed
from server.disclosure.rules import State, Verdict, reasons_told
from server.disclosure.tables import last_refusal, last_review


async def catalogue_told(matter: Record, then: Any, newest: Any) -> str | None:
    """What the catalogue changed under the draft, in words."""
    if newest is None and matter["edition_id"]:
        return None  # a correction of what was asked for then
    if newest is None:
        return "县里的公开目录已不再列这一项；已写的内容替您留着，可以作废。"
    if matter["duty_state"] == DutyState.DROPPED:
        return "县里的公开目录不再按这一期要求；已写的内容替您留着，可以照样提交，也可以作废。"
    told = changed(then, newest) if then and then.id != newest.id else ""
    return f"这一项{told}。看一遍内容，保存后就按新目录公开。" if told else None


async def came_back(edition: Record) -> dict[str, Any]:
    """Why an edition came back: from the township, or from who would not sign."""
    review, refusal = await last_review(edition["id"]), await last_refusal(edition["id"])
    returned = None
    if review and review["verdict"] == Verdict.RETURNED and edition["state"] == State.RETURNED:
        returned = {"who": review["who"], "rows": reasons_told(review["reasons"])}
    newer = refusal and (not review or refusal["at"] > review["at"])
    refused = None
    if refusal and newer and edition["state"] == State.DRAFT:
        refused = f"{refusal['who']}：{refusal['reason']}"
    return {"returned": returned, "refused": refused}
