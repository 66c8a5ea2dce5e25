"""签到 by QR, by digits, by the officer's list: works, refused, repeated, replayed."""
from datetime import timedelta

from server.core.clock import now
from server.core.keys import key
from server.meetings import tokens
from server.meetings.check_in import KEY_PURPOSE
from tests.cast import MEMBER, NEIGHBOUR, ORGANISER, PROBATIONARY, SECRETARY
from tests.meetings.stories import evidence, ids_of, marks, planned


def scan(meeting_id: int) -> str:
    return f"/c/{tokens.scan_token(key(KEY_PURPOSE), meeting_id, now())}"


async def test_a_scan_shows_one_button_and_changes_nothing(visit):
    meeting = await planned()
    page = await visit(MEMBER, "GET", scan(meeting))
    assert page.status_code == 200
    assert "签到" in page.text
    assert (await marks(meeting))["王秀英"] is None


async def test_the_button_checks_in(visit):
    meeting = await planned()
    answer = await visit(MEMBER, "POST", scan(meeting), follow_redirects=True)
    assert answer.status_code == 200
    assert "您已签到" in answer.text
    assert (await marks(meeting))["王秀英"] == "参加"
    assert await evidence("check_in") == 1


async def test_checking_in_twice_is_once(visit):
    meeting = await planned()
    for _ in range(2):
        assert "您已签到" in (await visit(MEMBER, "POST", scan(meeting), follow_redirects=True)).text
    assert await evidence("check_in") == 1


async def test_a_neighbour_is_told_plainly(visit):
    meeting = await planned()
    answer = await visit(NEIGHBOUR, "POST", scan(meeting))
    assert answer.status_code == 409
    assert "不在这次会议的名单里" in answer.text


async def test_a_scan_survives_signing_in(visit):
    meeting = await planned()
    answer = await visit(None, "GET", scan(meeting))
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=/c/")


async def test_a_grant_serves_one_person(visit):
    meeting = await planned()
    grant = f"/c/{tokens.grant_token(key(KEY_PURPOSE), meeting, now())}"
    assert "您已签到" in (await visit(MEMBER, "POST", grant, follow_redirects=True)).text
    assert "您已签到" in (await visit(MEMBER, "POST", grant, follow_redirects=True)).text
    answer = await visit(PROBATIONARY, "POST", grant)
    assert answer.status_code == 409
    assert "已经用过" in answer.text
    assert (await marks(meeting))["李小虎"] is None


async def test_an_old_code_says_that_it_is_over(visit, at):
    meeting = await planned(await at("2026-11-22 19:30"))
    link = scan(meeting)
    await at(now() + timedelta(seconds=31))
    answer = await visit(MEMBER, "POST", link)
    assert answer.status_code == 410
    assert "已过期" in answer.text


async def test_who_is_in_already_is_told_so_by_an_old_code_too(visit, at):
    meeting = await planned(await at("2026-11-22 19:30"))
    link = (await visit(MEMBER, "POST", scan(meeting))).headers["location"]
    await at(now() + timedelta(minutes=4))
    for method in ("GET", "POST"):
        answer = await visit(MEMBER, method, link)
        assert answer.status_code == 200
        assert "您已签到" in answer.text
    assert (await visit(PROBATIONARY, "GET", link)).status_code == 410
    assert (await visit(None, "GET", link)).status_code == 410


async def test_an_altered_code_is_refused(visit):
    link = scan(await planned())
    altered = link[:-3] + ("AAA" if not link.endswith("AAA") else "BBB")
    answer = await visit(MEMBER, "POST", altered)
    assert answer.status_code == 404
    assert "不能用" in answer.text


async def test_too_early_and_too_late_say_when(visit, at):
    begins = await at("2026-11-22 19:30") + timedelta(hours=1)
    meeting = await planned(begins)
    assert "今天 20:00 开始签到" in (await visit(MEMBER, "POST", scan(meeting), follow_redirects=True)).text
    await at(begins + timedelta(hours=2))
    assert "签到已经结束" in (await visit(MEMBER, "POST", scan(meeting), follow_redirects=True)).text
    assert (await marks(meeting))["王秀英"] is None


async def test_six_digits_do_as_well(visit):
    meeting = await planned()
    code = tokens.code_at(key(KEY_PURPOSE), meeting, tokens.window_start(now()))
    answer = await visit(MEMBER, "POST", f"/meetings/{meeting}/check-in", data={"code": f"{code[:3]} {code[3:]}"})
    assert "您已签到" in answer.text


async def test_five_wrong_digits_are_enough(visit):
    meeting = await planned()
    code = tokens.code_at(key(KEY_PURPOSE), meeting, tokens.window_start(now()))
    wrong = "000000" if code != "000000" else "111111"
    for _ in range(5):
        assert "数字码不对" in (await visit(MEMBER, "POST", f"/meetings/{meeting}/check-in", data={"code": wrong})).text
    assert "次数太多" in (await visit(MEMBER, "POST", f"/meetings/{meeting}/check-in", data={"code": code})).text
    assert (await marks(meeting))["王秀英"] is None


async def test_one_tap_marks_one_person(visit):
    meeting = await planned()
    person = (await ids_of(MEMBER))[0]
    answer = await visit(ORGANISER, "POST", f"/meetings/{meeting}/attendance", data={"person": person, "mark": "请假"})
    assert answer.status_code == 303
    assert (await marks(meeting))["王秀英"] == "请假"


async def test_everybody_came_but_who_is_marked(visit, at):
    meeting = await planned(await at("2026-11-22 19:30"))
    person = (await ids_of(MEMBER))[0]
    await visit(SECRETARY, "POST", f"/meetings/{meeting}/attendance", data={"person": person, "mark": "缺席"})
    await visit(SECRETARY, "POST", f"/meetings/{meeting}/attendance/rest", data={"everybody": "1"})
    assert set((await marks(meeting)).values()) == {"参加", "缺席"}
