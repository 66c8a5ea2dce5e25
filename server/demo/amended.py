"""Locked logs that turned out to be wrong: two that the committee changed on the branch's explanation, and one whose
explanation still waits (M2§6)."""
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from asyncpg import Connection

from server.core.crypto import blind_index
from server.core.versions import difference, spelled
from server.demo.people import BY_PHONE
from server.demo.records import Said
from server.demo.residents import HOUCUN, QIANCUN
from server.demo.year import Held, Listed
from server.meetings import cards
from server.meetings.amendments import REPORT, rows_of
from server.meetings.rules import Mark
from server.people.tables import PHONE
from server.permissions import Role

COMMITTEE_ADMIN = "13700000006"
AMENDED = (QIANCUN, "王楼集支部")
LOCKED_SINCE = timedelta(days=14)  # after the meeting a log is surely locked, holidays aside
OLD = timedelta(days=40)
WAITING = "会议记录漏了一条：有党员提出修村东头的路灯，当场定了由支委会去办。原始记录已交镇里，请党委补上。"


@dataclass(frozen=True)
class Committee:
    """Who changes the logs, as the database asks: the account with its grant."""

    id: int
    account_id: int
    grant_id: int
    person: Listed

    @property
    def signature(self) -> str:
        return f"{self.person.name} · {Role.COMMITTEE_ADMIN}"


async def load(connection: Connection, numbered: list[tuple[int, Held]], entries: list[Said],
               now: datetime) -> list[Said]:
    """Writes the explanations and the versions; returns the entries with their cards, older log cards superseded."""
    committee = await the_committee(connection)
    for name in AMENDED:
        meeting_id, held = latest(numbered, name, now - OLD)
        entries = await amend(connection, committee, meeting_id, held, entries)
    meeting_id, held = latest(numbered, HOUCUN, now - OLD)
    explained_at = now - timedelta(hours=20)
    await explain(connection, meeting_id, held.branch.secretary, WAITING, explained_at)
    report = await connection.fetchval("SELECT id FROM amendment WHERE meeting_id = $1", meeting_id)
    return [*entries, report_card(committee, report, held, held.branch.secretary, WAITING, explained_at)]


async def the_committee(connection: Connection) -> Committee:
    found = await connection.fetchrow("""
        SELECT g.organisation_id, a.id AS account_id, g.id AS grant_id, a.person_id
        FROM account a JOIN role_grant g ON g.account_id = a.id JOIN person p ON p.id = a.person_id
        WHERE p.phone_index = $1""", blind_index(COMMITTEE_ADMIN, PHONE))
    person = Listed(found["person_id"], BY_PHONE[COMMITTEE_ADMIN].name, "", None, None, 0)
    return Committee(found["organisation_id"], found["account_id"], found["grant_id"], person)


def latest(numbered: list[tuple[int, Held]], branch: str, before: datetime) -> tuple[int, Held]:
    """The branch's last gathering of all its members before a moment that is checked, and where somebody was
    excused."""
    return max(((id_, held) for id_, held in numbered
                if held.branch.name == branch and held.ends < before and held.checked_at
                and len(held.expected) == len(held.branch.members)
                and excused(held)), key=lambda one: one[1].ends)


def excused(held: Held) -> list[Listed]:
    """Who was noted as excused, the committee aside."""
    return [member for member in held.expected
            if held.marks[member.person_id][0] is Mark.EXCUSED and not member.office]


async def explain(connection: Connection, meeting_id: int, by: Listed, text: str, at: datetime,
                  answer: str | None = None, closed_at: datetime | None = None) -> int:
    """更改说明, open or closed; returns its id."""
    await connection.execute("ALTER TABLE amendment DISABLE TRIGGER USER")  # it would date and open them now
    made = await connection.fetchval("""
        INSERT INTO amendment (meeting_id, explanation, state, explained_by, who, explained_at, answer, closed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id""", meeting_id, text, "已更改" if closed_at else "待处理",
        by.person_id, by.signature, at, answer or "", closed_at)
    await connection.execute("ALTER TABLE amendment ENABLE TRIGGER USER")
    return made


async def amend(connection: Connection, committee: Committee, meeting_id: int, held: Held,
                entries: list[Said]) -> list[Said]:
    """One who had come was noted as excused: the branch explains, the committee appends the corrected version."""
    wrong = excused(held)[0]
    explanation = f"{wrong.name}同志当天到会，晚来几分钟没有扫码，名单上误记为请假。有签到纸和照片，请党委更改。"
    why = f"核对了签到纸，{wrong.name}同志确实到会，予以更改。"
    explained_at, closed_at = held.ends + LOCKED_SINCE, held.ends + LOCKED_SINCE + timedelta(hours=26)
    explanation_id = await explain(
        connection, meeting_id, held.branch.keeper, explanation, explained_at, why, closed_at)
    before = content(held)
    after = before | {"attendance": [[person, name, str(Mark.PRESENT) if person == wrong.person_id else mark]
                                     for person, name, mark in before["attendance"]]}
    changed = difference(before, after)
    await connection.execute("ALTER TABLE version DISABLE TRIGGER USER")
    await connection.execute("""
        INSERT INTO version (subject_kind, subject_id, number, content, difference, explanation_id, why, account_id,
                             grant_id, who, at)
        VALUES ('meeting_log', $1, 1, $2, $3, $4, $5, $6, $7, $8, $9)""", meeting_id, spelled(after), spelled(changed),
        explanation_id, why, committee.account_id, committee.grant_id, committee.signature, closed_at)
    await connection.execute("ALTER TABLE version ENABLE TRIGGER USER")
    told = cards.amended(held.topic, committee.signature, why, [one["label"] for one in rows_of(changed)])
    report = report_card(committee, explanation_id, held, held.branch.keeper, explanation, explained_at)
    return [
        *(replace(entry, superseded_at=closed_at) if (entry.card_kind, entry.subject_id) == (cards.LOG, meeting_id)
          else entry for entry in entries),
        replace(report, superseded_at=closed_at),
        Said(("meetings", held.branch.id), closed_at, committee.person, f"{held.topic}的日志已由东疏镇党委更改",
             cards.LOG, meeting_id, told, signed=committee.signature),
    ]


def content(held: Held) -> dict:
    """The log as the branch recorded it, in the form its versions have (meetings.amendments.log_content)."""
    return json.loads(spelled({
        "kinds": [str(kind) for kind in held.kinds], "topic": held.topic,
        "begins_at": held.begins.astimezone(UTC).isoformat(), "ends_at": held.ends.astimezone(UTC).isoformat(),
        "place": held.place, **held.log,
        "attendance": [[member.person_id, member.name, str(held.marks[member.person_id][0])]
                       for member in held.expected],
    }))


def report_card(committee: Committee, explanation_id: int, held: Held, by: Listed, text: str, at: datetime) -> Said:
    """The card of an explanation in the committee's thread."""
    return Said(("reports", committee.id), at, by, f"{held.branch.name}：{held.topic}", REPORT, explanation_id,
                cards.report(held.branch.name, held.topic, held.begins, by.signature, text, at))
