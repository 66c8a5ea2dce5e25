"""`ebranch import-units FILE`: what it prints, and how it ends."""
import asyncio
from dataclasses import replace

import pytest
from click.testing import CliRunner, Result

from server.organisations import commands
from tests.organisations.register import csv
from tests.organisations.test_import_units import ELSEWHERE
from tests.servers import url


@pytest.fixture
def run(owner, database, tmp_path, monkeypatch):
    """run(content) → what `ebranch import-units` on a file of it came to."""
    monkeypatch.setattr(commands, "settings",
                        replace(commands.settings, database_owner_url=url("ebranch_owner", database)))

    async def import_file(content: bytes) -> Result:
        file = tmp_path / "units.csv"
        file.write_bytes(content)
        return await asyncio.to_thread(CliRunner().invoke, commands.import_units_command, [str(file)])

    return import_file


async def test_it_says_what_is_new_and_the_second_time_that_nothing_changed(run):
    first = await run(csv(*ELSEWHERE))
    assert first.exit_code == 0
    assert "6 new units, 0 renamed, 0 unchanged." in first.output
    again = await run(csv(*ELSEWHERE))
    assert again.exit_code == 0
    assert "Nothing changed: all 6 units stand in the tree already." in again.output


async def test_it_says_what_the_file_lacks(run):
    await run(csv(*ELSEWHERE))
    assert "units of the tree are not in this file; they are kept: " in (await run(csv(*ELSEWHERE[:5]))).output


async def test_a_dirty_file_ends_with_1_and_every_line_named_without_a_traceback(run, owner):
    done = await run(csv(*ELSEWHERE, "990101101301,,990101101,village", "990101101302"))
    assert done.exit_code == 1
    assert "line 8: unit '990101101301' has an empty name" in done.output
    assert "line 9: 1 columns instead of 4" in done.output
    assert "units.csv has 2 faults; nothing was imported." in done.output
    assert "Traceback" not in done.output
    assert await owner.fetchval("SELECT count(*) FROM unit WHERE code LIKE '99%'") == 0


async def test_an_unreachable_database_is_one_line(run, monkeypatch):
    monkeypatch.setattr(commands, "settings",
                        replace(commands.settings, database_owner_url="postgresql://x@/y?host=/nowhere"))
    done = await run(csv(*ELSEWHERE))
    assert done.exit_code == 1
    assert done.output.startswith("Error: The database can't be used")


async def test_a_file_that_is_not_there_is_said_plainly():
    done = CliRunner().invoke(commands.import_units_command, ["/nowhere/units.csv"])
    assert done.exit_code == 2
    assert "does not exist" in done.output
