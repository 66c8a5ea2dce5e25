"""问这一笔, 我要问: a reader of the village asks about what it has published, or about one entry."""
import asyncio

import pytest

from server.core.database import the_row
from tests.cast import (
    APPLICANT,
    BEIMEN,
    COMMITTEE,
    COUNTY,
    MEMBER,
    NEIGHBOUR,
    NEIGHBOUR_MEMBER,
    PROBATIONARY,
    SECRETARY,
    SUPERVISOR,
    VILLAGE_ADMIN,
    VILLAGER,
    XICUN,
)
from tests.databases import fingerprint
from tests.disclosure.stories import (
    DUES,
    HOUCUN,
    MEETINGS,
    QIANCUN,
    begin_correction,
    opened,
    published,
    ready,
    returned,
    review,
    signing,
    submitted,
    to_township,
    villager_of_houcun,
    withdrawn,
    written,
)
from tests.meetings.stories import evidence, one
from tests.questions.stories import NEXT_DAY, TEXT, ask, books, cards, entry, question, reply
from tests.threads.test_saying import unread


async def test_a_villager_asks_about_a_matter(visit, at):
    await ready(at)
    made = await published()
    assert "我要问" in (await visit(VILLAGER, "GET", f"/disclosures/{made}")).text
    page = await visit(VILLAGER, "GET", f"/disclosures/{made}/questions/new")
    assert (page.status_code, "想问什么" in page.text) == (200, True)
    asked = await ask(visit, made)
    found = await the_row("SELECT * FROM question WHERE id = $1", asked)
    assert (found["matter_id"], found["village_code"], found["text"], found["asked_of"], found["edition_number"],
            found["line"], found["named"], found["agrees"], found["state"]) == (
        made, QIANCUN, TEXT, "村里", 1, None, False, True, "待答复")
    shown = (await visit(VILLAGER, "GET", f"/questions/{asked}")).text
    assert all(words in shown for words in (TEXT, "待答复", "没有告诉村里", MEETINGS))
    assert await evidence("ask") == 1
    assert [TEXT in card for card in await cards("questions")] == [True]


async def test_a_villager_asks_about_one_entry(visit, at):
    await ready(at)
    made = await books()
    line = await entry()
    address = f"/disclosures/{made}/questions/new?line={line}"
    assert address in (await visit(VILLAGER, "GET", f"/disclosures/{made}")).text
    words = "9月9日 村内路灯维修 6 盏 −3,860.00"
    assert words in (await visit(VILLAGER, "GET", address)).text
    asked = await ask(visit, made, line=line)
    found = await the_row("SELECT line, line_words FROM question WHERE id = $1", asked)
    assert (found["line"], found["line_words"]) == (line, words)
    shown = (await visit(VILLAGER, "GET", f"/questions/{asked}")).text
    assert words in shown
    assert f"/disclosures/{made}#line-{line}" in shown


async def test_to_the_township_is_chosen_already_where_that_was_pressed(visit, at):
    await ready(at)
    made = await published()
    for to, chosen in (("township", "镇里"), ("county", "县里"), ("x", "村里"), ("", "村里")):
        text = (await visit(VILLAGER, "GET", f"/disclosures/{made}/questions/new?to={to}")).text
        ticked = [value for value in ("村里", "镇里", "县里") if any(
            f'value="{value}"' in tag and "checked" in tag for tag in text.split("<input"))]
        assert ticked == [chosen], to


@pytest.mark.parametrize("person", [SUPERVISOR, MEMBER, PROBATIONARY, SECRETARY])
async def test_every_reader_of_the_village_may_ask(visit, at, person):
    await ready(at)
    assert await ask(visit, await published(), person)


async def test_for_the_readers_of_other_villages_it_does_not_exist(visit, at, owner):
    await ready(at)
    await opened(HOUCUN)
    made = await books()
    line, neighbour = await entry(), await villager_of_houcun(owner)
    before = await fingerprint(owner)
    for person in (neighbour, NEIGHBOUR, NEIGHBOUR_MEMBER, XICUN, BEIMEN):
        address = f"/disclosures/{made}/questions"
        assert (await visit(person, "GET", f"{address}/new?line={line}")).status_code == 404, person.name
        assert (await visit(person, "POST", address, data=question(line=line))).status_code == 404, person.name
    assert await fingerprint(owner) == before


async def test_who_keeps_or_oversees_it_does_not_ask(visit, at):
    await ready(at)
    made = await published()
    for person in (VILLAGE_ADMIN, COMMITTEE, COUNTY, APPLICANT):
        assert (await visit(person, "POST", f"/disclosures/{made}/questions", data=question())).status_code == 403
    assert await one("SELECT count(*) FROM question") == 0


@pytest.mark.parametrize(("story", "status"), [(written, 404), (submitted, 404), (returned, 404), (withdrawn, 409)])
async def test_what_is_not_published_cannot_be_asked_about(visit, at, story, status):
    await ready(at)
    made = await story()
    answer = await visit(VILLAGER, "POST", f"/disclosures/{made}/questions", data=question())
    assert (answer.status_code, "刚才撤下了" in answer.text) == (status, status == 409)
    assert await one("SELECT count(*) FROM question") == 0
    assert (await visit(VILLAGER, "GET", f"/disclosures/{made}/questions/new")).status_code == 404


async def test_nor_what_waits_for_signatures_by_who_signs_it(visit, at):
    await ready(at)
    made = await signing()
    assert (await visit(SUPERVISOR, "POST", f"/disclosures/{made}/questions", data=question())).status_code == 404


async def test_what_is_for_members_is_asked_by_members(visit, at):
    await ready(at)
    made = await published(DUES)
    assert (await visit(VILLAGER, "POST", f"/disclosures/{made}/questions", data=question())).status_code == 404
    assert await ask(visit, made, MEMBER)


async def test_an_entry_of_another_matter_or_of_none_is_404(visit, at, owner):
    await ready(at)
    other = await published()
    await books()
    before, line = await fingerprint(owner), await entry()
    for made, name in ((other, line), (other, 999), (999, 0)):
        assert (await visit(VILLAGER, "GET", f"/disclosures/{made}/questions/new?line={name}")).status_code == 404
        answer = await visit(VILLAGER, "POST", f"/disclosures/{made}/questions", data=question(line=name))
        assert answer.status_code == 404, (made, name)
    assert await fingerprint(owner) == before


@pytest.mark.parametrize(("form", "words"), [
    ({"text": " "}, "请填写想问什么"), ({"text": "问" * 501}, "最多 500 个字"), ({"of": "省里"}, "请选择问谁"),
    ({"line": "x"}, "哪一笔不对"), ({"named": "yes"}, ""), ({"person": "7"}, "没有的内容")])
async def test_a_wrong_form_leaves_nothing_behind_and_loses_nothing(visit, at, owner, form, words):
    await ready(at)
    made = await published()
    before = await fingerprint(owner)
    answer = await visit(VILLAGER, "POST", f"/disclosures/{made}/questions", data=question() | form)
    assert answer.status_code == 422
    assert words in answer.text
    assert form.keys() & {"text", "line", "named", "person"} or TEXT in answer.text
    assert await fingerprint(owner) == before


async def test_a_double_tap_makes_one_question(visit, at):
    await ready(at)
    made = await published()
    answers = await asyncio.gather(*(
        visit(VILLAGER, "POST", f"/disclosures/{made}/questions", data=question()) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert await one("SELECT count(*) FROM question") == 1
    assert await one("SELECT count(*) FROM deadline WHERE rule = 'question_answer'") == 1
    assert await evidence("ask") == 1
    assert len(await cards("questions")) == 1


async def test_the_same_words_after_an_answer_about_another_entry_or_of_another_person_are_another_question(visit, at):
    await ready(at)
    made = await books()
    first = await ask(visit, made)
    assert await ask(visit, made, line=await entry()) != first
    assert await ask(visit, made, MEMBER) != first
    await at(NEXT_DAY)
    assert await ask(visit, made) == first, "it still waits"
    await reply(visit, first)
    assert await ask(visit, made) != first
    assert await one("SELECT count(*) FROM question") == 4


async def test_a_correction_meanwhile_takes_no_entry_from_under_the_question(visit, at):
    await ready(at)
    made = await books()
    line = await entry()
    page = (await visit(VILLAGER, "GET", f"/disclosures/{made}/questions/new?line={line}")).text
    assert 'name="number" value="1"' in page
    await begin_correction(made)
    await to_township(made)
    await review(made)
    asked = await ask(visit, made, line=line, number=1)
    found = await the_row("SELECT edition_number, line, line_words FROM question WHERE id = $1", asked)
    assert (found["edition_number"], found["line"]) == (1, line)
    assert "村内路灯维修" in found["line_words"]
    answer = await visit(VILLAGER, "POST", f"/disclosures/{made}/questions", data=question(line=line, number=9))
    assert answer.status_code == 404


async def test_nobody_answers_what_he_asked_himself(visit, at):
    await ready(at)
    asked = await ask(visit, await published(), SECRETARY)
    assert "/answer" not in (await visit(SECRETARY, "GET", f"/questions/{asked}")).text
    answer = await visit(SECRETARY, "POST", f"/questions/{asked}/answer", data={"answer": "我看没有问题"})
    assert (answer.status_code, "由别的同志答复" in answer.text) == (403, True)
    assert (await reply(visit, asked, VILLAGE_ADMIN)).status_code == 303


async def test_the_twenty_first_question_of_a_day_is_refused_and_not_lost(visit, at):
    await ready(at)
    made = await published()
    for number in range(20):
        await ask(visit, made, text=f"问题 {number}")
    answer = await visit(VILLAGER, "POST", f"/disclosures/{made}/questions", data=question("再问一个"))
    assert answer.status_code == 422
    assert "一天最多问 20 次" in answer.text
    assert "再问一个" in answer.text
    assert await ask(visit, made, MEMBER), "others may"
    await at("2026-10-09 10:00")
    assert await ask(visit, made)


async def test_that_it_may_stand_beside_the_entry_is_the_askers_to_tick(visit, at):
    await ready(at)
    made = await published()
    text = (await visit(VILLAGER, "GET", f"/disclosures/{made}/questions/new")).text
    assert "5 个工作日内答复" in text
    ticked = [tag for tag in text.split("<input") if 'type="checkbox"' in tag and "checked" in tag.partition(">")[0]]
    assert ticked == []


async def test_what_one_asked_oneself_is_no_news_and_the_answer_is(visit, at):
    await ready(at)
    asked = await ask(visit, await published())
    assert unread((await visit(VILLAGER, "GET", "/threads")).text, "我的提问") == 0
    await reply(visit, asked)
    assert unread((await visit(VILLAGER, "GET", "/threads")).text, "我的提问") == 1
