"""前村, opened and with a catalogue to publish by, and matters of it in every state: made by calling the actions."""
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from asyncpg import Record

from server.catalogues import actions as catalogues
from server.catalogues import duties
from server.core import effects, uploads
from server.core.database import rows, the_row
from server.disclosure import editing, reviewing, submission, withdrawing
from server.disclosure.rules import SECRECY, Signed, State, Verdict
from server.disclosure.sight import the_matter
from server.ledgers import writing
from server.ledgers.handlers import VOUCHER
from server.ledgers.rules import Line
from server.permissions import Role
from server.villages.actions import open_village
from server.villages.tables import village
from tests.cast import COMMITTEE, COUNTY, SECRETARY, SUPERVISOR, VILLAGE_ADMIN, Person, enter, organisation_id
from tests.meetings.stories import one
from tests.passwords import HASH
from tests.visits import actor_of

QIANCUN, HOUCUN, XICUN_CODE, BEIMEN_CODE = "370921102201", "370921102202", "370921103201", "370923100201"
NINGYANG = "370921"

# Items of the typical catalogue, each of another kind.
MEETINGS = "村（居）民会议、代表会议决定及实施"  # 村务, 文字, each quarter
POOR = "低保、特困、残疾人、困境儿童、优抚"  # 村务, 名单, each quarter: 姓名 类别 人数 月金额（元）
DUES = "党费收缴使用管理"  # 党务, 表格, each quarter, for members alone
ASSETS = "债权债务"  # 财务, 表格, each quarter: signed before it is submitted
ACCOUNTS = "财务收支逐笔明细"  # 财务, 账目, each month
GUIDE = "政策与办事指南"  # 便民服务, 文字, each month
WORKS = "公益事业、筹资筹劳、建设承包"  # 村务, 文字, 随时
CHARTER = "村民自治章程、村规民约"  # 村务, 文字, 长期, of villages only

TEXT = "经村民代表会议决定，硬化村西道路 600 米。"
TABLES: Mapping[str, Sequence[Sequence[str]]] = {
    POOR: [["张大爷", "低保", "1", "520"], ["李奶奶", "特困", "1", "900"]],
    DUES: [["收缴", "1260", "21 人"], ["上缴", "630", ""]],
    ASSETS: [["债务", "修路队", "30000", "0", "3000", "27000", "2025年修路"]],
}
OPENED, QUARTER_OVER = "2026-09-01 09:00", "2026-10-08 09:00"  # the first working day after the third quarter
HOUCUN_VILLAGER = Person("13700000041", "何后村", Role.VILLAGER, "houcun", standing=None)


# The village ----------------------------------------------------------------------------------------------------------

async def catalogue(by: Person = COUNTY) -> int:
    """宁阳县's catalogue, published as what counties typically have; its id."""
    actor = await actor_of(by)
    await catalogues.begin_draft(actor, actor.unit_code)
    return await publish_draft(by)


async def drafted(county: str) -> Record:
    """The draft of a county's catalogue: id and version."""
    return await the_row("SELECT id, version FROM catalogue WHERE county_code = $1 AND number IS NULL", county)


async def publish_draft(by: Person = COUNTY, note: str = "") -> int:
    """The draft of a county's catalogue is published, and what follows from it done; its id."""
    actor = await actor_of(by)
    draft = await drafted(actor.unit_code)
    await catalogues.publish(actor, actor.unit_code, draft["version"], note)
    await effects.sweep()
    return draft["id"]


async def opened(code: str = QIANCUN, by: Person = COMMITTEE) -> None:
    """A village is opened, and owes what the catalogue says."""
    await open_village(await actor_of(by), code, None)
    await effects.sweep()


async def ready(at: Any, until: str = QUARTER_OVER) -> None:
    """前村 was opened on the first of September, and by `until` a night has passed in each month since."""
    await at(OPENED)
    await catalogue()
    await opened()
    await at(until)
    await duties.renew_all()


async def new_version(changes: Mapping[str, Mapping[str, Any] | None], note: str = "") -> int:
    """The county publishes its catalogue anew: by an item's name what of it changes, None for what is taken out."""
    actor = await actor_of(COUNTY)
    await catalogues.begin_draft(actor, NINGYANG)
    for name, change in changes.items():
        draft = await drafted(NINGYANG)
        its = dict(await the_row("SELECT * FROM catalogue_item WHERE catalogue_id = $1 AND name = $2",
                                 draft["id"], name))
        if change is None:
            await catalogues.remove_item(actor, NINGYANG, draft["version"], its["id"])
        else:
            await catalogues.write_item(actor, NINGYANG, draft["version"], its["id"], its | change)
    return await publish_draft(note=note)


async def item(name: str) -> int:
    """The number by which an item is known in every version of the catalogue."""
    return await one("SELECT max(item) FROM catalogue_item WHERE name = $1", name)


async def duty(name: str, period: str, code: str = QIANCUN) -> int:
    """What a village owes: the id."""
    return await one("""SELECT d.id FROM duty d JOIN catalogue_item i ON i.id = d.item_id
                        WHERE i.name = $1 AND d.period = $2 AND d.village_code = $3""", name, period, code)


async def owed(name: str, code: str = QIANCUN) -> list[tuple[str, str]]:
    """The periods in which a village owes, or owed, an item, each with its state."""
    return [(found["period"], found["state"]) for found in await rows("""
        SELECT d.period, d.state FROM duty d JOIN catalogue_item i ON i.id = d.item_id
        WHERE i.name = $1 AND d.village_code = $2 ORDER BY d.first, d.id""", name, code)]


async def clock_of(duty_id: int, kind: str = "duty") -> dict[str, Any]:
    """The newest deadline of a duty, or of another subject."""
    return dict(await the_row("""
        SELECT rule, state, due_at, starts_at, counted_from, days, closed_at, organisation_id FROM deadline
        WHERE subject_kind = $2 AND subject_id = $1 ORDER BY id DESC LIMIT 1""", duty_id, kind))


async def villager_of_houcun(owner: Any) -> Person:
    """Somebody who reads what 后村 publishes, and nothing of 前村."""
    person = await enter(owner, HOUCUN_VILLAGER.name, HOUCUN_VILLAGER.phone)
    account = await owner.fetchval("INSERT INTO account (person_id, password_hash) VALUES ($1, $2) RETURNING id",
                                   person, HASH)
    await owner.execute("""INSERT INTO role_grant (account_id, role, organisation_id, since)
                           VALUES ($1, '村民', $2, '2020-07-01')""", account, await organisation_id(owner, "后村支部"))
    return HOUCUN_VILLAGER


# One step at a time ---------------------------------------------------------------------------------------------------

async def matter(matter_id: int, by: Person = VILLAGE_ADMIN) -> Record:
    """A matter as somebody sees it."""
    return await the_matter(await actor_of(by), matter_id)


async def edition(matter_id: int) -> Record:
    """The newest edition of a matter, whatever became of it."""
    return await the_row("SELECT * FROM edition WHERE matter_id = $1 ORDER BY number DESC LIMIT 1", matter_id)


async def begin(name: str, period: str, by: Person = VILLAGE_ADMIN) -> int:
    return await editing.begin(await actor_of(by), await its_village(), await duty(name, period))


async def begin_at_once(name: str = WORKS, ended_on: date = date(2026, 10, 7), by: Person = VILLAGE_ADMIN) -> int:
    return await editing.begin_at_once(await actor_of(by), await its_village(), await item(name), ended_on)


async def its_village(code: str = QIANCUN) -> Record:
    found = await village(code)
    assert found is not None
    return found


async def save(matter_id: int, by: Person = VILLAGE_ADMIN, version: int | None = None, **values: Any) -> int:
    """Saves an edition with what it says already, but for `values`."""
    its = await edition(matter_id)
    given = {name: its[name] for name in ("title", "text", "until", "phone", "publish_at", "why")} | {"lines": []}
    return await editing.save(await actor_of(by), await matter(matter_id), its, given | values,
                              version or its["version"])


async def write_line(matter_id: int, line: Line, by: Person = VILLAGE_ADMIN) -> None:
    its = await edition(matter_id)
    await writing.write_line(await actor_of(by), await matter(matter_id), its["id"], line,
                             uploads.Handed(VOUCHER, f"/disclosures/{matter_id}/lines/new"), ())


async def hand_on(matter_id: int, by: Person = VILLAGE_ADMIN, version: int | None = None) -> State:
    its = await edition(matter_id)
    return await submission.submit(await actor_of(by), await matter(matter_id), its, version or its["version"])


async def sign(matter_id: int, by: Person, verdict: Signed = Signed.AGREED, reason: str = "") -> State:
    its = await edition(matter_id)
    return await submission.sign(await actor_of(by), await matter(matter_id, by), its, its["version"], verdict, reason)


async def take_back(matter_id: int, by: Person = VILLAGE_ADMIN) -> None:
    await submission.take_back(await actor_of(by), await matter(matter_id), await edition(matter_id))


async def review(matter_id: int, by: Person = COMMITTEE, checked: Sequence[str] = SECRECY, **reasons: str) -> State:
    """The township says yes, or no for these reasons by field."""
    its, verdict = await edition(matter_id), Verdict.RETURNED if reasons else Verdict.PASSED
    return await reviewing.review(await actor_of(by), await matter(matter_id, by), its, its["version"], verdict,
                                  reasons, checked)


async def begin_correction(matter_id: int, why: str = "金额写错了", by: Person = VILLAGE_ADMIN) -> None:
    await editing.correct(await actor_of(by), await matter(matter_id), why)


async def ask_down(matter_id: int, reason: str = "露出了个人信息", by: Person = VILLAGE_ADMIN) -> None:
    await withdrawing.ask(await actor_of(by), await matter(matter_id, by), reason)


async def decide(matter_id: int, agreed: bool, answer: str = "", by: Person = COMMITTEE) -> None:
    asked = await withdrawing.asked(matter_id)
    assert asked is not None
    await withdrawing.decide(await actor_of(by), await matter(matter_id, by), asked, agreed, answer)


# States ---------------------------------------------------------------------------------------------------------------

def line(day: date = date(2026, 9, 9), expense: int = 3_860_00, **facts: Any) -> Line:
    """An entry of September as it should be."""
    given: dict[str, Any] = {
        "voucher": "09-01", "summary": "村内路灯维修 6 盏", "category": "农田水利及道路维修", "income": 0,
        "handler": "孙桂兰", "witness": "马主任", "approver": "赵德山"}
    return Line(day, expense=expense, **given | facts)


def income(day: date = date(2026, 9, 6), amount: int = 12_000_00, **facts: Any) -> Line:
    return line(day, 0, **{"income": amount, "category": "发包及上交收入", "summary": "机动地承包费",
                           "voucher": "09-02", **facts})


async def written(name: str = MEETINGS, period: str = "2026-Q3", **values: Any) -> int:
    """A matter with everything in it, a draft; its id."""
    made = await begin(name, period)
    if name == ACCOUNTS:
        for entry in values.pop("entries", (income(), line())):
            await write_line(made, entry)
        return made
    await save(made, **{"text": "" if name in TABLES else TEXT, "lines": TABLES.get(name, [])} | values)
    return made


async def signing(name: str = ASSETS, period: str = "2026-Q3", **values: Any) -> int:
    """A matter of 财务 that waits for its two signatures."""
    made = await written(name, period, **values)
    assert await hand_on(made) is State.SIGNING
    return made


async def submitted(name: str = MEETINGS, period: str = "2026-Q3", **values: Any) -> int:
    """A matter that waits for the township."""
    made = await written(name, period, **values)
    await to_township(made)
    return made


async def to_township(matter_id: int) -> None:
    """Hands on what is a draft, and has it signed where the county wants that."""
    if await hand_on(matter_id) is State.SIGNING:
        for person in (SUPERVISOR, SECRETARY):
            await sign(matter_id, person)


async def returned(name: str = MEETINGS, period: str = "2026-Q3", **values: Any) -> int:
    """A matter the township sent back."""
    made = await submitted(name, period, **values)
    await review(made, text="写明是哪次会议")
    return made


async def published(name: str = MEETINGS, period: str = "2026-Q3", **values: Any) -> int:
    """A matter that everybody reads."""
    made = await submitted(name, period, **values)
    assert await review(made) is State.PUBLISHED
    return made


async def corrected(name: str = MEETINGS, period: str = "2026-Q3", **values: Any) -> int:
    """A matter in its second edition."""
    made = await published(name, period)
    await begin_correction(made)
    if name != ACCOUNTS:
        await save(made, **{"lines": TABLES.get(name, [])} | values)
    await to_township(made)
    assert await review(made) is State.PUBLISHED
    return made


async def withdrawn(name: str = MEETINGS, period: str = "2026-Q3", **values: Any) -> int:
    """A matter that was published and taken down."""
    made = await published(name, period, **values)
    await ask_down(made)
    await decide(made, agreed=True)
    return made
