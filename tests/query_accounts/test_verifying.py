"""The village says who it is: opened, with an SMS, or refused, with the reason in one."""
import asyncio
from dataclasses import replace

import pytest

from server.core.moves import WrongState
from server.query_accounts import applications
from server.query_accounts.rules import Standing
from server.query_accounts.tables import ReaderApplication
from server.villages.tables import village
from tests.cast import (
    BRANCH_ADMIN,
    COMMITTEE,
    COMMITTEE_ORGANISER,
    COUNTY,
    MEMBER,
    NEIGHBOUR,
    NEIGHBOUR_MEMBER,
    ORGANISER,
    SECRETARY,
    SIDIAN,
    SUPERVISOR,
    VILLAGE_ADMIN,
    VILLAGER,
)
from tests.databases import fingerprint
from tests.disclosure.stories import HOUCUN, QIANCUN, opened, published, ready
from tests.meetings.stories import evidence, one
from tests.members.test_registration import PASSWORD, filled
from tests.officers.stories import messages
from tests.query_accounts.stories import (
    ANOTHER,
    NEW,
    applied,
    grants,
    readers,
    the_application,
    verified,
    village_open,
)
from tests.villages.test_guards import refused
from tests.visits import Visitor, actor_of

WHY = "村里查无此人"


async def confirm(visit, made: int, by=VILLAGE_ADMIN, standing: str = "村（居）民"):
    return await visit(by, "POST", f"/query-accounts/applications/{made}/opening", data={"standing": standing})


async def turn_down(visit, made: int, by=VILLAGE_ADMIN, why: str = WHY):
    return await visit(by, "POST", f"/query-accounts/applications/{made}/refusal", data={"why": why})


@pytest.mark.parametrize(("person", "kind", "unit"), [
    (COMMITTEE, "基层党委", "370921"), (BRANCH_ADMIN, "党支部", "370921"), (BRANCH_ADMIN, "党支部", "370921102")])
async def test_other_organisations_that_stand_in_the_units_above_know_nothing_of_it(at, person, kind, unit):
    await village_open(at)
    await applied()
    guest = replace(await actor_of(person), organisation_kind=kind, unit_code=unit)
    seen = await ReaderApplication.exists().where(ReaderApplication.visible_to(guest))
    assert seen is False
    assert await ReaderApplication.exists().where(ReaderApplication.visible_to(await actor_of(COMMITTEE)))


async def test_who_verifies_sees_enough_to_know_the_person_and_no_whole_number(visit, at):
    await village_open(at)
    made = await applied(household=[("李桂芝", "妻子")])
    text = (await visit(VILLAGE_ADMIN, "GET", f"/query-accounts/applications/{made}")).text
    assert all(words in text for words in (NEW.name, "一户一个", "李桂芝（妻子）", NEW.id_number[-4:], "137****0050"))
    assert NEW.id_number not in text
    assert NEW.phone not in text


@pytest.mark.parametrize("person", [VILLAGE_ADMIN, SECRETARY, ORGANISER, BRANCH_ADMIN, COMMITTEE])
async def test_verified_it_is_opened_and_told_by_one_message(visit, at, person):
    await village_open(at)
    made = await applied(household=[("李桂芝", "妻子"), ("冯小宝", "孙子")])
    answer = await confirm(visit, made, person, "代表")
    reader = await one("SELECT id FROM reader")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/query-accounts/{reader}")
    assert await readers() == [(NEW.name, "代表", True)]
    assert await grants(NEW) == ["村民"]
    found = await the_application(made)
    assert (found["state"], found["reader_id"]) == ("已开通", reader)
    sent = await messages(NEW.phone)
    assert len(sent) == 1
    assert "前村三务公开查询账号已开通" in sent[0]
    assert "/registration" in sent[0]
    text = (await visit(person, "GET", f"/query-accounts/{reader}")).text
    assert all(words in text for words in (NEW.name, "户代表", "李桂芝", "孙子", "还没有设密码", "代表"))
    assert [await evidence(verb) for verb in ("open_reader", "open_application")] == [1, 1]


async def test_the_first_password_is_set_by_registering_and_then_the_books_are_read(at):
    await ready(at)
    made = await published()
    await verified()
    async with Visitor() as visitor:
        browser = await visitor.client(None)
        answer = await browser.post("/registration", data=await filled(browser, NEW))
        assert "注册成功" in answer.text
        answer = await browser.post("/sign-in", data={"phone": NEW.phone, "password": PASSWORD})
        assert answer.status_code == 303
        assert (await browser.get(f"/disclosures/{made}")).status_code == 200
        assert "查询账号" in (await browser.get("/query-accounts/own")).text
    assert await grants(NEW) == ["村民"]


async def test_before_that_nobody_signs_in_with_it(at):
    await village_open(at)
    await verified()
    async with Visitor() as visitor:
        browser = await visitor.client(None)
        answer = await browser.post("/sign-in", data={"phone": NEW.phone, "password": PASSWORD})
        assert answer.status_code == 422


async def test_who_only_applied_cannot_register(at):
    await village_open(at)
    await applied()
    async with Visitor() as visitor:
        browser = await visitor.client(None)
        answer = await browser.post("/registration", data=await filled(browser, NEW))
        assert answer.status_code == 422
    assert await messages(NEW.phone) == []


async def test_refused_the_applicant_is_told_why_and_may_apply_again(visit, at):
    await village_open(at)
    made = await applied()
    answer = await turn_down(visit, made)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/query-accounts/applications/{made}")
    assert WHY in (await visit(VILLAGE_ADMIN, "GET", f"/query-accounts/applications/{made}")).text
    found = await the_application(made)
    assert (found["state"], found["answer"], found["reader_id"]) == ("不同意", WHY, None)
    assert [WHY in sent and "没有开通" in sent for sent in await messages(NEW.phone)] == [True]
    assert await readers() == []
    assert await one("SELECT why FROM audit_event WHERE verb = 'refuse_application'") == WHY
    assert await applied() != made
    assert await one("SELECT count(*) FROM reader_application WHERE state = '待核实'") == 1


async def test_answered_once_it_is_answered(visit, at, owner):
    await village_open(at)
    first, second = await applied(NEW), await applied(ANOTHER)
    await confirm(visit, first)
    await turn_down(visit, second)
    before = await fingerprint(owner)
    for made in (first, second):
        for again in (confirm, turn_down):
            answer = await again(visit, made)
            assert (answer.status_code, "刚才已经办了" in answer.text) == (409, True)
    assert await fingerprint(owner) == before


async def test_opened_and_refused_at_once_it_is_one_of_both(visit, at):
    await village_open(at)
    made = await applied()
    answers = await asyncio.gather(*(act(visit, made, by) for act in (confirm, turn_down)
                                     for by in (VILLAGE_ADMIN, COMMITTEE)))
    assert sorted(answer.status_code for answer in answers) == [303, 409, 409, 409]
    assert len(await messages(NEW.phone)) == 1
    assert len(await readers()) == ((await the_application(made))["state"] == "已开通")


@pytest.mark.parametrize(("person", "status"), [
    (NEIGHBOUR, 404), (SIDIAN, 404), (COUNTY, 403), (COMMITTEE_ORGANISER, 403), (MEMBER, 403), (VILLAGER, 403),
    (SUPERVISOR, 403)])
async def test_another_villages_keeper_finds_no_application(visit, at, owner, person, status):
    await village_open(at, QIANCUN, HOUCUN)
    made = await applied()
    before = await fingerprint(owner)
    assert (await visit(person, "GET", f"/query-accounts/applications/{made}")).status_code == status
    assert (await confirm(visit, made, person)).status_code == status
    assert (await turn_down(visit, made, person)).status_code == status
    assert await fingerprint(owner) == before


async def test_a_wrong_form_leaves_nothing_behind(visit, at, owner):
    await village_open(at)
    made = await applied()
    before = await fingerprint(owner)
    for standing in ("", "村长"):
        assert (await confirm(visit, made, standing=standing)).status_code == 422
    for why in ("", "因" * 201, f"他是{NEW.phone}"):
        assert (await turn_down(visit, made, why=why)).status_code == 422
    assert (await confirm(visit, 999)).status_code == 404
    assert await fingerprint(owner) == before


@pytest.mark.parametrize(("facts", "words"), [
    ((MEMBER.phone, "别的名字", MEMBER.id_number), "与登记的不一致"),
    ((NEW.phone, MEMBER.name, MEMBER.id_number), "与登记的不一致")])
async def test_another_name_or_phone_than_is_known_is_told_and_opens_nothing(visit, at, owner, facts, words):
    await village_open(at)
    phone, name, number = facts
    await applications.apply(QIANCUN, name, number, phone, None, "test")
    made = await one("SELECT id FROM reader_application")
    before = await fingerprint(owner)
    answer = await confirm(visit, made)
    assert answer.status_code == 422
    assert words in answer.text
    assert await fingerprint(owner) == before


async def test_what_was_kept_for_an_unopened_village_is_verified_once_it_is_opened(visit, at):
    await village_open(at, HOUCUN)
    made = await applied()
    assert "开通以后再核实" in (await visit(VILLAGE_ADMIN, "GET", f"/query-accounts/applications/{made}")).text
    assert (await confirm(visit, made)).status_code == 404
    await opened(QIANCUN)
    assert (await confirm(visit, made)).status_code == 303
    assert await readers() == [(NEW.name, "村（居）民", True)]


async def test_the_same_person_at_two_villages_is_one_account_with_two_roles(at):
    await village_open(at, QIANCUN, HOUCUN)
    await verified()
    await verified(by=NEIGHBOUR, code=HOUCUN)
    assert await readers() == await readers(HOUCUN) == [(NEW.name, "村（居）民", True)]
    assert await one("SELECT count(*) FROM account a JOIN person p ON p.id = a.person_id WHERE p.name = $1",
                     NEW.name) == 1
    assert await grants(NEW) == ["村民", "村民"]


async def test_called_directly_an_answered_application_is_told(at):
    await village_open(at)
    made = await applied()
    one_ = await the_application(made)
    its, actor = await village(QIANCUN), await actor_of(VILLAGE_ADMIN)
    assert its is not None
    await applications.open_applied(actor, one_, its, Standing.VILLAGER)
    with pytest.raises(WrongState):
        await applications.open_applied(actor, one_, its, Standing.VILLAGER)
    with pytest.raises(WrongState):
        await applications.refuse(actor, one_, its, WHY)


async def test_the_applications_sql_opens_no_role_but_a_readers_and_only_for_its_keeper(at, as_app):
    await village_open(at)
    place, member = (await actor_of(VILLAGE_ADMIN)), await actor_of(NEIGHBOUR_MEMBER)
    grant = "INSERT INTO role_grant (account_id, role, organisation_id, granted_by) VALUES ($1, $2, $3, $4)"
    for role, by, code in (("村（社区）管理员", place.account_id, "EB011"),
                           ("村民", member.account_id, "EB011"), ("村民", None, "EB011")):
        await refused(code, as_app, grant, member.account_id, role, place.organisation_id, by)
    await as_app.execute(grant, member.account_id, "村民", place.organisation_id, place.account_id)
    await refused("42501", as_app, "DELETE FROM reader_application")
