"""Live connections and /health on real processes: heard across them, ended with the session, let go of at Ctrl-C."""
import asyncio
import json
import signal
from contextlib import AsyncExitStack
from datetime import timedelta

import httpx

from server.core.clock import now
from server.core.health import HEARTBEAT
from server.core.live import BEAT_S
from tests.cast import COMMITTEE, MEMBER, NEIGHBOUR, SECRETARY
from tests.faults.realm import Realm
from tests.starting.conftest import if_alone


async def heard(client: httpx.AsyncClient, heard_so_far: list[str]) -> None:
    """Listens until the connection ends."""
    async with client.stream("GET", "/live", timeout=60) as stream:
        assert stream.status_code == 200
        heard_so_far.append("open")
        async for line in stream.aiter_lines():
            if line.startswith("data: "):
                heard_so_far.append(line.removeprefix("data: "))


async def test_what_one_web_process_changes_the_others_connections_hear(realm: Realm):
    meeting = await realm.meeting()
    told: dict[str, list[str]] = {}
    async with AsyncExitStack() as everybody:
        listening = []
        for number in range(8):  # so that each of the web processes holds some
            for person in (MEMBER, COMMITTEE, NEIGHBOUR):
                client = await everybody.enter_async_context(realm.visitor(person))
                so_far = told.setdefault(f"{person.name} {number}", [])
                listening.append(asyncio.create_task(heard(client, so_far)))
        await realm.until(10, lambda: all_open(told))
        secretary = await everybody.enter_async_context(realm.visitor(SECRETARY))
        form = {"person": await realm.ask("SELECT min(person_id) FROM attendance"), "mark": "参加"}
        await secretary.post(f"/meetings/{meeting}/attendance", data=form)
        await asyncio.sleep(if_alone(1))
        for task in listening:
            task.cancel()
    for who, topics in told.items():
        assert (f"meeting-{meeting}" in topics) == (NEIGHBOUR.name not in who), f"{who} heard {topics}"


async def all_open(told: dict[str, list[str]]) -> bool:
    return all("open" in topics for topics in told.values())


async def test_a_connection_ends_within_a_beat_after_signing_out_elsewhere(realm: Realm):
    so_far: list[str] = []
    async with realm.visitor(MEMBER) as member, realm.visitor(MEMBER) as elsewhere:
        connection = asyncio.create_task(heard(member, so_far))
        await realm.until(5, lambda: all_open({"": so_far}))
        assert (await elsewhere.post("/sign-out", data={"everywhere": "1"})).status_code == 303
        await asyncio.wait_for(connection, if_alone(BEAT_S + 3))
        assert (await member.get("/live")).status_code == 303, "and it can't come back"


def body(realm: Realm) -> dict[str, str]:
    return json.loads(str(realm.health()["body"]))


async def test_health_names_the_worker_that_gives_no_sign_of_life(realm: Realm):
    async with realm.without("worker"):
        await realm.redis().delete(HEARTBEAT)  # what passing time does
        assert realm.health()["status"] == 503
        assert body(realm) == {"status": "down", "database": "ok", "redis": "ok", "worker": "down: no sign of life"}
    assert body(realm) == {"status": "ok", "database": "ok", "redis": "ok", "worker": "ok"}


async def test_a_worker_that_hangs_is_missed_within_half_a_minute(realm: Realm):
    assert 0 < await realm.redis().ttl(HEARTBEAT) <= 20


async def test_health_names_redis(realm: Realm):
    async with realm.without("redis"):
        assert realm.health()["status"] == 503
        found = body(realm)
        assert found["database"] == "ok"
        assert found["redis"].startswith("down: ")
        assert found["worker"] == "unknown: redis is down"


async def test_health_names_the_database(realm: Realm):
    async with realm.without("database"):
        found = body(realm)
        assert found["database"].startswith("down: ")
        assert (found["redis"], found["worker"]) == ("ok", "ok")


async def test_ctrl_c_ends_all_within_five_seconds_though_everybody_listens(realm: Realm):
    meeting = await realm.meeting(now() + timedelta(minutes=10))
    told: list[list[str]] = [[] for _ in range(20)]
    async with AsyncExitStack() as everybody:
        clients = [await everybody.enter_async_context(realm.visitor(MEMBER)) for _ in told]
        listening = [asyncio.create_task(heard(client, so_far)) for client, so_far in zip(clients, told, strict=True)]
        await realm.until(10, lambda: all_open(dict(enumerate(told))))
        processes = realm.everything()
        realm.process.send_signal(signal.SIGINT)
        await asyncio.to_thread(realm.process.wait, if_alone(5))
        await asyncio.gather(*listening, return_exceptions=True)
    assert not [process for process in processes if process.is_running()]
    assert "Traceback" not in realm.output().split("has ended")[-1], realm.output()
    assert meeting
