"""SMS of the last three months, as the outbox would have taken them; one failed, and of one nobody knows."""
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from asyncpg import Connection

from server.core import crypto, sms
from server.core.codes import LIFE
from server.core.sms_gateways import segments
from server.demo.people import CAST
from server.demo.residents import SEED
from server.permissions import OFFICERS
from server.settings import settings

BEGIN, END = timedelta(days=85), timedelta(days=1)  # before now
CODES = 42
CODE = "【灯塔e支部】登录验证码 {code}，5 分钟内有效，请勿告诉别人。不是您本人操作，请联系宁阳县安全员。"
AUTHORISATION = "【灯塔e支部】您的授权码 {code}，一周内有效，请打开“用户激活”。有疑问请联系宁阳县安全员郑卫东。"
LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True)
class Sent:
    """One of them. fault: what the gateway said, where it did not take it."""

    phone: str
    kind: str
    words: str
    at: datetime
    state: str = "sent"
    fault: str | None = None


def told(now: datetime) -> list[Sent]:
    """All of them, oldest first."""
    rng = Random(f"{SEED} messages")
    officers = [one for one in CAST if OFFICERS & {role for role, _ in one.roles}]
    found = [Sent(one.phone, "authorisation", AUTHORISATION.format(code="".join(rng.choices(LETTERS, k=8))),
                  now - BEGIN + timedelta(hours=3 * place)) for place, one in enumerate(officers)]
    for _ in range(CODES):
        at = now - END - (BEGIN - END) * rng.random()
        found.append(Sent(rng.choice(officers).phone, "code", CODE.format(code=f"{rng.randrange(10**6):06}"), at))
    again = AUTHORISATION.format(code="".join(rng.choices(LETTERS, k=8)))
    found += [
        Sent("13700000015", "authorisation", again, now - timedelta(days=6, hours=2), "failed",
             "手机号退订了短信，或在运营商的免打扰名单里（FailedOperation.PhoneNumberInBlacklist）"),
        Sent("13700000019", "authorisation", again, now - timedelta(days=2, hours=5), "unknown", sms.NOT_KNOWN),
    ]
    return sorted(found, key=lambda one: one.at)


async def load(connection: Connection, now: datetime) -> None:
    """Writes them down."""
    for place, one in enumerate(told(now)):
        number = await connection.fetchval("SELECT nextval('sms_id_seq')")
        billed = segments(one.words) if one.state == "sent" else 0
        await connection.execute("""
            INSERT INTO sms (id, key, kind, phone, phone_index, words, created_at, due_at, good_until, state, tries,
                             sending_at, done_at, gateway, gateway_number, segments, cost_li, fault)
            OVERRIDING SYSTEM VALUE
            VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, 1, $7, $7, 'outbox', $10, $11, $12, $13)""",
                                 number, f"demonstration:{place}", one.kind,
                                 crypto.encrypt(one.phone, table="sms", column="phone", row_id=number),
                                 crypto.blind_index(one.phone, sms.PHONE),
                                 crypto.encrypt(sms.spelled(one.words), table="sms", column="words", row_id=number),
                                 one.at, one.at + LIFE if one.kind == "code" else None, one.state,
                                 f"outbox-{number}" if billed else None, billed, billed * settings.sms.price_li,
                                 one.fault)
