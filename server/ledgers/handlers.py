"""Addresses of ledgers: a village's books, one month page by page, a voucher's picture; writing a month by hand."""
from collections import defaultdict
from dataclasses import replace
from typing import Any

from asyncpg import Record
from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from server.catalogues.tables import item as item_of
from server.catalogues.tables import item_now
from server.core import forms, kinds, serving, uploads
from server.core.clock import today
from server.core.database import rows
from server.core.forms import Filled, Refused
from server.core.page import page, see_other
from server.core.periods import month_after
from server.core.workdays import ONE_DAY
from server.disclosure import calendar_view
from server.disclosure.coming_back import came_back, catalogue_told
from server.disclosure.publication import beside
from server.disclosure.rules import OPEN
from server.disclosure.show import due_of, shown
from server.disclosure.sight import readable_editions, the_matter, to_write
from server.ledgers import part, writing
from server.ledgers.rules import (
    EXPENSE,
    INCOME,
    MOST_LINES,
    NAME_MAX,
    NOTE_MAX,
    PAGE,
    SIDE,
    SUMMARY_MAX,
    VOUCHER_MAX,
    Line,
    Side,
    check_line,
    read_day,
    read_money,
    read_month,
    yuan,
)
from server.ledgers.sight import to_keep
from server.ledgers.tables import balance_before, closing_before, ledger, line_of, lines_of, matter_of, months_of
from server.permissions import Can
from server.villages.tables import village_seen_by

VOUCHER = kinds.declare(kinds.Place(
    "voucher_picture", "凭证照片", kinds.PICTURES, most=1, can=Can.DISCLOSURE_KEEP, scans=True))
LIMIT = uploads.form_limit(VOUCHER)
NAMES = (("handler", "经手人"), ("witness", "证明人"), ("approver", "审批人"))


def amount(name: str, label: str) -> forms.Field:
    """An amount of 元, read as 分."""
    return forms.Field(name, label, lambda typed: read_money(typed[0] if typed else "", label))


LINE = (
    forms.choice("side", "收入还是支出", Side), amount("amount", "金额"),
    forms.text("summary", "摘要", most=SUMMARY_MAX),
    forms.text("income_category", "收入项目", most=20, required=False),
    forms.text("expense_category", "支出项目", most=20, required=False),
    forms.text("note", "说明", most=NOTE_MAX, required=False), forms.text("day", "日期", most=20),
    forms.text("voucher", "凭证号", most=VOUCHER_MAX, required=False),
    *(forms.text(name, label, most=NAME_MAX, required=False) for name, label in NAMES),
    forms.flag("again", "再记一笔"), forms.text("seen", "打开时的内容", most=16, required=False, seen=False),
    *uploads.fields(VOUCHER),
)


async def newest_books(village_code: str) -> list[dict[str, str]]:
    """A village's newest ledgers, for its page."""
    return [{"label": f"{one['month'].year}年{one['month'].month}月", "closing": yuan(one["closing"]),
             "income": yuan(one["income"]), "expense": yuan(one["expense"]),
             "href": f"/ledgers/{village_code}/{one['month']:%Y-%m}"} for one in await months_of(village_code)]


calendar_view.BOOKS.append(newest_books)


@get("/ledgers/{village:str}", can=Can.DISCLOSURE_READ)
async def books(request: Request, village: FromPath[str]) -> Response[Any]:
    its = await village_seen_by(request.user, village)
    if its is None:
        raise NotFoundException
    return await page(request, "ledgers/list.html", village=its["name"], books=await newest_books(village),
                      back=f"/disclosures?village={village}" if request.user.may(Can.DISCLOSURE_OVERSEE)
                      else "/disclosures")


@get("/ledgers/{village:str}/{month:str}", can=Can.DISCLOSURE_READ)
async def month(request: Request, village: FromPath[str], month: FromPath[str]) -> Response[Any]:
    its, day = await village_seen_by(request.user, village), read_month(month)
    found = await matter_of(village, day) if its and day else None
    if found is None:
        raise NotFoundException
    matter = await the_matter(request.user, found["id"])
    return await page(request, "disclosure/show.html", **await shown(request.user, matter))


@get("/disclosures/{matter_id:int}/versions/{number:int}/lines", can=Can.DISCLOSURE_READ)
async def following(request: Request, matter_id: FromPath[int], number: FromPath[int],
                    after: FromQuery[int] = 0) -> Response[Any]:
    """A page of an edition's entries; of one on its way too, for who works on it or reviews it."""
    matter = await the_matter(request.user, matter_id)
    edition = next((one for one in await readable_editions(request.user, matter) if one["number"] == number), None)
    context = await part.shown(matter, {"edition": edition}, min(max(0, after), MOST_LINES)) if edition else {}
    if edition is None or not context:
        raise NotFoundException
    waits = edition["published_at"] is None
    context["answers"] = defaultdict(list, {} if waits else await beside(matter_id, edition["id"]))
    return await page(request, "ledgers/lines.html", title=edition["title"], back=f"/disclosures/{matter_id}",
                      matter={"id": matter_id, "preview": waits},
                      may_ask=request.user.may(Can.DISCLOSURE_ASK), **context)


@get("/disclosures/{matter_id:int}/vouchers/{file_id:int}", can=Can.DISCLOSURE_READ)
async def voucher(request: Request, matter_id: FromPath[int], file_id: FromPath[int]) -> Response[Any]:
    matter = await the_matter(request.user, matter_id)
    ids = [one["id"] for one in await readable_editions(request.user, matter)]
    there = await rows("SELECT FROM ledger_line WHERE edition_id = ANY($1) AND file_id = $2 LIMIT 1", ids, file_id)
    if not there:
        raise NotFoundException
    return await serving.serve(request, file_id)


# Writing --------------------------------------------------------------------------------------------------------------

@get("/disclosures/{matter_id:int}/ledger", can=Can.DISCLOSURE_KEEP)
async def desk(request: Request, matter_id: FromPath[int], after: FromQuery[int] = 0) -> Response[Any]:
    matter, edition = await to_write(request, matter_id)
    if edition["state"] not in OPEN:
        return see_other(f"/disclosures/{matter_id}")
    await part.follow(matter, edition)
    return await desk_page(request, matter, edition, Filled(), after if 0 < after < 10**6 else 0)


async def desk_page(request: Request, matter: Record, edition: Record, filled: Filled, after: int = 0) -> Response[Any]:
    its = await ledger(edition["id"])
    if its is None:
        raise NotFoundException
    found, balance = await lines_of(edition["id"], after=after), await balance_before(edition["id"], after)
    lines = []
    for place, line in enumerate(found, after + 1):
        balance += line.income - line.expense
        lines.append(part.shown_line(matter["id"], line, place, balance) | {
            "href": f"/disclosures/{matter['id']}/lines/{line.line}"})
    first = await closing_before(matter["village_code"], its["month"]) is None
    typed = filled.typed or {"opening": yuan(its["opening"]) if its["opening"] else ""}
    return await page(
        request, "ledgers/edit.html", status=filled.status, matter={"id": matter["id"], "title": matter["title"]},
        due=await due_of(matter), first=first and matter["edition_id"] is None, form=typed, errors=filled.errors,
        sums={name: yuan(its[name]) for name in ("opening", "income", "expense", "closing")}, lines=lines,
        count=its["lines"], delivered=edition["delivered"], corrects=matter["edition_id"] is not None,
        why=edition["why"], more=f"/disclosures/{matter['id']}/ledger?after={after + PAGE}"
        if its["lines"] > after + PAGE else None,
        told=await catalogue_told(matter, await item_of(edition["item_id"]),
                                  await item_now(matter["village_code"], matter["community"], matter["item"])),
        **await came_back(edition))


@post("/disclosures/{matter_id:int}/opening", can=Can.DISCLOSURE_KEEP, status_code=200)
async def opening(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter, edition, _ = await to_keep(request, matter_id)
    filled = await forms.fill(request, (amount("opening", "上月结余"),))
    if not filled.errors:
        try:
            await writing.set_opening(request.user, matter, edition["id"], filled["opening"])
            return see_other(f"/disclosures/{matter_id}/ledger")
        except Refused as refused:
            filled.errors[refused.field] = str(refused)
    return await desk_page(request, matter, edition, filled)


@get("/disclosures/{matter_id:int}/lines/new", can=Can.DISCLOSURE_KEEP)
async def new_line(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter, edition, its = await to_keep(request, matter_id)
    last = (await lines_of(edition["id"], after=max(0, its["lines"] - 1), most=1))[-1:]
    typed = {"side": str(Side.EXPENSE), "day": min(month_after(its["month"], 1) - ONE_DAY, today()).isoformat(),
             "voucher": f"{its['month'].month:02}-{its['lines'] + 1:02}"}
    for one in last:
        typed |= {"day": one.day.isoformat(), "handler": one.handler, "witness": one.witness, "approver": one.approver}
    return await line_page(request, matter, edition, its, Filled(typed=typed), None)


@get("/disclosures/{matter_id:int}/lines/{line:int}", can=Can.DISCLOSURE_KEEP)
async def one_line(request: Request, matter_id: FromPath[int], line: FromPath[int]) -> Response[Any]:
    matter, edition, its = await to_keep(request, matter_id)
    there = await line_of(edition["id"], line)
    if there is None:
        raise NotFoundException
    fen = there.income or there.expense
    typed = {"side": str(there.side), "amount": f"{fen // 100}.{fen % 100:02}", "summary": there.summary,
             "note": there.note, "day": there.day.isoformat(), "voucher": there.voucher, "handler": there.handler,
             "witness": there.witness, "approver": there.approver,
             "income_category": there.category, "expense_category": there.category}
    return await line_page(request, matter, edition, its, Filled(typed=typed), there)


async def line_page(request: Request, matter: Record, edition: Record, its: Record, filled: Filled, line: Line | None,
                    *, handed: uploads.Handed | None = None) -> Response[Any]:
    address = f"/disclosures/{matter['id']}/lines/{line.line if line else 'new'}"
    there = [uploads.described(one, f"/disclosures/{matter['id']}/vouchers/{one['id']}")
             for one in await picture_of(line)]
    return await page(
        request, "ledgers/line.html", status=filled.status, matter={"id": matter["id"], "title": matter["title"]},
        action=address, line=line.line if line else None, seen=writing.mark_of(line) if line else "",
        form=filled.typed, errors=filled.errors,
        sides=forms.options(Side), incomes=[{"value": one, "label": one} for one in INCOME],
        expenses=[{"value": one, "label": one} for one in EXPENSE],
        picture=await uploads.listed(request.user, VOUCHER, address, there, handed), first_day=its["month"].isoformat(),
        last_day=min(month_after(its["month"], 1) - ONE_DAY, today()).isoformat(), people=await people(edition["id"]))


async def picture_of(line: Line | None) -> list[Record]:
    """The file of a line's voucher, as a list of one or none."""
    if line is None or line.file_id is None:
        return []
    return await rows("SELECT id, name, kind, size, blurred, sha256_received FROM file WHERE id = $1", line.file_id)


async def people(edition_id: int) -> list[str]:
    """Who stands in the lines of a month already."""
    return [one["name"] for one in await rows("""
        SELECT DISTINCT name FROM ledger_line, unnest(ARRAY[handler, witness, approver]) AS name
        WHERE edition_id = $1 AND name <> '' ORDER BY name LIMIT 20""", edition_id)]


@post("/disclosures/{matter_id:int}/lines/new", can=Can.DISCLOSURE_KEEP, status_code=200, request_max_body_size=LIMIT)
async def add_line(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    return await keep_line(request, matter_id, None)


@post("/disclosures/{matter_id:int}/lines/{line:int}", can=Can.DISCLOSURE_KEEP, status_code=200,
      request_max_body_size=LIMIT)
async def change_line(request: Request, matter_id: FromPath[int], line: FromPath[int]) -> Response[Any]:
    return await keep_line(request, matter_id, line)


async def keep_line(request: Request, matter_id: int, name: int | None) -> Response[Any]:
    matter, edition, its = await to_keep(request, matter_id)
    there = await line_of(edition["id"], name) if name else None
    if name and there is None:
        raise NotFoundException
    filled = await forms.fill(request, LINE)
    about = f"/disclosures/{matter_id}/lines/{name or 'new'}"
    handed = await uploads.handed_in(request.user, VOUCHER, about, filled)
    line = read_line(filled, its)
    if line and not filled.errors:
        try:
            await writing.write_line(request.user, matter, edition["id"], replace(line, line=name or 0), handed,
                                     await picture_of(there), filled["seen"])
            again = filled["again"] and name is None
            return see_other(f"/disclosures/{matter_id}/{'lines/new' if again else 'ledger'}")
        except Refused as refused:
            filled.errors[refused.field] = str(refused)
            there = await line_of(edition["id"], name) if name else None
        except uploads.Unfit as unfit:
            filled.errors["voucher_picture"] = str(unfit)
    return await line_page(request, matter, edition, its, filled, there, handed=handed)


def read_line(filled: Filled, its: Record) -> Line | None:
    """The line a form says; what is wrong with it is put beside its fields."""
    try:
        day = read_day(filled.values.get("day", ""), its["month"])
    except ValueError as fault:
        filled.errors.setdefault("day", str(fault))
    income = filled.values.get("side") is Side.INCOME
    field = "income_category" if income else "expense_category"
    category = filled.values.get(field, "")
    if "side" in filled.values and SIDE.get(category) is not filled["side"]:
        filled.errors.setdefault(field, "请选择项目")
    if not filled.values.get("amount"):
        filled.errors.setdefault("amount", "请填写金额")
    if filled.errors:
        return None
    line = Line(day, filled["voucher"], filled["summary"], category, filled["amount"] if income else 0,
                0 if income else filled["amount"], filled["handler"], filled["witness"], filled["approver"],
                filled["note"])
    for found in check_line(line, today()):
        filled.errors.setdefault(found.field, found.words)
    return line


@post("/disclosures/{matter_id:int}/lines/{line:int}/removal", can=Can.DISCLOSURE_KEEP, status_code=200)
async def remove_line(request: Request, matter_id: FromPath[int], line: FromPath[int]) -> Response[Any]:
    matter, edition, _ = await to_keep(request, matter_id)
    await forms.nothing(request)
    await writing.remove_line(request.user, matter, edition["id"], line)
    return see_other(f"/disclosures/{matter_id}/ledger")


ROUTES = [books, month, following, voucher, desk, opening, new_line, one_line, add_line, change_line, remove_line]
