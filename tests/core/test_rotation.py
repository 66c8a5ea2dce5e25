"""New keys for personal values while the house works: nothing is lost, nothing left under an old one, often killed."""
import asyncio
import os
import shutil
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from secrets import randbelow

import asyncpg
import pytest

import server.rules  # noqa: F401  (every domain's encrypted columns)
from server.core import audit, crypto, rotation
from server.core.database import rows, transaction
from server.people.actions import change_phone, enter_person
from server.people.rules import check_character
from server.people.tables import ID_NUMBER, numbers_of, person_with_id_number
from server.settings import ROOT
from tests.cast import CAST, MEMBER, SECRETARY, enter
from tests.servers import url
from tests.starting.conftest import within

OLD = (1).to_bytes(2)


@pytest.fixture
def keys(tmp_path, monkeypatch):
    """The keys of the tests' databases, in a folder of their own."""
    place = tmp_path / "keys"
    crypto.versions()
    place.mkdir(mode=0o700)
    shutil.copy(crypto.path_of(1), place / "personal-1")
    monkeypatch.setattr(crypto, "folder", lambda: place)
    crypto.key.cache_clear()
    yield place
    monkeypatch.undo()
    crypto.key.cache_clear()


@asynccontextmanager
async def rotating(name: str, **options):
    """The rotation at work, as the owner; afterwards it has ended."""
    connection = await asyncpg.connect(url("ebranch_owner", name))
    try:
        version = await rotation.begin(connection)
        task = asyncio.create_task(rotation.rotate(connection, version, lambda *_: None, **options))
        yield task
        done = await asyncio.wait_for(task, 60)
        if not done.faults:
            await rotation.end(connection, done)
    finally:
        await connection.close()


async def rotate(name: str, **options) -> rotation.Done:
    async with rotating(name, **options) as task:
        return await task


async def under(owner, version: int) -> int:
    """How many values stand under a key."""
    return sum([await owner.fetchval(f"SELECT count(*) FROM {column.table} WHERE substring({column.name} FOR 2) = $1",
                                     version.to_bytes(2)) for column in crypto.ENCRYPTED])


def invented(number: int) -> str:
    digits = f"370921{1950 + number // 1000}0{1 + number % 9}1{number % 10}{number % 1000:03}"
    return digits + check_character(digits)


async def crowd(owner, many: int) -> None:
    async with owner.transaction():
        for number in range(many):
            await enter(owner, f"众{number}", f"1390000{number:04}", invented(number))


async def test_everything_stands_under_the_new_key_reads_as_before_and_is_found_by_it(database, owner, actor, keys):
    async with transaction():
        await audit.record(await actor(SECRETARY), "confirm_phone", "person", 1, after={"phone": audit.personal("139")})
    before = {person["id"]: await numbers_of(person["id"]) for person in await owner.fetch("SELECT id FROM person")}
    done = await rotate(database, batch=7)
    assert (done.version, done.faults) == (2, {})
    assert done.moved == 2 * len(CAST) + 1
    assert (await under(owner, 1), await under(owner, 2)) == (0, done.moved)
    assert {person: await numbers_of(person) for person in before} == before
    shutil.move(keys / "personal-1", keys / "away")
    crypto.key.cache_clear()
    assert (await person_with_id_number(MEMBER.id_number))["name"] == MEMBER.name
    assert {person: await numbers_of(person) for person in before} == before
    events = await owner.fetch("SELECT after::text FROM audit_event WHERE verb = 'rotate_keys' ORDER BY id")
    assert [one["after"] for one in events] == ['{"state": "开始"}', '{"state": "完成"}']
    assert await owner.fetchval("SELECT count(*) FROM key_rotation WHERE ended_at IS NOT NULL") == 1
    assert (await rotate(database)).version == 3


async def test_who_works_meanwhile_loses_nothing_and_nobody_stands_twice(database, owner, keys):
    await crowd(owner, 150)
    entered: dict[int, tuple[str, str]] = {}
    over = asyncio.Event()

    async def work(worker: int) -> None:
        turn = 0
        while not over.is_set():
            turn += 1
            phone = f"138{randbelow(10**8):08}"
            async with transaction():
                person = await enter_person(f"新{worker}", invented(1000 + worker * 100 + turn % 30), phone)
                await change_phone(person, phone)
            entered[person] = (invented(1000 + worker * 100 + turn % 30), phone)

    async with rotating(database, batch=5) as task:
        workers = [asyncio.create_task(work(worker)) for worker in range(4)]
        await asyncio.sleep(0.5)
        await task
        over.set()
        await asyncio.gather(*workers)
    assert await under(owner, 1) == 0
    assert len(entered) >= 8
    assert {person: await numbers_of(person) for person in entered} == entered
    indexes = await owner.fetch("SELECT id, id_number_index FROM person WHERE id_number IS NOT NULL")
    for one in indexes:
        assert one["id_number_index"] == crypto.blind_index((await numbers_of(one["id"]))[0], ID_NUMBER)


async def test_a_row_that_somebody_holds_and_one_not_yet_committed_are_waited_for(database, owner, keys):
    held = await owner.fetchval("SELECT id FROM person WHERE name = $1", MEMBER.name)
    async with asyncio.timeout(30):
        late = await asyncpg.connect(url("ebranch_owner", database))
        begun = late.transaction()
        await begun.start()
        await late.execute("SELECT FROM person WHERE id = $1 FOR UPDATE", held)
        message = await late.fetchval("SELECT nextval('sms_id_seq')")
        old = crypto.encrypt("13700000010", table="sms", column="phone", row_id=message)
        words = crypto.encrypt("[]", table="sms", column="words", row_id=message)
        async with rotating(database) as task:
            await asyncio.sleep(1)
            assert not task.done()
            await late.execute("""
                INSERT INTO sms (id, key, kind, phone, phone_index, words, created_at, due_at)
                OVERRIDING SYSTEM VALUE VALUES ($1, 'late', 'notice', $2, $3, $4, now(), now())""",
                               message, old, crypto.blind_index("13700000010", "phone", 1), words)
            await begun.commit()
            await task
        await late.close()
    assert await under(owner, 1) == 0
    kept = await owner.fetchrow("SELECT id, phone, phone_index FROM sms WHERE key = 'late'")
    assert crypto.decrypt(kept["phone"], table="sms", column="phone", row_id=kept["id"]) == "13700000010"
    assert kept["phone_index"] == crypto.blind_index("13700000010", "phone", 2)


async def test_who_does_not_see_the_new_key_enters_nobody_and_is_told(database, owner, keys, monkeypatch, visit):
    """Another machine, whose view of the shared folder is a moment old: the same person would stand twice."""
    who = await owner.fetchval("SELECT id FROM person WHERE name = $1", MEMBER.name)
    assert MEMBER.name in (await visit(SECRETARY, "GET", f"/members/{who}")).text
    await rotate(database)
    monkeypatch.setattr(crypto, "versions", lambda: (1,))
    with pytest.raises(asyncpg.PostgresError, match="key 2 encrypts now") as refused:
        async with transaction():
            await enter_person(MEMBER.name, MEMBER.id_number, None)
    assert refused.value.sqlstate == "EB031"
    shutil.move(keys / "personal-2", keys / "not-here-yet")
    crypto.key.cache_clear()
    answer = await visit(SECRETARY, "GET", f"/members/{who}")
    assert answer.status_code == 503
    assert "正在更换密钥" in answer.text


async def test_a_value_that_cannot_be_read_is_named_and_the_rotation_stays_open(database, owner, keys):
    bad = await owner.fetchval("SELECT id FROM person WHERE name = $1", MEMBER.name)
    await owner.execute("UPDATE person SET phone = set_byte(phone, 20, 255 - get_byte(phone, 20)) WHERE id = $1", bad)
    done = await rotate(database)
    assert list(done.faults) == [("person", "phone", bad)]
    assert await under(owner, 1) == 1
    assert await owner.fetchval("SELECT ended_at FROM key_rotation") is None


async def test_one_rotation_at_a_time(database, keys):
    first = await asyncpg.connect(url("ebranch_owner", database))
    await rotation.begin(first)
    second = await asyncpg.connect(url("ebranch_owner", database))
    with pytest.raises(rotation.Running):
        await rotation.begin(second)
    await first.close()
    assert await rotation.begin(second) == 2, "the one that was broken off goes on"
    await second.close()


def test_a_new_key_in_the_same_tick_of_the_folders_clock_is_seen(keys):
    for version in range(2, 40):
        crypto.make_secret(crypto.path_of(version))
        assert crypto.versions()[-1] == version


def begin_and_kill(command: list[str], environ: dict[str, str], patience: float, name: str) -> bool:
    """Starts the rotation, and kills it `patience` seconds after it has moved something; whether it still was at it."""
    async def moved() -> int:
        connection = await asyncpg.connect(url("ebranch_owner", name))
        number = await under(connection, 2)
        await connection.close()
        return number

    running = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    before = asyncio.run(moved())
    within(30, lambda: running.poll() is not None or asyncio.run(moved()) > before)
    time.sleep(patience)
    at_work = running.poll() is None
    running.kill()
    said = running.communicate()
    assert at_work or running.returncode == 0, said
    return at_work


async def test_killed_again_and_again_it_ends_where_it_would_have_ended(database, owner, keys):
    await crowd(owner, 1500)
    environ = os.environ | {"EBRANCH_DATA": str(keys.parent), "DATABASE_URL": url("ebranch_app", database),
                            "DATABASE_OWNER_URL": url("ebranch_owner", database), "LITESTAR_APP": "server.app:app"}
    command = [sys.executable, "-c", "from server.commands import main; main()", "rotate-keys", "--batch", "1",
               "--settle", "0"]
    kills = [await asyncio.to_thread(begin_and_kill, command, environ, patience, database)
             for patience in (0.0, 0.1, 0.2)]
    assert kills == [True] * 3
    assert await under(owner, 2) > 0
    last = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, env=environ, capture_output=True, text=True)
    assert last.returncode == 0, last.stderr
    assert "under key 2 now" in last.stdout
    assert "personal-1" in last.stdout
    assert "Nothing was deleted" in last.stdout
    assert await under(owner, 1) == 0
    assert sorted(path.name for path in keys.glob("personal-*")) == ["personal-1", "personal-2"]
    for number in (0, 7, 1499):
        assert (await rows("SELECT name FROM person WHERE id_number_index = $1",
                           crypto.blind_index(invented(number), ID_NUMBER)))[0]["name"] == f"众{number}"
