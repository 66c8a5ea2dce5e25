"""What a form's body holds, read as it arrives: files go to the disk, and the words beside them stay within WORDS_MOST
however much the address takes, so that the memory of the process does not grow with what somebody sends."""
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

from litestar import Request
from litestar.datastructures import FormMultiDict, UploadFile
from litestar.exceptions import ClientException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from multipart import MultipartError, MultipartSegment, PushMultipartParser

WORDS_MOST = 2_000_000  # bytes
PARTS_MOST = 1000
FIELDS_MOST = 5000  # of a form without files, which is read at once
MULTIPART = "multipart/form-data"


async def read(request: Request) -> FormMultiDict:
    """The form as sent. ClientException for a broken one, RequestEntityTooLarge for too many words."""
    media_type, options = request.content_type
    if media_type != MULTIPART:
        receive, request.receive = request.receive, counted(request.receive)
        try:
            return await request.form()
        finally:
            request.receive = receive
    boundary = options.get("boundary", "").encode()
    if not boundary:
        raise ClientException("multipart boundary missing")
    try:
        return await parts(request.stream(), boundary)
    except MultipartError as fault:
        raise ClientException("broken multipart body") from fault


def counted(receive: Any) -> Any:
    """`receive`, until it has brought more than WORDS_MOST or FIELDS_MOST."""
    brought = fields = 0

    async def receive_counted() -> Any:
        nonlocal brought, fields
        message = await receive()
        body = message.get("body", b"")
        brought, fields = brought + len(body), fields + body.count(b"&")
        if brought > WORDS_MOST or fields > FIELDS_MOST:
            raise RequestEntityTooLarge
        return message
    return receive_counted


async def parts(stream: AsyncIterator[bytes], boundary: bytes) -> FormMultiDict:
    """The parts of a multipart body: files on the disk once they are larger than a megabyte, words as text."""
    found: defaultdict[str, list[Any]] = defaultdict(list)
    segment: MultipartSegment | None = None
    part: UploadFile | bytearray = bytearray()
    words = 0
    parser = PushMultipartParser(boundary, max_segment_count=PARTS_MOST)
    began = False
    async for chunk in stream:
        began = began or bool(chunk)
        for event in parser.parse(chunk) if chunk else ():
            if isinstance(event, MultipartSegment):
                segment, part = event, UploadFile(
                    event.content_type or "text/plain", event.filename) if event.filename else bytearray()
            elif event and isinstance(part, UploadFile):
                await part.write(bytes(event))
            elif event and isinstance(part, bytearray):
                words += len(event)
                if words > WORDS_MOST:
                    raise RequestEntityTooLarge
                part.extend(event)
            elif segment is not None:
                found[segment.name].append(await ended(part, segment))
                segment = None
    if began:
        parser.close()  # a body that was cut off is no form
    return FormMultiDict.from_form_data(dict(found))


async def ended(part: UploadFile | bytearray, segment: MultipartSegment) -> UploadFile | str:
    """A part that has come whole."""
    if isinstance(part, UploadFile):
        await part.seek(0)
        return part
    return part.decode(segment.charset or "utf-8")
