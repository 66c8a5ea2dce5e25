"""Query accounts, households, applications and imports as they are stored."""
import json
from typing import Any

from asyncpg import Record
from piccolo.columns import BigInt, BigSerial, Boolean, Bytea, Date, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.combination import WhereRaw
from piccolo.table import Table

from server.core import crypto
from server.core.actor import Actor
from server.core.database import row, rows
from server.core.turns import Progress
from server.organisations.rules import CODE_LENGTH, Level
from server.people.tables import ID_NUMBER
from server.permissions import Can
from server.query_accounts.rules import PAGE, ApplicationState, RowState, Standing

crypto.ENCRYPTED += [
    crypto.Column("reader_application", "id_number", "id_number_index", ID_NUMBER),
    crypto.Column("reader_application", "content"),
    crypto.Column("reader_import_row", "content"),
]


class Reader(Table):
    id = BigSerial(primary_key=True)
    village_code = Text()
    organisation_path = Text()
    person_id = BigInt()
    grant_id = BigInt(unique=True)
    standing = Text(choices=Standing)
    household = Boolean(default=False)
    how = Text()
    who = Text()
    opened_at = Timestamptz()
    confirmed_on = Date()
    ended_at = Timestamptz(null=True, default=None)
    end_why = Text(null=True, default=None)

    @classmethod
    def visible_to(cls, actor: Actor) -> WhereRaw:
        """Those of the village to who keeps them there, of the subtree to the township."""
        if actor.may(Can.DISCLOSURE_OVERSEE):
            return WhereRaw("organisation_path LIKE {}", f"{actor.organisation_path}%")
        return WhereRaw("village_code = {}", actor.unit_code)


class HouseholdMember(Table):
    id = BigSerial(primary_key=True)
    reader_id = ForeignKey(Reader, null=False, on_delete=OnDelete.restrict)
    name = Text()
    relation = Text()
    at = Timestamptz()
    ended_at = Timestamptz(null=True, default=None)
    end_who = Text(null=True, default=None)


class ReaderApplication(Table):
    id = BigSerial(primary_key=True)
    village_code = Text()
    id_number = Bytea()  # encrypted
    id_number_index = Bytea()
    content = Bytea()  # encrypted
    household = Boolean()
    others = Integer(default=0)
    state = Text(choices=ApplicationState)
    at = Timestamptz()
    answer = Text(default="")
    answer_who = Text(null=True, default=None)
    answer_at = Timestamptz(null=True, default=None)
    reader_id = BigInt(null=True, default=None)

    @classmethod
    def visible_to(cls, actor: Actor) -> WhereRaw:
        """Those for the actor's village; for the villages of the township to who oversees them there: not to whatever
        other organisation stands in a unit above a village."""
        if len(actor.unit_code) == CODE_LENGTH[Level.TOWNSHIP] and actor.may(Can.DISCLOSURE_OVERSEE):
            return WhereRaw("village_code LIKE {}", f"{actor.unit_code}%")
        return WhereRaw("village_code = {}", actor.unit_code)


class ReaderImport(Table):
    id = BigSerial(primary_key=True)
    organisation_id = BigInt()
    grant_id = BigInt()
    account_id = BigInt()
    who = Text()
    source = Text()
    file_name = Text()
    sha256 = Bytea()
    state = Text(choices=Progress)
    turn = Integer(default=0)
    total = Integer()
    opened = Integer(default=0)
    known = Integer(default=0)
    wrong = Integer(default=0)
    at = Timestamptz()
    done_at = Timestamptz(null=True, default=None)

    @classmethod
    def visible_to(cls, actor: Actor) -> WhereRaw:
        """Those of the own organisation."""
        return WhereRaw("organisation_id = {}", actor.organisation_id)


class ReaderImportRow(Table):
    id = BigSerial(primary_key=True)
    import_id = ForeignKey(ReaderImport, null=False, on_delete=OnDelete.restrict)
    number = Integer()
    content = Bytea(null=True, default=None)  # encrypted
    state = Text(choices=RowState)
    reason = Text(default="")


def kept(table: str, row_id: int, content: dict[str, Any]) -> bytes:
    """The column content of a row of `table`."""
    return crypto.encrypt(json.dumps(content, ensure_ascii=False), table=table, column="content", row_id=row_id)


def content_of(table: str, one: Any) -> dict[str, Any]:
    """What the column content of a row says."""
    return json.loads(crypto.decrypt(one["content"], table=table, column="content", row_id=one["id"]))


def id_number_of(application: Any) -> str:
    """The ID number of an application."""
    return crypto.decrypt(application["id_number"], table="reader_application", column="id_number",
                          row_id=application["id"])


READER = """
SELECT r.*, p.name, p.sort_key, a.id AS account_id, a.password_hash IS NOT NULL AS activated,
       (SELECT count(*) FROM household_member h WHERE h.reader_id = r.id AND h.ended_at IS NULL) AS people
FROM reader r JOIN person p ON p.id = r.person_id JOIN role_grant g ON g.id = r.grant_id
JOIN account a ON a.id = g.account_id"""


async def readers(village_code: str, after: int | None, words: str = "") -> list[Record]:
    """A page of a village's query accounts by name, and one more where there are more. after: the last one shown."""
    return await rows(f"""
        {READER} WHERE r.village_code = $1 AND r.ended_at IS NULL AND ($3 = '' OR strpos(p.name, $3) > 0)
          AND ($2::bigint IS NULL OR (p.sort_key, r.id) > (
              SELECT q.sort_key, x.id FROM reader x JOIN person q ON q.id = x.person_id WHERE x.id = $2))
        ORDER BY p.sort_key, r.id LIMIT {PAGE + 1}""", village_code, after, words)


async def reader(reader_id: int) -> Record | None:
    """One query account."""
    return await row(f"{READER} WHERE r.id = $1", reader_id)


async def own_reader(grant_id: int) -> Record | None:
    """The query account behind a grant."""
    return await row(f"{READER} WHERE r.grant_id = $1 AND r.ended_at IS NULL", grant_id)


async def household(reader_id: int) -> list[Record]:
    """Whom a household's account reads for."""
    return await rows("""SELECT id, name, relation, at FROM household_member
                         WHERE reader_id = $1 AND ended_at IS NULL ORDER BY id""", reader_id)


async def counts(village_code: str) -> dict[str, int]:
    """How many query accounts of each standing there are."""
    return {one["standing"]: one["count"] for one in await rows(
        "SELECT standing, count(*) FROM reader WHERE village_code = $1 AND ended_at IS NULL GROUP BY standing",
        village_code)}


async def applications(village_code: str) -> list[Record]:
    """The applications that wait at a village, the oldest first."""
    return await rows("""SELECT * FROM reader_application WHERE village_code = $1 AND state = '待核实'
                         ORDER BY id LIMIT 100""", village_code)


async def candidates(organisation_id: int, village_code: str) -> list[Record]:
    """Who stands in the branch's register and has no query account yet: to be chosen from (id, name, office)."""
    return await rows("""
        SELECT p.id, p.name, s.office FROM member m JOIN person p ON p.id = m.person_id
        LEFT JOIN LATERAL (SELECT office FROM seat WHERE branch_id = m.branch_id AND person_id = p.id AND until IS NULL
                           ORDER BY rank LIMIT 1) s ON true
        WHERE m.branch_id = $1 AND m.left_on IS NULL AND p.phone IS NOT NULL AND NOT EXISTS (
            SELECT FROM reader r WHERE r.person_id = p.id AND r.village_code = $2 AND r.ended_at IS NULL)
        ORDER BY s.office IS NULL, p.sort_key LIMIT 200""", organisation_id, village_code)
