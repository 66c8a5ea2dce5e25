"""Files on their way: in pieces from a phone that may lose its connection, or whole in a plain form. What has arrived
waits beside its form, for whoever sent it alone, until the form is saved; after a day without that it vanishes.

A form's place is three fields: {name} the order of everything in it ("u12" waits, "f5" is there already), {name}_off
what is to be taken out, {name}_file files a browser without script sends with the form."""
import asyncio
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from asyncpg import Record
from litestar.datastructures import UploadFile

from server.core import files, forms, store
from server.core.actor import Actor
from server.core.database import row, rows, transaction
from server.core.kinds import KINDS, MB, PICTURES, PIECE, PLACES, Place, Unfit

REFERENCE = re.compile(r"[uf][1-9]\d{0,17}", re.ASCII)
WAITING_MOST = 100  # uploads of one person that are not saved yet
WAITING_BYTES = 1000 * MB
COUNTING_LOCK = 7_010  # advisory, with the person: so that what waits is counted exactly
NAME_MOST = 255  # characters
ABOUT = re.compile(r"/[a-z0-9/-]{1,119}", re.ASCII)  # the address of the form that a file waits beside
COLUMNS = "id, place, about, name, size, pieces, file_id, fault, mark"


def pieces_of(size: int) -> int:
    """In how many pieces a file of `size` bytes travels."""
    return -(-size // PIECE)


def piece_name(upload_id: int, number: int) -> str:
    return f"uploads/{upload_id}/{number:06}"


# In pieces ------------------------------------------------------------------------------------------------------------

async def begin(actor: Actor, place: Place, about: str, name: str, size: int, mark: str) -> Record:
    """Announces a file; the same one again (`mark`: what the browser knows it by, kept as a hash) goes on where it was.

    Unfit when it is too large, or too much waits already."""
    word = "照片" if place.pictures_only else "文件"
    if not 0 < size <= place.most_bytes:
        raise Unfit(f"{word}不能超过 {place.most_bytes // MB} MB" if size else f"{word}是空的，请重新选择")
    key = actor.person_id, place.name, about, files.safe_name(name), size, sha256(mark.encode()).hexdigest()
    found = await row(f"""UPDATE upload SET fault = NULL WHERE
        (person_id, place, about, name, size, mark) = ($1, $2, $3, $4, $5, $6) RETURNING {COLUMNS}""", *key)
    if found:
        return found
    async with transaction():
        await rows("SELECT pg_advisory_xact_lock($1, $2)", COUNTING_LOCK, actor.person_id % 2**31)
        waiting = await rows("SELECT size, place, about FROM upload WHERE person_id = $1", actor.person_id)
        here = sum((one["place"], one["about"]) == (place.name, about) for one in waiting)
        if here >= place.most or len(waiting) >= WAITING_MOST \
                or sum(one["size"] for one in waiting) + size > WAITING_BYTES:
            raise Unfit(f"最多放 {place.most} 个文件，请先提交或去掉一些")
        made = await row(f"""
            INSERT INTO upload (person_id, place, about, name, size, mark) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (person_id, place, about, name, size, mark) DO UPDATE SET fault = NULL
            RETURNING {COLUMNS}""", *key)
    return made


async def own(actor: Actor, upload_id: int) -> Record | None:
    """The actor's own upload of that id, or None."""
    return await row(f"SELECT {COLUMNS} FROM upload WHERE id = $1 AND person_id = $2", upload_id, actor.person_id)


async def take_piece(upload: Record, number: int, body: bytes) -> int | None:
    """Keeps one piece; how many there are then, or None when this is not the one that is due."""
    due = min(PIECE, upload["size"] - number * PIECE)
    if number != upload["pieces"] or len(body) != due:
        return None
    async with transaction():  # one piece after the other: the loser of two at once writes nothing
        held = await row("SELECT FROM upload WHERE id = $1 AND pieces = $2 FOR NO KEY UPDATE", upload["id"], number)
        if held is None:
            return None
        await store.put(piece_name(upload["id"], number), body, lasting=False)
        kept = await row("UPDATE upload SET pieces = pieces + 1 WHERE id = $1 RETURNING pieces", upload["id"])
    return kept["pieces"] if kept else None


async def finish(actor: Actor, upload: Record) -> Record:
    """Puts the pieces together, opens what they make, and keeps it as a file that waits for its form; may be repeated.

    Unfit, in words, when it can't be kept; the words stay with the upload."""
    if upload["file_id"] or upload["pieces"] < pieces_of(upload["size"]):
        return upload
    with files.desk() as desk:
        source = desk / "source"
        try:
            with source.open("wb") as whole:
                for number in range(upload["pieces"]):
                    whole.write(await store.get(piece_name(upload["id"], number)))
            await keep(actor, upload, source)
        except store.Missing:  # another had them looked at, or a power cut took the last ones
            if (done := await own(actor, upload["id"])) is None or done["file_id"] is None:
                await rows("UPDATE upload SET pieces = 0 WHERE id = $1 AND file_id IS NULL", upload["id"])
                raise Unfit("没有完整收到，请去掉后再选一次") from None
        except Unfit as unfit:
            await rows("UPDATE upload SET fault = $2, pieces = 0 WHERE id = $1", upload["id"], str(unfit))
            raise
        finally:
            await store.clear(f"uploads/{upload['id']}")
    return await own(actor, upload["id"]) or upload


async def keep(actor: Actor, upload: Record, source: Path) -> None:
    """Checks what lies at `source` and makes it the upload's file, once however often it is asked."""
    checked = await files.check(PLACES[upload["place"]], source, upload["name"])
    place = await files.put(checked)
    async with transaction():
        if await row("SELECT id FROM upload WHERE id = $1 AND file_id IS NULL FOR NO KEY UPDATE", upload["id"]):
            file_id = await files.enter(actor.person_id, place, checked)
            await rows("UPDATE upload SET file_id = $2, fault = NULL WHERE id = $1", upload["id"], file_id)
            return
    await files.discard(place)


async def remove(upload: Record) -> None:
    """Takes an upload back; what it had become goes with the next sweep."""
    await rows("DELETE FROM upload WHERE id = $1", upload["id"])
    await store.clear(f"uploads/{upload['id']}")


# In a form ------------------------------------------------------------------------------------------------------------

def fields(place: Place) -> tuple[forms.Field, ...]:
    """The place's fields of a form."""
    return (references(place.name, place.label), references(f"{place.name}_off", place.label),
            forms.files(f"{place.name}_file", place.label))


def references(name: str, label: str) -> forms.Field:
    """Files by "u…" or "f…", each once, in their order."""
    def read_references(typed: list[str]) -> list[str]:
        if not all(REFERENCE.fullmatch(one) for one in typed):
            raise ValueError(f"{label}的选择不对，请刷新后再试")
        return list(dict.fromkeys(typed))
    return forms.Field(name, label, read_references, many=True)


def form_limit(*places: Place) -> int:
    """Bytes of a whole form with these places in it, sent at once by a browser without script."""
    return 2 * MB + sum(min(place.most * place.most_bytes, 240 * MB) for place in places)


@dataclass
class Handed:
    """What a form has in a place: the order, what is to go, what could not be taken (in words)."""

    place: Place
    about: str
    order: list[str] = field(default_factory=list)
    off: set[str] = field(default_factory=set)
    fault: str | None = None

    def __bool__(self) -> bool:
        """Whether anything is new in it."""
        return any(one.startswith("u") for one in self.order if one not in self.off)


async def handed_in(actor: Actor, place: Place, about: str, filled: forms.Filled) -> Handed:
    """What `filled` has in `place`; files that came with the form are taken in now, and wait even when it is refused.

    about: the address of the form. What can't be taken is told beside the place's field (filled.errors)."""
    handed = Handed(place, about, list(filled.values.get(place.name, [])),
                    set(filled.values.get(f"{place.name}_off", [])))
    faults = [filled.errors[one.name] for one in fields(place) if one.name in filled.errors]
    for sent in filled.values.get(f"{place.name}_file", []):
        try:
            handed.order.append(f"u{await take_whole(actor, place, about, sent)}")
        except Unfit as unfit:
            faults.append(f"{files.safe_name(sent.filename)}：{unfit}")
    if faults:
        filled.errors[place.name] = handed.fault = "；".join(dict.fromkeys(faults))
    return handed


async def take_whole(actor: Actor, place: Place, about: str, sent: UploadFile) -> int:
    """Takes in one file that came whole; the id of its upload."""
    with files.desk() as desk:
        source = desk / "source"
        size, mark = await asyncio.to_thread(copied, sent, source)
        upload = await begin(actor, place, about, sent.filename, size, mark)
        if not upload["file_id"]:
            try:
                await keep(actor, upload, source)
            except Unfit:
                await remove(upload)
                raise
    return upload["id"]


def copied(sent: UploadFile, source: Path) -> tuple[int, str]:
    """Copies a file to where it will be looked at; its size, and what it is known by."""
    with source.open("wb") as whole:
        shutil.copyfileobj(sent.file, whole, PIECE)
    return source.stat().st_size, files.digest(source).hex()


@dataclass(frozen=True)
class Kept:
    """What a place holds once a form is saved: files' ids in their order, the rows that are new, the ids that went."""

    order: tuple[int, ...]
    added: tuple[Record, ...]
    removed: tuple[int, ...]


async def settle(actor: Actor, handed: Handed, there: Sequence[Record]) -> Kept:
    """What the place holds after this form; the uploads it names wait no more. Must stand in the form's transaction,
    the thing it is about held. there: the files in it now (id, sha256_received), in their order.

    What somebody else added meanwhile stays, behind. The same file again is one. Unfit where it would hold too many."""
    named = [int(one[1:]) for one in handed.order if one.startswith("u")]
    waiting = {one["id"]: one["file_id"] for one in await rows("""
        DELETE FROM upload WHERE id = ANY($1) AND (person_id, place, about) = ($2, $3, $4) AND file_id IS NOT NULL
        RETURNING id, file_id""", named, actor.person_id, handed.place.name, handed.about)}
    fresh = await files.of_ids(list(waiting.values()))
    now_there = {f"f{one['id']}": one["id"] for one in there}
    known = {one["sha256_received"] for one in there if f"f{one['id']}" not in handed.off}
    order, added = [], []
    for one in (*handed.order, *now_there):
        file = fresh.get(waiting.get(int(one[1:]), 0)) if one.startswith("u") else None
        if one in handed.off or (one in now_there and now_there[one] in order):
            continue
        if one in now_there:
            order.append(now_there[one])
        elif file and file["sha256_received"] not in known:
            known.add(file["sha256_received"])
            order.append(file["id"])
            added.append(file)
    if added and len(order) > handed.place.most:
        raise Unfit(f"最多放 {handed.place.most} 个，请去掉一些")
    removed = [its for one, its in now_there.items() if one in handed.off]
    return Kept(tuple(order), tuple(added), tuple(removed))


# Shown ----------------------------------------------------------------------------------------------------------------

async def waiting(actor: Actor, place: Place, about: str) -> list[Record]:
    """What the actor has sent to a form's place and not saved, in the order it came."""
    return await rows("""
        SELECT u.id, u.name, u.size AS sent, coalesce(f.size, u.size) AS size, u.pieces, u.file_id, f.kind, f.blurred
        FROM upload u LEFT JOIN file f ON f.id = u.file_id
        WHERE (u.person_id, u.place, u.about) = ($1, $2, $3) AND u.fault IS NULL ORDER BY u.id""",
                      actor.person_id, place.name, about)


async def listed(actor: Actor, place: Place, about: str, there: Iterable[dict[str, Any]] = (),
                 handed: Handed | None = None) -> dict[str, Any]:
    """What the upload component shows (see pages/parts/upload.html).

    there: the files in the place now, as `described`; handed: the form as it was sent, whose order is kept."""
    items = [one | {"value": f"f{one['id']}"} for one in there]
    for one in await waiting(actor, place, about):
        items.append(described(one, f"/uploads/{one['id']}/file") | {
            "value": f"u{one['id']}", "share": 100 * one["pieces"] // pieces_of(one["sent"]),
            "done": one["file_id"] is not None})
    if handed:
        rank = {value: number for number, value in enumerate(handed.order)}
        items.sort(key=lambda one: rank.get(one["value"], len(rank)))
        for one in items:
            one["off"] = one["value"] in handed.off
    return {"place": place, "about": about, "files": items}


async def is_blurred(upload: Record) -> bool:
    """Whether what has come is a scan that nobody could read (清晰规范)."""
    file = (await files.of_ids([upload["file_id"] or 0])).get(upload["file_id"])
    return bool(file and file["blurred"] and PLACES[upload["place"]].scans)


def described(file: Any, href: str) -> dict[str, Any]:
    """A file as pages show it. file: a row with id, name, kind, size, blurred; href: where who may see it gets it."""
    kind = KINDS[file["kind"]] if file["kind"] else None
    return {"id": file["id"], "name": file["name"], "kind": kind.name if kind else "",
            "words": f"{kind.words} · {size_words(file['size'])}" if kind else size_words(file["size"]),
            "href": href, "small": f"{href}?small" if kind and kind.name in PICTURES else None,
            "blurred": bool(file["blurred"]), "done": True, "off": False}


def size_words(size: int) -> str:
    """A size as people say it."""
    return f"{size / MB:.1f} MB" if size >= MB else f"{max(1, size // 1000)} KB"
