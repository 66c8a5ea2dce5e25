"""The demonstration's meetings: a year of them in every branch, and in 前村 and 后村 what is going on just now."""
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain

from asyncpg import Connection

from server.demo import amended, present, reminders
from server.demo.records import Said, branches, cards_of, remind_of, say, seen_until, write
from server.demo.residents import HOUCUN, QIANCUN, SEED
from server.demo.year import Branch, Held, year_of
from server.threads.rules import KINDS
from server.threads.tables import OPEN_THREADS

LAPSES = {"老王庄": 2, "花园": 1, "庞庄": 1}  # how many of a village branch's meetings were never recorded
LONG_LOCKED = timedelta(days=30)
CAUGHT_UP = timedelta(hours=30)  # what is older, everybody has read


async def load(connection: Connection, now: datetime) -> None:
    """Opens the threads and writes the meetings with their cards, logs and deadlines."""
    owned = [kind for kind in KINDS.values() if kind.owner != "person"]
    await connection.execute(OPEN_THREADS, [kind.name for kind in owned], [kind.owner for kind in owned], "")
    found = await branches(connection)
    by_name = {branch.name: branch for branch in found}
    gatherings = list(chain.from_iterable(a_year(branch, now) for branch in found))
    gatherings += await present.gatherings(connection, by_name[QIANCUN], now)
    ids = await write(connection, gatherings, now)
    numbered = list(zip(ids, gatherings, strict=True))
    entries: list[Said] = [entry for id_, held in numbered for entry in cards_of(id_, held)]
    for id_, held in numbered:
        if held.begins > now:
            await remind_of(connection, id_, held, now)
    entries = await amended.load(connection, numbered, entries, now)
    entries += await reminders.load(connection, numbered, now)
    entries += present.talk(by_name[QIANCUN], by_name[HOUCUN], now)
    await say(connection, entries)
    await seen_until(connection, now - CAUGHT_UP)


def a_year(branch: Branch, now: datetime) -> list[Held]:
    """One branch's year, with its lapses; 前村's last weeks are told in `present`."""
    year = year_of(branch, now, SEED)
    if branch.name == QIANCUN:
        year = [held for held in year if not present.tells_of(held, now)]
    old = [held for held in year if held.ends < now - LONG_LOCKED]
    for held in old[len(old) - LAPSES.get(branch.village, 0):]:
        year[year.index(held)] = replace(held, marks={}, recorded_at=None, written_at=None, checked_at=None)
    return year
