"""One village of the grown province at work: its keeper, its township, five hundred phones, a month's books to hand in,
matters that wait for review. Set-based, as the tables' owner, like the rest of the grown data."""
import asyncpg

from tests.bench.stack import Stack
from tests.bench.villages import COUNTY, PUBLISHING, grow_villages, guard

TOWNSHIP_VILLAGES = 50  # of the village's township, itself among them
LISTENERS, WAITING = 500, 6  # phones; matters
KEEPER, TOWNSHIP = "keeper", "township"  # tokens of sessions
MATTERS_FROM = 30_000_000  # numbers nothing else has

PEOPLE = f"""
CREATE TEMPORARY TABLE bench_worker ON COMMIT DROP AS
SELECT {MATTERS_FROM} + k AS id, '听众' || k AS name, 'listener-' || k AS token, '村民' AS role, '党支部' AS kind, code
FROM generate_series(1, {LISTENERS}) AS k, bench_village WHERE n = {PUBLISHING}
UNION ALL SELECT {MATTERS_FROM} + 1001, '管理员', '{KEEPER}', '村（社区）管理员', '党支部', code
FROM bench_village WHERE n = {PUBLISHING}
UNION ALL SELECT {MATTERS_FROM} + 1002, '镇管理员', '{TOWNSHIP}', '党委管理员', '基层党委', township
FROM bench_village WHERE n = {PUBLISHING};
INSERT INTO person (id, name, sort_key) OVERRIDING SYSTEM VALUE SELECT id, name, 'x' || id FROM bench_worker;
INSERT INTO account (id, person_id, password_hash) OVERRIDING SYSTEM VALUE SELECT id, id, '' FROM bench_worker;
INSERT INTO role_grant (id, account_id, role, organisation_id) OVERRIDING SYSTEM VALUE
SELECT w.id, w.id, w.role, o.id FROM bench_worker w JOIN organisation o ON o.unit_code = w.code AND o.kind = w.kind;
INSERT INTO session (token_hash, account_id, grant_id, device, expires_at)
SELECT sha256(convert_to(token, 'UTF8')), id, id, 'bench', now() + interval '1 day' FROM bench_worker;
"""
WORK = f"""
INSERT INTO catalogue_item (catalogue_id, rank, category, name, form, frequency, audience)
SELECT id, 2, '财务', '收支明细', '账目', '每月', '村（居）民' FROM catalogue WHERE county_code = '{COUNTY}';
INSERT INTO duty (id, village_code, organisation_path, item, item_id, period, first, last)
OVERRIDING SYSTEM VALUE
SELECT {MATTERS_FROM} + 2000 + v.n, v.code, o.path, i.item, i.id, to_char(m.first, 'YYYY-MM'), m.first,
       (m.first + interval '1 month - 1 day')::date
FROM bench_village v JOIN organisation o ON o.unit_code = v.code AND o.kind = '党支部'
JOIN catalogue_item i ON i.form = '账目'
CROSS JOIN (SELECT (date_trunc('month', now()) - interval '1 month')::date AS first) m
WHERE v.township = (SELECT township FROM bench_village WHERE n = {PUBLISHING});
INSERT INTO duty (id, village_code, organisation_path, item, item_id, period, first, last)
OVERRIDING SYSTEM VALUE
SELECT {MATTERS_FROM} + k, v.code, o.path, i.item, i.id, 'matter-' || ({MATTERS_FROM} + k), now()::date, now()::date
FROM generate_series(1, {WAITING}) AS k, bench_village v
JOIN organisation o ON o.unit_code = v.code AND o.kind = '党支部' JOIN catalogue_item i ON i.frequency = '随时'
WHERE v.n = {PUBLISHING};
INSERT INTO matter (id, village_code, organisation_id, organisation_path, duty_id, category, form, audience, title,
                    created_by)
OVERRIDING SYSTEM VALUE
SELECT d.id, d.village_code, o.id, o.path, d.id, '村务', '文字', '村（居）民', '待公开 ' || d.id, 1
FROM duty d JOIN organisation o ON o.unit_code = d.village_code AND o.kind = '党支部'
WHERE d.id BETWEEN {MATTERS_FROM} AND {MATTERS_FROM + WAITING};
INSERT INTO edition (id, matter_id, number, state, item_id, title, text, html, authors, saved_who, submitted_who,
                     submitted_at)
OVERRIDING SYSTEM VALUE
SELECT m.id, m.id, 1, '待审核', d.item_id, m.title, '硬化村西道路 600 米。', '<p>硬化村西道路 600 米。</p>', '{{1}}',
       '管理员', '管理员', now() FROM matter m JOIN duty d ON d.id = m.duty_id
WHERE m.id BETWEEN {MATTERS_FROM} AND {MATTERS_FROM + WAITING};
"""
GROWN = ("person", "account", "role_grant", "duty", "matter", "edition")


async def at_work(stack: Stack) -> None:
    """Fills a grown database with the village's work, once."""
    connection = await asyncpg.connect(stack.url("ebranch_owner"))
    try:
        if await connection.fetchval("SELECT to_regclass('bench_village')") is None:
            await grow_villages(stack.url("ebranch_owner"))
        if await connection.fetchval("SELECT true FROM person WHERE id = $1", MATTERS_FROM + 1):
            return
        async with connection.transaction():
            await guard(connection, "DISABLE")
            await connection.execute(PEOPLE)
            await connection.execute(WORK)
            await guard(connection, "ENABLE")
            for table in GROWN:
                await connection.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'),"
                                         f" (SELECT max(id) FROM {table}))")
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
