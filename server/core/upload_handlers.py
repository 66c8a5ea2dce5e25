"""Addresses of files on their way; each answers to whoever sends the file, and to nobody else."""
from typing import Any

from asyncpg import Record
from litestar import Request, Response, get, post
from litestar.exceptions import ClientException, NotFoundException, PermissionDeniedException
from litestar.params import FromPath

from server.core import forms, serving, uploads
from server.core.kinds import PIECE, PLACES, Place, Unfit
from server.permissions import Can


def read_place(typed: list[str]) -> Place:
    """A place by its name. ValueError when there is none of that name."""
    if not typed or typed[0] not in PLACES:
        raise ValueError("没有这个上传位置，请刷新后再试")
    return PLACES[typed[0]]


def read_about(typed: list[str]) -> str:
    """The address of a form. ValueError when it can be none."""
    if not typed or not uploads.ABOUT.fullmatch(typed[0]):
        raise ValueError("没有这个表单，请刷新后再试")
    return typed[0]


ANNOUNCED = (
    forms.Field("place", "位置", read_place), forms.Field("about", "表单", read_about),
    forms.text("name", "文件名", most=uploads.NAME_MOST, required=False),
    forms.number("size", "文件大小", most=2**40), forms.text("mark", "文件标记", most=100, seen=False),
)


def told(upload: Record, blurred: bool = False, status: int = 200) -> Response[Any]:
    """How far an upload is, for the script that sends it."""
    return Response({
        "id": upload["id"], "pieces": upload["pieces"], "of": uploads.pieces_of(upload["size"]),
        "done": upload["file_id"] is not None, "fault": upload["fault"], "blurred": blurred,
    }, status_code=status, headers={"Cache-Control": "no-store"})


def refused(unfit: Unfit) -> Response[Any]:
    """Why a file can't be taken, for the script to show beside it."""
    return Response({"fault": str(unfit)}, status_code=422, headers={"Cache-Control": "no-store"})


async def find_own(request: Request, upload_id: int) -> Record:
    found = await uploads.own(request.user, upload_id)
    if found is None:
        raise NotFoundException
    return found


@post("/uploads", can=Can.SIGNED_IN, status_code=200)
async def announce(request: Request) -> Response[Any]:
    """Where a file is going and how large it is; the answer says from which piece on to send it."""
    filled = await forms.fill(request, ANNOUNCED)
    place: Place | None = filled.values.get("place")
    if place and not request.user.may(place.can):
        raise PermissionDeniedException
    try:
        if filled.errors or place is None:
            raise Unfit("；".join(filled.errors.values()))
        return told(await uploads.begin(
            request.user, place, filled["about"], filled["name"], filled["size"], filled["mark"]))
    except Unfit as unfit:
        return refused(unfit)


@post("/uploads/{upload_id:int}/pieces/{number:int}", can=Can.SIGNED_IN, status_code=200, request_max_body_size=PIECE)
async def take_piece(request: Request, upload_id: FromPath[int], number: FromPath[int]) -> Response[Any]:
    """The next piece, as it is; 409 with the number that is due for any other."""
    upload = await find_own(request, upload_id)
    kept = await uploads.take_piece(upload, number, await request.body())
    return told(await find_own(request, upload_id), status=409 if kept is None else 200)


@post("/uploads/{upload_id:int}/check", can=Can.SIGNED_IN, status_code=200)
async def check(request: Request, upload_id: FromPath[int]) -> Response[Any]:
    """All pieces have come: looks at the file. May be repeated."""
    await forms.nothing(request)
    upload = await find_own(request, upload_id)
    if upload["pieces"] < uploads.pieces_of(upload["size"]) and not upload["file_id"]:
        raise ClientException("文件还没有传完", status_code=409)
    try:
        done = await uploads.finish(request.user, upload)
    except Unfit as unfit:
        return refused(unfit)
    return told(done, await uploads.is_blurred(done))


@post("/uploads/{upload_id:int}/removal", can=Can.SIGNED_IN, status_code=204)
async def remove(request: Request, upload_id: FromPath[int]) -> None:
    await forms.nothing(request)
    await uploads.remove(await find_own(request, upload_id))


@get("/uploads/{upload_id:int}/file", can=Can.SIGNED_IN)
async def show(request: Request, upload_id: FromPath[int]) -> Response[Any]:
    """What has come, as it was kept."""
    upload = await find_own(request, upload_id)
    if upload["file_id"] is None:
        raise NotFoundException
    return await serving.serve(request, upload["file_id"])


ROUTES = [announce, take_piece, check, remove, show]
