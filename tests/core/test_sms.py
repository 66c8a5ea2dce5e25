"""SMS: `sending` before the gateway is asked, once for each key; what nobody knows the end of is never sent again."""
import asyncio
import logging
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest
from cryptography.exceptions import InvalidTag

from server.core import sms
from server.core.clock import now
from server.core.database import all_told, engine, rows, the_row, transaction
from server.core.live import redis
from server.core.sms import sweep
from server.core.sms_gateways import Outbox, Outcome, Result, segments

PHONE = "13700000010"
WORDS = "【灯塔e支部】授权码 48291037，一周内有效。有疑问请找宁阳县安全员。"
LATER = Result(Outcome.LATER, fault="网关请稍后再发")
SENT = Result(Outcome.SENT, "n-1", 1)


class Desk:
    """A gateway that answers what it is told to, and notes what it was given and in which state the row was then."""

    name = "desk"

    def __init__(self) -> None:
        self.answers: list[Result | BaseException] = []
        self.given: list[tuple[str, str, list[str]]] = []
        self.seen: list[str] = []

    async def send(self, message):
        self.given.append((message.key, message.phone, message.values))
        other = await asyncpg.connect(engine().config["dsn"])
        self.seen.append(await other.fetchval("SELECT state FROM sms WHERE id = $1", message.id))
        await other.close()
        assert engine().current_transaction.get() is None
        answer = self.answers.pop(0) if self.answers else SENT
        if isinstance(answer, BaseException):
            raise answer
        return answer


@pytest.fixture
def desk(database, monkeypatch) -> Desk:
    desk = Desk()
    monkeypatch.setattr(sms, "gateway", lambda: desk)
    return desk


async def put_down(key="k", phone=PHONE, kind="authorisation", words=WORDS, **more) -> None:
    async with transaction():
        await sms.send(key, phone, kind, words, **more)


async def message():
    return await the_row("SELECT *, due_at - ebranch_now() AS wait FROM sms ORDER BY id LIMIT 1")


async def test_a_message_is_sent_once_and_was_sending_before_the_gateway_heard_of_it(desk):
    await put_down()
    assert await sweep() == 1
    assert await sweep() == 0
    assert desk.given == [("k", PHONE, [WORDS])]
    assert desk.seen == ["sending"]
    sent = await message()
    assert (sent["state"], sent["tries"], sent["gateway"], sent["gateway_number"]) == ("sent", 1, "desk", "n-1")
    assert sent["segments"] == 1
    assert sent["cost_li"] == 50
    assert sent["done_at"]


async def test_a_key_is_one_message_whatever_is_put_down_under_it(desk):
    await put_down()
    await put_down(words="别的话")
    await sweep()
    await put_down()
    await sweep()
    assert desk.given == [("k", PHONE, [WORDS])]


async def test_a_change_that_is_not_made_sends_nothing(desk):
    with pytest.raises(ZeroDivisionError):
        await fail_after_putting_down()
    assert await sweep() == 0


async def fail_after_putting_down() -> None:
    async with transaction():
        await sms.send("k", PHONE, "notice", WORDS)
        raise ZeroDivisionError


async def test_the_blanks_of_a_template_go_to_the_gateway(desk):
    await put_down(values=("48291037", "7"))
    await sweep()
    assert desk.given == [("k", PHONE, ["48291037", "7"])]


async def test_a_kind_nobody_knows_is_a_mistake_of_ours(database):
    with pytest.raises(KeyError):
        await put_down(kind="advertisement")
    assert await rows("SELECT FROM sms") == []


async def test_neither_phone_nor_words_stand_in_the_table_and_a_moved_value_is_unreadable(owner):
    await put_down()
    await put_down("other")
    text = await owner.fetchval("SELECT string_agg(s::text, '') FROM sms s")
    for secret in (PHONE, PHONE.encode().hex(), "48291037", b"48291037".hex()):
        assert secret not in text
    first, second = await owner.fetch("SELECT * FROM sms ORDER BY id")
    assert sms.phone_of(first) == PHONE
    assert sms.words_of(second) == (WORDS, [])
    with pytest.raises(InvalidTag):
        sms.phone_of(dict(first) | {"phone": second["phone"]})


async def test_what_the_gateway_puts_off_is_tried_again_each_time_after_twice_as_long(desk, owner):
    await put_down()
    desk.answers = [LATER] * 6
    for tried, wait in enumerate((15, 30, 60, 120, 240), 1):
        assert await sweep() == 1
        found = await message()
        assert (found["state"], found["tries"], found["fault"]) == ("waiting", tried, "网关请稍后再发")
        assert timedelta(seconds=wait - 3) < found["wait"] <= timedelta(seconds=wait)
        assert await sweep() == 0, "not before its time"
        await owner.execute("UPDATE sms SET due_at = ebranch_now()")
    await sweep()
    found = await message()
    assert (found["state"], found["tries"]) == ("failed", 6)
    assert await sweep() == 0


async def test_after_some_waiting_it_is_sent(desk, owner):
    await put_down()
    desk.answers = [LATER, SENT]
    await sweep()
    await owner.execute("UPDATE sms SET due_at = ebranch_now()")
    await sweep()
    found = await message()
    assert (found["state"], found["tries"], found["fault"]) == ("sent", 2, None)


async def test_what_the_gateway_refuses_for_good_has_failed(desk):
    await put_down()
    desk.answers = [Result(Outcome.FAILED, fault="手机号退订了短信")]
    await sweep()
    found = await message()
    assert (found["state"], found["fault"], found["segments"]) == ("failed", "手机号退订了短信", 0)
    assert await sweep() == 0


@pytest.mark.parametrize("trouble", [TimeoutError(), ConnectionResetError("13700000010"), ValueError("48291037")])
async def test_what_the_gateway_did_not_answer_is_unknown_and_never_sent_again(desk, at, trouble, caplog):
    moment = await at("2026-11-22 19:30")
    await put_down()
    desk.answers = [trouble]
    await sweep()
    found = await message()
    assert (found["state"], found["fault"]) == ("unknown", sms.NOT_KNOWN)
    for _ in range(3):
        moment += timedelta(days=1)
        await at(moment)
        assert await sweep() == 0
    assert len(desk.given) == 1
    assert "13700000010" not in caplog.text
    assert "48291037" not in caplog.text


async def test_a_gateway_that_never_answers_is_waited_for_only_so_long(database, monkeypatch):
    class Silent(Outbox):
        async def send(self, message):
            await asyncio.sleep(3600)

    monkeypatch.setattr(sms, "gateway", Silent)
    monkeypatch.setattr(sms, "PATIENCE_S", 0.05)
    await put_down()
    await put_down("other")
    await sweep()
    assert [one["state"] for one in await rows("SELECT state FROM sms")] == ["unknown", "unknown"]


async def take() -> None:
    """A worker takes the message and is gone."""
    taken = await rows("UPDATE sms SET state = 'sending', tries = 1, sending_at = ebranch_now() RETURNING id")
    assert taken


async def test_what_a_dead_worker_took_is_unknown_a_minute_later_and_never_sent_again(desk, at):
    await at("2026-11-22 19:30:00")
    await put_down()
    await take()
    await sweep()
    assert (await message())["state"] == "sending"
    await at("2026-11-22 19:31:05")
    assert await sweep() == 0
    assert (await message())["state"] == "unknown"
    await at("2026-11-23 19:31:05")
    await sweep()
    assert desk.given == []


async def test_an_answer_that_comes_after_everybody_gave_up_is_still_kept(desk, owner):
    """The worker was not dead, only slow."""
    await put_down()
    given_up = asyncio.Event()

    async def slow(message):
        await owner.execute("UPDATE sms SET sending_at = sending_at - interval '2 minutes'")
        await sms.give_up_on_the_dead()
        assert (await rows("SELECT state FROM sms"))[0]["state"] == "unknown"
        given_up.set()
        return SENT

    desk.send = slow
    await sweep()
    assert given_up.is_set()
    assert (await message())["state"] == "sent"


async def test_sweeps_at_once_send_each_message_once(desk):
    for number in range(30):
        await put_down(str(number))
    await asyncio.gather(*(sweep() for _ in range(3)))
    assert sorted(int(key) for key, _, _ in desk.given) == list(range(30))


async def test_what_soon_is_not_worth_sending_goes_first_and_too_late_not_at_all(desk, at, monkeypatch):
    monkeypatch.setattr(sms, "LANES", 1)
    moment = await at("2026-11-22 19:30:00")
    for number in range(3):
        await put_down(f"notice {number}", kind="notice")
    await put_down("code", kind="code", good_until=moment + timedelta(minutes=5))
    await put_down("old code", kind="code", good_until=moment - timedelta(seconds=1))
    await sweep()
    assert [key for key, _, _ in desk.given] == ["code", "notice 0", "notice 1", "notice 2"]
    assert (await rows("SELECT state, fault FROM sms WHERE key = 'old code'")) == [("failed", sms.TOO_LATE)]


async def test_a_code_is_not_put_off_beyond_its_life(desk, at):
    moment = await at("2026-11-22 19:30:00")
    await put_down(kind="code", good_until=moment + timedelta(seconds=10))
    desk.answers = [LATER]
    await sweep()
    assert (await message())["state"] == "failed"


async def test_while_sms_are_off_they_wait(desk, monkeypatch):
    await put_down()
    monkeypatch.setattr(sms, "gateway", lambda: None)
    assert await sweep() == 0
    assert (await message())["state"] == "waiting"
    monkeypatch.setattr(sms, "gateway", lambda: desk)
    assert await sweep() == 1


async def test_emptying_redis_loses_nothing(desk):
    await put_down()
    await all_told()
    await redis().flushall()
    assert await sweep() == 1
    assert len(desk.given) == 1


async def test_nothing_personal_is_handed_to_the_queue(database):
    await redis().flushall()
    await put_down()
    await all_told()
    told = b"".join([key + (await redis().get(key) or b"") for key in await redis().keys("arq:job:*")])
    assert b"sweep_sms" in told
    assert PHONE.encode() not in told
    assert b"48291037" not in told


async def test_neither_phone_nor_words_are_logged(desk, caplog):
    caplog.set_level(logging.DEBUG)
    await put_down()
    desk.answers = [Result(Outcome.FAILED, fault="退订")]
    await sweep()
    assert "given up" in caplog.text
    assert PHONE not in caplog.text
    assert "48291037" not in caplog.text


async def test_the_demonstrations_outbox_takes_everything(database):
    await put_down(words="一" * 71)
    await sweep()
    found = await message()
    assert (found["state"], found["gateway"], found["segments"]) == ("sent", "outbox", 2)


@pytest.mark.parametrize(("length", "billed"), [(1, 1), (70, 1), (71, 2), (134, 2), (135, 3)])
def test_a_long_text_is_billed_as_several(length, billed):
    assert segments("一" * length) == billed


@pytest.mark.parametrize("change", [
    "UPDATE sms SET state = 'waiting'", "UPDATE sms SET state = 'sending'", "UPDATE sms SET key = 'x'",
    "UPDATE sms SET tries = 0", "UPDATE sms SET state = 'lost'", "DELETE FROM sms"])
@pytest.mark.parametrize("end", [Outcome.UNKNOWN, Outcome.SENT, Outcome.FAILED])
async def test_the_database_lets_nothing_be_sent_twice(desk, as_app, change, end):
    await put_down()
    desk.answers = [Result(end)]
    await sweep()
    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.CheckViolationError)):
        await as_app.execute(change)


async def test_an_sms_costs_what_the_settings_say(desk, monkeypatch):
    monkeypatch.setattr(sms, "settings", replace(sms.settings, sms=replace(sms.settings.sms, price_li=45)))
    desk.answers = [Result(Outcome.SENT, "n", 2)]
    await put_down()
    await sweep()
    assert (await message())["cost_li"] == 90
    assert now()
