"""The data that speed is measured on: one branch as a village has it, and a hundred halls of people who check in.

Written as the tables' owner in one transaction, the triggers that keep a year that is over from changing switched
off meanwhile. The audit trail is left out."""
from datetime import datetime, timedelta

import asyncpg
from asyncpg import Connection

from server.meetings import cards
from server.threads.cards import frozen
from server.threads.rules import KINDS
from server.threads.tables import OPEN_THREADS

HALLS, SEATS = 100, 400  # branches with a meeting that is on, and people on its list
MEMBERS = 23
MEETINGS = 60  # of the village's branch, one a week, the last of them tomorrow
ENTRIES = 200  # in its thread: a card for each meeting that was called, a card for each log, the rest is talk
GUARDED = ("meeting", "attendance", "meeting_log")

PLACES = """
INSERT INTO unit (code, parent_code, level, name, official_name, path) VALUES
    ('99', NULL, 'province', '某省', '某省', '99'), ('9901', '99', 'city', '某市', '某市', '99/9901'),
    ('990101', '9901', 'county', '某县', '某县', '99/9901/990101'),
    ('990101100', '990101', 'township', '某镇', '某镇', '99/9901/990101/990101100'),
    ('990101100201', '990101100', 'village', '某村', '某村村委会', '99/9901/990101/990101100/990101100201');
INSERT INTO organisation (unit_code, kind, name, official_name) VALUES ('99', '省委组织部', '省委组织部', '');
INSERT INTO organisation (parent_id, unit_code, kind, name, official_name)
    SELECT id, '9901', '市委组织部', '某市委组织部', '' FROM organisation WHERE kind = '省委组织部';
INSERT INTO organisation (parent_id, unit_code, kind, name, official_name)
    SELECT id, '990101', '县委组织部', '某县委组织部', '' FROM organisation WHERE kind = '市委组织部';
INSERT INTO organisation (parent_id, unit_code, kind, name, official_name)
    SELECT id, '990101100', '基层党委', '某镇党委', '' FROM organisation WHERE kind = '县委组织部';
"""
BRANCHES = f"""
INSERT INTO organisation (parent_id, unit_code, kind, name, official_name)
SELECT id, '990101100201', '党支部', CASE n WHEN 0 THEN '某村支部' ELSE '会场' || n || '支部' END, ''
FROM organisation, generate_series(0, {HALLS}) AS n WHERE kind = '基层党委' ORDER BY n"""

# Person n of branch b: 书记, 组织委员 and e支部管理员 come first. The token of a session is branch-person.
PEOPLE = f"""
CREATE TEMPORARY TABLE who ON COMMIT DROP AS
SELECT b.n AS branch, p AS number, b.id AS branch_id, row_number() OVER (ORDER BY b.n, p) AS id,
       substr('赵钱孙李周吴郑王冯陈褚卫', (1 + (p + b.n) % 12)::int, 1) || substr('德秀建国桂永志海玉凤', 1 + p % 10, 1)
       || substr('山英军兰民强梅成', 1 + p / 7 % 8, 1) AS name
FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM organisation WHERE kind = '党支部') b
CROSS JOIN LATERAL generate_series(1, CASE b.n WHEN 0 THEN {MEMBERS} ELSE {SEATS} END) AS p"""
ACCOUNTS = """
INSERT INTO person (id, name, sort_key) OVERRIDING SYSTEM VALUE SELECT id, name, lpad(id::text, 6, '0') FROM who;
INSERT INTO member (person_id, branch_id, standing, since) SELECT id, branch_id, '正式党员', '2020-07-01' FROM who;
INSERT INTO seat (branch_id, person_id, office, rank, since)
SELECT branch_id, id, (ARRAY['书记', '组织委员', '宣传委员'])[number], number, '2024-01-01' FROM who WHERE number <= 3;
INSERT INTO account (id, person_id, password_hash) OVERRIDING SYSTEM VALUE SELECT id, id, '' FROM who;
INSERT INTO role_grant (id, account_id, role, organisation_id) OVERRIDING SYSTEM VALUE
SELECT id, id, coalesce((ARRAY['书记', '组织委员', 'e支部管理员'])[number], '正式党员'), branch_id FROM who;
INSERT INTO session (token_hash, account_id, grant_id, device, expires_at)
SELECT sha256(convert_to(branch || '-' || number, 'UTF8')), id, id, 'bench', now() + interval '1 day' FROM who;
"""
PAST = f"""
INSERT INTO meeting (branch_id, branch_path, origin, kinds, topic, place, begins_at, ends_at, lock_at, recorded_at,
                     created_by)
SELECT b.id, b.path, 'planned', ARRAY[CASE n % 4 WHEN 0 THEN '支部党员大会' WHEN 1 THEN '党课' ELSE '主题党日' END],
       '第' || n || '次：学条例、议村里的事', '村委会会议室', at, at + interval '90 minutes',
       working_deadline(at + interval '90 minutes', 7), CASE WHEN at < now() THEN at + interval '100 minutes' END, 1
FROM generate_series(1, {MEETINGS}) AS n
CROSS JOIN LATERAL (SELECT now() + interval '1 day' - (({MEETINGS} - n) * interval '7 days') AS at) t
CROSS JOIN (SELECT id, path FROM organisation WHERE name = '某村支部') b ORDER BY n"""
CAME = """
INSERT INTO attendance (meeting_id, person_id, name, place_in_list, reply, mark, how, marked_at, marked_by)
SELECT m.id, w.id, w.name, w.number, '参加', CASE WHEN w.number % 9 = 8 THEN '请假' ELSE '参加' END,
       CASE WHEN w.number % 2 = 0 THEN '扫码' ELSE '名单' END, m.begins_at, CASE WHEN w.number % 2 = 1 THEN w.id END
FROM meeting m JOIN who w ON w.branch_id = m.branch_id WHERE m.begins_at < now();
INSERT INTO attendance (meeting_id, person_id, name, place_in_list)
SELECT m.id, w.id, w.name, w.number FROM meeting m JOIN who w ON w.branch_id = m.branch_id WHERE m.begins_at >= now();
INSERT INTO meeting_log (meeting_id, chair, recorder, agenda, minutes, decisions, written_by, written_at)
SELECT m.id, '赵德山', '钱秀英', '一、学习条例；二、商量修路；三、缴纳党费',
       repeat('会上先学习了条例的有关章节，大家结合村里的实际谈了看法，又商量了村东头修路的事，听取了各组的意见。', 6),
       repeat('同意按方案修路，由支部分工负责，进展每月在会上通报。', 2), m.created_by, m.ends_at
FROM meeting m WHERE m.begins_at < now();
INSERT INTO log_check (meeting_id, log_version, verdict, reason, checked_by, who)
SELECT meeting_id, 1, '审核通过', '', written_by, '钱秀英 · 组织委员' FROM meeting_log;
"""
ON_NOW = """
INSERT INTO meeting (branch_id, branch_path, origin, kinds, topic, place, begins_at, ends_at, lock_at, created_by)
SELECT o.id, o.path, 'planned', ARRAY['支部党员大会'], '会场签到', '礼堂', now() - interval '5 minutes',
       now() + interval '6 hours', working_deadline(now() + interval '6 hours', 7), w.id
FROM organisation o JOIN who w ON w.branch_id = o.id AND w.number = 1 WHERE w.branch > 0 ORDER BY o.id;
INSERT INTO attendance (meeting_id, person_id, name, place_in_list)
SELECT m.id, w.id, w.name, w.number FROM meeting m JOIN who w ON w.branch_id = m.branch_id WHERE w.branch > 0;
"""
BARE = """
CREATE TABLE bench_bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, person_id bigint NOT NULL,
                         meeting_id bigint NOT NULL, mark text NOT NULL, at timestamptz NOT NULL);
GRANT SELECT, INSERT ON bench_bare TO ebranch_app;
"""


def token(branch: int, person: int) -> str:
    """Of the session of a branch's person: branch 0 is the village's, 1 … HALLS are the halls."""
    return f"{branch}-{person}"


async def grow(url: str) -> None:
    """Fills an empty database."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            for made in (PLACES, BRANCHES, PEOPLE, ACCOUNTS, BARE):
                await connection.execute(made)
            owned = [kind for kind in KINDS.values() if kind.owner != "person"]
            await connection.execute(OPEN_THREADS, [kind.name for kind in owned], [kind.owner for kind in owned], "")
            await guard(connection, "DISABLE")
            for held in (PAST, CAME, ON_NOW):
                await connection.execute(held)
            await guard(connection, "ENABLE")
            await fill_thread(connection)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


async def guard(connection: Connection, how: str) -> None:
    for table in GUARDED:
        await connection.execute(f"ALTER TABLE {table} {how} TRIGGER USER")


async def fill_thread(connection: Connection) -> None:
    """The village's thread: the cards of its meetings in the order of time, and between them what people said."""
    thread = await connection.fetchval("""
        SELECT t.id FROM thread t JOIN organisation o ON o.id = t.organisation_id
        WHERE t.kind = 'meetings' AND o.name = '某村支部'""")
    told: list[tuple[datetime, int | None, str, str | None, int | None, dict | None]] = []
    for held in await connection.fetch("SELECT * FROM meeting WHERE topic LIKE '第%' ORDER BY begins_at"):
        meeting = dict(held)
        called = meeting["begins_at"] - timedelta(days=2)
        told.append((called, 3, meeting["topic"], cards.INVITATION, meeting["id"], cards.invitation(meeting, MEMBERS)))
        if meeting["recorded_at"]:
            counted = {"expected": MEMBERS, "present": MEMBERS - 2, "excused": 2}
            card = cards.log_card(meeting, counted, "同意按方案修路，由支部分工负责，进展每月在会上通报。")
            line = f"{meeting['topic']}的记录已审核，请查看"
            told.append((meeting["ends_at"], 2, line, cards.LOG, meeting["id"], card))
    newest = told[-(ENTRIES - len(told)):]  # one word follows each of these cards
    told += [(at + timedelta(hours=1), 4 + number % 20, "收到，周日晚上准时到，我把讨论稿也带上。", None, None, None)
             for number, (at, *_) in enumerate(newest)]
    told.sort(key=lambda one: one[0])
    await connection.executemany("""
        INSERT INTO entry (thread_id, at, person_id, who, text, card_kind, subject_id, card, html)
        SELECT $1, $2, $3, p.name || ' · 正式党员', $4, $5, $6, $7, $8 FROM person p WHERE p.id = $3""",
        [(thread, at, by, text, kind, subject, *(frozen(card) if card else (None, None)))
         for at, by, text, kind, subject, card in told])
