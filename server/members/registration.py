"""Members register by themselves against the register: name, ID number, a code to the phone that stands there. So does
whom a village has opened a query account for (M3§9).

Nobody is forced to (M2§2). Where the phone is outdated, somebody of the branch confirms the new one face to face."""
from asyncpg import Record

from server.accounts.activation import Claim
from server.accounts.new_passwords import nobody_elses
from server.accounts.passwords import hashed
from server.accounts.tables import actor_without_session, is_officer
from server.core import audit, codes, live
from server.core.actor import Machine
from server.core.clock import now
from server.core.crypto import blind_indexes
from server.core.database import row, rows, the_row, transaction
from server.core.forms import Refused
from server.core.throttle import DAY, Throttle
from server.people.tables import ID_NUMBER, PHONE

PURPOSE = "registration"
WORDS = "【灯塔e支部】注册验证码 {code}，5 分钟内有效。不是您本人操作请不要告诉任何人。"
REQUESTS = Throttle("registration request", most=3, window=DAY)

UNFIT = "信息不符：姓名、身份证号、手机号码都要和登记的一致，请逐项核对"
KNOWN = "您已经注册过了，请直接登录；忘了密码请点“忘记密码”"
OPENED = "安全员已为您开通了管理员账号，请到“用户激活”凭短信里的授权码激活，党员身份会一起开通"

IN_REGISTER = """
SELECT p.id AS person_id, m.branch_id, m.standing, o.path, o.committee_id, a.id AS account_id, a.closed_at,
       a.password_hash IS NOT NULL AS activated, p.phone_index = ANY($2) AS same_phone
FROM person p LEFT JOIN member m ON m.person_id = p.id AND m.left_on IS NULL
LEFT JOIN organisation o ON o.id = m.branch_id AND o.closed_at IS NULL
LEFT JOIN account a ON a.person_id = p.id
WHERE p.id_number_index = ANY($1) AND p.name = $3 AND (o.id IS NOT NULL OR EXISTS (
    SELECT FROM role_grant g WHERE g.account_id = a.id AND (g.until IS NULL OR g.until > ebranch_now())))"""


async def in_register(claim: Claim) -> Record | None:
    """The member whose name and ID number these are, whatever the phone."""
    return await row(IN_REGISTER, blind_indexes(claim.id_number, ID_NUMBER), blind_indexes(claim.phone, PHONE),
                     claim.name)


async def send_code(phone: str) -> str:
    """Sends the SMS code of a registration; returns its token. To a number that is neither a member's nor that of
    somebody who was given a role and has set no password yet nothing goes, and nothing tells so. Raises codes.TooSoon,
    codes.TooMany."""
    found = await row("""
        SELECT p.id FROM person p WHERE p.phone_index = ANY($1) AND (
            EXISTS (SELECT FROM member m WHERE m.person_id = p.id AND m.left_on IS NULL)
            OR EXISTS (SELECT FROM account a JOIN role_grant g ON g.account_id = a.id
                       AND (g.until IS NULL OR g.until > ebranch_now())
                       WHERE a.person_id = p.id AND a.password_hash IS NULL))
        ORDER BY p.id LIMIT 1""", blind_indexes(phone, PHONE))
    return await codes.send(PURPOSE, phone, found["id"] if found else None, words=WORDS)


async def register(claim: Claim, token: str, sms_code: str, password: str, source: str) -> bool:
    """Opens the member's account; outside of a transaction, for each guess counts. False when the account was there
    already, as an officer's: it gets the member's role too and keeps its password. Raises Refused."""
    with codes.told_beside("sms_code"):
        await codes.confirm(token, PURPOSE, sms_code, phone=claim.phone, keep=True)
    found = await in_register(claim)
    if found is None or not found["same_phone"] or found["closed_at"]:
        raise Refused("name", UNFIT)
    if not found["activated"] and await is_officer(found["person_id"]):
        raise Refused("name", OPENED)
    if not found["activated"]:
        await nobody_elses(claim.phone, password, None)
    secret = None if found["activated"] else await hashed(password)
    async with transaction():
        account = await account_of(found["person_id"], secret)
        joined = found["branch_id"] is not None and await join(account["id"], found)
        if account["kept"] and not joined:
            raise Refused("name", KNOWN)
        with codes.told_beside("sms_code"):
            await codes.use(token, PURPOSE)
        if found["branch_id"] is not None:
            await close_request(found["person_id"], found["path"])
        actor = await actor_without_session(account["id"], source)
        if actor:
            await audit.record(actor, "register", "account", account["id"])
    return not account["kept"]


async def account_of(person_id: int, secret: str | None) -> Record:
    """Somebody's one account, with this password's hash unless it has one already (`kept`)."""
    await rows("INSERT INTO account (person_id) VALUES ($1) ON CONFLICT DO NOTHING", person_id)
    set_now = await row("UPDATE account SET password_hash = $2 WHERE person_id = $1 AND password_hash IS NULL"
                        " AND $2::text IS NOT NULL RETURNING id, false AS kept", person_id, secret)
    return set_now or await the_row("SELECT id, true AS kept FROM account WHERE person_id = $1", person_id)


async def join(account_id: int, found: Record) -> bool:
    """Gives the account the role that its owner has in the register; False when it has it."""
    return await row("""
        INSERT INTO role_grant (account_id, role, organisation_id, why) SELECT $1, $2, $3, '本人注册'
        WHERE NOT EXISTS (SELECT FROM role_grant WHERE account_id = $1 AND role = $2 AND organisation_id = $3
                          AND (until IS NULL OR until > ebranch_now())) RETURNING id""",
                     account_id, found["standing"], found["branch_id"]) is not None


async def ask_in_person(claim: Claim, source: str) -> None:
    """Tells the branch that somebody with another phone than the register's wants to register. Who is none of its
    members gets the same answer after the same work."""
    found = await in_register(claim)
    mine = found is not None and found["branch_id"] and not found["activated"] and not found["same_phone"]
    if not await REQUESTS.take(str(found["person_id"] if found else 0)):
        return
    async with transaction():
        asked = await row("""INSERT INTO registration_request (person_id) SELECT $1 WHERE $2
                             ON CONFLICT (person_id) WHERE closed_at IS NULL DO NOTHING RETURNING id""",
                          found["person_id"] if found else 0, mine)
        if asked and found:
            await audit.record(Machine("自称本人，尚未核实", "未登录", source, organisation_id=found["branch_id"],
                                       committee_id=found["committee_id"]),
                               "ask_in_person", "person", found["person_id"])
            live.changed(found["path"], "todos")


async def close_request(person_id: int, path: str) -> None:
    """What somebody asked for has been done."""
    if await row("UPDATE registration_request SET closed_at = $2 WHERE person_id = $1 AND closed_at IS NULL"
                 " RETURNING id", person_id, now()):
        live.changed(path, "todos")


async def requests_at(path: str) -> list[Record]:
    """Who waits to be asked face to face at and below `path`: person_id, name, asked_at, branch."""
    return await rows("""
        SELECT r.person_id, p.name, r.asked_at, o.name AS branch FROM registration_request r
        JOIN person p ON p.id = r.person_id JOIN member m ON m.person_id = p.id AND m.left_on IS NULL
        JOIN organisation o ON o.id = m.branch_id
        WHERE r.closed_at IS NULL AND o.path LIKE $1 || '%' ORDER BY r.asked_at LIMIT 50""", path)
