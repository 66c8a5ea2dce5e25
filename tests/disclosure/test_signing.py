"""签字: by whom a matter is signed before the township sees it (M3§8), where the county wants that."""
import asyncio
from dataclasses import replace

import pytest
from litestar.exceptions import ClientException, NotFoundException, PermissionDeniedException

from server.core.moves import WrongState
from server.disclosure import show, submission
from server.disclosure.rules import Signed
from server.permissions import Role
from server.villages.actions import settle
from tests.cast import (
    COMMITTEE,
    COUNTY,
    MEMBER,
    NEIGHBOUR,
    ORGANISER,
    SECRETARY,
    SUPERVISOR,
    VILLAGE_ADMIN,
    VILLAGER,
)
from tests.databases import fingerprint
from tests.disclosure.stories import (
    ASSETS,
    DUES,
    begin_correction,
    clock_of,
    duty,
    edition,
    hand_on,
    matter,
    new_version,
    published,
    ready,
    returned,
    save,
    sign,
    signing,
    submitted,
    withdrawn,
    written,
)
from tests.meetings.stories import evidence, one
from tests.visits import actor_of

QUARTER = "2026-Q3"


async def test_finance_is_signed_by_both_before_the_township_sees_it(visit, at):
    await ready(at)
    made = await signing()
    assert ASSETS not in (await visit(COMMITTEE, "GET", "/reviews")).text
    for person in (SUPERVISOR, SECRETARY):
        assert f"签字 · {ASSETS}" in (await visit(person, "GET", "/to-dos")).text
    assert await sign(made, SUPERVISOR) == "待签字"
    assert f"签字 · {ASSETS}" not in (await visit(SUPERVISOR, "GET", "/to-dos")).text
    assert (await clock_of(await duty(ASSETS, QUARTER)))["state"] == "open"  # until it is with the township
    assert await sign(made, SECRETARY) == "待审核"
    assert (await clock_of(await duty(ASSETS, QUARTER)))["state"] == "met"
    assert await evidence("sign_matter") == 2
    assert ASSETS in (await visit(COMMITTEE, "GET", "/reviews")).text


async def test_what_is_for_members_alone_the_supervisors_are_not_asked_to_sign(visit, at):
    await ready(at)
    await settle(await actor_of(COUNTY), ["党务", "财务"], 5, 0)
    made = await signing(DUES)
    assert "等书记签字" in (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/{made}")).text
    assert DUES not in (await visit(SUPERVISOR, "GET", "/to-dos")).text
    assert (await visit(SUPERVISOR, "GET", f"/disclosures/{made}/signature")).status_code == 404
    assert f"签字 · {DUES}" in (await visit(SECRETARY, "GET", "/to-dos")).text
    assert await sign(made, SECRETARY) == "待审核"


async def test_what_becomes_the_members_own_with_a_correction_the_supervisors_no_longer_see(visit, at):
    await ready(at)
    await settle(await actor_of(COUNTY), ["党务", "财务"], 5, 0)
    await new_version({DUES: {"audience": "村（居）民"}})
    made = await published(DUES)
    await new_version({DUES: {"audience": "党员"}})
    await begin_correction(made)
    await save(made, lines=[["收缴", "1260", "只给党员看的话"]])
    assert await hand_on(made) == "待签字"
    assert (await visit(SUPERVISOR, "GET", f"/disclosures/{made}/signature")).status_code == 404
    assert "签字 ·" not in (await visit(SUPERVISOR, "GET", "/to-dos")).text
    with pytest.raises(NotFoundException):
        await sign(made, SUPERVISOR)
    assert await sign(made, SECRETARY) == "待审核"


async def test_the_form_of_a_signature_says_yes_or_no(visit, at):
    await ready(at)
    made = await signing()
    address, version = f"/disclosures/{made}/signature", (await edition(made))["version"]
    assert "修路队" in (await visit(SUPERVISOR, "GET", address)).text
    for form, words in (({"verdict": "不同意", "reason": ""}, "不同意要写明原因"), ({"verdict": "随便"}, "请选择意见"),
                        ({}, "请选择意见")):
        answer = await visit(SUPERVISOR, "POST", address, data={"version": version} | form)
        assert (answer.status_code, words in answer.text) == (422, True)
    form = {"version": version, "verdict": "同意公开"}
    assert (await visit(SUPERVISOR, "POST", address, data=form)).status_code == 303
    again = await visit(SUPERVISOR, "POST", address, data=form)
    assert again.status_code == 409
    assert "已经签过了" in again.text


async def test_a_no_sends_it_back_to_the_village_with_the_reason(visit, at):
    await ready(at)
    made = await signing()
    assert await sign(made, SUPERVISOR) == "待签字"
    assert await sign(made, SECRETARY, Signed.REFUSED, "金额不对") == "草稿"
    assert "金额不对" in (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/{made}/edit")).text
    assert (await clock_of(await duty(ASSETS, QUARTER)))["state"] == "open"
    assert await hand_on(made) == "待签字"
    assert await sign(made, SUPERVISOR) == "待签字"  # what was said of the earlier submission holds no more
    assert await sign(made, SECRETARY) == "待审核"


async def test_two_signatures_at_once_hand_it_to_the_township_once(at):
    await ready(at)
    made = await signing()
    told = await asyncio.gather(*(sign(made, person) for person in (SUPERVISOR, SECRETARY, SUPERVISOR, SECRETARY)),
                                return_exceptions=True)
    assert sorted(str(one) for one in told if not isinstance(one, Exception)) == ["待审核", "待签字"]
    assert await one("SELECT count(*) FROM signature") == 2
    assert await one("SELECT count(*) FROM deadline WHERE rule = 'disclosure_review'") == 1


async def test_a_no_without_a_reason_is_none(at, owner):
    await ready(at)
    made = await signing()
    before = await fingerprint(owner)
    with pytest.raises(ClientException, match="写明原因"):
        await sign(made, SUPERVISOR, Signed.REFUSED)
    assert await fingerprint(owner) == before


@pytest.mark.parametrize("story", [written, submitted, returned, published, withdrawn])
async def test_what_waits_for_no_signature_is_not_signed(at, owner, story):
    await ready(at)
    made = await story(ASSETS)
    before = await fingerprint(owner)
    with pytest.raises(WrongState, match="刚才有了变化"):
        await sign(made, SUPERVISOR)
    assert await fingerprint(owner) == before


@pytest.mark.parametrize(("person", "status"), [
    (VILLAGER, 403), (MEMBER, 403), (ORGANISER, 403), (VILLAGE_ADMIN, 403), (COMMITTEE, 403), (NEIGHBOUR, 404)])
async def test_only_the_two_seats_of_the_village_sign(visit, at, person, status):
    await ready(at)
    made = await signing()
    form = {"version": (await edition(made))["version"], "verdict": "同意公开"}
    assert (await visit(person, "POST", f"/disclosures/{made}/signature", data=form)).status_code == status


async def test_the_two_seats_are_two_peoples(at, owner):
    await ready(at)
    made = await signing()
    both = await actor_of(SECRETARY)
    grant = await owner.fetchval("""INSERT INTO role_grant (account_id, role, organisation_id)
                                    VALUES ($1, '村务监督委员会', $2) RETURNING id""",
                                 both.account_id, both.organisation_id)
    await sign(made, SECRETARY)
    its = await edition(made)
    with pytest.raises(PermissionDeniedException, match="另一位同志签字"):
        await submission.sign(replace(both, role=Role.SUPERVISOR, grant_id=grant), await matter(made), its,
                              its["version"], Signed.AGREED, "")
    assert await sign(made, SUPERVISOR) == "待审核"


async def test_who_wrote_it_does_not_sign_for_the_supervisors(at, owner):
    await ready(at)
    made = await signing()
    me = (await actor_of(SUPERVISOR)).person_id
    async with owner.transaction():
        await owner.execute("ALTER TABLE edition DISABLE TRIGGER USER")
        await owner.execute("UPDATE edition SET authors = authors || $1::bigint", me)
        await owner.execute("ALTER TABLE edition ENABLE TRIGGER USER")
    with pytest.raises(PermissionDeniedException, match="自己填写的内容"):
        await sign(made, SUPERVISOR)


async def test_who_signs_a_correction_sees_what_differs(visit, at):
    await ready(at)
    made = await published(ASSETS)
    await begin_correction(made)
    await save(made, lines=[["债务", "李四工程队", "24,000.00", "0.00", "9,000.00", "15,000.00", "修村南路"]])
    await hand_on(made)
    page = (await visit(SUPERVISOR, "GET", f"/disclosures/{made}/signature")).text
    assert "与公开着的第 1 版的不同" in page
    assert "9,000.00" in page.partition("要公开的内容")[0]


async def test_the_branchs_secretary_has_the_way_to_the_matters_on_the_workbench(visit, at):
    await ready(at)
    assert 'href="/disclosures"' in (await visit(SECRETARY, "GET", "/to-dos")).text


async def test_what_was_for_members_is_not_held_beside_what_will_be_for_all(visit, at):
    await ready(at)
    await published(DUES)
    await new_version({DUES: {"audience": "村（居）民"}})
    made = await written(DUES, "2026-Q4")
    for person, told in ((SUPERVISOR, False), (SECRETARY, True), (COMMITTEE, True)):
        found = await show.beside(await actor_of(person), await matter(made), await edition(made))
        assert (found is not None) is told, person
