"""Signed checkpoints: what even somebody who can rewrite the whole database still contradicts."""
import json

import asyncpg
import pytest

from server.core import audit, checkpoints, keys
from server.core.database import rows
from server.core.verify_audit import Finding, verify
from tests.cast import COMMITTEE, MEMBER, SIDIAN
from tests.evidence.lots import leave_evidence, middle
from tests.visits import actor_of

RESEAL = """SELECT event_id, number, """ + audit.SPELLED + """ AS spelled FROM audit_seal s
JOIN audit_event e ON e.id = s.event_id WHERE s.chain = $1 ORDER BY number"""


async def reseal(connection, chain: str) -> None:
    """As the owner of the whole machine could: every digest of a chain computed anew."""
    previous = audit.GENESIS
    for seal in await connection.fetch(RESEAL, chain):
        previous = audit.digest(previous, seal["spelled"])
        await connection.execute("UPDATE audit_seal SET digest = $2 WHERE event_id = $1", seal["event_id"], previous)


def told(found: Finding) -> list[str]:
    return list(map(str, found.faults))


async def more(times: int = 5) -> None:
    await leave_evidence(times, (MEMBER,))
    assert await audit.seal() == times


async def test_a_checkpoint_says_how_every_chain_stands_and_names_the_former(sealed, folder):
    first = await checkpoints.make()
    lengths = {chain: number for chain, (number, _) in first.heads.items()}
    committee, sidian = (await actor_of(COMMITTEE)).organisation_id, (await actor_of(SIDIAN)).organisation_id
    assert lengths == {"platform": 10, f"committee-{committee}": 20, f"committee-{sidian}": 10}
    for chain, (number, digest) in first.heads.items():
        assert digest == (await sealed.fetchval("SELECT digest FROM audit_seal WHERE (chain, number) = ($1, $2)",
                                                chain, number)).hex()
    await more()
    second = await checkpoints.make()
    assert (first.number, first.previous, second.number, second.previous) == (1, "", 2, first.digest)
    assert [checkpoints.read(path).body for _, path in checkpoints.files()] == [second.body, first.body]
    assert [one["body"] for one in await rows("SELECT body FROM audit_checkpoint ORDER BY number")] == [
        first.body, second.body]
    found = await verify(sealed)
    assert (found.faults, found.checkpoints, found.signed_at) == ([], 2, second.at)


async def test_there_is_one_an_hour(sealed, at, folder):
    await at("2026-11-22 19:30")
    for moment, there in (("19:31", 1), ("19:35", 1), ("20:30", 1), ("20:32", 2), ("23:00", 3)):
        await at(f"2026-11-22 {moment}")
        await checkpoints.make_due()
        assert len(list(checkpoints.files())) == there, moment


@pytest.mark.parametrize(("number", "body"), [(3, "{}"), (2**60, "{}"), (2**60, '{"restored_to": 0}'), (1, "{}")])
async def test_a_checkpoint_of_any_number_is_not_put_in(sealed, folder, as_app, number, body):
    await checkpoints.make()
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="follows the last one"):
        await as_app.execute("INSERT INTO audit_checkpoint (number, body, signature) VALUES ($1, $2, $3)", number, body,
                             bytes(64))


async def test_one_of_a_far_number_hides_nothing_behind_all_those_that_are_not_there(sealed, folder):
    await checkpoints.make()
    await sealed.execute("INSERT INTO audit_checkpoint (number, body, signature) VALUES ($1, '{}', $2)", 2**60,
                         bytes(64))
    told_ = told(await verify(sealed))
    assert [fault.partition(":")[0] for fault in told_] == [f"checkpoint {2**60}", f"checkpoint {2**60 - 1}"]


async def test_a_moment_at_the_end_of_time_is_an_edit_like_any_other(sealed, folder):
    place = await middle(sealed)
    await sealed.execute("UPDATE audit_event SET at = 'infinity' WHERE id = $1", place["event_id"])
    assert f"event {place['event_id']} is not what was sealed here" in str((await verify(sealed)).fault)


async def test_files_that_were_lost_come_back_from_the_database(sealed, folder):
    await checkpoints.make()
    next(checkpoints.files())[1].unlink()
    await checkpoints.make()
    assert [number for number, _ in checkpoints.files()] == [2, 1]
    assert (await verify(sealed)).faults == []


async def test_rows_cut_off_the_end_with_their_seals_are_found(sealed, folder):
    await checkpoints.make()
    await more()
    await checkpoints.make()
    place = await middle(sealed, 22)
    await sealed.execute("DELETE FROM audit_event WHERE id IN (SELECT event_id FROM audit_seal"
                         " WHERE chain = $1 AND number >= $2)", place["chain"], place["number"])
    await sealed.execute("DELETE FROM audit_seal WHERE chain = $1 AND number >= $2", place["chain"], place["number"])
    found = await verify(sealed)
    assert len(found.faults) == 1
    assert found.fault.startswith("checkpoint 2 of ")
    assert f"chain {place['chain']}, number {place['number']}: rows 23 to 25 are gone" in found.fault
    assert "(what checkpoint 1 of" in found.fault


async def test_a_chain_sealed_anew_after_an_edit_is_found(sealed, folder):
    await checkpoints.make()
    await more()
    await checkpoints.make()
    place = await middle(sealed, 21)
    await sealed.execute("UPDATE audit_event SET why = '改' WHERE id = $1", place["event_id"])
    await reseal(sealed, place["chain"])
    found = await verify(sealed)
    assert found.sealed == 45, "the chain by itself is flawless"
    assert f"chain {place['chain']}, number 25 is another than what was signed" in found.fault
    assert found.fault.startswith("checkpoint 2 of ")
    assert "checkpoint 1 of" in found.fault


async def test_an_emptied_database_is_found(sealed, folder):
    await checkpoints.make()
    for table in ("audit_event", "audit_seal", "audit_checkpoint", "audit_value"):
        await sealed.execute(f"DELETE FROM {table}")
    found = await verify(sealed)
    assert (found.sealed, found.chains) == (0, 0)
    assert "the whole chain of" in found.fault
    assert "the database ends with checkpoint 0, the folder with 1" in str(found.faults[-1])


async def test_a_checkpoint_removed_from_the_database_is_found(sealed, folder):
    await checkpoints.make()
    await checkpoints.make()
    await sealed.execute("DELETE FROM audit_checkpoint WHERE number = 1")
    assert told(await verify(sealed)) == ["checkpoint 1: it has been removed from the database"]


async def test_a_changed_checkpoint_is_told(sealed, folder):
    made = await checkpoints.make()
    path = next(checkpoints.files())[1]
    path.write_text(made.text.replace('"number":1', '"number":9'))
    assert told(await verify(sealed)) == ["checkpoint 1: it is not what this installation's key has signed"]
    path.write_text(made.text)
    await sealed.execute("UPDATE audit_checkpoint SET body = replace(body, '20,', '19,')")
    assert told(await verify(sealed)) == ["checkpoint 1: it is not what this installation's key has signed"]


@pytest.mark.parametrize(("content", "words"), [
    (b"", "it is no checkpoint"), (b"\xff\xfe", "it is no checkpoint"), (b"{}\nxx yy\n", "another key has signed it"),
    (b"hello", "it is no checkpoint")])
async def test_what_is_no_checkpoint_of_ours_is_told(sealed, folder, tmp_path, content, words):
    path = tmp_path / "other.txt"
    path.write_bytes(content)
    assert told(await verify(sealed, file=path)) == [f"{path}: {words}"]


async def test_one_that_another_key_has_signed_is_told_and_nothing_is_signed_over_it(sealed, folder, monkeypatch):
    made = await checkpoints.make()
    other = keys.derived(bytes(32), checkpoints.PURPOSE)
    monkeypatch.setattr(checkpoints, "key", lambda _: other)
    assert told(await verify(sealed)) == ["checkpoint 1: it is not what this installation's key has signed"]
    with pytest.raises(checkpoints.Forged):
        await checkpoints.make()
    path = folder / "mine.txt"
    path.write_text(made.text.replace(made.text.splitlines()[1], f"{checkpoints.public_key().hex()} "
                    + checkpoints.signing_key().sign(b"{}").hex()))
    assert "not what this installation's key has signed" in (await verify(sealed, file=path)).fault


async def test_a_checkpoint_taken_away_is_asked_by_itself(sealed, folder, tmp_path, terminal):
    taken = tmp_path / "taken.txt"
    taken.write_text((await checkpoints.make()).text)
    await more()
    assert (await verify(sealed, file=taken)).faults == []
    assert "1 checkpoints agree" in (await terminal("--checkpoint", taken)).output
    place = await middle(sealed, 3)
    await sealed.execute("UPDATE audit_event SET why = '改' WHERE id = $1", place["event_id"])
    await reseal(sealed, place["chain"])
    for path in folder.iterdir():
        path.unlink()
    await sealed.execute("DELETE FROM audit_checkpoint")
    assert (await verify(sealed)).faults == [], "who holds the machine leaves no trace on it"
    done = await terminal("--checkpoint", taken)
    assert done.exit_code == 1
    assert f"chain {place['chain']}, number 20 is another than what was signed" in done.output
    assert "is not in the database" in done.output


async def test_nothing_is_signed_over_a_contradiction(sealed, folder):
    await checkpoints.make()
    place = await middle(sealed, 19)
    await sealed.execute("DELETE FROM audit_seal WHERE event_id = $1", place["event_id"])
    with pytest.raises(checkpoints.Contradicted, match="rows 20 to 20 are gone"):
        await checkpoints.make()
    await sealed.execute("DELETE FROM audit_checkpoint")
    with pytest.raises(checkpoints.Contradicted):
        await checkpoints.make()


async def test_an_older_backup_put_back_is_told_honestly_and_from_then_on_known(sealed, folder, terminal):
    await checkpoints.make()
    await more()
    await checkpoints.make()
    await sealed.execute("DELETE FROM audit_checkpoint WHERE number = 2")
    await sealed.execute("DELETE FROM audit_seal WHERE number > 20")
    await sealed.execute("DELETE FROM audit_event e WHERE NOT EXISTS (SELECT FROM audit_seal WHERE event_id = e.id)")
    found = await verify(sealed)
    assert "rows 21 to 25 are gone (what checkpoint 1 of" in found.fault
    assert "put back to an older state, or its end was cut off" in str(found.faults[-1])
    with pytest.raises(checkpoints.Contradicted):
        await checkpoints.make()
    await checkpoints.make("硬盘坏了，用昨天的备份恢复")
    await more()
    await checkpoints.make()
    found = await verify(sealed)
    assert found.faults == []
    assert "put back to its state of checkpoint 1, and what came after is gone: 硬盘坏了" in str(found.notes[0])
    done = await terminal()
    assert done.exit_code == 0
    assert "Note: checkpoint 3" in done.output


async def test_a_checkpoint_s_moment_is_the_database_s_and_its_number_the_next(sealed, as_app):
    await checkpoints.make()
    body = json.dumps({})
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="follows"):
        await as_app.execute("INSERT INTO audit_checkpoint (number, body, signature) VALUES (1, $1, $2)",
                             body, bytes(64))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_app.execute("INSERT INTO audit_checkpoint (number, at, body, signature) VALUES (2, now(), $1, $2)",
                             body, bytes(64))


async def test_what_is_cut_off_between_two_checkpoints_leaves_no_trace(sealed, folder):
    """What remains possible, told as it is: for whoever owns the whole database, and only for what is newer than the
    last checkpoint."""
    await checkpoints.make()
    await more()
    await sealed.execute("DELETE FROM audit_seal WHERE number > 20")
    await sealed.execute("DELETE FROM audit_event e WHERE NOT EXISTS (SELECT FROM audit_seal WHERE event_id = e.id)")
    assert (await verify(sealed)).faults == []
