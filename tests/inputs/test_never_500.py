"""Whatever is sent, the answer is an answer: nonsense in every field of every form, bodies that are no form, odd
queries and ids. Never a fault of ours, never a half-done thing."""
import pytest

from tests.cast import CAST, MEMBER, PROVINCE, SECRETARY, Person
from tests.inputs.nonsense import ODD_QUERIES, everything
from tests.permissions.forms import FORMS, address
from tests.permissions.table import TABLE, Sentence
from tests.permissions.test_matrix import expected, fresh
from tests.permissions.world import Thing, World
from tests.visits import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="module")

POSTS = [sentence for sentence in TABLE if sentence.method == "POST"]
GETS = [sentence for sentence in TABLE if sentence.method == "GET"]


async def allowed(world: World, sentence: Sentence) -> tuple[Person, Thing]:
    """Somebody who may, and what about."""
    return next((person, thing) for person, thing, status in sorted(
        await expected(world, sentence), key=lambda one: one[2]))


@pytest.mark.parametrize("sentence", POSTS, ids=str)
async def test_no_nonsense_is_too_much_for_a_form(world: World, visitor: Visitor, sentence: Sentence):
    person, thing = await allowed(world, sentence)
    form = FORMS[sentence.path](thing)
    form = {name: value for name, value in form.items() if not name.startswith("mark-") or name == min(form)}
    wrong = []
    for nonsense in everything(form):
        on = await fresh(world, sentence, thing)
        answer = await visitor.visit(person, "POST", address(sentence.path, on), **nonsense.request)
        if answer.status_code >= 500:
            wrong.append(f"{nonsense.name}: {answer.status_code}")
        if sentence.path in ("/sign-in", "/sign-out"):
            visitor.clients.pop(person.phone)
    assert wrong == []


@pytest.mark.parametrize("sentence", GETS, ids=str)
async def test_no_query_is_too_odd_for_a_page(world: World, visitor: Visitor, sentence: Sentence):
    person, thing = await allowed(world, sentence)
    path = address(sentence.path, thing)
    if path.endswith("/live"):
        return
    for query in ODD_QUERIES:
        for visiting in (person, None):
            answer = await visitor.visit(visiting, "GET", f"{path}?{query}")
            assert answer.status_code < 500 or path == "/health", query
            assert "evil.example" not in answer.headers.get("location", "").split("next=")[0], query


ODD_IDS = ("0", "-1", str(2**31), str(2**63 - 1), str(2**63), str(2**70), "9" * 5000, "x", "1.5", "1e3", "%00", "%20",
           "1%2F2", "%ED%A0%80", "null", "1;2", "%EF%BC%91x")


@pytest.mark.parametrize("sentence", [one for one in TABLE if "{" in one.path and "static" not in one.path], ids=str)
async def test_no_id_is_too_odd_for_an_address(world: World, visitor: Visitor, sentence: Sentence):
    person, thing = await allowed(world, sentence)
    parts = sentence.path.split("/")
    for place in (number for number, part in enumerate(parts) if "{" in part):
        for odd in ODD_IDS:
            path = address("/".join([*parts[:place], odd, *parts[place + 1:]]), thing)
            for visiting in (person, PROVINCE):
                sent = {"data": {"text": "x"}} if sentence.method == "POST" else {}
                answer = await visitor.visit(visiting, sentence.method, path, **sent)
                assert answer.status_code in (400, 403, 404, 405, 409, 410, 422), (path[:80], answer.status_code)


FOREIGN = (
    {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site", "origin": "https://evil.testserver"}, {"origin": "http://testserver.evil.example"},
    {"origin": "https://evil.example"}, {"origin": "null"}, {"origin": "http://testserver:81"}, {"origin": "nonsense"},
)


async def test_what_was_asked_for_elsewhere_is_refused_at_every_change(world: World, visitor: Visitor):
    """A form on another site's page, sent in somebody's name (Sec-Fetch-Site, or Origin where a browser is old)."""
    for sentence in POSTS:
        person, thing = await allowed(world, sentence)
        before = await world.fingerprint()
        for headers in FOREIGN:
            for visiting in (person, None):
                answer = await visitor.visit(visiting, "POST", address(sentence.path, thing), headers=headers)
                assert answer.status_code == 403, (str(sentence), headers)
        assert await world.fingerprint() == before


async def test_our_own_pages_and_old_browsers_are_let_through(world: World, visitor: Visitor):
    for headers in ({"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}, {"origin": "http://testserver"}, {}):
        answer = await visitor.visit(SECRETARY, "POST", "/settings/large", headers=headers, data={"large": "1"})
        assert answer.status_code == 303


async def test_a_cookie_that_is_nonsense_is_nobodys(world: World, visitor: Visitor):
    for cookie in ("x", "", "é", "a" * 5000, '"\\"', "%00", "ebranch=;;;", "=", "\x7f"):
        sent = [(b"cookie", f"ebranch={cookie}; ebranch-half={cookie}".encode())]
        for path, status in (("/threads", 303), ("/sign-in", 200)):
            answer = await (await visitor.client(None)).get(path, headers=sent)
            assert answer.status_code == status, cookie


async def test_everybody_of_the_cast_is_still_well(world: World, visitor: Visitor):
    for person in CAST:
        assert (await visitor.visit(person, "GET", "/me")).status_code == 200


@pytest.mark.parametrize("nonsense", [
    "http://[", "javascript:alert(1)", "https://evil.example//evil.example/x", "\\\\x", "//"])
async def test_where_a_request_says_it_came_from_may_be_nonsense(world: World, visitor: Visitor, nonsense: str):
    for person, path in ((None, "/nowhere"), (MEMBER, "/tabs"), (MEMBER, "/meetings/999999")):
        answer = await visitor.visit(person, "GET", path, headers={"Referer": nonsense})
        assert answer.status_code < 500
        assert "evil" not in answer.text
        assert "alert(1)" not in answer.text
    refused = await visitor.visit(MEMBER, "POST", "/settings/large", headers={"Origin": nonsense})
    assert refused.status_code == 403
