"""图形验证码: four digits as a picture, or spoken. Against machines that try passwords and phones, not against people:
digits only, large, and the same ones can be heard.

The token carries when it was made, and the digits are derived from it by a key: nothing is stored until it is used,
right or wrong, and then it is over."""
import asyncio
import hmac
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from captcha.audio import AudioCaptcha
from captcha.image import ImageCaptcha
from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from server.core import forms, tokens
from server.core.clock import now
from server.core.database import row
from server.core.keys import key
from server.core.page import answer
from server.permissions import Can
from server.settings import settings

DIGITS = 4
LIFE = timedelta(minutes=10)  # to type it, with the rest of the form
TIME_BYTES, RANDOM_BYTES = 8, 16
TOKEN = "token of a picture"  # what its key is for
WIDTH, HEIGHT = 220, 80  # pixels, shown at this size
INK, PAPER = (58, 46, 40), (250, 247, 241)
HISS = bytes(124 + byte % 9 for byte in range(256))  # a little to each side of silence, which is 128
VOICES = Path(__file__).parent / "data" / "voices"  # 零 to 九 in Mandarin, spoken by espeak-ng: a folder a digit
SHADE = 48  # how light INK is, of 255
FULL_WIDTH = str.maketrans("０１２３４５６７８９", "0123456789")

FIELDS = (  # of every form that may ask for one
    forms.text("picture", "图形验证码", most=200, required=False, seen=False),
    forms.text("picture_code", "图形验证码", most=10, required=False),
)
WRONG = "图形验证码不对，请看新的一张再填"

_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="picture-code")


class Readable(ImageCaptcha):
    """Turned and bent less than the library does by itself: it is to be read at 70 and in the sun."""

    lookup_table = [min(255, shade * 255 // SHADE) for shade in range(256)]  # ink as dark as it is, not faint
    character_rotate = (-14, 14)
    character_warp_dx = (0.05, 0.15)
    character_warp_dy = (0.05, 0.15)
    word_space_probability = 0.75  # of none
    word_offset_dx = 0.05


class Audible(AudioCaptcha):
    """With a hiss behind the digits; the library's murmuring is too much for an ear of 70, and costs half a second."""

    def create_background_noise(self, length: int, chars: str) -> bytearray:
        """So many samples of it."""
        return bytearray(os.urandom(length).translate(HISS))


pictures = Readable(WIDTH, HEIGHT, font_sizes=(46, 50, 54))
sounds = Audible(voicedir=str(VOICES))
sounds.load()


def new() -> str:
    """A token for a new picture."""
    seen = int(now().timestamp() * 1000).to_bytes(TIME_BYTES) + os.urandom(RANDOM_BYTES)
    return tokens.signed(TOKEN, seen)


async def check_in(filled: forms.Filled) -> None:
    """Puts what is wrong with the picture code beside its field, in a form with FIELDS."""
    if not await check(filled["picture"], filled["picture_code"]):
        filled.errors["picture_code"] = WRONG


async def check(token: str, typed: str) -> bool:
    """Whether `typed` is what the picture says. A token serves once, right or wrong; False, too, when it is over or
    none of ours."""
    seen = open_token(token)
    if seen is None or not await use(token):
        return False
    return hmac.compare_digest(digits_of(seen).encode(), typed.strip().translate(FULL_WIDTH).encode())


async def use(token: str) -> bool:
    """Marks a token as used; False when it was used before."""
    used = await row("""INSERT INTO picture_code_use (token_hash, used_at) VALUES ($1, $2)
                        ON CONFLICT (token_hash) DO NOTHING RETURNING used_at""",
                     tokens.token_hash(token), now())
    return used is not None


def shown(token: str) -> str | None:
    """In the demonstration, what the picture says, for the page to show; else None."""
    seen = open_token(token)
    return digits_of(seen) if settings.demo and seen else None


def open_token(token: str) -> bytes | None:
    """What a token carries, if it is ours and not over."""
    seen = tokens.opened(TOKEN, token)
    if seen is None:
        return None
    age = now().timestamp() - int.from_bytes(seen[:TIME_BYTES]) / 1000
    return seen if age < LIFE.total_seconds() else None


def digits_of(seen: bytes) -> str:
    """The digits of a picture: derived, so that they are stored nowhere."""
    number = int.from_bytes(hmac.digest(key("digits of a picture"), seen, "sha256")[:8])
    return str(number % 10**DIGITS).zfill(DIGITS)


def draw(digits: str) -> bytes:
    """The picture, as PNG."""
    made = BytesIO()
    picture = pictures.create_captcha_image(digits, INK, PAPER)
    pictures.create_noise_dots(picture, INK, width=2, number=24)
    pictures.create_noise_curve(picture, INK)
    picture.save(made, "png")
    return made.getvalue()


def speak(digits: str) -> bytes:
    """The sound, as WAV."""
    return bytes(sounds.generate(digits))


async def made_of(token: str, make: Callable[[str], bytes], media_type: str) -> Response[bytes]:
    """What `make` makes of a token's digits, in one of two threads. 404 for a token that is over or none of ours."""
    seen = open_token(token)
    if seen is None:
        raise NotFoundException
    body = await asyncio.get_running_loop().run_in_executor(_threads, make, digits_of(seen))
    return Response(body, media_type=media_type, headers={"Cache-Control": "no-store"})


@get("/picture-codes/{token:str}", can=Can.PUBLIC)
async def picture(token: FromPath[str]) -> Response[bytes]:
    return await made_of(token, draw, "image/png")


@get("/picture-codes/{token:str}/sound", can=Can.PUBLIC)
async def sound(token: FromPath[str]) -> Response[bytes]:
    return await made_of(token, speak, "audio/wav")


@get("/picture-codes/new", can=Can.PUBLIC)
async def another(request: Request) -> Response[Any]:
    return answer(request, "parts/_picture_code.html", block=None, token=new())


ROUTES = [picture, sound, another]
