"""Loading the demonstration: quickly, once, wholly or not at all, and only where it is wanted."""
import time
from dataclasses import replace
from datetime import datetime

import pytest

from server import demo
from server.core.clock import BEIJING
from server.demo import NotHere, load
from tests.demo.conftest import NOW

BAR_S = 25


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


async def counts(owner) -> dict[str, int]:
    tables = [found["tablename"] for found in
              await owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    return {table: await owner.fetchval(f"SELECT count(*) FROM {table}") for table in tables}


async def test_it_is_loaded_quickly_and_the_second_time_nothing_is_doubled(empty):
    began = time.monotonic()
    assert await load(empty, moment(NOW)) == [
        "places", "people", "meetings", "numbers", "messages", "evidence", "officers", "villages", "disclosures",
        "readers"]
    assert time.monotonic() - began < BAR_S
    before = await counts(empty)
    assert await load(empty, moment(NOW)) == []
    assert await counts(empty) == before


async def test_the_same_moment_gives_the_same_demonstration(empty):
    async def told() -> list:
        return await empty.fetch("""
            SELECT o.name AS branch, p.name, m.topic, a.mark, m.recorded_at
            FROM attendance a JOIN meeting m ON m.id = a.meeting_id
            JOIN person p ON p.id = a.person_id JOIN organisation o ON o.id = m.branch_id
            ORDER BY m.id, a.place_in_list""")

    transaction = empty.transaction()
    await transaction.start()
    await load(empty, moment(NOW))
    first = await told()
    await transaction.rollback()
    await load(empty, moment(NOW))
    assert await told() == first


async def test_an_older_demonstration_gets_the_parts_it_lacks(empty, monkeypatch):
    monkeypatch.setattr(demo, "PARTS", demo.PARTS[:2])
    await load(empty, moment(NOW))
    members = await empty.fetchval("SELECT count(*) FROM member")
    monkeypatch.undo()
    assert await load(empty, moment(NOW)) == [
        "meetings", "numbers", "messages", "evidence", "officers", "villages", "disclosures",
        "readers"]
    assert await empty.fetchval("SELECT count(*) FROM member") == members


async def test_a_part_that_fails_leaves_nothing_behind(empty, monkeypatch):
    async def fails(connection, now):
        raise RuntimeError("half way")

    before = await counts(empty)
    monkeypatch.setattr(demo, "PARTS", (*demo.PARTS[:2], ("meetings", fails)))
    with pytest.raises(RuntimeError):
        await load(empty, moment(NOW))
    assert await counts(empty) == before


async def test_a_database_that_is_in_use_is_left_alone(owner):
    before = await counts(owner)
    with pytest.raises(NotHere, match="nothing was loaded"):
        await load(owner, moment(NOW))
    assert await counts(owner) == before


async def test_an_own_server_gets_it_only_when_asked(monkeypatch):
    monkeypatch.setattr(demo, "settings", replace(demo.settings, demo=False))
    with pytest.raises(NotHere, match="EBRANCH_DEMO=1"):
        await load()


@pytest.mark.parametrize("present", ["2026-01-01 00:05", "2026-02-18 12:00", "2026-10-04 20:00", "2027-01-04 09:00"])
async def test_it_can_be_loaded_on_any_day_and_nothing_in_it_lies_in_the_future(empty, present):
    await load(empty, moment(present))
    assert await empty.fetchval("""
        SELECT (SELECT count(*) FROM entry WHERE at > $1) + (SELECT count(*) FROM meeting_log WHERE written_at > $1)
             + (SELECT count(*) FROM log_check WHERE checked_at > $1) + (SELECT count(*) FROM version WHERE at > $1)
             + (SELECT count(*) FROM attendance WHERE greatest(marked_at, replied_at) > $1)
             + (SELECT count(*) FROM amendment WHERE greatest(explained_at, closed_at) > $1)
             + (SELECT count(*) FROM meeting WHERE greatest(recorded_at, created_at) > $1)""", moment(present)) == 0
    assert await empty.fetchval("SELECT count(*) FROM meeting WHERE begins_at > $1", moment(present)) > 0
