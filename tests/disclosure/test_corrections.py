"""更正 (never in silence): a new edition with the reason, signed and reviewed again; the one before stays readable."""
import asyncio

import pytest

from server.core.database import rows
from server.core.moves import WrongState
from server.disclosure import comparing, editing
from server.disclosure.submission import NotFit
from tests.cast import COMMITTEE, MEMBER, SECRETARY, VILLAGE_ADMIN, VILLAGER
from tests.databases import fingerprint
from tests.disclosure.stories import (
    ASSETS,
    DUES,
    MEETINGS,
    POOR,
    TEXT,
    ask_down,
    begin_correction,
    clock_of,
    corrected,
    decide,
    duty,
    edition,
    hand_on,
    matter,
    new_version,
    owed,
    published,
    ready,
    returned,
    review,
    save,
    submitted,
    take_back,
    to_township,
    withdrawn,
    written,
)
from tests.meetings.stories import evidence, one
from tests.visits import actor_of

QUARTER, WHY = "2026-Q3", "金额写错了"


async def under_way(name: str = MEETINGS, **values) -> int:
    """A published matter whose correction waits for the township."""
    made = await published(name)
    await begin_correction(made)
    await save(made, **values)
    await to_township(made)
    return made


async def test_it_begins_with_all_that_is_published(visit, at):
    await ready(at)
    made = await published(POOR)
    answer = await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{made}/corrections", data={"why": WHY})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/disclosures/{made}/edit")
    first, second = await rows("SELECT * FROM edition ORDER BY number")
    assert (second["number"], second["state"], second["why"], second["version"]) == (2, "草稿", WHY, 1)
    assert [first[name] == second[name] for name in ("title", "text", "lines", "item_id")] == [True] * 4
    assert await evidence("begin_correction") == 1
    assert (await matter(made, VILLAGER))["number"] == 1


async def test_published_it_shows_the_reason_and_what_is_other(visit, at):
    await ready(at)
    made = await corrected(MEETINGS, text="硬化 800 米。")
    page = (await visit(VILLAGER, "GET", f"/disclosures/{made}")).text
    for word in ("这是更正后的第 2 版", WHY, "硬化 800 米。", TEXT, "与第 1 版的不同",
                 f"/disclosures/{made}/versions/1"):
        assert word in page
    old = (await visit(VILLAGER, "GET", f"/disclosures/{made}/versions/1")).text
    assert TEXT in old
    assert "硬化 800 米。" not in old
    assert (await visit(VILLAGER, "GET", f"/disclosures/{made}/versions/3")).status_code == 404


async def test_a_correction_is_reviewed_beside_what_it_replaces(visit, at):
    await ready(at)
    made = await under_way(text="硬化 800 米。")
    text = (await visit(COMMITTEE, "GET", f"/disclosures/{made}/review")).text
    assert "与公开着的第 1 版的不同" in text
    assert "更正" in (await visit(COMMITTEE, "GET", "/reviews")).text


async def test_finance_is_signed_again(at):
    await ready(at)
    made = await published(ASSETS)
    await begin_correction(made)
    assert await hand_on(made) == "待签字"


async def test_the_duty_stays_answered_and_its_clock_stopped(at):
    await ready(at)
    made = await under_way()
    await review(made, text="不必更正")
    assert (await owed(MEETINGS))[0] == (QUARTER, "已公开")
    assert (await clock_of(await duty(MEETINGS, QUARTER)))["state"] == "met"


async def test_what_came_back_stands_with_the_village(visit, at):
    await ready(at)
    made = await under_way()
    await review(made, text="不必更正")
    assert f"审核不通过 · {MEETINGS}" in (await visit(VILLAGE_ADMIN, "GET", "/to-dos")).text
    assert TEXT in (await visit(VILLAGER, "GET", f"/disclosures/{made}")).text
    assert "不必更正" not in (await visit(VILLAGER, "GET", f"/disclosures/{made}")).text


@pytest.mark.parametrize("story", [written, submitted, returned, withdrawn])
async def test_only_what_is_public_is_corrected(visit, at, owner, story):
    await ready(at)
    made = await story()
    before = await fingerprint(owner)
    answer = await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{made}/corrections", data={"why": WHY})
    assert answer.status_code == 409
    assert "只有公开着的事项才能更正" in answer.text
    assert await fingerprint(owner) == before


async def test_begun_twice_or_by_two_at_once_it_is_one(at):
    await ready(at)
    made = await published()
    await asyncio.gather(*(begin_correction(made, f"第 {number} 个原因") for number in range(4)))
    await begin_correction(made)
    assert await one("SELECT count(*) FROM edition") == 2
    assert await evidence("begin_correction") == 1


@pytest.mark.parametrize("why", ["", "  ", "长" * 301])
async def test_without_a_reason_nothing_begins(visit, at, owner, why):
    await ready(at)
    made = await published()
    before = await fingerprint(owner)
    answer = await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{made}/corrections", data={"why": why})
    assert answer.status_code == 422
    assert await fingerprint(owner) == before


async def test_the_reason_stays_when_the_form_leaves_it_out(at):
    await ready(at)
    made = await published()
    await begin_correction(made)
    await save(made, why="")
    assert (await edition(made))["why"] == WHY


async def test_a_third_edition_stands_beside_the_second(visit, at):
    await ready(at)
    made = await corrected()
    await begin_correction(made, "又错了")
    await save(made, text="第三次说的")
    await to_township(made)
    await review(made)
    page = (await visit(VILLAGER, "GET", f"/disclosures/{made}")).text
    assert "与第 2 版的不同" in page
    for number in (1, 2, 3):
        assert (await visit(VILLAGER, "GET", f"/disclosures/{made}/versions/{number}")).status_code == 200


async def test_a_correction_taken_back_and_saved_leaves_the_published_title(at):
    await ready(at)
    made = await under_way()
    await take_back(made)
    await save(made, title="别的标题")
    assert (await matter(made, VILLAGER))["title"] == f"{MEETINGS}（2026年第三季度）"


async def test_a_correction_of_what_the_catalogue_dropped_can_still_be_published(at):
    """What is public and wrong must be put right, whatever the county asks for by now."""
    await ready(at)
    made = await published(POOR)
    await new_version({POOR: None})
    await begin_correction(made)
    await save(made, lines=[["张大爷", "低保", "1", "530"]])
    try:
        await to_township(made)
    except NotFit as unfit:
        pytest.fail(f"it can only be taken down: {unfit}")


async def test_what_was_for_members_stays_theirs_when_a_later_edition_is_for_all(visit, at):
    await ready(at)
    made = await published(DUES)
    await new_version({DUES: {"audience": "村（居）民"}})
    await begin_correction(made)
    await save(made, lines=[["收缴", "1300", ""]])
    await to_township(made)
    await review(made)
    assert (await visit(VILLAGER, "GET", f"/disclosures/{made}")).status_code == 200
    assert (await visit(MEMBER, "GET", f"/disclosures/{made}/versions/1")).status_code == 200
    for path in (f"/disclosures/{made}/versions/1", f"/disclosures/{made}/versions/1/sheet"):
        assert (await visit(VILLAGER, "GET", path)).status_code == 404, path
    assert "1260" not in (await visit(VILLAGER, "GET", f"/disclosures/{made}")).text


async def test_only_the_villages_administrator_corrects(visit, at):
    await ready(at)
    made = await published()
    for person in (VILLAGER, MEMBER, SECRETARY, COMMITTEE):
        assert (await visit(person, "POST", f"/disclosures/{made}/corrections", data={"why": WHY})).status_code == 403


async def test_corrected_and_withdrawn_is_no_longer_corrected(at):
    await ready(at)
    made = await withdrawn()
    with pytest.raises(WrongState):
        await begin_correction(made)


async def test_an_older_edition_says_that_it_was_corrected_on_screen_and_for_the_wall(visit, at):
    await ready(at)
    made = await corrected(POOR)
    for path in (f"/disclosures/{made}/versions/1", f"/disclosures/{made}/versions/1/sheet"):
        assert "后来更正过" in (await visit(VILLAGER, "GET", path)).text
    for path in (f"/disclosures/{made}", f"/disclosures/{made}/versions/2/sheet"):
        assert "后来更正过" not in (await visit(VILLAGER, "GET", path)).text


async def test_the_difference_is_made_once_for_all_who_read(visit, at, monkeypatch):
    await ready(at)
    made, times = await corrected(POOR), []
    plain = comparing.difference

    async def counted(*what):
        times.append(what)
        return await plain(*what)

    monkeypatch.setattr(comparing, "difference", counted)
    comparing._published.clear()
    for person in (VILLAGER, MEMBER, VILLAGER):
        assert "与第 1 版的不同" in (await visit(person, "GET", f"/disclosures/{made}")).text
    assert len(times) == 1


async def test_a_correction_does_not_begin_on_what_was_just_taken_down(at):
    await ready(at)
    made = await published()
    before = await matter(made)
    await ask_down(made)
    await decide(made, agreed=True)
    with pytest.raises(WrongState, match="刚才撤下了"):
        await editing.correct(await actor_of(VILLAGE_ADMIN), before, "写错了")


async def test_the_reviewer_is_warned_of_a_number_in_the_reason(visit, at):
    await ready(at)
    made = await published()
    await begin_correction(made, "漏写了联系人 13812345678")
    await to_township(made)
    page = (await visit(COMMITTEE, "GET", f"/disclosures/{made}/review")).text
    assert "还露着像身份证号、卡号或手机号的数字：138…" in page
