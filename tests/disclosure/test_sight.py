"""Who sees what of a village's matters: its own people, those above it, and nobody else at any address."""
import re

import pytest

from tests.cast import (
    APPLICANT,
    AUDITOR,
    BEIMEN,
    BRANCH_ADMIN,
    CITY,
    COMMITTEE,
    COUNTY,
    MEMBER,
    NEIGHBOUR,
    NEIGHBOUR_MEMBER,
    OTHER_CITY,
    OTHER_COUNTY,
    PROBATIONARY,
    PROVINCE,
    SAFETY,
    SECRETARY,
    SIDIAN,
    SUPERVISOR,
    VILLAGE_ADMIN,
    VILLAGER,
    XICUN,
    ZHOUCHENG,
)
from tests.disclosure.stories import (
    ACCOUNTS,
    DUES,
    HOUCUN,
    MEETINGS,
    POOR,
    QIANCUN,
    TABLES,
    begin_correction,
    corrected,
    duty,
    edition,
    matter,
    new_version,
    opened,
    published,
    ready,
    returned,
    review,
    save,
    signing,
    submitted,
    to_township,
    villager_of_houcun,
    withdrawn,
    written,
)
from tests.meetings.stories import one
from tests.questions.stories import ask, reply
from tests.visits import the_app

OUR_READERS = (VILLAGER, SUPERVISOR, PROBATIONARY, MEMBER, BRANCH_ADMIN, SECRETARY, VILLAGE_ADMIN)
ABOVE = (COMMITTEE, COUNTY, CITY, PROVINCE)
BESIDE = (NEIGHBOUR, NEIGHBOUR_MEMBER, XICUN, BEIMEN)
ABOVE_OTHERS = (SIDIAN, ZHOUCHENG, OTHER_COUNTY, OTHER_CITY)
PARAMETER = re.compile(r"\{(\w+):\w+\}")


def addresses(**ids: object) -> list[str]:
    """Every address under a matter, a duty or a village's books that only shows something."""
    found = sorted(route.path for route in the_app().routes if "GET" in getattr(route, "methods", ())
                   and route.path.startswith(("/disclosures/{matter_id", "/disclosures/duties/", "/ledgers/{village")))
    assert len(found) > 15
    return [PARAMETER.sub(lambda name: str(ids.get(name[1], 1)), path) for path in found]


async def everything(made: int, name: str = ACCOUNTS, period: str = "2026-09") -> list[str]:
    line = await one("SELECT coalesce(max(line), 1) FROM ledger_line")
    return addresses(matter_id=made, village=QIANCUN, month="2026-09", duty_id=await duty(name, period), line=line)


# Readers --------------------------------------------------------------------------------------------------------------

async def test_a_ledger_is_read_by_its_village_and_those_above(visit, at):
    await ready(at)
    made = await published(ACCOUNTS, "2026-09")
    paths = (f"/disclosures/{made}", f"/disclosures/{made}/versions/1", f"/disclosures/{made}/versions/1/sheet",
             f"/disclosures/{made}/broadcast", f"/ledgers/{QIANCUN}", f"/ledgers/{QIANCUN}/2026-09")
    for person in OUR_READERS + ABOVE:
        for path in paths:
            assert (await visit(person, "GET", path)).status_code == 200, (person.role, path)


@pytest.mark.parametrize("story", [written, signing, submitted, returned, published, corrected, withdrawn])
async def test_at_no_address_does_another_village_find_anything(visit, at, owner, story):
    await ready(at)
    await opened(HOUCUN)
    made = await story(ACCOUNTS, "2026-09")
    for person in (*BESIDE, await villager_of_houcun(owner)):
        for path in await everything(made):
            status = (await visit(person, "GET", path)).status_code
            assert status in (403, 404), (person.role, path, status)


async def test_what_every_reader_may_ask_for_is_404_next_door(visit, at, owner):
    """Not 403: it is as if it did not exist."""
    await ready(at)
    await opened(HOUCUN)
    made = await published(ACCOUNTS, "2026-09")
    neighbour = await villager_of_houcun(owner)
    for path in await everything(made):
        ours, theirs = [(await visit(person, "GET", path)).status_code for person in (VILLAGER, neighbour)]
        assert (ours, theirs) == (403, 403) or theirs == 404, (path, ours, theirs)


async def test_nor_do_townships_and_counties_find_others_villages(visit, at):
    await ready(at)
    made = await published(ACCOUNTS, "2026-09")
    for person in ABOVE_OTHERS:
        for path in await everything(made):
            assert (await visit(person, "GET", path)).status_code in (403, 404), (person.name, path)
    assert (await visit(SIDIAN, "GET", f"/disclosures?village={QIANCUN}")).status_code == 404


async def test_those_without_business_here_are_refused(visit, at):
    await ready(at)
    made = await published(ACCOUNTS, "2026-09")
    for person in (APPLICANT, SAFETY, AUDITOR):
        for path in await everything(made):
            assert (await visit(person, "GET", path)).status_code == 403, (person.role, path)


async def test_who_is_not_signed_in_reads_nothing(visit, at):
    await ready(at)
    made = await published(ACCOUNTS, "2026-09")
    for path in await everything(made):
        answer = await visit(None, "GET", path)
        assert (answer.status_code, answer.headers["location"][:8]) == (303, "/sign-in"), path


@pytest.mark.parametrize("story", [written, signing, submitted, returned])
async def test_what_is_on_its_way_is_not_for_readers(visit, at, story):
    await ready(at)
    made = await story(ACCOUNTS, "2026-09")
    for person in (VILLAGER, PROBATIONARY, MEMBER, BRANCH_ADMIN):
        for path in await everything(made):
            if "duties" in path or path == f"/ledgers/{QIANCUN}":
                assert "村内路灯维修" not in (await visit(person, "GET", path)).text
            else:
                assert (await visit(person, "GET", path)).status_code in (403, 404), (person.role, path)


async def test_the_township_sees_only_what_was_handed_to_it(visit, at):
    await ready(at)
    made = await signing(ACCOUNTS, "2026-09")
    for path in await everything(made):
        answer = await visit(COMMITTEE, "GET", path)
        assert "村内路灯维修" not in answer.text, path


async def test_a_file_of_no_edition_is_not_opened(visit, at, owner):
    await ready(at)
    made = await published(MEETINGS)
    for person in (VILLAGER, VILLAGE_ADMIN, COMMITTEE):
        for noun in ("files", "vouchers"):
            assert (await visit(person, "GET", f"/disclosures/{made}/{noun}/1")).status_code == 404


async def test_unknown_numbers_are_404(visit, at):
    await ready(at)
    months = [f"/ledgers/{QIANCUN}/{month}" for month in ("2026-09", "x", "2026-13", "２０２６-09")]
    for path in ("/disclosures/999", "/disclosures/duties/999", *months, "/ledgers/370921102999", "/ledgers/x"):
        assert (await visit(VILLAGER, "GET", path)).status_code == 404, path


# What is for members --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("story", [published, corrected, withdrawn])
async def test_a_villager_never_sees_what_is_for_members(visit, at, story):
    await ready(at)
    made = await story(DUES)
    for path in await everything(made, DUES, "2026-Q3"):
        if f"/{made}" in path:
            assert (await visit(VILLAGER, "GET", path)).status_code in (403, 404), path
    for path in ("/disclosures", "/disclosures?month=2026-09", "/disclosures?category=党务", "/threads"):
        assert DUES not in (await visit(VILLAGER, "GET", path)).text, path


async def test_nor_what_his_village_owes_its_members(visit, at):
    await ready(at)
    its = await duty(DUES, "2026-Q3")
    assert (await visit(MEMBER, "GET", f"/disclosures/duties/{its}")).status_code == 200
    answer = await visit(VILLAGER, "GET", f"/disclosures/duties/{its}")
    assert answer.status_code == 404
    assert DUES not in answer.text


async def test_the_members_see_it(visit, at):
    await ready(at)
    made = await published(DUES)
    for person in (PROBATIONARY, MEMBER, BRANCH_ADMIN, SECRETARY, VILLAGE_ADMIN):
        assert "1260" in (await visit(person, "GET", f"/disclosures/{made}")).text, person.role
        assert DUES in (await visit(person, "GET", "/disclosures?month=2026-09")).text, person.role


async def test_who_signs_finance_and_is_no_member_sees_nothing_for_members(visit, at):
    """村务监督委员会 reads drafts that it signs; 党费 is not among them."""
    await ready(at)
    made = await published(DUES)
    assert DUES not in (await visit(SUPERVISOR, "GET", "/disclosures?month=2026-09")).text
    assert (await visit(SUPERVISOR, "GET", f"/disclosures/{made}")).status_code == 404


async def test_a_villagers_threads_hold_no_card_for_members(at):
    await ready(at)
    await published(DUES)
    assert await one("""SELECT count(*) FROM entry e JOIN thread t ON t.id = e.thread_id
                        WHERE e.card_kind = 'matter' AND t.kind LIKE 'village%'""") == 0


# The page of a matter -------------------------------------------------------------------------------------------------

async def test_who_works_on_it_sees_what_is_next(visit, at):
    await ready(at)
    made = await written()
    assert "继续填写" in (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/{made}")).text
    await submitted(POOR)
    its = await one("SELECT max(id) FROM matter")
    assert "撤回修改" in (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/{its}")).text
    assert "已经交到镇里" in (await visit(SECRETARY, "GET", f"/disclosures/{its}")).text
    assert f"/disclosures/{its}/review" in (await visit(COMMITTEE, "GET", f"/disclosures/{its}")).text


async def test_a_reader_of_a_corrected_matter_is_not_told_of_the_next_correction(visit, at):
    await ready(at)
    made = await published()
    await begin_correction(made, "内部原因")
    await save(made, text="还没公开的话")
    for person in (VILLAGER, MEMBER):
        text = (await visit(person, "GET", f"/disclosures/{made}")).text
        assert "内部原因" not in text
        assert "还没公开的话" not in text
    assert (await edition(made))["number"] == 2
    assert (await matter(made))["under_way"]


async def test_lists_of_months_and_categories(visit, at):
    await ready(at)
    await published(MEETINGS)
    for query, shown in (("", True), ("?category=村务", True), ("?category=财务", False), ("?month=2026-08", True),
                         ("?month=x&category=x", True), ("?month=1900-01", True), ("?after=x", True)):
        answer = await visit(VILLAGER, "GET", f"/disclosures{query}")
        assert answer.status_code == 200, query
        published_part = answer.text.rpartition('href="/disclosures?category=便民服务"')[2]
        assert (f"{MEETINGS}（2026年第三季度）" in published_part) == shown, query


async def test_what_is_for_members_is_neither_announced_nor_hung_up(visit, at):
    await ready(at)
    made = await published(DUES)
    page = (await visit(MEMBER, "GET", f"/disclosures/{made}")).text
    for path in (f"/disclosures/{made}/broadcast", f"/disclosures/{made}/versions/1/sheet"):
        assert path not in page
        assert (await visit(MEMBER, "GET", path)).status_code == 404


async def test_a_villager_who_asked_reads_the_title_of_what_he_read(visit, at):
    await ready(at)
    await new_version({DUES: {"audience": "村（居）民"}})
    made = await published(DUES)
    asked = await ask(visit, made)
    before = (await visit(VILLAGER, "GET", f"/questions/{asked}")).text
    await new_version({DUES: {"audience": "党员"}})
    await begin_correction(made)
    await save(made, title="只给党员看的标题", lines=TABLES[DUES])
    await to_township(made)
    await review(made)
    await reply(visit, asked)
    assert (await visit(VILLAGER, "GET", f"/disclosures/{made}")).status_code == 404
    for path in (f"/questions/{asked}", "/questions", "/threads"):
        assert "只给党员看的标题" not in (await visit(VILLAGER, "GET", path)).text
    assert DUES in before
