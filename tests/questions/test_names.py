"""Who asked is learnt by who is asked for help, the township or the county; by the village, and all above it, only if
the asker wants it; by others never."""
import pytest

from tests.cast import (
    CITY,
    COMMITTEE,
    COMMITTEE_ORGANISER,
    COUNTY,
    MEMBER,
    NEIGHBOUR,
    NEIGHBOUR_MEMBER,
    OTHER_CITY,
    OTHER_COUNTY,
    PROVINCE,
    SECRETARY,
    SIDIAN,
    SUPERVISOR,
    VILLAGE_ADMIN,
    VILLAGER,
    XICUN,
    ZHOUCHENG,
)
from tests.disclosure.stories import published, ready, villager_of_houcun
from tests.questions.stories import COUNTY_ASKED, TEXT, TOWNSHIP, VILLAGE, ask, books, entry, reply, state

ABOVE = (COMMITTEE, COMMITTEE_ORGANISER, COUNTY, CITY, PROVINCE)
ELSEWHERE = (NEIGHBOUR, NEIGHBOUR_MEMBER, XICUN, SIDIAN, ZHOUCHENG, OTHER_COUNTY, OTHER_CITY)
AT_THE_VILLAGE = (SECRETARY, VILLAGE_ADMIN)


async def seen(visit, person, asked: int) -> str | None:
    """What somebody reads of a question; None where it does not exist for him, in the list neither."""
    shown, listed = await visit(person, "GET", f"/questions/{asked}"), (await visit(person, "GET", "/questions"))
    there = listed.status_code == 200 and f'href="/questions/{asked}"' in listed.text
    assert there == (shown.status_code == 200), person.name
    return shown.text + listed.text if there else None


async def everything(visit, person, made: int, asked: int) -> str:
    """All that somebody of the village comes by, about a question."""
    addresses = ("/questions", f"/questions/{asked}", "/to-dos", "/threads", "/disclosures", f"/disclosures/{made}",
                 f"/disclosures/{made}/versions/1/wall", f"/disclosures/{made}/broadcast",
                 f"/disclosures/{made}/versions/1/sheet")
    return "".join([(await visit(person, "GET", address)).text for address in addresses])


async def test_the_village_answers_a_question_without_learning_the_name(visit, at):
    await ready(at)
    made = await books()
    asked = await ask(visit, made, line=await entry())
    for _ in range(2):
        for person in AT_THE_VILLAGE:
            text = await everything(visit, person, made, asked)
            assert TEXT in text
            assert "一位村民" in text
            assert VILLAGER.name not in text, person.name
        await reply(visit, asked)


async def test_the_name_that_was_given_is_told_to_the_village(visit, at):
    await ready(at)
    asked = await ask(visit, await published(), named=True)
    for person in AT_THE_VILLAGE:
        assert VILLAGER.name in (await visit(person, "GET", f"/questions/{asked}")).text
        assert VILLAGER.name in (await visit(person, "GET", "/questions")).text


@pytest.mark.parametrize("of", [VILLAGE, TOWNSHIP, COUNTY_ASKED])
async def test_all_above_see_it_and_who_is_asked_knows_the_name(visit, at, of):
    await ready(at)
    asked = await ask(visit, await published(), of=of)
    for person in ABOVE:
        text = await seen(visit, person, asked)
        assert text is not None, person.name
        knows = person in {TOWNSHIP: (COMMITTEE, COMMITTEE_ORGANISER), COUNTY_ASKED: (COUNTY,)}.get(of, ())
        assert (VILLAGER.name in text, "一位村民" in text) == (knows, not knows), person.name


@pytest.mark.parametrize("of", [TOWNSHIP, COUNTY_ASKED])
@pytest.mark.parametrize("named", [False, True])
async def test_what_goes_past_the_village_is_not_seen_there(visit, at, of, named):
    await ready(at)
    made = await published()
    asked = await ask(visit, made, of=of, named=named)
    for person in AT_THE_VILLAGE:
        assert await seen(visit, person, asked) is None, person.name
        text = await everything(visit, person, made, asked)
        assert TEXT not in text
        assert "待答复 0 件" in (await visit(person, "GET", "/to-dos")).text
    assert await seen(visit, VILLAGER, asked), "the asker does"


@pytest.mark.parametrize("of", [VILLAGE, TOWNSHIP])
async def test_other_villagers_see_neither_question_nor_asker(visit, at, owner, of):
    await ready(at)
    made = await published()
    asked = await ask(visit, made, of=of, named=True, agrees=False)
    others = (MEMBER, SUPERVISOR, await villager_of_houcun(owner), *ELSEWHERE)
    for _ in range(2):
        for person in others:
            assert await seen(visit, person, asked) is None, person.name
        assert TEXT not in (await visit(MEMBER, "GET", f"/disclosures/{made}")).text
        await reply(visit, asked, SECRETARY if of == VILLAGE else COMMITTEE)
        assert await state(asked) == "已答复"


@pytest.mark.parametrize("named", [False, True])
async def test_beside_the_entry_there_is_no_name_whoever_reads_it(visit, at, named):
    await ready(at)
    made = await books()
    asked = await ask(visit, made, line=await entry(), named=named)
    await reply(visit, asked)
    for person in (MEMBER, SUPERVISOR, VILLAGE_ADMIN, COMMITTEE):
        text = (await visit(person, "GET", f"/disclosures/{made}")).text
        assert TEXT in text
        assert VILLAGER.name not in text, person.name


async def test_unknown_questions_are_404(visit, at):
    await ready(at)
    for person in (VILLAGER, SECRETARY, COMMITTEE):
        for address in ("/questions/999", f"/questions/{2**63 - 1}"):
            assert (await visit(person, "GET", address)).status_code == 404


async def test_the_list_is_read_by_state_and_page_by_page(visit, at):
    await ready(at)
    made = await published()
    for number in range(20):
        await ask(visit, made, text=f"甲问{number:02}完")
    for number in range(12):
        await ask(visit, made, MEMBER, text=f"乙问{number:02}完")
    page = (await visit(COMMITTEE, "GET", "/questions?status=待答复")).text
    assert ("乙问11完" in page, "甲问01完" in page, "甲问02完" in page) == (True, False, True)
    onwards = page.partition('class="more" href="')[2].partition('"')[0].replace("&amp;", "&")
    rest = (await visit(COMMITTEE, "GET", onwards)).text
    assert ("甲问01完" in rest, "甲问00完" in rest, "甲问02完" in rest) == (True, True, False)
    assert "甲问" not in (await visit(COMMITTEE, "GET", "/questions?status=已答复")).text
