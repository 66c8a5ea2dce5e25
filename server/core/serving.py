"""Handing a stored file to who may see it: pictures to look at, everything else to download, recordings piece by piece
as players ask for them (Range)."""
import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

from asyncpg import Record
from litestar import Request, Response
from litestar.exceptions import NotFoundException
from litestar.response import Stream

from server.core import files, store
from server.core.kinds import KINDS

HEADERS = {"Cache-Control": "no-store", "Content-Security-Policy": "sandbox; default-src 'none'",
           "X-Content-Type-Options": "nosniff"}
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


async def serve(request: Request, file_id: int) -> Response[Any]:
    """A file's answer; `?small` asks for the small picture. 404 when it is not there or not what was stored.

    Who may see it is for the caller to have asked."""
    file = (await files.of_ids([file_id])).get(file_id)
    if file is None:
        raise NotFoundException
    if not KINDS[file["kind"]].picture:
        return recording(request, file)
    body = await files.bytes_of(file, small="small" in request.query_params)
    if body is None:
        raise NotFoundException
    return Response(body, media_type=file["media_type"], headers=HEADERS)


def recording(request: Request, file: Record) -> Response[Any]:
    """The whole file or the piece that is asked for, streamed; 416 for a piece beyond its end."""
    size, tag = file["size"], f'"{file["sha256_stored"].hex()}"'
    headers = HEADERS | {"Accept-Ranges": "bytes", "ETag": tag, "Content-Disposition": disposition(file)}
    piece = asked(request, size, tag)
    if piece is None:
        headers |= {"Content-Length": str(size)}
        return Stream(blocks(file, 0, size), media_type=file["media_type"], headers=headers)
    begin, end = piece
    if begin >= end:
        return Response(b"", status_code=416, headers=headers | {"Content-Range": f"bytes */{size}"})
    headers |= {"Content-Range": f"bytes {begin}-{end - 1}/{size}", "Content-Length": str(end - begin)}
    return Stream(blocks(file, begin, end), status_code=206, media_type=file["media_type"], headers=headers)


def asked(request: Request, size: int, tag: str) -> tuple[int, int] | None:
    """From where up to where (RFC 9110 §14); None for all of it, or for several pieces, which we need not serve."""
    found = RANGE.fullmatch(request.headers.get("range", "").strip())
    if not found or not any(found.groups()) or request.headers.get("if-range", tag) != tag:
        return None
    first, last = found.groups()
    if not first:
        return max(0, size - int(last)), size
    if last and int(last) < int(first):
        return None
    return int(first), min(size, int(last) + 1 if last else size)


async def blocks(file: Record, begin: int, end: int) -> AsyncIterator[bytes]:
    """The bytes; a file that has gone breaks the answer off, and the log says so."""
    async for block in store.stream(files.address(file["place"]), begin, end):
        yield block


def disposition(file: Record) -> str:
    """Attachment under its own name, in the spelling that every browser reads and no name breaks out of (RFC 6266)."""
    suffix = KINDS[file["kind"]].suffix
    name = file["name"] if file["name"].lower().endswith(suffix) else file["name"] + suffix
    return f"attachment; filename=\"file{suffix}\"; filename*=UTF-8''{quote(name, safe='')}"
