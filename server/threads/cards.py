"""Cards: what happens arrives as one, its text frozen and rendered once, its actions the viewer's own.

A domain declares a kind of card together with the query that says, for a whole page of them at once, what this viewer
may do next. That is all a thread needs to know of it."""
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypedDict

from markupsafe import Markup

from server.core.actor import Actor
from server.core.templates import ENVIRONMENT


class CardState(TypedDict, total=False):
    """What is the viewer's own on a card: actions, the running deadline, a closing note."""

    acts: list[dict[str, Any]]
    due: dict[str, Any] | None
    note: str


Subjects = dict[str, list[int]]  # what the cards of a page are about: ids by kind of card
OwnStates = Callable[[Actor, Subjects], Awaitable[dict[tuple[str, int], CardState]]]
NextUp = Callable[[Actor], Awaitable[dict[str, Any] | None]]

OWN_STATES: dict[str, OwnStates] = {}
NEXT_UP: list[NextUp] = []  # what stands on top of the thread list: the one thing that is due now


def declares(*kinds: str) -> Callable[[OwnStates], OwnStates]:
    """Declares the query for the viewer's own state on cards of `kinds`: (actor, subjects) → state by kind and id."""
    def declare(own_states: OwnStates) -> OwnStates:
        OWN_STATES.update(dict.fromkeys(kinds, own_states))
        return own_states
    return declare


def frozen(card: dict[str, Any]) -> tuple[str, str]:
    """A card as it is stored: its JSON, and the rendering every viewer shares.

    card: chip, tone, title, text, facts as `parts/card.html` says."""
    html = ENVIRONMENT.get_template("parts/_frozen.html").render(card=card)
    return json.dumps(card, ensure_ascii=False), html


async def own_states(actor: Actor, entries: list[Any]) -> dict[tuple[str, int], CardState]:
    """The viewer's own state on every card of a page: one query a domain."""
    asked: dict[OwnStates, Subjects] = {}
    for entry in entries:
        kind = entry["card_kind"]
        if kind in OWN_STATES and entry["superseded_at"] is None:
            asked.setdefault(OWN_STATES[kind], {}).setdefault(kind, []).append(entry["subject_id"])
    states: dict[tuple[str, int], CardState] = {}
    for query, subjects in asked.items():
        states |= await query(actor, subjects)
    return states


def shown(html: str) -> Markup:
    """A stored rendering, to be put into a page as it is: it came out of our own template with escaping on."""
    return Markup(html)
