"""抽查: somebody stood before the wall; what was not the same is mended by a day, and closed by who found it."""
import asyncio

import pytest

from server.core.database import rows
from server.core.moves import WrongState
from server.supervision import checking
from server.supervision.rules import BACK, CLOSE, MENDED
from tests.cast import (
    AUDITOR,
    CITY,
    COMMITTEE,
    COMMITTEE_ORGANISER,
    COUNTY,
    MEMBER,
    OTHER_COUNTY,
    PROVINCE,
    SECRETARY,
    SIDIAN,
    SUPERVISOR,
    VILLAGE_ADMIN,
    VILLAGER,
    ZHOUCHENG,
    organisation_id,
)
from tests.databases import fingerprint
from tests.disclosure.stories import HOUCUN, MEETINGS, QIANCUN, clock_of, published, written
from tests.meetings.stories import evidence, one
from tests.meetings.test_actions_photos import picture
from tests.supervision.stories import check, finding, lapsed, the_check
from tests.visits import actor_of

FOUND = "墙上还是上个季度的"


async def step(visit, made: int, move: str, by, text: str = "已换上新的", photo: bool = False):
    files = [("spot_photos_file", ("墙.jpg", picture(), "image/jpeg"))] if photo else None
    return await visit(by, "POST", f"/spot-checks/{made}/{move}", data={"text": text}, files=files)


async def clock(made: int) -> dict:
    return await clock_of(made, "spot_check")


async def mended(visit) -> int:
    made = await check(visit)
    assert (await step(visit, made, "mending", VILLAGE_ADMIN)).status_code == 303
    return made


# Found ----------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("person", [COMMITTEE, COUNTY, CITY, PROVINCE])
async def test_what_is_not_the_same_is_to_be_mended_by_a_day(visit, at, owner, person):
    await lapsed(at)
    made = await check(visit, person)
    found = await the_check(made)
    assert (found["state"], found["village_code"], found["finding"], str(found["mend_by"]), found["closed_at"]) == (
        "整改中", QIANCUN, FOUND, "2026-10-25", None)
    its = await clock(made)
    assert (its["rule"], its["state"], its["due_at"]) == ("mending", "open", await at("2026-10-26 00:00"))
    assert its["organisation_id"] == await organisation_id(owner, "前村支部")
    await at("2026-10-15 09:05")
    assert "整改 · 前村" in (await visit(VILLAGE_ADMIN, "GET", "/to-dos")).text
    for viewer in (VILLAGE_ADMIN, SECRETARY, COMMITTEE, COUNTY, person):
        text = (await visit(viewer, "GET", f"/spot-checks/{made}")).text
        assert all(words in text for words in (FOUND, "整改中", "10月25日", person.name)), viewer.name
        assert FOUND in (await visit(viewer, "GET", "/spot-checks")).text or "前村" in text
    assert await evidence("spot_check") == 1


async def test_what_is_the_same_is_noted_and_over(visit, at):
    await lapsed(at)
    made = await check(visit, same="1", mend_by="")
    found = await the_check(made)
    assert (found["state"], found["mend_by"], found["closed_at"] is not None) == ("一致", None, True)
    assert await one("SELECT count(*) FROM deadline WHERE rule = 'mending'") == 0
    again = await check(visit, same="1", finding="很好")
    assert (await the_check(again))["mend_by"] is None, "a day that was left in the form says nothing"
    for move in ("mending", "closing", "return"):
        assert (await step(visit, made, move, VILLAGE_ADMIN if move == "mending" else COMMITTEE)).status_code == 409


async def test_it_may_be_about_one_matter(visit, at):
    await lapsed(at)
    matter = await published(MEETINGS)
    assert MEETINGS in (await visit(COMMITTEE, "GET", f"/spot-checks/new?matter={matter}")).text
    made = await check(visit, matter=matter)
    assert (await the_check(made))["matter_id"] == matter
    text = (await visit(VILLAGE_ADMIN, "GET", f"/spot-checks/{made}")).text
    assert all(words in text for words in (MEETINGS, f'href="/disclosures/{matter}"'))


@pytest.mark.parametrize(("form", "field", "words"), [
    ({"mend_by": ""}, "mend_by", "要写明整改期限"), ({"mend_by": "2026-10-14"}, "mend_by", "在今天到 90 天以内"),
    ({"mend_by": "2027-01-14"}, "mend_by", "在今天到 90 天以内"), ({"mend_by": "下周"}, "mend_by", "要写成"),
    ({"finding": ""}, "finding", "请填写看到的情况"), ({"finding": "看" * 501}, "finding", "最多 500 个字"),
    ({"village": ""}, "village", "请选择村")])
async def test_what_is_wrong_stands_beside_its_field_and_nothing_is_noted(visit, at, owner, form, field, words):
    await lapsed(at)
    before = await fingerprint(owner)
    answer = await visit(COMMITTEE, "POST", "/spot-checks/new", data=finding() | form)
    assert answer.status_code == 422
    assert words in answer.text
    assert f'id="{field}-error"' in answer.text
    assert field == "finding" or FOUND in answer.text
    assert await fingerprint(owner) == before


@pytest.mark.parametrize("mend_by", ["2026-10-15", "2027-01-13"])
async def test_today_and_ninety_days_from_now_are_days_to_mend_by(visit, at, mend_by):
    await lapsed(at)
    its = await clock(await check(visit, mend_by=mend_by))
    assert its["due_at"] > await at("2026-10-15 09:00")


async def test_what_is_to_be_mended_today_is_due_today(visit, at):
    await lapsed(at)
    made = await check(visit, mend_by="2026-10-15")
    assert (await clock(made))["due_at"] == await at("2026-10-16 00:00")


async def test_a_village_beyond_ones_subtree_does_not_exist(visit, at, owner):
    await lapsed(at)
    matter, draft = await published(MEETINGS), await written("债权债务")
    before = await fingerprint(owner)
    for person in (SIDIAN, ZHOUCHENG, OTHER_COUNTY):
        for form in (finding(), finding("", matter=matter)):
            assert (await visit(person, "POST", "/spot-checks/new", data=form)).status_code == 404, person.name
        for query in (f"village={QIANCUN}", f"matter={matter}"):
            assert (await visit(person, "GET", f"/spot-checks/new?{query}")).status_code == 404
    for form in (finding("370921102999"), finding(matter=999), finding(matter=draft)):
        assert (await visit(COMMITTEE, "POST", "/spot-checks/new", data=form)).status_code == 404
    assert (await visit(COMMITTEE, "POST", "/spot-checks/new", data=finding(matter="x"))).status_code == 422
    assert await fingerprint(owner) == before


@pytest.mark.parametrize("person", [
    SECRETARY, VILLAGE_ADMIN, VILLAGER, MEMBER, SUPERVISOR, COMMITTEE_ORGANISER, AUDITOR])
async def test_nobody_else_makes_one(visit, at, owner, person):
    await lapsed(at)
    before = await fingerprint(owner)
    assert (await visit(person, "GET", "/spot-checks/new")).status_code == 403
    assert (await visit(person, "POST", "/spot-checks/new", data=finding())).status_code == 403
    assert await fingerprint(owner) == before


async def test_sent_twice_it_is_one(visit, at):
    await lapsed(at)
    made = await asyncio.gather(*(check(visit, photo=True) for _ in range(3)))
    assert len(set(made)) == 1
    assert [await evidence("spot_check"), await one("SELECT count(*) FROM spot_check_step")] == [1, 1]
    assert await check(visit, COUNTY) != made[0]
    assert await check(visit, village=HOUCUN) != made[0]
    await at("2026-10-15 09:10")
    assert await check(visit) != made[0]


# Mended ---------------------------------------------------------------------------------------------------------------

async def test_mended_closed_and_all_of_it_can_be_read(visit, at):
    await lapsed(at)
    made = await check(visit, photo=True)
    assert (await step(visit, made, "mending", VILLAGE_ADMIN, photo=True)).status_code == 303
    assert ((await the_check(made))["state"], (await clock(made))["state"]) == ("待复核", "met")
    assert f"/spot-checks/{made}" in (await visit(COMMITTEE, "GET", "/to-dos")).text
    assert (await step(visit, made, "closing", COMMITTEE, "看过了")).status_code == 303
    found = await the_check(made)
    assert (found["state"], found["closed_at"] is not None) == ("已销号", True)
    for person in (VILLAGE_ADMIN, COMMITTEE):
        text = (await visit(person, "GET", f"/spot-checks/{made}")).text
        assert all(words in text for words in (FOUND, "已换上新的", "看过了", VILLAGE_ADMIN.name, "已销号"))
    assert [found["kind"] for found in await rows("SELECT kind FROM spot_check_step ORDER BY id")] == [
        "抽查", "整改", "销号"]
    assert [await evidence(f"spot_check_{move}") for move in ("mending", "closing")] == [1, 1]
    assert f"/spot-checks/{made}" not in (await visit(COMMITTEE, "GET", "/to-dos")).text


async def test_sent_back_its_clock_runs_again_to_the_same_day(visit, at):
    await lapsed(at)
    made = await mended(visit)
    assert (await step(visit, made, "return", COMMITTEE, "日期还不对")).status_code == 303
    assert (await the_check(made))["state"] == "整改中"
    its = await clock(made)
    assert (its["state"], its["due_at"]) == ("open", await at("2026-10-26 00:00"))
    await at("2026-10-15 09:05")
    assert "日期还不对" in (await visit(VILLAGE_ADMIN, "GET", f"/spot-checks/{made}")).text
    assert (await step(visit, made, "mending", VILLAGE_ADMIN)).status_code == 303
    assert (await step(visit, made, "closing", COMMITTEE)).status_code == 303


async def test_who_found_it_closes_it_and_nobody_else(visit, at):
    await lapsed(at)
    made = await mended(visit)
    for move in ("closing", "return"):
        assert (await step(visit, made, move, COUNTY)).status_code == 403
    assert "/closing" not in (await visit(COUNTY, "GET", f"/spot-checks/{made}")).text
    assert (await step(visit, made, "closing", COMMITTEE)).status_code == 303


async def test_sent_back_after_its_day_the_page_says_until_when_it_is_now(visit, at):
    await lapsed(at)
    made = await mended(visit)
    await at("2026-11-03 09:00")
    assert (await step(visit, made, "return", COMMITTEE, "日期还不对")).status_code == 303
    its, due = await the_check(made), (await clock(made))["due_at"]
    assert due > await at("2026-11-03 09:00")
    assert (due - await at(f"{its['mend_by']} 00:00")).days == 1, "what it says and what is counted are one day"


@pytest.mark.parametrize(("move", "before", "by"), [
    ("closing", "整改中", COMMITTEE), ("return", "整改中", COMMITTEE), ("mending", "待复核", VILLAGE_ADMIN)])
async def test_from_any_other_state_it_does_not_move(visit, at, owner, move, before, by):
    await lapsed(at)
    made = await mended(visit) if before == "待复核" else await check(visit)
    kept = await fingerprint(owner)
    answer = await step(visit, made, move, by)
    assert (answer.status_code, "这件抽查刚才有了变化" in answer.text) == (409, True)
    assert await fingerprint(owner) == kept


async def test_somebody_was_faster(visit, at):
    await lapsed(at)
    made = await mended(visit)
    answers = await asyncio.gather(*(step(visit, made, move, COMMITTEE) for move in ("closing", "return") * 2))
    assert sorted(answer.status_code for answer in answers) == [303, 409, 409, 409]
    assert await one("SELECT count(*) FROM spot_check_step") == 3


async def test_called_directly_an_older_state_is_told(visit, at):
    await lapsed(at)
    found = await the_check(await mended(visit))
    actor = await actor_of(COMMITTEE)
    with pytest.raises(WrongState):
        await checking.move(actor, found, MENDED, "再改")
    await checking.move(actor, found, CLOSE, "")
    for again in (BACK, CLOSE, MENDED):
        with pytest.raises(WrongState):
            await checking.move(actor, found, again, "再来")


@pytest.mark.parametrize(("move", "form"), [
    ("mending", {"text": ""}), ("mending", {"text": "改" * 501}), ("return", {"text": ""}), ("closing", {"more": "1"})])
async def test_a_wrong_form_moves_nothing(visit, at, owner, move, form):
    await lapsed(at)
    made = await check(visit) if move == "mending" else await mended(visit)
    before = await fingerprint(owner)
    by = VILLAGE_ADMIN if move == "mending" else COMMITTEE
    assert (await visit(by, "POST", f"/spot-checks/{made}/{move}", data={"text": "x"} | form)).status_code == 422
    assert await fingerprint(owner) == before


async def test_closed_without_a_word_it_is_closed(visit, at):
    await lapsed(at)
    made = await mended(visit)
    assert (await step(visit, made, "closing", COMMITTEE, "")).status_code == 303
    assert await one("SELECT text FROM spot_check_step ORDER BY id DESC LIMIT 1") == "销号"
