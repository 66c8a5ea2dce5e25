"""Evidence: append-only for everybody who works, sealed into chains, and what verify-audit says of a damaged one."""
import asyncio
import json
import tracemalloc
from dataclasses import replace
from time import monotonic

import asyncpg
import pytest

from server.core import audit, crypto
from server.core.database import rows, transaction
from server.core.verify_audit import verify
from tests.cast import COMMITTEE, MEMBER, SIDIAN
from tests.commitments import committed
from tests.evidence.lots import LOT, leave_evidence, middle
from tests.visits import actor_of


async def test_what_stands_as_it_was_sealed_is_well(sealed):
    found = await verify(sealed)
    assert (found.sealed, found.chains, found.unsealed, found.fault) == (40, 3, 0, None)


async def test_a_committee_has_its_chain_and_what_is_above_has_the_platform_s(sealed):
    lengths = {one["chain"]: one["rows"] for one in await sealed.fetch(
        "SELECT chain, count(*) AS rows FROM audit_seal GROUP BY chain")}
    committee, sidian = (await actor_of(COMMITTEE)).organisation_id, (await actor_of(SIDIAN)).organisation_id
    assert lengths == {"platform": 10, f"committee-{committee}": 20, f"committee-{sidian}": 10}


EDITS = {
    "who": "person_name = '别人'", "when": "at = at + interval '1 microsecond'", "what": "verb = 'look'",
    "of what": "subject_id = subject_id + 1", "before": """before = '{"text": ""}'""", "after": "after = NULL",
    "why": "why = NULL", "from where": "source = ''", "which account": "account_id = NULL",
    "where": "organisation_id = 1", "as what": "role = '书记'", "which chain": "chain = 'platform'",
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
async def test_an_edited_row_is_found(sealed, edit):
    place = await middle(sealed)
    await sealed.execute(f"UPDATE audit_event SET {edit} WHERE id = $1", place["event_id"])
    found = await verify(sealed)
    assert found.fault == f"chain {place['chain']}, number {place['number']}: " \
                          f"event {place['event_id']} is not what was sealed here"
    assert found.sealed == place["number"] - 1, "the chains are looked at in order, and this one is the first"


async def test_a_removed_row_is_found(sealed):
    place = await middle(sealed)
    await sealed.execute("DELETE FROM audit_event WHERE id = $1", place["event_id"])
    found = await verify(sealed)
    assert found.fault.endswith(f"number {place['number']}: event {place['event_id']} has been removed")


async def test_a_row_removed_with_its_seal_is_found(sealed):
    place = await middle(sealed)
    await sealed.execute("DELETE FROM audit_seal WHERE event_id = $1", place["event_id"])
    await sealed.execute("DELETE FROM audit_event WHERE id = $1", place["event_id"])
    number, found = place["number"], await verify(sealed)
    assert found.fault.endswith(f"number {number}: a seal is missing (the next one is number {number + 1})")


async def test_a_row_removed_with_its_seal_and_the_gap_closed_is_found(sealed):
    place = await middle(sealed)
    await sealed.execute("DELETE FROM audit_seal WHERE event_id = $1", place["event_id"])
    for number in range(place["number"] + 1, 21):
        await sealed.execute("UPDATE audit_seal SET number = number - 1 WHERE chain = $1 AND number = $2",
                             place["chain"], number)
    assert f"number {place['number']}: event" in (await verify(sealed)).fault


async def test_two_rows_in_another_order_are_found(sealed):
    first, second = await middle(sealed), await middle(sealed, 6)
    for of, number in ((first, -1), (second, first["number"]), (first, second["number"])):
        await sealed.execute("UPDATE audit_seal SET number = $2 WHERE event_id = $1", of["event_id"], number)
    assert f"number {first['number']}: event {second['event_id']}" in (await verify(sealed)).fault


async def test_a_removed_beginning_is_found(sealed):
    place = await middle(sealed, 0)
    await sealed.execute("DELETE FROM audit_seal WHERE event_id = $1", place["event_id"])
    assert "number 1: a seal is missing" in (await verify(sealed)).fault


async def test_a_removed_last_row_is_found(sealed):
    place = await middle(sealed, 19)
    await sealed.execute("DELETE FROM audit_event WHERE id = $1", place["event_id"])
    assert (await verify(sealed)).fault.endswith(f"number 20: event {place['event_id']} has been removed")


async def test_a_removed_last_seal_leaves_its_row_unsealed(sealed):
    place = await middle(sealed, 19)
    await sealed.execute("DELETE FROM audit_seal WHERE event_id = $1", place["event_id"])
    found = await verify(sealed)
    assert (found.sealed, found.unsealed) == (39, 1)
    assert found.since == await sealed.fetchval("SELECT at FROM audit_event WHERE id = $1", place["event_id"])


async def test_an_emptied_trail_is_found(sealed):
    await sealed.execute("DELETE FROM audit_event")
    assert "has been removed" in (await verify(sealed)).fault


async def test_a_row_put_in_without_the_sealer_s_digest_is_found(sealed):
    await leave_evidence(1, (SIDIAN,))
    await sealed.execute("""INSERT INTO audit_seal SELECT chain, 11, id, sha256('forged') FROM audit_event
                            ORDER BY id DESC LIMIT 1""")
    assert "number 11: event" in (await verify(sealed)).fault


TRICKY = ('"', "\\", "\n\r\t\b\f\x01\x1f\x7f", "𬶮 é \u2028", "/", "")


@pytest.mark.parametrize("text", TRICKY)
async def test_evidence_is_spelled_as_it_was_when_python_spelled_it(database, text):
    """What had been sealed before the database sealed by itself is still valid: the same JSON to the character."""
    acting = replace(await actor_of(MEMBER), name=text, source=text)
    await audit.record(acting, "say", "entry", 1, before={"a": text}, after=None, why=text)
    await audit.record(acting, "say", "entry", 2)
    for event in await rows(f"""
            SELECT {audit.SPELLED} AS spelled, audit_spelled(e) AS by_database, e.*, e.before::text AS before_text,
                   e.after::text AS after_text, (extract(epoch FROM e.at) * 1000000)::bigint AS at_us
            FROM audit_event e"""):
        former = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode([event[name] for name in (
            "id", "chain", "account_id", "person_name", "role", "organisation_id", "verb", "subject_kind", "subject_id",
            "before_text", "after_text", "why", "source", "at_us")])
        assert event["spelled"] == event["by_database"] == former


async def test_whose_duties_they_were_is_stored_and_sealed(sealed):
    acting = replace(await actor_of(MEMBER), acting_for="赵德山")
    event = await audit.record(acting, "say", "entry", 1)
    assert await sealed.fetchval("SELECT acting_for FROM audit_event WHERE id = $1", event) == "赵德山"
    assert await audit.seal() == 1
    assert (await verify(sealed)).fault is None
    await sealed.execute("UPDATE audit_event SET acting_for = NULL WHERE id = $1", event)
    assert (await verify(sealed)).fault.endswith(f"event {event} is not what was sealed here")


async def test_a_personal_value_stands_in_the_evidence_as_a_commitment_and_encrypted_beside_it(sealed):
    secret = "370921199001011239"
    event = await audit.record(
        await actor_of(MEMBER), "say", "entry", 1, before={"phone": audit.personal(None)},
        after={"id_number": audit.personal(secret),
               "all": [{"name": audit.personal("钱秀英")}, audit.personal(secret)]})
    stored = await sealed.fetchval("SELECT to_jsonb(e)::text FROM audit_event e WHERE id = $1", event)
    assert secret not in stored
    assert "钱秀英" not in stored
    beside = await sealed.fetch("SELECT to_jsonb(v)::text, value FROM audit_value v WHERE event_id = $1", event)
    assert len(beside) == 3
    assert not any(secret in one[0] or secret.encode() in one["value"] for one in beside)
    after = json.loads(await sealed.fetchval("SELECT after::text FROM audit_event WHERE id = $1", event))
    assert await committed(after["id_number"]) == await committed(after["all"][1]) == secret
    assert after["id_number"] != after["all"][1], "the same value twice is salted twice: nobody can guess and compare"
    assert await committed(after["all"][0]["name"]) == "钱秀英"
    assert await sealed.fetchval("SELECT before::text FROM audit_event WHERE id = $1", event) == '{"phone": null}'


async def test_a_personal_value_is_not_told_by_accident(database):
    assert "秀英" not in repr(audit.personal("钱秀英"))
    with pytest.raises(ValueError, match="record"):
        audit.values(await actor_of(MEMBER), "say", "entry", 1, after={"name": audit.personal("钱秀英")})


@pytest.mark.parametrize("statement", [
    "UPDATE audit_value SET value = NULL", "DELETE FROM audit_value", "TRUNCATE audit_value",
    "INSERT INTO audit_seal SELECT chain, 99, id, sha256('x') FROM audit_event LIMIT 1",
    "UPDATE audit_value SET value = '\\x00'", "SELECT setval('audit_event_id_seq', 1)",
    "INSERT INTO audit_checkpoint (number, at, body, signature) VALUES (1, now(), '', '')",
    "DELETE FROM audit_checkpoint", "TRUNCATE audit_checkpoint", "UPDATE audit_checkpoint SET body = ''"])
async def test_the_application_s_role_forges_and_erases_nothing(as_app, statement):
    await audit.record(await actor_of(MEMBER), "say", "entry", 1, after={"name": audit.personal("钱秀英")})
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_app.execute(statement)


async def test_even_the_owner_erases_no_value_without_its_evidence_and_puts_none_back(owner):
    acting = await actor_of(MEMBER)
    other = await audit.record(acting, "say", "entry", 1, after={"name": audit.personal("钱秀英")}, why="不是删除")
    kept = await owner.fetchrow("SELECT id, value FROM audit_value")
    anew = crypto.encrypt("x", table="audit_value", column="value", row_id=kept["id"])
    for statement in ("UPDATE audit_value SET value = NULL, erased_by = $1",
                      "DELETE FROM audit_value WHERE event_id = $1",
                      "UPDATE audit_value SET commitment = sha256('x') WHERE event_id = $1"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await owner.execute(statement, other)
    await owner.execute("UPDATE audit_value SET value = $1", anew)  # as a rotation of the keys does
    erasure = await audit.record(acting, "erase_values", "entry", 1, why="本人要求")
    await owner.execute("UPDATE audit_value SET value = NULL, erased_by = $1", erasure)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await owner.execute("UPDATE audit_value SET value = $1, erased_by = NULL", anew)


@pytest.mark.parametrize("table", ["audit_event", "audit_seal"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET chain = 'x'", "DELETE FROM {}", "TRUNCATE {} CASCADE",
                                       "UPDATE {} SET chain = 'x' WHERE false", "ALTER TABLE {} DISABLE TRIGGER ALL",
                                       "DROP TABLE {} CASCADE"])
async def test_the_application_s_role_only_adds(as_app, table, statement):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_app.execute(statement.format(table))


@pytest.mark.parametrize("table", ["audit_event", "audit_seal"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET chain = 'x'", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
async def test_even_the_tables_owner_is_refused(owner, table, statement):
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await owner.execute(statement.format(table))


async def test_evidence_goes_with_the_change_that_failed(database):
    async def leave_and_fail() -> None:
        async with transaction():
            await audit.record(await actor_of(MEMBER), "say", "entry", 1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await leave_and_fail()
    assert await rows("SELECT FROM audit_event") == []


async def test_sealers_at_once_make_no_double(sealed, owner):
    await leave_evidence(100)
    done = await asyncio.gather(*(audit.seal(37) for _ in range(12)))
    while last := await audit.seal(37):
        done.append(last)
    assert sum(done) == 400
    found = await verify(sealed)
    assert (found.sealed, found.unsealed, found.fault) == (440, 0, None)


async def test_what_was_committed_late_is_sealed_at_the_end_of_its_chain(sealed, as_app, owner):
    late = as_app.transaction()
    await late.start()
    values = audit.values(await actor_of(MEMBER), "say", "entry", 1)
    event = await as_app.fetchval(audit.RECORD, *values)
    await leave_evidence(1)
    assert await audit.seal() == 4
    assert (await verify(sealed)).unsealed == 0, "what is not committed is not there"
    await late.commit()
    assert (await verify(sealed)).unsealed == 1
    assert await audit.seal() == 1
    seal = await sealed.fetchrow("SELECT chain, number FROM audit_seal WHERE event_id = $1", event)
    assert seal["number"] == await sealed.fetchval("SELECT max(number) FROM audit_seal WHERE chain = $1", seal["chain"])
    assert (await verify(sealed)).fault is None


async def test_what_was_committed_very_late_is_sealed_by_the_hourly_look(sealed, monkeypatch):
    first = (await middle(sealed, 0))["event_id"]
    await sealed.execute("DELETE FROM audit_seal")
    await sealed.execute("INSERT INTO audit_seal SELECT 'x', 1, max(id), sha256('x') FROM audit_event")
    monkeypatch.setattr(audit, "LATE_COMMITS", 10)
    assert await audit.seal(looking_back=10) == 9
    assert await sealed.fetchval("SELECT count(*) FROM audit_seal WHERE event_id = $1", first) == 0
    assert await audit.seal(looking_back=None) == 30


async def test_the_command_says_that_all_is_well_and_what_is_not_sealed_yet(sealed, terminal, at):
    await at("2026-11-22 19:30")
    await leave_evidence(3, (MEMBER,))
    done = await terminal()
    assert done.exit_code == 0
    assert "40 rows in 3 chains stand as they were sealed." in done.output
    assert "3 rows are not sealed yet, the oldest of 2026-11-22 19:30" in done.output


async def test_the_command_names_the_first_wrong_place_and_ends_with_1(sealed, terminal):
    place = await middle(sealed)
    await sealed.execute("UPDATE audit_event SET why = '改' WHERE id >= $1", place["event_id"])
    done = await terminal()
    assert done.exit_code == 1
    assert f"chain {place['chain']}, number {place['number']}: event {place['event_id']}" in done.output
    assert f"{place['number'] - 1:,} rows were found as they were sealed" in done.output


async def test_a_hundred_thousand_rows_are_verified_quickly_and_in_constant_memory(owner, database):
    await owner.execute("ALTER TABLE audit_seal DROP CONSTRAINT audit_seal_event")  # its check is not what is timed
    await owner.execute(LOT, 100_000)
    while await audit.seal(10_000):
        pass
    began = monotonic()
    assert (await verify(owner)).sealed == 100_000
    assert monotonic() - began < 15, "the bar for 500,000 rows is 10 s on an idle machine"
    tracemalloc.start()
    steps: list[int] = []
    for limit in (4_000, 24_000):
        tracemalloc.reset_peak()
        await verify_until(owner, limit)
        steps.append(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()
    assert steps[1] < steps[0] * 1.2


async def verify_until(connection, rows_most: int) -> None:
    """Verifies the first rows only, by ending the walk there."""
    class EnoughError(Exception):
        pass

    def advance(done: int) -> None:
        if done >= rows_most:
            raise EnoughError

    with pytest.raises(EnoughError):
        await verify(connection, advance)
