"""A province of villages as supervision and readers meet it: 62,074 of them, one county with 600 that publish.

Set-based, as the tables' owner, the triggers that date and guard things switched off meanwhile."""
import asyncpg

PROVINCE, COUNTY = "99", "990101"
VILLAGES, PUBLISHING = 62_074, 600  # of the province; of the county
TOWNSHIPS = 1_800  # among which the others are spread
MONTHS = 36
READERS = 50  # villages with a reader whose session is known
FEW, MANY = 5_000, 500_000  # published matters
GUARDED = ("village", "role_grant", "matter", "edition", "duty", "catalogue", "catalogue_item")

UNITS = f"""
CREATE TABLE bench_village AS
SELECT n, CASE WHEN n <= {PUBLISHING} THEN '{COUNTY}' || lpad((101 + n % 12)::text, 3, '0')
               ELSE '99' || lpad((2 + t % 15)::text, 2, '0') || lpad((1 + t / 15 % 10)::text, 2, '0')
                    || lpad((101 + t / 150)::text, 3, '0') END AS township, n AS number
FROM (SELECT n, n % {TOWNSHIPS} AS t FROM generate_series(1, {VILLAGES}) AS n) s;
ALTER TABLE bench_village ADD code text;
UPDATE bench_village v SET code = v.township || lpad((200 + r)::text, 3, '0')
FROM (SELECT n, row_number() OVER (PARTITION BY township ORDER BY n) AS r FROM bench_village) o WHERE o.n = v.n;
INSERT INTO unit (code, parent_code, level, name, official_name, path)
SELECT code, left(code, length(code) - CASE WHEN length(code) < 9 THEN 2 ELSE 3 END),
       CASE length(code) WHEN 4 THEN 'city' WHEN 6 THEN 'county' WHEN 9 THEN 'township' ELSE 'village' END,
       '单位' || code, '单位' || code,
       concat_ws('/', '99', left(code, 4), CASE WHEN length(code) >= 6 THEN left(code, 6) END,
                 CASE WHEN length(code) >= 9 THEN left(code, 9) END, CASE WHEN length(code) = 12 THEN code END)
FROM (SELECT DISTINCT left(code, l) AS code FROM bench_village, unnest(ARRAY[4, 6, 9, 12]) AS l) u
ORDER BY length(code), code ON CONFLICT DO NOTHING;
"""
BRANCHES = """
INSERT INTO organisation (parent_id, unit_code, kind, name, official_name)
SELECT p.id, u.code, '县委组织部', u.name, '' FROM unit u, organisation p
WHERE u.level = 'county' AND p.kind = '市委组织部'
  AND NOT EXISTS (SELECT FROM organisation WHERE unit_code = u.code) ORDER BY u.code;
INSERT INTO organisation (parent_id, unit_code, kind, name, official_name)
SELECT p.id, u.code, '基层党委', u.name, '' FROM unit u JOIN organisation p ON p.unit_code = u.parent_code
WHERE u.level = 'township' AND p.kind = '县委组织部'
  AND NOT EXISTS (SELECT FROM organisation WHERE unit_code = u.code) ORDER BY u.code;
INSERT INTO organisation (parent_id, unit_code, kind, name, official_name)
SELECT p.id, v.code, '党支部', '支部' || v.code, '' FROM bench_village v
JOIN organisation p ON p.unit_code = v.township AND p.kind = '基层党委' ORDER BY v.n;
"""
OPENED = f"""
INSERT INTO village (code, path, community, state, organisation_id, organisation_path, opened_at)
SELECT v.code, u.path, false, '已开通', o.id, o.path, now() - interval '3 years'
FROM bench_village v JOIN unit u ON u.code = v.code JOIN organisation o ON o.unit_code = v.code AND o.kind = '党支部';
INSERT INTO village_month (village_code, month, met, late, overdue, ledger_overdue, review_met, review_late, answer_met)
SELECT code, (date_trunc('month', now()) - m * interval '1 month')::date, 4 + n % 5, n % 3,
       CASE WHEN m < 2 AND n % 7 = 0 THEN 1 ELSE 0 END, 0, 4, n % 2, n % 4
FROM bench_village, generate_series(0, {MONTHS - 1}) AS m;
INSERT INTO township_month (township_code, month, met, late, overdue, review_met, review_late, answer_met)
SELECT left(village_code, 9), month, sum(met), sum(late), sum(overdue), sum(review_met), sum(review_late),
       sum(answer_met) FROM village_month GROUP BY 1, month;
"""
READING = f"""
CREATE TEMPORARY TABLE bench_reader ON COMMIT DROP AS
SELECT v.n, v.code, o.id AS organisation_id, 900000 + v.n AS id FROM bench_village v
JOIN organisation o ON o.unit_code = v.code AND o.kind = '党支部'
WHERE v.n <= {PUBLISHING} AND v.n % {PUBLISHING // READERS} = 0;
INSERT INTO person (id, name, sort_key) OVERRIDING SYSTEM VALUE
SELECT id, '村民' || n, lpad(id::text, 6, '0') FROM bench_reader;
INSERT INTO account (id, person_id, password_hash) OVERRIDING SYSTEM VALUE SELECT id, id, '' FROM bench_reader;
INSERT INTO role_grant (id, account_id, role, organisation_id) OVERRIDING SYSTEM VALUE
SELECT id, id, '村民', organisation_id FROM bench_reader;
INSERT INTO session (token_hash, account_id, grant_id, device, expires_at)
SELECT sha256(convert_to('village-' || n, 'UTF8')), id, id, 'bench', now() + interval '1 day' FROM bench_reader;
INSERT INTO person (id, name, sort_key) OVERRIDING SYSTEM VALUE VALUES (999991, '县', 'x'), (999992, '省', 'x');
INSERT INTO account (id, person_id, password_hash) OVERRIDING SYSTEM VALUE
VALUES (999991, 999991, ''), (999992, 999992, '');
INSERT INTO role_grant (id, account_id, role, organisation_id) OVERRIDING SYSTEM VALUE
SELECT 999991, 999991, '县级管理员', id FROM organisation WHERE kind = '县委组织部' AND unit_code = '{COUNTY}'
UNION ALL SELECT 999992, 999992, '省级管理员', id FROM organisation WHERE kind = '省委组织部';
INSERT INTO session (token_hash, account_id, grant_id, device, expires_at)
SELECT sha256(convert_to(t, 'UTF8')), id, id, 'bench', now() + interval '1 day'
FROM (VALUES ('county', 999991), ('province', 999992)) AS s (t, id);
INSERT INTO catalogue (county_code, number, published_at, who) VALUES ('{COUNTY}', 1, now() - interval '3 years', '县');
INSERT INTO catalogue_item (catalogue_id, rank, category, name, form, frequency, audience)
SELECT id, 1, '村务', '公益事业', '文字', '随时', '村（居）民' FROM catalogue;
"""
# $1, $2: the first and the last number of the matters; dealt out among the county's villages, one each 40 minutes.
MATTERS = (
    f"""
CREATE TEMPORARY TABLE bench_matter ON COMMIT DROP AS
SELECT m.n AS id, v.code, o.id AS organisation_id, o.path AS organisation_path, i.id AS item_id, i.item,
       now() - ({MANY} - m.n) * interval '90 seconds' AS at
FROM generate_series($1::int, $2::int) AS m (n) JOIN bench_village v ON v.n = 1 + m.n % {PUBLISHING}
JOIN organisation o ON o.unit_code = v.code AND o.kind = '党支部' JOIN catalogue_item i ON i.frequency = '随时'""",
    """INSERT INTO duty (id, village_code, organisation_path, item, item_id, period, first, last, state, settled_at)
OVERRIDING SYSTEM VALUE
SELECT id, code, organisation_path, item, item_id, 'matter-' || id, at::date, at::date, '已公开', at
FROM bench_matter""",
    """INSERT INTO matter (id, village_code, organisation_id, organisation_path, duty_id, category, form, audience,
                    title, created_by)
OVERRIDING SYSTEM VALUE SELECT id, code, organisation_id, organisation_path, id, '村务', '文字', '村（居）民',
    '第 ' || id || ' 件：村西道路硬化', 1 FROM bench_matter""",
    """INSERT INTO edition (id, matter_id, number, state, item_id, title, text, html, authors, saved_who, published_at,
                     fingerprint)
OVERRIDING SYSTEM VALUE
SELECT id, id, 1, '已公开', item_id, '第 ' || id || ' 件：村西道路硬化', $1, $2, '{1}',
    '村管理员', at, 'AAAA-BBBB-CCCC' FROM bench_matter""",
    "INSERT INTO rendering (edition_id, html) SELECT id, $1 FROM bench_matter",
    "UPDATE matter m SET edition_id = m.id, published_at = b.at FROM bench_matter b WHERE b.id = m.id",
)


async def grow_villages(url: str) -> None:
    """Fills a grown database with the province, its figures, the county's readers and the first FEW matters."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute(UNITS)
            await connection.execute(BRANCHES)
            await guard(connection, "DISABLE")
            await connection.execute(OPENED)
            await connection.execute(READING)
            await guard(connection, "ENABLE")
            await connection.execute("GRANT SELECT ON bench_village TO ebranch_app")
        await more_matters(connection, 1, FEW)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


async def grow_matters(url: str) -> None:
    """The matters from FEW up to MANY."""
    connection = await asyncpg.connect(url)
    try:
        await more_matters(connection, FEW + 1, MANY)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


async def more_matters(connection: asyncpg.Connection, first: int, last: int) -> None:
    """Published matters of these numbers, each with its duty, edition and rendering."""
    text = "经村民代表会议决定，硬化村西道路 600 米，由顺达工程队承包，合同价 86,400 元，工期 25 天，质保一年。" * 4
    html = f"<article class='prose'><p>{text}</p></article>"
    values: dict[int, tuple[object, ...]] = {0: (first, last), 3: (text, html), 4: (html,)}
    async with connection.transaction():
        await guard(connection, "DISABLE")
        for place, sql in enumerate(MATTERS):
            await connection.execute(sql, *values.get(place, ()), timeout=600)
        await guard(connection, "ENABLE")


async def guard(connection: asyncpg.Connection, how: str) -> None:
    for table in GUARDED:
        await connection.execute(f"ALTER TABLE {table} {how} TRIGGER USER")
