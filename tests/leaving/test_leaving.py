"""交接 and 代理: duties go to a successor with all that is unfinished, or for a while to a substitute."""
import asyncio
import json
from datetime import date

import asyncpg
import pytest

from server.accounts.tables import roles_of
from server.core.database import row, rows, transaction
from server.leaving import actions
from server.leaving.tables import grant_in_care
from server.meetings.logs import FIELDS, keep_draft, write
from server.officers.actions import Refused
from server.permissions import Role
from tests.cast import (
    AUDITOR,
    BRANCH_ADMIN,
    COUNTY,
    MEMBER,
    NEIGHBOUR,
    ORGANISER,
    OTHER_COUNTY,
    PROVINCE,
    SAFETY,
    SECRETARY,
    phone_index,
)
from tests.meetings.stories import evidence, meeting, planned
from tests.officers.stories import account_of, roles
from tests.visits import actor_of

TEXTS = dict.fromkeys(FIELDS, "") | {"chair": "赵德山", "minutes": "议了修路"}


async def its(person=BRANCH_ADMIN):
    """The role of one of the cast, as the safety officer finds it."""
    actor = await actor_of(person)
    return await grant_in_care((await actor_of(SAFETY)).organisation_id, actor.account_id, actor.grant_id)


async def handed_over(to=MEMBER, of=BRANCH_ADMIN, by=SAFETY) -> int:
    return await actions.hand_over(await actor_of(by), await its(of), await account_of(to), "换届")


# 交接 -----------------------------------------------------------------------------------------------------------------


async def test_the_role_ends_and_another_has_it_in_the_same_moment(database):
    made = await handed_over()
    assert await roles(await account_of(MEMBER)) == [("正式党员", "前村支部"), ("e支部管理员", "前村支部")]
    assert await its() is None
    found = await row("SELECT why, account_id FROM hand_over WHERE id = $1", made)
    assert (found["why"], found["account_id"]) == ("换届", await account_of(SAFETY))
    assert [await evidence(verb) for verb in ("hand_over", "end_role", "grant_role")] == [1, 1, 1]


async def test_what_was_unfinished_is_listed_and_the_drafts_go_along(at):
    log = await meeting(await planned(await at("2026-11-25 19:30")))
    await at("2026-11-25 21:00")
    leaver, taker = await actor_of(BRANCH_ADMIN), await actor_of(ORGANISER)
    await keep_draft(leaver, log, TEXTS, 0)
    made = await handed_over(ORGANISER)
    items = json.loads((await row("SELECT items::text FROM hand_over WHERE id = $1", made))["items"])
    assert [item["title"] for item in items if item["group"] == actions.DRAFT] == [log["topic"]]
    assert any(log["topic"] in item["title"] for item in items if item["group"] != actions.DRAFT)
    kept = await rows("SELECT person_id, fields->>'minutes' AS minutes FROM log_draft")
    assert [tuple(one) for one in kept] == [(taker.person_id, "议了修路")]


async def test_what_is_signed_says_days_that_are_read_on_other_days(at):
    log = await meeting(await planned(await at("2026-11-25 19:30")))
    await at("2026-11-25 21:00")
    await write(await actor_of(SECRETARY), log, TEXTS, 0)
    made = await handed_over(MEMBER, ORGANISER)
    items = (await row("SELECT items::text FROM hand_over WHERE id = $1", made))["items"]
    assert "2026年11月25日 周三写的记录" in items
    assert not any(word in items for word in ("今天", "昨天", "明天", "今明", "等您"))


async def test_a_draft_of_the_successors_own_is_not_lost(at):
    log = await meeting(await planned(await at("2026-11-25 19:30")))
    await at("2026-11-25 21:00")
    await keep_draft(await actor_of(BRANCH_ADMIN), log, TEXTS, 0)
    await keep_draft(await actor_of(ORGANISER), log, TEXTS | {"minutes": "我也写了"}, 0)
    await handed_over(ORGANISER)
    assert [one["minutes"] for one in await rows("SELECT fields->>'minutes' AS minutes FROM log_draft")] == [
        "我也写了\n\n议了修路"]


async def test_who_has_the_role_already_gets_no_second_one(database, owner):
    await owner.execute("""INSERT INTO role_grant (account_id, role, organisation_id)
                           SELECT $1, 'e支部管理员', organisation_id FROM role_grant WHERE id = $2""",
                        await account_of(MEMBER), (await actor_of(BRANCH_ADMIN)).grant_id)
    await handed_over()
    assert (await roles(await account_of(MEMBER))).count(("e支部管理员", "前村支部")) == 1


async def test_a_second_tap_hands_nothing_over_again(database):
    role, safety, taker = await its(), await actor_of(SAFETY), await account_of(MEMBER)
    made = await asyncio.gather(*(actions.hand_over(safety, role, taker, "换届") for _ in range(8)))
    assert len(set(made)) == 1
    assert len(await rows("SELECT FROM hand_over")) == 1


async def test_who_taps_twice_sees_the_same_list(visit):
    path, form = address(await its(), "hand-over"), {"account": await account_of(MEMBER), "why": "换届"}
    at_once = await asyncio.gather(*(visit(SAFETY, "POST", path, data=form) for _ in range(6)))
    answers = [*at_once, await visit(SAFETY, "POST", path, data=form)]
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1


async def test_what_somebody_has_for_another_is_passed_on_to_nobody_and_ends_with_the_others_role(visit, at):
    today = str((await at("2026-11-25 09:00")).date())
    path = address(await its(), "substitution")
    await visit(SAFETY, "POST", path, data={"account": await account_of(MEMBER), "first": today, "last": "2026-12-31",
                                            "why": "住院"})
    acting = await row("SELECT id, account_id, until FROM role_grant WHERE acting_for IS NOT NULL")
    theirs = f"/accounts/{acting['account_id']}/roles/{acting['id']}"
    for move in ("hand-over", "substitution"):
        assert (await visit(SAFETY, "GET", f"{theirs}/{move}")).status_code == 404
    assert "交接给别人" not in (await visit(SAFETY, "GET", f"/accounts/{acting['account_id']}")).text
    assert "至12月31日" in (await visit(SAFETY, "GET", f"/accounts/{acting['account_id']}")).text
    ended = await visit(SAFETY, "POST", f"{path.rpartition('/')[0]}/end", data={"why": "免职"})
    assert ended.status_code == 303
    assert ("e支部管理员", "前村支部") not in await roles(acting["account_id"])
    assert await evidence("end_acting_for") == 1


async def test_an_account_that_is_not_offered_is_not_taken(visit):
    for person in (OTHER_COUNTY, PROVINCE):
        for move, more in (("hand-over", {}), ("substitution", {"first": "2030-01-01", "last": "2030-01-02"})):
            answer = await visit(SAFETY, "POST", address(await its(), move), data={
                "account": await account_of(person), "why": "换届"} | more)
            assert (answer.status_code, "请从名单里选" in answer.text) == (422, True)
            assert person.name not in answer.text


async def test_nobody_takes_over_what_he_hands_over_himself(database):
    safety = await actor_of(SAFETY)
    with pytest.raises(Refused, match="不能给自己开通身份"):
        await actions.hand_over(safety, await its(), safety.account_id, "换届")


async def test_the_three_duties_stay_apart_in_a_hand_over(database):
    with pytest.raises(Refused, match="须由三个人分别担任"):
        await handed_over(AUDITOR, COUNTY)
    assert await its(COUNTY) is not None


async def test_there_must_be_an_account_that_takes_over(database):
    for taker in (999_999, await account_of(BRANCH_ADMIN)):
        with pytest.raises(Refused, match="没有找到"):
            await actions.hand_over(await actor_of(SAFETY), await its(), taker, "换届")


async def test_the_applications_sql_hands_nothing_over_by_itself(as_app):
    role, other = await its(), await actor_of(MEMBER)
    insert = ("INSERT INTO hand_over (grant_id, successor_grant_id, items, why, account_id)"
              " VALUES ($1, $2, '[]', '改', 1)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_app.execute(insert, role["id"], other.grant_id)
    made = await handed_over()
    for statement in ("UPDATE hand_over SET why = '改'", f"DELETE FROM hand_over WHERE id = {made}"):
        with pytest.raises(asyncpg.PostgresError):
            await as_app.execute(statement)


# 代理 -----------------------------------------------------------------------------------------------------------------


async def substituted(first: str, last: str, to=MEMBER, of=BRANCH_ADMIN) -> int:
    return await actions.substitute(await actor_of(SAFETY), await its(of), await account_of(to),
                                    date.fromisoformat(first), date.fromisoformat(last), "住院")


async def test_somebody_stands_in_from_day_to_day_and_is_none_before_and_after(at):
    await at("2026-11-25 10:00")
    made, account = await substituted("2026-11-26", "2026-11-27"), await account_of(MEMBER)
    for moment, may in (("2026-11-25 23:59:59", False), ("2026-11-26 00:00:00", True), ("2026-11-27 23:59:59", True),
                        ("2026-11-28 00:00:00", False)):
        held = [grant["id"] for grant in await roles_of(account, await at(moment))]
        assert (made in held) is may, moment


async def test_what_a_substitute_does_carries_both_names(at, visit):
    await at("2026-11-25 10:00")
    made = await substituted("2026-11-25", "2026-11-27")
    assert (await visit(MEMBER, "POST", f"/me/roles/{made}")).status_code == 303
    answer = await visit(MEMBER, "POST", "/meetings", data={
        "kinds": "主题党日", "topic": "代开的会", "place": "村委会", "begins_at": "2026-11-26T19:30",
        "ends_at": "2026-11-26T21:00", "people": str((await actor_of(MEMBER)).person_id)})
    assert answer.status_code == 303
    found = await row("SELECT person_name, acting_for FROM audit_event WHERE verb = 'plan_meeting'")
    assert found
    assert tuple(found) == (MEMBER.name, BRANCH_ADMIN.name)


@pytest.mark.parametrize(("first", "last", "words"), [
    ("2026-11-24", "2026-11-26", "过去"), ("2026-11-27", "2026-11-26", "早于"),
    ("2026-11-26", "2027-12-26", "最长一年")])
async def test_a_span_that_is_none_is_refused(at, first, last, words):
    await at("2026-11-25 10:00")
    with pytest.raises(Refused, match=words):
        await substituted(first, last)


async def test_nobody_stands_in_for_a_role_that_is_his_or_that_his_duties_exclude(at):
    await at("2026-11-25 10:00")
    with pytest.raises(Refused, match="须由三个人"):
        await substituted("2026-11-25", "2026-11-26", AUDITOR, COUNTY)
    await substituted("2026-11-25", "2026-11-26")
    with pytest.raises(Refused, match="已经有这个身份"):
        await substituted("2026-11-25", "2026-11-26")


# The screens ----------------------------------------------------------------------------------------------------------


def address(role, noun: str) -> str:
    return f"/accounts/{role['account_id']}/roles/{role['id']}/{noun}"


async def test_a_hand_over_is_printed_for_three_signatures(visit):
    path = address(await its(), "hand-over")
    assert "接收人" in (await visit(SAFETY, "GET", path)).text
    answer = await visit(SAFETY, "POST", path, data={"account": await account_of(MEMBER), "why": "换届"})
    assert answer.status_code == 303
    page = (await visit(SAFETY, "GET", answer.headers["location"])).text
    for words in ("移交人（签字）", "接收人（签字）", "监交人（签字）", MEMBER.name, BRANCH_ADMIN.name):
        assert words in page


@pytest.mark.parametrize(("sent", "words"), [
    ({"why": "换届"}, "请选一个人"), ({"account": "999999", "why": "换届"}, "请从名单里选"),
    ({"phone": "13999999999", "why": "换届"}, "没有用这个手机号的账号"), ({"phone": "1", "why": "换届"}, "11 位"),
    ({"phone": MEMBER.phone}, "请填写原因"), ({"phone": OTHER_COUNTY.phone, "why": "换届"}, "没有用这个手机号的账号")])
async def test_what_is_missing_is_told(visit, sent, words):
    answer = await visit(SAFETY, "POST", address(await its(), "hand-over"), data=sent)
    assert answer.status_code == 422
    assert words in answer.text


async def test_of_two_people_with_one_phone_nobody_is_taken_unseen(visit, owner):
    await owner.execute("UPDATE person SET phone_index = $1 WHERE name = $2", phone_index(NEIGHBOUR.phone), COUNTY.name)
    answer = await visit(SAFETY, "POST", address(await its(), "hand-over"), data={
        "phone": NEIGHBOUR.phone, "why": "换届"})
    assert (answer.status_code, "有两个人在用，请在名单里选" in answer.text) == (422, True)


async def test_a_successor_is_found_by_phone(visit):
    answer = await visit(SAFETY, "POST", address(await its(), "hand-over"), data={
        "phone": NEIGHBOUR.phone, "why": "换届"})
    assert answer.status_code == 303
    assert ("e支部管理员", "前村支部") in await roles(await account_of(NEIGHBOUR))


async def test_a_couples_phone_asks_who(visit, owner):
    await owner.execute("UPDATE person SET phone_index = $1 WHERE name = $2", phone_index(NEIGHBOUR.phone),
                        SECRETARY.name)
    answer = await visit(SAFETY, "POST", address(await its(), "hand-over"), data={
        "phone": NEIGHBOUR.phone, "why": "换届"})
    assert "两个人在用" in answer.text
    assert NEIGHBOUR.name in answer.text


async def test_the_evidence_of_a_substitution_says_for_whom_and_from_when_until_when(visit, at):
    await at("2026-11-25 10:00")
    await substituted("2026-11-25", "2026-11-30")
    found = json.loads((await row("SELECT after::text FROM audit_event WHERE verb = 'act_for'"))["after"])
    assert found["acting_for"] == f"账号 {await account_of(BRANCH_ADMIN)}"
    assert found["until"] == "2026-11-30 24:00"
    assert await evidence("grant_role") == 0
    lines = (await visit(SAFETY, "GET", "/accounts/register")).text
    assert "2026-11-30" in lines
    assert "2026-12-01" not in lines


async def test_a_substitution_is_made_by_its_form(visit, at):
    await at("2026-11-25 10:00")
    path = address(await its(), "substitution")
    assert "代理人" in (await visit(SAFETY, "GET", path)).text
    form = {"account": await account_of(MEMBER), "first": "2026-11-25", "last": "2026-11-30", "why": "住院"}
    assert (await visit(SAFETY, "POST", path, data=form | {"last": "30.11."})).status_code == 422
    assert (await visit(SAFETY, "POST", path, data=form)).status_code == 303
    assert Role.BRANCH_ADMIN in [role for role, _ in await roles(await account_of(MEMBER))]


async def test_another_departments_roles_are_not_there(visit):
    role = await actor_of(OTHER_COUNTY)
    for noun in ("hand-over", "substitution"):
        path = f"/accounts/{role.account_id}/roles/{role.grant_id}/{noun}"
        assert (await visit(SAFETY, "GET", path)).status_code == 404
    assert (await visit(SAFETY, "GET", "/accounts/hand-overs/999")).status_code == 404


async def test_a_failed_hand_over_changes_nothing(database, monkeypatch):
    async def fails(*_: object) -> None:
        raise RuntimeError
    monkeypatch.setattr(actions, "pass_on_drafts", fails)
    with pytest.raises(RuntimeError):
        await handed_over()
    assert await its() is not None
    async with transaction():
        assert await rows("SELECT FROM hand_over") == []
