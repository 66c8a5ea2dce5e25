"""年度核对: each opened village looks its list through once a year; who is not ticked is ended."""
import re

import pytest

from server.core.database import rows
from server.query_accounts import yearly
from tests.cast import COMMITTEE, COUNTY, MEMBER, NEIGHBOUR, SECRETARY, VILLAGE_ADMIN, VILLAGER, organisation_id
from tests.databases import fingerprint
from tests.disclosure.stories import HOUCUN, QIANCUN, clock_of
from tests.meetings.stories import evidence, one
from tests.query_accounts.stories import ANOTHER, NEW, grants, readers, verified, village_open

NEXT_YEAR = "2027-01-04 09:00"
TICKED = re.compile(r'<input[^>]*name="staying"[^>]*>')
FIELDS = re.compile(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"[^>]*>')


async def owed(at) -> None:
    """Two query accounts of the year before, and the year's first nights are over."""
    await village_open(at, QIANCUN, HOUCUN)
    await verified()
    await verified(ANOTHER)
    await at(NEXT_YEAR)
    await yearly.owe_the_look()


async def the_clock(owner, name: str = "前村支部") -> dict:
    return await clock_of(await organisation_id(owner, name), "reader_list")


async def reader_of(person) -> int:
    return await one("SELECT r.id FROM reader r JOIN person p ON p.id = r.person_id WHERE p.name = $1", person.name)


async def look(visit, *staying: int, by=VILLAGE_ADMIN, sure: bool = True, **more: str):
    shown = [found["id"] for found in await rows("SELECT id FROM reader WHERE ended_at IS NULL")]
    ending = {"ending": len(set(shown) - set(staying))} if sure and set(shown) - set(staying) else {}
    form = {"staying": list(staying), "shown": shown} | ending | more
    return await visit(by, "POST", "/query-accounts/confirmation", data=form)


async def test_from_the_years_first_day_it_is_owed_until_its_last(visit, at, owner):
    await owed(at)
    found = await the_clock(owner)
    assert (found["rule"], found["state"]) == ("reader_list", "open")
    assert found["starts_at"] == await at("2027-01-01 00:00")
    assert found["due_at"] == await at("2028-01-01 00:00")
    await at(NEXT_YEAR)
    assert "核对查询账号名单（2027年）" in (await visit(VILLAGE_ADMIN, "GET", "/to-dos")).text


async def test_it_is_owed_once_a_year_and_only_where_there_are_accounts_of_the_year_before(at, owner):
    await village_open(at, QIANCUN, HOUCUN)
    await verified()
    await yearly.owe_the_look()
    assert await one("SELECT count(*) FROM deadline WHERE rule = 'reader_list'") == 0, "opened this year"
    await at(NEXT_YEAR)
    for _ in range(2):
        await yearly.owe_the_look()
    assert await one("SELECT count(*) FROM deadline WHERE rule = 'reader_list'") == 1
    assert (await the_clock(owner))["state"] == "open"


async def test_looked_through_it_is_not_owed_again_until_the_next_year(visit, at, owner):
    await owed(at)
    await look(visit, await reader_of(NEW), await reader_of(ANOTHER))
    await yearly.owe_the_look()
    assert (await the_clock(owner))["state"] == "met"
    await at("2028-01-04 09:00")
    await yearly.owe_the_look()
    assert (await the_clock(owner))["state"] == "open"


async def test_who_is_ticked_stays_and_who_is_not_is_ended(visit, at, owner):
    await owed(at)
    page = (await visit(VILLAGE_ADMIN, "GET", "/query-accounts/confirmation")).text
    assert len(TICKED.findall(page)) == 2
    assert all("checked" in one for one in TICKED.findall(page))
    answer = await look(visit, await reader_of(NEW))
    assert (answer.status_code, answer.headers["location"]) == (303, "/query-accounts")
    assert await readers() == [(NEW.name, "村（居）民", True), (ANOTHER.name, "村（居）民", False)]
    assert (await grants(NEW), await grants(ANOTHER)) == (["村民"], [])
    assert str(await one("SELECT confirmed_on FROM reader WHERE ended_at IS NULL")) == "2027-01-04"
    assert await one("SELECT end_why FROM reader WHERE ended_at IS NOT NULL") == "年度核对"
    assert (await the_clock(owner))["state"] == "met"
    assert await evidence("confirm_readers") == 1
    assert ANOTHER.name not in (await visit(VILLAGE_ADMIN, "GET", "/query-accounts")).text


async def test_before_an_account_ends_it_is_named_and_asked_once_more(visit, at, owner):
    await owed(at)
    before, kept = await fingerprint(owner), await reader_of(NEW)
    for staying, words in (([], "没有勾的 2 个账号会停用"), ([kept], f"没有勾的 1 个账号会停用：{ANOTHER.name}")):
        for more in ({}, {"ending": "3"}):
            answer = await look(visit, *staying, sure=False, **more)
            assert (answer.status_code, words in answer.text) == (422, True)
            assert sum("checked" in box for box in TICKED.findall(answer.text)) == len(staying)
    assert await fingerprint(owner) == before
    assert (await look(visit)).status_code == 303
    assert [known[2] for known in await readers()] == [False, False]


async def test_an_empty_form_looks_nothing_through(visit, at, owner):
    await owed(at)
    before = await fingerprint(owner)
    for form in ({}, {"shown": [await reader_of(NEW)], "staying": [await reader_of(NEW)]}):
        assert (await visit(VILLAGE_ADMIN, "POST", "/query-accounts/confirmation", data=form)).status_code == 409
    assert await fingerprint(owner) == before


async def test_done_twice_it_ends_nobody_again(visit, at):
    await owed(at)
    kept = await reader_of(NEW)
    for _ in range(2):
        assert (await look(visit, kept)).status_code == 303
    assert await readers() == [(NEW.name, "村（居）民", True), (ANOTHER.name, "村（居）民", False)]
    assert await one("SELECT count(*) FROM deadline WHERE rule = 'reader_list'") == 1


async def test_another_villages_accounts_are_not_touched(visit, at, owner):
    await owed(at)
    await verified(by=NEIGHBOUR, code=HOUCUN)
    theirs = await one("SELECT id FROM reader WHERE village_code = $1", HOUCUN)
    before = await owner.fetchrow("SELECT * FROM reader WHERE id = $1", theirs)
    await look(visit, await reader_of(ANOTHER), theirs)
    assert await owner.fetchrow("SELECT * FROM reader WHERE id = $1", theirs) == before


@pytest.mark.parametrize(("person", "status"), [(VILLAGER, 403), (COUNTY, 403), (COMMITTEE, 404)])
async def test_nobody_else_looks_it_through(visit, at, owner, person, status):
    await owed(at)
    before = await fingerprint(owner)
    assert (await visit(person, "GET", "/query-accounts/confirmation")).status_code == status
    assert (await look(visit, by=person)).status_code == status
    assert await fingerprint(owner) == before


async def test_a_wrong_form_ends_nobody(visit, at, owner):
    await owed(at)
    before = await fingerprint(owner)
    for form in ({"staying": ["x"]}, {"staying": [1], "all": "1"}):
        assert (await visit(VILLAGE_ADMIN, "POST", "/query-accounts/confirmation", data=form)).status_code == 422
    assert await fingerprint(owner) == before


async def test_who_was_opened_after_the_page_was_read_stays(visit, at):
    """He was never shown without a tick: a colleague verified his application meanwhile."""
    await village_open(at)
    await verified()
    await at(NEXT_YEAR)
    page = (await visit(VILLAGE_ADMIN, "GET", "/query-accounts/confirmation")).text
    form: dict[str, list[str]] = {}
    its = page.partition('action="/query-accounts/confirmation"')[2].partition("</form>")[0]
    for name, value in FIELDS.findall(its):
        form.setdefault(name, []).append(value)
    await verified(ANOTHER, by=SECRETARY)
    assert (await visit(VILLAGE_ADMIN, "POST", "/query-accounts/confirmation", data=form)).status_code in (303, 409)
    assert await readers() == [(NEW.name, "村（居）民", True), (ANOTHER.name, "村（居）民", True)]


async def test_asked_once_more_who_was_opened_meanwhile_comes_ticked(visit, at):
    await owed(at)
    shown = [await reader_of(NEW), await reader_of(ANOTHER)]
    await visit(VILLAGE_ADMIN, "POST", "/query-accounts/choice", data={
        "standing": "两委成员", "people": [await one("SELECT id FROM person WHERE name = $1", MEMBER.name)]})
    page = (await visit(VILLAGE_ADMIN, "POST", "/query-accounts/confirmation", data={
        "shown": shown, "staying": shown[:1]})).text
    assert sum("checked" in box for box in TICKED.findall(page)) == 2
    assert f"没有勾的 1 个账号会停用：{ANOTHER.name}" in page


async def test_two_of_one_name_are_told_apart_by_their_phones(visit, at, owner):
    await owed(at)
    page = (await visit(VILLAGE_ADMIN, "GET", "/query-accounts/confirmation")).text
    assert "尾号" not in page
    await owner.execute("UPDATE person SET name = $1 WHERE name = $2", NEW.name, ANOTHER.name)
    page = (await visit(VILLAGE_ADMIN, "GET", "/query-accounts/confirmation")).text
    for person in (NEW, ANOTHER):
        assert f"{NEW.name} 尾号 {person.phone[-4:]}（" in page
