"""Which things of 三务公开 each sentence is tried on."""
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from server.catalogues.tables import draft
from tests.cast import ORGANISATIONS, SECRETARY, VILLAGER, Person
from tests.permissions import matters, readers, villages
from tests.permissions.table import GROUPS, Sentence
from tests.permissions.thing import Thing
from tests.permissions.villages import CODES, COUNTIES, TOWNSHIPS, VILLAGES
from tests.permissions.world import NOTHING, World, where

BEGIN = ("/villages", "/exemptions", "/catalogues", "/county-settings", "/disclosures", "/reviews", "/ledger",
         "/questions", "/query-accounts", "/supervision", "/pressing", "/spot-checks")
Make = Callable[[], Awaitable[Thing]]


def is_here(path: str) -> bool:
    """Whether an address is one of 三务公开."""
    return path.startswith(BEGIN)


async def things(world: World, sentence: Sentence, person: Person) -> AsyncIterator[Thing]:
    """The things a sentence is tried on, as seen by `person`."""
    await villages.all_open(world)
    if sentence.every_stage != ("",):
        async for thing in staged(world, sentence, person):
            yield thing
    elif sentence.path.startswith("/catalogues"):
        for key in COUNTIES:
            yield await catalogue(world, key)
    else:
        for words, make in unstaged(world, sentence, person):
            yield await kept(world, make, sentence.path, sentence.about, *words)
    if person.at in VILLAGES + TOWNSHIPS:
        async for thing in own(world, sentence, person):
            yield thing


async def kept(world: World, make: Make, *words: str) -> Thing:
    """What was made before under these words, or is made now."""
    return await world.once(lambda *_: make(), *words)


async def staged(world: World, sentence: Sentence, person: Person) -> AsyncIterator[Thing]:
    """For an address whose things have stages, those of every place in each stage that is to be looked at."""
    path, about = sentence.path, sentence.about
    role, stands_at = str(person.role), (await world.actor(person)).organisation_path
    new = path.startswith(("/exemptions", "/villages"))  # whose village is made for it, in a township
    for key in TOWNSHIPS if new else VILLAGES:
        stand = where(person, stands_at, Thing("", world.paths[key] + "0/" * new))
        for stage in sentence.stages(role, stand):
            yield await kept(world, maker(world, path, about, key, stage), path.split("/")[1], about, key, stage)


def maker(world: World, path: str, about: str, key: str, stage: str) -> Make:
    """What makes the thing of an address in a stage."""
    if "matter_id" in path:
        return partial(matters.matter, world, about or "text", key, stage)
    if "duty_id" in path:
        return partial(matters.duty, world, about, key, stage)
    if "question_id" in path:
        return partial(matters.question, world, about, key, stage)
    if "application_id" in path:
        return partial(readers.application, world, key, stage)
    if "check_id" in path:
        return partial(matters.spot_check, world, key, stage)
    if "reader_id" in path:
        return partial(readers.reader, world, key, stage)
    return partial(villages.exemption if "exemption_id" in path else villages.village, world, key, stage)


def unstaged(world: World, sentence: Sentence, person: Person) -> list[tuple[tuple[str, ...], Make]]:
    """For any other address: under which words each of its things is kept, and what makes it."""
    path, about, paused = sentence.path, sentence.about, "paused" * sentence.path.endswith("resumption")
    home = person if person.at in VILLAGES else SECRETARY  # whose village it would be, were it his to say
    if path.startswith(("/villages/{", "/supervision/{")):
        return [((key,), partial(villages.place, world, key)) for key, *_ in ORGANISATIONS]
    if path in ("/spot-checks/new", "/pressing", "/query-accounts/search"):
        return [((key,), partial(matters.standing_in, world, key)) for key in VILLAGES]
    if path == "/county-settings":
        county = person.at if person.at in COUNTIES else COUNTIES[0]
        return [((county,), partial(villages.settings, world, county))]
    if path == "/exemptions/new":
        return [((home.at,), partial(villages.closing, world, home.at, about))]
    if path.startswith("/ledgers/"):
        return [((key,), partial(matters.books, world, key)) for key in VILLAGES]
    if path.startswith("/reviews/offices/"):
        return [((key,), partial(matters.office, world, key)) for key in TOWNSHIPS]
    if path.startswith("/ledger-imports/{"):
        return [((key, paused), partial(matters.ledger_import, world, about, key, paused))
                for key in (VILLAGES if about == "village" else TOWNSHIPS)]
    if path.startswith("/query-accounts/imports/{"):
        return [((key, paused), partial(readers.reader_import, world, key, paused)) for key in VILLAGES + TOWNSHIPS]
    if path in ("/disclosures", "/disclosures/nothing"):
        return [((home.at,), partial(matters.something_owed, world, home.at, about))]
    if path in ("/query-accounts/choice", "/query-accounts/confirmation"):
        return [((home.phone,), partial(readers.all_of, world, home))]
    if path == "/query-accounts/own/household":
        owner = person if str(person.role) in GROUPS["villager"] else VILLAGER
        return [((owner.phone,), partial(readers.own, world, owner))]
    return [((), nothing)]


async def nothing() -> Thing:
    return NOTHING


async def catalogue(world: World, key: str) -> Thing:
    """A county's catalogue with a draft: the one there is, or a new one where that was changed, published or thrown
    away."""
    there, its = world.made.get(("catalogue", key)), await draft(CODES[key])
    if there is None or its is None or (its["id"], its["version"]) != (there.facts["draft"], there.facts["version"]):
        world.made["catalogue", key] = there = await villages.catalogue(world, key)
    return there


async def own(world: World, sentence: Sentence, person: Person) -> AsyncIterator[Thing]:
    """What is somebody's own: questions he asked, sheets he handed in."""
    path, role = sentence.path, str(person.role)
    if "question_id" in path and not path.endswith(("answer", "hiding")) and role in GROUPS["asker"]:
        for stage in sentence.every_stage:
            yield await kept(world, partial(matters.question, world, sentence.about, person.at, stage, person),
                             "own question", sentence.about, stage, person.phone)
    if path.startswith("/query-accounts/imports/{") and role in (*GROUPS["clerk"], *GROUPS["committee"]):
        paused = "paused" * path.endswith("resumption")
        yield await kept(world, partial(readers.reader_import, world, person.at, paused, person),
                         "own import", paused, person.phone)
