"""审核把关 (M3§8, §11): the township says yes after looking at everything, or no with a reason for each field."""
import asyncio

import pytest
from litestar.exceptions import PermissionDeniedException

from server.catalogues import duties
from server.core.database import rows
from server.core.forms import Refused
from server.core.moves import WrongState
from server.disclosure.rules import SECRECY
from tests.cast import (
    CITY,
    COMMITTEE,
    COMMITTEE_ORGANISER,
    COUNTY,
    MEMBER,
    SECRETARY,
    SIDIAN,
    SUPERVISOR,
    VILLAGE_ADMIN,
    VILLAGER,
    ZHOUCHENG,
)
from tests.databases import fingerprint
from tests.disclosure.stories import (
    ACCOUNTS,
    ASSETS,
    GUIDE,
    MEETINGS,
    POOR,
    QUARTER_OVER,
    begin_correction,
    clock_of,
    duty,
    edition,
    hand_on,
    matter,
    owed,
    published,
    ready,
    returned,
    review,
    save,
    sign,
    signing,
    submitted,
    take_back,
    to_township,
    withdrawn,
    written,
)
from tests.meetings.stories import evidence, one

QUARTER = "2026-Q3"


async def form(made: int, **more) -> dict:
    return {"version": (await edition(made))["version"], "checked": list(SECRECY), "verdict": "审核通过"} | more


async def test_reviewed_it_is_published_at_once(visit, at):
    await ready(at)
    made = await submitted()
    answer = await visit(COMMITTEE, "POST", f"/disclosures/{made}/review", data=await form(made))
    assert (answer.status_code, answer.headers["location"]) == (303, "/reviews")
    its, now_public = await edition(made), await matter(made, VILLAGER)
    assert (its["state"], now_public["edition_id"]) == ("已公开", its["id"])
    assert (await clock_of(its["id"], "edition"))["state"] == "met"
    assert (await owed(MEETINGS))[0] == (QUARTER, "已公开")
    assert [await evidence(f"{verb}_matter") for verb in ("review", "publish")] == [1, 1]
    kept = dict((await rows("SELECT verdict, checked, who FROM review"))[0])
    assert kept == {"verdict": "审核通过", "checked": list(SECRECY), "who": "褚镇 · 党委管理员"}
    assert MEETINGS not in (await visit(COMMITTEE, "GET", "/reviews")).text


async def test_the_organiser_of_the_township_reviews_too(at):
    await ready(at)
    made = await submitted()
    assert await review(made, COMMITTEE_ORGANISER) == "已公开"


async def test_after_two_working_days_the_review_is_late(at):
    await ready(at)
    made = await submitted()
    await at("2026-10-11 00:01")
    await review(made)
    assert (await clock_of((await edition(made))["id"], "edition"))["state"] == "late"


async def test_returned_it_says_where_and_why(visit, at):
    await ready(at)
    made = await submitted()
    reasons = {"reason-title": "写明季度", "reason-text": "哪次会议", "verdict": "审核不通过", "checked": []}
    assert (await visit(COMMITTEE, "POST", f"/disclosures/{made}/review", data=await form(made, **reasons))
            ).status_code == 303
    assert (await edition(made))["state"] == "审核不通过"
    for path in (f"/disclosures/{made}/edit", f"/disclosures/{made}"):
        text = (await visit(VILLAGE_ADMIN, "GET", path)).text
        assert "写明季度" in text
        assert "哪次会议" in text
    assert (await owed(MEETINGS))[0] == (QUARTER, "应公开")
    assert await evidence("publish_matter") == 0


@pytest.mark.parametrize(("handed_on", "back", "due"), [
    ("2026-10-08 09:00", "2026-10-09 16:00", "2026-10-13"),  # two were left: the worked Saturday and Monday
    ("2026-10-10 09:00", "2026-10-10 16:00", "2026-10-13"),  # none was left: one at the least
    ("2026-10-12 09:00", "2026-10-13 16:00", "2026-10-15")])  # it was late already
async def test_after_a_return_the_clock_goes_on_with_what_was_left(at, handed_on, back, due):
    await ready(at, handed_on)
    made = await submitted()
    await at(back)
    await review(made, text="哪次会议")
    clock = await clock_of(await duty(MEETINGS, QUARTER))
    assert (clock["state"], clock["due_at"]) == ("open", await at(f"{due} 00:00"))
    await at(back)
    await hand_on(made)
    assert (await clock_of(await duty(MEETINGS, QUARTER)))["state"] == (
        "late" if handed_on > "2026-10-11" else "met")


@pytest.mark.parametrize(("back", "due"), [("2026-10-12 16:00", "2026-11-01"), ("2026-10-31 16:00", "2026-11-03")])
async def test_returned_convenience_is_owed_by_the_end_of_its_month_or_the_next_working_day(at, back, due):
    await ready(at)
    made = await submitted(GUIDE, "2026-10")
    await at(back)
    await review(made, text="写清楚找谁")
    clock = await clock_of(await duty(GUIDE, "2026-10"))
    assert clock["state"] == "open", "the clock of what is counted in months does not go on"
    assert clock["due_at"] == await at(f"{due} 00:00")


async def test_returned_before_its_period_is_over_it_is_owed_as_before(at):
    await ready(at)
    made = await submitted(POOR, "2026-Q4")
    before = await clock_of(await duty(POOR, "2026-Q4"))
    await at("2026-10-12 16:00")
    await review(made, text="哪个季度")
    after = await clock_of(await duty(POOR, "2026-Q4"))
    assert after["state"] == "open"
    assert [after[name] for name in ("starts_at", "counted_from", "days", "due_at")] == [
        before[name] for name in ("starts_at", "counted_from", "days", "due_at")]


async def test_who_signs_and_reviews_next_reads_why_it_was_returned(visit, at):
    await ready(at)
    made = await submitted(ASSETS)
    await review(made, lines="写明债权人")
    text = (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/{made}")).text
    assert "表格：写明债权人" in text
    assert "同意公开" not in text, "what was signed before it came back holds no longer"
    await hand_on(made)
    assert "退回过，表格：写明债权人" in (await visit(SUPERVISOR, "GET", f"/disclosures/{made}/signature")).text
    for person in (SUPERVISOR, SECRETARY):
        await sign(made, person)
    assert "退回过，表格：写明债权人" in (await visit(COMMITTEE, "GET", f"/disclosures/{made}/review")).text


async def test_mended_and_handed_on_again_it_is_reviewed_anew(at):
    await ready(at)
    made = await returned()
    await save(made, text="十月七日村民代表会议决定修路。")
    await to_township(made)
    clocks = await rows("SELECT state FROM deadline WHERE rule = 'disclosure_review' ORDER BY id")
    assert [one["state"] for one in clocks] == ["met", "open"]
    assert await review(made) == "已公开"
    assert await one("SELECT count(*) FROM review") == 2


async def test_what_finance_was_returned_is_signed_anew(at):
    await ready(at)
    made = await submitted(ASSETS)
    await review(made, lines="写明债权人")
    assert await hand_on(made) == "待签字"


# What a verdict stands on ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("more", "words"), [
    ({"checked": []}, "都要看过"), ({"checked": list(SECRECY[:3])}, "都要看过"),
    ({"reason-title": "不好"}, "写了退回原因"),
    ({"verdict": "审核不通过"}, "写明原因"), ({"verdict": ""}, "请选择审核结果"),
    ({"verdict": "差不多"}, "请选择审核结果"),
    ({"checked": ["别的"]}, "选择不对"), ({"reason-title": "长" * 301, "verdict": "审核不通过"}, "最多 300 个字")])
async def test_a_verdict_without_what_it_stands_on_leaves_nothing_behind(visit, at, owner, more, words):
    await ready(at)
    made = await submitted()
    before = await fingerprint(owner)
    answer = await visit(COMMITTEE, "POST", f"/disclosures/{made}/review", data=await form(made, **more))
    assert answer.status_code == 422
    assert words in answer.text
    assert await fingerprint(owner) == before


@pytest.mark.parametrize("checked", [(), SECRECY[1:], ("随便看看",), (*SECRECY[:3], "随便看看")])
async def test_nor_by_going_round_the_form(at, checked):
    await ready(at)
    made = await submitted()
    with pytest.raises(Refused, match="都要看过"):
        await review(made, checked=checked)
    assert (await edition(made))["state"] == "待审核"


@pytest.mark.parametrize("story", [written, returned, published, withdrawn, signing])
async def test_what_does_not_wait_for_review_is_not_reviewed(visit, at, owner, story):
    await ready(at)
    made = await (story() if story is signing else story(MEETINGS))
    before = await fingerprint(owner)
    answer = await visit(COMMITTEE, "POST", f"/disclosures/{made}/review", data=await form(made))
    assert answer.status_code == 404 if story in (written, signing) else answer.status_code == 409
    if answer.status_code == 409:
        assert ("已经撤下" if story is withdrawn else "已经审核过") in answer.text
        with pytest.raises(WrongState):
            await review(made)
    assert await fingerprint(owner) == before


async def test_reviewed_twice_it_is_published_once_and_says_so(visit, at):
    await ready(at)
    made = await submitted()
    sent = await form(made)
    answers = [await visit(COMMITTEE, "POST", f"/disclosures/{made}/review", data=sent) for _ in range(2)]
    assert [one.status_code for one in answers] == [303, 409]
    assert "已经审核过" in answers[1].text
    assert await evidence("publish_matter") == await one("SELECT count(*) FROM review") == 1


async def test_reviewed_by_two_at_once_one_verdict_holds(at):
    await ready(at)
    made = await submitted()
    told = await asyncio.gather(review(made), review(made, COMMITTEE_ORGANISER, text="不行"), review(made),
                                review(made, COMMITTEE_ORGANISER), return_exceptions=True)
    assert sum(isinstance(one, WrongState) for one in told) == 3, told
    assert await one("SELECT count(*) FROM review") == 1
    published_once = (await edition(made))["state"] == "已公开"
    assert await evidence("publish_matter") == published_once
    assert await one("SELECT count(*) FROM rendering") == published_once


async def test_months_of_one_village_approved_at_once_wait_for_each_other(at):
    """Each of them shows something of those before it: corrected together, they are rendered together."""
    await ready(at)
    made = [await published(ACCOUNTS, "2026-09")]
    for month in (10, 11, 12):
        await at(f"{2026 + month // 12}-{month % 12 + 1:02}-06 09:00")
        await duties.renew_all()
        made.append(await published(ACCOUNTS, f"2026-{month}", entries=()))
    for month in made:
        await begin_correction(month)
        await to_township(month)
    assert await asyncio.gather(*(review(month) for month in reversed(made))) == ["已公开"] * 4


async def test_reviewed_and_taken_back_at_once_one_of_both_happens(at):
    await ready(at)
    made = await submitted()
    told = await asyncio.gather(review(made), take_back(made), return_exceptions=True)
    assert sum(isinstance(one, WrongState) for one in told) == 1, told
    assert ((await edition(made))["state"], (await owed(MEETINGS))[0][1]) in (("已公开", "已公开"), ("草稿", "应公开"))


async def test_an_older_version_is_not_reviewed(visit, at):
    await ready(at)
    made = await submitted()
    old = await form(made)
    await take_back(made)
    await save(made, text="偷换了内容")
    await hand_on(made)
    answer = await visit(COMMITTEE, "POST", f"/disclosures/{made}/review", data=old)
    assert answer.status_code == 409
    assert (await edition(made))["state"] == "待审核"


async def written_by_the_reviewer(owner) -> None:
    """What waits for review is the reviewer's own, too."""
    me = await one("SELECT id FROM person WHERE name = '褚镇'")
    async with owner.transaction():
        await owner.execute("ALTER TABLE edition DISABLE TRIGGER USER")
        await owner.execute("UPDATE edition SET authors = authors || $1::bigint", me)
        await owner.execute("ALTER TABLE edition ENABLE TRIGGER USER")


async def test_nobody_reviews_what_he_wrote(visit, at, owner):
    await ready(at)
    made = await submitted()
    await written_by_the_reviewer(owner)
    with pytest.raises(PermissionDeniedException, match="不能审核自己写的"):
        await review(made)
    text = (await visit(COMMITTEE, "GET", f"/disclosures/{made}/review")).text
    assert f"由镇里另一位同志审核：{COMMITTEE_ORGANISER.name}" in text
    assert await review(made, COMMITTEE_ORGANISER) == "已公开"


async def test_nor_a_correction_of_it(visit, at, owner):
    await ready(at)
    made = await submitted()
    await written_by_the_reviewer(owner)
    await review(made, COMMITTEE_ORGANISER)
    await begin_correction(made)
    await save(made, text="更正以后的话")
    await to_township(made)
    with pytest.raises(PermissionDeniedException, match="不能审核自己写的"):
        await review(made)


@pytest.mark.parametrize(("person", "status"), [
    (SIDIAN, 404), (ZHOUCHENG, 404), (COUNTY, 403), (CITY, 403), (SECRETARY, 403), (SUPERVISOR, 403), (MEMBER, 403),
    (VILLAGE_ADMIN, 403), (VILLAGER, 403), (None, 401)])
async def test_only_the_villages_own_township_reviews(visit, at, owner, person, status):
    await ready(at)
    made = await submitted()
    before = await fingerprint(owner)
    answer = await visit(person, "POST", f"/disclosures/{made}/review", data=await form(made))
    assert answer.status_code == status
    assert await fingerprint(owner) == before


# What the reviewer sees -----------------------------------------------------------------------------------------------

async def test_the_period_before_stands_beside(visit, at):
    await ready(at)
    await published(ACCOUNTS, "2026-09")
    await at("2026-11-03 09:00")
    made = await submitted(ACCOUNTS, "2026-10", entries=())
    text = (await visit(COMMITTEE, "GET", f"/disclosures/{made}/review")).text
    assert "与上一期的不同" in text
    assert "8,140.00" in text


async def test_a_draft_is_none_of_the_townships_business(visit, at):
    await ready(at)
    made = await written()
    for noun in ("", "/review", "/preview", "/edit"):
        assert (await visit(COMMITTEE, "GET", f"/disclosures/{made}{noun}")).status_code in (403, 404), noun


async def test_what_came_back_or_was_taken_back_is_not_read_by_the_township_again(visit, at):
    await ready(at, QUARTER_OVER)
    made = await submitted()
    await take_back(made)
    await save(made, text="还没想好的话")
    assert "还没想好的话" not in (await visit(COMMITTEE, "GET", f"/disclosures/{made}")).text


@pytest.mark.parametrize(("name", "period", "asked", "not_asked"), [
    (MEETINGS, "2026-Q3", ("text", "title", "files", "wall", "until", "phone"), ("lines", "ledger")),
    (ACCOUNTS, "2026-09", ("ledger", "title", "files", "wall"), ("lines", "text", "until", "phone")),
    (POOR, "2026-Q3", ("lines", "text", "title"), ("ledger",))])
async def test_a_reason_can_be_about_what_the_form_has(visit, at, name, period, asked, not_asked):
    await ready(at)
    made = await written(name, period)
    await to_township(made)
    page = (await visit(COMMITTEE, "GET", f"/disclosures/{made}/review")).text
    assert all(f'name="reason-{field}"' in page for field in asked)
    assert not any(f'name="reason-{field}"' in page for field in not_asked)


async def test_where_there_is_nothing_to_read_it_says_why(visit, at):
    await ready(at, QUARTER_OVER)
    made = await submitted()
    address = f"/disclosures/{made}"
    await review(made, text="写明哪天开的会")
    assert "退回，村里正在改：正文：写明哪天开的会" in (await visit(COMMITTEE, "GET", address)).text
    await hand_on(made)
    assert "退回，村里正在改" not in (await visit(COMMITTEE, "GET", address)).text
    await take_back(made)
    assert "村里正在写或等签字" in (await visit(COMMITTEE, "GET", address)).text
    text = (await visit(VILLAGE_ADMIN, "GET", address)).text
    assert "确定作废" in text
    await visit(VILLAGE_ADMIN, "POST", f"{address}/dropping")
    assert "写过的内容已作废" in (await visit(VILLAGE_ADMIN, "GET", address)).text
    assert "村里写过的内容已作废" in (await visit(COMMITTEE, "GET", address)).text


async def test_the_evidence_names_numbers_and_no_texts(at):
    await ready(at)
    await published(POOR)
    assert await one("SELECT count(*) FROM audit_event WHERE before::text || after::text LIKE '%张大爷%'") == 0


async def test_the_workbench_says_that_it_came_back(visit, at):
    await ready(at)
    made = await submitted()
    assert "镇里退回" not in (await visit(VILLAGE_ADMIN, "GET", "/to-dos")).text
    await review(made, text="写明是哪次会议")
    assert "镇里退回，改好再提交" in (await visit(VILLAGE_ADMIN, "GET", "/to-dos")).text
    await to_township(made)
    assert "镇里退回" not in (await visit(VILLAGE_ADMIN, "GET", "/to-dos")).text
