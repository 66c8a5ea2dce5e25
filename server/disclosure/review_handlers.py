"""Addresses for those who review: the queue, one edition beside the period before."""
from typing import Any

from asyncpg import Record
from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery

from server.core import forms
from server.core.actor import Actor
from server.core.calendar_days import calendar
from server.core.clock import now
from server.core.dates import moment
from server.core.deadline_words import due_text
from server.core.forms import Filled, Refused
from server.core.moves import WrongState
from server.core.page import page, see_other
from server.disclosure import fields, reviewing
from server.disclosure.checks import findings
from server.disclosure.publication import category_word
from server.disclosure.rules import FIELDS, SECRECY, State, Verdict, fields_of
from server.disclosure.show import beside, marks, rendered, review_due, told
from server.disclosure.sight import the_matter
from server.disclosure.tables import open_edition
from server.permissions import Can


@get("/reviews", can=Can.DISCLOSURE_REVIEW)
async def queue(request: Request, show: FromQuery[str] = "") -> Response[Any]:
    found, days = await reviewing.queue(request.user), await calendar()
    mine = [one for one in found if one["mine"] or one["office"] is None]
    shown = mine if show == "mine" else found
    chips = [{"label": f"全部 {len(found)}", "href": "/reviews", "current": show != "mine"},
             {"label": f"我的分工 {len(mine)}", "href": "/reviews?show=mine", "current": show == "mine"}]
    return await page(request, "disclosure/queue.html", chips=chips,
                      waiting=[queue_line(request.user, one, days) for one in shown],
                      here=f"/reviews?show={show}" if show else "/reviews",
                      may_divide=request.user.may(Can.VILLAGE_OPEN))


def queue_line(actor: Actor, one: Record, days: Any) -> dict[str, Any]:
    """One edition that waits: how many working days are left, whose it is."""
    moment_now = now()
    left = days.remaining(moment_now, one["starts_at"], one["due_at"]) if one["due_at"] else 0
    correction = "更正 · " if one["published"] else ""
    office = f"{one['office']} · " if one["office"] else ""
    office = f"您参与填写过，由别的同志审核 · {office}" if actor.person_id in one["authors"] else office
    until = f"{due_text(one['due_at'], moment_now)} 截止" if one["due_at"] else ""
    return {"left": f"−{-left}" if left < 0 else str(left), "unit": "工作日",
            "tone": "red" if left < 0 else "amber" if left <= 1 else "green",
            "title": f"{one['village']} {correction}{one['title']}",
            "line": f"{office}{moment(one['submitted_at'], moment_now)}提交，{until}",
            "href": f"/disclosures/{one['matter_id']}/review"}


@get("/disclosures/{matter_id:int}/review", can=Can.DISCLOSURE_REVIEW)
async def review_form(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter = await the_matter(request.user, matter_id)
    edition = await open_edition(matter_id)
    if matter["withdrawn_at"]:
        raise WrongState("这项内容已经撤下，更正也不再公开")
    if edition is None or edition["state"] != State.SUBMITTED:
        return see_other(f"/disclosures/{matter_id}")
    return await review_page(request, matter, edition, Filled())


async def review_page(request: Request, matter: Record, edition: Record, filled: Filled) -> Response[Any]:
    """What the reviewer looks at: findings, signatures, the period before (or the edition a correction replaces)."""
    reasons = any(filled.typed.get(f"reason-{name}") for name in FIELDS)
    return await page(
        request, "disclosure/review.html", status=filled.status, back="/reviews", title=edition["title"],
        subline=f"{matter['village']} · {category_word(matter['category'], matter['community'])}",
        matter={"id": matter["id"]}, version=edition["version"], due=await review_due(edition),
        page=await rendered(matter, edition), findings=told(await findings(matter, edition)),
        marks=[*await marks(edition), f"{edition['submitted_who']} {moment(edition['submitted_at'], now())}提交", *(
            [f"审核通过后定时 {moment(edition['publish_at'], now())} 公开"] if edition["publish_at"] else [])],
        beside=await beside(request.user, matter, edition), secrecy=[{"value": one, "label": one} for one in SECRECY],
        fields=fields_of(matter["form"]), errors=filled.errors, own=request.user.person_id in edition["authors"],
        others=await who_else(request, edition),
        form=filled.typed | {"checked": filled.several("checked"), "reasons": reasons})


async def who_else(request: Request, edition: Record) -> str:
    """Who of the township may review what the viewer had a hand in; nothing where the viewer may."""
    if request.user.person_id not in edition["authors"]:
        return ""
    every = await reviewing.reviewers(request.user.organisation_id)
    return "、".join(f"{one['name']}（{one['role']}）" for one in every if one["person_id"] not in edition["authors"])


@post("/disclosures/{matter_id:int}/review", can=Can.DISCLOSURE_REVIEW, status_code=200)
async def review(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter, edition = await to_review(request, matter_id)
    filled = await forms.fill(request, fields.REVIEW)
    if not filled.errors:
        reasons = {name: filled[f"reason-{name}"] for name in FIELDS if filled[f"reason-{name}"]}
        try:
            await reviewing.review(request.user, matter, edition, filled["version"], Verdict(filled["verdict"]),
                                   reasons, filled["checked"])
            return see_other("/reviews")
        except Refused as refused:
            filled.errors[refused.field] = str(refused)
    return await review_page(request, matter, edition, filled)


async def to_review(request: Request, matter_id: int) -> tuple[Record, Record]:
    """A matter and the edition that waits for review; WrongState once it no longer does."""
    matter = await the_matter(request.user, matter_id)
    edition = await open_edition(matter_id)
    if matter["withdrawn_at"]:
        raise WrongState("这项内容已经撤下，更正也不再公开")
    if edition is None or edition["state"] != State.SUBMITTED:
        raise WrongState("这份内容刚才已经审核过，或被撤回修改了")
    return matter, edition


ROUTES = [queue, review_form, review]
