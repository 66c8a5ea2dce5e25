"""What the wall's QR code opens: exactly the edition that hangs there; 墙上和网上不一样 in one tap."""
import asyncio

import pytest

from server.core.database import the_row
from tests.cast import (
    APPLICANT,
    COMMITTEE,
    MEMBER,
    NEIGHBOUR,
    NEIGHBOUR_MEMBER,
    SECRETARY,
    SIDIAN,
    VILLAGE_ADMIN,
    VILLAGER,
    XICUN,
    organisation_id,
)
from tests.databases import fingerprint
from tests.disclosure.stories import (
    MEETINGS,
    TEXT,
    begin_correction,
    clock_of,
    corrected,
    published,
    ready,
    save,
    submitted,
    withdrawn,
    written,
)
from tests.meetings.stories import evidence, one
from tests.questions.stories import ask

NEW = "经村民代表会议决定，硬化村西道路 660 米。"
BUTTON = "墙上和网上不一样"


def wall(made: int, number: int = 1) -> str:
    return f"/disclosures/{made}/versions/{number}/wall"


async def tap(visit, made: int, number: int = 1, person=VILLAGER, **form):
    return await visit(person, "POST", f"/disclosures/{made}/versions/{number}/mismatch", data=form)


async def test_it_opens_exactly_the_edition_that_hangs_there(visit, at):
    await ready(at)
    made = await corrected(MEETINGS, text=NEW)
    for person in (VILLAGER, MEMBER, SECRETARY, VILLAGE_ADMIN, COMMITTEE):
        first, second = [(await visit(person, "GET", wall(made, number))).text for number in (1, 2)]
        assert (TEXT in first, "墙上贴的是第 1 版，网上现在是第 2 版" in first) == (True, True)
        page = second.partition('class="bar"')[0]
        assert (NEW in page, "墙上贴的是" in page) == (True, False)


async def test_what_is_asked_on_the_page_leads_to_the_newest(visit, at):
    await ready(at)
    made = await corrected(MEETINGS, text=NEW)
    text = (await visit(VILLAGER, "GET", wall(made))).text
    assert f'href="/disclosures/{made}"' in text
    assert BUTTON in text
    for person in (VILLAGE_ADMIN, COMMITTEE):
        assert BUTTON not in (await visit(person, "GET", wall(made))).text


async def test_an_edition_that_is_not_published_is_404(visit, at):
    await ready(at)
    made = await published()
    await begin_correction(made)
    await save(made, text=NEW)
    for person in (VILLAGER, SECRETARY, COMMITTEE):
        for number in (0, 2, 7, 2**63 - 1):
            assert (await visit(person, "GET", wall(made, number))).status_code == 404
    for number in (0, 2):
        assert (await tap(visit, made, number)).status_code == 404
    assert await one("SELECT count(*) FROM question") == 0


@pytest.mark.parametrize("story", [written, submitted])
async def test_nor_is_anything_of_what_is_not_online(visit, at, story):
    await ready(at)
    made = await story()
    assert (await visit(VILLAGER, "GET", wall(made))).status_code == 404
    assert (await tap(visit, made)).status_code == 404


async def test_the_code_of_what_was_taken_down_leads_to_the_notice(visit, at):
    await ready(at)
    made = await withdrawn()
    answer = await visit(VILLAGER, "GET", wall(made))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/disclosures/{made}")
    assert "撤下" in (await visit(VILLAGER, "GET", f"/disclosures/{made}")).text
    assert (await tap(visit, made)).status_code == 409
    assert await one("SELECT count(*) FROM question") == 0


async def test_another_villages_reader_finds_no_wall(visit, at, owner):
    await ready(at)
    made = await published()
    before = await fingerprint(owner)
    for person in (NEIGHBOUR, NEIGHBOUR_MEMBER, XICUN, SIDIAN):
        assert (await visit(person, "GET", wall(made))).status_code == 404, person.name
    for person in (NEIGHBOUR, NEIGHBOUR_MEMBER, XICUN):
        assert (await tap(visit, made, 1, person)).status_code == 404, person.name
    for person in (VILLAGE_ADMIN, COMMITTEE, APPLICANT):
        assert (await tap(visit, made, 1, person)).status_code == 403, person.name
    assert await fingerprint(owner) == before


async def test_who_is_not_signed_in_comes_back_to_it(visit, at):
    await ready(at)
    made = await published()
    answer = await visit(None, "GET", wall(made))
    assert (answer.status_code, answer.headers["location"]) == (
        303, f"/sign-in?next=/disclosures/{made}/versions/1/wall")


async def test_one_tap_tells_the_township(visit, at, owner):
    await ready(at)
    made = await corrected(MEETINGS, text=NEW)
    answer = await tap(visit, made)
    assert answer.status_code == 303
    asked = int(answer.headers["location"].rpartition("/")[2])
    found = await the_row("SELECT * FROM question WHERE id = $1", asked)
    assert (found["kind"], found["asked_of"], found["edition_number"], found["named"], found["agrees"]) == (
        BUTTON, "镇里", 1, False, False)
    assert "第 1 版不一样" in found["text"]
    clock = await clock_of(asked, "question")
    assert clock["organisation_id"] == await organisation_id(owner, "东疏镇党委")
    assert BUTTON in (await visit(COMMITTEE, "GET", f"/questions/{asked}")).text
    assert (await visit(SECRETARY, "GET", f"/questions/{asked}")).status_code == 404


async def test_tapped_many_times_it_is_noted_once(visit, at):
    await ready(at)
    made = await published()
    answers = [*await asyncio.gather(*(tap(visit, made) for _ in range(4))), await tap(visit, made)]
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert await evidence("ask") == 1
    assert (await tap(visit, made, 1, MEMBER)).headers["location"] != answers[0].headers["location"]


async def test_something_sent_with_the_tap_is_refused(visit, at, owner):
    await ready(at)
    made = await published()
    before = await fingerprint(owner)
    assert (await tap(visit, made, text="x")).status_code == 422
    assert await fingerprint(owner) == before


async def test_the_tap_after_twenty_questions_is_refused_in_words(visit, at):
    await ready(at)
    made = await published()
    for number in range(20):
        await ask(visit, made, text=f"问题 {number}")
    answer = await tap(visit, made)
    assert answer.status_code in (409, 422, 429)
    assert "一天最多问 20 次" in answer.text


async def told_of(visit) -> tuple[int, int]:
    """A matter of which somebody told that the wall differs, and what was told."""
    made = await published()
    await visit(VILLAGER, "POST", f"/disclosures/{made}/versions/1/mismatch")
    asked = await one("SELECT max(id) FROM question")
    return made, asked


async def test_the_township_goes_from_the_report_to_a_spot_check_of_that_matter(visit, at):
    await ready(at)
    made, asked = await told_of(visit)
    check = f"/spot-checks/new?matter={made}"
    assert check in (await visit(COMMITTEE, "GET", f"/questions/{asked}")).text
    assert (await visit(COMMITTEE, "GET", check)).status_code == 200
    assert check not in (await visit(VILLAGER, "GET", f"/questions/{asked}")).text


async def test_who_told_may_say_more_where_it_goes_to_the_township(visit, at):
    await ready(at)
    made, asked = await told_of(visit)
    more = f"/disclosures/{made}/questions/new?to=township"
    assert more in (await visit(VILLAGER, "GET", f"/questions/{asked}")).text
    assert more not in (await visit(COMMITTEE, "GET", f"/questions/{asked}")).text
    assert 'value="镇里" checked' in (await visit(VILLAGER, "GET", more)).text
