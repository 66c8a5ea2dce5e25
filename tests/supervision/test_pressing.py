"""催办: once a day for each village, whoever presses; those who keep it hear of it in one reminder."""
import asyncio
import json
from datetime import timedelta

import pytest

from server.core.database import rows, the_row
from server.supervision.pressing import press
from tests.cast import (
    CITY,
    COMMITTEE,
    COMMITTEE_ORGANISER,
    COUNTY,
    SECRETARY,
    SIDIAN,
    VILLAGE_ADMIN,
    VILLAGER,
    ZHOUCHENG,
)
from tests.databases import fingerprint
from tests.disclosure.stories import ACCOUNTS, HOUCUN, MEETINGS, QIANCUN, XICUN_CODE, opened, published, submitted
from tests.meetings.stories import evidence, one
from tests.questions.stories import ask
from tests.supervision.stories import lapsed, swept
from tests.visits import actor_of

DONGSHU = "370921102"


async def tap(visit, *codes: str, by=COMMITTEE):
    return await visit(by, "POST", "/pressing", data={"villages": list(codes)})


async def told() -> dict[str, list[list[str]]]:
    """Whose reminder of the day has a line of 催办, and its lines."""
    return {found["name"]: [line for line in json.loads(found["card"])["lines"] if line[0] == "催办"]
            for found in await rows("""
        SELECT p.name, e.card::text FROM entry e JOIN thread t ON t.id = e.thread_id JOIN person p ON p.id = t.person_id
        WHERE t.kind = 'reminders' AND e.superseded_at IS NULL AND e.card::text LIKE '%催办%' ORDER BY p.name""")}


async def pressed() -> list[tuple[str, str]]:
    return [(found["unit_code"], found["who"].split(" · ")[0])
            for found in await rows("SELECT unit_code, who FROM pressing ORDER BY day, unit_code")]


async def test_those_who_keep_the_village_get_one_line_for_all_of_it(visit, at):
    await lapsed(at)
    titles = [found["title"] for found in await rows("""
        SELECT d.title FROM deadline d JOIN organisation o ON o.id = d.organisation_id
        WHERE o.name = '前村支部' AND d.overdue_at IS NOT NULL AND d.state = 'open' ORDER BY d.due_at, d.id""")]
    things = len(titles)
    assert things > 2
    oldest = "；".join(one.removeprefix("公开 · ") for one in titles[:2]) + f"等 {things} 件"
    text = (await visit(COMMITTEE, "GET", "/pressing")).text
    assert all(words in text for words in ("前村", "后村", oldest, "提醒选中的村"))
    answer = await tap(visit, QIANCUN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/pressing")
    line = ["催办", f"三务公开到期未办：{oldest}（M3§8）", "/disclosures"]
    assert await told() == {VILLAGE_ADMIN.name: [line], SECRETARY.name: [line]}
    found = await the_row("SELECT unit_code, day::text, things FROM pressing")
    assert tuple(found) == (QIANCUN, "2026-10-15", things)
    assert await evidence("press_villages") == 1
    assert f"到期未办：{oldest}" in (await visit(SECRETARY, "GET", "/threads")).text


async def test_pressed_again_that_day_whoever_presses_nobody_hears_of_it(visit, at):
    await lapsed(at)
    await tap(visit, QIANCUN)
    for person in (COMMITTEE, COMMITTEE_ORGANISER, COUNTY, CITY):
        assert (await tap(visit, QIANCUN, by=person)).status_code == 303
    assert await pressed() == [(QIANCUN, COMMITTEE.name)]
    assert await evidence("press_villages") == 1
    assert len(await told()) == 2
    text = (await visit(COUNTY, "GET", "/pressing")).text
    assert f"{COMMITTEE.name} · 党委管理员今天已提醒" in text


async def test_two_who_press_at_once_press_once(at):
    await lapsed(at)
    people = [await actor_of(person) for person in (COMMITTEE, COUNTY, COMMITTEE)]
    assert sorted(await asyncio.gather(*(press(person, [QIANCUN, HOUCUN]) for person in people))) == [0, 0, 2]
    assert [len(lines) for lines in (await told()).values()] == [1] * len(await told())


async def test_the_next_day_it_may_be_pressed_again(visit, at):
    await lapsed(at)
    await tap(visit, QIANCUN)
    await at("2026-10-16 09:00")
    await tap(visit, QIANCUN, by=COUNTY)
    assert await pressed() == [(QIANCUN, COMMITTEE.name), (QIANCUN, COUNTY.name)]


async def test_several_villages_are_pressed_together_and_each_hears_of_its_own(visit, at):
    await lapsed(at)
    await tap(visit, QIANCUN, HOUCUN)
    assert set(await told()) == {VILLAGE_ADMIN.name, SECRETARY.name, "李长河"}
    assert await evidence("press_villages") == 1
    assert "今天没有要催的" not in (await visit(COMMITTEE, "GET", "/pressing")).text
    assert "提醒选中的村" not in (await visit(COMMITTEE, "GET", "/pressing")).text
    assert "三务公开今天要催的" not in (await visit(COMMITTEE, "GET", "/to-dos")).text


@pytest.mark.parametrize("person", [SIDIAN, ZHOUCHENG])
async def test_only_ones_own_subtree_is_pressed(visit, at, owner, person):
    await lapsed(at)
    assert "前村" not in (await visit(person, "GET", "/pressing")).text
    before = await fingerprint(owner)
    assert (await tap(visit, QIANCUN, HOUCUN, by=person)).status_code == 303
    assert await fingerprint(owner) == before


async def test_a_village_with_nothing_overdue_is_not_pressed(visit, at, owner):
    await lapsed(at, QIANCUN)
    await opened(XICUN_CODE, SIDIAN)
    before = await fingerprint(owner)
    for codes in ((XICUN_CODE,), ("370921102999",), ("37",), ()):
        await tap(visit, *codes, by=COUNTY)
    assert await fingerprint(owner) == before
    assert (await visit(COMMITTEE, "POST", "/pressing", data={"villages": [QIANCUN], "all": "1"})).status_code == 422


@pytest.mark.parametrize("person", [SECRETARY, VILLAGE_ADMIN, VILLAGER])
async def test_nobody_below_presses(visit, at, owner, person):
    await lapsed(at)
    before = await fingerprint(owner)
    assert (await tap(visit, QIANCUN, by=person)).status_code == 403
    assert await fingerprint(owner) == before


async def test_whoever_has_left_the_post_is_not_reminded(visit, at, owner):
    await lapsed(at)
    grant = (await actor_of(SECRETARY)).grant_id
    await owner.execute("UPDATE role_grant SET until = ebranch_now() WHERE id = $1", grant)
    await tap(visit, QIANCUN)
    assert set(await told()) == {VILLAGE_ADMIN.name}


async def test_what_was_published_is_pressed_no_more(visit, at):
    await lapsed(at)
    await published(ACCOUNTS, "2026-09")
    before = (await visit(COMMITTEE, "GET", "/pressing")).text
    await published(MEETINGS)
    after = (await visit(COMMITTEE, "GET", "/pressing")).text
    assert before != after


async def test_what_is_due_today_is_pressed_already(visit, at):
    await lapsed(at, QIANCUN, until="2026-10-08 09:00")
    overdue = "SELECT count(*) FROM deadline WHERE overdue_at IS NOT NULL AND state = 'open'"
    due = await one("SELECT min(due_at) FROM deadline WHERE overdue_at IS NULL AND rule = 'disclosure_publish'")
    await at(due - timedelta(days=1, seconds=1))
    assert f"{await one(overdue)} 件" in (await visit(COMMITTEE, "GET", "/pressing")).text
    await at(due - timedelta(hours=1))
    await tap(visit, QIANCUN)
    assert await one("SELECT things FROM pressing") > await one(overdue)


async def test_reviews_that_are_overdue_stand_there_by_township(visit, at):
    await lapsed(at, QIANCUN)
    await submitted(MEETINGS)
    assert "镇街审核逾期" not in (await visit(COUNTY, "GET", "/pressing")).text
    await at("2026-10-26 09:00")
    await swept()
    text = (await visit(COUNTY, "GET", "/pressing")).text
    assert all(words in text for words in ("镇街审核逾期", "东疏镇党委"))
    for person in (SIDIAN, COMMITTEE):
        assert "镇街审核逾期" not in (await visit(person, "GET", "/pressing")).text, "it has its own among its to-dos"


async def test_a_township_is_pressed_for_its_reviews_once_a_day_by_who_stands_above(visit, at, owner):
    await lapsed(at, QIANCUN)
    await submitted(MEETINGS)
    await at("2026-10-26 09:00")
    await swept()
    late = await one("SELECT title FROM deadline WHERE rule = 'disclosure_review' AND overdue_at IS NOT NULL")
    for person in (COMMITTEE, SIDIAN):
        assert (await visit(person, "POST", "/pressing", data={"townships": [DONGSHU]})).status_code == 303
    assert await pressed() == []
    for person in (COUNTY, CITY, COUNTY):
        assert (await visit(person, "POST", "/pressing", data={"townships": [DONGSHU]})).status_code == 303
    assert await pressed() == [(DONGSHU, COUNTY.name)]
    found = await told()
    assert set(found) == {COMMITTEE.name, COMMITTEE_ORGANISER.name}
    assert found[COMMITTEE.name] == [["催办", f"三务公开审核逾期：{late}（M3§8）", "/reviews"]]
    assert await evidence("press_villages") == 1
    assert f"{COUNTY.name} · 县级管理员今天已提醒" in (await visit(CITY, "GET", "/pressing")).text
    assert "三务公开审核逾期" not in (await visit(COUNTY, "GET", "/to-dos")).text


async def test_an_overdue_question_of_the_village_counts_too(visit, at):
    await lapsed(at, QIANCUN)
    made = await published(MEETINGS)
    before = await one("SELECT count(*) FROM deadline WHERE overdue_at IS NOT NULL AND state = 'open'")
    await ask(visit, made)
    await at("2026-10-30 09:00")
    await swept()
    await tap(visit, QIANCUN)
    assert await one("SELECT things FROM pressing") > before
