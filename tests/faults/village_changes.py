"""The changes of 三务公开, one after the other, for the walk of every change: a catalogue, a village, what it
publishes, its books, what is asked of it, who reads it, what is found before its wall."""
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import httpx

from server.catalogues import duties
from server.core import effects, picture_code
from server.core.database import rows
from server.disclosure.rules import SECRECY
from server.ledgers import sheet as ledger_sheet
from server.permissions import Role
from server.query_accounts import imports
from tests.cast import (
    COMMITTEE,
    COUNTY,
    MEMBER,
    NEIGHBOUR,
    SECRETARY,
    SIDIAN,
    SUPERVISOR,
    VILLAGE_ADMIN,
    VILLAGER,
    XICUN,
    Person,
)
from tests.disclosure.stories import (
    ACCOUNTS,
    ASSETS,
    GUIDE,
    HOUCUN,
    MEETINGS,
    NINGYANG,
    OPENED,
    POOR,
    QIANCUN,
    QUARTER_OVER,
    TABLES,
    WORKS,
    XICUN_CODE,
    duty,
    edition,
    item,
)
from tests.faults.trail import Trail
from tests.meetings.stories import ids_of, one
from tests.officers.stories import id_number
from tests.permissions.village_forms import entries, sheet

At = Callable[[str], Awaitable[Any]]
QUARTER, MONTH, SEPTEMBER = "2026-Q3", "2026-09", date(2026, 9, 1)
WEDDINGS = "红白理事会、移风易俗"  # 村务, 文字, each quarter
APPLICANT = Person("13800000745", "新申请人", Role.VILLAGER, "qiancun", standing=None)

WITHOUT_EVIDENCE = {  # what is written before it is handed on: that is, with its version
    "/disclosures/{matter_id:int}/edit", "/disclosures/{matter_id:int}/draft", "/disclosures/cleaned",
    "/disclosures/{matter_id:int}/opening", "/disclosures/{matter_id:int}/lines/new",
    "/disclosures/{matter_id:int}/lines/{line:int}", "/disclosures/{matter_id:int}/lines/{line:int}/removal",
    "/query-accounts/search",  # changes nothing; by a name, as among members
}


async def walk(trail: Trail, at: At) -> None:
    """All of them."""
    await at(OPENED)
    await catalogue(trail)
    await opening(trail)
    await at(QUARTER_OVER)
    await duties.renew_all()
    await trail.forget_clients()
    made = await publishing(trail)
    await taking_down(trail, made)
    await books(trail)
    await asking(trail)
    await reading(trail)
    await looking_at_the_wall(trail)


async def catalogue(trail: Trail) -> None:
    address = f"/catalogues/{NINGYANG}"

    async def version() -> dict[str, int]:
        return {"version": await one("SELECT version FROM catalogue WHERE number IS NULL")}

    new = {"category": "村务", "name": "村里的事", "shape": "文字", "frequency": "每年", "audience": "村（居）民",
           "variant": "都适用"}
    await trail.change("draft_catalogue", COUNTY, f"{address}/draft")
    await trail.change("write_catalogue_item", COUNTY, f"{address}/draft/items/new", data=new | await version())
    its = await one("SELECT max(id) FROM catalogue_item")
    await trail.change("write_catalogue_item", COUNTY, f"{address}/draft/items/{its}",
                       data=new | {"name": "改了名的事"} | await version())
    await trail.change("remove_catalogue_item", COUNTY, f"{address}/draft/items/{its}/removal", data=await version())
    await trail.change("discard_catalogue", COUNTY, f"{address}/draft/discarding", data=await version())
    await trail.change("draft_catalogue", COUNTY, f"{address}/draft")
    await trail.change("publish_catalogue", COUNTY, f"{address}/publication", data=await version())
    await trail.change("settle_county", COUNTY, "/county-settings",
                       data={"signed": "财务", "answer_days": "5", "version": 0})


async def opening(trail: Trail) -> None:
    """Villages that can't publish yet, and one that does."""
    async def exemption() -> str:
        return f"/exemptions/{await one('SELECT max(id) FROM exemption')}"

    why = {"reason": "村里还没有通宽带"}
    await trail.change("ask_exemption", NEIGHBOUR, "/exemptions/new", data=why)
    its = await exemption()
    await trail.change("exemption_opinion", COMMITTEE, f"{its}/opinion", data={"opinion": "情况属实"})
    await trail.change("exemption_filing", COUNTY, f"{its}/filing", data={"review_on": "2027-03-01"})
    await trail.change("exemption_prolonging", COUNTY, f"{its}/prolonging", data={"review_on": "2027-05-01"})
    await trail.change("ask_exemption", XICUN, "/exemptions/new", data=why)
    await trail.change("exemption_return", SIDIAN, f"{await exemption()}/return", data={"opinion": "已经通了"})
    await trail.change("ask_exemption", SIDIAN, f"/villages/{XICUN_CODE}/exemption", data=why)
    await trail.change("exemption_refusal", COUNTY, f"{await exemption()}/refusal", data={"opinion": "应当开通"})
    for code in (QIANCUN, HOUCUN):
        branch = await one("SELECT id FROM organisation WHERE unit_code = $1", code)
        await trail.change("open_village", COMMITTEE, f"/villages/{code}/opening", data={"branch": branch})
    await effects.sweep()


# What is published ----------------------------------------------------------------------------------------------------

async def begun(trail: Trail, name: str, period: str) -> int:
    """A matter that answers what is owed; its id."""
    answer = await trail.change("begin_matter", VILLAGE_ADMIN, "/disclosures", data={"duty": await duty(name, period)})
    return int(answer.headers["location"].split("/")[2])


async def written(trail: Trail, name: str, period: str) -> int:
    """A matter with everything in it; its id."""
    made = await begun(trail, name, period)
    text = "" if name in TABLES else "议定硬化村西道路 600 米。"
    await sent(trail, VILLAGE_ADMIN, f"/disclosures/{made}/edit", {
        "version": 1, "title": name, "text": text, "cell": [cell for row in TABLES.get(name, []) for cell in row]})
    return made


async def sent(trail: Trail, person: Person, path: str, data: dict[str, Any]) -> None:
    """What leaves no evidence."""
    answer = await trail.visitor.visit(person, "POST", path, data=data)
    assert answer.status_code == 303, f"{path}: {answer.status_code} {answer.text}"


async def version_of(matter: int) -> dict[str, int]:
    return {"version": (await edition(matter))["version"]}


async def submit(trail: Trail, matter: int) -> None:
    await trail.change("submit_matter", VILLAGE_ADMIN, f"/disclosures/{matter}/submission",
                       data=await version_of(matter))


async def review(trail: Trail, matter: int, **reasons: str) -> None:
    """The township says no for these reasons, or yes, and it is published."""
    data = await version_of(matter) | ({f"reason-{name}": why for name, why in reasons.items()} | {
        "verdict": "审核不通过"} if reasons else {"checked": list(SECRECY), "verdict": "审核通过"})
    await trail.change("review_matter", COMMITTEE, f"/disclosures/{matter}/review", data=data,
                       also=[] if reasons else ["publish_matter"])


async def publishing(trail: Trail) -> int:
    """A matter of each way; one that is published, its id."""
    made = await written(trail, MEETINGS, QUARTER)
    await submit(trail, made)
    await trail.change("take_back_matter", VILLAGE_ADMIN, f"/disclosures/{made}/taking-back")
    await submit(trail, made)
    await review(trail, made, text="写明是哪次会议")
    await submit(trail, made)
    await review(trail, made)
    signed = await written(trail, ASSETS, QUARTER)
    await submit(trail, signed)
    for person in (SUPERVISOR, SECRETARY):
        await trail.change("sign_matter", person, f"/disclosures/{signed}/signature",
                           data=await version_of(signed) | {"verdict": "同意公开"})
    event = await trail.change("begin_matter", VILLAGE_ADMIN, "/disclosures",
                               data={"item": await item(WORKS), "ended_on": "2026-10-07"})
    dropped = event.headers["location"].split("/")[2]
    await trail.change("drop_edition", VILLAGE_ADMIN, f"/disclosures/{dropped}/dropping")
    await trail.change("declare_nothing", VILLAGE_ADMIN, "/disclosures/nothing",
                       data={"duties": [await duty(GUIDE, MONTH)]})
    await trail.change("undo_nothing", COMMITTEE, f"/disclosures/duties/{await duty(GUIDE, MONTH)}/reopening",
                       data={"why": "换了两部电话"})
    await trail.change("begin_correction", VILLAGE_ADMIN, f"/disclosures/{made}/corrections", data={"why": "写错了"})
    await submit(trail, made)
    await review(trail, made)
    await trail.change("divide_review", COMMITTEE, "/reviews/offices", data={"name": "民政办"})
    office = await one("SELECT id FROM office")
    await trail.change("divide_review", COMMITTEE, f"/reviews/offices/{office}/removal")
    return made


async def taking_down(trail: Trail, made: int) -> None:
    """Asked for and refused; another one taken down as the village asks, and one by the township itself."""
    why, address = {"why": "露出了个人信息"}, f"/disclosures/{made}/withdrawal"
    await trail.change("ask_withdrawal", VILLAGE_ADMIN, address, data=why)
    await trail.change("refuse_withdrawal", COMMITTEE, f"{address}/decision", data={"answer": "没有露出"})
    await trail.change("ask_withdrawal", VILLAGE_ADMIN, address, data=why)
    await trail.change("withdraw_matter", COMMITTEE, f"{address}/decision", data={"agreed": "1"})
    other = await written(trail, POOR, QUARTER)
    await submit(trail, other)
    await review(trail, other)
    await trail.change("ask_withdrawal", COMMITTEE, f"/disclosures/{other}/withdrawal", data=why,
                       also=["withdraw_matter"])


async def books(trail: Trail) -> None:
    """A month that comes as a sheet, the village's own and the township's."""
    made = await begun(trail, ACCOUNTS, MONTH)
    own = {"file": ("账.xlsx", entries(ledger_sheet.OWN, SEPTEMBER))}
    many = {"file": ("各村账.xlsx", entries(ledger_sheet.OF_MANY, SEPTEMBER, village="前村"))}
    for person, path, data, files in ((VILLAGE_ADMIN, f"/disclosures/{made}/sheet", {}, own),
                                      (COMMITTEE, "/ledger-imports", {"month": MONTH}, many)):
        begun_now = await trail.change("begin_import", person, path, data=data, files=files)
        await going_on(trail, person, begun_now)


async def going_on(trail: Trail, person: Person, begun_now: httpx.Response) -> None:
    """An import is paused, and goes on."""
    for move in ("pause", "resumption"):
        await trail.change({"pause": "pause_import", "resumption": "resume_import"}[move], person,
                           f"{begun_now.headers['location']}/{move}")


# Those who read -------------------------------------------------------------------------------------------------------

async def asking(trail: Trail) -> None:
    """About something that is published: asked, answered, shown, hidden."""
    made = await written(trail, WEDDINGS, QUARTER)
    await submit(trail, made)
    await review(trail, made)
    asked = await trail.change("ask", VILLAGER, f"/disclosures/{made}/questions", data={
        "text": "路修到哪里？", "of": "村里", "named": "1", "line": "0"})
    question = asked.headers["location"]
    await trail.change("answer", VILLAGE_ADMIN, f"{question}/answer", data={"answer": "修到村西。", "offered": "1"})
    await trail.change("agree_to_show", VILLAGER, f"{question}/agreement", data={"agrees": "1"})
    await trail.change("ask", MEMBER, f"/disclosures/{made}/versions/1/mismatch")
    await trail.change("hide_question", COMMITTEE, f"{question}/hiding", data={"why": "辱骂他人"})


async def reading(trail: Trail) -> None:
    """Query accounts: applied for, refused, chosen, imported, looked through, ended."""
    async def applied(person: Person) -> str:
        async def filled(_: httpx.AsyncClient) -> dict[str, str]:
            token = picture_code.new()
            return {"village": QIANCUN, "name": person.name, "id_number": person.id_number, "phone": person.phone,
                    "household": "1", "members": "李桂芝 妻子\n张小小 女儿", "picture": token,
                    "picture_code": str(picture_code.shown(token))}

        await trail.change("apply_for_reader", None, "/query-accounts/new", each=filled, again=False, known=False)
        return f"/query-accounts/applications/{await one('SELECT max(id) FROM reader_application')}"

    other = Person("13800000746", "别村的人", Role.VILLAGER, "qiancun", standing=None)
    await trail.change("refuse_application", SECRETARY, f"{await applied(other)}/refusal", data={"why": "不是本村的"})
    await trail.change("open_reader", VILLAGE_ADMIN, f"{await applied(APPLICANT)}/opening",
                       data={"standing": "村（居）民"}, also=["open_application"])
    reader = await one("SELECT max(id) FROM reader")
    first, second = await ids_in_household(reader)
    await trail.change("take_off_household", APPLICANT, "/query-accounts/own/household", data={"member": first})
    await trail.change("take_off_household", SECRETARY, f"/query-accounts/{reader}/household", data={"member": second})
    await trail.change("open_reader", VILLAGE_ADMIN, "/query-accounts/choice",
                       data={"standing": "两委成员", "people": await ids_of(MEMBER)})
    shown = [found["id"] for found in await rows("SELECT id FROM reader ORDER BY id")]
    await trail.change("confirm_readers", SECRETARY, "/query-accounts/confirmation",
                       data={"staying": [reader], "shown": shown, "ending": [len(shown) - 1]})
    await trail.change("end_reader", SECRETARY, f"/query-accounts/{reader}/ending", data={"why": "迁走"})
    readers = sheet(imports.TITLE, imports.OWN, name="新查询人", id_number=id_number(801), phone="13800000801")
    begun_now = await trail.change("begin_import", SECRETARY, "/query-accounts/imports",
                                   files={"file": ("名单.xlsx", readers)})
    await going_on(trail, SECRETARY, begun_now)


async def ids_in_household(reader: int) -> list[int]:
    return [found["id"] for found in await rows("SELECT id FROM household_member WHERE reader_id = $1 ORDER BY id",
                                                reader)]


async def looking_at_the_wall(trail: Trail) -> None:
    """What a township finds, has mended, sends back and closes; what it presses."""
    found = await trail.change("spot_check", COMMITTEE, "/spot-checks/new", data={
        "village": QIANCUN, "matter": "0", "finding": "墙上少一页", "mend_by": "2026-10-20"})
    check = found.headers["location"]
    mended = {"text": "补上了"}
    await trail.change("spot_check_mending", VILLAGE_ADMIN, f"{check}/mending", data=mended)
    await trail.change("spot_check_return", COMMITTEE, f"{check}/return", data={"text": "还缺一张"})
    await trail.change("spot_check_mending", VILLAGE_ADMIN, f"{check}/mending", data=mended)
    await trail.change("spot_check_closing", COMMITTEE, f"{check}/closing", data={"text": ""})
    await trail.change("press_villages", COMMITTEE, "/pressing", data={"villages": [QIANCUN, HOUCUN]})

