"""The register: whom one finds in it, by what, and what it never tells."""
import pytest

from server.members.rules import PAGE, SEARCHES
from tests.cast import COMMITTEE, COUNTY, MEMBER, NEIGHBOUR_MEMBER, PROVINCE, SECRETARY, VILLAGER, enter


async def look_for(visit, viewer, wanted, **more):
    return await visit(viewer, "POST", "/members/search", data={"wanted": wanted, "after": ""} | more)


@pytest.mark.parametrize("wanted", [
    MEMBER.name, MEMBER.name[1:], f" {MEMBER.name} ", MEMBER.id_number, MEMBER.id_number.lower(), MEMBER.phone,
    "137 0000 0010", "137-0000-0010", f"{MEMBER.id_number[:6]} {MEMBER.id_number[6:14]} {MEMBER.id_number[14:]}"])
@pytest.mark.parametrize("viewer", [SECRETARY, COMMITTEE, COUNTY], ids=str)
async def test_a_member_is_found_by_name_and_by_a_whole_number(visit, viewer, wanted):
    answer = await look_for(visit, viewer, wanted)
    assert answer.status_code == 200
    assert MEMBER.name in answer.text
    assert NEIGHBOUR_MEMBER.name not in answer.text
    assert MEMBER.id_number not in answer.text.replace(f'value="{wanted}"', "")


async def test_who_may_not_open_numbers_tries_none_out(visit):
    assert MEMBER.name in (await look_for(visit, PROVINCE, MEMBER.name)).text
    for number in (MEMBER.id_number, MEMBER.phone):
        answer = await look_for(visit, PROVINCE, number)
        assert (answer.status_code, "不按号码查找" in answer.text, MEMBER.name in answer.text) == (422, True, False)


@pytest.mark.parametrize("wanted", [NEIGHBOUR_MEMBER.name, NEIGHBOUR_MEMBER.id_number, NEIGHBOUR_MEMBER.phone,
                                    VILLAGER.name, VILLAGER.phone, "查无此人"])
async def test_who_is_no_member_of_the_own_branch_is_not_found(visit, wanted):
    answer = await look_for(visit, SECRETARY, wanted)
    assert answer.status_code == 200
    assert "没有找到" in answer.text
    assert 'href="/members/' not in answer.text


@pytest.mark.parametrize(("wanted", "says"), [
    ("", "请填写"), ("370921195001011234", "对不上"), ("37092119500101123", "18 位"), ("13700000", "没有找到"),
    ("12700000010", "以 1 开头"), ("３７０９２１１９５００１０１１２３４", "半角"), ("长" * 41, "最多 40 个字")])
async def test_half_a_number_and_a_wrong_one_are_told_and_never_looked_for_among_the_names(visit, wanted, says):
    answer = await look_for(visit, SECRETARY, wanted)
    assert says in answer.text
    assert answer.status_code == (200 if says == "没有找到" else 422)


async def test_a_search_by_number_is_evidence_without_the_number_and_has_its_limit(owner, visit):
    await look_for(visit, SECRETARY, MEMBER.phone)
    told = await owner.fetchval("SELECT e::text FROM audit_event e WHERE verb = 'search_number'")
    assert "手机号码" in told
    assert MEMBER.phone not in told
    for number in range(SEARCHES - 1):
        assert (await look_for(visit, SECRETARY, f"1380000{number:04}")).status_code == 200
    assert (await look_for(visit, SECRETARY, MEMBER.phone)).status_code == 429
    assert (await look_for(visit, SECRETARY, MEMBER.name)).status_code == 200
    assert not [one["key"] for one in await owner.fetch("SELECT key FROM guess") if "138" in one["key"][:30]]


async def test_the_list_goes_on_by_the_last_person_and_no_name_stands_in_its_address(owner, visit):
    branch = await owner.fetchval("SELECT id FROM organisation WHERE name = '前村支部'")
    for number in range(PAGE):
        person = await enter(owner, f"丁{number:02}", f"1390000{number:04}")
        await owner.execute("INSERT INTO member (person_id, branch_id, standing, since)"
                            " VALUES ($1, $2, '正式党员', '2020-07-01')", person, branch)
    shown, address = [], "/members"
    while address:
        text = (await visit(SECRETARY, "GET", address)).text
        shown += text.split('class="row row--short"')[1:]
        address = next((part.split('"')[0] for part in text.split('class="more" href="')[1:]), "")
        assert not address or address.removeprefix("/members?after=").isdecimal()
    names = [one.split('row__title">')[1].split("<")[0] for one in shown]
    assert len(names) == len(set(names)) == PAGE + 5
    first = await look_for(visit, SECRETARY, "丁", after="")
    last = first.text.split('name="after" value="')
    assert len(last) == 1, "thirty of that name fit on a page"


async def test_another_branchs_place_in_the_list_is_no_way_to_learn_of_its_people(owner, visit):
    stranger = await owner.fetchval("SELECT id FROM person WHERE name = $1", NEIGHBOUR_MEMBER.name)
    first, odd = [(await visit(SECRETARY, "GET", path)).text for path in ("/members", f"/members?after={stranger}")]
    assert first == odd


async def test_the_register_of_a_branch_below_is_shown_and_of_another_is_not_there(owner, visit):
    ids = {one["name"]: one["id"] for one in await owner.fetch("SELECT id, name FROM organisation")}
    below = await visit(COMMITTEE, "GET", f"/members?at={ids['后村支部']}")
    assert NEIGHBOUR_MEMBER.name in below.text
    assert MEMBER.name not in below.text
    for elsewhere in (ids["西村支部"], ids["宁阳县委组织部"], 999999, "x", "²", 2**70):
        assert (await visit(COMMITTEE, "GET", f"/members?at={elsewhere}")).status_code == 404
