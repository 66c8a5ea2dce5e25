"""上报: who may report whom, what the safety officer answers, and that each is answered once."""
import asyncio
from typing import Any

import pytest
from litestar.exceptions import NotFoundException

from server.core.database import rows, the_row
from server.core.moves import Move, WrongState
from server.officers import nominations
from server.officers.actions import Refused
from server.officers.rules import MOVES, NominationState
from server.permissions import GRANTS, Can, Role
from tests.cast import CITY, COMMITTEE, COUNTY, MEMBER, PROVINCE, SAFETY, SECRETARY, SIDIAN
from tests.meetings.stories import evidence, one
from tests.officers.stories import account_of, id_number, known, messages, opened, place, roles, somebody
from tests.visits import actor_of

MAY = [(SECRETARY, Role.ORGANISER, "qiancun"), (COMMITTEE, Role.COMMITTEE_ORGANISER, "committee"),
       (COMMITTEE, Role.SECRETARY, "houcun"), (COUNTY, Role.AUDITOR, "county"), (CITY, Role.SAFETY_OFFICER, "city"),
       (PROVINCE, Role.AUDITOR, "province")]
MAY_NOT = [(SECRETARY, Role.ORGANISER, "houcun"), (SECRETARY, Role.COMMITTEE_ADMIN, "committee"),
           (COMMITTEE, Role.SECRETARY, "xicun"), (COMMITTEE, Role.COUNTY_ADMIN, "county"),
           (COUNTY, Role.COMMITTEE_ADMIN, "committee"), (COUNTY, Role.COUNTY_ADMIN, "other_county"),
           (CITY, Role.COUNTY_ADMIN, "county"), (SIDIAN, Role.SECRETARY, "houcun")]


async def nominated(by: Any = SECRETARY, role: Role = Role.ORGANISER, at: str = "qiancun", **facts: Any) -> Any:
    """A nomination that waits."""
    made = await nominations.nominate(await actor_of(by), await somebody(role=role, at=at, **facts))
    return dict(await the_row("SELECT * FROM nomination WHERE id = $1", made))


async def state_of(nomination: Any) -> str:
    return await one("SELECT state FROM nomination WHERE id = $1", nomination["id"])


@pytest.mark.parametrize(("by", "role", "at"), MAY)
async def test_officers_are_reported_for_the_own_organisation_a_committees_for_its_branches_too(database, by, role, at):
    assert (await nominated(by, role, at))["state"] == NominationState.WAITING


@pytest.mark.parametrize(("by", "role", "at"), MAY_NOT)
async def test_and_for_no_other(database, by, role, at):
    with pytest.raises(NotFoundException):
        await nominated(by, role, at)
    assert await rows("SELECT FROM nomination") == []


async def test_a_role_that_does_not_stand_there_is_told_beside_its_field(database):
    with pytest.raises(Refused, match="没有") as refused:
        await nominated(role=Role.COMMITTEE_ADMIN)
    assert refused.value.field == "role"


async def test_who_holds_the_role_already_is_not_reported(database):
    with pytest.raises(Refused, match="已经是"):
        await nominations.nominate(await actor_of(SECRETARY), await known(SECRETARY, Role.SECRETARY, "qiancun"))


async def test_reported_twice_or_at_once_is_reported_once(database):
    officer = await somebody(role=Role.ORGANISER, at="qiancun")
    me = await actor_of(SECRETARY)
    made = await asyncio.gather(*(nominations.nominate(me, officer) for _ in range(4)))
    assert len(set(made)) == 1
    assert await evidence("nominate") == 1
    with pytest.raises(Refused, match="别处"):
        await nominations.nominate(await actor_of(COMMITTEE), officer)


async def test_the_number_and_the_phone_stand_encrypted_in_a_nomination(owner):
    await nominated()
    kept = str(await owner.fetch("SELECT * FROM nomination"))
    assert id_number(1) not in kept
    assert "13800000001" not in kept


async def test_what_is_opened_is_an_account_with_the_role_and_a_code(database):
    nomination = await nominated()
    opened = [await nominations.open_nominated(await actor_of(SAFETY), nomination) for _ in range(2)]
    assert opened[0].account_id == opened[1].account_id
    assert await roles(opened[0].account_id) == [("组织委员", "前村支部")]
    assert await state_of(nomination) == NominationState.OPENED
    assert len(await messages("13800000001")) == 1
    assert await evidence("open_nomination") == 1


async def test_what_cannot_be_opened_waits_on_and_leaves_nothing(database):
    nomination = await nominated(name="冒名", id_number=MEMBER.id_number)
    with pytest.raises(Refused, match="另一个姓名"):
        await nominations.open_nominated(await actor_of(SAFETY), nomination)
    assert await state_of(nomination) == NominationState.WAITING
    assert await evidence("grant_role") == 0


async def test_it_is_returned_with_a_reason_and_can_be_reported_again(database):
    nomination = await nominated()
    for _ in range(2):
        await nominations.return_nomination(await actor_of(SAFETY), nomination, "请核对身份证号")
    assert await state_of(nomination) == NominationState.RETURNED
    assert await evidence("return_nomination") == 1
    again = await nominated()
    assert again["id"] != nomination["id"]


async def answered(nomination: Any, move: Move) -> None:
    me, he = await actor_of(SAFETY), await actor_of(SECRETARY)
    await {"opening": lambda: nominations.open_nominated(me, nomination),
           "return": lambda: nominations.return_nomination(me, nomination, "不对"),
           "withdrawal": lambda: nominations.withdraw_nomination(he, nomination)}[move.name]()


@pytest.mark.parametrize("first", MOVES, ids=lambda move: move.name)
@pytest.mark.parametrize("then", MOVES, ids=lambda move: move.name)
async def test_it_is_answered_once(database, first, then):
    nomination = await nominated()
    await answered(nomination, first)
    if first is then:
        await answered(nomination, then)
    else:
        with pytest.raises(WrongState, match=first.to):
            await answered(nomination, then)
    assert await state_of(nomination) == first.to


async def test_opened_and_returned_at_the_same_moment_is_one_of_the_two(database):
    nomination = await nominated()
    told = await asyncio.gather(*(answered(nomination, move) for move in MOVES), return_exceptions=True)
    assert [type(one) for one in told].count(WrongState) == 2


async def test_moves_are_made_by_those_who_hold_their_right():
    assert all(move.can in GRANTS[Role.SAFETY_OFFICER] for move in MOVES[:2])
    assert MOVES[2].can is Can.OFFICER_NOMINATE
    assert all(move.frm <= set(NominationState) and move.to in NominationState for move in MOVES)


# Pages ----------------------------------------------------------------------------------------------------------------

async def test_the_safety_officer_sees_what_waits_on_top_and_on_the_tab(visit):
    await nominated()
    page = (await visit(SAFETY, "GET", "/accounts")).text
    assert "待开通的上报" in page
    assert "新干部1 · 前村支部 组织委员" in page
    assert 'class="badge">1<' in page
    assert id_number(1) not in page


async def test_who_nominated_reads_who_is_to_answer_as_long_as_it_waits(visit):
    nomination = await nominated()
    path, words = f"/accounts/nominations/{nomination['id']}", f"宁阳县委组织部 安全员 {SAFETY.name}"
    assert words in (await visit(SECRETARY, "GET", path)).text
    assert words not in (await visit(SAFETY, "GET", path)).text
    await nominations.open_nominated(await actor_of(SAFETY), nomination)
    assert words not in (await visit(SECRETARY, "GET", path)).text


async def test_who_nominated_finds_what_came_back_in_the_to_dos(visit):
    nomination = await nominated()
    await nominations.return_nomination(await actor_of(SAFETY), nomination, "请核对身份证号")
    page = (await visit(SECRETARY, "GET", "/to-dos")).text
    assert "账号上报被退回 · 新干部1" in page
    assert "请核对身份证号" in page
    await nominated()
    assert "账号上报被退回" not in (await visit(SECRETARY, "GET", "/to-dos")).text


async def test_what_was_typed_wrong_is_told_beside_its_field_and_nothing_is_lost(visit):
    form = {"name": "新干部", "id_number": "１２３", "phone": "139", "role": "书记", "why": "换届"}
    answer = await visit(SECRETARY, "POST", "/accounts/nominations", data=form)
    assert answer.status_code == 422
    assert all(words in answer.text for words in ("半角数字", "11 位数字", 'value="新干部"', 'value="换届"'))
    assert await rows("SELECT FROM nomination") == []


async def test_a_phone_is_searched_for_without_entering_an_address(visit):
    answer = await visit(SAFETY, "POST", "/accounts/search", data={"words": COMMITTEE.phone})
    assert answer.status_code == 200
    assert COMMITTEE.name in answer.text
    for words, found in (("东疏镇", COMMITTEE.name), ("褚", COMMITTEE.name), ("13900009999", "没有找到"),
                         (PROVINCE.phone, "没有找到"), ("北门", "没有找到")):
        assert found in (await visit(SAFETY, "POST", "/accounts/search", data={"words": words})).text


async def test_the_list_goes_on_where_a_page_ends_and_names_everybody_once(visit, owner):
    for serial in range(1, 36):
        await opened(await somebody(serial))
    seen, path = "", "/accounts?status=待激活"
    for _ in range(2):
        page = (await visit(SAFETY, "GET", path)).text
        seen += page
        path = page.partition('class="more" href="')[2].partition('"')[0].replace("&amp;", "&") or path
    assert all(seen.count(f">新干部{serial}<") == 1 for serial in range(1, 36))


async def test_who_left_office_is_listed_as_such_also_when_still_a_member(visit, owner):
    account = await account_of(SECRETARY)
    await owner.execute("UPDATE role_grant SET until = ebranch_now() WHERE account_id = $1 AND role = '书记'", account)
    listed = {state: (await visit(SAFETY, "GET", f"/accounts?status={state}")).text for state in ("已离任", "使用中")}
    assert SECRETARY.name in listed["已离任"]
    assert "已离任 1" in listed["使用中"]
    assert SECRETARY.name not in listed["使用中"]
    assert "已离任" in (await visit(SAFETY, "GET", f"/accounts/{account}")).text


async def test_the_register_says_who_what_where_since_when_by_whom_and_why(visit):
    await nominations.open_nominated(await actor_of(SAFETY), await nominated())
    page = (await visit(SAFETY, "GET", "/accounts/register")).text
    assert all(words in page for words in ("新干部1", "组织委员", "前村支部", SAFETY.name, "2026年换届", "在任"))
    assert "朱北" not in page, "another county's"


async def test_another_countys_safety_officer_sees_nothing_of_it(visit, owner):
    nomination = await nominated()
    await owner.execute("UPDATE role_grant SET organisation_id = $1 WHERE role = '安全员'", await place("other_county"))
    assert (await visit(SAFETY, "GET", f"/accounts/nominations/{nomination['id']}")).status_code == 404
    assert "新干部1" not in (await visit(SAFETY, "GET", "/accounts")).text
