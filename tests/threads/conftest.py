"""The branch's forum, open."""
import pytest

from server.core.database import the_row
from server.threads.actions import open_threads


@pytest.fixture
async def forum(database) -> int:
    """The id of 前村支部's 支部论坛."""
    await open_threads()
    return (await the_row("""SELECT t.id FROM thread t JOIN organisation o ON o.id = t.organisation_id
                             WHERE o.name = '前村支部' AND t.kind = 'forum'"""))["id"]
