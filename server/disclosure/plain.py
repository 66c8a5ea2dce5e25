"""文字, 表格 and 名单 as forms of a matter: what the edition itself holds is all there is."""
from typing import Any

from asyncpg import Record

from server.catalogues.rules import Form
from server.core.actor import Actor
from server.disclosure import checks
from server.disclosure.parts import Content, Part, declare
from server.disclosure.rules import Finding


async def begin(actor: Actor, matter: Record, edition_id: int, former: int | None) -> None:
    """Nothing besides the edition."""


async def text_findings(matter: Record, edition: Record) -> list[Finding]:
    return []


async def content(edition: Record) -> Content:
    return {}


async def shown(matter: Record, content: Content, after: int | None) -> dict[str, Any]:
    return {}


def differ(before: Content, after: Content) -> list[tuple[str, str, str]]:
    return []


async def follow(matter: Record, edition: Record) -> None:
    """It goes on from nothing."""


async def others(edition_id: int) -> list[int]:
    return []


declare(Form.TEXT, Part(begin, text_findings, content, shown, differ, follow, others))
for _form in (Form.TABLE, Form.LIST):
    declare(_form, Part(begin, checks.of_lines, content, shown, differ, follow, others))
