"""What a matter consists of, by its form: each form brings its checks, its content and how it is shown.

文字, 表格 and 名单 are at home here; 账目 is declared by the ledgers. Everything else treats all matters alike."""
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from asyncpg import Record

from server.catalogues.rules import Form
from server.core.actor import Actor
from server.disclosure.rules import Finding

Content = dict[str, Any]  # plain values, as they are compared and as they go into the fingerprint


@dataclass(frozen=True)
class Part:
    """begin: gives a new edition what the former one had (its id, or None for a first one). findings: what is wrong
    with it. content: what it says. shown: what its pages need besides, for a page from `after` on, or (None) all of it,
    for the wall. differ: how two contents differ, as (label, before, after). follow: brings an open edition up to what
    it goes on from. others: the matters whose published pages show something of this one, by its edition's id. desk:
    the noun of the address it is written at, where it has a page of its own."""

    begin: Callable[[Actor, Record, int, int | None], Awaitable[None]]
    findings: Callable[[Record, Record], Awaitable[list[Finding]]]
    content: Callable[[Record], Awaitable[Content]]
    shown: Callable[[Record, Content, int | None], Awaitable[dict[str, Any]]]
    differ: Callable[[Content, Content], list[tuple[str, str, str]]]
    follow: Callable[[Record, Record], Awaitable[None]]
    others: Callable[[int], Awaitable[list[int]]]
    desk: str = ""


PARTS: dict[Form, Part] = {}


def declare(form: Form, part: Part) -> Part:
    """Says what matters of a form consist of; ValueError when it was said already."""
    if PARTS.setdefault(form, part) is not part:
        raise ValueError(f"{form} is declared twice")
    return part


def part_of(form: str) -> Part:
    """The part of a form as it is stored."""
    return PARTS[Form(form)]
