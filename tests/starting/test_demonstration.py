"""What `make run` shows on an empty embedded database: the demonstration, its people, and its clock."""
import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg

from server.core.clock import BEIJING
from server.demo.people import PASSWORD, PEOPLE
from server.settings import socket_folder
from tests.starting.conftest import if_alone


def clock_of(stack) -> datetime:
    async def ask() -> datetime:
        connection = await asyncpg.connect(f"postgresql://ebranch_app@/ebranch?host={socket_folder(stack.data)}")
        try:
            return await connection.fetchval("SELECT ebranch_now()")
        finally:
            await connection.close()

    return asyncio.run(ask())


def test_it_is_loaded_its_people_are_listed_and_its_clock_obeys(make_stack):
    stack = make_stack(EBRANCH_NOW="2026-10-13T23:59:00")
    del stack.environ["EBRANCH_DEMO"]  # the embedded database is for the demonstration unless told otherwise
    stack.start().until_started()
    for phone, who in PEOPLE:
        assert f"{phone}  {who}\n" in stack.output()
    assert PASSWORD in stack.output()
    began = datetime(2026, 10, 13, 23, 59, tzinfo=BEIJING)
    assert began <= clock_of(stack) < began + timedelta(minutes=1)
    stack.child("web").kill()
    stack.until_healthy()
    assert began <= clock_of(stack) < began + timedelta(minutes=2), "a restarted process does not jump"
    stack.interrupt()

    del stack.environ["EBRANCH_NOW"]
    stack.start().until_started()
    assert abs(clock_of(stack) - datetime.now(UTC)) < timedelta(seconds=10)
    assert stack.interrupt() <= if_alone(5)
