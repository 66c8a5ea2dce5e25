"""A worker killed while the gateway has the message: nobody knows whether it left, so nobody sends it again."""
import asyncio
import os
import sys
from typing import Any

from server.core import sms
from server.core.database import rows, transaction
from server.core.sms_tencent import Tencent
from server.sms_settings import read
from tasks import schedule
from tasks.worker import CRON_JOBS, FUNCTIONS
from tests.core.tencent_answers import PHONE, serving
from tests.servers import url
from tests.starting.conftest import if_alone

WORDS = "【灯塔e支部】授权码 K7M2P9QX，一周内有效。"
WORKER = """
import asyncio
from server.core import database, sms

async def work():
    await database.open_pool(2)
    await sms.sweep()

asyncio.run(work())
"""


def environ(database: str, port: int) -> dict[str, str]:
    return dict(os.environ) | {
        "DATABASE_URL": url("ebranch_app", database), "EBRANCH_SMS": "tencent", "EBRANCH_SMS_SECRET_ID": "an-id",
        "EBRANCH_SMS_SECRET_KEY": "a-key", "EBRANCH_SMS_APP": "1400006666", "EBRANCH_SMS_SIGN": "灯塔e支部",
        "EBRANCH_SMS_TEMPLATES": "authorisation=1002", "EBRANCH_SMS_ENDPOINT": f"http://127.0.0.1:{port}"}


async def until_asked(service: Any) -> None:
    for _ in range(int(if_alone(400))):
        if service.asked:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the worker never asked")


async def test_killed_between_sending_and_the_answer_it_is_unknown_and_never_sent_again(database, at, monkeypatch):
    async with transaction():
        await sms.send("authorisation-1", PHONE, "authorisation", WORDS)
    with serving() as service:
        service.answer = None
        settings = environ(database, service.server_port)
        worker = await asyncio.create_subprocess_exec(sys.executable, "-c", WORKER, env=settings)
        await until_asked(service)
        worker.kill()
        await worker.wait()
        assert await rows("SELECT state, tries, gateway FROM sms") == [("sending", 1, "tencent")]

        service.answer = (200, "application/json", b"{}")
        monkeypatch.setattr(sms, "gateway", lambda: Tencent(read(settings, demo=False)))
        assert await sms.sweep() == 0, "another worker may still have it"
        await at((await rows("SELECT ebranch_now() + interval '61 seconds' AS later"))[0]["later"])
        for _ in range(3):
            assert await sms.sweep() == 0
        assert await rows("SELECT state, tries, fault FROM sms") == [("unknown", 1, sms.NOT_KNOWN)]
        assert len(service.asked) == 1


def test_the_worker_sends_when_it_is_woken_and_by_its_own_clock():
    assert {one.name: one.coroutine for one in FUNCTIONS}[sms.SWEEP_JOB] is schedule.sweep_sms
    assert schedule.sweep_sms in [line.coroutine for line in CRON_JOBS]
