"""What the matrix is tried on: meetings in every stage, threads, entries, photographs, explanations and roles, in the
own branch, beside it, above it and in another county. Made by SQL with triggers off, for no stage can be waited for."""
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from asyncpg import Connection

from server.core import checkpoints, crypto, files, parked, sms, store
from server.core.actor import Actor
from server.core.clock import now
from server.core.tokens import token_hash
from server.meetings.amendments import log_content
from server.threads.actions import open_threads, thread_of
from tests.cast import CAST, ORGANISATIONS, Person, enter
from tests.databases import fingerprint
from tests.passwords import HASH
from tests.permissions import villages
from tests.permissions.thing import Thing, id_of
from tests.visits import actor_of, session_token

BRANCHES = ("qiancun", "houcun", "xicun", "beimen", "jinluo")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BEGINS = {"planned": DAY, "running": -HOUR / 2, "held": -3 * HOUR, "cancelled": DAY}  # from now; the others long ago
LONG_AGO = -40 * DAY
UNWRITTEN = ("planned", "running", "cancelled")
TOLD = 500_000  # ids of things that nothing but evidence is there of
MISSING = 999_999  # an id that no row has


NOTHING = Thing("nothing in particular", "")
OWNERS = tuple(person for person in CAST if person.name in ("赵德山", "王秀英", "褚镇", "李长河", "朱北", "郑县"))
ONE_EACH = ("王秀英", "吴凤英", "沈西", "朱北", "许金")  # of each branch
MEMBERS = tuple(person for person in CAST if person.name in ONE_EACH)


@dataclass
class World:
    """The things, by what sentences are about; `postgres` is a superuser's connection with triggers off."""

    postgres: Connection
    paths: dict[str, str] = field(default_factory=dict)
    photo: int = 0
    uploads: dict[str, dict[str, int]] = field(default_factory=dict)
    made: dict[tuple[str, ...], Thing] = field(default_factory=dict)
    actors: dict[str, Actor] = field(default_factory=dict)
    parked: dict[int, str] = field(default_factory=dict)  # keys of kept forms, by account

    async def settle(self) -> None:
        """Adds to the cast's database what the matrix needs besides people."""
        await self.postgres.execute(
            "INSERT INTO organisation (parent_id, unit_code, kind, name, official_name)"
            " SELECT id, unit_code, '党小组', '第一党小组', '第一党小组' FROM organisation WHERE name = '前村支部'")
        await self.postgres.execute("SET session_replication_role = replica")
        names = {name: key for key, _, _, _, name in ORGANISATIONS} | {"第一党小组": "group"}
        for one in await self.postgres.fetch("SELECT name, path FROM organisation"):
            self.paths[names[one["name"]]] = one["path"]
        for number, branch in enumerate(BRANCHES[1:]):
            await self.add_organiser(branch, f"1390000000{number}")
        await open_threads()
        await villages.settle(self)
        body, place = b"\xff\xd8\xff\xd9", f"matrix-{os.getpid()}"  # the folder is one for all workers
        await store.put(files.address(place), body)
        self.photo = await self.postgres.fetchval(
            "INSERT INTO file (place, name, media_type, size, width, height, sha256_received, sha256_stored,"
            " uploaded_by) VALUES ($2, 'minutes.jpg', 'image/jpeg', 4, 1, 1, '', sha256($1), 1) RETURNING id", body,
            place)

        await self.postgres.execute("""
            INSERT INTO audit_event (chain, person_name, role, organisation_id, verb, subject_kind, subject_id, source)
            SELECT 'platform', '某人', '书记', id, 'say', 'meeting', $1 + id, 'test' FROM organisation""", TOLD)
        await checkpoints.make()

    async def add_organiser(self, branch: str, phone: str) -> None:
        """组织委员 in every branch, so that who checks a log is the same question everywhere."""
        await self.postgres.execute("""
            WITH a AS (INSERT INTO account (person_id, password_hash) VALUES ($1, $2) RETURNING id)
            INSERT INTO role_grant (account_id, role, organisation_id)
            SELECT a.id, '组织委员', o.id FROM a, organisation o WHERE o.path = $3""",
                                    await enter(self.postgres, "组委", phone), HASH, self.paths[branch])

    async def meeting(self, branch: str, stage: str, writer: str = "secretary", *, fresh: bool = False) -> Thing:
        """A meeting of `branch` in `stage`, its log written by the 书记 or 组织委员; the same one unless `fresh`."""
        if fresh:
            return await self.make_meeting(branch, stage, writer)
        return await self.once(self.make_meeting, branch, stage, writer)

    async def once(self, make: Callable[..., Awaitable[Thing]], *what: str) -> Thing:
        """What was made before under these words, or is made now."""
        if what not in self.made:
            self.made[what] = await make(*what)
        return self.made[what]

    async def make_meeting(self, branch: str, stage: str, writer: str) -> Thing:
        begins = now() + BEGINS.get(stage, LONG_AGO)
        path = self.paths[branch]
        branch_id = id_of(path)
        people = [one["person_id"] for one in await self.postgres.fetch(
            "SELECT person_id FROM member WHERE branch_id = $1 ORDER BY person_id", branch_id)]
        made = await self.postgres.fetchval("""
            INSERT INTO meeting (branch_id, branch_path, origin, state, kinds, topic, place, begins_at, ends_at,
                                 lock_at, recorded_at, reason, created_by)
            VALUES ($1, $2, 'planned', $3, '{主题党日}', '学条例', '村委会', $4, $5, log_lock_moment($5), $6, $7, $8)
            RETURNING id""", branch_id, path, "cancelled" if stage == "cancelled" else "open", begins,
            begins + 2 * HOUR, None if stage in UNWRITTEN else begins + HOUR,
            "停电" if stage == "cancelled" else None, people[0])
        await self.postgres.execute("""
            INSERT INTO attendance (meeting_id, person_id, name, place_in_list, mark, how, marked_at, marked_by)
            SELECT $1, p.id, p.name, p.id, m.mark, m.how, m.at, m.by FROM person p
            CROSS JOIN (SELECT '参加' AS mark, '名单' AS how, $3::timestamptz AS at, $4::bigint AS by WHERE $5
                        UNION ALL SELECT NULL, NULL, NULL, NULL WHERE NOT $5) m
            WHERE p.id = ANY($2)""", made, people, begins, people[0], stage not in UNWRITTEN)
        explanation = await self.log_of(made, branch_id, stage, writer, people[0])
        return Thing(f"{branch}'s {stage} meeting", path, {
            "meeting_id": made, "file_id": self.photo, "amendment_id": explanation or MISSING}, stage=stage,
            facts={"people": people, "begins_at": begins, "version": 0 if stage in UNWRITTEN else 1})

    async def log_of(self, meeting: int, branch: int, stage: str, writer: str, person: int) -> int | None:
        """The log, its photograph and check, and the explanation that the stage has; its id."""
        if stage in UNWRITTEN:
            return None
        role = {"secretary": "书记", "organiser": "组织委员"}[writer]
        author = await self.postgres.fetchval("""
            SELECT a.person_id FROM role_grant g JOIN account a ON a.id = g.account_id
            WHERE g.organisation_id = $1 AND g.role = $2""", branch, role)
        await self.postgres.execute(
            "INSERT INTO meeting_log (meeting_id, minutes, written_by) VALUES ($1, '议了修路', $2)", meeting, author)
        for table in ("log_photo", "log_attachment"):
            await self.postgres.execute(
                f"INSERT INTO {table} (meeting_id, file_id) VALUES ($1, $2)", meeting, self.photo)
        if stage != "held":
            await self.postgres.execute("""
                INSERT INTO log_check (meeting_id, log_version, verdict, reason, checked_by, who)
                VALUES ($1, 1, '审核通过', '', $2, '孙桂兰 · 组织委员')""", meeting, person)
        if stage not in ("explained", "amended"):
            return None
        done = stage == "amended"
        explanation = await self.postgres.fetchval("""
            INSERT INTO amendment (meeting_id, explanation, explained_by, who, state, answer, closed_by, closed_at)
            VALUES ($1, '漏记一人', $2, '赵德山 · 书记', $3, $4, $5, $6) RETURNING id""", meeting, person,
            *(("已更改", "已核对", "褚镇 · 党委管理员", now()) if done else ("待处理", "", None, None)))
        if done:
            await self.append_version(meeting, explanation)
        return explanation

    async def append_version(self, meeting: int, explanation: int) -> None:
        found = await self.postgres.fetchrow("SELECT * FROM meeting WHERE id = $1", meeting)
        content = json.dumps(await log_content(found) | {"topic": "学条例、议修路"}, ensure_ascii=False)
        await self.postgres.execute("""
            INSERT INTO version (subject_kind, subject_id, number, content, difference, explanation_id, why,
                                 account_id, grant_id, who)
            SELECT 'meeting_log', $1, 1, $2, '{"topic": ["学条例", "学条例、议修路"]}', $3, '已核对',
                   account_id, id, '褚镇' FROM role_grant WHERE role = '党委管理员' LIMIT 1""",
                                    meeting, content, explanation)

    async def actor(self, person: Person) -> Actor:
        if person.phone not in self.actors:
            self.actors[person.phone] = await actor_of(person)
        return self.actors[person.phone]

    async def thread(self, organisation: str, kind: str, *, fresh: bool = False) -> Thing:
        """An organisation's thread with a message in it (in 组织生活: a card); the same message unless `fresh`."""
        if fresh:
            return await self.make_thread(organisation, kind)
        return await self.once(self.make_thread, organisation, kind)

    async def make_thread(self, organisation: str, kind: str) -> Thing:
        thread = await self.postgres.fetchval(
            "SELECT t.id FROM thread t JOIN organisation o ON o.id = t.organisation_id"
            " WHERE o.path = $1 AND t.kind = $2",
            self.paths[organisation], kind)
        card = ("meeting", 1, "{}", "") if kind == "meetings" else (None, None, None, None)
        entry = await self.postgres.fetchval(
            "INSERT INTO entry (thread_id, who, text, card_kind, subject_id, card, html)"
            " VALUES ($1, '某人', '话', $2, $3, $4, $5) RETURNING id", thread, *card)
        return Thing(f"{organisation}'s {kind}", self.paths[organisation], {"thread_id": thread, "entry_id": entry})

    async def of_person(self, person: Person, what: str) -> Thing:
        """Somebody's own thread of reminders or questions, role, page in the register, upload, session on another
        device, or form that was kept."""
        actor, facts = await self.actor(person), {}
        if what == "session":
            ids = {"session_id": (await self.postgres.fetchrow(
                "SELECT id FROM session WHERE token_hash = $1", token_hash(await session_token(person))))["id"]}
        elif what == "parked form":
            ids, facts = {}, {"key": await self.parked_form(actor)}
        else:
            own = {"grant": {"grant_id": actor.grant_id}, "page": {"person_id": actor.person_id},
                   "upload": self.uploads.get(person.phone, {})}
            if what == "upload" and not own["upload"]:
                own["upload"] = self.uploads[person.phone] = await self.upload(actor.person_id)
            ids = own.get(what) or {"thread_id": await thread_of(what, person_id=actor.person_id)}
        return Thing(f"{person.name}'s {what}", actor.organisation_path, ids, owner=person.phone, facts=facts)

    async def parked_form(self, actor: Actor) -> str:
        """The key of a form that was kept for somebody."""
        if actor.account_id not in self.parked:
            self.parked[actor.account_id] = await parked.keep(
                parked.Owner(actor.account_id, actor.grant_id), "/meetings", "/meetings/new",
                parked.spelled([("topic", "学条例", "主题")], []))
        return self.parked[actor.account_id]

    async def new_member(self, beside: Thing, phone: str = "13700000099") -> Thing:
        """Somebody new in the branch where `beside` stands: a changed phone would lock one of the cast out."""
        person = await enter(self.postgres, "新党员", phone)
        await self.postgres.execute("INSERT INTO member (person_id, branch_id, standing, since)"
                                    " VALUES ($1, $2, '正式党员', '2020-07-01')", person, id_of(beside.path))
        return Thing("新党员's page", beside.path, {"person_id": person})

    async def message(self, organisation: str, *, fresh: bool = False) -> Thing:
        """An SMS on an organisation's business that failed; the same one unless `fresh`."""
        return await (self.make_message(organisation) if fresh else self.once(self.make_message, organisation))

    async def make_message(self, organisation: str) -> Thing:
        made = await self.postgres.fetchval("SELECT nextval('sms_id_seq')")
        phone, words = (crypto.encrypt(value, table="sms", column=column, row_id=made)
                        for column, value in (("phone", "13999999999"), ("words", sms.spelled("话"))))
        await self.postgres.execute("""
            INSERT INTO sms (id, key, kind, phone, phone_index, words, organisation_id, created_at, due_at, state)
            OVERRIDING SYSTEM VALUE
            VALUES ($1::bigint, 'test:' || $1::bigint,
                    'notice', $2, sha256('x'), $3, $4, ebranch_now(), ebranch_now(), 'failed')""",
                                    made, phone, words, id_of(self.paths[organisation]))
        return Thing(f"{organisation}'s message", self.paths[organisation], {"sms_id": made})

    def evidence(self, key: str) -> Thing:
        """What somebody of an organisation has done, to a thing of which nothing else is told."""
        return Thing(f"what {key} did", self.paths[key], {
            "subject_id": TOLD + id_of(self.paths[key]), "number": 1})

    async def upload(self, person_id: int) -> dict[str, int]:
        """A file that somebody has sent and not saved."""
        made = await self.postgres.fetchval("""
            INSERT INTO upload (person_id, place, about, name, size, mark, pieces, file_id)
            VALUES ($1, 'log_photos', '/meetings/2/log', '记录.jpg', 4, gen_random_uuid()::text, 1, $2) RETURNING id""",
                                            person_id, self.photo)
        return {"upload_id": made, "person_id": person_id, "number": 0}

    def organisation(self, key: str) -> Thing:
        return Thing(key, self.paths[key], {"organisation_id": id_of(self.paths[key])})

    async def fingerprint(self) -> dict[str, tuple[int, int]]:
        """Changes whenever anything is changed that a refused request might have changed."""
        return await fingerprint(self.postgres)


def where(person: Person, path: str, thing: Thing) -> str:
    """Where a thing stands as seen by somebody whose organisation has `path`."""
    if thing.owner == person.phone:
        return "mine"
    if thing.path == path:
        return "own"
    if thing.path.startswith(path):
        return "below"
    if path.startswith(thing.path):
        return "above"
    beside = thing.path.rstrip("/").rpartition("/")[0] == path.rstrip("/").rpartition("/")[0]
    return "sibling" if beside else "elsewhere"
