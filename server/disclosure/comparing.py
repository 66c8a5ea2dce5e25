"""Two editions beside each other: what a correction changed, and what is other than in the period before."""
from collections import Counter
from collections.abc import Mapping
from typing import Any

from asyncpg import Record

from server.core.rich_text import readable
from server.core.together import Kept
from server.disclosure.content import content_of
from server.disclosure.parts import part_of

LABELS = {"title": "标题", "text": "正文", "until": "有效期至", "phone": "联系电话"}
ROWS_TOLD = 60  # rows of a table that are told one by one
_published: Kept[tuple[str, str, str], dict[str, Any]] = Kept(200)


async def content(matter: Record, edition: Record) -> dict[str, Any]:
    """What an edition says, as it is compared."""
    return content_of(edition) | await part_of(matter["form"]).content(edition)


async def difference(matter: Record, before: Record, after: Record, label: str,
                     *, periods: bool = False) -> dict[str, Any]:
    """How `after` differs from `before`, as pages show it. label: what it is held against; periods: two of them, of
    which neither takes the other's place, and whose titles name them."""
    return {"label": label, "periods": periods, "rows": [
        {"label": name, "before": old, "after": new}
        for name, old, new in differing(matter["form"], await content(matter, before), await content(matter, after))
        if not periods or name != LABELS["title"]]}


async def published_difference(matter: Record, before: Record, after: Record, label: str) -> dict[str, Any]:
    """As `difference`, of two published editions, which stay as they are: made once for all who read."""
    key = before["fingerprint"], after["fingerprint"], label
    return await _published.get(key, lambda: difference(matter, before, after, label))


def differing(form: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(label, before, after) of everything that differs between two contents."""
    found = [(label, *as_read(name, before[name], after[name])) for name, label in LABELS.items()
             if before[name] != after[name]]
    return found + rows_differing(before["lines"], after["lines"]) + part_of(form).differ(dict(before), dict(after))


def as_read(name: str, before: str, after: str) -> tuple[str, str]:
    """The two sides as they are read; with its marks a text in which nothing but these differs."""
    sides = (readable(before), readable(after)) if name == "text" else (before, after)
    return sides if sides[0] != sides[1] else (before, after)


def rows_differing(before: list[list[str]], after: list[list[str]]) -> list[tuple[str, str, str]]:
    """The rows of a table that came, went or changed; a row is known by its first cell."""
    if before == after:
        return []
    old, new = keyed(before), keyed(after)
    found = [(f"{key[0]}", "　".join(old.get(key, ())), "　".join(new.get(key, ())))
             for key in old | new if old.get(key) != new.get(key)]
    if len(found) > ROWS_TOLD:
        found = [*found[:ROWS_TOLD], ("其余", f"还有 {len(found) - ROWS_TOLD} 行不同", "")]
    return found


def keyed(rows: list[list[str]]) -> dict[tuple[str, int], list[str]]:
    """Rows by their first cell and how often it was there before."""
    found: dict[tuple[str, int], list[str]] = {}
    times: Counter[str] = Counter()
    for row in rows:
        first = row[0] if row else ""
        found[first, times[first]] = row
        times[first] += 1
    return found
