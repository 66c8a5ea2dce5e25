"""Query accounts of the demonstration: who has one in a village, a household, who has applied; the offices among which
东疏镇 divides its review; what was found before the walls."""
from datetime import datetime, timedelta
from random import Random

from asyncpg import Connection, Record

from server.core import crypto
from server.demo.names import invent
from server.demo.numbers import invented
from server.demo.people import BY_PHONE, CAST
from server.demo.residents import SEED, numbers
from server.demo.villages import items
from server.people.rules import sort_key
from server.people.tables import ID_NUMBER, kept_id_number, kept_phone
from server.permissions import Role
from server.query_accounts.rules import Standing
from server.query_accounts.tables import kept
from server.supervision.rules import MENDING

QIANCUN, YUZHUANG = "370921102201", "于庄支部"
HOUSEHOLD = (("李桂芝", "妻子"), ("张小军", "儿子"), ("张奶奶", "母亲"))
ALSO = (Standing.GROUP_LEADER, Standing.GROUP_LEADER, Standing.REPRESENTATIVE, Standing.REPRESENTATIVE,
        Standing.COMMITTEES, Standing.VILLAGER, Standing.VILLAGER)
PLACES = 40_000  # of invented ID numbers nobody in the register has
OFFICES = (("经管站", "财务", ()), ("民政办", "", ("低保", "特困", "救助")))


async def load(connection: Connection, now: datetime) -> None:
    """Writes them down."""
    await more_villagers(connection, now)
    await readers(connection)
    await applications(connection, now)
    await offices(connection)
    await checks(connection, now)


async def more_villagers(connection: Connection, now: datetime) -> None:
    """Villagers of 前村 with a query account of whom most have not set a password yet."""
    rng, taken = Random(f"{SEED} readers"), {someone.name for someone in CAST}
    branch = await connection.fetchval("SELECT organisation_id FROM village WHERE code = $1", QIANCUN)
    people = await numbers(connection, "person", len(ALSO))
    accounts = await numbers(connection, "account", len(ALSO))
    for place, (person, account) in enumerate(zip(people, accounts, strict=True)):
        name = invent(rng, "前村", taken)
        await connection.execute("""
            INSERT INTO person (id, name, sort_key, created_at, phone, phone_index, id_number, id_number_index)
            OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
                                 person, name, sort_key(name), now - timedelta(days=60),
                                 *kept_phone(person, f"139000100{place:02}"),
                                 *kept_id_number(person, invented(PLACES + place, name)))
        await connection.execute("INSERT INTO account (id, person_id) OVERRIDING SYSTEM VALUE VALUES ($1, $2)",
                                 account, person)
        await connection.execute("""INSERT INTO role_grant (account_id, role, organisation_id, since)
                                    VALUES ($1, $2, $3, $4)""", account, str(Role.VILLAGER), branch,
                                 now - timedelta(days=60 - place))


async def readers(connection: Connection) -> None:
    """Whoever has the role of a villager or of the 村务监督委员会 in an opened village stands in its list."""
    await connection.execute("""
        INSERT INTO reader (village_code, organisation_path, person_id, grant_id, standing, household, how, who,
                            opened_at, confirmed_on)
        SELECT v.code, v.organisation_path, a.person_id, g.id,
               CASE g.role WHEN '村务监督委员会' THEN '监督委员会成员' ELSE coalesce(
                   ($1::text[])[row_number() OVER (PARTITION BY v.code, g.role ORDER BY g.id)
                                - (SELECT count(*) FROM role_grant x JOIN account y ON y.id = x.account_id
                                   WHERE x.organisation_id = v.organisation_id AND x.role = '村民'
                                   AND y.password_hash IS NOT NULL)], '村（居）民') END,
               p.name = $2, '演示', '演示数据', greatest(g.since, v.opened_at), greatest(g.since, v.opened_at)::date
        FROM village v JOIN role_grant g ON g.organisation_id = v.organisation_id AND g.until IS NULL
        JOIN account a ON a.id = g.account_id JOIN person p ON p.id = a.person_id
        WHERE v.state = '已开通' AND g.role IN ('村民', '村务监督委员会') ORDER BY v.code, g.id""",
        [str(one) for one in ALSO], BY_PHONE["13700000012"].name)
    its = await connection.fetchval("SELECT id FROM reader WHERE household ORDER BY id LIMIT 1")
    await connection.executemany("INSERT INTO household_member (reader_id, name, relation) VALUES ($1, $2, $3)",
                                 [(its, name, relation) for name, relation in HOUSEHOLD])


async def applications(connection: Connection, now: datetime) -> None:
    """One of a village that is not opened yet, one that waits for 前村 to verify it."""
    yuzhuang = await connection.fetchval("SELECT unit_code FROM organisation WHERE name = $1", YUZHUANG)
    newcomer = BY_PHONE["13700000017"]
    for place, (code, name, phone, household, days) in enumerate((
            (yuzhuang, newcomer.name, newcomer.phone, None, 9),
            (QIANCUN, "冯玉梅", "13900010090", [("冯大爷", "父亲")], 1))):
        number = invented(PLACES + 900 + place, name)
        made = (await numbers(connection, "reader_application", 1))[0]
        await connection.execute("""
            INSERT INTO reader_application (id, village_code, id_number, id_number_index, content, household, at)
            OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5, $6, $7)""",
            made, code, crypto.encrypt(number, table="reader_application", column="id_number", row_id=made),
            crypto.blind_index(number, ID_NUMBER),
            kept("reader_application", made, {"name": name, "phone": phone, "household": household}),
            household is not None, now - timedelta(days=days))


async def offices(connection: Connection) -> None:
    """财务 is the 经管站's to review, what is about relief the 民政办's."""
    asked = await items(connection)
    for name, category, words in OFFICES:
        its = [one.item for one in asked if one.category == category or any(word in one.name for word in words)]
        await connection.execute("""
            INSERT INTO office (committee_id, name, items, accounts)
            SELECT o.id, $1, $2, ARRAY(SELECT g.account_id FROM role_grant g WHERE g.organisation_id = o.id
                                       AND g.role IN ('党委管理员', '组织员') ORDER BY g.role DESC LIMIT 1)
            FROM organisation o WHERE o.name = '东疏镇党委'""", name, its)


async def checks(connection: Connection, now: datetime) -> None:
    """One that is being mended, one that was closed, one that found nothing."""
    for village, finding, days, steps in (
            ("370921102202", "公开栏上的是上个月的账，网上已经是这个月的", 2, ()),
            ("370921102203", "低保名单少贴了一页", 33, (("整改", "已经补贴，照片附后，以后两个人核对后再上墙", 4),
                                                ("销号", "看过了，一致", 6))),
            (QIANCUN, "公开栏和网上一致", 12, None)):
        state = "一致" if steps is None else "已销号" if steps else "整改中"
        at = now - timedelta(days=days)
        made = await connection.fetchrow("""
            INSERT INTO spot_check (village_code, organisation_id, organisation_path, state, finding, mend_by, by_id,
                                    person_id, who, at, closed_at)
            SELECT $1, 0, '', $2, $3, CASE WHEN $2 <> '一致' THEN ($4::timestamptz + interval '7 days')::date END, o.id,
                   p.id, p.name || ' · 党委管理员', $4, $5
            FROM organisation o, person p WHERE o.name = '东疏镇党委' AND p.name = $6
            RETURNING id, organisation_id, organisation_path, who, mend_by""",
            village, state, finding, at,
            None if state == "整改中" else at + timedelta(days=steps[-1][2] if steps else 0),
            BY_PHONE["13700000006"].name)
        for kind, text, after in (("抽查", finding, 0), *(steps or ())):
            await connection.execute("""INSERT INTO spot_check_step (check_id, kind, text, who, at)
                                        VALUES ($1, $2, $3, $4, $5)""", made["id"], kind, text,
                                     "村管理员" if kind == "整改" else made["who"], at + timedelta(days=after))
        if steps is not None:
            await clock(connection, made, finding, at, at + timedelta(days=steps[0][2]) if steps else None)


async def clock(connection: Connection, made: Record, finding: str, at: datetime, closed: datetime | None) -> None:
    """Until when it is to be mended, and when it was."""
    await connection.execute("""
        INSERT INTO deadline (rule, subject_kind, subject_id, organisation_id, organisation_path, title, href,
            starts_at, counted_from, days, unit, due_at, sort_at, provisional, reminders_for, state, closed_at)
        SELECT $1, 'spot_check', c.id, c.organisation_id, c.organisation_path,
               '整改 · ' || u.name || ' ' || left($2, 40), '/spot-checks/' || c.id, $3, $3, 8, 'notice', d.due, d.due,
               false, 0, CASE WHEN $4::timestamptz IS NULL THEN 'open' ELSE 'met' END, $4
        FROM spot_check c JOIN unit u ON u.code = c.village_code
        CROSS JOIN LATERAL (SELECT ((c.mend_by + 1)::timestamp AT TIME ZONE 'Asia/Shanghai') AS due) d
        WHERE c.id = $5""", MENDING.name, finding, at, closed, made["id"])
