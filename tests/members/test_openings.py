"""Masked numbers: opened one at a time, with a reason, by who is in charge; thirty an hour, exactly."""
import asyncio
import re
from secrets import token_urlsafe

import pytest

from server.members import actions
from server.members.rules import OPENINGS, Number
from tests.cast import COUNTY, MEMBER, NEIGHBOUR, NEIGHBOUR_MEMBER, SECRETARY, ZHOUCHENG

ASKED = {"what": "身份证号", "reason": "核对党员信息", "detail": "换届"}


def press() -> str:
    return token_urlsafe(16)


async def person_id(owner, person) -> int:
    return await owner.fetchval("SELECT id FROM person WHERE name = $1", person.name)


async def evidence(owner, verb):
    return await owner.fetch("SELECT subject_kind, subject_id, why, person_name, e::text AS whole"
                             " FROM audit_event e WHERE verb = $1 ORDER BY id", verb)


@pytest.mark.parametrize(("what", "number", "verb"), [
    ("身份证号", MEMBER.id_number, "open_id_number"), ("手机号码", MEMBER.phone, "open_phone")])
async def test_an_opened_number_is_shown_once_and_is_evidence_without_the_number(owner, visit, what, number, verb):
    who = await person_id(owner, MEMBER)
    masked = await visit(SECRETARY, "GET", f"/members/{who}")
    assert MEMBER.id_number not in masked.text
    assert MEMBER.phone not in masked.text
    form = ASKED | {"what": what, "press": press()}
    opened = await visit(SECRETARY, "POST", f"/members/{who}/openings", data=form)
    assert opened.status_code == 200
    assert opened.text.count(number) == 1
    assert opened.headers["cache-control"] == "no-store"
    told = await evidence(owner, verb)
    assert [(one["subject_kind"], one["subject_id"], one["why"], one["person_name"]) for one in told] == [
        ("person", who, "核对党员信息：换届", SECRETARY.name)]
    assert number not in told[0]["whole"]
    again = await visit(SECRETARY, "POST", f"/members/{who}/openings", data=form)
    assert (again.status_code, again.headers["location"]) == (303, f"/members/{who}")
    assert number not in (await visit(SECRETARY, "GET", f"/members/{who}")).text
    assert len(await evidence(owner, verb)) == 1


@pytest.mark.parametrize(("wrong", "says"), [
    ({"reason": ""}, "请选择理由"), ({"reason": "好奇"}, "请选择理由"), ({"what": "住址"}, "请选择要看的号码"),
    ({"reason": "其他", "detail": ""}, "请写明具体事由"), ({"detail": "长" * 101}, "最多 100 个字"),
    ({"detail": f"他说是 {MEMBER.id_number}"}, "不要写身份证号"), ({"detail": "打 137-0000-0010"}, "不要写身份证号"),
])
async def test_without_a_reason_that_may_stand_in_clear_nothing_is_opened(owner, visit, wrong, says):
    who = await person_id(owner, MEMBER)
    answer = await visit(SECRETARY, "POST", f"/members/{who}/openings", data=ASKED | {"press": press()} | wrong)
    assert answer.status_code == 422
    assert says in answer.text
    assert MEMBER.id_number not in answer.text.replace(wrong.get("detail", "-"), "")
    assert await owner.fetchval("SELECT count(*) FROM number_opening") == 0


async def test_a_hundred_at_once_open_thirty_and_the_evidence_says_thirty(owner, actor, visit):
    asking, who = await actor(SECRETARY), await person_id(owner, MEMBER)

    async def open_one() -> bool:
        try:
            return await actions.open_number(asking, who, Number.PHONE, "核对", press()) == MEMBER.phone
        except actions.TooMany:
            return False

    assert sum(await asyncio.gather(*(open_one() for _ in range(100)))) == OPENINGS
    assert len(await evidence(owner, "open_phone")) == OPENINGS
    refused = await visit(SECRETARY, "POST", f"/members/{who}/openings", data=ASKED | {"press": press()})
    assert refused.status_code == 429
    assert re.search(r"一小时内最多查看 30 个号码，请 \d+ 分钟后再看", refused.text)
    other = await actor(COUNTY)
    assert await actions.open_number(other, who, Number.PHONE, "核对", press()) == MEMBER.phone


async def test_the_thirty_slide_so_that_no_hour_ever_has_more(owner, actor, at):
    asking, who = await actor(SECRETARY), await person_id(owner, MEMBER)
    await at("2026-11-22 10:50:00")
    for _ in range(OPENINGS):
        await actions.open_number(asking, who, Number.PHONE, "核对", press())
    await at("2026-11-22 11:49:00")
    with pytest.raises(actions.TooMany):
        await actions.open_number(asking, who, Number.PHONE, "核对", press())
    await at("2026-11-22 11:52:00")
    assert await actions.open_number(asking, who, Number.PHONE, "核对", press()) == MEMBER.phone


async def test_the_database_counts_by_itself_and_nothing_is_taken_back(owner, as_app):
    insert = """INSERT INTO number_opening (account_id, person_id, what, press)
                SELECT 1, 1, '手机号码', sha256(n::text::bytea) FROM generate_series($1::int, $2::int) n"""
    await as_app.execute(insert, 1, OPENINGS)
    with pytest.raises(Exception, match="thirty openings an hour"):
        await as_app.execute(insert, 100, 100)
    for change in ("UPDATE number_opening SET at = at - interval '1 day'", "DELETE FROM number_opening"):
        with pytest.raises(Exception, match="append-only"):
            await owner.execute(change)
        with pytest.raises(Exception, match="permission denied"):
            await as_app.execute(change)


async def test_somebody_out_of_sight_is_as_good_as_not_there(owner, visit):
    for viewer, person in ((SECRETARY, NEIGHBOUR_MEMBER), (NEIGHBOUR, MEMBER), (ZHOUCHENG, MEMBER)):
        who = await person_id(owner, person)
        assert (await visit(viewer, "GET", f"/members/{who}")).status_code == 404
        answer = await visit(viewer, "POST", f"/members/{who}/openings", data=ASKED | {"press": press()})
        assert answer.status_code == 404
        assert person.name not in answer.text
    assert await owner.fetchval("SELECT count(*) FROM number_opening") == 0


async def test_the_page_never_shows_what_the_mask_hides(owner, visit):
    """370921********1234 hides the birthday: the page must not say it beside."""
    text = (await visit(SECRETARY, "GET", f"/members/{await person_id(owner, MEMBER)}")).text
    birthday = MEMBER.id_number[6:14]
    assert f"{MEMBER.id_number[:6]}********{MEMBER.id_number[14:]}" in text
    assert f"{birthday[:4]} 年" in text
    month, day = int(birthday[4:6]), int(birthday[6:])
    for written in (birthday, f"{month}月{day}日", f"{birthday[:4]}年{month}月"):
        assert written not in text
