"""A lawful erasure: the value is gone, the reason stays, the chain is as it was."""
import asyncio
import json
from dataclasses import replace

import asyncpg
import pytest
from click.testing import CliRunner

from server.core import audit, checkpoints, commands
from server.core.database import row, rows
from server.core.verify_audit import verify
from server.piccolo_conf import DB
from server.settings import settings
from tests.cast import MEMBER
from tests.commitments import committed
from tests.servers import url
from tests.visits import actor_of

SECRET = "370921199001011239"


@pytest.fixture
async def evidence(sealed):
    """Two events about person 17 and one about 18, sealed and signed for; the first one's id."""
    acting = await actor_of(MEMBER)
    first = await audit.record(acting, "say", "person", 17, after={"id_number": audit.personal(SECRET)})
    await audit.record(acting, "say", "person", 17, before={"phone": audit.personal("13700000010")})
    await audit.record(acting, "say", "person", 18, after={"phone": audit.personal("13700000010")})
    await audit.seal()
    await checkpoints.make()
    return first


@pytest.fixture
def erase(database, monkeypatch):
    """erase("person", 17, "--why", …) runs `ebranch erase-evidence`."""
    def run(*options):
        pool, DB.pool = DB.pool, None  # the command is a process of its own
        try:
            return CliRunner().invoke(commands.erase_evidence_command, [*map(str, options)])
        finally:
            DB.pool = pool

    monkeypatch.setattr(commands, "settings", replace(settings, database_owner_url=url("ebranch_owner", database)))
    return lambda *options: asyncio.to_thread(run, *options)


async def kept() -> list[int]:
    return [one["subject_id"] for one in await rows("""
        SELECT e.subject_id FROM audit_value v JOIN audit_event e ON e.id = v.event_id
        WHERE v.value IS NOT NULL ORDER BY v.id""")]


async def test_what_was_erased_is_gone_with_its_reason_as_evidence_and_the_chain_is_valid(sealed, evidence, erase):
    assert await kept() == [17, 17, 18]
    done = await erase("person", 17, "--why", "本人依法要求删除")
    assert done.exit_code == 0, done.output
    assert "2 values are gone" in done.output
    assert await kept() == [18]
    told = await row("SELECT after::text FROM audit_event WHERE id = $1", evidence)
    assert await committed(json.loads(told["after"])["id_number"]) is None
    erased = await row("SELECT why, person_name, role, subject_id, after::text FROM audit_event"
                       " WHERE verb = 'erase_values'")
    assert (erased["why"], erased["role"], erased["subject_id"]) == ("本人依法要求删除", "系统运维", 17)
    assert json.loads(erased["after"]) == {"values": 2}
    await audit.seal()
    assert (await verify(sealed)).faults == []


async def test_one_event_s_values_alone(sealed, evidence, erase):
    assert "1 values are gone" in (await erase("person", 17, "--event", evidence, "--why", "录错了人")).output
    assert await kept() == [17, 18]


async def test_a_second_time_there_is_nothing_to_erase_and_nothing_is_noted(sealed, evidence, erase):
    await erase("person", 17, "--why", "本人依法要求删除")
    assert "0 values are gone" in (await erase("person", 17, "--why", "再来一次")).output
    assert len(await rows("SELECT FROM audit_event WHERE verb = 'erase_values'")) == 1


async def test_without_a_reason_nothing_is_erased(sealed, evidence, erase):
    for options in ((), ("--why", " ")):
        done = await erase("person", 17, *options)
        assert done.exit_code
    assert await kept() == [17, 17, 18]


SPOILS = {
    "another value": ("UPDATE audit_value SET value = (SELECT value FROM audit_value ORDER BY id DESC LIMIT 1) "
                      "WHERE event_id = $1", "is not what it was committed to"),
    "its own, cut off": ("UPDATE audit_value SET value = substr(value, 1, length(value) - 1) WHERE event_id = $1",
                         "is not what it was committed to"),
    "erased by nothing that erases": ("UPDATE audit_value SET value = NULL, erased_by = $1 WHERE event_id = $1",
                                      "is not what it was committed to"),
    "another's": ("UPDATE audit_value SET commitment = sha256('x') WHERE event_id = $1",
                  "is not what it was committed to"),
    "erased with what was erased lawfully": (
        "WITH e AS ("
        "INSERT INTO audit_event (chain, person_name, role, verb, subject_kind, subject_id, after, why, source)"
        " VALUES ('platform', '', '', 'erase_values', 'person', 18, '{\"values\": 1}', '', '') RETURNING id)"
        " UPDATE audit_value SET value = NULL, erased_by = (SELECT id FROM e) WHERE event_id >= $1",
        "is not all of what this erasure says that it erased"),
    "erased with what erases nonsense": (
        "INSERT INTO audit_event (chain, person_name, role, verb, subject_kind, subject_id, after, why, source)"
        " SELECT 'platform', '', '', 'erase_values', 'person', 18, '{\"values\": \"abc\", \"event\": \"x\"}', '', ''"
        " WHERE $1::bigint > 0", "is not all of what this erasure says that it erased"),
    "gone": ("DELETE FROM audit_value WHERE event_id = $1", "is gone without an erasure")}


@pytest.mark.parametrize(("spoil", "words"), SPOILS.values(), ids=SPOILS)
async def test_a_value_that_is_not_what_was_committed_is_found(sealed, evidence, spoil, words):
    assert (await verify(sealed)).fault is None
    await sealed.execute("ALTER TABLE audit_value DISABLE TRIGGER USER")
    await sealed.execute(spoil, evidence)
    fault, = (await verify(sealed)).faults
    assert str(fault).endswith(words)
    assert f"event {evidence}" in str(fault) or "erasure" in words


async def test_nothing_is_put_beside_an_event_that_is_not_committed_to_it(sealed, evidence, as_app):
    for value, commitment in ((b"x", bytes(32)), (None, bytes(32))):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="stands beside an event"):
            await as_app.execute("INSERT INTO audit_value (event_id, commitment, value) VALUES ($1, $2, $3)", evidence,
                                 commitment, value)
    assert (await verify(sealed)).fault is None
