"""图形验证码: picture and sound say the same digits; each serves once, for ten minutes; nothing tells the digits."""
import asyncio
import wave
from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from server.core import picture_code
from server.core.database import rows
from server.core.picture_code import check, new, shown
from server.core.templates import ENVIRONMENT

WRONG = "x"


async def test_what_the_picture_says_fits_once(database):
    token = new()
    assert await check(token, shown(token))
    assert not await check(token, shown(token))


async def test_a_wrong_answer_ends_the_picture_too(database):
    token = new()
    assert not await check(token, WRONG)
    assert not await check(token, shown(token))


async def test_a_hundred_answers_at_once_are_one(database):
    token = new()
    said = await asyncio.gather(*(check(token, shown(token)) for _ in range(100)))
    assert sum(said) == 1
    assert len(await rows("SELECT FROM picture_code_use")) == 1


async def test_digits_of_a_chinese_keyboard_are_digits(database):
    token = new()
    assert await check(token, " " + shown(token).translate(str.maketrans("0123456789", "０１２３４５６７８９")) + " ")


async def test_after_ten_minutes_the_picture_is_over(at, visit):
    await at("2026-11-22 19:30:00")
    token, late = new(), new()
    digits = shown(token)
    await at("2026-11-22 19:39:58")
    assert await check(token, digits)
    await at("2026-11-22 19:40:01")
    assert not await check(late, digits)
    assert (await visit(None, "GET", f"/picture-codes/{late}")).status_code == 404


@pytest.mark.parametrize("token", ["", "x", "é", "\x00", "AAAA", "A" * 75, "a" * 5000])
async def test_a_token_that_is_none_of_ours_says_nothing(visit, token):
    assert not await check(token, "0000")
    assert shown(token) is None
    assert await rows("SELECT FROM picture_code_use") == []
    if token.isalnum() and token.isascii():
        for path in (f"/picture-codes/{token}", f"/picture-codes/{token}/sound"):
            assert (await visit(None, "GET", path)).status_code == 404


async def test_a_token_that_was_changed_is_none_of_ours(database):
    token = new()
    assert not await check(token[:12] + ("A" if token[12] != "A" else "B") + token[13:], shown(token))
    assert await check(token, shown(token))


async def test_tokens_differ_and_so_do_their_digits(database):
    tokens = [new() for _ in range(300)]
    assert len(set(tokens)) == 300
    digits = [shown(token) for token in tokens]
    assert all(len(one) == 4 and one.isdecimal() for one in digits)
    assert len(set(digits)) > 250


async def test_the_picture_is_a_picture_each_time_another_and_kept_by_nobody(visit):
    path = f"/picture-codes/{new()}"
    answers = [await visit(None, "GET", path) for _ in range(2)]
    for answer in answers:
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["cache-control"] == "no-store"
        assert Image.open(BytesIO(answer.content)).size == (picture_code.WIDTH, picture_code.HEIGHT)
        assert len(answer.content) < 20_000
    assert answers[0].content != answers[1].content


async def test_the_sound_is_a_sound_of_the_same_digits(visit, monkeypatch):
    said = []
    for make in ("draw", "speak"):
        monkeypatch.setattr(picture_code, make, told(said, getattr(picture_code, make)))
    token = new()
    picture = await visit(None, "GET", f"/picture-codes/{token}")
    sound = await visit(None, "GET", f"/picture-codes/{token}/sound")
    assert picture.status_code == 200
    assert said == [shown(token)] * 2
    assert sound.headers["content-type"] == "audio/wav"
    with wave.open(BytesIO(sound.content)) as heard:
        assert 3 < heard.getnframes() / heard.getframerate() < 20


def told(said, make):
    def made(digits):
        said.append(digits)
        return make(digits)

    return made


async def test_looking_and_listening_use_nothing_up(visit):
    token = new()
    for path in (f"/picture-codes/{token}", f"/picture-codes/{token}/sound"):
        await visit(None, "GET", path)
    assert await check(token, shown(token))


async def test_drawing_does_not_hold_up_other_requests(visit, monkeypatch):
    import threading

    where = []
    monkeypatch.setattr(picture_code, "draw", lambda digits: where.append(threading.current_thread().name) or b"x")
    await visit(None, "GET", f"/picture-codes/{new()}")
    assert where[0].startswith("picture-code")


def page(token: str, error: str | None = None) -> str:
    template = '{% from "parts/form.html" import picture_code %}{{ picture_code(token, error) }}'
    return ENVIRONMENT.from_string(template).render(token=token, error=error)


async def test_outside_the_demonstration_neither_page_nor_address_tells_the_digits(database, monkeypatch):
    token = new()
    digits = shown(token)
    assert f"<b class=\"num\">{digits}</b>" in page(token)
    monkeypatch.setattr(picture_code, "settings", replace(picture_code.settings, demo=False))
    assert shown(token) is None
    written = page(token, "不对").replace(token, "").replace('height="80"', "").replace('width="220"', "")
    assert digits not in written
    assert "演示" not in written


async def test_another_picture_comes_as_a_piece_of_the_page(visit):
    answer = await visit(None, "GET", "/picture-codes/new", headers={"hx-request": "true"})
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert '<input type="hidden" name="picture" value="' in answer.text
    assert answer.headers["cache-control"] == "no-store"


async def test_a_use_is_not_taken_back(as_app):
    import asyncpg

    await check(new(), WRONG)
    for change in ("DELETE FROM picture_code_use", "UPDATE picture_code_use SET token_hash = sha256('x')"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await as_app.execute(change)


@pytest.mark.parametrize("respelled", [lambda token: token[:5] + "!" + token[5:], lambda token: token + "=",
                                       lambda token: token + "\n"])
async def test_a_token_in_another_spelling_is_none_and_does_not_serve_once_more(database, respelled):
    token = picture_code.new()
    digits = picture_code.shown(token)
    assert picture_code.shown(respelled(token)) is None
    assert not await picture_code.check(respelled(token), digits)
    assert await picture_code.check(token, digits)
    assert not await picture_code.check(respelled(token), digits)
