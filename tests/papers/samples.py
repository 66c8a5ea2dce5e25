"""Files of every kind, as small as they can be, and what wicked people make of them."""
import io
import struct
import zipfile
import zlib

from openpyxl import Workbook

PLACE = b"+35.7700+116.8000/"  # where it was taken, as phones write it into a film

CONTENT_TYPES = b'<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'


def pdf(inside: bytes = b"", *, after: bytes = b"") -> bytes:
    return (b"%PDF-1.7\n1 0 obj<</Type/Catalog" + inside + b">>endobj\nxref\n0 1\ntrailer<</Root 1 0 R>>\n"
            b"startxref\n9\n%%EOF\n" + after)


def packed(parts: dict[str, bytes], *, comment: bytes = b"", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as file:
        for name, content in parts.items():
            file.writestr(name, content)
        file.comment = comment
    return made.getvalue()


def docx(more: dict[str, bytes] | None = None, **options: bytes) -> bytes:
    return packed({"[Content_Types].xml": CONTENT_TYPES, "word/document.xml": b"<document/>"} | (more or {}), **options)


def xlsx() -> bytes:
    """A real one, as Excel's users hand it in."""
    book, made = Workbook(), io.BytesIO()
    book.active.append(["姓名", "支部"])
    book.save(made)
    return made.getvalue()


def overlapping() -> bytes:
    """A zip whose parts share their bytes: a few kilobytes that unpack to as much as one likes."""
    whole = bytearray(docx({"word/a.xml": bytes(1000)}))
    end = whole.rindex(b"PK\x05\x06")
    entry = whole[whole.rindex(b"PK\x01\x02"):end]
    copies = b"".join(bytes(entry).replace(b"word/a.xml", f"word/{letter}.xml".encode()) for letter in "bcdefgh")
    count = struct.unpack("<H", whole[end + 10:end + 12])[0] + 7
    size = struct.unpack("<I", whole[end + 12:end + 16])[0] + len(copies)
    tail = b"PK\x05\x06\0\0\0\0" + struct.pack("<HHI", count, count, size) + bytes(whole[end + 16:])
    return bytes(whole[:end]) + copies + tail


def box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def mp4(*, brand: bytes = b"isom", more: bytes = b"", after: bytes = b"") -> bytes:
    """A film that tells where it was taken, twice."""
    told = box(b"udta", box(b"\xa9xyz", struct.pack(">HH", len(PLACE), 0x15C7) + PLACE))
    track = box(b"trak", box(b"tkhd", bytes(84)) + box(b"mdia", box(b"mdhd", bytes(24)) + box(b"meta", PLACE)))
    moov = box(b"moov", box(b"mvhd", bytes(100)) + track + told)
    return box(b"ftyp", brand + bytes(4) + b"isommp42") + moov + more + box(b"mdat", b"pictures" * 500) + after


def mp3(frames: int = 60, *, before: bytes = b"", after: bytes = b"") -> bytes:
    """128 kbit/s at 44,100 Hz: 417 bytes a frame."""
    tag = b"ID3\x03\0\0" + bytes((0, 0, 0, len(PLACE))) + PLACE
    return tag + before + (b"\xff\xfb\x90\x00" + b"s" * 413) * frames + b"TAG" + b"words".ljust(125, b"\0") + after


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_bomb(side: int = 20_000) -> bytes:
    """As many pixels as a house wall, in a few kilobytes."""
    packer, row = zlib.compressobj(9), bytes(1 + side // 8)
    pixels = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
