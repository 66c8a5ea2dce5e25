"""Who sees a spot check, its photographs and the list; what is closed stays closed."""


from tests.cast import (
    AUDITOR,
    CITY,
    COMMITTEE,
    COMMITTEE_ORGANISER,
    COUNTY,
    MEMBER,
    NEIGHBOUR,
    OTHER_COUNTY,
    PROVINCE,
    SECRETARY,
    SIDIAN,
    SUPERVISOR,
    VILLAGE_ADMIN,
    VILLAGER,
    ZHOUCHENG,
)
from tests.databases import fingerprint
from tests.meetings.stories import one
from tests.supervision.stories import check, lapsed
from tests.supervision.test_spot_checks import FOUND, mended, step
from tests.villages.test_guards import refused


async def test_who_sees_a_check_and_its_photographs(visit, at):
    await lapsed(at)
    made = await check(visit, photo=True)
    file = await one("SELECT file_id FROM spot_check_file")
    for path in (f"/spot-checks/{made}", f"/spot-checks/{made}/photos/{file}"):
        for person in (VILLAGE_ADMIN, SECRETARY, COMMITTEE, COMMITTEE_ORGANISER, COUNTY, CITY, PROVINCE):
            assert (await visit(person, "GET", path)).status_code == 200, (person.name, path)
        for person in (NEIGHBOUR, SIDIAN, ZHOUCHENG, OTHER_COUNTY):
            assert (await visit(person, "GET", path)).status_code == 404, (person.name, path)
        for person in (VILLAGER, MEMBER, SUPERVISOR, AUDITOR):
            assert (await visit(person, "GET", path)).status_code == 403, (person.name, path)
    for person in (NEIGHBOUR, SIDIAN):
        assert FOUND not in (await visit(person, "GET", "/spot-checks")).text


async def test_a_photograph_of_another_check_is_404(visit, at):
    await lapsed(at)
    await check(visit, photo=True)
    file = await one("SELECT file_id FROM spot_check_file")
    other = await check(visit, finding="别的")
    for its in (file, 999):
        assert (await visit(COMMITTEE, "GET", f"/spot-checks/{other}/photos/{its}")).status_code == 404
    assert (await visit(COMMITTEE, "GET", "/spot-checks/999")).status_code == 404


async def test_others_move_nothing(visit, at, owner):
    await lapsed(at)
    waits, found = await mended(visit), await check(visit, finding="别的")
    before = await fingerprint(owner)
    for person, status in ((NEIGHBOUR, 403), (SECRETARY, 403), (VILLAGER, 403), (COMMITTEE, 403), (COUNTY, 403)):
        assert (await step(visit, found, "mending", person)).status_code == status, person.name
    for person, status in ((VILLAGE_ADMIN, 403), (COMMITTEE_ORGANISER, 403), (SIDIAN, 404), (OTHER_COUNTY, 404)):
        for move in ("closing", "return"):
            assert (await step(visit, waits, move, person)).status_code == status, person.name
    assert await fingerprint(owner) == before


async def test_the_list_is_read_by_state(visit, at):
    await lapsed(at)
    await mended(visit)
    await check(visit, finding="别的一处")
    for status, shown in (("整改中", "别的一处"), ("待复核", FOUND)):
        text = (await visit(COMMITTEE, "GET", f"/spot-checks?status={status}")).text
        assert [words in text for words in ("别的一处", FOUND)] == [shown == "别的一处", shown == FOUND]
    assert "还没有抽查" in (await visit(SIDIAN, "GET", "/spot-checks")).text
    assert (await visit(COMMITTEE, "GET", "/spot-checks?status=x&before=0")).status_code == 200


async def test_the_applications_sql_reopens_nothing(visit, at, as_app):
    await lapsed(at)
    made = await mended(visit)
    await step(visit, made, "closing", COMMITTEE)
    await check(visit, same="1", mend_by="", finding="一样")
    for state in ("整改中", "待复核"):
        await refused("EB013", as_app, "UPDATE spot_check SET state = $1, closed_at = NULL", state)
    await refused("EB013", as_app, "UPDATE spot_check SET closed_at = ebranch_now() WHERE id = $1", made)
    for sql in ("UPDATE spot_check SET finding = '别的'", "DELETE FROM spot_check", "DELETE FROM spot_check_step",
                "UPDATE spot_check_step SET text = '别的'", "UPDATE spot_check SET village_code = '370921102202'"):
        await refused("42501", as_app, sql)
