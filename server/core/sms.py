"""SMS. A row for each message in the database; the worker hands it to the gateway and keeps what became of it.

The row is `sending`, and that is committed, before the gateway is asked, outside of any transaction. What a time-out
or a killed worker leaves is `unknown` and is never sent again by itself: somebody decides. arq only wakes the sweep."""
import asyncio
import json
import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from asyncpg import Record

from server.core import crypto, effects
from server.core.clock import now
from server.core.database import after_commit, next_id, row, rows, the_row
from server.core.sms_gateways import Gateway, Message, Outcome, Result, gateway
from server.core.switches import is_on
from server.settings import settings

log = logging.getLogger(__name__)

SWEEP_JOB = "sweep_sms"
KINDS = {"code": "验证码", "authorisation": "授权码", "notice": "通知"}  # domains may add theirs
STATES = {"waiting": "等待发送", "sending": "正在发送", "sent": "已发出", "failed": "发送失败",
          "unknown": "不知是否发出"}
PHONE = "phone"  # the kind of blind index: the same as a person's, so that one is found by the other
crypto.ENCRYPTED += [crypto.Column("sms", "phone", "phone_index", PHONE), crypto.Column("sms", "words")]
LANES = 4  # messages under way at once
PATIENCE_S = 20  # with the gateway, which has its own time-outs before
LEASE = timedelta(seconds=60)  # after which a worker that took a message is taken for dead
RETRY_AFTER = timedelta(seconds=15)  # the first time, then twice as long each time
MOST_TRIES = 6

NOT_KNOWN = "网关没有答复，不知道是否已经发出"
TOO_LATE = "没能在有效时间内发出"


async def send(
    key: str, phone: str, kind: str, words: str, *, values: Sequence[str] = (), organisation_id: int | None = None,
    not_before: datetime | None = None, good_until: datetime | None = None, really: bool = True,
    again_of: int | None = None,
) -> None:
    """Puts down a message; within the caller's transaction, and once for each `key`.

    kind: one of KINDS, KeyError else. words: what is read, the product named and whom to ask. values: the blanks of
    the kind's template at the gateway, in order; none: the words are the one blank. organisation_id: on whose
    business. not_before: when it may leave. good_until: later it is not worth sending. really: False does all the work
    and puts down nothing, so that an answer takes as long for a phone that nobody has."""
    KINDS[kind]
    message, moment = await next_id("sms"), now()
    await rows("""
        INSERT INTO sms (id, key, kind, phone, phone_index, words, organisation_id, good_until, again_of, created_at,
                         due_at)
        OVERRIDING SYSTEM VALUE SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11
            WHERE $12
        ON CONFLICT (key) DO NOTHING""",
               message, key, kind, crypto.encrypt(phone, table="sms", column="phone", row_id=message),
               crypto.blind_index(phone, PHONE),
               crypto.encrypt(spelled(words, values), table="sms", column="words", row_id=message),
               organisation_id, good_until, again_of, moment, not_before or moment, really)
    after_commit(wake)


async def wake() -> None:
    """Tells the worker that something is to be sent."""
    await effects.wake(SWEEP_JOB)


async def send_again(sms_id: int) -> int | None:
    """Puts down a message once more, under a key of its own; the new one's id, or None when it was done before. In a
    transaction, by somebody who decided so."""
    old = await the_row("""SELECT id, kind, phone, words, organisation_id, good_until FROM sms
                           WHERE id = $1 FOR NO KEY UPDATE""", sms_id)
    words, values = words_of(old)
    if await row("SELECT FROM sms WHERE again_of = $1", sms_id) is not None:
        return None
    await send(f"again:{sms_id}", phone_of(old), old["kind"], words, values=values, again_of=sms_id,
               organisation_id=old["organisation_id"], good_until=old["good_until"])
    return (await the_row("SELECT id FROM sms WHERE again_of = $1", sms_id))["id"]


def phone_of(sms: Record) -> str:
    """The phone of a row with id and phone."""
    return crypto.decrypt(sms["phone"], table="sms", column="phone", row_id=sms["id"])


def spelled(words: str, values: Sequence[str] = ()) -> str:
    """The words and the values for the gateway's template, as their column keeps them, encrypted."""
    return json.dumps([words, list(values)], ensure_ascii=False)


def words_of(sms: Record) -> tuple[str, list[str]]:
    """The words of a row with id and words, and the values for the gateway's template."""
    words, values = json.loads(crypto.decrypt(sms["words"], table="sms", column="words", row_id=sms["id"]))
    return words, values


async def held_back() -> bool:
    """Whether messages wait instead of leaving: what a page says on which somebody waits for one."""
    return gateway() is None or not await is_on("sms")


async def sweep(for_s: float = 30) -> int:
    """Sends what is due, several at once, as long as there is any or for `for_s`; returns how many were tried.

    Sweeps may run side by side. While SMS are off, messages wait."""
    await give_up_on_the_dead()
    await give_up_on_the_late()
    way = gateway()
    if way is None or not await is_on("sms"):
        return 0
    until = time.monotonic() + for_s
    return sum(await asyncio.gather(*(lane(way, until) for _ in range(LANES))))


async def lane(way: Gateway, until: float) -> int:
    """Sends one after the other until there is nothing left, or no time."""
    tried = 0
    while time.monotonic() < until and await send_one(way):
        tried += 1
    return tried


async def send_one(way: Gateway) -> bool:
    """Sends the next due message: first those that soon are not worth it any more. False when there is none."""
    taken = await row("""
        UPDATE sms SET state = 'sending', tries = tries + 1, sending_at = ebranch_now(), gateway = $1, fault = NULL
        WHERE id = (SELECT id FROM sms WHERE state = 'waiting' AND due_at <= ebranch_now()
                    ORDER BY good_until, due_at, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
        RETURNING id, key, kind, phone, words, tries, good_until""", way.name)
    if taken is None:
        return False
    words, values = words_of(taken)
    message = Message(taken["id"], taken["key"], phone_of(taken), taken["kind"], words, values or [words])
    try:
        result = await asyncio.wait_for(way.send(message), PATIENCE_S)
    except TimeoutError:
        result = Result(Outcome.UNKNOWN, fault=NOT_KNOWN)
    except Exception as fault:  # whatever a gateway stumbles over, it may have sent before
        log.error("SMS %s: the gateway failed by %s", taken["id"], type(fault).__name__)
        result = Result(Outcome.UNKNOWN, fault=NOT_KNOWN)
    await keep(taken, result)
    return True


async def keep(taken: Record, result: Result) -> None:
    """Keeps what the gateway said of the try that `taken` was; also when it said so after everybody gave up on it."""
    state, due = str(result.outcome), now()
    fault = result.fault
    if result.outcome is Outcome.LATER:
        due += RETRY_AFTER * 2 ** (taken["tries"] - 1)
        spent = taken["tries"] >= MOST_TRIES or (taken["good_until"] and due >= taken["good_until"])
        state = "failed" if spent else "waiting"
    await rows("""
        UPDATE sms SET state = $3, due_at = $4, fault = $5, gateway_number = $6, segments = $7, cost_li = $8,
                       done_at = CASE WHEN $3 = 'waiting' THEN NULL ELSE ebranch_now() END
        WHERE id = $1 AND tries = $2 AND (state = 'sending' OR state = 'unknown' AND $3 IN ('sent', 'failed'))""",
               taken["id"], taken["tries"], state, due, fault, result.number, result.segments,
               result.segments * settings.sms.price_li)
    if state == "failed":
        log.error("SMS %s is given up after %s tries: %s", taken["id"], taken["tries"], fault)


async def give_up_on_the_dead() -> None:
    """What a worker took and never told the end of: nobody knows whether it left, so it is not sent again."""
    await rows("""UPDATE sms SET state = 'unknown', fault = $2, done_at = ebranch_now()
                  WHERE state = 'sending' AND sending_at < ebranch_now() - $1::interval""", LEASE, NOT_KNOWN)


async def give_up_on_the_late() -> None:
    """What is not worth sending any more: a code that is over would only confuse."""
    await rows("""UPDATE sms SET state = 'failed', fault = coalesce(fault || '；', '') || $1, done_at = ebranch_now()
                  WHERE state = 'waiting' AND good_until < ebranch_now()""", TOO_LATE)
