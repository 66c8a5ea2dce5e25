"""The canary in 三务公开: it applies for a query account and gets one, is looked for, stands in sheets that are
imported. What it says of itself is for those who verify it, and masked even there."""
from datetime import date
from typing import TYPE_CHECKING

from server.core import picture_code
from server.core.clock import today
from server.core.periods import month_after
from server.ledgers import sheet as ledger_sheet
from server.query_accounts import imports
from tests.canary.values import REGISTERED, TYPED, Canary
from tests.cast import COMMITTEE, SECRETARY, VILLAGE_ADMIN
from tests.permissions import matters
from tests.permissions.village_forms import entries, sheet
from tests.permissions.villages import CODES
from tests.permissions.world import World

if TYPE_CHECKING:
    from tests.canary.test_canary import Caller


def applied(canary: Canary) -> dict[str, str]:
    """The form of somebody who applies for a household."""
    token = picture_code.new()
    return {"village": CODES["qiancun"], "name": canary.name, "id_number": canary.id_number, "phone": canary.phone,
            "household": "1", "members": f"{TYPED.name} 家人", "picture": token,
            "picture_code": str(picture_code.shown(token))}


async def apply_and_be_opened(caller: "Caller", world: World) -> None:
    """Both apply; each application, account and list is looked at, and searched by name."""
    for canary in (REGISTERED, TYPED):
        done = await caller.visit(None, "POST", "/query-accounts/new", data=applied(canary))
        assert "已收到" in done.text, done.status_code
        await caller.visit(None, "POST", "/query-accounts/new", data=applied(canary) | {"picture_code": "0000"})
        await look(caller)
        its = await world.postgres.fetchval("SELECT max(id) FROM reader_application WHERE state = '待核实'")
        opening = f"/query-accounts/applications/{its}"
        for person in (SECRETARY, COMMITTEE):
            assert canary.name in (await caller.visit(person, "GET", opening)).text
        opened = await caller.visit(SECRETARY, "POST", f"{opening}/opening", data={"standing": "代表"})
        assert opened.status_code == 303, opened.text
        await caller.visit(SECRETARY, "GET", opened.headers["location"])
        found = await caller.visit(SECRETARY, "POST", "/query-accounts/search", data={"name": canary.name})
        assert canary.name in found.text
    await look(caller)


async def look(caller: "Caller") -> None:
    for person in (SECRETARY, VILLAGE_ADMIN):
        for path in ("/query-accounts", "/to-dos", "/query-accounts/confirmation", "/query-accounts/choice"):
            await caller.visit(person, "GET", path)


async def hand_in_sheets(caller: "Caller", world: World) -> list[str]:
    """Query accounts and books that come as sheets, with rows that are wrong; the addresses of the imports."""
    name = f"{TYPED.name}{TYPED.phone}.xlsx"
    wrong = sheet(imports.TITLE, imports.OWN, name=REGISTERED.name, id_number=REGISTERED.id_number, phone=TYPED.phone,
                  standing=TYPED.id_number)
    ledger = (await matters.matter(world, "ledger", "qiancun", "draft")).ids["matter_id"]
    month: date = matters.month_of("draft")
    said = f"{TYPED.name}，{TYPED.id_number}，{TYPED.phone}"
    many = entries(ledger_sheet.OF_MANY, month_after(today(), -1).replace(day=1), village=TYPED.name, note=said)
    handed = [
        await caller.visit(SECRETARY, "POST", "/query-accounts/imports", files={"file": (name, wrong)}),
        await caller.visit(VILLAGE_ADMIN, "POST", f"/disclosures/{ledger}/sheet", files={
            "file": (name, entries(ledger_sheet.OWN, month, note=said, witness=TYPED.name, voucher=TYPED.phone))}),
        await caller.visit(COMMITTEE, "POST", "/ledger-imports", data={"month": f"{month:%Y-%m}"},
                           files={"file": (name, many)})]
    assert [one.status_code for one in handed] == [303, 303, 303]
    return [one.headers["location"] for one in handed]


async def look_at_imports(caller: "Caller", addresses: list[str]) -> None:
    """How the imports went: what was wrong with each row."""
    for person, address in zip((SECRETARY, VILLAGE_ADMIN, COMMITTEE), addresses, strict=True):
        text = (await caller.visit(person, "GET", address)).text
        assert "已完成" in text or "没有写入" in text, address
    await caller.visit(SECRETARY, "GET", f"{addresses[0]}/wrong-rows")
