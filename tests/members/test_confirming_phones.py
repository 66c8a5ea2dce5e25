"""Another phone in the register, confirmed face to face by a branch officer."""
import pytest

from server.core import crypto
from server.people.tables import numbers_of, people_with_phone
from tests.cast import COMMITTEE, MEMBER, NEIGHBOUR, ORGANISER, SECRETARY
from tests.officers.stories import messages

NEW = "13800000099"
FORM = {"name": MEMBER.name, "phone": NEW, "again": NEW, "proof": "当面核对了居民身份证", "confirmed_by": "孙桂兰",
        "why": "旧号停用"}


async def confirm(owner, visit, viewer=SECRETARY, person=MEMBER, **changed):
    who = await owner.fetchval("SELECT id FROM person WHERE name = $1", person.name)
    return who, await visit(viewer, "POST", f"/members/{who}/phone", data=FORM | changed)


async def test_the_new_phone_is_the_one_to_sign_in_with_and_both_are_evidence_in_confidence(owner, visit):
    who, answer = await confirm(owner, visit)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/members/{who}?changed=1")
    assert [one["id"] for one in await people_with_phone(NEW)] == [who]
    assert await people_with_phone(MEMBER.phone) == []
    told = await owner.fetchrow("SELECT id, why, e::text AS whole FROM audit_event e WHERE verb = 'confirm_phone'")
    assert told["why"] == "旧号停用"
    assert not [number for number in (NEW, MEMBER.phone, "孙桂兰") if number in told["whole"]]
    kept = {crypto.decrypt(one["value"], table="audit_value", column="value", row_id=one["id"])[64:]
            for one in await owner.fetch("SELECT id, value FROM audit_value WHERE event_id = $1", told["id"])}
    assert kept == {NEW, MEMBER.phone, "孙桂兰"}
    assert f"已由{SECRETARY.name} · 书记更改" in (await messages(MEMBER.phone))[-1], "nobody loses it unnoticed"
    again = (await confirm(owner, visit))[1]
    assert again.status_code == 422
    assert "已经是这个手机号" in again.text
    assert await owner.fetchval("SELECT count(*) FROM audit_event WHERE verb = 'confirm_phone'") == 1


@pytest.mark.parametrize(("wrong", "says"), [
    ({"name": "王秀"}, "和名册上的不一致"), ({"name": ""}, "请填写姓名"),
    ({"phone": "1380000", "again": "1380000"}, "11 位"),
    ({"again": "13800000098"}, "两次填的不一样"), ({"proof": ""}, "请选择"), ({"confirmed_by": ""}, "请填写当面核实人"),
    ({"why": ""}, "请填写变更原因"), ({"why": f"旧号 {MEMBER.phone} 停用"}, "不要写身份证号、手机号"),
])
async def test_what_is_wrong_is_told_beside_the_field_and_nothing_is_changed(owner, visit, wrong, says):
    who, answer = await confirm(owner, visit, **wrong)
    assert answer.status_code == 422
    assert says in answer.text
    assert (await numbers_of(who))[1] == MEMBER.phone


async def test_an_officers_phone_is_the_safety_officers(owner, visit):
    _, answer = await confirm(owner, visit, person=ORGANISER, name=ORGANISER.name)
    assert answer.status_code == 422
    assert "请由开通账号的安全员更改" in answer.text


async def test_nobody_changes_the_own_phone_and_nobody_elses_branch(owner, visit):
    _, own = await confirm(owner, visit, person=SECRETARY, name=SECRETARY.name)
    assert own.status_code == 422
    assert "请另一位支部干部" in own.text
    assert (await confirm(owner, visit, viewer=NEIGHBOUR))[1].status_code == 404
    assert (await confirm(owner, visit, viewer=COMMITTEE))[1].status_code == 403
    assert await people_with_phone(NEW) == []
