"""What happens elsewhere changes nothing on anybody's pages: no line of a list, no count, no figure of a print or an
export, nothing found by a search. Every page without an id in its address is looked at, by everybody, before and
after; a page that is added tomorrow is looked at by itself."""
import re
from datetime import timedelta

import pytest

from server.core.clock import now
from tests.cast import BEIMEN, CAST, JINLUO, NEIGHBOUR, PROVINCE, Person
from tests.permissions import matters, readers
from tests.permissions.forms import gathering
from tests.permissions.table import TABLE
from tests.permissions.villages import CODES
from tests.permissions.world import Thing, World, where
from tests.visits import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="module")

PLACES = {"houcun": NEIGHBOUR, "beimen": BEIMEN, "jinluo": JINLUO}  # beside, in another county, in another city
MOVING = re.compile(r"\d{1,2}:\d{2}(:\d{2})?|\d+ ?(秒|分钟)")  # what changes while one looks
PAGES = sorted({sentence.path for sentence in TABLE if sentence.method == "GET" and "{" not in sentence.path
                and sentence.anonymous is None and not sentence.path.endswith("/live")})


async def looked(visitor: Visitor, people: list[Person], query: str = "") -> dict[tuple[str, str], str]:
    """Every page as everybody has it, without what the clock moves."""
    found = {}
    for person in people:
        for path in PAGES:
            answer = await visitor.visit(person, "GET", path + query)
            found[person.name, path] = MOVING.sub("", answer.text) + str(answer.status_code)
    return found


async def happen(world: World, visitor: Visitor, place: str, secretary: Person, mark: str) -> None:
    """Much happens at once in a branch and its village: planned, said, recorded, locked, explained, amended, somebody
    comes; published, asked, applied for, found before the wall."""
    own = [one["person_id"] for one in await world.postgres.fetch(
        "SELECT m.person_id FROM member m JOIN organisation o ON o.id = m.branch_id WHERE o.path = $1",
        world.paths[place])]
    form = gathering(now() + timedelta(days=1))(Thing(place, world.paths[place], facts={"own_people": own}))
    planned = await visitor.visit(secretary, "POST", "/meetings", data=form | {"topic": mark, "place": mark})
    assert planned.status_code == 303
    forum = await world.thread(place, "forum", fresh=True)
    said = await visitor.visit(secretary, "POST", f"/threads/{forum.ids['thread_id']}/entries", data={"text": mark})
    assert said.status_code == 303
    for stage in ("planned", "held", "locked", "explained", "amended", "cancelled"):
        made = await world.meeting(place, stage, fresh=True)
        await world.postgres.execute("UPDATE meeting SET topic = $2 WHERE id = $1", made.ids["meeting_id"], mark)
    await matters.everything(world, place, mark)
    await readers.everything(world, place, mark)
    await world.postgres.execute("UPDATE organisation SET name = name || $2 WHERE path = $1", world.paths[place], mark)
    await world.postgres.execute("""
        UPDATE person SET name = name || $2 WHERE id IN (
            SELECT a.person_id FROM role_grant g JOIN account a ON a.id = g.account_id
            JOIN organisation o ON o.id = g.organisation_id WHERE o.path = $1)""", world.paths[place], mark)


@pytest.mark.parametrize("place", PLACES)
async def test_what_happens_elsewhere_changes_nobodys_pages(world: World, visitor: Visitor, place: str):
    there = Thing(place, world.paths[place])
    strangers = [person for person in CAST
                 if where(person, (await world.actor(person)).organisation_path, there) not in ("own", "below")]
    assert len(strangers) >= 10
    await looked(visitor, strangers)
    before, again = await looked(visitor, strangers), await looked(visitor, strangers)
    steady = {page for page in before if before[page] == again[page] and not page[1].endswith("/template")}  # its date
    assert len(steady) > 0.9 * len(before), "most pages are the same twice"
    mark = f"无人知晓的{place}"
    await happen(world, visitor, place, PLACES[place], mark)
    after = await looked(visitor, strangers)
    assert [page for page in steady if after[page] != before[page]] == []
    begin = mark.removesuffix(place)  # what is searched for may be said again; what would be found is more
    searched = await looked(visitor, strangers, f"?q={begin}&name={begin}&search={begin}&person={begin}")
    for found in (after, searched):
        assert [page for page, text in found.items() if mark in text] == []
    for person in (PLACES[place], PROVINCE):  # who may see it does: it would have been found
        assert mark in (await visitor.visit(person, "GET", "/meetings")).text, person.name
    for path in (f"/disclosures?village={CODES[place]}", "/questions", "/spot-checks"):
        assert mark in (await visitor.visit(PROVINCE, "GET", path)).text, path
    assert mark in (await visitor.visit(PLACES[place], "GET", "/query-accounts")).text
