"""公开事项 for the matrix: matters and ledgers in every stage, what is owed, questions about them, 审核分工, imports of
ledgers. Made by SQL with triggers off, as everything in world.py."""
import itertools
from datetime import date, timedelta
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from asyncpg import Record

from server.core.clock import now, today
from server.core.periods import month_after
from tests.cast import Person, enter
from tests.disclosure.stories import ACCOUNTS, DUES, MEETINGS, WORKS
from tests.permissions.thing import Thing, id_of
from tests.permissions.villages import CODES

if TYPE_CHECKING:
    from tests.permissions.world import World

STATES = {"draft": "草稿", "signing": "待签字", "submitted": "待审核", "returned": "审核不通过", "approved": "待公开"}
PUBLISHED = ("published", "correcting", "asked", "withdrawn", "members")
ASKED_OF = {"village": "村里", "township": "镇里", "county": "县里"}
_serial = itertools.count(1)


async def item_of(world: "World", key: str, name: str) -> Record:
    """An item as the newest catalogue of the county has it where `key` stands."""
    return await world.postgres.fetchrow("""
        SELECT i.* FROM catalogue_item i JOIN catalogue c ON c.id = i.catalogue_id
        WHERE c.county_code = $1 AND i.name = $2 AND c.number IS NOT NULL ORDER BY c.number DESC LIMIT 1""",
                                         CODES[key][:6], name)


async def owed(world: "World", key: str, name: str, last: date | None = None, state: str = "应公开",
               period: str = "matter-{}") -> int:
    """Something a village owes; the duty's id. period: with a number in it that no other has."""
    item = await item_of(world, key, name)
    last = last or today() - timedelta(days=1)
    return await world.postgres.fetchval("""
        INSERT INTO duty (village_code, organisation_path, item, item_id, period, first, last, state)
        VALUES ($1, $2, $3, $4, $5, $6, $6, $7) RETURNING id""", CODES[key], world.paths[key], item["item"],
                                         item["id"], period.format(next(_serial)), last, state)


def month_of(stage: str) -> date:
    """The month of a ledger: one that is still to be handed on lies before all that were, so that none precedes it."""
    return month_after(today().replace(day=1), -1 if stage in (*PUBLISHED, "signing", "submitted", "approved") else -2)


# Matters --------------------------------------------------------------------------------------------------------------

async def matter(world: "World", kind: str, key: str, stage: str) -> Thing:
    """A matter of a village in a stage. kind: text, or ledger."""
    name = DUES if stage == "members" else {"text": MEETINGS, "ledger": ACCOUNTS}[kind]
    item, out = await item_of(world, key, name), stage in PUBLISHED
    month = month_of(stage)
    duty = await owed(world, key, name, month_after(month, 1) - timedelta(days=1), "已公开" if out else "应公开")
    category = "财务" if stage == "signing" else item["category"]  # what the county wants signed
    made = await world.postgres.fetchval("""
        INSERT INTO matter (village_code, organisation_id, organisation_path, duty_id, category, form, audience, title,
                            created_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, '公开的事项', 1) RETURNING id""", CODES[key], id_of(world.paths[key]),
                                         world.paths[key], duty, category, item["form"], item["audience"])
    edition = await written(world, made, item, 1, "已公开" if out else STATES[stage])
    line = await booked(world, edition, CODES[key], month) if kind == "ledger" else 0
    if out:
        await brought_out(world, made, edition, stage)
    if stage == "correcting":
        edition = await written(world, made, item, 2, "草稿")
        line = await booked(world, edition, CODES[key], month, line) if kind == "ledger" else 0
    return Thing(f"{key}'s {kind}, {stage}", world.paths[key], {
        "matter_id": made, "number": 1, "file_id": world.photo, "line": line}, stage=stage,
        facts={"version": 1, "month": month}, again=partial(matter, world, kind, key, stage))


async def written(world: "World", matter_id: int, item: Record, number: int, state: str) -> int:
    """An edition of a matter with a paper to it; its id."""
    handed_on = state not in ("草稿", "待签字")
    made = await world.postgres.fetchval("""
        INSERT INTO edition (matter_id, number, state, item_id, title, text, html, lines, why, authors, saved_who,
                             submitted_who, submitted_at, publish_at, published_at, fingerprint)
        VALUES ($1, $2, $3, $4, '公开的事项', '议定修路', '<p>议定修路</p>', $5, $6, '{}', '施村 · 管理员', $7,
                $8, $9, $10, $11) RETURNING id""", matter_id, number, state, item["id"],
        '[["收缴", "1260", "21 人"]]' if item["form"] == "表格" else "[]", "写错了" if number > 1 else "",
        "施村 · 村（社区）管理员" if handed_on else None, now() if handed_on else None,
        now() + timedelta(days=9) if state == "待公开" else None,
        *((now(), "AAAA-BBBB-CCCC") if state == "已公开" else (None, None)))
    await world.postgres.execute(
        "INSERT INTO edition_file (edition_id, file_id, place, rank) VALUES ($1, $2, 'matter_files', 0)", made,
        world.photo)
    return made


async def booked(world: "World", edition: int, code: str, month: date, line: int = 0) -> int:
    """The month of an edition, with one entry that has a picture; the entry's name."""
    await world.postgres.execute("""
        INSERT INTO ledger (edition_id, village_code, month, opening, expense, lines) VALUES ($1, $2, $3, 0, 1250, 1)
        """, edition, code, month)
    return await world.postgres.fetchval("""
        INSERT INTO ledger_line (edition_id, line, place, day, voucher, summary, category, income, expense, handler,
                                 file_id)
        VALUES ($1, CASE WHEN $3 = 0 THEN nextval('ledger_line_name') ELSE $3 END, 1, $2, '1', '换锁', '办公费', 0,
                1250, '赵德山', $4) RETURNING line""", edition, month, line, world.photo)


async def brought_out(world: "World", matter_id: int, edition: int, stage: str) -> None:
    """Publishes an edition; what the stage has besides follows."""
    await world.postgres.execute("INSERT INTO rendering (edition_id, html) VALUES ($1, '<p>议定修路</p>')", edition)
    await world.postgres.execute("""
        UPDATE matter SET edition_id = $2, published_at = ebranch_now(),
            withdrawn_at = CASE WHEN $3 THEN ebranch_now() END, withdrawn_why = CASE WHEN $3 THEN '涉密' END
        WHERE id = $1""", matter_id, edition, stage == "withdrawn")
    if stage in ("asked", "withdrawn"):
        await world.postgres.execute("""
            INSERT INTO withdrawal (matter_id, state, reason, person_id, who, answer_who, answer_at)
            VALUES ($1, CASE WHEN $2 THEN '待审核' ELSE '已撤下' END, '涉密', 1, '施村 · 村（社区）管理员',
                    CASE WHEN NOT $2 THEN '褚镇 · 党委管理员' END, CASE WHEN NOT $2 THEN ebranch_now() END)""",
                                     matter_id, stage == "asked")


async def duty(world: "World", about: str, key: str, stage: str) -> Thing:
    """What a village owes, to villagers or members: nothing begun, begun, or published."""
    name = {"villagers": MEETINGS, "members": DUES}[about]
    its = await owed(world, key, name)
    if stage == "declared":
        await declared(world, key, its)
    elif stage != "owed":
        item = await item_of(world, key, name)
        made = await world.postgres.fetchval("""
            INSERT INTO matter (village_code, organisation_id, organisation_path, duty_id, category, form, audience,
                                title, created_by)
            VALUES ($1, $2, $3, $4, $5, $6, $7, '应公开的', 1) RETURNING id""", CODES[key], id_of(world.paths[key]),
                                             world.paths[key], its, item["category"], item["form"], item["audience"])
        edition = await written(world, made, item, 1, "草稿" if stage == "begun" else "已公开")
        if stage == "answered":
            await brought_out(world, made, edition, "published")
    return Thing(f"{key}'s duty to {about}, {stage}", world.paths[key], {"duty_id": its}, stage=stage,
                 again=partial(duty, world, about, key, stage))


async def declared(world: "World", key: str, its: int) -> None:
    """What is owed is said not to have occurred."""
    await world.postgres.execute("""
        WITH said AS (INSERT INTO declaration (village_code, who, account_id) VALUES ($1, '村管理员', 1) RETURNING id),
             of AS (INSERT INTO declared SELECT id, $2 FROM said)
        UPDATE duty SET state = '本期无', settled_at = now() WHERE id = $2""", CODES[key], its)


async def something_owed(world: "World", key: str, about: str) -> Thing:
    """What a village may choose from: what is owed, or (event) an item that is owed when something happens."""
    return Thing(f"what {key} owes", world.paths[key], facts={
        "about": about, "duty": await owed(world, key, MEETINGS, period="{}-Q1"),
        "item": (await item_of(world, key, WORKS))["item"]},
        again=partial(something_owed, world, key, about))


async def books(world: "World", key: str) -> Thing:
    """A village's books, one month of them published."""
    month = (await world.once(partial(matter, world), "ledger", key, "published")).facts["month"]
    return Thing(f"{key}'s books", world.paths[key], {"village": CODES[key], "month": f"{month:%Y-%m}"})


# Questions, 审核分工, imports -----------------------------------------------------------------------------------------

async def question(world: "World", about: str, key: str, stage: str, by: Person | None = None) -> Thing:
    """A question about a village's matter, asked of it, its township or its county. by: who asks, else a stranger."""
    its = await world.once(partial(matter, world), "text", key, "published")
    person = (await world.actor(by)).person_id if by else await enter(
        world.postgres, "提问人", f"1380001{next(_serial):04}")
    answered, hidden = stage == "answered", stage == "hidden"
    made = await world.postgres.fetchval("""
        INSERT INTO question (matter_id, village_code, organisation_id, organisation_path, edition_number, asked_of,
                              text, named, person_id, who, state, answer, answered_by, answer_who, answered_at,
                              hidden_why, hidden_who, hidden_at)
        VALUES ($1, $2, $3, $4, 1, $5, '路修到哪里？', false, $6, '提问人 · 村民', $7, $8, $9, $10, $11, $12, $13, $14)
        RETURNING id""", its.ids["matter_id"], CODES[key], id_of(world.paths[key]), world.paths[key], ASKED_OF[about],
        person, {"open": "待答复", "answered": "已答复", "hidden": "已隐藏"}[stage], "村西" if answered else "",
        *((1, "施村 · 村（社区）管理员", now()) if answered else (None, None, None)),
        *(("辱骂", "褚镇 · 党委管理员", now()) if hidden else (None, None, None)))
    return Thing(f"a question in {key} to the {about}, {stage}", world.paths[key], {"question_id": made},
                 owner=by.phone if by else None, stage=stage, again=partial(question, world, about, key, stage, by))


async def office(world: "World", key: str) -> Thing:
    """An office among which a township divides its reviews."""
    made = await world.postgres.fetchval("INSERT INTO office (committee_id, name) VALUES ($1, $2) RETURNING id",
                                         id_of(world.paths[key]), f"科室{next(_serial)}")
    return Thing(f"an office of {key}", world.paths[key], {"office_id": made}, again=partial(office, world, key))


async def ledger_import(world: "World", about: str, key: str, paused: str = "") -> Thing:
    """Books that came as a sheet: a village's own, or a township's of many."""
    its = await world.once(partial(matter, world), "ledger", key, "draft") if about == "village" else None
    made = await world.postgres.fetchval("""
        INSERT INTO ledger_import (organisation_id, matter_id, month, grant_id, account_id, who, source, file_name,
                                   sha256, state, total, at)
        VALUES ($1, $2, $3, 1, 1, '某人', 'test', '账.xlsx', $4, $5, 1, ebranch_now()) RETURNING id""",
        id_of(world.paths[key]), its and its.ids["matter_id"], month_of("draft"),
        sha256(str(next(_serial)).encode()).digest(), "已暂停" if paused else "导入中")
    await world.postgres.execute("""
        INSERT INTO ledger_import_row (import_id, number, cells, faults)
        VALUES ($1, 3, '{"summary": "换锁"}', '{"day": "请填写日期"}')""", made)
    return Thing(f"an import of books at {key}", world.paths[key], {"import_id": made},
                 again=partial(ledger_import, world, about, key, paused))


# Supervision ----------------------------------------------------------------------------------------------------------

async def spot_check(world: "World", key: str, stage: str) -> Thing:
    """What a township found before a village's wall, with a photograph: the same as online, or to be mended."""
    state = {"same": "一致", "mending": "整改中", "mended": "待复核", "closed": "已销号"}[stage]
    made = await world.postgres.fetchval("""
        INSERT INTO spot_check (village_code, organisation_id, organisation_path, state, finding, mend_by, by_id,
                                person_id, who, closed_at)
        SELECT $1, o.id, $2, $3, '墙上少一页', $4, o.committee_id, 1, '褚镇 · 党委管理员', $5 FROM organisation o
        WHERE o.path = $2 RETURNING id""", CODES[key], world.paths[key], state,
        None if stage == "same" else today() + timedelta(days=9), now() if stage in ("same", "closed") else None)
    step = await world.postgres.fetchval("INSERT INTO spot_check_step (check_id, kind, text, who) VALUES ($1, '抽查',"
                                         " '墙上少一页', '褚镇 · 党委管理员') RETURNING id", made)
    await world.postgres.execute("INSERT INTO spot_check_file (step_id, file_id, rank) VALUES ($1, $2, 0)", step,
                                 world.photo)
    return Thing(f"a spot check in {key}, {stage}", world.paths[key], {"check_id": made, "file_id": world.photo},
                 stage=stage, again=partial(spot_check, world, key, stage))


async def standing_in(world: "World", key: str) -> Thing:
    """A village, of which a form says something."""
    return Thing(f"the village {key}", world.paths[key], facts={"village": CODES[key]})


async def everything(world: "World", key: str, mark: str) -> None:
    """Much that is published, on its way and asked in a village, each with `mark` in what it says."""
    for stage in (*STATES, *PUBLISHED):
        made = (await matter(world, "text", key, stage)).ids["matter_id"]
        await world.postgres.execute("UPDATE matter SET title = $2 WHERE id = $1", made, mark)
        await world.postgres.execute("UPDATE edition SET title = $2, text = $2 WHERE matter_id = $1", made, mark)
    for about in ASKED_OF:
        for stage in ("open", "answered"):
            asked: dict[str, Any] = (await question(world, about, key, stage)).ids
            await world.postgres.execute("UPDATE question SET text = $2 WHERE id = $1", asked["question_id"], mark)
    for place in ("village", "township"):
        made = (await ledger_import(world, place, key)).ids["import_id"]
        await world.postgres.execute("UPDATE ledger_import SET file_name = $2 WHERE id = $1", made, mark)
    for stage in ("same", "mending", "mended"):
        made = (await spot_check(world, key, stage)).ids["check_id"]
        await world.postgres.execute("UPDATE spot_check SET finding = $2 WHERE id = $1", made, mark)
