"""PDF, DOCX and XLSX, known by what is in them: whole, nothing else hung on to them, no macro, no bomb.

They are kept as they came; whoever may, downloads them, and no browser is let open them in our name."""
import mmap
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from server.core.kinds import MB, Unfit

PARTS_MOST = 5_000
UNPACKED_MOST = 300 * MB  # bytes of all parts together
PART_MOST = 150 * MB
ALL_MOST = 20 * MB  # of all parts together, from which on the whole file has a ratio too
RATIO_MOST = 200  # times its packed size, for a part of more than a megabyte
TAIL = 2048  # bytes at the end of a PDF in which it must say that it ends
MAIN = {"word/document.xml": "DOCX", "xl/workbook.xml": "XLSX"}
ALIVE = re.compile(r"vbaproject|activex|oleobject|macrosheets"
                   r"|\.(bin|exe|js|vbs|dll|bat|cmd|com|scr|ps1|hta|lnk|jar|msi|wsf|docm|xlsm|pptm)$", re.IGNORECASE)
ALIVE_TYPE = re.compile(rb"macroEnabled|vbaProject|ms-office\.activeX", re.IGNORECASE)
ALIVE_LINK = re.compile(rb"attachedTemplate|/oleObject|/frame\"", re.IGNORECASE)  # of a part to something outside
REFERENCE = re.compile(rb"&#(?:x([0-9a-f]{1,6})|([0-9]{1,7}));", re.IGNORECASE)  # a character by its number
BEGINS = re.compile(rb"(\xef\xbb\xbf)?\s*<")  # an XML part, in UTF-8: no office program writes another encoding
OTHER_ENCODING = re.compile(rb"^[^>]*encoding\s*=\s*[\"'](?!utf-8[\"'])", re.IGNORECASE)
ENTITIES = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
ALIVE_PDF = ("JavaScript", "Launch", "EmbeddedFile", "EmbeddedFiles", "RichMedia", "SubmitForm", "ImportData", "XFA")
OBJECTS = re.compile(rb"/ObjStm\b[^\0]{0,400}?stream\r?\n", re.DOTALL)  # objects packed together
PACKED_MOST = 20_000  # such objects; a long report has some hundreds
OBJECTS_MOST = 64 * MB  # unpacked bytes of all of them
LOCKED = "文件设有密码，请去掉密码后再上传"
PRINTER = "bin", "printerSettings"  # the only binary part Excel writes by itself

BROKEN = "文件不完整或已损坏，请重新导出后再上传"
BOMB = "文件展开后太大，不能上传"
LIVELY = "文件里带有宏、脚本或内嵌程序，请另存为普通文件后再上传"


def name_in_pdf(word: str) -> bytes:
    """A pattern for a name in a PDF, any of whose characters may stand as #xx."""
    return b"/" + b"".join(b"(?:%c|#%02x)" % (character, character) for character in word.encode()) + rb"(?![A-Za-z])"


ALIVE_NAME = re.compile(b"|".join(map(name_in_pdf, ALIVE_PDF)), re.IGNORECASE)
ENCRYPTED = re.compile(name_in_pdf("Encrypt"), re.IGNORECASE)


def office_kind(source: Path) -> str:
    """DOCX or XLSX by the part it is built around; nothing for another zip."""
    try:
        with zipfile.ZipFile(source) as packed:
            names = set(packed.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return ""
    return next((kind for part, kind in MAIN.items() if part in names and "[Content_Types].xml" in names), "")


def check_office(source: Path, _: Path) -> None:
    """Unfit for a zip with anything before or after it, hostile names, macros, or more in it than can be."""
    try:
        with source.open("rb") as file, zipfile.ZipFile(file) as packed:
            parts = packed.infolist()
            file.seek(-22, 2)
            if not file.read(4) == b"PK\x05\x06" or packed.comment or len(parts) > PARTS_MOST:
                raise Unfit(BROKEN)
            check_layout(parts)
            total = 0
            for part in parts:
                total += unpacked(packed, part, UNPACKED_MOST - total)
            if total > ALL_MOST and total > RATIO_MOST * source.stat().st_size:
                raise Unfit(BOMB)
    except (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, RuntimeError, OSError, EOFError) as fault:
        raise Unfit(str(fault) if isinstance(fault, Unfit) else BROKEN) from None


def check_layout(parts: list[zipfile.ZipInfo]) -> None:
    """The parts lie one behind the other from the first byte on, each once, under names that lead nowhere else."""
    end = 0
    for part in sorted(parts, key=lambda one: one.header_offset):
        if part.header_offset < end or (end == 0 and part.header_offset):
            raise Unfit(BOMB if end else BROKEN)  # parts that share their bytes are the smallest bombs
        end = part.header_offset + 30 + part.compress_size
    names = [part.filename for part in parts]
    if len(set(names)) < len(names) or any(
            name.startswith(("/", "\\")) or ".." in name.split("/") or "\\" in name or "\0" in name or ":" in name
            for name in names):
        raise Unfit(BROKEN)
    if any(ALIVE.search(name) and "printerSettings" not in name for name in names):
        raise Unfit(LIVELY)
    if any(part.flag_bits & 1 for part in parts):
        raise Unfit(LOCKED)
    if sum(part.file_size for part in parts) > UNPACKED_MOST or any(
            part.file_size > MB and part.file_size > RATIO_MOST * max(part.compress_size, 1) for part in parts):
        raise Unfit(BOMB)


def unpacked(packed: zipfile.ZipFile, part: zipfile.ZipInfo, room: int) -> int:
    """How many bytes a part really has, whatever it says; what is XML declares no entities, and nothing is alive."""
    size, before, name = 0, b"", part.filename.lower()
    with packed.open(part) as content:
        while piece := content.read(1 << 16):
            size += len(piece)
            if size > min(room, PART_MOST):
                raise Unfit(BOMB)
            if name.endswith((".xml", ".rels")):
                first = size == len(piece)
                if b"\0" in piece or (first and (not BEGINS.match(piece) or OTHER_ENCODING.match(piece[:200]))):
                    raise Unfit(BROKEN)
                check_xml(name, REFERENCE.sub(character, before + piece))
            before = piece[-64:]
    return size


def check_xml(name: str, words: bytes) -> None:
    """Unfit for a piece of an XML part that declares entities, or hangs something alive on."""
    if ENTITIES.search(words):
        raise Unfit(BROKEN)
    if (name.endswith(".rels") and ALIVE_LINK.search(words)) or (
            name == "[content_types].xml" and ALIVE_TYPE.search(words)):
        raise Unfit(LIVELY)


def character(reference: re.Match[bytes]) -> bytes:
    """What a character's number stands for."""
    number = int(reference[1], 16) if reference[1] else int(reference[2])
    return bytes([number]) if number < 0x80 else b"?"


def check_pdf(source: Path, _: Path) -> None:
    """Unfit for a PDF that is cut off, has something hung on to it, or wants to run or start something."""
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        tail = content[-TAIL:]
        if not re.match(rb"%PDF-[12]\.\d", content[:8]) or b"startxref" not in tail \
                or not tail.rstrip(b"\r\n\t \0").endswith(b"%%EOF"):
            raise Unfit(BROKEN)
        if ENCRYPTED.search(content):
            raise Unfit(LOCKED)
        if zipfile.is_zipfile(file):
            raise Unfit(BROKEN)
        if ALIVE_NAME.search(content) or any(ALIVE_NAME.search(objects) for objects in packed_objects(content)):
            raise Unfit(LIVELY)


def packed_objects(content: mmap.mmap) -> Iterator[bytes]:
    """The objects of a PDF that are packed together, unpacked; what can't be is none."""
    room = OBJECTS_MOST
    if sum(1 for _ in re.finditer(rb"/ObjStm\b", content)) > PACKED_MOST:
        raise Unfit(BOMB)
    for found in OBJECTS.finditer(content):
        unpacking = zlib.decompressobj()
        try:
            objects = unpacking.decompress(content[found.end():found.end() + OBJECTS_MOST], room)
        except zlib.error:
            continue
        room -= len(objects)
        if room <= 0:
            raise Unfit(BOMB)
        yield objects
