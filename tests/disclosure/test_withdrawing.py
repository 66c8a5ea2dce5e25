"""撤下: asked for by the village, decided by the township; out of sight for good, with a notice that says why."""
import asyncio

import pytest
from litestar.exceptions import PermissionDeniedException

from server.core.moves import WrongState
from server.disclosure import withdrawing
from server.disclosure.rules import SECRECY
from server.disclosure.submission import NotFit
from server.disclosure.withdrawing import ask, take_down
from tests.cast import (
    COMMITTEE,
    COMMITTEE_ORGANISER,
    COUNTY,
    MEMBER,
    SECRETARY,
    SIDIAN,
    SUPERVISOR,
    VILLAGE_ADMIN,
    VILLAGER,
)
from tests.databases import fingerprint
from tests.disclosure.stories import (
    ACCOUNTS,
    DUES,
    MEETINGS,
    POOR,
    QIANCUN,
    TEXT,
    ask_down,
    begin_correction,
    clock_of,
    corrected,
    decide,
    edition,
    hand_on,
    income,
    line,
    matter,
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
from tests.meetings.stories import card_lines, evidence, one
from tests.visits import actor_of

WHY = "露出了个人信息"


async def test_asked_for_it_waits_for_the_township_and_stays_readable(visit, at):
    await ready(at)
    made = await published()
    answer = await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{made}/withdrawal", data={"why": WHY})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/disclosures/{made}")
    assert TEXT in (await visit(VILLAGER, "GET", f"/disclosures/{made}")).text
    assert WHY in (await visit(COMMITTEE, "GET", "/to-dos")).text
    assert WHY in (await visit(COMMITTEE, "GET", f"/disclosures/{made}/withdrawal")).text
    assert await evidence("ask_withdrawal") == 1


async def test_what_the_calendar_asks_for_is_published_anew_and_the_old_stays_down(visit, at):
    await ready(at)
    old = await withdrawn(text="露出了个人信息的话")
    its = (await matter(old))["duty_id"]
    clock = await clock_of(its)
    assert (clock["state"], clock["due_at"]) == ("open", await at("2026-10-11 00:00"))
    await at("2026-10-08 10:00")
    assert MEETINGS in (await visit(VILLAGE_ADMIN, "GET", "/disclosures/new")).text
    new = await published(text="改好了的话")
    assert new != old
    page = (await visit(VILLAGER, "GET", f"/disclosures/{new}")).text
    assert ("改好了的话" in page, "撤下" in page.partition("<main")[2]) == (True, False)
    assert "露出了个人信息的话" not in (await visit(VILLAGER, "GET", f"/disclosures/{old}")).text
    assert (await visit(VILLAGER, "GET", f"/disclosures/{old}/versions/1")).status_code == 404
    assert (await clock_of(its))["state"] == "met"


async def test_a_month_of_books_is_published_anew_and_the_next_goes_on_from_it(at):
    await ready(at)
    await withdrawn(ACCOUNTS, "2026-09")
    await at("2026-11-03 09:00")
    october = await written(ACCOUNTS, "2026-10", entries=())
    with pytest.raises(NotFit, match="2026年9月的账还没有公开"):
        await hand_on(october)
    await published(ACCOUNTS, "2026-09", entries=(income(), line(expense=1_000_00)))
    await to_township(october)
    await review(october)
    assert await one("SELECT array_agg(l.closing ORDER BY l.month) FROM published_ledger l") == [1_100_000, 1_100_000]


async def test_taken_down_a_notice_stays_and_says_who_and_why(visit, at):
    await ready(at)
    made = await published()
    await ask_down(made)
    answer = await visit(COMMITTEE, "POST", f"/disclosures/{made}/withdrawal/decision", data={"agreed": "1"})
    assert answer.status_code == 303
    page = (await visit(VILLAGER, "GET", f"/disclosures/{made}")).text
    assert TEXT not in page
    for word in ("已经撤下", WHY, "褚镇 · 党委管理员批准撤下", "今天撤下"):
        assert word in page
    assert "第 1 版" not in page
    for kind in ("disclosures", "village_affairs"):
        assert await card_lines(kind=kind) == [f"已撤下：{MEETINGS}（2026年第三季度）"]
    assert await evidence("withdraw_matter") == 1
    assert (await owed(MEETINGS))[0][1] == "应公开", "it is owed anew"
    assert "（已撤下）" in (await visit(VILLAGER, "GET", "/disclosures")).text


async def test_what_was_read_stays_readable_to_those_who_work_on_it(visit, at):
    await ready(at)
    made = await withdrawn(POOR)
    for person in (VILLAGE_ADMIN, SECRETARY, SUPERVISOR, COMMITTEE, COUNTY):
        assert "张大爷" in (await visit(person, "GET", f"/disclosures/{made}")).text, person.role


@pytest.mark.parametrize("person", [VILLAGER, MEMBER])
async def test_no_way_leads_a_reader_to_what_was_taken_down(visit, at, person):
    await ready(at)
    made = await corrected(POOR)
    await ask_down(made)
    await decide(made, agreed=True)
    assert "张大爷" not in (await visit(person, "GET", f"/disclosures/{made}")).text
    for noun in ("versions/1", "versions/2", "versions/1/sheet", "versions/2/sheet", "broadcast"):
        assert (await visit(person, "GET", f"/disclosures/{made}/{noun}")).status_code == 404, noun


async def test_the_card_of_what_was_taken_down_no_longer_tells_it(visit, at):
    """The words on the former cards in the thread are what was to be taken out of sight."""
    await ready(at)
    await withdrawn(MEETINGS, text="低保户张大爷患有尿毒症。")
    thread = await one("SELECT id FROM thread WHERE kind = 'village_affairs'")
    assert "尿毒症" not in (await visit(VILLAGER, "GET", f"/threads/{thread}")).text


async def test_refused_it_stays_and_may_be_asked_for_again(visit, at):
    await ready(at)
    made = await published()
    await ask_down(made)
    form = {"answer": "没有个人信息"}
    assert (await visit(COMMITTEE, "POST", f"/disclosures/{made}/withdrawal/decision", data=form)).status_code == 303
    assert TEXT in (await visit(VILLAGER, "GET", f"/disclosures/{made}")).text
    assert await evidence("refuse_withdrawal") == 1
    await ask_down(made)
    assert await one("SELECT count(*) FROM withdrawal") == 2


@pytest.mark.parametrize("person", [COMMITTEE, COMMITTEE_ORGANISER])
async def test_the_township_takes_down_by_itself(at, person):
    await ready(at)
    made = await published()
    await ask_down(made, by=person)
    assert (await matter(made))["withdrawn_why"] == f"{WHY}（{person.name} · {person.role}批准撤下）"


@pytest.mark.parametrize("story", [written, submitted, returned, withdrawn])
async def test_only_what_is_public_is_taken_down(at, owner, story):
    await ready(at)
    made = await story()
    before = await fingerprint(owner)
    with pytest.raises(WrongState, match="只有公开着的"):
        await ask_down(made)
    assert await fingerprint(owner) == before


async def test_asked_twice_it_is_asked_once_and_says_so(visit, at):
    await ready(at)
    made = await published()
    answers = [await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{made}/withdrawal", data={"why": WHY})
               for _ in range(2)]
    assert [one.status_code for one in answers] == [303, 409]
    assert "已经申请过撤下" in answers[1].text
    assert await evidence("ask_withdrawal") == await one("SELECT count(*) FROM withdrawal") == 1


async def test_decided_by_two_at_once_one_decision_holds(at):
    await ready(at)
    made = await published()
    await ask_down(made)
    told = await asyncio.gather(decide(made, True), decide(made, False, "不必"), decide(made, True), decide(
        made, False, "不必", COMMITTEE_ORGANISER), return_exceptions=True)
    assert sum(isinstance(one, WrongState) for one in told) == 3, told
    assert await evidence("withdraw_matter") + await evidence("refuse_withdrawal") == 1


async def test_decided_twice_it_says_so(visit, at):
    await ready(at)
    made = await published()
    await ask_down(made)
    address = f"/disclosures/{made}/withdrawal/decision"
    answers = [await visit(COMMITTEE, "POST", address, data={"agreed": "1"}) for _ in range(2)]
    assert [one.status_code for one in answers] == [303, 409]
    assert "刚才已经办了" in answers[1].text


@pytest.mark.parametrize(("path", "form", "words"), [
    ("", {"why": ""}, "请填写原因"), ("", {"why": "长" * 301}, "原因最多"), ("/decision", {}, "不同意要写明原因"),
    ("/decision", {"agreed": "也许"}, "同意撤下不对"), ("/decision", {"answer": "长" * 301}, "意见最多")])
async def test_a_wrong_form_leaves_nothing_behind(visit, at, owner, path, form, words):
    await ready(at)
    made = await published()
    if path:
        await ask_down(made)
    before = await fingerprint(owner)
    person = COMMITTEE if path else VILLAGE_ADMIN
    answer = await visit(person, "POST", f"/disclosures/{made}/withdrawal{path}", data=form)
    assert answer.status_code == 422
    assert words in answer.text or "agreed" in form
    assert await fingerprint(owner) == before


@pytest.mark.parametrize(("person", "noun", "status"), [
    (VILLAGER, "", 403), (MEMBER, "", 403), (SECRETARY, "", 403), (SUPERVISOR, "", 403), (COUNTY, "", 403),
    (SIDIAN, "", 404), (SIDIAN, "/decision", 404), (VILLAGE_ADMIN, "/decision", 403), (COUNTY, "/decision", 403)])
async def test_only_the_village_asks_and_only_its_township_decides(visit, at, person, noun, status):
    await ready(at)
    made = await published()
    await ask_down(made)
    form = {"agreed": "1"} if noun else {"why": WHY}
    assert (await visit(person, "POST", f"/disclosures/{made}/withdrawal{noun}", data=form)).status_code == status


# A correction under way -----------------------------------------------------------------------------------------------

async def test_a_correction_under_way_when_it_is_taken_down_is_not_published(visit, at, owner):
    await ready(at)
    made = await published()
    await begin_correction(made)
    await save(made, text="更正以后的话")
    await to_township(made)
    await ask_down(made)
    await decide(made, agreed=True)
    before = await fingerprint(owner)
    form = {"version": (await edition(made))["version"], "checked": list(SECRECY), "verdict": "审核通过"}
    answer = await visit(COMMITTEE, "POST", f"/disclosures/{made}/review", data=form)
    assert answer.status_code == 409
    assert await fingerprint(owner) == before
    assert "撤下" in answer.text, "the reviewer is told 交出去的内容不能改, which explains nothing"


async def test_and_nobody_need_look_at_it_any_more(at):
    await ready(at)
    made = await published()
    await begin_correction(made)
    await to_township(made)
    await ask_down(made)
    await decide(made, agreed=True)
    assert (await edition(made))["state"] == "已作废"
    assert await one("SELECT count(*) FROM deadline WHERE rule = 'disclosure_review' AND state = 'open'") == 0
    with pytest.raises(WrongState, match="已作废"):
        await take_back(made)


async def test_taken_down_from_an_old_page_it_says_so(at):
    """The page was opened while it was public."""
    await ready(at)
    made = await published()
    old = await matter(made)
    await ask_down(made)
    await decide(made, agreed=True)
    with pytest.raises(WrongState):
        await ask(await actor_of(VILLAGE_ADMIN), old, WHY)
    assert await one("SELECT count(*) FROM withdrawal WHERE state = '待审核'") == 0
    with pytest.raises(WrongState):
        await take_down(await actor_of(COMMITTEE), old, 1, WHY, "")


async def test_what_is_for_members_leaves_its_notice_with_the_members(at):
    await ready(at)
    await withdrawn(DUES)
    assert await card_lines(kind="party_affairs") == [f"已撤下：{DUES}（2026年第三季度）"]
    assert await card_lines(kind="village_party") == []


async def test_what_is_asked_to_go_says_so_to_those_who_ask_and_decide(visit, at):
    await ready(at)
    made = await published()
    await ask_down(made)
    for person, told in ((VILLAGE_ADMIN, True), (COMMITTEE, True), (VILLAGER, False), (MEMBER, False)):
        page = (await visit(person, "GET", f"/disclosures/{made}")).text
        assert ("申请撤下，等镇里决定：露出了个人信息" in page) is told, person
    await decide(made, agreed=False, answer="没有露出")
    assert "等镇里决定" not in (await visit(COMMITTEE, "GET", f"/disclosures/{made}")).text


async def test_what_was_taken_down_and_did_not_occur_can_be_opened_again(visit, at):
    await ready(at)
    made = await withdrawn(POOR)
    its = await one("SELECT duty_id FROM matter WHERE id = $1", made)
    await visit(VILLAGE_ADMIN, "POST", "/disclosures/nothing", data={"duties": its})
    page = (await visit(COMMITTEE, "GET", f"/disclosures?village={QIANCUN}&month=2026-09")).text
    assert f'href="/disclosures/duties/{its}"' in page
    assert "退回，要求公开" in (await visit(COMMITTEE, "GET", f"/disclosures/duties/{its}")).text


async def test_it_is_not_printed_for_the_wall_any_more(visit, at):
    await ready(at)
    made = await withdrawn()
    answer = await visit(VILLAGE_ADMIN, "GET", f"/disclosures/{made}/versions/1/sheet")
    assert answer.status_code == 409
    assert "墙上的请取下来" in answer.text


async def test_its_notice_shows_no_persons_number(visit, at):
    await ready(at)
    made = await published()
    await ask_down(made, "露出了 13812345678")
    await decide(made, agreed=True)
    for path in (f"/disclosures/{made}", "/threads"):
        assert "13812345678" not in (await visit(VILLAGER, "GET", path)).text
    assert "138****5678" in (await visit(VILLAGER, "GET", f"/disclosures/{made}")).text


async def test_nobody_decides_on_what_he_asked_for(at):
    await ready(at)
    made = await published()
    await ask_down(made)
    asked = await withdrawing.asked(made)
    with pytest.raises(PermissionDeniedException):
        await withdrawing.decide(await actor_of(COMMITTEE), await matter(made, COMMITTEE),
                                 dict(asked) | {"person_id": (await actor_of(COMMITTEE)).person_id}, True, "")
