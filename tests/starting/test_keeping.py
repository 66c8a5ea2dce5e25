"""What the stack keeps up while it runs, and what it leaves behind."""
import asyncio
import socket
import time
from contextlib import suppress

import asyncpg
import psutil
import pytest
from redis import Redis

from server.settings import socket_folder
from tests.starting.conftest import STARTS, Stack, if_alone, within


def write(stack: Stack, key: str) -> None:
    """An acknowledged write, as the application makes them."""
    async def insert() -> None:
        connection = await asyncpg.connect(f"postgresql://ebranch_app@/ebranch?host={socket_folder(stack.data)}")
        await connection.execute("INSERT INTO guess VALUES ($1, 1, now())", key)
        await connection.close()

    asyncio.run(insert())
    Redis(unix_socket_path=f"{socket_folder(stack.data)}/redis.sock").set(key, "1")


def is_there(stack: Stack, key: str) -> bool:
    async def find() -> bool:
        connection = await asyncpg.connect(f"postgresql://ebranch_app@/ebranch?host={socket_folder(stack.data)}")
        try:
            return await connection.fetchval("SELECT EXISTS (SELECT FROM guess WHERE key = $1)", key)
        finally:
            await connection.close()

    return asyncio.run(find()) and Redis(unix_socket_path=f"{socket_folder(stack.data)}/redis.sock").get(key) == b"1"


def test_everything_is_well_and_says_so(running):
    assert running.health()["status"] == 200
    assert f"http://localhost:{running.port}" in running.output()


@pytest.mark.parametrize("name", STARTS)
def test_who_dies_is_back_within_three_seconds_and_the_others_are_untouched(running, name):
    before = {other: running.child(other).pid for other in STARTS}
    began = time.monotonic()
    running.child(name).kill()
    within(3, lambda: f"{name} has ended (-9)" in running.output())
    running.until_healthy(if_alone(3) - (time.monotonic() - began))
    time.sleep(1)  # who can't do without it would end a moment later
    after = {other: running.child(other).pid for other in STARTS}
    assert {other for other in STARTS if before[other] != after[other]} == {name}


def test_a_killed_worker_of_the_web_server_is_replaced_while_the_others_serve(running):
    web = running.child("web")
    worker = next(process for process in web.children() if "resource_tracker" not in " ".join(process.cmdline()))
    count = len(web.children())
    worker.kill()
    within(if_alone(3), lambda: len(web.children()) == count and worker not in web.children())
    running.until_healthy(if_alone(3))
    assert running.child("web") == web


def test_when_idle_it_takes_no_more_than_450_mb(running):
    assert sum(process.memory_full_info().pss for process in running.everything()) <= 450 * 2**20


def test_ctrl_c_ends_all_within_five_seconds_even_while_somebody_is_connected(running):
    all_of_it = running.everything()
    with socket.create_connection(("127.0.0.1", running.port)) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n")  # a request that never ends
        assert running.interrupt() <= if_alone(5)
    assert not [process for process in all_of_it if process.is_running()]
    assert not running.left_over()
    assert "Traceback" not in running.output(), running.output()


def test_ctrl_c_in_the_middle_of_the_first_start_leaves_a_folder_that_starts(make_stack):
    stack = make_stack().start()
    within(if_alone(20), lambda: (stack.data / "postgres").exists())
    assert stack.interrupt() <= if_alone(5)
    assert not stack.left_over()
    stack.start().until_started()


@pytest.mark.parametrize("killed", ["everything", "the stack", "the stack and the web server",
                                    "the database and the stack"])
def test_after_kill_9_the_next_start_just_works_and_no_acknowledged_write_is_lost(running, killed):
    write(running, killed)
    stack = psutil.Process(running.process.pid)
    victims = {
        "everything": running.everything(),
        "the stack": [stack],
        "the stack and the web server": [stack, running.child("web")],
        "the database and the stack": [*running.child("database").children(), running.child("database"), stack],
    }[killed]
    for victim in victims:
        with suppress(psutil.NoSuchProcess):  # PostgreSQL's own processes end with it
            victim.kill()
    running.process.wait()
    assert running.start().until_started() <= if_alone(8)
    assert is_there(running, killed)
    began = psutil.Process(running.process.pid).create_time()
    former = [process for process in running.left_over() if process.create_time() < began]
    assert not former, "a former run's process is still there"
