"""答复: owed within five working days, or what the county settles, by whoever was asked; given once."""
import asyncio

import pytest

from server.core import deadlines
from server.core.clock import now
from server.core.database import transaction
from server.core.moves import WrongState
from server.questions import actions
from server.questions.tables import question_seen_by
from tests.cast import (
    BRANCH_ADMIN,
    CITY,
    COMMITTEE,
    COMMITTEE_ORGANISER,
    COUNTY,
    MEMBER,
    NEIGHBOUR,
    SECRETARY,
    SIDIAN,
    SUPERVISOR,
    VILLAGE_ADMIN,
    VILLAGER,
    organisation_id,
)
from tests.databases import fingerprint
from tests.disclosure.stories import clock_of, published, ready
from tests.meetings.stories import evidence, one
from tests.questions.stories import (
    ANSWER,
    ASKED_AT,
    COUNTY_ASKED,
    LATER,
    NEXT_DAY,
    TEXT,
    TOWNSHIP,
    VILLAGE,
    ask,
    cards,
    reply,
    state,
)
from tests.villages.test_guards import refused
from tests.visits import actor_of


async def asked_on_tuesday(visit, at, of: str = VILLAGE, **more) -> int:
    await ready(at)
    made = await published()
    await at(ASKED_AT)
    return await ask(visit, made, of=of, **more)


async def clock(asked: int) -> dict:
    return await clock_of(asked, "question")


async def test_an_answer_is_owed_within_five_working_days(visit, at):
    asked = await asked_on_tuesday(visit, at)
    found = await clock(asked)
    assert (found["rule"], found["state"]) == ("question_answer", "open")
    assert found["due_at"] == await at("2026-12-02 00:00"), "Wednesday to Friday, Monday, Tuesday"
    await at(NEXT_DAY)
    page = (await visit(SECRETARY, "GET", f"/questions/{asked}")).text
    assert "12月1日" in page


async def test_a_county_may_settle_another_length(visit, at):
    await ready(at)
    form = {"signed": ["财务"], "answer_days": "3", "version": "0"}
    assert (await visit(COUNTY, "POST", "/county-settings", data=form)).status_code == 303
    made = await published()
    await at(ASKED_AT)
    assert (await clock(await ask(visit, made)))["due_at"] == await at("2026-11-28 00:00")


@pytest.mark.parametrize(("of", "owes"), [
    (VILLAGE, "前村支部"), (TOWNSHIP, "东疏镇党委"), (COUNTY_ASKED, "宁阳县委组织部")])
async def test_who_is_asked_owes_it(visit, at, owner, of, owes):
    asked = await asked_on_tuesday(visit, at, of)
    assert (await clock(asked))["organisation_id"] == await organisation_id(owner, owes)
    people = {VILLAGE: SECRETARY, TOWNSHIP: COMMITTEE, COUNTY_ASKED: COUNTY}
    for its, person in people.items():
        assert (f"/questions/{asked}" in (await visit(person, "GET", "/to-dos")).text) == (its == of), person.name


@pytest.mark.parametrize(("of", "person"), [
    (VILLAGE, SECRETARY), (VILLAGE, VILLAGE_ADMIN), (TOWNSHIP, COMMITTEE), (TOWNSHIP, COMMITTEE_ORGANISER),
    (COUNTY_ASKED, COUNTY)])
async def test_the_answer_stops_it_and_reaches_the_asker(visit, at, of, person):
    asked = await asked_on_tuesday(visit, at, of)
    assert ANSWER not in (await visit(VILLAGER, "GET", f"/questions/{asked}")).text
    answer = await reply(visit, asked, person)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/questions/{asked}")
    assert (await clock(asked))["state"] == "met"
    text = (await visit(VILLAGER, "GET", f"/questions/{asked}")).text
    assert all(words in text for words in (ANSWER, "已答复", person.name))
    assert [ANSWER in card for card in await cards("questions")] == [True], "in place of what said it was asked"
    assert ["有答复" in card and f"/questions/{asked}" in card for card in await cards("reminders")] == [True]
    assert await evidence("answer") == 1


async def test_an_answer_after_the_fifth_day_is_late(visit, at):
    asked = await asked_on_tuesday(visit, at)
    await at(LATER)
    async with transaction():
        await deadlines.sweep(now())
    await reply(visit, asked)
    assert (await clock(asked))["state"] == "late"


async def test_who_is_not_asked_does_not_answer(visit, at, owner):
    asked = await asked_on_tuesday(visit, at)
    before = await fingerprint(owner)
    for person, status in ((COMMITTEE, 403), (COUNTY, 403), (CITY, 403), (VILLAGER, 403), (MEMBER, 403),
                           (SUPERVISOR, 403), (BRANCH_ADMIN, 403), (NEIGHBOUR, 404), (SIDIAN, 404)):
        assert (await reply(visit, asked, person)).status_code == status, person.name
    assert "这个问题问的是村里，由那边答复" in (await reply(visit, asked, COMMITTEE)).text
    assert await fingerprint(owner) == before


@pytest.mark.parametrize(("of", "statuses"), [(TOWNSHIP, (404, 404, 403)), (COUNTY_ASKED, (404, 404, 403))])
async def test_nor_does_the_village_where_it_was_passed_over(visit, at, owner, of, statuses):
    asked = await asked_on_tuesday(visit, at, of)
    before = await fingerprint(owner)
    other = COUNTY if of == TOWNSHIP else COMMITTEE
    assert tuple([(await reply(visit, asked, person)).status_code
                  for person in (SECRETARY, VILLAGE_ADMIN, other)]) == statuses
    assert await fingerprint(owner) == before


async def test_it_is_answered_once(visit, at):
    asked = await asked_on_tuesday(visit, at)
    await reply(visit, asked)
    again = await reply(visit, asked, VILLAGE_ADMIN, "另一个答复")
    assert again.status_code == 409
    assert "刚才已经答复了" in again.text
    assert await one("SELECT answer FROM question") == ANSWER
    assert await evidence("answer") == 1


async def test_two_who_answer_at_once_give_one_answer(visit, at):
    asked = await asked_on_tuesday(visit, at)
    answers = await asyncio.gather(*(reply(visit, asked, person, f"{person.name}答复")
                                     for person in (SECRETARY, VILLAGE_ADMIN) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [303, 409, 409, 409]
    assert await evidence("answer") == 1
    assert len(await cards("reminders")) == 1


@pytest.mark.parametrize(("form", "words"), [
    ({"answer": ""}, "请填写答复"), ({"answer": "答" * 1001}, "最多 1000 个字"), ({"more": "1"}, "没有的内容")])
async def test_a_wrong_form_leaves_nothing_behind(visit, at, owner, form, words):
    asked = await asked_on_tuesday(visit, at)
    before = await fingerprint(owner)
    answer = await visit(SECRETARY, "POST", f"/questions/{asked}/answer", data={"answer": ANSWER} | form)
    assert (answer.status_code, words in answer.text) == (422, True)
    assert await fingerprint(owner) == before


async def test_called_directly_a_second_answer_finds_another_state(visit, at):
    asked = await asked_on_tuesday(visit, at)
    actor = await actor_of(SECRETARY)
    held = await question_seen_by(actor, asked)
    await actions.answer(actor, held, ANSWER, offered=True)
    with pytest.raises(WrongState):
        await actions.answer(actor, held, "别的", offered=True)


async def test_the_applications_sql_changes_no_answer_and_no_question(visit, at, as_app):
    asked = await asked_on_tuesday(visit, at)
    await refused("23514", as_app, "UPDATE question SET state = '已答复'")
    await reply(visit, asked)
    for change in ("answer = '别的'", "answer_who = '别人'", "answered_at = ebranch_now() + interval '1 s'"):
        await refused("EB050", as_app, f"UPDATE question SET {change}")
    for sql in ("UPDATE question SET text = '别的'", "UPDATE question SET who = '别人'", "DELETE FROM question",
                "UPDATE question SET named = true", "UPDATE question SET person_id = 1"):
        await refused("42501", as_app, sql)
    await refused("428C9", as_app, "UPDATE question SET shown = false")  # generated always
    assert await state(asked) == "已答复"
    assert await one("SELECT text FROM question") == TEXT
