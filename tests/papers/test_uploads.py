"""Files on their way: in pieces that a lost connection interrupts, waiting beside their form, saved with it as one."""
import asyncio
from io import BytesIO

import pytest
from PIL import Image

from server.core import store, uploads
from server.core.database import rows
from server.core.kinds import PIECE
from server.meetings.rules import ATTACHMENTS, PHOTOS
from tests.cast import BRANCH_ADMIN, MEMBER, NEIGHBOUR, ORGANISER, SECRETARY
from tests.databases import fingerprint
from tests.faults.photographs import photograph
from tests.meetings.stories import evidence, one, planned
from tests.papers import samples

BEGINS = "2026-11-25 19:30"
WORDS = {"minutes": "议了修路", "version": 0}


def large() -> bytes:
    """A photograph of several pieces."""
    made = BytesIO()
    Image.effect_noise((1000, 900), 90).save(made, "JPEG", quality=95)
    return made.getvalue()


LARGE = large()


@pytest.fixture(autouse=True)
def _folder_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setattr(store, "folder", lambda: tmp_path)


@pytest.fixture
async def meeting_id(at):
    """A meeting that has just ended."""
    made = await planned(await at(BEGINS))
    await at("2026-11-25 20:31")
    return made


@pytest.fixture
def about(meeting_id) -> str:
    return f"/meetings/{meeting_id}/log"


async def announce(visit, to: str, body: bytes, filename: str = "记录.jpg", *, person=SECRETARY, at=PHOTOS, **more):
    form = {"place": at.name, "about": to, "name": filename, "size": len(body), "mark": f"1-{len(body)}"} | more
    return await visit(person, "POST", "/uploads", data=form)


async def piece(visit, upload: int, number: int, body: bytes, *, person=SECRETARY):
    return await visit(person, "POST", f"/uploads/{upload}/pieces/{number}", content=body[number * PIECE:][:PIECE],
                       headers={"content-type": "application/octet-stream"})


async def send(visit, about: str, body: bytes, name: str = "记录.jpg", *, person=SECRETARY, place=PHOTOS) -> int:
    """A file sent as the script does; its upload's id."""
    began = (await announce(visit, about, body, name, person=person, at=place)).json()
    for number in range(began["pieces"], began["of"]):
        assert (await piece(visit, began["id"], number, body, person=person)).status_code == 200
    done = await visit(person, "POST", f"/uploads/{began['id']}/check")
    assert (done.status_code, done.json()["done"]) == (200, True), done.text
    return began["id"]


async def save(visit, about: str, person=SECRETARY, **form):
    return await visit(person, "POST", about, data=WORDS | form)


async def standing(table: str = "log_photo") -> list[int]:
    return [found["file_id"] for found in await rows(
        f"SELECT file_id FROM {table} WHERE removed_at IS NULL ORDER BY rank")]


# In pieces ------------------------------------------------------------------------------------------------------------

async def test_a_file_travels_in_pieces_and_text_and_photographs_are_saved_together(visit, about):
    upload = await send(visit, about, LARGE)
    assert uploads.pieces_of(len(LARGE)) > 1
    assert await standing() == []
    answer = await save(visit, about, log_photos=f"u{upload}")
    assert answer.status_code == 303
    assert len(await standing()) == 1
    assert await one("SELECT minutes FROM meeting_log") == "议了修路"
    assert await evidence("write_log") == 1
    assert await rows("SELECT id FROM upload") == []


async def test_after_a_lost_connection_it_goes_on_where_it_was(visit, about):
    began = (await announce(visit, about, LARGE)).json()
    await piece(visit, began["id"], 0, LARGE)
    again = (await announce(visit, about, LARGE)).json()  # the same file, chosen again after the page was loaded anew
    assert (again["id"], again["pieces"]) == (began["id"], 1)
    assert "只传了" in (await visit(SECRETARY, "GET", about)).text
    await send(visit, about, LARGE)


async def test_a_piece_that_is_not_due_changes_nothing_and_says_which_is(visit, about):
    began = (await announce(visit, about, LARGE)).json()
    for number in (1, 7, 999_999):
        late = await piece(visit, began["id"], number, LARGE)
        assert (late.status_code, late.json()["pieces"]) == (409, 0)
    await piece(visit, began["id"], 0, LARGE)
    repeated = await piece(visit, began["id"], 0, LARGE)
    assert (repeated.status_code, repeated.json()["pieces"]) == (409, 1)
    short = await visit(SECRETARY, "POST", f"/uploads/{began['id']}/pieces/1", content=b"x")
    assert (short.status_code, short.json()["pieces"]) == (409, 1)
    long = await visit(SECRETARY, "POST", f"/uploads/{began['id']}/pieces/1", content=bytes(PIECE + 1))
    assert long.status_code == 413
    assert (await visit(SECRETARY, "POST", f"/uploads/{began['id']}/check")).status_code == 409


async def test_one_piece_sent_at_once_is_one_and_looking_twice_makes_one_file(visit, about):
    body = photograph()
    began = (await announce(visit, about, body)).json()
    sent = await asyncio.gather(*(piece(visit, began["id"], 0, body) for _ in range(4)))
    assert {answer.json()["pieces"] for answer in sent} == {1}
    looked = await asyncio.gather(*(visit(SECRETARY, "POST", f"/uploads/{began['id']}/check") for _ in range(2)))
    assert 200 in {answer.status_code for answer in looked}
    assert await one("SELECT count(*) FROM file") == 1


async def test_what_was_sent_and_not_saved_stands_there_when_the_page_is_opened_again(visit, about):
    upload = await send(visit, about, photograph(), "第一页.jpg")
    page = (await visit(SECRETARY, "GET", about)).text
    assert f'value="u{upload}"' in page
    assert "第一页.jpg" in page
    assert (await visit(SECRETARY, "GET", f"/uploads/{upload}/file?small")).headers["content-type"] == "image/jpeg"


async def test_it_is_nobody_elses(visit, about, owner):
    upload = await send(visit, about, photograph())
    assert f'value="u{upload}"' not in (await visit(ORGANISER, "GET", about)).text
    before = await fingerprint(owner)
    for method, path in (("GET", "file"), ("POST", "check"), ("POST", "removal"), ("POST", "pieces/1")):
        for person, status in ((ORGANISER, 404), (NEIGHBOUR, 404), (MEMBER, 404)):
            assert (await visit(person, method, f"/uploads/{upload}/{path}")).status_code == status
    assert await fingerprint(owner) == before
    await save(visit, about, person=ORGANISER, log_photos=f"u{upload}")
    assert await standing() == []


async def test_what_is_taken_back_is_gone(visit, about, tmp_path):
    began = (await announce(visit, about, LARGE)).json()
    await piece(visit, began["id"], 0, LARGE)
    assert (await visit(SECRETARY, "POST", f"/uploads/{began['id']}/removal")).status_code == 204
    assert await rows("SELECT id FROM upload") == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert (await visit(SECRETARY, "POST", f"/uploads/{began['id']}/removal")).status_code == 404


# Refused --------------------------------------------------------------------------------------------------------------

async def test_who_may_not_put_anything_there_sends_nothing(visit, about, owner):
    before = await fingerprint(owner)
    assert (await announce(visit, about, LARGE, person=MEMBER)).status_code == 403
    assert (await announce(visit, about, LARGE, person=None)).status_code == 401
    assert await fingerprint(owner) == before


@pytest.mark.parametrize(("more", "words"), [
    ({"size": 20_000_001}, "照片不能超过 20 MB"), ({"size": 0}, "照片是空的"), ({"size": "x"}, "文件大小不对"),
    ({"size": 2**62}, "文件大小不对"), ({"place": "nowhere"}, "没有这个上传位置"),
    ({"name": "x" * 300}, "最多 255 个字"),
    ({"about": ""}, "没有这个表单"), ({"about": "13800000000"}, "没有这个表单"),
    ({"name": "a\x00.jpg"}, "不能保存的字符")])
async def test_what_can_not_come_is_told_before_it_travels(visit, about, owner, more, words):
    before = await fingerprint(owner)
    answer = await announce(visit, about, LARGE, **more)
    assert (answer.status_code, words in answer.json()["fault"]) == (422, True)
    assert await fingerprint(owner) == before


async def test_only_so_many_wait_however_they_come(visit, about):
    answers = await asyncio.gather(*(announce(visit, about, photograph(), f"{number}.jpg")
                                     for number in range(PHOTOS.most + 3)))
    assert sorted(answer.status_code for answer in answers) == [200] * PHOTOS.most + [422] * 3
    assert (await announce(visit, "/elsewhere", photograph())).status_code == 200


@pytest.mark.parametrize("body", [b"<svg/>", samples.png_bomb(), samples.docx()], ids=["SVG", "a wall", "a zip"])
async def test_what_is_unfit_is_told_and_can_be_left_out_and_leaves_nothing(visit, about, body, tmp_path):
    began = (await announce(visit, about, body)).json()
    for number in range(began["of"]):
        await piece(visit, began["id"], number, body)
    refused = await visit(SECRETARY, "POST", f"/uploads/{began['id']}/check")
    assert refused.status_code == 422
    assert refused.json()["fault"]
    assert await one("SELECT count(*) FROM file") == 0
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert f'value="u{began["id"]}"' not in (await visit(SECRETARY, "GET", about)).text


# One form -------------------------------------------------------------------------------------------------------------

async def test_without_script_a_plain_form_brings_text_photographs_and_attachments(visit, about):
    files = [("log_photos_file", ("一.jpg", photograph(10))), ("log_photos_file", ("二.jpg", photograph(200))),
             ("log_attachments_file", ("预算.xlsx", samples.xlsx())),
             ("log_attachments_file", ("录音.mp3", samples.mp3()))]
    assert (await visit(SECRETARY, "POST", about, data=WORDS, files=files)).status_code == 303
    assert [len(await standing(table)) for table in ("log_photo", "log_attachment")] == [2, 2]
    assert await one("SELECT minutes FROM meeting_log") == "议了修路"


async def test_where_one_file_is_refused_neither_the_text_nor_the_others_are_lost(visit, about):
    files = [("log_photos_file", ("好.jpg", photograph())), ("log_photos_file", ("坏.jpg", b"<svg/>"))]
    answer = await visit(SECRETARY, "POST", about, data=WORDS, files=files)
    assert answer.status_code == 422
    assert "坏.jpg：这不是照片" in answer.text.partition('id="log_photos-error"')[2].partition("</p>")[0]
    assert "议了修路" in answer.text
    kept = await one("SELECT id FROM upload")
    assert f'value="u{kept}"' in answer.text
    await save(visit, about, log_photos=f"u{kept}")
    assert len(await standing()) == 1


async def test_they_stand_in_the_order_they_were_put_in_and_can_be_put_in_another(visit, about):
    first, second, third = [await send(visit, about, photograph(shade), f"{shade}.jpg") for shade in (10, 100, 200)]
    await save(visit, about, log_photos=[f"u{third}", f"u{first}", f"u{second}"])
    names = {found["id"]: found["name"] for found in await rows("SELECT id, name FROM file")}
    stood = await standing()
    assert [names[file_id] for file_id in stood] == ["200.jpg", "10.jpg", "100.jpg"]
    await save(visit, about, version=1, log_photos=[f"f{stood[1]}", f"f{stood[0]}", f"f{stood[2]}"])
    assert await standing() == [stood[1], stood[0], stood[2]]
    page = (await visit(SECRETARY, "GET", about)).text
    assert page.index(f'value="f{stood[1]}"') < page.index(f'value="f{stood[0]}"')


async def test_what_another_officer_added_meanwhile_stays(visit, about):
    theirs = await send(visit, about, photograph(10), person=ORGANISER)
    await save(visit, about, person=ORGANISER, minutes="", log_photos=f"u{theirs}")
    upload = await send(visit, about, photograph(200))
    await save(visit, about, log_photos=f"u{upload}")
    assert len(await standing()) == 2


async def test_when_somebody_saved_first_the_photographs_wait_on(visit, about):
    await save(visit, about, person=ORGANISER)
    upload = await send(visit, about, photograph())
    answer = await save(visit, about, minutes="另一份记录", log_photos=f"u{upload}")
    assert answer.status_code == 409
    assert f'value="u{upload}"' in answer.text
    assert (await save(visit, about, minutes="合在一起", version=1, log_photos=f"u{upload}")).status_code == 303
    assert len(await standing()) == 1


async def test_an_attachment_is_for_the_branch_once_the_log_has_passed(visit, about, meeting_id):
    upload = await send(visit, about, samples.pdf(), "预算 2026.pdf", place=ATTACHMENTS)
    await save(visit, about, log_attachments=f"u{upload}")
    (file_id,) = await standing("log_attachment")
    path = f"/meetings/{meeting_id}/attachments/{file_id}"
    for person, status in ((SECRETARY, 200), (MEMBER, 404), (NEIGHBOUR, 404)):
        assert (await visit(person, "GET", path)).status_code == status
    await visit(ORGANISER, "POST", f"{about}/check", data={"version": 1, "photos": 1, "verdict": "审核通过"})
    assert (await visit(MEMBER, "GET", path)).status_code == 200
    assert "预算 2026.pdf" in (await visit(MEMBER, "GET", f"/meetings/{meeting_id}")).text
    assert (await visit(MEMBER, "GET", f"/meetings/{meeting_id}/photos/{file_id}")).status_code == 404


async def test_a_place_of_one_form_takes_nothing_that_waits_for_another(visit, about):
    upload = await send(visit, about, photograph(), place=ATTACHMENTS)
    await save(visit, about, log_photos=f"u{upload}")
    assert await standing() == []
    elsewhere = await send(visit, "/elsewhere", photograph(), person=BRANCH_ADMIN)
    await save(visit, about, person=BRANCH_ADMIN, version=1, log_photos=f"u{elsewhere}")
    assert await standing() == []


async def test_a_form_of_words_without_end_is_not_read(visit, about, owner):
    before = await fingerprint(owner)
    long = "一" * 800_000
    words = {"data": WORDS | {"minutes": long}}
    for sent in (words, words | {"files": {"log_photos_file": ("a.jpg", b"x")}}):
        assert (await visit(SECRETARY, "POST", about, **sent)).status_code == 413
    assert await fingerprint(owner) == before
