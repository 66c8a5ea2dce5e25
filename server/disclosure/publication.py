"""Publishing an approved edition: its fingerprint, the page every reader sees, the cards in the village's threads."""
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from asyncpg import Record
from markupsafe import Markup

from server.catalogues.rules import Audience, Category, Item
from server.catalogues.tables import item as item_of
from server.core import audit, live
from server.core.actor import Actor, Machine
from server.core.database import rows, the_row
from server.core.templates import ENVIRONMENT
from server.core.uploads import described
from server.disclosure import cards
from server.disclosure.content import fingerprint, whole
from server.disclosure.parts import part_of
from server.disclosure.rules import FILES, WALL, Signed
from server.disclosure.submission import published
from server.disclosure.tables import files_of, last_review, matter_by_id, signatures
from server.threads import actions as threads
from server.villages.rules import words_of


async def publish(actor: Actor | None, matter: Record, edition: Record) -> None:
    """Publishes an approved edition; must stand in the transaction that holds it and its matter (`hold`): no answer
    comes beside it meanwhile. actor: None where its moment came."""
    content = await whole(matter, edition)
    its = await the_row("""UPDATE edition SET state = '已公开', fingerprint = $2, published_at = ebranch_now()
                           WHERE id = $1 RETURNING *""", edition["id"], fingerprint(content))
    item = await item_of(edition["item_id"])
    audience = str(item.audience) if item else matter["audience"]
    await rows("""UPDATE matter SET edition_id = $2, title = $3, audience = $4,
                      published_at = coalesce(published_at, $5) WHERE id = $1""",
               matter["id"], edition["id"], edition["title"], audience, its["published_at"])
    await rows("INSERT INTO rendering (edition_id, html) VALUES ($1, $2)", edition["id"], await render(matter, its))
    await published(matter)
    await others_anew(matter, edition["id"])
    await audit.record(actor or Machine(), "publish_matter", "matter", matter["id"],
                       after={"number": edition["number"], "fingerprint": its["fingerprint"]})
    await tell(actor, matter, its, audience, content)


async def hold(matter: Record, edition_id: int) -> None:
    """Keeps everybody else from a matter and from those whose pages show something of it, in one order: of two who
    publish months of one village at once neither waits for the other in vain. Within a transaction."""
    every = {matter["id"], *await part_of(matter["form"]).others(edition_id)}
    await rows("SELECT FROM matter WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE", list(every))


async def render(matter: Any, edition: Any) -> str:
    """The page of an edition as all its readers see it alike."""
    return ENVIRONMENT.get_template("disclosure/_content.html").render(**await content_context(matter, edition))


Beside = Callable[[int, int], Awaitable[dict[int | None, list[dict[str, Any]]]]]
BESIDE: list[Beside] = []  # what stands beside a matter's entries (None: beside all of it): who keeps it declares it


async def beside(matter_id: int, edition_id: int) -> dict[int | None, list[dict[str, Any]]]:
    """Questions and answers that stand beside an edition of a matter, by the entry they are about."""
    found: dict[int | None, list[dict[str, Any]]] = {}
    for find in BESIDE:
        found |= await find(matter_id, edition_id)
    return found


async def render_anew(matter: Any) -> None:
    """Renders the published editions again, for what stands beside them has changed. Within a transaction; none is
    published meanwhile."""
    await rows("SELECT FROM matter WHERE id = $1 FOR NO KEY UPDATE", matter["id"])
    for edition in await rows("SELECT * FROM edition WHERE matter_id = $1 AND state = '已公开'", matter["id"]):
        await rows("UPDATE rendering SET html = $2, at = ebranch_now() WHERE edition_id = $1", edition["id"],
                   await render(matter, edition))
    for hearing in (matter["organisation_path"], live.of_readers(matter["village_code"])):
        live.changed(hearing, f"matter-{matter['id']}")


async def others_anew(matter: Any, edition_id: int) -> None:
    """Renders the pages of other matters that show something of this edition: a year's bars among them."""
    for one in await part_of(matter["form"]).others(edition_id):
        await render_anew(await matter_by_id(one))


async def content_context(matter: Any, edition: Any, *, preview: bool = False, wall: bool = False) -> dict[str, Any]:
    """What _content.html shows of an edition, published or (preview) as it would be. wall: on paper, all of it and
    nothing to tap."""
    content = await part_of(matter["form"]).content(edition)
    signed = await signatures(edition["id"], edition["version"])
    review = await last_review(edition["id"])
    answers = {} if preview or wall else await beside(matter["id"], edition["id"])
    return context(
        matter, edition, await item_of(edition["item_id"]), await files_of(edition["id"]),
        [f"{one['seat']} {one['who'].split(' · ')[0]}" for one in signed if one["verdict"] == Signed.AGREED],
        review["who"] if review and not preview else None, preview=preview, wall=wall,
    ) | {"answers": defaultdict(list, answers)} | await part_of(matter["form"]).shown(
        matter, {**content, "edition": edition}, None if wall else 0)


def context(matter: Any, edition: Any, item: Item | None, papers: Sequence[Any], signed: Sequence[str],
            reviewed: str | None, *, preview: bool = False, wall: bool = False) -> dict[str, Any]:
    """What _content.html shows of any form. signed, reviewed: by whom, as it is printed."""
    return {
        "matter": {"id": matter["id"], "category": category_word(matter["category"], matter["community"]),
                   "form": matter["form"], "village": matter["village"], "preview": preview, "wall": wall},
        "edition": {"number": edition["number"], "title": edition["title"], "html": Markup(edition["html"]),
                    "fingerprint": edition["fingerprint"], "phone": edition["phone"], "why": edition["why"],
                    "until": edition["until"], "columns": item.columns if item else (),
                    "lines": json.loads(edition["lines"]), "published_at": edition["published_at"]},
        "signed": signed, "reviewed": reviewed, "answers": defaultdict(list),
        "files": [shown_file(matter["id"], one) for one in papers if one["place"] == FILES.name],
        "wall": [shown_file(matter["id"], one) for one in papers if one["place"] == WALL.name]}


def shown_file(matter_id: int, file: Record) -> dict[str, Any]:
    """A file of an edition as the component for papers shows it."""
    return described(file, f"/disclosures/{matter_id}/files/{file['id']}")


def category_word(category: str, community: bool) -> str:
    """村务公开, in a community 居务公开; 便民服务 is called that."""
    if category == Category.CONVENIENCE:
        return category
    return f"{words_of(community).affairs if category == Category.AFFAIRS else category}公开"


async def tell(actor: Actor | None, matter: Record, edition: Record, audience: str, content: dict[str, Any]) -> None:
    """Puts the card into the threads of everybody who reads it: the villagers' of the category, the members' 三务公开
    and 党务公开 of each branch in the village (M2§15). What was said of an earlier edition is marked as over."""
    await threads.supersede(cards.MATTER, matter["id"])
    card = cards.matter_card(matter, edition, content)
    await post(actor, matter, audience, card, cards.line(edition))


async def post(actor: Actor | None, matter: Record, audience: str, card: dict[str, Any], line: str) -> None:
    """A card of a matter into all threads of those it is for, who hear of it at once."""
    readers = live.of_readers(matter["village_code"])
    for kind, organisation in await places(matter, audience):
        await threads.post_card(actor, kind, cards.MATTER, matter["id"], card, line=line,
                                organisation_id=organisation["id"], audience=organisation["path"],
                                readers=readers if kind in cards.VILLAGERS.values() else "")
    for hearing in (matter["organisation_path"], *([] if audience == Audience.MEMBERS else [readers])):
        live.changed(hearing, f"matter-{matter['id']}", "disclosures")


async def places(matter: Record, audience: str) -> list[tuple[str, Record]]:
    """The threads of a matter: kind and organisation."""
    branches = await rows("""SELECT id, path FROM organisation WHERE unit_code = $1 AND kind = '党支部'
                             AND closed_at IS NULL ORDER BY id""", matter["village_code"])
    members = "party_affairs" if matter["category"] == Category.PARTY else "disclosures"
    found = [(members, one) for one in branches]
    if audience != Audience.MEMBERS:
        villagers = cards.VILLAGERS[matter["category"]]
        found += [(villagers, one) for one in branches if one["id"] == matter["organisation_id"]]
    return found

