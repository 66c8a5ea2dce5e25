"""The card of a published matter: what it says to everybody, and what the one who looks at it may do."""
from typing import Any

from asyncpg import Record

from server.catalogues.duties import period_label
from server.catalogues.rules import Category
from server.core.actor import Actor
from server.core.database import rows
from server.core.rich_text import paragraphs
from server.disclosure.tables import audiences
from server.permissions import Can
from server.threads.cards import CardState, Subjects, declares
from server.villages.rules import words_of

MATTER = "matter"  # the kind of card
VILLAGERS = {Category.PARTY: "village_party", Category.AFFAIRS: "village_affairs",
             Category.FINANCE: "village_finance", Category.CONVENIENCE: "village_convenience"}  # their threads
TONES = {Category.PARTY: "red", Category.AFFAIRS: "blue", Category.FINANCE: "gold", Category.CONVENIENCE: "green"}
LEAD = 80  # characters of the text


def matter_card(matter: Record, edition: Record, content: dict[str, Any]) -> dict[str, Any]:
    """The card of an edition that was just published. content: what the edition says, with its form's own `facts`."""
    category = Category(matter["category"])
    word = words_of(matter["community"]).affairs if category is Category.AFFAIRS else str(category)
    facts = [["时间", label]] if (label := period_label(matter["period"], matter["first"])) else []
    facts += content.get("facts", [])
    text = " ".join(" ".join(paragraphs(edition["html"])).split())
    return {
        "chip": word if edition["number"] == 1 or not edition["why"] else f"{word} · 更正", "tone": TONES[category],
        "title": edition["title"], "text": text[:LEAD] + ("……" if len(text) > LEAD else ""),
        "facts": facts + ([["更正原因", edition["why"]]] if edition["why"] else [])}


def withdrawn_card(matter: Record, reason: str, who: str) -> dict[str, Any]:
    """The notice that stays of a matter that was taken down."""
    return {"chip": "已撤下", "tone": "grey", "title": matter["title"], "text": reason, "facts": [["批准", who]]}


def line(edition: Record) -> str:
    """How the thread list shows it."""
    return f"更正：{edition['title']}" if edition["why"] else edition["title"]


@declares(MATTER)
async def own_states(actor: Actor, subjects: Subjects) -> dict[tuple[str, int], CardState]:
    """What the viewer may do with each of these matters: read it, and ask about it."""
    ids = [one for its in subjects.values() for one in its]
    found = await rows("""SELECT id, withdrawn_at FROM matter WHERE id = ANY($1) AND village_code = $2
                          AND audience = ANY($3)""", ids, actor.unit_code, audiences(actor))
    states: dict[tuple[str, int], CardState] = {}
    for one in found:
        acts: list[dict[str, Any]] = [
            {"label": "查看详情", "href": f"/disclosures/{one['id']}", "style": "main", "method": "get"}]
        if actor.may(Can.DISCLOSURE_ASK) and one["withdrawn_at"] is None:
            acts.append({"label": "我要问", "href": f"/disclosures/{one['id']}/questions/new", "style": "dim",
                         "method": "get"})
        states[MATTER, one["id"]] = {"acts": acts}
    return states
