"""What a sensible person would send to each address of 三务公开."""
import itertools
import secrets
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from typing import Any

from openpyxl import Workbook

from server.core import picture_code
from server.core.clock import today
from server.core.periods import month_after
from server.core.sheets import Layout
from server.core.workbooks import packed, sheet_of
from server.disclosure.rules import SECRECY
from server.ledgers import sheet as ledger_sheet
from server.query_accounts import imports
from tests.officers.stories import id_number
from tests.permissions.thing import Thing

_serial = itertools.count(20_000)
Form = Callable[[Thing], dict[str, Any]]


# Sheets ---------------------------------------------------------------------------------------------------------------

@cache
def workbook(title: str, heads: tuple[str, ...], row: tuple[str, ...]) -> bytes:
    """An .xlsx with one good row, under the head of its template."""
    book = Workbook()
    sheet_of(book, "表", heads, [12], above=title).append(row)
    return packed(book)


def sheet(title: str, layout: Layout, **cells: str) -> bytes:
    return workbook(title, tuple(layout.columns.values()), tuple(cells.get(name, "") for name in layout.columns))


def entries(layout: Layout, month: date, **more: str) -> bytes:
    """A month's books with one entry."""
    return sheet(ledger_sheet.TITLE, layout, day=f"{month:%Y-%m}-06", summary="换锁", category="办公费",
                 expense="12.50", handler="赵德山", **more)


def last_month() -> date:
    return month_after(today(), -1).replace(day=1)


def of_readers(thing: Thing) -> bytes:
    """Query accounts; the sheet of a township names the village."""
    layout = imports.OF_MANY if thing.facts.get("role") == "党委管理员" else imports.OWN
    return sheet(imports.TITLE, layout, village="前村", name="新查询人", id_number=id_number(19_999),
                 phone="13803019999")


FILES: dict[str, Callable[[Thing], bytes]] = {
    "/disclosures/{matter_id:int}/sheet": lambda thing: entries(ledger_sheet.OWN, thing.facts.get(
        "month", last_month())),
    "/ledger-imports": lambda _: entries(ledger_sheet.OF_MANY, last_month(), village="前村"),
    "/query-accounts/imports": of_readers,
}


# Forms ----------------------------------------------------------------------------------------------------------------

def item(thing: Thing) -> dict[str, Any]:
    return {"version": thing.facts["version"], "category": "村务", "name": f"新事项{next(_serial)}", "content": "",
            "shape": "文字", "columns": "", "frequency": "每年", "audience": "村（居）民", "department": "民政部门",
            "guidance": "", "variant": "都适用"}


def version(thing: Thing) -> dict[str, Any]:
    return {"version": thing.facts["version"]}


def chosen(thing: Thing) -> dict[str, Any]:
    """What to publish: what is owed, or what happened."""
    if thing.facts["about"] == "duty":
        return {"duty": thing.facts["duty"]}
    return {"item": thing.facts["item"], "ended_on": str(today())}


def text(thing: Thing) -> dict[str, Any]:
    return version(thing) | {"title": "公开的事项", "text": "议定修路。", "pasted": "", "until": "", "phone": "",
                             "publish_at": "", "why": "写错了"}


def line(thing: Thing) -> dict[str, Any]:
    month = thing.facts.get("month", last_month())
    return {"side": "支出", "amount": "12.50", "summary": "换锁", "income_category": "", "expense_category": "办公费",
            "note": "", "day": f"{month:%Y-%m}-06", "voucher": "2", "handler": "赵德山", "witness": "", "approver": ""}


def application(_: Thing) -> dict[str, Any]:
    """Another person each time, each with a picture's code."""
    token = picture_code.new()
    return {"village": "370921102201", "name": "新申请人", "id_number": id_number(next(_serial)),
            "phone": f"138{secrets.randbelow(10**8):08}", "household": "", "members": "", "picture": token,
            "picture_code": picture_code.shown(token) or ""}


WHY, PRESSED = {"why": "写错了"}, dict[str, Any]()
MATTER, DRAFT = "/disclosures/{matter_id:int}", "/catalogues/{county:str}/draft"
EXEMPTION, QUESTION = "/exemptions/{exemption_id:int}", "/questions/{question_id:int}"
READER, APPLICATION = "/query-accounts/{reader_id:int}", "/query-accounts/applications/{application_id:int}"
FORMS: dict[str, Form] = {
    "/villages/{code:str}/opening": lambda thing: {"branch": thing.facts["branch"]},
    "/villages/{code:str}/exemption": lambda _: {"reason": "没有通宽带"},
    "/exemptions/new": lambda _: {"reason": "没有通宽带"},
    f"{EXEMPTION}/opinion": lambda _: {"opinion": "情况属实"},
    f"{EXEMPTION}/return": lambda _: {"opinion": "已经通了宽带"},
    f"{EXEMPTION}/filing": lambda _: {"opinion": "", "review_on": str(today() + timedelta(days=90))},
    f"{EXEMPTION}/prolonging": lambda _: {"opinion": "明年再看", "review_on": str(today() + timedelta(days=120))},
    f"{EXEMPTION}/refusal": lambda _: {"opinion": "下半年再报"},
    DRAFT: lambda _: PRESSED, f"{DRAFT}/items/new": item, f"{DRAFT}/items/{{item_id:int}}": item,
    f"{DRAFT}/items/{{item_id:int}}/removal": version, f"{DRAFT}/discarding": version,
    "/catalogues/{county:str}/publication": lambda thing: version(thing) | {"note": "按县里要求调整"},
    "/county-settings": lambda thing: version(thing) | {"signed": ["财务"], "answer_days": "5"},
    "/disclosures": chosen, "/disclosures/cleaned": lambda _: {"html": "<p>议定<b>修路</b></p>"},
    "/disclosures/nothing": lambda thing: {"duties": [thing.facts["duty"]]},
    "/disclosures/duties/{duty_id:int}/reopening": lambda _: WHY,
    f"{MATTER}/edit": text, f"{MATTER}/draft": text, f"{MATTER}/submission": version,
    f"{MATTER}/taking-back": lambda _: PRESSED, f"{MATTER}/dropping": lambda _: PRESSED,
    f"{MATTER}/corrections": lambda _: WHY,
    f"{MATTER}/signature": lambda thing: version(thing) | {"verdict": "同意公开", "reason": ""},
    f"{MATTER}/review": lambda thing: version(thing) | {"checked": list(SECRECY), "verdict": "审核通过"},
    "/reviews/offices": lambda _: {"name": f"科室{next(_serial)}", "items": [], "accounts": []},
    "/reviews/offices/{office_id:int}/removal": lambda _: PRESSED,
    f"{MATTER}/withdrawal": lambda _: WHY, f"{MATTER}/withdrawal/decision": lambda _: {"agreed": "1", "answer": ""},
    f"{MATTER}/opening": lambda _: {"opening": "100.00"},
    f"{MATTER}/lines/new": line, f"{MATTER}/lines/{{line:int}}": line,
    f"{MATTER}/lines/{{line:int}}/removal": lambda _: PRESSED, f"{MATTER}/sheet": lambda _: {},
    "/ledger-imports": lambda _: {"month": f"{last_month():%Y-%m}"},
    "/ledger-imports/{import_id:int}/pause": lambda _: PRESSED,
    "/ledger-imports/{import_id:int}/resumption": lambda _: PRESSED,
    f"{MATTER}/questions": lambda _: {"text": "路修到哪里？", "of": "村里", "named": "1", "agrees": "1", "line": "0"},
    f"{MATTER}/versions/{{number:int}}/mismatch": lambda _: PRESSED,
    f"{QUESTION}/answer": lambda _: {"answer": "修到村西。", "offered": "1"},
    f"{QUESTION}/agreement": lambda _: {"agrees": "1"}, f"{QUESTION}/hiding": lambda _: {"why": "辱骂他人"},
    "/query-accounts/new": application,
    f"{APPLICATION}/opening": lambda _: {"standing": "村（居）民"},
    f"{APPLICATION}/refusal": lambda _: {"why": "不是本村的"},
    "/query-accounts/search": lambda thing: {"name": "李", "village": thing.facts["village"], "after": ""},
    "/query-accounts/choice": lambda thing: {"standing": "两委成员", "people": thing.facts["people"]},
    "/query-accounts/confirmation": lambda thing: {
        "staying": thing.facts["staying"], "shown": thing.facts["staying"]},
    f"{READER}/ending": lambda _: {"why": "迁走"},
    f"{READER}/household": lambda thing: {"member": thing.facts["member"]},
    "/query-accounts/own/household": lambda thing: {"member": thing.facts["member"]},
    "/query-accounts/imports": lambda _: {},
    "/pressing": lambda thing: {"villages": [thing.facts["village"]]},
    "/spot-checks/new": lambda thing: {
        "village": thing.facts["village"], "matter": "0", "finding": f"墙上少一页{next(_serial)}", "same": "",
        "mend_by": str(today() + timedelta(days=9))},
    **{f"/spot-checks/{{check_id:int}}/{move}": lambda _: {"text": "补上了"}
       for move in ("mending", "closing", "return")},
    "/query-accounts/imports/{import_id:int}/pause": lambda _: PRESSED,
    "/query-accounts/imports/{import_id:int}/resumption": lambda _: PRESSED,
}
