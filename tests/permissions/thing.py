"""One thing an address can be about."""
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Thing:
    """One thing an address can be about: what stands in the address, and what a form about it needs."""

    name: str
    path: str  # of the organisation it belongs to
    ids: dict[str, Any] = field(default_factory=dict)
    owner: str | None = None  # the phone of the person it belongs to
    stage: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    again: Callable[[], Awaitable["Thing"]] | None = field(default=None, compare=False)  # makes another one like it


def id_of(path: str) -> int:
    """The organisation whose path this is."""
    return int(path.rstrip("/").rpartition("/")[2])
