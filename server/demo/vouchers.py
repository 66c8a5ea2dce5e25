"""Photographs of the vouchers of one month, drawn: what lies under 看凭证 in the demonstration."""
import io
import secrets
from dataclasses import replace
from datetime import date
from hashlib import sha256
from math import cos, pi, sin

from asyncpg import Connection
from PIL import Image, ImageDraw, ImageFont

from server.core import store
from server.core.files import address
from server.core.kinds import SMALL_SIDE
from server.ledgers.rules import Book, Line, yuan

TABLE, PAPER, INK, RULE, SEAL = "#6f5b46", "#fbf7ea", "#23354d", "#b9c4c9", "#c0392b"
SIZE, SHEET = (1200, 900), (960, 620)  # pixels


async def photographed(connection: Connection, book: Book, by: int) -> Book:
    """The month, with a picture of each of its vouchers. by: the person who took them."""
    return replace(book, lines=[replace(line, file_id=await kept(connection, line, by)) for line in book.lines])


async def kept(connection: Connection, line: Line, by: int) -> int:
    """Stores the picture of a voucher as an upload would be; the file's id."""
    picture, place = drawn(line), secrets.token_hex(16)
    small = picture.copy()
    small.thumbnail((SMALL_SIDE, SMALL_SIDE))
    whole, reduced = jpeg(picture), jpeg(small)
    await store.put(address(place), whole)
    await store.put(address(place, small=True), reduced)
    digest = sha256(whole).digest()
    return await connection.fetchval("""
        INSERT INTO file (place, name, media_type, size, width, height, sha256_received, sha256_stored, uploaded_by,
                          kind, sha256_small)
        VALUES ($1, $2, 'image/jpeg', $3, $4, $5, $6, $6, $7, 'JPEG', $8) RETURNING id""",
                                     place, f"凭证 {line.voucher}.jpg", len(whole), *SIZE, digest, by,
                                     sha256(reduced).digest())


def jpeg(picture: Image.Image) -> bytes:
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=82)
    return written.getvalue()


def drawn(line: Line) -> Image.Image:
    """A slip on a table: its number, its day, its amount, a seal."""
    sheet = Image.new("RGB", SHEET, PAPER)
    pen = ImageDraw.Draw(sheet)
    write(pen, (60, 40), f"No. {line.voucher}", 44)
    write(pen, (620, 52), day_words(line.day), 34)
    for row in range(5):
        pen.line((60, 140 + row * 76, SHEET[0] - 60, 140 + row * 76), RULE, 2)
    for column in (60, 560, SHEET[0] - 60):
        pen.line((column, 140, column, 444), RULE, 2)
    write(pen, (84, 156), "1", 36)
    write(pen, (590, 156), yuan(line.income + line.expense), 40)
    write(pen, (84, 474), "RMB", 40)
    write(pen, (200, 466), yuan(line.income + line.expense), 52)
    seal(pen, (760, 470), 92)
    picture = Image.new("RGB", SIZE, TABLE)
    turned = sheet.convert("RGBA").rotate(2.2, Image.Resampling.BICUBIC, expand=True)
    picture.paste(turned, ((SIZE[0] - turned.width) // 2, (SIZE[1] - turned.height) // 2), turned)
    return picture


def day_words(day: date) -> str:
    return f"{day.year} . {day.month:02} . {day.day:02}"


def write(pen: ImageDraw.ImageDraw, at: tuple[int, int], text: str, size: int) -> None:
    """Figures and signs only: the font that comes with the library has no Chinese."""
    pen.text(at, text, INK, ImageFont.load_default(size))


def seal(pen: ImageDraw.ImageDraw, centre: tuple[int, int], radius: int) -> None:
    """A round seal with a star."""
    x, y = centre
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), outline=SEAL, width=6)
    pen.polygon([(x + length * sin(turn * pi / 5), y - length * cos(turn * pi / 5))
                 for turn in range(10) for length in (radius * (.42 if turn % 2 == 0 else .17),)], SEAL)
