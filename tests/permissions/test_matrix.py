"""Every address × everybody × own, child, sibling, parent and another county's things, held against the table."""
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from urllib.parse import quote

import httpx
import pytest

from server.app import make_app
from server.permissions import Role
from tests.cast import CAST, ORGANISATIONS, Person
from tests.permissions import village_things
from tests.permissions.forms import address, body
from tests.permissions.officers import fresh_thing, places
from tests.permissions.table import ROLES, TABLE, WHERE, Sentence
from tests.permissions.world import BRANCHES, MEMBERS, MISSING, NOTHING, OWNERS, Thing, World, where
from tests.visits import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUTES = {(method, route.path) for route in make_app().routes for method in route.methods if method != "OPTIONS"}
SENTENCES = pytest.mark.parametrize("sentence", TABLE, ids=str)
# What in an address says that it is about somebody's own.
OWN = {"grant_id": "grant", "session_id": "session", "{key": "parked form", "upload_id": "upload"}
AT_STAGE = [sentence for sentence in TABLE if "meeting_id" in sentence.path or "token" in sentence.path]


async def test_every_address_has_its_sentence_and_every_sentence_its_address():
    assert {sentence.route for sentence in TABLE} == ROUTES


async def test_every_role_is_in_the_table_and_in_the_cast():
    assert set(ROLES) == {str(role) for role in Role}
    assert {person.role for person in CAST} == set(Role)


async def about(world: World, sentence: Sentence, person: Person) -> AsyncIterator[Thing]:
    """The things a sentence is tried on, as seen by `person`."""
    if village_things.is_here(sentence.path):
        async for thing in village_things.things(world, sentence, person):
            yield thing
    elif sentence in AT_STAGE:
        path = (await world.actor(person)).organisation_path
        for branch in BRANCHES:
            stand = where(person, path, await world.meeting(branch, "held"))
            everywhere = sentence.same_everywhere(str(person.role)) and branch != BRANCHES[0]
            for stage in sentence.open_stage if everywhere else sentence.stages(str(person.role), stand):
                yield await world.meeting(branch, stage, sentence.about or "secretary")
    elif places(sentence.path):
        for at in places(sentence.path):
            yield await world.once(partial(fresh_thing, world), sentence.path, at)
    elif sentence.about == "reports":
        for committee in ("committee", "sidian", "zhoucheng", "bancheng"):
            yield await world.thread(committee, "reports")
    elif sentence.about in ("reminders", "questions") or any(name in sentence.path for name in OWN):
        for owner in {*OWNERS, person}:
            what = next((OWN[name] for name in OWN if name in sentence.path), sentence.about)
            yield await world.of_person(owner, what)
    elif "person_id" in sentence.path:
        for owner in {*MEMBERS, person}:
            yield await world.of_person(owner, "page")
    elif "thread_id" in sentence.path:
        for branch in BRANCHES:
            yield await world.thread(branch, sentence.about)
    elif "sms_id" in sentence.path:
        for key in ("county", "committee", "qiancun", "houcun", "xicun", "beimen", "city", "other_county"):
            yield await world.message(key)
    elif sentence.path.startswith("/audit/"):
        for key, *_ in ORGANISATIONS if "subject_id" in sentence.path else ORGANISATIONS[:1]:
            yield world.evidence(key)
    elif "organisation_id" in sentence.path:
        for key, *_ in (*ORGANISATIONS, ("group",)):
            yield world.organisation(key)
    else:
        yield replace(NOTHING, facts={"about": sentence.about})


async def fresh(world: World, sentence: Sentence, thing: Thing) -> Thing:
    """A thing of its own for a change that will be made."""
    at = next((key for key, path in world.paths.items() if path == thing.path), "")
    if sentence.method == "POST" and thing.again:
        return await thing.again()
    if sentence.method == "POST" and thing.stage:
        return await world.meeting(at, thing.stage, sentence.about or "secretary", fresh=True)
    if "sms_id" in sentence.path and sentence.method == "POST":
        return await world.message(at, fresh=True)
    if sentence.method == "POST" and "upload_id" in sentence.path:
        return replace(thing, ids=await world.upload(thing.ids["person_id"]))
    if sentence.method == "POST" and (made := await fresh_thing(world, sentence.path, at)):
        return made
    if "entry_id" in sentence.path:
        return await world.thread(at, sentence.about, fresh=True)
    if sentence.path.endswith("/phone") and sentence.method == "POST":
        return await world.new_member(thing)
    if "session_id" in sentence.path:
        return await world.of_person(next(one for one in CAST if one.phone == thing.owner), "session")
    return thing


async def ask(visitor: Visitor, person: Person | None, sentence: Sentence, thing: Thing) -> httpx.Response:
    """The request of the sentence about the thing, as somebody."""
    path = address(sentence.path, thing)
    if path.endswith("/live"):
        return httpx.Response(await visitor.opens(person, path))
    sent = body(sentence.path, thing) if sentence.method == "POST" else {}
    answer = await visitor.visit(person, sentence.method, path, **sent)
    if person and sentence.path in ("/sign-in", "/sign-out"):
        visitor.clients.pop(person.phone)  # next time with a session of one's own
    return answer


async def expected(world: World, sentence: Sentence) -> list[tuple[Person, Thing, int]]:
    """Everybody, with everything the sentence may be about, and the answer it promises."""
    found = []
    for person in CAST:
        actor = await world.actor(person)
        own = await world.postgres.fetch("SELECT person_id FROM member WHERE branch_id = $1", actor.organisation_id)
        async for thing in about(world, sentence, person):
            stand = where(person, actor.organisation_path, thing)
            known = replace(thing, facts=thing.facts | {"own_people": [one["person_id"] for one in own],
                                                           "role": str(person.role), "at": actor.organisation_name})
            found.append((person, known, sentence.answer(str(person.role), stand, thing.stage)))
    return found


@SENTENCES
async def test_who_may_not_is_refused_and_leaves_nothing_behind(world: World, visitor: Visitor, sentence: Sentence):
    """And what one may not see is answered, to the byte, like what does not exist."""
    wrong = []
    nowhere: dict[str, httpx.Response] = {}
    refused = [one for one in await expected(world, sentence) if one[2] >= 400]
    before = await world.fingerprint()
    for person, thing, status in refused:
        given = await ask(visitor, person, sentence, thing)
        if given.status_code != status:
            wrong.append(f"{person.name} ({person.role}): {thing.name}: {given.status_code}, not {status}")
        elif status == 404 and any(f"{{{name}:" in sentence.path for name in thing.ids):
            if person.name not in nowhere:
                missing = replace(thing, ids=dict.fromkeys(thing.ids, MISSING))
                nowhere[person.name] = await ask(visitor, person, sentence, missing)
            if (given.content, given.headers) != (nowhere[person.name].content, nowhere[person.name].headers):
                wrong.append(f"{person.name}: {thing.name}: not like one that does not exist")
    assert wrong == []
    assert await world.fingerprint() == before


@SENTENCES
async def test_who_may_can(world: World, visitor: Visitor, sentence: Sentence):
    wrong = []
    for person, thing, status in await expected(world, sentence):
        if status < 400:
            own = await fresh(world, sentence, thing)
            given = await ask(visitor, person, sentence, replace(own, facts=thing.facts | own.facts))
            if given.status_code != status:
                wrong.append(f"{person.name} ({person.role}): {thing.name}: {given.status_code}, not {status}")
    assert wrong == []


@SENTENCES
async def test_who_is_not_signed_in_is_sent_to_sign_in_or_refused(world: World, visitor: Visitor, sentence: Sentence):
    things = [replace(thing, facts={"own_people": []} | thing.facts) async for thing in about(world, sentence, CAST[0])]
    if sentence in AT_STAGE:
        stages = sentence.anonymous or {thing.stage for thing in things}
        things = [await world.meeting("qiancun", stage or "cancelled") for stage in stages]
    before = await world.fingerprint()
    for thing in things:
        visitor.clients.pop("", None)
        answer = await ask(visitor, None, sentence, thing)
        if sentence.anonymous:
            promised = sentence.anonymous
            assert answer.status_code == promised.get(thing.stage, promised.get("")), thing
        elif sentence.method == "POST":
            assert answer.status_code == 401
            assert "请先登录" in answer.text
        else:
            assert answer.status_code == 303
            if not sentence.path.endswith("live"):
                assert answer.headers["location"] == "/sign-in?next=" + quote(address(sentence.path, thing))
    assert sentence.method == "GET" or sentence.anonymous or before == await world.fingerprint()


@SENTENCES
async def test_every_place_and_stage_the_sentence_names_is_tried(world: World, sentence: Sentence):
    tried: set[tuple[str, str]] = set()
    for person, thing, _ in await expected(world, sentence):
        stand = where(person, (await world.actor(person)).organisation_path, thing)
        tried |= {(stand, thing.stage), (stand, "")}
    named = {(stand, stage) for said in sentence.answers.values()
             for stand, by_stage in said.items() if stand for stage in by_stage}
    assert named <= tried
    assert {stand for stand, _ in tried} <= set(WHERE) | {"above"}
