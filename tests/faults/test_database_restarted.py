"""PostgreSQL restarted, killed, gone: a slow page or a plain word, never a hung one; what was acknowledged is there."""
import asyncio
import re
import signal
from collections import Counter
from time import monotonic

import httpx
import psutil
import pytest

from tests.cast import COMMITTEE, MEMBER, SECRETARY
from tests.faults.realm import Realm, send
from tests.starting.conftest import if_alone, within

LONGEST_S = 9  # what a request may take while the database is being started again
RESTARTS = {"politely": signal.SIGINT, "at once": signal.SIGQUIT, "by a crash": signal.SIGKILL}
PEOPLE = 120
EVIDENCE = "SELECT count(*) FROM audit_event WHERE verb = $1 AND subject_kind = 'meeting' AND subject_id = $2"
PRESENT = "SELECT count(*) FROM attendance WHERE meeting_id = $1 AND mark = '参加'"


async def check_in(phone: httpx.AsyncClient, realm: Realm, meeting: int, own: str) -> tuple[int, float, str]:
    """Status, seconds and text of one check-in."""
    began = monotonic()
    answer = await phone.post(realm.scan(meeting), headers={"cookie": own})
    return answer.status_code, monotonic() - began, answer.text


@pytest.mark.parametrize("how", RESTARTS.values(), ids=RESTARTS)
async def test_restarted_under_load_it_loses_nobody_who_was_told_you_are_here(realm: Realm, how):
    meeting = await realm.meeting(people=PEOPLE + 5)
    hall = await realm.hall(PEOPLE)
    async with realm.visitor(None) as phone:
        taps = []
        for number, own in enumerate(hall):
            taps.append(asyncio.create_task(check_in(phone, realm, meeting, own)))
            if number == PEOPLE // 3:
                realm.strike("database", how)
            await asyncio.sleep(0.02)
        answers = await asyncio.gather(*taps)
    statuses = Counter(status for status, _, _ in answers)
    assert set(statuses) <= {303, 503}, f"{statuses}\n{realm.output()}"
    assert max(seconds for _, seconds, _ in answers) < if_alone(LONGEST_S)
    assert all("系统正在恢复" in text for status, _, text in answers if status == 503)
    assert statuses[303] > PEOPLE / 2, "most of them did not notice"
    await asyncio.to_thread(realm.until_back)
    there = await realm.ask(PRESENT, meeting)
    evidence = await realm.ask(EVIDENCE, "check_in", meeting)
    assert there >= statuses[303]
    assert evidence == there, "whoever is marked has left evidence, and the other way round"


@pytest.mark.parametrize("how", RESTARTS.values(), ids=RESTARTS)
async def test_the_next_request_works(realm: Realm, how):
    async with realm.visitor(MEMBER) as member:
        for _ in range(4):
            assert (await member.get("/threads")).status_code == 200
        before = realm.output().count("database has ended")
        realm.strike("database", how)
        await asyncio.to_thread(within, if_alone(10), lambda: realm.output().count("database has ended") > before)
        answers = await asyncio.gather(*(member.get("/threads") for _ in range(30)))
    assert {answer.status_code for answer in answers} == {200}


async def test_gone_for_long_every_page_says_so_at_once(realm: Realm):
    meeting = await realm.meeting()
    async with realm.visitor(MEMBER) as member, realm.visitor(None) as anybody:
        scan = realm.scan(meeting)
        async with realm.without("database"):
            for limit_s in (LONGEST_S, 2, 2):  # the first ones hope for it to come back
                began = monotonic()
                pages = await asyncio.gather(*(member.get(path) for path in ("/threads", "/meetings", "/me")),
                                             member.post(scan), anybody.get("/sign-in"))
                assert monotonic() - began < if_alone(limit_s)
                assert [page.status_code for page in pages[:4]] == [503] * 4
                assert all("系统正在恢复" in page.text and "Traceback" not in page.text for page in pages[:4])
                assert pages[4].status_code == 200, "what needs no database is there"
            health = await asyncio.to_thread(realm.health)
            assert health["status"] == 503
            assert re.search('"database":"down: [A-Za-z]+","redis":"ok"', str(health["body"]))
        assert (await member.post(realm.scan(meeting))).status_code == 303


async def test_hanging_it_hangs_no_page_for_ever(realm: Realm):
    async with realm.visitor(MEMBER) as member:
        async with realm.without("database", signal.SIGSTOP):
            health = await asyncio.to_thread(realm.health)
            began = monotonic()
            answer = await member.get("/threads", timeout=60)
            took = monotonic() - began
        assert answer.status_code == 503
        assert took < if_alone(14)
        assert '"database":"down: ' in health["body"] or health["status"] == 0
        assert (await member.get("/threads")).status_code == 200


async def test_the_worker_goes_on_with_the_new_one(realm: Realm):
    before, ended = realm.child("worker").pid, realm.output().count("database has ended")
    realm.strike("database", signal.SIGINT)
    await asyncio.to_thread(within, if_alone(10), lambda: realm.output().count("database has ended") > ended)
    await asyncio.to_thread(realm.until_back)
    meeting = await realm.meeting()
    await realm.lay_reminder(await realm.meeting())
    async with realm.visitor(MEMBER) as member:
        assert (await member.post(realm.scan(meeting))).status_code == 303
    await realm.until(12, realm.is_sealed)
    assert realm.child("worker").pid == before


async def test_after_everything_was_killed_every_acknowledged_change_is_there_and_sealed(realm: Realm):
    meeting = await realm.meeting(people=PEOPLE + 5)
    hall = await realm.hall(40)
    async with realm.visitor(SECRETARY) as secretary, realm.visitor(None) as phone:
        said = await secretary.post(f"/meetings/{meeting}/attendance/rest", data={"everybody": "0"})
        assert said.status_code == 303
        taps = [asyncio.create_task(check_in(phone, realm, meeting, own)) for own in hall]
        await asyncio.sleep(0.15)
        send(signal.SIGKILL, realm.everything())
        answers = await asyncio.gather(*taps, return_exceptions=True)
    acknowledged = sum(isinstance(answer, tuple) and answer[0] == 303 for answer in answers)
    realm.process.wait()
    realm.start()
    await asyncio.to_thread(realm.until_started)
    there = await realm.ask(PRESENT, meeting)
    evidence = await realm.ask(EVIDENCE, "check_in", meeting)
    assert there >= acknowledged
    assert evidence == there
    assert await realm.ask(EVIDENCE, "mark_rest", meeting) == 1
    await realm.until(12, realm.is_sealed)
    verified = await asyncio.to_thread(realm.ebranch, "verify-audit")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    async with realm.visitor(COMMITTEE) as committee:
        assert (await committee.get("/threads")).status_code == 200


async def test_no_process_has_grown_by_all_this(realm: Realm):
    for process in realm.child("web").children():
        if "resource_tracker" not in " ".join(process.cmdline()):
            assert psutil.Process(process.pid).memory_full_info().uss < 250 * 2**20
