"""The demonstration's evidence: who signed in, planned, wrote, checked, explained and changed what, and who opened a
number, as the rows of the other parts say it happened."""
from datetime import datetime

from asyncpg import Connection

from server.permissions import OFFICERS

# What was done, by which person, at which organisation, to what. $1: until when.
DONE = """
SELECT m.begins_at - interval '3 days' AS at, m.branch_id AS organisation, m.created_by AS person,
       'plan_meeting' AS verb, 'meeting' AS kind, m.id AS subject, NULL::jsonb AS before,
       jsonb_build_object('topic', m.topic, 'place', m.place, 'begins_at', m.begins_at) AS after, NULL AS why
FROM meeting m WHERE m.origin = 'planned'
UNION ALL
SELECT l.written_at, m.branch_id, l.written_by, 'write_log', 'meeting', m.id, NULL,
       jsonb_build_object('version', l.version), NULL
FROM meeting_log l JOIN meeting m ON m.id = l.meeting_id WHERE l.version > 0
UNION ALL
SELECT c.checked_at, m.branch_id, c.checked_by, 'check_log', 'meeting', m.id, NULL,
       jsonb_build_object('version', c.log_version, 'passed', c.verdict = '审核通过'), nullif(c.reason, '')
FROM log_check c JOIN meeting m ON m.id = c.meeting_id
UNION ALL
SELECT d.explained_at, m.branch_id, d.explained_by, 'explain', 'meeting', m.id, NULL, NULL, d.explanation
FROM amendment d JOIN meeting m ON m.id = d.meeting_id
UNION ALL
SELECT v.at, g.organisation_id, a.person_id, 'amend_log', 'meeting', v.subject_id,
       d.before, d.after, v.why
FROM version v JOIN role_grant g ON g.id = v.grant_id JOIN account a ON a.id = v.account_id
CROSS JOIN LATERAL (SELECT jsonb_object_agg(key, value->0) AS before, jsonb_object_agg(key, value->1) AS after
                    FROM jsonb_each(v.difference) WHERE key IN ('topic', 'place', 'begins_at', 'ends_at')) d
UNION ALL
SELECT date_trunc('day', $1 AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai' - n * interval '1 day'
       + interval '8 hours' + make_interval(secs => 60 * (g.id % 50) + n * 7), g.organisation_id, a.person_id,
       'sign_in', 'account', a.id, NULL, NULL, NULL
FROM role_grant g JOIN account a ON a.id = g.account_id CROSS JOIN generate_series(0, 9) AS n
WHERE g.until IS NULL AND g.role = ANY($2) AND (g.id + n) % 3 = 0
UNION ALL
SELECT $1 - interval '2 days 1 hour', g.organisation_id, a.person_id, 'open_id_number', 'person', (
           SELECT person_id FROM member WHERE branch_id = g.organisation_id AND left_on IS NULL
           ORDER BY person_id DESC LIMIT 1), NULL, NULL, '核对转接介绍信上的信息'
FROM role_grant g JOIN account a ON a.id = g.account_id JOIN organisation o ON o.id = g.organisation_id
WHERE g.role = '书记' AND o.name = '后村支部'"""
RECORD = f"""
INSERT INTO audit_event (at, chain, account_id, person_name, role, organisation_id, verb, subject_kind, subject_id,
                         before, after, why, source)
SELECT d.at, coalesce('committee-' || o.committee_id, 'platform'), a.id, p.name, g.role, o.id, d.verb, d.kind,
       d.subject, d.before, d.after, d.why, '10.21.' || o.id % 200 || '.' || 10 + a.id % 200
FROM ({DONE}) d
JOIN organisation o ON o.id = d.organisation JOIN person p ON p.id = d.person JOIN account a ON a.person_id = p.id
CROSS JOIN LATERAL (SELECT role FROM role_grant WHERE account_id = a.id AND organisation_id = o.id
                    ORDER BY role = ANY($2) DESC, id LIMIT 1) g
WHERE d.at <= $1 AND d.subject IS NOT NULL ORDER BY d.at"""


async def load(connection: Connection, now: datetime) -> None:
    """Writes the evidence of what the demonstration's people have done until now."""
    await connection.execute(RECORD, now, list(map(str, OFFICERS)))
