"""The people every test knows, and the organisations they stand in.

山东省 → 泰安市 → 宁阳县 → 东疏镇 (前村, 后村), 泗店镇 (西村); and 东平县 with a committee and a branch of its own, and
临沂市 with one of each, so that own, child, sibling, parent, another county and another city can each be told apart."""
from dataclasses import dataclass
from datetime import date

from asyncpg import Connection

from server.core import crypto
from server.people.rules import check_character, sort_key
from server.people.tables import PHONE, kept_id_number, kept_phone
from server.permissions import Role
from tests.passwords import HASH

UNITS = (
    ("37", None, "province", "山东省"), ("3709", "37", "city", "泰安市"), ("370921", "3709", "county", "宁阳县"),
    ("370923", "3709", "county", "东平县"), ("370921102", "370921", "township", "东疏镇"),
    ("370921103", "370921", "township", "泗店镇"), ("370923100", "370923", "township", "州城镇"),
    ("3713", "37", "city", "临沂市"), ("371302", "3713", "county", "兰山区"),
    ("371302100", "371302", "township", "半程镇"), ("371302100201", "371302100", "village", "金锣村"),
    ("370921102201", "370921102", "village", "前村"), ("370921102202", "370921102", "village", "后村"),
    ("370921103201", "370921103", "village", "西村"), ("370923100201", "370923100", "village", "北门村"),
)
ORGANISATIONS = (  # key, parent, unit, kind, name
    ("province", None, "37", "省委组织部", "省委组织部"),
    ("city", "province", "3709", "市委组织部", "泰安市委组织部"),
    ("county", "city", "370921", "县委组织部", "宁阳县委组织部"),
    ("other_county", "city", "370923", "县委组织部", "东平县委组织部"),
    ("committee", "county", "370921102", "基层党委", "东疏镇党委"),
    ("sidian", "county", "370921103", "基层党委", "泗店镇党委"),
    ("zhoucheng", "other_county", "370923100", "基层党委", "州城镇党委"),
    ("qiancun", "committee", "370921102201", "党支部", "前村支部"),
    ("houcun", "committee", "370921102202", "党支部", "后村支部"),
    ("xicun", "sidian", "370921103201", "党支部", "西村支部"),
    ("beimen", "zhoucheng", "370923100201", "党支部", "北门支部"),
    ("other_city", "province", "3713", "市委组织部", "临沂市委组织部"),
    ("lanshan", "other_city", "371302", "县委组织部", "兰山区委组织部"),
    ("bancheng", "lanshan", "371302100", "基层党委", "半程镇党委"),
    ("jinluo", "bancheng", "371302100201", "党支部", "金锣支部"),
)


@dataclass(frozen=True)
class Person:
    """Somebody with one role at one organisation. office: the seat in the branch's committee."""

    phone: str
    name: str
    role: Role
    at: str
    office: str | None = None
    standing: str | None = "正式党员"

    @property
    def id_number(self) -> str:
        """An invented one: born on a day that the phone tells, with a serial nobody is given."""
        digits = f"370921{1950 + int(self.phone[-2:])}0{1 + int(self.phone[-1])}15999"
        return digits + check_character(digits)


def officer(number: int, name: str, role: Role, at: str) -> Person:
    return Person(f"137000000{number:02}", name, role, at, standing=None)


PROVINCE = officer(1, "周省", Role.PROVINCE_ADMIN, "province")
CITY = officer(2, "吴市", Role.CITY_ADMIN, "city")
COUNTY = officer(3, "郑县", Role.COUNTY_ADMIN, "county")
SAFETY = officer(4, "冯安", Role.SAFETY_OFFICER, "county")
AUDITOR = officer(5, "陈审", Role.AUDITOR, "county")
COMMITTEE = officer(6, "褚镇", Role.COMMITTEE_ADMIN, "committee")
COMMITTEE_ORGANISER = officer(19, "卫组", Role.COMMITTEE_ORGANISER, "committee")
SECRETARY = Person("13700000007", "赵德山", Role.SECRETARY, "qiancun", "书记")
ORGANISER = Person("13700000008", "孙桂兰", Role.ORGANISER, "qiancun", "组织委员")
BRANCH_ADMIN = Person("13700000009", "钱永军", Role.BRANCH_ADMIN, "qiancun")
MEMBER = Person("13700000010", "王秀英", Role.MEMBER, "qiancun")
PROBATIONARY = Person("13700000011", "李小虎", Role.PROBATIONARY, "qiancun", standing="预备党员")
VILLAGE_ADMIN = Person("13700000020", "施村", Role.VILLAGE_ADMIN, "qiancun", standing=None)
VILLAGER = Person("13700000012", "张大爷", Role.VILLAGER, "qiancun", standing=None)
SUPERVISOR = Person("13700000018", "马主任", Role.SUPERVISOR, "qiancun", standing=None)
APPLICANT = Person("13700000016", "周申请", Role.APPLICANT, "qiancun", standing=None)
NEIGHBOUR = Person("13700000013", "李长河", Role.SECRETARY, "houcun", "书记")
NEIGHBOUR_MEMBER = Person("13700000014", "吴凤英", Role.MEMBER, "houcun")
SIDIAN = officer(15, "蒋泗", Role.COMMITTEE_ADMIN, "sidian")
XICUN = Person("13700000031", "沈西", Role.SECRETARY, "xicun", "书记")
OTHER_COUNTY = officer(32, "韩东", Role.COUNTY_ADMIN, "other_county")
ZHOUCHENG = officer(33, "杨州", Role.COMMITTEE_ADMIN, "zhoucheng")
OTHER_CITY = officer(35, "秦临", Role.CITY_ADMIN, "other_city")
JINLUO = Person("13700000036", "许金", Role.SECRETARY, "jinluo", "书记")
BEIMEN = Person("13700000034", "朱北", Role.SECRETARY, "beimen", "书记")

CAST = (
    PROVINCE, CITY, COUNTY, SAFETY, AUDITOR, COMMITTEE, COMMITTEE_ORGANISER, SECRETARY, ORGANISER, BRANCH_ADMIN, MEMBER,
    PROBATIONARY, VILLAGE_ADMIN, VILLAGER, SUPERVISOR, APPLICANT, NEIGHBOUR, NEIGHBOUR_MEMBER, SIDIAN, XICUN,
    OTHER_COUNTY, ZHOUCHENG, BEIMEN,
    OTHER_CITY, JINLUO,
)
IN_QIANCUN = tuple(person for person in CAST if person.at == "qiancun" and person.standing)


async def organisation_id(connection: Connection, name: str) -> int:
    """The id of one of the cast's organisations."""
    return await connection.fetchval("SELECT id FROM organisation WHERE name = $1", name)


def phone_index(phone: str) -> bytes:
    """What a phone number is found by."""
    return crypto.blind_index(phone, PHONE)


async def enter(connection: Connection, name: str, phone: str, id_number: str | None = None) -> int:
    """Enters somebody by SQL; the id."""
    person = await connection.fetchval("SELECT nextval('person_id_seq')")
    await connection.execute("""
        INSERT INTO person (id, name, sort_key, phone, phone_index, id_number, id_number_index)
        OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5, $6, $7)""", person, name, sort_key(name),
                             *kept_phone(person, phone),
                             *(kept_id_number(person, id_number) if id_number else (None, None)))
    return person


async def settle(connection: Connection) -> None:
    """Puts everybody into an empty database, as its owner."""
    for code, parent, level, name in UNITS:
        await connection.execute(
            "INSERT INTO unit (code, parent_code, level, name, official_name, path) SELECT $1, $2, $3, $4, $4, "
            "coalesce((SELECT path FROM unit WHERE code = $2) || '/', '') || $1", code, parent, level, name)
    ids: dict[str, int] = {}
    for key, parent, unit, kind, name in ORGANISATIONS:
        ids[key] = await connection.fetchval("""
            INSERT INTO organisation (parent_id, unit_code, kind, name, official_name)
            VALUES ($1, $2, $3, $4, $4) RETURNING id""", ids.get(parent or ""), unit, kind, name)
    for person in CAST:
        person_id = await enter(connection, person.name, person.phone, person.id_number)
        account = await connection.fetchval(
            "INSERT INTO account (person_id, password_hash) VALUES ($1, $2) RETURNING id", person_id, HASH)
        await connection.execute(
            "INSERT INTO role_grant (account_id, role, organisation_id, since) VALUES ($1, $2, $3, '2020-07-01')",
            account, str(person.role), ids[person.at])
        if person.standing:
            await connection.execute(
                "INSERT INTO member (person_id, branch_id, standing, since) VALUES ($1, $2, $3, $4)",
                person_id, ids[person.at], person.standing, date(2020, 7, 1))
        if person.office:
            await connection.execute(
                "INSERT INTO seat (branch_id, person_id, office, rank, since) VALUES ($1, $2, $3, $4, $5)",
                ids[person.at], person_id, person.office, 1 if person.office == "书记" else 2, date(2024, 1, 1))
