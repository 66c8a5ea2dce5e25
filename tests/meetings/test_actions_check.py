"""审核 (M2§5): the 组织委员 checks what is written before the branch sees it; his own, or without him, the 书记."""
import asyncio

import pytest

from server.core.database import row
from server.meetings.logs import FIELDS
from tests.cast import BRANCH_ADMIN, COMMITTEE, IN_QIANCUN, MEMBER, NEIGHBOUR, NEIGHBOUR_MEMBER, ORGANISER, SECRETARY
from tests.databases import fingerprint
from tests.faults.photographs import photograph
from tests.meetings.stories import card_lines, evidence, ids_of, one, planned

BEGINS = "2026-11-25 19:30"  # a Wednesday; the lock of what ends then is on 4 December, 24:00
PASSED, RETURNED = "审核通过", "审核不通过"
SAID = "下月初动工，李长河出车"
WAITING = "审核 · 学条例、议修路"  # on the 工作台
FORM = 'action="/meetings/{}/log/check"'
CARD = "学条例、议修路的记录已审核，请查看"


async def write(visit, meeting_id: int, text: str = SAID, version: int = 0, person=SECRETARY):
    answer = await visit(person, "POST", f"/meetings/{meeting_id}/log", data={"minutes": text, "version": version})
    assert answer.status_code == 303


async def add_photo(visit, meeting_id: int, person=SECRETARY, shade: int = 255):
    written = await row("SELECT * FROM meeting_log WHERE meeting_id = $1", meeting_id)
    form = {name: written[name] for name in FIELDS} | {"version": written["version"]} if written else {"version": 0}
    answer = await visit(person, "POST", f"/meetings/{meeting_id}/log", data=form,
                         files={"log_photos_file": ("记录.jpg", photograph(shade))})
    assert answer.status_code == 303


async def check(visit, meeting_id: int, person=ORGANISER, verdict: str = PASSED, **more):
    form = {"version": 1, "photos": 0, "verdict": verdict} | more
    return await visit(person, "POST", f"/meetings/{meeting_id}/log/check", data=form)


async def page(visit, meeting_id: int, person=MEMBER) -> str:
    answer = await visit(person, "GET", f"/meetings/{meeting_id}")
    assert answer.status_code == 200
    return answer.text


async def to_do(visit, *people) -> list[bool]:
    """Whether the check waits on each one's 工作台."""
    return [WAITING in (await visit(person, "GET", "/to-dos")).text for person in people]


@pytest.fixture
async def meeting_id(at):
    """A meeting that has just ended."""
    made = await planned(await at(BEGINS))
    await at("2026-11-25 20:31")
    return made


@pytest.fixture
async def written(visit, meeting_id) -> int:
    """A meeting whose list the 书记 has finished and whose log he has written."""
    await visit(SECRETARY, "POST", f"/meetings/{meeting_id}/attendance/rest", data={"everybody": "1"})
    await write(visit, meeting_id)
    return meeting_id


# Before the check -----------------------------------------------------------------------------------------------------

async def test_before_it_is_checked_the_branch_sees_who_came_and_no_text(visit, written):
    shown = await page(visit, written)
    assert SAID not in shown
    assert "赵德山 记于" not in shown
    assert FORM.format(written) not in shown
    assert "应到 5 人，实到 5 人" in shown
    assert all(person.name in shown for person in IN_QIANCUN)
    for person in (SECRETARY, ORGANISER, BRANCH_ADMIN, COMMITTEE):
        shown = await page(visit, written, person)
        assert SAID in shown
        assert "待组织委员审核" in shown
    assert await card_lines() == ["学条例、议修路"]


async def test_the_check_waits_on_the_checker_s_to_do_list_and_goes(visit, written):
    everybody = (SECRETARY, ORGANISER, BRANCH_ADMIN, NEIGHBOUR)
    assert await to_do(visit, *everybody) == [False, True, False, False]
    assert "赵德山 今天写的记录" in (await visit(ORGANISER, "GET", "/to-dos")).text
    await check(visit, written)
    assert await to_do(visit, *everybody) == [False] * 4
    await write(visit, written, "改了", 1)
    assert await to_do(visit, *everybody) == [False, True, False, False]
    await check(visit, written, verdict=RETURNED, version=2, reason="太简单")
    assert await to_do(visit, *everybody) == [False] * 4


async def test_a_photograph_alone_is_a_log_to_check(visit, meeting_id):
    await add_photo(visit, meeting_id)
    assert await to_do(visit, ORGANISER) == [True]
    assert (await check(visit, meeting_id, version=0, photos=1)).status_code == 303
    assert "/photos/" in await page(visit, meeting_id)


@pytest.mark.parametrize("photographed", [False, True], ids=["an empty form", "a photograph taken off again"])
async def test_nothing_written_is_nothing_to_check(visit, meeting_id, photographed):
    if photographed:
        await add_photo(visit, meeting_id)
        await visit(SECRETARY, "POST", f"/meetings/{meeting_id}/log",
                    data={"version": 0, "log_photos_off": f"f{await one('SELECT id FROM file')}"})
    else:
        await visit(SECRETARY, "POST", f"/meetings/{meeting_id}/log", data={"minutes": " \n", "version": 0})
    assert await to_do(visit, ORGANISER) == [False]
    assert FORM.format(meeting_id) not in await page(visit, meeting_id, ORGANISER)


# The verdict ----------------------------------------------------------------------------------------------------------

async def test_what_passes_is_shown_to_the_branch_with_who_checked_it(visit, written):
    answer = await check(visit, written)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/meetings/{written}")
    for person in (MEMBER, SECRETARY, ORGANISER, COMMITTEE):
        shown = await page(visit, written, person)
        assert SAID in shown
        assert "赵德山 记于 今天 20:3" in shown
        assert "孙桂兰" in shown.partition("赵德山 记于")[2].partition("审核通过</p>")[0]
        assert FORM.format(written) not in shown
    assert await evidence("check_log") == 1


async def test_what_passes_puts_one_card_into_the_branch_s_thread(visit, written):
    await check(visit, written)
    assert await card_lines() == ["学条例、议修路", CARD]
    thread = await one("SELECT DISTINCT thread_id FROM entry WHERE card_kind = 'meeting_log'")
    told = (await visit(MEMBER, "GET", f"/threads/{thread}")).text
    assert "组织生活日志" in told
    assert f"应到 5，实到 5，请假 0。{SAID}" in told
    assert (await visit(NEIGHBOUR_MEMBER, "GET", f"/threads/{thread}")).status_code == 404
    assert await card_lines("后村支部") == []


async def test_what_is_returned_says_why_to_the_officers_alone(visit, written):
    assert (await check(visit, written, verdict=RETURNED, reason="出车的是谁，再核对")).status_code == 303
    for person in (SECRETARY, ORGANISER, BRANCH_ADMIN, COMMITTEE):
        shown = await page(visit, written, person)
        assert "退回原因：出车的是谁，再核对" in shown
        assert SAID in shown
        assert RETURNED in shown
    shown = await page(visit, written)
    assert SAID not in shown
    assert "再核对" not in shown
    assert await card_lines() == ["学条例、议修路"]
    assert await one("SELECT why FROM audit_event WHERE verb = 'check_log'") == "出车的是谁，再核对"


@pytest.mark.parametrize(("reason", "words"), [
    ("", "请写明为什么不通过"), (" \n　", "请写明为什么不通过"), ("长" * 301, "最多 300 个字，现在有 301 个"),
    ("再\x00核对", "不能保存的字符")], ids=["none", "blanks", "too long", "a NUL"])
async def test_a_return_without_a_fit_reason_is_told_beside_the_field(visit, owner, written, reason, words):
    before = await fingerprint(owner)
    answer = await check(visit, written, verdict=RETURNED, reason=reason)
    assert answer.status_code == 422
    assert words in answer.text.partition('id="reason-error"')[2].partition("</p>")[0]
    assert f">\n{reason}</textarea>" in answer.text
    assert FORM.format(written) in answer.text
    assert await fingerprint(owner) == before


@pytest.mark.parametrize("wrong", [
    {"verdict": ""}, {"verdict": "通过"}, {"version": "x"}, {"version": 2**40}, {"photos": ""}, {"photos": "-1"}],
    ids=str)
async def test_no_verdict_is_no_verdict(visit, owner, written, wrong):
    before = await fingerprint(owner)
    answer = await check(visit, written, **({"reason": "再核对一下"} | wrong))
    assert answer.status_code == 422
    told = answer.text.partition('class="tell t-red" role="alert"')[2].partition("</div></div>")[0]
    assert {"verdict": "审核结果", "version": "版本", "photos": "照片"}[next(iter(wrong))] in told
    assert "再核对一下</textarea>" in answer.text
    assert await fingerprint(owner) == before


# Twice, old, late -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("again", [PASSED, RETURNED])
@pytest.mark.parametrize("first", [PASSED, RETURNED])
async def test_once_checked_it_is_not_checked_again(visit, owner, written, first, again):
    await check(visit, written, verdict=first, reason="见面说")
    before = await fingerprint(owner)
    answer = await check(visit, written, verdict=again, reason="见面说")
    assert answer.status_code == 409
    assert "这份记录已经审核过了" in answer.text
    assert await fingerprint(owner) == before


async def test_checked_by_two_taps_at_once_it_is_checked_once(visit, written):
    answers = await asyncio.gather(*(
        check(visit, written, verdict=verdict, reason="见面说") for verdict in (PASSED, RETURNED, PASSED)))
    assert sorted(answer.status_code for answer in answers) == [303, 409, 409]
    assert await evidence("check_log") == await one("SELECT count(*) FROM log_check") == 1
    verdict = await one("SELECT verdict FROM log_check")
    assert (await card_lines()).count(CARD) == (verdict == PASSED)


@pytest.mark.parametrize(("version", "photos"), [(0, 0), (2, 0), (1, 1)])
async def test_another_than_the_log_that_stands_is_not_checked(visit, owner, written, version, photos):
    before = await fingerprint(owner)
    answer = await check(visit, written, version=version, photos=photos)
    assert answer.status_code == 409
    assert "又改过了" in answer.text
    assert await fingerprint(owner) == before


async def test_a_new_text_is_checked_anew_and_its_card_replaces_the_old_one(visit, written):
    await check(visit, written)
    await write(visit, written, "月底动工", 1)
    shown = await page(visit, written)
    assert SAID not in shown
    assert "月底动工" not in shown
    assert (await check(visit, written)).status_code == 409
    assert (await check(visit, written, version=2)).status_code == 303
    assert "月底动工" in await page(visit, written)
    assert (await card_lines()).count(CARD) == 1
    assert await evidence("check_log") == 2


async def test_the_check_may_come_after_the_lock(visit, at, written):
    await at("2026-12-20 09:00")
    assert SAID not in await page(visit, written)
    assert await to_do(visit, ORGANISER) == [True]
    assert (await check(visit, written)).status_code == 303
    assert SAID in await page(visit, written)
    assert await card_lines() == ["学条例、议修路", CARD]


async def test_of_what_was_called_off_nothing_is_left_to_check(visit, owner, meeting_id):
    await write(visit, meeting_id)
    await visit(SECRETARY, "POST", f"/meetings/{meeting_id}/cancellation", data={"reason": "没有开成"})
    assert await to_do(visit, ORGANISER) == [False]
    assert FORM.format(meeting_id) not in await page(visit, meeting_id, ORGANISER)
    before = await fingerprint(owner)
    assert (await check(visit, meeting_id)).status_code == 409
    assert await fingerprint(owner) == before


async def test_what_the_committee_has_changed_is_not_checked_from_an_old_page(visit, at, owner, written):
    """The branch reads the committee's version by then; a card with the former text would mislead it."""
    await at("2026-12-20 09:00")
    await visit(SECRETARY, "POST", f"/meetings/{written}/amendments", data={"explanation": "出车的记错了"})
    number = await one("SELECT id FROM amendment")
    marks = {f"mark-{person}": "参加" for person in await ids_of(*IN_QIANCUN)}
    changed = {"kinds": "主题党日", "topic": "学条例、议修路", "begins_at": "2026-11-25T19:30",
               "ends_at": "2026-11-25T20:30", "minutes": "下月初动工，吴凤英出车", "why": "核对过了"}
    answer = await visit(COMMITTEE, "POST", f"/meetings/{written}/amendments/{number}/version", data=changed | marks)
    assert answer.status_code == 303
    before = await fingerprint(owner)
    assert (await check(visit, written)).status_code == 409
    assert await fingerprint(owner) == before


# Who ------------------------------------------------------------------------------------------------------------------

LEFT = "UPDATE role_grant SET until = ebranch_now() WHERE role = '组织委员'"
CLOSED = "UPDATE account SET closed_at = ebranch_now() FROM person p WHERE p.id = person_id AND p.name = '孙桂兰'"


@pytest.mark.parametrize(("writer", "gone", "checker"), [
    (SECRETARY, None, ORGANISER), (BRANCH_ADMIN, None, ORGANISER), (ORGANISER, None, SECRETARY),
    (SECRETARY, LEFT, SECRETARY), (BRANCH_ADMIN, LEFT, SECRETARY), (SECRETARY, CLOSED, SECRETARY)])
async def test_the_organiser_checks_or_where_he_cannot_the_secretary(visit, owner, meeting_id, writer, gone, checker):
    await write(visit, meeting_id, person=writer)
    if gone:
        await owner.execute(gone)
    others = [person for person in (SECRETARY, ORGANISER)[:1 if gone else 2] if person is not checker]
    before = await fingerprint(owner)
    for other in (*others, BRANCH_ADMIN):
        assert FORM.format(meeting_id) not in await page(visit, meeting_id, other)
        assert await to_do(visit, other) == [False]
        answer = await check(visit, meeting_id, other)
        assert answer.status_code == 403
        assert other is BRANCH_ADMIN or f"这份记录由{checker.role}审核" in answer.text
    assert await fingerprint(owner) == before
    assert f"待{checker.role}审核" in await page(visit, meeting_id, checker)
    assert FORM.format(meeting_id) in await page(visit, meeting_id, checker)
    assert await to_do(visit, checker) == [True]
    assert (await check(visit, meeting_id, checker)).status_code == 303


@pytest.mark.parametrize(("writer", "photographer"), [(ORGANISER, SECRETARY), (SECRETARY, ORGANISER)],
                         ids=["his text", "his photograph"])
async def test_nobody_checks_his_own_part_while_another_can(visit, meeting_id, writer, photographer):
    await write(visit, meeting_id, person=writer)
    await add_photo(visit, meeting_id, photographer)
    assert await to_do(visit, SECRETARY, ORGANISER) == [True, False]
    assert (await check(visit, meeting_id, ORGANISER, photos=1)).status_code == 403
    assert (await check(visit, meeting_id, SECRETARY, photos=1)).status_code == 303


@pytest.mark.parametrize(("person", "status"), [
    (MEMBER, 403), (COMMITTEE, 403), (NEIGHBOUR, 404), (None, 401),
], ids=lambda one: getattr(one, "role", None))
async def test_nobody_else_checks(visit, owner, written, person, status):
    before = await fingerprint(owner)
    for verdict in (PASSED, RETURNED):
        answer = await check(visit, written, person, verdict, reason="再核对")
        assert answer.status_code == status
        unknown = await check(visit, 10**9, person, verdict, reason="再核对")
        assert unknown.text == answer.text
    assert await fingerprint(owner) == before
