"""The real gateway, served locally: what it is asked, and what is made of everything it may answer."""
import asyncio
import logging
import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from server.core import sms, sms_tencent
from server.core.database import rows, transaction
from server.core.sms_gateways import Message, Outcome
from server.core.sms_tencent import Tencent
from server.sms_settings import SmsSettings
from tests.core.tencent_answers import PHONE, error, json_answer, serving, status_answer

CODE = "483920"
MESSAGE = Message(7, "code:7", PHONE, "code", f"【灯塔e支部】验证码 {CODE}", [CODE, "5"])


@pytest.fixture
def service() -> Iterator[Any]:
    with serving() as server:
        yield server


def settings(port: int) -> SmsSettings:
    return SmsSettings("tencent", 45, "an-id", "a-key", "1400006666", "灯塔e支部", {"code": "1001"},
                       f"http://127.0.0.1:{port}")


def gateway(service: Any) -> Tencent:
    return Tencent(settings(service.server_port))


async def test_it_is_asked_in_its_own_words_with_our_key_and_its_fee_is_kept(service):
    result = await gateway(service).send(MESSAGE)
    assert (result.outcome, result.segments, result.number) == (
        Outcome.SENT, 1, "5000:1045710669157053657849499619")
    headers, body = service.asked[0]
    assert body == {"PhoneNumberSet": [f"+86{PHONE}"], "SmsSdkAppId": "1400006666", "TemplateId": "1001",
                    "SignName": "灯塔e支部", "TemplateParamSet": [CODE, "5"], "SessionContext": "code:7"}
    assert headers["X-TC-Action"] == "SendSms"
    assert "a-key" not in str(headers)


@pytest.mark.parametrize(("answer", "outcome"), [
    (status_answer("LimitExceeded.PhoneNumberThirtySecondLimit"), Outcome.LATER),
    (error("RequestLimitExceeded"), Outcome.LATER),
    (status_answer("FailedOperation.PhoneNumberInBlacklist"), Outcome.FAILED),
    (status_answer("LimitExceeded.PhoneNumberDailyLimit"), Outcome.FAILED),
    (error("FailedOperation.InsufficientBalanceInSmsPackage"), Outcome.FAILED),
    (error("AuthFailure.SignatureFailure"), Outcome.FAILED),
    (error("InternalError.Timeout"), Outcome.UNKNOWN),
    (error("InternalError.SendAndRecvFail"), Outcome.UNKNOWN),
    (error("SomethingNew"), Outcome.UNKNOWN),
    (json_answer({"SendStatusSet": []}), Outcome.UNKNOWN),
    (json_answer({}), Outcome.UNKNOWN),
    ((502, "text/html", b"<html>bad gateway"), Outcome.UNKNOWN),
    ((200, "text/html", b"<html>a portal"), Outcome.UNKNOWN),
    ((200, "application/json", b"{"), Outcome.UNKNOWN),
    ((200, "application/json", b"[]"), Outcome.UNKNOWN),
    ((200, "application/json", b""), Outcome.UNKNOWN),
])
async def test_whatever_it_answers_is_understood_and_nothing_personal_is_kept_of_it(service, answer, outcome):
    service.answer = answer
    result = await gateway(service).send(MESSAGE)
    assert result.outcome is outcome
    assert result.fault
    assert PHONE not in result.fault


async def test_a_fault_people_can_mend_is_told_in_chinese(service):
    service.answer = error("FailedOperation.InsufficientBalanceInSmsPackage")
    assert "请充值" in (await gateway(service).send(MESSAGE)).fault


async def test_no_answer_in_time_is_not_known(service, monkeypatch):
    monkeypatch.setattr(sms_tencent, "ANSWER_S", 0.2)
    service.answer = None
    assert (await gateway(service).send(MESSAGE)).outcome is Outcome.UNKNOWN
    assert len(service.asked) == 1, "the SDK must not ask a second time by itself"


async def test_a_gateway_that_cannot_be_reached_is_asked_again_later():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    result = await Tencent(settings(port)).send(MESSAGE)
    assert result.outcome is Outcome.LATER


async def test_a_connection_that_breaks_after_the_question_is_not_known():
    async def hang_up(_, writer):
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        result = await Tencent(settings(server.sockets[0].getsockname()[1])).send(MESSAGE)
    assert result.outcome is Outcome.UNKNOWN


async def test_without_a_template_for_its_kind_a_message_is_refused_and_nobody_asked(service):
    result = await gateway(service).send(replace(MESSAGE, kind="notice"))
    assert result.outcome is Outcome.FAILED
    assert service.asked == []


async def test_nothing_of_it_is_logged(service, caplog):
    caplog.set_level(logging.DEBUG)
    await gateway(service).send(MESSAGE)
    for secret in (PHONE, CODE, "a-key", "an-id"):
        assert secret not in caplog.text


async def test_asking_holds_up_nothing_else(service):
    service.answer = None
    asking = asyncio.create_task(gateway(service).send(MESSAGE))
    await asyncio.sleep(0.05)
    assert not asking.done()
    service.patience.set()
    await asking


async def test_from_the_table_to_the_gateway_and_back(database, service, monkeypatch):
    monkeypatch.setattr(sms, "gateway", lambda: gateway(service))
    async with transaction():
        await sms.send("code:7", PHONE, "code", MESSAGE.words, values=MESSAGE.values)
    await sms.sweep()
    assert await rows("SELECT state, gateway, gateway_number, segments FROM sms") == [
        ("sent", "tencent", "5000:1045710669157053657849499619", 1)]
