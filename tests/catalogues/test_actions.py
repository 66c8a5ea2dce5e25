"""公开目录 (M3§7): drafted from the typical one, its items written, published as a version that stays."""
import asyncio
import json

import pytest

from server.catalogues import actions, tables
from server.catalogues.rules import Change, Kind
from server.catalogues.show import shown_change
from server.core import effects
from server.core.database import rows
from server.core.forms import Refused
from server.core.moves import WrongState
from tests.cast import (
    CITY,
    COMMITTEE,
    COMMITTEE_ORGANISER,
    COUNTY,
    OTHER_COUNTY,
    SECRETARY,
    VILLAGE_ADMIN,
    VILLAGER,
    ZHOUCHENG,
)
from tests.databases import fingerprint
from tests.disclosure.stories import (
    ACCOUNTS,
    NINGYANG,
    OPENED,
    POOR,
    QIANCUN,
    begin,
    catalogue,
    new_version,
    opened,
    ready,
)
from tests.meetings.stories import evidence, one
from tests.visits import actor_of

ADDRESS = f"/catalogues/{NINGYANG}"
FORM = {"category": "村务", "name": "修路", "shape": "文字", "frequency": "每季度", "audience": "村（居）民",
        "variant": "都适用", "content": "", "columns": "", "department": "", "guidance": ""}


async def drafted(by=COUNTY) -> int:
    """A draft of the county's catalogue; its version."""
    await actions.begin_draft(await actor_of(by), NINGYANG)
    return await version()


async def version() -> int:
    found = await tables.draft(NINGYANG)
    assert found is not None
    return found["version"]


async def listed(number: int | None = None) -> list[tables.Item]:
    """The items of the draft, or of a published version."""
    found = await (tables.published(NINGYANG, number) if number else tables.draft(NINGYANG))
    assert found is not None
    return await tables.items(found["id"])


async def its(name: str) -> tables.Item:
    return next(one for one in await listed() if one.name == name)


def as_form(item: tables.Item) -> dict[str, str]:
    said = {name: str(getattr(item, "form" if name == "shape" else name)) for name in FORM}
    return said | {"columns": " ".join(item.columns)}


# Gone meanwhile -------------------------------------------------------------------------------------------------------

async def test_what_was_typed_into_a_draft_that_is_gone_is_told_so(visit, at):
    await ready(at)
    v = await drafted()
    item = await its(POOR)
    await actions.discard_draft(await actor_of(COUNTY), NINGYANG, v)
    for noun in ("items/new", f"items/{item.id}"):
        answer = await visit(COUNTY, "POST", f"{ADDRESS}/draft/{noun}", data=as_form(item) | {"version": v})
        assert (answer.status_code, "草稿刚才已经发布或作废了" in answer.text) == (409, True), noun


# Drafting -------------------------------------------------------------------------------------------------------------

async def test_the_first_draft_is_what_counties_typically_have(visit, at):
    await at(OPENED)
    answer = await visit(COUNTY, "POST", f"{ADDRESS}/draft")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{ADDRESS}/draft")
    assert len(await listed()) == len(actions.typical())
    assert await evidence("draft_catalogue") == 1
    assert POOR in (await visit(COUNTY, "GET", f"{ADDRESS}/draft")).text


async def test_the_next_draft_is_a_copy_of_the_newest(at):
    await at(OPENED)
    await catalogue()
    await drafted()
    assert [(one.item, one.name) for one in await listed()] == [(one.item, one.name) for one in await listed(1)]


async def test_begun_twice_or_by_two_at_once_it_is_one_draft(at):
    await at(OPENED)
    await asyncio.gather(*(drafted() for _ in range(4)))
    assert await one("SELECT count(*) FROM catalogue") == await evidence("draft_catalogue") == 1
    assert len(await listed()) == len(actions.typical())


@pytest.mark.parametrize("person", [CITY, COMMITTEE, SECRETARY, VILLAGE_ADMIN, VILLAGER, OTHER_COUNTY])
async def test_only_the_county_itself_keeps_its_catalogue(visit, at, owner, person):
    await at(OPENED)
    v = await drafted()
    before = await fingerprint(owner)
    for path, form in (("/draft", {}), ("/draft/items/new", FORM | {"version": v}),
                       ("/draft/discarding", {"version": v}), ("/publication", {"version": v})):
        answer = await visit(person, "POST", ADDRESS + path, data=form)
        assert answer.status_code == (404 if person is OTHER_COUNTY else 403), path
    assert await fingerprint(owner) == before


async def test_an_item_is_added_at_the_end_with_a_number_of_its_own(visit, at):
    await at(OPENED)
    v = await drafted()
    answer = await visit(COUNTY, "POST", f"{ADDRESS}/draft/items/new", data=FORM | {
        "version": v, "shape": "表格", "columns": "项目、金额，说明 备注"})
    assert answer.status_code == 303, answer.text
    made = (await listed())[-1]
    assert (made.name, made.columns, made.form) == ("修路", ("项目", "金额", "说明", "备注"), "表格")
    assert made.item == max(one.item for one in await listed())
    assert await version() == v + 1
    assert await evidence("write_catalogue_item") == 1


async def test_an_item_is_changed_and_keeps_its_number(visit, at):
    await at(OPENED)
    v = await drafted()
    before = await its(POOR)
    answer = await visit(COUNTY, "POST", f"{ADDRESS}/draft/items/{before.id}", data=as_form(before) | {
        "version": v, "columns": "姓名 月金额", "frequency": "每月"})
    assert answer.status_code == 303, answer.text
    after = await its(POOR)
    assert (after.item, after.columns, after.frequency) == (before.item, ("姓名", "月金额"), "每月")


async def test_an_item_is_removed_and_gone_it_changes_nothing(visit, at):
    await at(OPENED)
    v = await drafted()
    item = await its(POOR)
    removal = f"{ADDRESS}/draft/items/{item.id}/removal"
    assert (await visit(COUNTY, "POST", removal, data={"version": v})).status_code == 303
    assert POOR not in {one.name for one in await listed()}
    assert (await visit(COUNTY, "POST", removal, data={"version": v})).status_code == 409  # an old page
    assert (await visit(COUNTY, "POST", removal, data={"version": v + 1})).status_code == 303
    assert await evidence("remove_catalogue_item") == 1


@pytest.mark.parametrize(("changed", "field"), [
    ({"name": ""}, "事项"), ({"name": "长" * 41}, "事项最多"), ({"category": "杂务"}, "类别"),
    ({"shape": "口头"}, "公开形式"),
    ({"shape": "表格"}, "哪些列"), ({"columns": "姓名"}, "才有列"),
    ({"shape": "表格", "columns": "姓名 姓名"}, "两列名称相同"),
    ({"shape": "表格", "columns": " ".join(f"列{one}" for one in range(13))}, "最多 12 列"),
    ({"shape": "账目"}, "账目只用于财务"), ({"category": "便民服务"}, "每月至少更新一次"),
    ({"audience": "党员"}, "只有党务"),
    ({"name": POOR}, "已经有这一项"), ({"shape": "账目", "category": "财务", "frequency": "每月"}, "已经有账目"),
    ({"version": "x"}, "版本"), ({"guidance": "长" * 501}, "业务指导最多")])
async def test_a_wrong_item_leaves_nothing_behind_and_keeps_what_was_typed(visit, at, owner, changed, field):
    await at(OPENED)
    v = await drafted()
    before = await fingerprint(owner)
    answer = await visit(COUNTY, "POST", f"{ADDRESS}/draft/items/new", data=FORM | {"version": v} | changed)
    assert answer.status_code == 422
    assert field in answer.text or "version" in changed
    assert await fingerprint(owner) == before


async def test_an_item_of_the_same_name_may_stand_beside_it_for_communities(at):
    await at(OPENED)
    v = await drafted()
    actor, item = await actor_of(COUNTY), await its("各类资源")  # of villages only
    values = {name: getattr(item, name) for name in actions.FIELDS} | {"variant": "社区"}
    await actions.write_item(actor, NINGYANG, v, None, values)
    with pytest.raises(Refused):
        await actions.write_item(actor, NINGYANG, v + 1, None, values)


async def test_a_second_ledger_is_refused_for_villages_that_have_one(at):
    await at(OPENED)
    v = await drafted()
    ledger = await its(ACCOUNTS)
    values = {name: getattr(ledger, name) for name in actions.FIELDS} | {"name": "第二本账"}
    for variant in ("都适用", "村", "社区"):
        with pytest.raises(Refused, match="已经有账目"):
            await actions.write_item(await actor_of(COUNTY), NINGYANG, v, None, values | {"variant": variant})


@pytest.mark.parametrize(("changed", "field"), [
    ({"form": "表格"}, "columns"), ({"form": "账目"}, "form"), ({"category": "便民服务"}, "frequency"),
    ({"category": "财务", "audience": "党员"}, "audience")])
async def test_called_directly_no_item_comes_in_that_the_rules_forbid(at, owner, changed, field):
    await at(OPENED)
    v = await drafted()
    before = await fingerprint(owner)
    values = FORM | {"form": FORM["shape"], "columns": ()} | changed
    with pytest.raises(Refused) as refused:
        await actions.write_item(await actor_of(COUNTY), NINGYANG, v, None, values)
    assert refused.value.field == field
    assert await fingerprint(owner) == before


async def test_a_removed_item_cannot_be_changed(at):
    await at(OPENED)
    v = await drafted()
    item = await its(POOR)
    values = {name: getattr(item, name) for name in actions.FIELDS}
    await actions.remove_item(await actor_of(COUNTY), NINGYANG, v, item.id)
    with pytest.raises(WrongState, match="被别人去掉"):
        await actions.write_item(await actor_of(COUNTY), NINGYANG, v + 1, item.id, values)


async def test_two_at_once_write_one_after_the_other_or_are_told(at):
    await at(OPENED)
    v, actor, item = await drafted(), await actor_of(COUNTY), await its(POOR)
    values = {name: getattr(item, name) for name in actions.FIELDS}
    told = await asyncio.gather(
        actions.write_item(actor, NINGYANG, v, item.id, values | {"content": "一"}),
        actions.remove_item(actor, NINGYANG, v, item.id), actions.discard_draft(actor, NINGYANG, v),
        actions.publish(actor, NINGYANG, v, ""), return_exceptions=True)
    assert sum(isinstance(one, WrongState) for one in told) == 3, told


# Publishing -----------------------------------------------------------------------------------------------------------

async def test_published_it_has_a_number_a_date_and_a_note(visit, at):
    await at(OPENED)
    v = await drafted()
    answer = await visit(COUNTY, "POST", f"{ADDRESS}/publication", data={"version": v, "note": "按新规定"})
    assert (answer.status_code, answer.headers["location"]) == (303, ADDRESS)
    found = await tables.published(NINGYANG)
    assert found is not None
    assert (found["number"], found["note"], found["who"]) == (1, "按新规定", "郑县 · 县级管理员")
    assert await tables.draft(NINGYANG) is None
    assert await evidence("publish_catalogue") == 1


async def test_who_keeps_the_books_and_who_reviews_them_are_told_of_a_new_version_once(at, visit):
    await at(OPENED)
    await opened(QIANCUN)
    await actions.publish(await actor_of(COUNTY), NINGYANG, await drafted(), "加上防汛")
    for _ in range(2):
        await effects.sweep()
    line = ["新目录", "三务公开目录第 1 版：加上防汛", f"/catalogues/{NINGYANG}"]
    found = {found["name"]: json.loads(found["card"])["lines"] for found in await rows("""
        SELECT p.name, e.card::text FROM entry e JOIN thread t ON t.id = e.thread_id JOIN person p ON p.id = t.person_id
        WHERE t.kind = 'reminders' AND e.superseded_at IS NULL AND e.card::text LIKE '%新目录%'""")}
    assert found == {person.name: [line] for person in (VILLAGE_ADMIN, SECRETARY, COMMITTEE, COMMITTEE_ORGANISER)}
    assert "三务公开目录第 1 版" in (await visit(VILLAGE_ADMIN, "GET", "/threads")).text


async def test_published_by_two_at_once_it_is_one_version(at):
    await at(OPENED)
    v, actor = await drafted(), await actor_of(COUNTY)
    told = await asyncio.gather(*(actions.publish(actor, NINGYANG, v, "") for _ in range(3)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in told) == ["WrongState", "WrongState", "int"]
    assert await evidence("publish_catalogue") == 1
    assert [one["number"] for one in await tables.versions(NINGYANG)] == [1]


@pytest.mark.parametrize("noun", ["publication", "draft/discarding"])
async def test_pressed_twice_it_is_done_once_and_says_so(visit, at, noun):
    await at(OPENED)
    form = {"version": await drafted()} | ({"note": ""} if noun == "publication" else {})
    first, second = [await visit(COUNTY, "POST", f"{ADDRESS}/{noun}", data=form) for _ in range(2)]
    assert first.status_code == 303
    assert await one("SELECT count(*) FROM catalogue WHERE number IS NULL") == 0
    assert second.status_code == 409, "404 没有找到这一页 tells somebody who pressed twice nothing"


async def test_an_empty_catalogue_is_not_published(visit, at):
    await at(OPENED)
    v = await drafted()
    for item in await listed():
        await actions.remove_item(await actor_of(COUNTY), NINGYANG, v, item.id)
        v += 1
    answer = await visit(COUNTY, "POST", f"{ADDRESS}/publication", data={"version": v, "note": ""})
    assert answer.status_code == 422
    assert "目录里还没有事项" in answer.text


async def test_thrown_away_the_published_one_stays(visit, at):
    await at(OPENED)
    await catalogue()
    v = await drafted()
    assert (await visit(COUNTY, "POST", f"{ADDRESS}/draft/discarding", data={"version": v})).status_code == 303
    assert await tables.draft(NINGYANG) is None
    assert (await tables.published(NINGYANG) or {})["number"] == 1
    assert await evidence("discard_catalogue") == 1


async def test_before_publishing_the_county_sees_what_open_things_it_bears_on(visit, at):
    await ready(at)
    await begin(POOR, "2026-Q3")
    await drafted()
    item = await its(POOR)
    await actions.remove_item(await actor_of(COUNTY), NINGYANG, await version(), item.id)
    text = (await visit(COUNTY, "GET", f"{ADDRESS}/draft")).text
    assert "2 项还没公开的，不再要求公开；1 份草稿留着，不能再提交" in text  # third and fourth quarter


@pytest.mark.parametrize(("kind", "label", "told"), [
    (Kind.CHANGED, "公开范围", "2 项还没公开的，按新的要求公开；1 份草稿要再看一遍、存一次"),
    (Kind.CHANGED, "填写说明", "2 项还没公开的，按新的要求公开"),
    (Kind.ADDED, "", "发布后，各村从本期起就应公开")])
async def test_what_becomes_of_open_things_depends_on_what_changes(at, kind, label, told):
    await at(OPENED)
    await catalogue()
    fields = ((label, "甲", "乙"),) if label else ()
    await drafted()
    held = (2, 1) if label else (0, 0)
    assert shown_change(Change(kind, await its(POOR), fields), *held)["bears"] == told


async def test_every_version_stays_readable_with_what_it_changed(visit, at):
    await at(OPENED)
    await catalogue()
    await new_version({POOR: None}, note="低保另行公开")
    for person in (VILLAGER, SECRETARY, COMMITTEE, COUNTY, CITY):
        newest = await visit(person, "GET", ADDRESS)
        assert newest.status_code == 200
        assert "低保另行公开" in newest.text
        assert POOR in (await visit(person, "GET", f"{ADDRESS}/versions/1")).text
    assert (await visit(VILLAGER, "GET", f"{ADDRESS}/versions/3")).status_code == 404
    assert (await visit(ZHOUCHENG, "GET", ADDRESS)).status_code == 404
    assert (await visit(OTHER_COUNTY, "GET", ADDRESS)).status_code == 404


async def test_item_numbers_and_dates_go_on_over_versions(at):
    await at(OPENED)
    await catalogue()
    first = {one.name: one.item for one in await listed(1)}
    await at("2026-10-08 09:00")
    await new_version({POOR: {"frequency": "每月"}})
    assert {one.name: one.item for one in await listed(2)} == first
    since = await tables.since(NINGYANG)
    days = {name: since[number] for name, number in first.items()}
    assert str(days[POOR]) == "2026-10-08"  # so often it is asked for from then on
    assert {str(day) for name, day in days.items() if name != POOR} == {"2026-09-01"}
    await publish_again(at)
    assert await tables.since(NINGYANG) == since


async def publish_again(at) -> None:
    await at("2026-10-09 09:00")
    await new_version({POOR: {"guidance": "写明户数"}})


async def test_what_changes_nothing_is_not_published(visit, at):
    await at(OPENED)
    await catalogue()
    held = await drafted()
    answer = await visit(COUNTY, "POST", f"{ADDRESS}/publication", data={"version": held, "note": ""})
    assert answer.status_code == 422
    assert "和现行的第 1 版没有不同，不用发布" in answer.text
    assert (await tables.published(NINGYANG))["number"] == 1


async def test_an_older_version_says_which_took_its_place(visit, at):
    await at(OPENED)
    await catalogue()
    await new_version({POOR: {"frequency": "每月"}})
    assert "这是以前的一版，第 2 版" in (await visit(COUNTY, "GET", f"{ADDRESS}/versions/1")).text
    assert "这是以前的一版" not in (await visit(COUNTY, "GET", f"{ADDRESS}/versions/2")).text
