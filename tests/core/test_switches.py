"""What the console may switch off and on: once, with evidence, and the application never."""
import asyncpg
import pytest

from server.core import sms
from server.core.clock import now
from server.core.database import row, transaction
from server.core.switches import is_on, turn


async def test_sms_are_on_until_somebody_switches_them_off(owner):
    assert await is_on("sms")
    assert await is_on("something nobody ever switched")
    assert await turn(owner, "sms", False)
    assert not await is_on("sms")
    assert not await turn(owner, "sms", False), "they are off already"
    told = await owner.fetch("SELECT person_name, before, after FROM audit_event WHERE verb = 'switch_sms'")
    assert [tuple(one) for one in told] == [("控制台", '{"on": true}', '{"on": false}')]


async def test_the_application_itself_may_not(as_app):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_app.execute('UPDATE switch SET "on" = true')


async def test_messages_wait_while_sms_are_off_and_leave_afterwards(owner):
    await turn(owner, "sms", False)
    async with transaction():
        await sms.send("late", "13700000010", "notice", "明天开会")
    assert await sms.sweep() == 0
    assert (await row("SELECT state FROM sms WHERE key = 'late' AND due_at <= $1", now()))["state"] == "waiting"
    await turn(owner, "sms", True)
    assert await sms.sweep() == 1
