"""Addresses for those who sign and review: the queue, one edition beside the period before, 审核分工, taking down."""
from typing import Any

from asyncpg import Record
from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery
from markupsafe import Markup

from server.catalogues.tables import current_items
from server.core import forms
from server.core.calendar_days import calendar
from server.core.clock import now
from server.core.dates import moment
from server.core.deadline_words import due_text
from server.core.forms import Filled, Refused
from server.core.moves import WrongState
from server.core.page import page, see_other
from server.core.templates import ENVIRONMENT
from server.disclosure import comparing, fields, reviewing, submission, withdrawing
from server.disclosure.checks import findings
from server.disclosure.publication import category_word, content_context
from server.disclosure.rules import FIELDS, LEVEL_TONES, REASON_MAX, SECRECY, Signed, State, Verdict
from server.disclosure.show import marks, review_due
from server.disclosure.sight import the_matter
from server.disclosure.tables import editions, last_period, open_edition
from server.permissions import Can
from server.villages.tables import county_of

OFFICE = (
    forms.text("name", "科室", most=20), forms.numbers("items", "审核哪些事项", required=False),
    forms.numbers("accounts", "由谁审核", required=False),
    forms.number("id", "科室编号", most=2**63 - 1, required=False),
)
SIGN = (fields.VERSION, forms.choice("verdict", "意见", Signed),
        forms.text("reason", "不同意的原因", most=REASON_MAX, required=False))
DECIDE = (forms.flag("agreed", "同意撤下"), forms.text("answer", "意见", most=REASON_MAX, required=False))


@get("/reviews", can=Can.DISCLOSURE_REVIEW)
async def queue(request: Request, show: FromQuery[str] = "") -> Response[Any]:
    found, days = await reviewing.queue(request.user), await calendar()
    mine = [one for one in found if one["mine"] or one["office"] is None]
    shown = mine if show == "mine" else found
    chips = [{"label": f"全部 {len(found)}", "href": "/reviews", "current": show != "mine"},
             {"label": f"我的分工 {len(mine)}", "href": "/reviews?show=mine", "current": show == "mine"}]
    return await page(request, "disclosure/queue.html", chips=chips, waiting=[queue_line(one, days) for one in shown],
                      here=f"/reviews?show={show}" if show else "/reviews",
                      may_divide=request.user.may(Can.VILLAGE_OPEN))


def queue_line(one: Record, days: Any) -> dict[str, Any]:
    """One edition that waits: how many working days are left, whose it is."""
    moment_now = now()
    left = days.remaining(moment_now, one["starts_at"], one["due_at"]) if one["due_at"] else 0
    correction = "更正 · " if one["number"] > 1 else ""
    office = f"{one['office']} · " if one["office"] else ""
    until = f"{due_text(one['due_at'], moment_now)} 截止" if one["due_at"] else ""
    return {"left": f"−{-left}" if left < 0 else str(left), "unit": "工作日",
            "tone": "red" if left < 0 else "amber" if left <= 1 else "green",
            "title": f"{one['village']} {correction}{one['title']}",
            "line": f"{office}{moment(one['submitted_at'], moment_now)}提交，{until}",
            "href": f"/disclosures/{one['matter_id']}/review"}


async def rendered(matter: Record, edition: Record) -> Markup:
    """An edition as villagers would see it."""
    context = await content_context(matter, edition, preview=True)
    return Markup(ENVIRONMENT.get_template("disclosure/_content.html").render(**context))


async def found_in(matter: Record, edition: Record) -> list[dict[str, Any]]:
    return [{"level": str(one.level), "tone": LEVEL_TONES[one.level], "words": one.words, "source": one.source}
            for one in await findings(matter, edition)]


# Reviewing ------------------------------------------------------------------------------------------------------------

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
        page=await rendered(matter, edition), findings=await found_in(matter, edition),
        marks=[*await marks(edition), f"{edition['submitted_who']} {moment(edition['submitted_at'], now())}提交"],
        beside=await beside(matter, edition), secrecy=[{"value": one, "label": one} for one in SECRECY],
        fields=list(FIELDS.items()), errors=filled.errors, own=request.user.person_id in edition["authors"],
        form=filled.typed | {"checked": filled.several("checked"), "reasons": reasons})


async def beside(matter: Record, edition: Record) -> dict[str, Any] | None:
    """What the edition is held against: the one it corrects, else the period before."""
    if matter["edition_id"]:
        former = next(iter(await editions(matter["id"])))
        return await comparing.difference(matter, former, edition, f"与公开着的第 {former['number']} 版的不同")
    former = await last_period(matter)
    return await comparing.difference(matter, former, edition, "与上一期的不同") if former else None


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


# Signing --------------------------------------------------------------------------------------------------------------

@get("/disclosures/{matter_id:int}/signature", can=Can.DISCLOSURE_SIGN)
async def sign_form(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter = await the_matter(request.user, matter_id)
    edition = await open_edition(matter_id)
    if edition is None or edition["state"] != State.SIGNING:
        return see_other(f"/disclosures/{matter_id}")
    return await sign_page(request, matter, edition, Filled())


async def sign_page(request: Request, matter: Record, edition: Record, filled: Filled) -> Response[Any]:
    return await page(
        request, "disclosure/signature.html", status=filled.status, back=f"/disclosures/{matter['id']}",
        title=edition["title"], subline=category_word(matter["category"], matter["community"]),
        matter={"id": matter["id"]}, version=edition["version"], page=await rendered(matter, edition),
        findings=await found_in(matter, edition), marks=await marks(edition), form=filled.typed, errors=filled.errors)


@post("/disclosures/{matter_id:int}/signature", can=Can.DISCLOSURE_SIGN, status_code=200)
async def sign(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter = await the_matter(request.user, matter_id)
    edition = await open_edition(matter_id)
    if edition is None or edition["state"] != State.SIGNING:
        raise WrongState("这份内容刚才有了变化，请刷新再看")
    filled = await forms.fill(request, SIGN)
    if filled.values.get("verdict") is Signed.REFUSED and not filled.values.get("reason"):
        filled.errors.setdefault("reason", "不同意要写明原因")
    if filled.errors:
        return await sign_page(request, matter, edition, filled)
    await submission.sign(request.user, matter, edition, filled["version"], filled["verdict"], filled["reason"])
    return see_other(f"/disclosures/{matter_id}")


# 审核分工 -------------------------------------------------------------------------------------------------------------

@get("/reviews/offices", can=Can.VILLAGE_OPEN)
async def offices(request: Request, office: FromQuery[int | None] = None) -> Response[Any]:
    chosen = next((one for one in await reviewing.offices(request.user.organisation_id) if one["id"] == office), None)
    typed = {"id": chosen["id"], "name": chosen["name"], "items": list(map(str, chosen["items"])),
             "accounts": list(map(str, chosen["accounts"]))} if chosen else {}
    return await offices_page(request, Filled(typed=typed))


async def offices_page(request: Request, filled: Filled) -> Response[Any]:
    items = await current_items(county_of(request.user.unit_code))
    names = {one.item: one.name for one in items}
    return await page(
        request, "disclosure/offices.html", status=filled.status, errors=filled.errors,
        editing=bool(filled.typed.get("id")),
        form=filled.typed | {name: filled.several(name) for name in ("items", "accounts")},
        items=[{"value": one.item, "label": f"{one.category} · {one.name}"} for one in items],
        people=[{"value": one["id"], "label": f"{one['name']}（{one['role']}）"}
                for one in await reviewing.reviewers(request.user.organisation_id)],
        offices=[{"id": one["id"], "name": one["name"], "people": "、".join(one["people"]) or "还没有人",
                  "items": "、".join(names[item] for item in one["items"] if item in names) or "还没有事项",
                  "href": f"/reviews/offices?office={one['id']}"}
                 for one in await reviewing.offices(request.user.organisation_id)])


@post("/reviews/offices", can=Can.VILLAGE_OPEN, status_code=200)
async def keep_office(request: Request) -> Response[Any]:
    filled = await forms.fill(request, OFFICE)
    if not filled.errors:
        try:
            await reviewing.keep_office(request.user, filled["id"], filled["name"], filled["items"], filled["accounts"])
            return see_other("/reviews/offices")
        except Refused as refused:
            filled.errors[refused.field] = str(refused)
    return await offices_page(request, filled)


@post("/reviews/offices/{office_id:int}/removal", can=Can.VILLAGE_OPEN, status_code=200)
async def close_office(request: Request, office_id: FromPath[int]) -> Response[Any]:
    await forms.nothing(request)
    await reviewing.close_office(request.user, office_id)
    return see_other("/reviews/offices")


# Taking down ----------------------------------------------------------------------------------------------------------

@get("/disclosures/{matter_id:int}/withdrawal", can=Can.DISCLOSURE_WITHDRAW)
async def withdrawal_form(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter = await the_matter(request.user, matter_id)
    if matter["edition_id"] is None or matter["withdrawn_at"]:
        raise WrongState("只有公开着的事项才能撤下")
    if not request.user.may(Can.DISCLOSURE_REVIEW) and await withdrawing.asked(matter_id):
        raise WrongState("已经申请过撤下，在等镇里办理")
    return await withdrawal_page(request, matter, Filled())


async def withdrawal_page(request: Request, matter: Record, filled: Filled) -> Response[Any]:
    waits = await withdrawing.asked(matter["id"])
    if waits and request.user.may(Can.DISCLOSURE_REVIEW):
        return await page(request, "disclosure/withdrawal.html", status=filled.status, form=filled.typed,
                          errors=filled.errors, asked={"who": waits["who"], "reason": waits["reason"],
                                                       "at": moment(waits["at"], now())},
                          matter={"id": matter["id"], "title": matter["title"]})
    return await page(request, "disclosure/correction.html", status=filled.status, form=filled.typed,
                      errors=filled.errors, withdraws=True, asks=request.user.may(Can.DISCLOSURE_KEEP),
                      matter={"id": matter["id"], "title": matter["title"]})


@post("/disclosures/{matter_id:int}/withdrawal", can=Can.DISCLOSURE_WITHDRAW, status_code=200)
async def withdraw(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter = await the_matter(request.user, matter_id)
    filled = await forms.fill(request, (fields.WHY,))
    if filled.errors:
        return await withdrawal_page(request, matter, filled)
    await withdrawing.ask(request.user, matter, filled["why"])
    return see_other(f"/disclosures/{matter_id}")


@post("/disclosures/{matter_id:int}/withdrawal/decision", can=Can.DISCLOSURE_REVIEW, status_code=200)
async def decide(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter = await the_matter(request.user, matter_id)
    waits = await withdrawing.asked(matter_id)
    if waits is None:
        raise WrongState("这件申请刚才已经办了")
    filled = await forms.fill(request, DECIDE)
    if not filled.errors and not filled["agreed"] and not filled["answer"]:
        filled.errors["answer"] = "不同意要写明原因"
    if filled.errors:
        return await withdrawal_page(request, matter, filled)
    await withdrawing.decide(request.user, matter, waits, filled["agreed"], filled["answer"])
    return see_other(f"/disclosures/{matter_id}")


ROUTES = [queue, review_form, review, sign_form, sign, offices, keep_office, close_office, withdrawal_form, withdraw,
          decide]
