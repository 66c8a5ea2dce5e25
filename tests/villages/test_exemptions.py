"""暂不具备使用条件: a village says why, its township gives an opinion, the county approves and files it (M3§4)."""
import asyncio
from contextvars import Context
from datetime import date

import pytest

from server.core.clock import today
from server.core.database import row
from server.core.forms import Refused
from server.core.moves import WrongState
from server.villages import actions
from server.villages.rules import FILE, OPINION, RETURN_COUNTY, RETURN_TOWNSHIP
from server.villages.tables import exemption_of, village
from tests.cast import (
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
from tests.disclosure.stories import OPENED, QIANCUN, opened
from tests.meetings.stories import evidence, one
from tests.visits import actor_of

WHY, LATER = "村里还没有通宽带", date(2027, 3, 1)


async def asked(by=VILLAGE_ADMIN) -> int:
    return await actions.ask_exemption(await actor_of(by), QIANCUN, WHY)


async def its(exemption_id: int) -> dict:
    return dict(await row("SELECT * FROM exemption WHERE id = $1", exemption_id))


async def move(exemption_id, by, move, words="情况属实", review_on=None) -> None:
    await actions.move(await actor_of(by), await its(exemption_id), move, words, review_on)


async def with_county() -> int:
    made = await asked()
    await move(made, COMMITTEE, OPINION)
    return made


async def on_file() -> int:
    made = await with_county()
    await move(made, COUNTY, FILE, review_on=LATER)
    return made


async def test_asked_for_it_waits_for_the_township(visit, at):
    await at(OPENED)
    answer = await visit(VILLAGE_ADMIN, "POST", "/exemptions/new", data={"reason": WHY})
    assert answer.status_code == 303
    found = await exemption_of(QIANCUN)
    assert found is not None
    assert (found["state"], found["reason"], found["who"]) == ("待镇街意见", WHY, "施村 · 村（社区）管理员")
    assert await evidence("ask_exemption") == 1
    assert WHY in (await visit(COMMITTEE, "GET", "/to-dos")).text
    assert WHY not in (await visit(COUNTY, "GET", "/to-dos")).text
    assert WHY in (await visit(SECRETARY, "GET", "/exemptions/new")).text


async def test_the_whole_way_to_the_file(visit, at):
    await at(OPENED)
    made = await with_county()
    assert "暂不开通 · 前村" in (await visit(COUNTY, "GET", "/to-dos")).text
    answer = await visit(COUNTY, "POST", f"/exemptions/{made}/filing",
                         data={"opinion": "同意", "review_on": LATER.isoformat()})
    assert answer.status_code == 303
    found, place = await its(made), await village(QIANCUN)
    assert (found["state"], found["review_on"], found["answer_who"]) == ("已备案", LATER, "郑县 · 县级管理员")
    assert place is not None
    assert (place["state"], place["opened_at"]) == ("暂不开通", None)
    assert [await evidence(f"exemption_{name}") for name in ("opinion", "filing")] == [1, 1]
    assert "暂不开通" in (await visit(COMMITTEE, "GET", f"/villages/{QIANCUN}")).text


async def test_the_townships_own_word_is_an_opinion_already(at):
    await at(OPENED)
    found = await its(await asked(COMMITTEE))
    assert (found["state"], found["opinion"], found["opinion_who"]) == ("待县级审批", WHY, "褚镇 · 党委管理员")


async def test_asked_twice_it_is_one(at):
    await at(OPENED)
    assert len(set(await asyncio.gather(*(asked(person) for person in (VILLAGE_ADMIN, SECRETARY) * 2)))) == 1
    assert await asked() == await one("SELECT id FROM exemption")
    assert await evidence("ask_exemption") == 1


@pytest.mark.parametrize(("by", "person"), [(RETURN_TOWNSHIP, COMMITTEE), (RETURN_COUNTY, COUNTY)], ids=lambda one: str(
    getattr(one, "name", "")))
async def test_returned_it_says_why_and_may_be_asked_again(at, by, person):
    await at(OPENED)
    made = await (asked() if by is RETURN_TOWNSHIP else with_county())
    await move(made, person, by, "已经通了宽带")
    found = await its(made)
    assert (found["state"], found["answer"]) == ("已退回", "已经通了宽带")
    assert await village(QIANCUN) is None
    assert await asked() != made


@pytest.mark.parametrize(("story", "refused"), [
    (asked, {FILE, RETURN_COUNTY}), (with_county, {OPINION, RETURN_TOWNSHIP}),
    (on_file, {OPINION, FILE, RETURN_TOWNSHIP, RETURN_COUNTY})])
async def test_from_each_other_state_it_is_refused_and_nothing_changes(at, owner, story, refused):
    await at(OPENED)
    made = await story()
    before = await fingerprint(owner)
    for by in refused:
        with pytest.raises(WrongState, match="刚才已经办了"):
            await move(made, COUNTY, by, review_on=LATER)
    assert await fingerprint(owner) == before


async def test_approved_twice_at_once_it_is_filed_once(at):
    await at(OPENED)
    made = await with_county()
    told = await asyncio.gather(*(move(made, COUNTY, by, review_on=LATER) for by in (FILE, FILE, RETURN_COUNTY)),
                                return_exceptions=True)
    assert sorted(type(one).__name__ for one in told) == ["NoneType", "WrongState", "WrongState"]
    assert await evidence("exemption_filing") + await evidence("exemption_refusal") == 1


@pytest.mark.parametrize("day", [None, date(2026, 8, 31), date(2026, 9, 1), date(2027, 9, 3), date(2030, 1, 1)])
async def test_the_day_to_look_again_lies_within_a_year(at, owner, day):
    await at(OPENED)
    made = await with_county()
    before = await fingerprint(owner)
    with pytest.raises(Refused, match="今天以后、一年以内"):
        await move(made, COUNTY, FILE, review_on=day)
    assert await fingerprint(owner) == before
    assert today() == date(2026, 9, 1)


async def test_the_last_day_within_a_year_will_do(at):
    await at(OPENED)
    made = await with_county()
    await move(made, COUNTY, FILE, review_on=date(2027, 9, 2))
    assert (await its(made))["state"] == "已备案"


@pytest.mark.parametrize("reason", ["", "   ", "长" * 301])
async def test_a_wrong_reason_leaves_nothing_behind(visit, at, owner, reason):
    await at(OPENED)
    before = await fingerprint(owner)
    for person, path in ((VILLAGE_ADMIN, "/exemptions/new"), (COMMITTEE, f"/villages/{QIANCUN}/exemption")):
        answer = await visit(person, "POST", path, data={"reason": reason})
        assert answer.status_code == 422
        assert "原因" in answer.text
    assert await fingerprint(owner) == before


@pytest.mark.parametrize("day", ["", "2027-03-01"])
async def test_the_county_refuses_with_the_form_it_would_file_with(visit, at, day):
    await at(OPENED)
    made = await asked()
    await move(made, COMMITTEE, OPINION)
    page = (await visit(COUNTY, "GET", f"/villages/{(await its(made))['village_code']}")).text
    assert f'/exemptions/{made}/refusal"' in page
    assert 'name="review_on"' in page
    answer = await visit(COUNTY, "POST", f"/exemptions/{made}/refusal", data={"opinion": "能开通", "review_on": day})
    assert answer.status_code == 303
    assert (await its(made))["state"] == "已退回"


@pytest.mark.parametrize("opinion", ["", "长" * 301])
async def test_an_opinion_and_a_refusal_have_words(visit, at, opinion):
    await at(OPENED)
    made = await asked()
    for person, noun in ((COMMITTEE, "opinion"), (COMMITTEE, "return")):
        assert (await visit(person, "POST", f"/exemptions/{made}/{noun}", data={"opinion": opinion})).status_code == 422
    await move(made, COMMITTEE, OPINION)
    answer = await visit(COUNTY, "POST", f"/exemptions/{made}/refusal", data={"opinion": opinion})
    assert answer.status_code == 422
    assert (await its(made))["state"] == "待县级审批"


@pytest.mark.parametrize(("person", "noun", "status"), [
    (SIDIAN, "opinion", 404), (COMMITTEE_ORGANISER, "opinion", 403), (SECRETARY, "opinion", 403),
    (COMMITTEE, "filing", 403), (OTHER_COUNTY, "filing", 404), (SIDIAN, "return", 404), (OTHER_COUNTY, "refusal", 404)])
async def test_only_who_is_over_the_village_decides(visit, at, person, noun, status):
    await at(OPENED)
    made = await (asked() if noun in ("opinion", "return") else with_county())
    answer = await visit(person, "POST", f"/exemptions/{made}/{noun}",
                         data={"opinion": "同意"} | ({"review_on": LATER.isoformat()} if noun == "filing" else {}))
    assert answer.status_code == status


@pytest.mark.parametrize("person", [VILLAGER, MEMBER, COUNTY])
async def test_only_who_answers_for_a_village_asks(visit, at, person):
    await at(OPENED)
    assert (await visit(person, "POST", "/exemptions/new", data={"reason": WHY})).status_code == 403
    await asked()
    assert WHY not in (await visit(NEIGHBOUR, "GET", "/exemptions/new")).text


# Beside an opening ----------------------------------------------------------------------------------------------------

async def test_what_is_opened_needs_no_exemption(visit, at):
    await at(OPENED)
    await opened()
    answer = await visit(SECRETARY, "POST", "/exemptions/new", data={"reason": WHY})
    assert answer.status_code == 409
    assert "已经开通，不能再申请暂不开通" in answer.text


@pytest.mark.parametrize("story", [asked, with_county, on_file])
async def test_an_opening_ends_the_exemption(at, story):
    await at(OPENED)
    made = await story()
    await opened()
    found, place = await its(made), await village(QIANCUN)
    assert found["state"] == "已结束"
    assert found["ended_at"] is not None
    assert place is not None
    assert (place["state"], place["opened_at"] is None) == ("已开通", False)
    with pytest.raises(WrongState):
        await move(made, COUNTY, FILE, review_on=LATER)


async def test_opened_and_exempted_at_once_one_of_both_holds(at):
    await at(OPENED)
    made = await with_county()
    told = await asyncio.gather(opened(), move(made, COUNTY, FILE, review_on=LATER), return_exceptions=True)
    place, found = await village(QIANCUN), await its(made)
    assert place is not None
    assert (place["state"], found["state"]) in (("已开通", "已结束"), ("暂不开通", "已备案"))
    assert None in told


async def test_opened_and_asked_at_once_leaves_no_exemption_of_an_opened_village(at, monkeypatch):
    """The village asks between the township's opening and the end of its transaction."""
    await at(OPENED)
    open_threads, asking = actions.threads.open_threads, []

    async def meanwhile(path: str) -> None:
        asking.append(asyncio.create_task(asked(), context=Context()))  # a transaction of its own
        await asyncio.wait(asking, timeout=0.5)
        await open_threads(path)

    monkeypatch.setattr(actions.threads, "open_threads", meanwhile)
    await opened()
    await asyncio.gather(*asking, return_exceptions=True)
    found = await exemption_of(QIANCUN)
    assert found is None or found["state"] == "已结束"


async def test_an_exemption_is_looked_at_again_a_week_before_its_day(visit, at):
    await at(OPENED)
    await on_file()
    await at("2027-02-21 09:00")
    assert "复核" not in (await visit(COUNTY, "GET", "/to-dos")).text
    await at("2027-02-22 09:00")
    assert "复核日期" in (await visit(COUNTY, "GET", "/to-dos")).text


async def test_on_the_day_it_is_looked_at_again_it_is_prolonged(visit, at):
    await at(OPENED)
    made = await on_file()
    await at("2027-08-30 09:00")
    assert "延期备案" in (await visit(COUNTY, "GET", f"/villages/{QIANCUN}")).text
    wrong = await visit(COUNTY, "POST", f"/exemptions/{made}/prolonging", data={"review_on": "2029-01-01"})
    assert wrong.status_code == 422
    answer = await visit(COUNTY, "POST", f"/exemptions/{made}/prolonging",
                         data={"opinion": "搬迁没有完成", "review_on": "2028-03-01"})
    assert answer.status_code == 303
    found = await its(made)
    assert (found["state"], found["review_on"], found["answer"]) == ("已备案", date(2028, 3, 1), "搬迁没有完成")
    assert f"/villages/{QIANCUN}" not in (await visit(COUNTY, "GET", "/to-dos")).text
    assert await evidence("exemption_prolonging") == 1
