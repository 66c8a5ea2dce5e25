"""What happens to files by itself: what nobody saved vanishes after a day, and every night all are looked at, in slices
small enough that nobody notices: whether each is there, is what was stored, and has a row."""
import logging
import time
from datetime import UTC, datetime, timedelta

from asyncpg import Record

from server.core import audit, files, store
from server.core.actor import Machine
from server.core.clock import BEIJING, now
from server.core.database import row, rows, transaction

log = logging.getLogger(__name__)

UNSAVED = timedelta(days=1)
BEGINS_AT = 2  # o'clock, Beijing; a machine that is off then does it when it is on again
SLICE_S = 5.0  # seconds of each minute
BATCH = 50  # files
SWEPT = 200  # rows at once
PREFIXES = tuple(f"{number:02x}" for number in range(256))

# Every column that refers to a file, whichever part of the product it belongs to.
REFERRING = """
SELECT c.conrelid::regclass::text AS place, a.attname AS name FROM pg_constraint c
JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
WHERE c.contype = 'f' AND c.confrelid = 'file'::regclass"""


# What nobody saved ----------------------------------------------------------------------------------------------------

async def sweep_unsaved() -> int:
    """Drops uploads that were not saved within a day, and files that nothing refers to; returns how many rows went."""
    before = now() - UNSAVED
    gone = await rows("""
        DELETE FROM upload WHERE id IN (SELECT id FROM upload WHERE at < $1 ORDER BY at LIMIT $2)
        RETURNING id""", before, SWEPT)
    for one in gone:
        await store.clear(f"uploads/{one['id']}")
    referring = await rows(REFERRING)
    unreferred = " AND ".join(f"NOT EXISTS (SELECT FROM {one['place']} r WHERE r.{one['name']} = f.id)"
                              for one in referring)
    async with transaction():
        dropped = await rows(f"""
            DELETE FROM file WHERE id IN (SELECT f.id FROM file f WHERE f.at < $1 AND {unreferred} ORDER BY f.id
                                          LIMIT $2)
            RETURNING place""", before, SWEPT)
    for one in dropped:
        await files.discard(one["place"])
    return len(gone) + len(dropped)


# Every night ----------------------------------------------------------------------------------------------------------

async def look_at_files(slice_s: float = SLICE_S) -> None:
    """One slice of tonight's look, begun when it is time; nothing when it is done or not yet time."""
    here = now().astimezone(BEIJING)
    day = here.date() if here.hour >= BEGINS_AT else here.date() - timedelta(days=1)
    await rows("INSERT INTO file_check (day) VALUES ($1) ON CONFLICT (day) DO NOTHING", day)
    until = time.monotonic() + slice_s
    while time.monotonic() < until:
        check = await row("SELECT * FROM file_check WHERE day = $1 AND ended_at IS NULL", day)
        if check is None:
            return
        if not await look_further(check):
            await end(check, await orphans(check["began_at"]))
            return


async def look_further(check: Record) -> bool:
    """Looks at the next files by id; False when there are none left."""
    batch = await rows("""
        SELECT id, place, sha256_stored, sha256_small FROM file WHERE id > $1 AND at <= $2 ORDER BY id LIMIT $3""",
                       check["reached"], check["began_at"], BATCH)
    missing, changed = [], []
    for file in batch:
        for small, wanted in ((False, file["sha256_stored"]), (True, file["sha256_small"])):
            if wanted is None:
                continue
            try:
                if await store.digest(files.address(file["place"], small=small)) != wanted:
                    changed.append(file["id"])
            except store.Missing:
                missing.append(file["id"])
    if batch:
        gone = {one["id"] for one in await rows("SELECT id FROM file WHERE id = ANY($1)", missing + changed)}
        await rows("""
            UPDATE file_check SET reached = $2, checked = checked + $3, missing = missing || $4::bigint[],
                changed = changed || $5::bigint[] WHERE id = $1 AND reached < $2""", check["id"], batch[-1]["id"],
                   len(batch), sorted(gone & set(missing)), sorted(gone & set(changed)))
    return bool(batch)


async def orphans(began_at: datetime) -> int:
    """How many files lie in the store, since before yesterday's like hour, that no row speaks of. They are left there:
    a database restored from an older backup knows fewer files than there are."""
    count, before = 0, began_at.astimezone(UTC) - UNSAVED
    for prefix in PREFIXES:
        async for found in store.listing(prefix):
            places = {one.name.split("/")[-1].removesuffix("-small") for one in found if one.at < before}
            known = {one["place"] for one in await rows("SELECT place FROM file WHERE place = ANY($1)", list(places))}
            count += len(places - known)
    return count


async def end(check: Record, orphaned: int) -> None:
    """Ends the night's look, once; what it found stands in its row, in the evidence, and what is wrong in the log."""
    async with transaction():
        done = await row("""UPDATE file_check SET ended_at = $2, orphans = $3 WHERE id = $1 AND ended_at IS NULL
                            RETURNING checked, missing, changed, orphans""", check["id"], now(), orphaned)
        if done:
            await audit.record(Machine(), "check_files", "file_check", check["id"], after=dict(done))
    if done and (done["missing"] or done["changed"]):
        log.error("files: %s looked at, missing: %s, changed: %s", done["checked"], done["missing"], done["changed"])


async def last_finding() -> Record | None:
    """The last look that has ended: day, checked, missing and changed (ids), orphans (how many), ended_at."""
    return await row("SELECT * FROM file_check WHERE ended_at IS NOT NULL ORDER BY day DESC LIMIT 1")
