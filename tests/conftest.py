"""A database of its own for every test, cloned from a template migrated once; real servers; the clock an argument."""
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.databases import connected, fresh_database


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups, and -m the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts a whole stack shares it: one after another, on one worker. `-m database` chooses what runs on a
    test's own database."""
    for item in items:
        room, fixtures = item.path.parent.name, set(getattr(item, "fixturenames", ()))
        if room in ("browser", "starting") or "realm" in fixtures:
            item.add_marker(pytest.mark.xdist_group(room))
        elif fixtures & {"database", "world"}:
            item.add_marker(pytest.mark.database)


@pytest.fixture
async def database() -> AsyncIterator[str]:
    """The name of a fresh database with the cast in it; the application is connected to it."""
    async with fresh_database() as name:
        yield name


@pytest.fixture
async def owner(database: str) -> AsyncIterator[Any]:
    """A connection as the tables' owner."""
    async with connected("ebranch_owner", database) as connection:
        yield connection


@pytest.fixture
async def as_app(database: str) -> AsyncIterator[Any]:
    """A connection as the application's role, for what its SQL may and may not do."""
    async with connected("ebranch_app", database) as connection:
        yield connection


At = Callable[[str | datetime], Awaitable[datetime]]


@pytest.fixture
def at(owner: Any) -> At:
    """at("2026-10-13 23:59:59") puts the clock of the database and of this process to that moment, Beijing time."""
    from server.core import clock

    async def put(moment: str | datetime) -> datetime:
        wanted = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        wanted = wanted if wanted.tzinfo else wanted.replace(tzinfo=clock.BEIJING)
        clock.set_offset(0)
        ahead = (wanted - clock.now()).total_seconds()
        await owner.execute("UPDATE clock SET offset_s = $1", ahead)
        clock.set_offset(ahead)
        return wanted

    return put


@pytest.fixture
async def actor(database: str) -> Callable[..., Awaitable[Any]]:
    """actor(person) → the Actor of somebody of the cast, for calling actions directly."""
    from tests.visits import actor_of

    return actor_of


@pytest.fixture
async def visit(database: str) -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """visit(person, "POST", "/threads", data={…}) → response, as that person; None is nobody."""
    from tests.visits import Visitor

    async with Visitor() as visitor:
        yield visitor.visit


@pytest.fixture(autouse=True)
def _no_leftover_clock() -> Iterator[None]:
    from server.core import clock

    before = clock._offset.total_seconds()
    yield
    clock.set_offset(before)
