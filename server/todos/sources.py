"""What waits for somebody. Deadlines come from the one engine; a domain adds what has no legal day of its own."""
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.core import deadlines
from server.core.actor import Actor
from server.core.clock import now
from server.core.deadline_tables import Deadline, count_to_do
from server.organisations.tables import names_of


@dataclass(frozen=True)
class ToDo:
    """One line of the 工作台. left, unit: the figure in front of it; tone: green, amber, red."""

    left: str
    unit: str
    tone: str
    title: str
    line: str
    href: str


Source = Callable[[Actor], Awaitable[list[ToDo]]]
SOURCES: list[Source] = []  # what waits without a legal day: first, for somebody waits for it
Mark = Callable[[Sequence[int]], Awaitable[dict[int, str]]]
MARKS: dict[str, Mark] = {}  # by the kind of a deadline's subject: what is to be said of some of them, by their ids
Area = Callable[[Actor], Awaitable[dict[str, Any] | None]]
AREAS: list[Area] = []  # each area's administration, with a line that says how it stands


async def grouped(actor: Actor) -> list[dict[str, Any]]:
    """The actor's to-dos by what falls due: what others wait for, 已到期, 今明两天, 以后; empty groups are left out."""
    moment = now()
    due = await deadlines.open_for(actor.organisation_path, moment, left_out=deadlines.not_for(actor.may))
    below = {line.deadline.organisation_id for _, lines in due.groups for line in lines} - {actor.organisation_id}
    names = await names_of(below) if below else {}
    marks = await marked([line.deadline for _, lines in due.groups for line in lines])
    groups: dict[str, list[ToDo]] = {"等您处理": [], "已到期": [], "今明两天": [], "以后": []}
    for heading, lines in due.groups:
        groups[heading] += [of_deadline(line, names.get(line.deadline.organisation_id), marks) for line in lines]
    for source in SOURCES:
        groups["等您处理"] += await source(actor)
    return [{"label": heading, "count": f"{len(items)} 件", "items": items}
            for heading, items in groups.items() if items]


async def marked(due: Sequence[Deadline]) -> dict[tuple[str, int], str]:
    """What domains say of the subjects of deadlines, by kind and id."""
    found: dict[tuple[str, int], str] = {}
    for kind, mark in MARKS.items():
        ids = [one.subject_id for one in due if one.subject_kind == kind]
        found |= {(kind, id_): words for id_, words in (await mark(ids) if ids else {}).items()}
    return found


def of_deadline(line: deadlines.ToDo, below: str | None, marks: Mapping[tuple[str, int], str]) -> ToDo:
    """A deadline as a to-do. below: which organisation let it lapse, where it isn't one's own; marks: of subjects."""
    its = line.deadline
    text = " · ".join(filter(None, (below, marks.get((its.subject_kind, its.subject_id)), line.view.text)))
    return ToDo(line.view.figure, line.view.unit, line.view.tone, its.title, text, its.href)


async def count(actor: Actor) -> int:
    """How many things wait for the actor: the badge of the tab."""
    own, _ = await count_to_do(actor.organisation_path, now(), deadlines.not_for(actor.may))
    return own + sum([len(await source(actor)) for source in SOURCES])
