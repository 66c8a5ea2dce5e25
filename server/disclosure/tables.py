"""Matters, their editions, and what stands around them; the pages everybody opens are fixed SQL."""
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from asyncpg import Record
from piccolo.columns import JSONB, Array, BigInt, BigSerial, Boolean, Date, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.combination import WhereRaw
from piccolo.table import Table

from server.catalogues.rules import Audience
from server.core.actor import Actor
from server.core.database import row, rows, the_row
from server.disclosure.rules import PAGE, State, WithdrawalState
from server.permissions import Can, Role


class Matter(Table):
    id = BigSerial(primary_key=True)
    village_code = Text()
    organisation_id = BigInt()
    organisation_path = Text()
    duty_id = BigInt()
    category = Text()
    form = Text()
    audience = Text()
    title = Text(default="")
    edition_id = BigInt(null=True, default=None)
    published_at = Timestamptz(null=True, default=None)
    withdrawn_at = Timestamptz(null=True, default=None)
    withdrawn_why = Text(null=True, default=None)
    created_by = BigInt()
    created_at = Timestamptz()

    @classmethod
    def visible_to(cls, actor: Actor) -> WhereRaw:
        """The village's to those who keep or sign it, also what is on its way; what is published to its readers, what
        is for members to members alone; to who oversees it what was ever handed on."""
        if actor.may(Can.DISCLOSURE_OVERSEE):
            return WhereRaw("organisation_path LIKE {} AND EXISTS (SELECT FROM edition e WHERE e.matter_id = matter.id"
                            " AND (e.submitted_at IS NOT NULL OR e.delivered))", f"{actor.organisation_path}%")
        if works_on(actor):
            return WhereRaw("village_code = {} AND audience = ANY({})", actor.unit_code, audiences(actor))
        return WhereRaw("village_code = {} AND published_at IS NOT NULL AND audience = ANY({})", actor.unit_code,
                        audiences(actor))


class Edition(Table):
    id = BigSerial(primary_key=True)
    matter_id = ForeignKey(Matter, null=False, on_delete=OnDelete.restrict)
    number = Integer()
    state = Text(choices=State)
    item_id = BigInt()
    version = Integer(default=1)
    title = Text(default="")
    text = Text(default="")
    html = Text(default="")
    lines = JSONB(default="[]")
    until = Date(null=True, default=None)
    phone = Text(default="")
    publish_at = Timestamptz(null=True, default=None)
    why = Text(default="")
    delivered = Boolean(default=False)
    delivered_version = Integer(null=True, default=None)
    authors = Array(base_column=BigInt())
    saved_who = Text()
    saved_at = Timestamptz()
    submitted_who = Text(null=True, default=None)
    submitted_at = Timestamptz(null=True, default=None)
    published_at = Timestamptz(null=True, default=None)
    fingerprint = Text(null=True, default=None)


class Withdrawal(Table):
    id = BigSerial(primary_key=True)
    matter_id = ForeignKey(Matter, null=False, on_delete=OnDelete.restrict)
    state = Text(choices=WithdrawalState)
    reason = Text()
    person_id = BigInt()
    who = Text()
    at = Timestamptz()
    answer = Text(default="")
    answer_who = Text(null=True, default=None)
    answer_at = Timestamptz(null=True, default=None)


def works_on(actor: Actor) -> bool:
    """Whether the actor keeps or signs what the village publishes, and so sees it on its way."""
    return actor.may(Can.DISCLOSURE_KEEP) or actor.may(Can.DISCLOSURE_SIGN)


def is_member(actor: Actor) -> bool:
    """Whether what is for members only is for this actor."""
    return actor.role not in (Role.VILLAGER, Role.SUPERVISOR)


def audiences(actor: Actor) -> list[str]:
    """For whom published matters may be, so that this actor reads them."""
    return [str(one) for one in Audience if one is not Audience.MEMBERS or is_member(actor)]


SHOWN = """m.*, d.period, d.first, d.last, d.item, d.state AS duty_state, v.community, u.name AS village,
    e.id AS current_id, e.number, e.published_at AS edition_at, e.fingerprint, e.why, e.until, r.html AS page,
    EXISTS (SELECT FROM edition WHERE matter_id = m.id AND state NOT IN ('已公开', '已作废')) AS under_way"""
AROUND = """JOIN duty d ON d.id = m.duty_id JOIN village v ON v.code = m.village_code
JOIN unit u ON u.code = m.village_code
LEFT JOIN edition e ON e.id = m.edition_id LEFT JOIN rendering r ON r.edition_id = m.edition_id"""
MATTER = f"SELECT {SHOWN} FROM matter m {AROUND} WHERE m.id = $1 AND {{scope}}"
READS = "m.village_code = $2 AND m.published_at IS NOT NULL AND m.audience = ANY($3)"  # what visible_to says
KEEPS = "m.village_code = $2 AND m.audience = ANY($3)"
OVERSEES = """m.organisation_path LIKE $2 || '%' AND EXISTS (
    SELECT FROM edition x WHERE x.matter_id = m.id AND (x.submitted_at IS NOT NULL OR x.delivered))"""


async def matter_seen_by(actor: Actor, matter_id: int) -> Record | None:
    """A matter the actor may see, with its period, its village, and its published edition as every reader sees it."""
    if actor.may(Can.DISCLOSURE_OVERSEE):
        return await row(MATTER.format(scope=OVERSEES), matter_id, actor.organisation_path)
    if works_on(actor):
        return await row(MATTER.format(scope=KEEPS), matter_id, actor.unit_code, audiences(actor))
    return await row(MATTER.format(scope=READS), matter_id, actor.unit_code, audiences(actor))


async def matter_by_id(matter_id: int) -> Record:
    """A matter whoever asks, with its period and its village. LookupError when there is none."""
    return await the_row(MATTER.format(scope="true"), matter_id)


async def open_edition(matter_id: int) -> Record | None:
    """The edition of a matter that is on its way: a draft, or what waits for signatures, review or its day."""
    return await row("""SELECT * FROM edition WHERE matter_id = $1 AND state NOT IN ('已公开', '已作废')
                        ORDER BY number DESC LIMIT 1""", matter_id)


async def editions(matter_id: int) -> list[Record]:
    """The published editions of a matter, the newest first."""
    return await rows("""SELECT e.*, r.html AS page, i.audience
                         FROM edition e JOIN rendering r ON r.edition_id = e.id
                         JOIN catalogue_item i ON i.id = e.item_id
                         WHERE e.matter_id = $1 AND e.state = '已公开' ORDER BY e.number DESC""", matter_id)


async def files_of(edition_id: int) -> list[Record]:
    """The files of an edition, each place's in its order."""
    return await rows("""
        SELECT f.id, f.name, f.kind, f.size, f.width, f.height, f.blurred, f.sha256_received, f.sha256_stored, l.place
        FROM edition_file l JOIN file f ON f.id = l.file_id WHERE l.edition_id = $1 ORDER BY l.place, l.rank, f.id""",
                      edition_id)


async def signatures(edition_id: int, version: int) -> list[Record]:
    """What was signed of one version of an edition."""
    return await rows("""SELECT seat, verdict, reason, who, at, edition_version, account_id FROM signature
                         WHERE edition_id = $1 AND edition_version = $2 ORDER BY id""", edition_id, version)


async def last_refusal(edition_id: int) -> Record | None:
    """Why somebody last would not sign."""
    return await row("""SELECT seat, reason, who, at, edition_version FROM signature
                        WHERE edition_id = $1 AND verdict = '不同意' ORDER BY id DESC LIMIT 1""", edition_id)


async def last_review(edition_id: int) -> Record | None:
    """The newest review of an edition: verdict, reasons as JSON by field, checked, who, at, edition_version."""
    return await row("""SELECT verdict, reasons::text, checked, who, at, edition_version FROM review
                        WHERE edition_id = $1 ORDER BY id DESC LIMIT 1""", edition_id)


async def published(village_code: str, wanted: Sequence[str], category: str | None,
                    before: tuple[datetime, int]) -> list[Record]:
    """A page of a village's published matters for these audiences, the newest first, and one more where there are
    more. category: only of this one."""
    return await rows(f"""
        SELECT id, title, category, form, published_at, withdrawn_at FROM matter
        WHERE village_code = $1 AND published_at IS NOT NULL AND (published_at, id) < ($4, $5)
          AND audience = ANY($2) AND ($3::text IS NULL OR category = $3)
        ORDER BY published_at DESC, id DESC LIMIT {PAGE + 1}""", village_code, list(wanted), category, *before)


async def last_period(matter: Any) -> Record | None:
    """The published edition of the same item and village in the period before, to be held beside."""
    return await row("""
        SELECT e.*, d.period, d.first, m.id AS matter, m.audience FROM duty d JOIN matter m ON m.duty_id = d.id
        JOIN edition e ON e.id = m.edition_id
        WHERE d.village_code = $1 AND d.item = $2 AND d.last < $3 AND m.withdrawn_at IS NULL
        ORDER BY d.last DESC LIMIT 1""",
                     matter["village_code"], matter["item"], matter["last"])


DUTY = """
SELECT d.id, d.village_code, d.organisation_path, d.item, d.item_id, d.period, d.first, d.last, d.state, d.settled_at,
       i.name, i.category, i.form, i.frequency, i.audience, i.rank, x.due_at, x.late_before,
       m.id AS matter_id, m.published_at, m.withdrawn_at, e.state AS edition_state
FROM duty d JOIN catalogue_item i ON i.id = d.item_id
LEFT JOIN LATERAL (SELECT * FROM matter WHERE duty_id = d.id
                       AND (withdrawn_at IS NULL OR d.state NOT IN ('应公开', '本期无'))
                   ORDER BY withdrawn_at NULLS FIRST, id DESC LIMIT 1) m ON true
LEFT JOIN edition e ON e.matter_id = m.id AND e.state NOT IN ('已公开', '已作废')
LEFT JOIN LATERAL (SELECT due_at, late_before FROM deadline
                   WHERE subject_kind = 'duty' AND subject_id = d.id AND state = 'open'
                   ORDER BY id DESC LIMIT 1) x ON true"""


async def duty_of(village_code: str, duty_id: int) -> Record | None:
    """One of a village's duties with its item, its clock, and the matter that answers it, if there is one."""
    return await row(f"{DUTY} WHERE d.id = $1 AND d.village_code = $2", duty_id, village_code)


async def keepers_of(branch_id: int) -> list[str]:
    """Who keeps a village's matters, by name."""
    return [f"{one['name']}（{Role.VILLAGE_ADMIN!s}）" for one in await rows("""
        SELECT p.name FROM role_grant g JOIN account a ON a.id = g.account_id AND a.closed_at IS NULL
        JOIN person p ON p.id = a.person_id WHERE g.organisation_id = $1 AND g.role = $2
        AND g.since <= ebranch_now() AND (g.until IS NULL OR g.until > ebranch_now()) ORDER BY p.sort_key""",
                                                                          branch_id, str(Role.VILLAGE_ADMIN))]


async def declared_of(duty_id: int) -> Record | None:
    """Who declared last that a duty's thing did not occur, and who took it back."""
    return await row("""
        SELECT n.who, n.at, d.undone_why, d.undone_who, d.undone_at FROM declared d
        JOIN declaration n ON n.id = d.declaration_id WHERE d.duty_id = $1 ORDER BY n.id DESC LIMIT 1""", duty_id)


async def looked_through(matter: Record) -> Record | None:
    """The last month of which it was said that what this matter publishes has not changed (M3§8): its first day."""
    return await row("""
        SELECT first FROM duty WHERE village_code = $1 AND item = $2 AND state = '本期无' AND first > $3
        ORDER BY last DESC LIMIT 1""", matter["village_code"], matter["item"], matter["first"])


async def duties(village_code: str, first: date, last: date) -> list[Record]:
    """What a village owes or has settled whose period ends from `first` to `last`, in the catalogue's order."""
    return await rows(f"""{DUTY} WHERE d.village_code = $1 AND d.last BETWEEN $2 AND $3 AND d.state <> '不再要求'
                          ORDER BY i.rank, d.last, d.id""", village_code, first, last)


async def owed_now(village_code: str, today: date) -> list[Record]:
    """What a village owes and has not settled, what ended first on top."""
    return await rows(f"""{DUTY} WHERE d.village_code = $1 AND d.state = '应公开' AND d.first <= $2
                          ORDER BY d.last, i.rank, d.id""", village_code, today)
