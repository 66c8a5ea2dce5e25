"""用户激活 (G2.1): whoever was opened an account proves the phone, names the 授权码, himself and a password."""
from dataclasses import dataclass

from asyncpg import Record

from server.accounts import authorisations
from server.accounts.authorisations import CodeState, authorisation_state
from server.accounts.new_passwords import nobody_elses
from server.accounts.passwords import hashed
from server.accounts.tables import actor_without_session
from server.core import audit, codes, forms
from server.core.clock import now
from server.core.crypto import blind_indexes
from server.core.database import row, rows, transaction
from server.core.throttle import Throttle
from server.people.tables import ID_NUMBER, PHONE

PURPOSE = "activation"
WORDS = "【灯塔e支部】用户激活验证码 {code}，5 分钟内有效。不是您本人操作请不要告诉任何人。"
GUESSES = Throttle("authorisation", most=5)

UNFIT = "信息不符：姓名、身份证号要和上报的一致，手机号码要是收到授权码的那个，请逐项核对"
TOLD: dict[CodeState, str] = {
    CodeState.WRONG: "信息不符：授权码和短信里的不一致，请对照最新一条短信再填",
    CodeState.EXPIRED: "授权码已过期（一周内有效），请安全员重发一个",
    CodeState.USED: "授权码已用过，账号已经激活，请直接登录；忘了密码请点“忘记密码”",
    CodeState.REPLACED: "这个授权码已作废，之后又发过新的，请用最新一条短信里的授权码",
}


class AuthorisationRefused(forms.Refused):
    """What is wrong with a 授权码; officer: who can send a new one, where that is the way out."""

    def __init__(self, words: str, officer: Record | None = None) -> None:
        super().__init__("authorisation", words)
        self.officer = officer


@dataclass(frozen=True)
class Claim:
    """Whom somebody says to be."""

    phone: str
    name: str
    id_number: str


async def send_code(phone: str) -> str:
    """Sends the SMS code of an activation; returns its token. To a number that waits for no activation nothing goes,
    and nothing tells so. Raises codes.TooSoon, codes.TooMany."""
    waiting = await row("""
        SELECT a.id FROM account a JOIN person p ON p.id = a.person_id
        WHERE p.phone_index = ANY($1) AND a.closed_at IS NULL ORDER BY a.password_hash IS NOT NULL, a.id LIMIT 1""",
                        blind_indexes(phone, PHONE))
    return await codes.send(PURPOSE, phone, waiting["id"] if waiting else None, words=WORDS)


async def claimed_account(claim: Claim) -> Record | None:
    """The open account (id, activated) of the person that all of `claim` fits."""
    return await row("""
        SELECT a.id, a.password_hash IS NOT NULL AS activated FROM account a JOIN person p ON p.id = a.person_id
        WHERE p.id_number_index = ANY($1) AND p.phone_index = ANY($2) AND p.name = $3 AND a.closed_at IS NULL""",
                     blind_indexes(claim.id_number, ID_NUMBER), blind_indexes(claim.phone, PHONE), claim.name)


async def activate(claim: Claim, token: str, sms_code: str, authorisation: str, password: str, source: str) -> None:
    """Opens the account with its first password; must be called outside of a transaction, for each guess counts.

    The phone is proved first, so that nobody learns anything about an account by guessing. Raises forms.Refused."""
    with codes.told_beside("sms_code"):
        await codes.confirm(token, PURPOSE, sms_code, phone=claim.phone, keep=True)
    account = await claimed_account(claim)
    if account is None:
        raise forms.Refused("name", UNFIT)
    if not await GUESSES.take(str(account["id"])):
        raise AuthorisationRefused("授权码错误次数太多，请 15 分钟后再试", await safety_officer(account["id"]))
    state = await authorisation_state(account["id"], authorisation)
    if state is not CodeState.OK:
        officer = None if state is CodeState.USED else await safety_officer(account["id"])
        raise AuthorisationRefused(TOLD[state], officer)
    await nobody_elses(claim.phone, password, account["id"])
    secret = await hashed(password)
    async with transaction():
        if not await authorisations.use(account["id"], authorisation):
            raise AuthorisationRefused(TOLD[CodeState.USED])
        await rows("UPDATE account SET password_hash = $2 WHERE id = $1 AND password_hash IS NULL", account["id"],
                   secret)
        with codes.told_beside("sms_code"):
            await codes.use(token, PURPOSE)
        actor = await actor_without_session(account["id"], source)
        if actor is None:
            raise AuthorisationRefused("这个账号目前没有可用的身份，请联系安全员")
        await audit.record(actor, "activate", "account", account["id"])
    await GUESSES.clear(str(account["id"]))


async def ask_again(claim: Claim, token: str, sms_code: str, source: str) -> Record | None:
    """Asks the safety officer for a new 授权码; returns who was asked, None where nobody of `claim` waits for one.

    Asking twice is asking once. Raises forms.Refused when the phone is not proved."""
    with codes.told_beside("sms_code"):
        await codes.confirm(token, PURPOSE, sms_code, phone=claim.phone, keep=True)
    account = await claimed_account(claim)
    if account is None or account["activated"]:
        raise forms.Refused("name", UNFIT)
    async with transaction():
        asked = await authorisations.ask_again(account["id"])
        actor = await actor_without_session(account["id"], source)
        if asked and actor:
            await audit.record(actor, "ask_for_authorisation", "account", account["id"])
    return await safety_officer(account["id"])


async def safety_officer(account_id: int) -> Record | None:
    """The safety officer (name, organisation) in charge of an account: who issued its last 授权码 if he still is, else
    whoever is one there now."""
    return await row("""
        SELECT p.name, d.name AS organisation FROM role_grant g JOIN organisation o ON o.id = g.organisation_id
        JOIN role_grant s ON s.organisation_id IN (o.id, o.department_id) AND s.role = '安全员'
            AND s.since <= $2 AND (s.until IS NULL OR s.until > $2) AND s.account_id <> $1
        JOIN account a ON a.id = s.account_id AND a.closed_at IS NULL AND a.password_hash IS NOT NULL
        JOIN person p ON p.id = a.person_id JOIN organisation d ON d.id = s.organisation_id
        WHERE g.account_id = $1 AND (g.until IS NULL OR g.until > $2)
        ORDER BY s.account_id = (SELECT issued_by FROM authorisation WHERE account_id = $1
                                 ORDER BY id DESC LIMIT 1) DESC, length(d.path) DESC, s.id
        LIMIT 1""", account_id, now())
