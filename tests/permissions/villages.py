"""What stands around 三务公开 for the matrix: villages opened, exempt or neither, exemptions in every state, counties'
catalogues and what they have settled. Matters are in matters.py, query accounts in readers.py."""
import itertools
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from server.catalogues import actions as catalogues
from server.catalogues.tables import draft, items
from server.core.clock import now, today
from server.villages.actions import open_village
from server.villages.tables import settings_of
from tests.cast import COUNTY, ORGANISATIONS, OTHER_CITY, PROVINCE
from tests.permissions.thing import Thing

if TYPE_CHECKING:
    from tests.permissions.world import World

CODES = {key: unit for key, _, unit, _, _ in ORGANISATIONS}
VILLAGES = ("qiancun", "houcun", "xicun", "beimen", "jinluo")
TOWNSHIPS = ("committee", "sidian", "zhoucheng", "bancheng")
COUNTIES = ("county", "other_county", "lanshan")
EXEMPTIONS = {"asked": "待镇街意见", "weighed": "待县级审批", "filed": "已备案", "refused": "已退回"}
_serial = itertools.count(301)


async def settle(world: "World") -> None:
    """A catalogue in every county, and the village of every branch opened."""
    county = await world.actor(COUNTY)
    for key in COUNTIES:
        await catalogues.begin_draft(county, CODES[key])
        await catalogues.publish(county, CODES[key], (await drafted(CODES[key]))["version"], "")
    for key in VILLAGES:
        await open_village(await world.actor(PROVINCE if key != "jinluo" else OTHER_CITY), CODES[key], None)


# Villages -------------------------------------------------------------------------------------------------------------

async def place(world: "World", key: str) -> Thing:
    """The place in the directory where an organisation stands."""
    return Thing(f"the place of {key}", world.paths[key], {"code": CODES[key]})


async def branch_in(world: "World", township: str) -> tuple[str, int, str]:
    """A new village in a township, with a branch: its code, the branch, the branch's path."""
    code = f"{CODES[township]}{next(_serial)}"
    await world.postgres.execute(
        "INSERT INTO unit (code, parent_code, level, name, official_name, path) SELECT $1::text, code, 'village',"
        " '新村', '新村村委会', path || '/' || $1::text FROM unit WHERE code = $2", code, CODES[township])
    made = await world.postgres.fetchrow("""
        WITH fresh AS (SELECT nextval(pg_get_serial_sequence('organisation', 'id')) AS id)
        INSERT INTO organisation (id, parent_id, unit_code, kind, name, official_name, path, committee_id,
                                  department_id)
        OVERRIDING SYSTEM VALUE
        SELECT fresh.id, o.id, $2, '党支部', '新村支部', '新村支部' || $2, path || fresh.id || '/', o.id,
               o.department_id
        FROM organisation o, fresh WHERE o.path = $1 RETURNING id, path""", world.paths[township], code)
    return code, made["id"], made["path"]


async def village(world: "World", township: str, stage: str) -> Thing:
    """A village of a township: opened, exempt, or neither."""
    code, branch, path = await branch_in(world, township)
    if stage == "opened":
        await world.postgres.execute(
            "INSERT INTO village (code, path, community, state, organisation_id, organisation_path, opened_at)"
            " VALUES ($1, '', false, '已开通', $2, $3, ebranch_now())", code, branch, path)
    elif stage == "exempt":
        await world.postgres.execute(
            "INSERT INTO village (code, path, community, state, organisation_id, organisation_path)"
            " VALUES ($1, '', false, '暂不开通', $2, $3)", code, branch, path)
        await exempt(world, code, branch, path, "filed")
    return Thing(f"a village of {township}, {stage}", path, {"code": code}, stage=stage, facts={"branch": branch},
                 again=partial(village, world, township, stage))


async def exempt(world: "World", code: str, branch: int, path: str, stage: str) -> int:
    """An exemption of a village; its id."""
    given, answered = stage != "asked", stage in ("filed", "refused")
    return await world.postgres.fetchval("""
        INSERT INTO exemption (village_code, organisation_id, organisation_path, state, reason, who, opinion,
                               opinion_who, opinion_at, answer, answer_who, answer_at, review_on)
        VALUES ($1, $2, $3, $4, '没有通宽带', '某人 · 书记', $5, $6, $7, $8, $9, $10, $11) RETURNING id""",
        code, branch, path, EXEMPTIONS[stage], "情况属实" if given else "", "褚镇 · 党委管理员" if given else None,
        now() if given else None, "下半年再报" if stage == "refused" else "", "郑县 · 县级管理员" if answered else None,
        now() if answered else None, today() + timedelta(days=90) if stage == "filed" else None)


async def exemption(world: "World", township: str, stage: str) -> Thing:
    """An exemption asked for by a new village of a township."""
    code, branch, path = await branch_in(world, township)
    return Thing(f"an exemption in {township}, {stage}", path, {
        "exemption_id": await exempt(world, code, branch, path, stage)}, stage=stage,
        again=partial(exemption, world, township, stage))


async def set_state(world: "World", code: str, *, opened: bool) -> None:
    """Puts a village to opened, or to exempt with nothing under way."""
    await world.postgres.execute("""
        UPDATE village SET state = CASE WHEN $2 THEN '已开通' ELSE '暂不开通' END,
            opened_at = CASE WHEN $2 THEN ebranch_now() END WHERE code = $1""", code, opened)
    await world.postgres.execute("UPDATE exemption SET state = '已结束' WHERE village_code = $1 AND state <> '已结束'",
                                 code)


async def all_open(world: "World") -> None:
    """The villages of the branches are opened again, should one have been closed."""
    if await world.postgres.fetchval("SELECT EXISTS (SELECT FROM village WHERE state <> '已开通' AND code = ANY($1))",
                                     [CODES[key] for key in VILLAGES]):
        for key in VILLAGES:
            await set_state(world, CODES[key], opened=True)


async def closing(world: "World", key: str, about: str) -> Thing:
    """A branch's village for its own exemption; closed, where another one is made for a change."""
    async def again() -> Thing:
        await set_state(world, CODES[key], opened=about == "opened")
        return its

    its = Thing(f"{key}, {about}", world.paths[key], again=again)
    return its


# Catalogues -----------------------------------------------------------------------------------------------------------

async def drafted(county: str) -> dict[str, Any]:
    """The draft of a county's catalogue: its id, version."""
    found = await draft(county)
    assert found is not None
    return dict(found)


async def catalogue(world: "World", key: str) -> Thing:
    """A county's catalogue, with a new draft of the next version."""
    county = CODES[key]
    if found := await draft(county):
        await world.postgres.execute("DELETE FROM catalogue_item WHERE catalogue_id = $1", found["id"])
        await world.postgres.execute("DELETE FROM catalogue WHERE id = $1", found["id"])
    await catalogues.begin_draft(await world.actor(COUNTY), county)
    its = await drafted(county)
    first = (await items(its["id"]))[0].id
    await world.postgres.execute("UPDATE catalogue_item SET guidance = $2 WHERE id = $1", first, f"第 {its['id']} 稿")
    return Thing(f"{key}'s catalogue", world.paths[key], {"county": county, "number": 1, "item_id": first},
                 facts={"version": its["version"], "draft": its["id"]}, again=partial(catalogue, world, key))


async def settings(world: "World", key: str) -> Thing:
    """What a county has settled."""
    its = await settings_of(CODES[key])
    return Thing(f"{key}'s settings", world.paths[key], {}, facts={"version": its["version"]},
                 again=partial(settings, world, key))
