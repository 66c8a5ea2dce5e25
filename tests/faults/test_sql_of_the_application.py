"""What the application's own role may not do in SQL, whoever gets hold of its connection."""
import asyncio
from datetime import datetime, timedelta

import asyncpg
import pytest

from server.core.clock import BEIJING
from tests.cast import MEMBER, SECRETARY
from tests.databases import connected, fingerprint
from tests.meetings.stories import evidence, planned

BEGAN = datetime(2026, 9, 28, 19, 30, tzinfo=BEIJING)
LOCK = datetime(2026, 10, 14, tzinfo=BEIJING)
SECOND = timedelta(seconds=1)


@pytest.fixture
async def meeting(visit, at):
    """A recorded meeting with a text, whose log is locked in a second and a half."""
    await at(BEGAN - timedelta(hours=1))
    made = await planned(BEGAN)
    await at(BEGAN + timedelta(hours=2))
    await visit(SECRETARY, "POST", f"/meetings/{made}/attendance/rest", data={"everybody": "1"})
    await visit(SECRETARY, "POST", f"/meetings/{made}/log", data={"minutes": "议了修路", "version": 0})
    await at(LOCK - 1.5 * SECOND)
    return made


LATE = ["UPDATE meeting_log SET minutes = '改了'", "UPDATE attendance SET mark = '缺席'",
        "UPDATE meeting SET topic = '改了'"]


@pytest.mark.parametrize("change", LATE)
async def test_a_statement_that_began_before_the_lock_changes_nothing_after_it(meeting, as_app, owner, change):
    before = await fingerprint(owner)
    with pytest.raises(asyncpg.PostgresError, match="log locked"):
        await as_app.execute(f"DO $$ BEGIN PERFORM pg_sleep(2); {change}; END $$")
    assert await fingerprint(owner) == before


@pytest.mark.parametrize("change", LATE)
async def test_a_transaction_that_changed_before_the_lock_is_not_committed_after_it(meeting, as_app, owner, change):
    before = await fingerprint(owner)
    held = as_app.transaction()
    await held.start()
    await as_app.execute(change)
    await asyncio.sleep(2)
    with pytest.raises(asyncpg.PostgresError, match="log locked"):
        await held.commit()
    assert await fingerprint(owner) == before


@pytest.mark.parametrize("change", [
    "UPDATE entry SET html = '<form>'", "UPDATE entry SET text = '改了', who = '别人'", "UPDATE entry SET card = '{}'",
    "UPDATE session SET account_id = account_id", "UPDATE session SET expires_at = '2040-01-01'",
    "UPDATE deadline SET subject_id = 1", "UPDATE deadline SET title = '改了'",
    "INSERT INTO audit_event (at, chain, person_name, role, verb, subject_kind, subject_id, source)"
    " VALUES ('2020-01-01', 'platform', '', '', '', '', 1, '')",
    "INSERT INTO audit_event (id, chain, person_name, role, verb, subject_kind, subject_id, source)"
    " OVERRIDING SYSTEM VALUE VALUES (9000000000000000000, 'platform', '', '', '', '', 1, '')"])
async def test_what_was_said_and_signed_is_not_rewritten(meeting, as_app, owner, change):
    before = await fingerprint(owner)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_app.execute(change)
    assert await fingerprint(owner) == before


async def test_an_ended_session_is_not_brought_back_and_keeps_to_its_account(visit, as_app, owner):
    await visit(MEMBER, "GET", "/me")
    await visit(SECRETARY, "GET", "/me")
    for statement in ("UPDATE session SET grant_id = (SELECT max(grant_id) FROM session)",
                      "UPDATE session SET revoked_at = NULL WHERE id = (SELECT min(id) FROM session)"):
        await owner.execute("UPDATE session SET revoked_at = now() WHERE id = (SELECT min(id) FROM session)"
                            " AND revoked_at IS NULL")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await as_app.execute(statement)


@pytest.mark.parametrize("change", [
    "UPDATE amendment SET answer = '改了', closed_by = '别人'",
    "UPDATE amendment SET state = '待处理', closed_by = NULL, closed_at = NULL, answer = ''",
    "INSERT INTO amendment (meeting_id, explanation, explained_by, who, state, answer, closed_by, closed_at)"
    " SELECT meeting_id, '改', explained_by, who, '已更改', '', '党委', now() FROM amendment"])
async def test_a_closed_explanation_stays_as_it_was_closed(visit, at, meeting, as_app, owner, change):
    await at(LOCK + SECOND)
    await visit(SECRETARY, "POST", f"/meetings/{meeting}/amendments", data={"explanation": "漏记一人"})
    await owner.execute(
        "UPDATE amendment SET state = '已退回', answer = '没有漏记', closed_by = '褚镇', closed_at = now()")
    before = await fingerprint(owner)
    with pytest.raises(asyncpg.PostgresError) as refused:
        await as_app.execute(change)
    assert refused.value.sqlstate == "EB005"
    assert await fingerprint(owner) == before


async def test_an_explanation_is_not_called_changed_without_a_version(visit, at, meeting, database):
    await at(LOCK + SECOND)
    await visit(SECRETARY, "POST", f"/meetings/{meeting}/amendments", data={"explanation": "漏记一人"})
    async with connected("ebranch_app", database) as app:
        with pytest.raises(asyncpg.PostgresError, match="closed once"):
            await app.execute("UPDATE amendment SET state = '已更改', closed_by = '党委', closed_at = now()")
    assert await evidence("explain") == 1
