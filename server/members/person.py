"""A person's page: what the register says, the numbers masked; in clear only in the answer to an opening."""
import secrets
from typing import Any

from asyncpg import Record
from litestar import Request, Response

from server.core import forms
from server.core.actor import Actor
from server.core.page import page
from server.members.rules import OPENINGS, Number, Reason
from server.people.rules import born_on, masked_id_number, masked_phone, sex_of
from server.people.tables import id_number_of, phone_of
from server.permissions import Can

MASKS = {Number.ID_NUMBER: masked_id_number, Number.PHONE: masked_phone}


def facts_of(found: Record, id_number: str | None) -> list[list[str]]:
    """What the page says of somebody. Of the birthday only the year: the rest of it is what the mask hides."""
    facts = []
    if id_number:
        facts += [["性别", sex_of(id_number)], ["出生", f"{born_on(id_number).year} 年"]]
    if found["branch"]:
        since = found["since"]
        facts += [["党员类别", found["standing"]], ["所在支部", found["official_name"]],
                  ["支部职务", found["office"] or "无"], ["加入时间", f"{since.year}年{since.month}月{since.day}日"]]
    return facts


def number_rows(found: Record, opened: dict[Number, str], may_open: bool) -> list[dict[str, Any]]:
    """The two numbers as the page shows them: masked, or once in clear."""
    kept = {Number.ID_NUMBER: id_number_of(found["id"], found["id_number"]),
            Number.PHONE: phone_of(found["id"], found["phone"])}
    return [{
        "what": str(what), "masked": MASKS[what](number) if number else None, "once": opened.get(what),
        "may_open": may_open and number is not None and what not in opened, "key": what.name.lower(),
        "press": secrets.token_urlsafe(16), "option": {"value": str(what), "label": str(what)},
    } for what, number in kept.items()]


async def person_page(
    request: Request, found: Record, *, opened: dict[Number, str] | None = None,
    form: dict[str, Any] | None = None, errors: dict[str, str] | None = None, status: int = 200,
) -> Response[Any]:
    """The page of somebody the viewer may know of. opened: what is shown in clear, this once; form, errors: what was
    wrong with an opening."""
    actor: Actor = request.user
    own = found["id"] == actor.person_id
    reads = actor.may(Can.MEMBER_READ)
    return await page(
        request, "members/show.html", status=status, own=own,
        person={"id": found["id"], "name": found["name"], "branch": found["branch"]},
        facts=facts_of(found, id_number_of(found["id"], found["id_number"])),
        numbers=number_rows(found, opened or {}, actor.may(Can.NUMBER_OPEN) and found["branch"] is not None),
        reasons=forms.options(Reason), form=form or {}, errors=errors or {}, limit=OPENINGS, opened=bool(opened),
        may_confirm=actor.may(Can.PHONE_CONFIRM) and not own, changed=request.query_params.get("changed") == "1",
        back="/members" if reads and not own else "/me")
