"""A form takes what it asks for and nothing else: whatever is sent besides is refused, at every address, and changes
nothing. An address that is added tomorrow is tried by itself."""
import pytest

from tests.inputs.test_never_500 import GETS, POSTS
from tests.permissions.forms import address, body
from tests.permissions.table import Sentence
from tests.permissions.test_matrix import expected
from tests.permissions.world import Thing, World
from tests.visits import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Where several may be chosen.
SEVERAL = {"kinds", "people", "signed", "duties", "checked", "items", "accounts", "staying", "shown",
           "villages"}
STRANGE = "rank"  # what somebody tries who wants to be more than he is
WORDS = "收到了这张表里没有的内容，没有保存。请刷新页面，重新填写（rank）"


async def welcome(world: World, sentence: Sentence) -> list[tuple]:
    """Somebody whose request would be carried out, and what about; [] where nobody's is in the matrix."""
    return next(([one] for one in await expected(world, sentence) if one[2] < 400), [])


def with_fields(path: str, thing: Thing, more: dict[str, object]) -> dict:
    sent = body(path, thing)
    return sent | {"data": sent.get("data", {}) | more}


@pytest.mark.parametrize("sentence", POSTS, ids=str)
async def test_a_field_that_no_form_has_is_refused_and_changes_nothing(
        world: World, visitor: Visitor, sentence: Sentence):
    tried = await welcome(world, sentence)
    before = await world.fingerprint()
    for person, thing, _ in tried:
        answer = await visitor.visit(person, "POST", address(sentence.path, thing),
                                     **with_fields(sentence.path, thing, {STRANGE: "省级管理员"}))
        assert (answer.status_code, WORDS in answer.text) == (422, True)
    assert await world.fingerprint() == before


@pytest.mark.parametrize("sentence", POSTS, ids=str)
async def test_a_field_that_is_sent_twice_is_not_chosen_from(world: World, visitor: Visitor, sentence: Sentence):
    tried = await welcome(world, sentence)
    before = await world.fingerprint()
    for person, thing, _ in tried:
        form = body(sentence.path, thing).get("data", {})
        for name in set(form) - SEVERAL:
            answer = await visitor.visit(person, "POST", address(sentence.path, thing),
                                         data=form | {name: [form[name], form[name]]})
            assert answer.status_code == 422, name
    assert await world.fingerprint() == before


async def test_a_query_that_no_page_knows_is_harmless(world: World, visitor: Visitor):
    for person, _, status in await expected(world, next(one for one in GETS if one.path == "/threads")):
        assert (await visitor.visit(person, "GET", "/threads?utm_source=x&role=省级管理员")).status_code == status
