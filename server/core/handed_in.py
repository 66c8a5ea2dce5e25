"""An .xlsx that comes with a form, and one that is handed out."""
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from litestar import Response
from litestar.datastructures import UploadFile

from server.core import forms, sheets
from server.core.files import safe_name

FILE = forms.files("file", "表格")
LIMIT = 40_000_000  # bytes that are taken in to be told, in words, that they are too many


@dataclass(frozen=True)
class HandedIn:
    """A file that could be read: how it is called, the SHA-256 of it, what it holds."""

    name: str
    digest: bytes
    sheet: sheets.Sheet


async def read(filled: forms.Filled, layout: sheets.Layout) -> HandedIn | None:
    """The one file of a form with FILE in it; None where anything of the form is wrong, what is wrong with the file
    beside its field."""
    files: list[UploadFile] = filled.values.get("file") or []
    if len(files) != 1 or not files[0].filename:
        filled.errors["file"] = "请选择填好的表格（.xlsx）"
    if filled.errors:
        return None
    try:
        body = await files[0].read()
        return HandedIn(safe_name(files[0].filename), sha256(body).digest(), await sheets.read(body, layout))
    except sheets.Unfit as unfit:
        filled.errors["file"] = str(unfit)
        return None


def workbook(body: bytes, name: str) -> Response[Any]:
    """The answer that hands one out."""
    return Response(body, media_type=sheets.MEDIA_TYPE, headers={
        "Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"})
