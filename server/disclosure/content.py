"""All that an edition says, as plain values, and the short fingerprint no other content has (M3§8)."""
import base64
import json
from hashlib import sha256
from typing import Any

from asyncpg import Record

from server.disclosure.parts import part_of
from server.disclosure.tables import files_of

SHORT = 60  # bits of a fingerprint that are printed: twelve characters


def content_of(edition: Any) -> dict[str, Any]:
    """What an edition says whatever its form: title, text, table, until when, whom to call."""
    return {"title": edition["title"], "text": edition["text"], "lines": json.loads(edition["lines"]),
            "until": edition["until"].isoformat() if edition["until"] else "", "phone": edition["phone"]}


async def whole(matter: Record, edition: Record) -> dict[str, Any]:
    """All that an edition says, as plain values: what is compared, and what the fingerprint is of."""
    papers = [[one["place"], one["sha256_stored"].hex()] for one in await files_of(edition["id"])]
    part = await part_of(matter["form"]).content(edition)
    return {"village": matter["village_code"], "item": matter["item"], "period": matter["period"],
            "number": edition["number"], **content_of(edition), "files": papers, **part}


def fingerprint(content: dict[str, Any]) -> str:
    """Twelve characters that another content would not have: K7QF-3M2A-9DXE."""
    spelled = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    text = base64.b32encode(sha256(spelled.encode()).digest()).decode()[:SHORT // 5]
    return "-".join(text[place:place + 4] for place in range(0, len(text), 4))
