"""The card of a question in the asker's own thread; what stands beside a published matter; the way to the questions."""
from typing import Any

from server.core.actor import Actor
from server.core.database import row
from server.disclosure.publication import BESIDE
from server.permissions import Can
from server.questions.tables import beside, sight
from server.threads.cards import CardState, Subjects, declares
from server.todos.sources import AREAS

BESIDE.append(beside)


@declares("question")
async def own_states(actor: Actor, subjects: Subjects) -> dict[tuple[str, int], CardState]:
    """The way to each question."""
    return {("question", one): {"acts": [
        {"label": "查看详情", "href": f"/questions/{one}", "method": "get", "style": "main"}]}
        for its in subjects.values() for one in its}


async def area(actor: Actor) -> dict[str, Any] | None:
    """For those who answer: how many wait."""
    if not actor.may(Can.QUESTION_ANSWER):
        return None
    condition, values = sight(actor)
    found = await row(f"SELECT count(*) AS many FROM question q WHERE {condition} AND q.state = '待答复'", *values)
    return {"icon": "chat", "tone": "blue", "title": "群众提问", "href": "/questions",
            "line": f"待答复 {found['many'] if found else 0} 件"}


AREAS.append(area)
