"""Question and answer stand beside what they are about when both agree; abuse is hidden with a reason, and kept."""
import pytest

from server.core.database import the_row
from server.ledgers.writing import remove_line
from server.questions import actions
from tests.cast import (
    CITY,
    COMMITTEE,
    COMMITTEE_ORGANISER,
    COUNTY,
    MEMBER,
    NEIGHBOUR,
    OTHER_COUNTY,
    SECRETARY,
    SIDIAN,
    VILLAGE_ADMIN,
    VILLAGER,
)
from tests.databases import fingerprint
from tests.disclosure.stories import (
    DUES,
    TABLES,
    begin_correction,
    clock_of,
    edition,
    line,
    matter,
    new_version,
    published,
    ready,
    review,
    save,
    to_township,
    write_line,
)
from tests.meetings.stories import evidence, one
from tests.questions.stories import ANSWER, COUNTY_ASKED, TEXT, TOWNSHIP, ask, books, cards, entry, reply, state
from tests.villages.test_guards import refused
from tests.visits import actor_of

WHY = "骂人"


async def on_the_page(visit, made: int, person=MEMBER) -> bool:
    text = (await visit(person, "GET", f"/disclosures/{made}")).text
    assert (TEXT in text) == (ANSWER in text)
    return TEXT in text


async def agree(visit, asked: int, agrees: bool, person=VILLAGER):
    return await visit(person, "POST", f"/questions/{asked}/agreement", data={"agrees": str(int(agrees))})


async def hide(visit, asked: int, person=COMMITTEE, why: str = WHY):
    return await visit(person, "POST", f"/questions/{asked}/hiding", data={"why": why})


async def test_it_stands_right_beside_its_entry_for_every_reader(visit, at):
    await ready(at)
    made = await books()
    asked = await ask(visit, made, line=await entry())
    assert not await on_the_page(visit, made)
    await reply(visit, asked)
    for person in (VILLAGER, MEMBER, VILLAGE_ADMIN, COMMITTEE):
        assert await on_the_page(visit, made, person)
    text = (await visit(MEMBER, "GET", f"/disclosures/{made}")).text
    before = text.partition(TEXT)[0]
    assert before.rfind("村内路灯维修") > before.rfind("机动地承包费")
    assert "已公开在旁边" in (await visit(VILLAGER, "GET", f"/questions/{asked}")).text


@pytest.mark.parametrize(("agrees", "offered", "shown"), [
    (True, True, True), (True, False, False), (False, True, False), (False, False, False)])
async def test_only_when_both_agree(visit, at, agrees, offered, shown):
    await ready(at)
    made = await published()
    await reply(visit, await ask(visit, made, agrees=agrees), offered=offered)
    assert await on_the_page(visit, made) == shown
    assert await one("SELECT shown FROM question") == shown


async def test_the_asker_agrees_later_and_takes_it_back(visit, at):
    await ready(at)
    made = await published()
    asked = await ask(visit, made, agrees=False)
    await reply(visit, asked)
    for agrees in (True, True, False, False, True):
        assert (await agree(visit, asked, agrees)).status_code == 303
        assert await on_the_page(visit, made) == agrees
    assert await evidence("agree_to_show") == 3, "what is so already changes nothing"


async def test_to_agree_is_the_askers_alone(visit, at, owner):
    await ready(at)
    asked = await ask(visit, await published(), agrees=False)
    await reply(visit, asked)
    before = await fingerprint(owner)
    for person in (SECRETARY, VILLAGE_ADMIN, COMMITTEE, COUNTY, MEMBER, NEIGHBOUR):
        assert (await agree(visit, asked, True, person)).status_code == 404, person.name
    assert (await visit(VILLAGER, "POST", f"/questions/{asked}/agreement", data={"agrees": "x"})).status_code == 422
    assert await fingerprint(owner) == before


async def test_an_answer_that_was_not_offered_cannot_be_agreed_onto_the_page(visit, at):
    await ready(at)
    made = await published()
    asked = await ask(visit, made, agrees=False)
    await reply(visit, asked, offered=False)
    await agree(visit, asked, True)
    assert not await on_the_page(visit, made)


async def test_it_stays_beside_its_entry_in_the_next_edition(visit, at):
    await ready(at)
    made = await books()
    await reply(visit, await ask(visit, made, line=await entry()))
    await begin_correction(made)
    await to_township(made)
    await review(made)
    assert "第 2 版" in (await visit(MEMBER, "GET", f"/disclosures/{made}")).text
    assert await on_the_page(visit, made)


async def test_what_the_township_answers_stands_there_too(visit, at):
    await ready(at)
    made = await published()
    await reply(visit, await ask(visit, made, of="镇里"), COMMITTEE)
    text = (await visit(MEMBER, "GET", f"/disclosures/{made}")).text
    assert ANSWER in text
    assert VILLAGER.name not in text


# Abuse ----------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("person", [COMMITTEE, COUNTY])
async def test_abuse_is_hidden_with_a_reason_and_kept(visit, at, person):
    await ready(at)
    asked = await ask(visit, await published())
    assert (await hide(visit, asked, person)).status_code == 303
    found = await the_row("SELECT state, text, hidden_why, hidden_who FROM question WHERE id = $1", asked)
    assert (found["state"], found["text"], found["hidden_why"]) == ("已隐藏", TEXT, WHY)
    assert found["hidden_who"].startswith(person.name)
    for viewer in (VILLAGER, COMMITTEE, COUNTY):
        text = (await visit(viewer, "GET", f"/questions/{asked}")).text
        assert all(words in text for words in (TEXT, "已隐藏", WHY)), viewer.name
        assert f"/questions/{asked}" in (await visit(viewer, "GET", "/questions?status=已隐藏")).text
    assert (await clock_of(asked, "question"))["state"] == "withdrawn"
    assert await one("SELECT why FROM audit_event WHERE verb = 'hide_question'") == WHY
    assert [WHY in card for card in await cards("reminders")] == [True], "the asker is told"


async def test_what_stood_beside_the_entry_goes_with_it(visit, at):
    await ready(at)
    made = await books()
    asked = await ask(visit, made, line=await entry())
    await reply(visit, asked)
    await hide(visit, asked)
    for person in (VILLAGER, MEMBER, VILLAGE_ADMIN, COMMITTEE):
        assert not await on_the_page(visit, made, person)
    assert await one("SELECT answer FROM question") == ANSWER
    await agree(visit, asked, False)
    assert await one("SELECT agrees FROM question"), "what is hidden stays as it was"


async def test_nobody_below_and_nobody_elsewhere_hides_anything(visit, at, owner):
    await ready(at)
    asked = await ask(visit, await published())
    before = await fingerprint(owner)
    for person, status in ((SECRETARY, 403), (VILLAGE_ADMIN, 403), (VILLAGER, 403), (COMMITTEE_ORGANISER, 403),
                           (CITY, 403), (SIDIAN, 404), (OTHER_COUNTY, 404)):
        assert (await hide(visit, asked, person)).status_code == status, person.name
    for form in ({"why": ""}, {"why": "因" * 201}, {"why": WHY, "more": "1"}):
        assert (await visit(COMMITTEE, "POST", f"/questions/{asked}/hiding", data=form)).status_code == 422
    assert await fingerprint(owner) == before


@pytest.mark.parametrize(("of", "person", "answered", "status"), [
    (TOWNSHIP, COMMITTEE, False, 403), (TOWNSHIP, COUNTY, False, 303), (COUNTY_ASKED, COMMITTEE, False, 403),
    (COUNTY_ASKED, COUNTY, False, 403), (COUNTY_ASKED, COUNTY, True, 303)])
async def test_nobody_silences_what_goes_past_him_or_what_he_owes_an_answer(visit, at, of, person, answered, status):
    await ready(at)
    asked = await ask(visit, await published(), of=of)
    if answered:
        assert (await reply(visit, asked, COUNTY)).status_code == 303
    offered = f"/questions/{asked}/hiding" in (await visit(person, "GET", f"/questions/{asked}")).text
    assert offered is (status == 303)
    assert (await hide(visit, asked, person)).status_code == status
    assert (await state(asked) == "已隐藏") is (status == 303)


async def test_hidden_it_is_gone_from_older_editions_too(visit, at):
    await ready(at)
    made = await books()
    asked = await ask(visit, made, line=await entry())
    await reply(visit, asked)
    await begin_correction(made)
    await to_township(made)
    await review(made)
    for number in (1, 2):
        assert TEXT in (await visit(VILLAGER, "GET", f"/disclosures/{made}/versions/{number}")).text
    await hide(visit, asked)
    for number in (1, 2):
        assert TEXT not in (await visit(VILLAGER, "GET", f"/disclosures/{made}/versions/{number}")).text


async def test_an_entry_that_is_gone_or_entered_anew_takes_no_answer_with_it(visit, at):
    await ready(at)
    made = await books()
    its = await entry()
    await reply(visit, await ask(visit, made, line=its))
    await begin_correction(made)
    draft = (await edition(made))["id"]
    await remove_line(await actor_of(VILLAGE_ADMIN), await matter(made), draft, its)
    await write_line(made, line())
    await to_township(made)
    await review(made)
    page = (await visit(VILLAGER, "GET", f"/disclosures/{made}")).text
    assert f"9月9日 村内路灯维修 6 盏 −3,860.00：{TEXT}" in page
    assert ANSWER in page


async def test_what_members_asked_among_themselves_villagers_do_not_read(visit, at):
    await ready(at)
    made = await published(DUES)
    await reply(visit, await ask(visit, made, MEMBER))
    assert TEXT in (await visit(MEMBER, "GET", f"/disclosures/{made}")).text
    await new_version({DUES: {"audience": "村（居）民"}})
    await begin_correction(made)
    await save(made, lines=TABLES[DUES])
    await to_township(made)
    await review(made)
    page = await visit(VILLAGER, "GET", f"/disclosures/{made}")
    assert (page.status_code, TEXT in page.text) == (200, False)


async def test_hidden_twice_it_is_hidden_once_and_answered_no_more(visit, at, owner):
    await ready(at)
    asked = await ask(visit, await published())
    await hide(visit, asked)
    before = await fingerprint(owner)
    again = await hide(visit, asked, COUNTY, "别的原因")
    assert (again.status_code, "已经隐藏了" in again.text) == (409, True)
    assert (await reply(visit, asked)).status_code == 409
    assert await fingerprint(owner) == before
    assert await state(asked) == "已隐藏"


async def test_the_applications_sql_brings_nothing_hidden_back(visit, at, as_app):
    await ready(at)
    await hide(visit, await ask(visit, await published()))
    for change in ("state = '待答复', hidden_why = NULL, hidden_who = NULL, hidden_at = NULL", "hidden_why = '别的'"):
        await refused("EB050", as_app, f"UPDATE question SET {change}")


@pytest.mark.parametrize("gone", ["hidden", "taken back"])
async def test_what_came_onto_the_page_meanwhile_is_taken_off_it(visit, at, gone):
    """Whoever hides it, or takes his consent back, had looked at the question before it was answered."""
    await ready(at)
    made = await published()
    asked = await ask(visit, made)
    before = await the_row("SELECT * FROM question WHERE id = $1", asked)
    await reply(visit, asked)
    assert await on_the_page(visit, made)
    if gone == "hidden":
        await actions.hide(await actor_of(COMMITTEE), before, WHY)
    else:
        await actions.agree(await actor_of(VILLAGER), before, agrees=False)
    assert not await on_the_page(visit, made)


async def test_numbers_are_masked_beside_the_entry(visit, at):
    await ready(at)
    made = await published()
    await reply(visit, await ask(visit, made, text="打 13812345678 没人接"), text="卡号 6228481234567890123，已更正")
    page = (await visit(MEMBER, "GET", f"/disclosures/{made}")).text
    assert "打 138****5678 没人接" in page
    assert "13812345678" not in page
    assert "6228481234567890123" not in page
