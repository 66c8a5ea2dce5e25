"""Handed on: checked first, signed where the county wants it, then the township's to review (M3§8); taken back."""
import asyncio
import json
from datetime import date, datetime, timedelta

import pytest

from server.core.clock import BEIJING
from server.core.database import rows
from server.core.moves import WrongState
from server.disclosure.reviewing import publish_now
from server.disclosure.submission import NotFit
from tests.cast import (
    COMMITTEE,
    SECRETARY,
    SUPERVISOR,
    VILLAGE_ADMIN,
    VILLAGER,
    organisation_id,
)
from tests.databases import fingerprint
from tests.disclosure.stories import (
    ACCOUNTS,
    ASSETS,
    GUIDE,
    MEETINGS,
    POOR,
    QUARTER_OVER,
    begin,
    clock_of,
    duty,
    edition,
    hand_on,
    matter,
    published,
    ready,
    returned,
    review,
    save,
    sign,
    signing,
    submitted,
    take_back,
    withdrawn,
    written,
)
from tests.meetings.stories import evidence, one

QUARTER = "2026-Q3"


async def test_handed_on_it_is_the_townships_to_review(visit, at, owner):
    await ready(at)
    made = await written(MEETINGS)
    form = {"version": (await edition(made))["version"]}
    assert (await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{made}/submission", data=form)).status_code == 303
    its = await edition(made)
    assert (its["state"], its["submitted_who"]) == ("待审核", "施村 · 村（社区）管理员")
    assert its["version"] == form["version"] + 1
    assert (await clock_of(await duty(MEETINGS, QUARTER)))["state"] == "met"
    review = await clock_of(its["id"], "edition")
    assert (review["rule"], review["state"]) == ("disclosure_review", "open")
    assert review["organisation_id"] == await organisation_id(owner, "东疏镇党委")
    assert review["due_at"] == await at("2026-10-11 00:00")  # 9 October, and the worked Saturday
    assert await evidence("submit_matter") == 1


async def test_the_township_finds_it_in_its_queue_and_to_dos(visit, at):
    await ready(at)
    await submitted(MEETINGS)
    for address in ("/reviews", "/to-dos"):
        assert MEETINGS in (await visit(COMMITTEE, "GET", address)).text
    assert MEETINGS not in (await visit(VILLAGER, "GET", "/disclosures")).text.split("公开了的")[-1]


async def test_handed_on_late_it_is_late(at):
    await ready(at, "2026-10-11 00:01")
    await submitted(MEETINGS)
    assert (await clock_of(await duty(MEETINGS, QUARTER)))["state"] == "late"


async def test_handed_on_twice_it_is_handed_on_once_and_says_so(visit, at):
    await ready(at)
    made = await written()
    form = {"version": (await edition(made))["version"]}
    answers = [await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{made}/submission", data=form) for _ in range(2)]
    assert [one.status_code for one in answers] == [303, 409]
    assert "刚才已经提交过" in answers[1].text
    assert await evidence("submit_matter") == 1
    assert await one("SELECT count(*) FROM deadline WHERE rule = 'disclosure_review'") == 1


async def test_two_at_once_hand_it_on_once(at):
    await ready(at)
    made = await written()
    version = (await edition(made))["version"]
    told = await asyncio.gather(*(hand_on(made, version=version) for _ in range(3)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in told) == ["State", "WrongState", "WrongState"]
    assert await one("SELECT count(*) FROM deadline WHERE rule = 'disclosure_review'") == 1


async def test_saved_and_handed_on_at_once_what_is_reviewed_is_what_was_seen(at):
    await ready(at)
    made = await written()
    version = (await edition(made))["version"]
    await asyncio.gather(hand_on(made, version=version), save(made, version=version, text="偷换"),
                         return_exceptions=True)
    its = await edition(made)
    assert (its["state"], its["text"] == "偷换") in (("待审核", False), ("草稿", True))


@pytest.mark.parametrize(("name", "values", "words"), [
    (MEETINGS, {"text": " \n"}, "还没有写正文"), (MEETINGS, {"title": ""}, "请填写标题"),
    (MEETINGS, {"until": date(2026, 10, 7)}, "有效期已经过了"), (POOR, {"lines": []}, "表格还是空的")])
async def test_what_is_not_fit_is_kept_back_with_words(visit, at, owner, name, values, words):
    await ready(at)
    made = await written(name, **values)
    before = await fingerprint(owner)
    with pytest.raises(NotFit, match=words):
        await hand_on(made)
    form = {"version": (await edition(made))["version"]}
    answer = await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{made}/submission", data=form)
    assert answer.status_code == 422
    assert words in answer.text
    assert await fingerprint(owner) == before


@pytest.mark.parametrize("text", [
    "138**1234**5678", "&#49;38&#49;2345678", "138\\-1234\\-5678", "138\n1234\n5678", "138\xa01234\xa05678",
    "|电话|\n|-|\n|138**12**345678|"])
async def test_a_number_is_found_as_it_is_read_whatever_marks_stand_in_it(visit, at, text):
    await ready(at)
    made = await written(MEETINGS, text=text)
    assert "还露着像身份证号、卡号或手机号的数字：138…" in (await visit(
        VILLAGE_ADMIN, "GET", f"/disclosures/{made}/preview")).text


async def test_a_warning_or_reminder_keeps_nothing_back(visit, at):
    await ready(at)
    await submitted(MEETINGS, text="电话 13812345678")
    made = await one("SELECT max(id) FROM matter")
    assert "还露着像身份证号" in (await visit(COMMITTEE, "GET", f"/disclosures/{made}/review")).text


@pytest.mark.parametrize("story", [submitted, published, withdrawn, signing])
async def test_what_was_handed_on_is_not_handed_on_again(at, owner, story):
    await ready(at)
    made = await story()
    before = await fingerprint(owner)
    with pytest.raises(WrongState, match="刚才已经提交过"):
        await hand_on(made)
    assert await fingerprint(owner) == before


async def test_the_same_form_without_a_version_is_refused(visit, at):
    await ready(at)
    made = await written()
    for form in ({}, {"version": ""}, {"version": "1", "more": "1"}):
        answer = await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{made}/submission", data=form)
        assert answer.status_code == 422


# 撤回 -----------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("handed_on", "back", "review_ends"), [
    ("2026-10-08 09:00", "2026-10-09 15:00", "withdrawn"),
    ("2026-10-10 09:00", "2026-10-12 15:00", "withdrawn"),  # the village's day has passed meanwhile
    ("2026-10-08 09:00", "2026-10-13 15:00", "late")])  # the township's two days too: that is not forgotten
async def test_taken_back_the_clock_stands_where_it_would_have_stood(at, handed_on, back, review_ends):
    await ready(at, handed_on)
    made = await submitted(MEETINGS)
    review = (await edition(made))["id"]
    await at(back)
    await take_back(made)
    assert (await edition(made))["state"] == "草稿"
    assert (await clock_of(review, "edition"))["state"] == review_ends
    clock = await clock_of(await duty(MEETINGS, QUARTER))
    assert clock["state"] == "open"
    assert clock["due_at"] == await at("2026-10-11 00:00"), "handing on and taking back wins no day"
    assert await evidence("take_back_matter") == 1


async def test_what_waits_for_its_day_is_taken_back_too(visit, at):
    await ready(at)
    made = await submitted(publish_at=datetime(2026, 10, 12, 8, tzinfo=BEIJING))
    assert await review(made) == "待公开"
    assert "撤回修改" in (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/{made}")).text
    await take_back(made)
    await save(made, publish_at=datetime(2026, 10, 14, 8, tzinfo=BEIJING))
    await hand_on(made)
    assert await review(made) == "待公开"
    await at("2026-10-12 09:00")
    await publish_now({"edition": (await edition(made))["id"]})
    assert (await edition(made))["state"] == "待公开", "the moment that was chosen first is not its moment any more"


@pytest.mark.parametrize(("name", "period", "later", "words"), [
    (MEETINGS, QUARTER, timedelta(days=16), "最多推后 15 天公开"), (MEETINGS, QUARTER, timedelta(days=4000), "15 天")])
async def test_nobody_puts_off_what_is_owed(at, name, period, later, words):
    await ready(at)
    made = await written(name, period, publish_at=datetime(2026, 10, 8, 9, tzinfo=BEIJING) + later)
    with pytest.raises(NotFit, match=words):
        await hand_on(made)


async def test_a_month_of_books_waits_for_no_day(at):
    await ready(at)
    made = await written(ACCOUNTS, "2026-09")
    await save(made, publish_at=datetime(2026, 10, 9, 9, tzinfo=BEIJING))
    with pytest.raises(NotFit, match="不能定时"):
        await hand_on(made)


async def test_taken_back_before_the_month_ends_convenience_is_still_due_with_it(at):
    await ready(at)
    made = await submitted(GUIDE, "2026-10")
    await take_back(made)
    clock = await clock_of(await duty(GUIDE, "2026-10"))
    assert clock["state"] == "open", "the clock of what is counted in months does not go on"
    assert clock["due_at"] == await at("2026-11-01 00:00")


async def test_taken_back_while_it_is_signed_the_signatures_hold_no_more(at):
    await ready(at)
    made = await signing()
    await sign(made, SUPERVISOR)
    await take_back(made)
    assert (await clock_of(await duty(ASSETS, QUARTER)))["state"] == "open"
    assert await hand_on(made) == "待签字"
    assert await sign(made, SECRETARY) == "待签字"


async def test_taken_back_twice_it_is_taken_back_once_and_says_so(visit, at):
    await ready(at)
    made = await submitted()
    answers = [await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{made}/taking-back") for _ in range(2)]
    assert [one.status_code for one in answers] == [303, 409]
    assert await evidence("take_back_matter") == 1
    assert "已经审核过了" not in answers[1].text, "nobody has reviewed it: it was taken back already"


@pytest.mark.parametrize("story", [written, returned, published, withdrawn])
async def test_what_waits_for_nobody_is_not_taken_back(at, owner, story):
    await ready(at)
    made = await story()
    before = await fingerprint(owner)
    with pytest.raises(WrongState):
        await take_back(made)
    assert await fingerprint(owner) == before


async def test_handed_on_again_after_taking_back_the_township_has_its_full_time(at):
    await ready(at, QUARTER_OVER)
    made = await submitted()
    await take_back(made)
    await at("2026-10-12 09:00")
    await hand_on(made)
    review = await clock_of((await edition(made))["id"], "edition")
    assert (review["state"], review["due_at"]) == ("open", await at("2026-10-15 00:00"))


async def test_a_months_ledger_goes_the_same_way(at):
    await ready(at)
    made = await begin(ACCOUNTS, "2026-09")
    await hand_on(made)
    assert (await edition(made))["state"] == "待签字"  # a month without entries still has a balance
    assert (await matter(made))["under_way"]


async def test_the_evidence_of_handing_on_and_of_publishing_name_the_same_content(at):
    await ready(at)
    made = await submitted()
    await take_back(made)
    await save(made, text="改过的内容")
    await hand_on(made)
    await review(made)
    told = [json.loads(found["after"])["fingerprint"] for found in await rows(
        "SELECT after::text FROM audit_event WHERE verb IN ('submit_matter', 'publish_matter') ORDER BY id")]
    assert len(told) == 3
    assert told[0] != told[1] == told[2] == (await edition(made))["fingerprint"]
