"""Photographs of the handwritten minutes: taken in without what they tell beside the picture, shown to who may see."""
import asyncio
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageOps
from pillow_heif import register_heif_opener

from server.core import files, kinds, store
from server.core.database import rows
from server.meetings.rules import PHOTOS
from tests.cast import BRANCH_ADMIN, COMMITTEE, MEMBER, NEIGHBOUR, NEIGHBOUR_MEMBER, ORGANISER, SECRETARY, VILLAGER
from tests.databases import fingerprint
from tests.faults.photographs import photograph
from tests.meetings.stories import evidence, meeting, one, planned

register_heif_opener()
BEGINS = "2026-11-25 19:30"  # a Wednesday; the lock of what ends then is on 4 December, 24:00
TOLD = b"13700000007 at home"  # what nobody meant to show
ORIENTATION, DESCRIPTION, GPS = 0x0112, 0x010E, 0x8825


def picture(kind: str = "JPEG", size: tuple[int, int] = (64, 48), mode: str = "RGB", **more: Any) -> bytes:
    """A picture that is not all of one colour."""
    made = BytesIO()
    ImageOps.colorize(Image.linear_gradient("L").resize(size), "navy", "ivory").convert(mode).save(made, kind, **more)
    return made.getvalue()


def blank(width: int, height: int) -> bytes:
    """A picture of many pixels in few bytes."""
    made = BytesIO()
    Image.new("1", (width, height)).save(made, "PNG")
    return made.getvalue()


def telling(orientation: int = 1) -> Image.Exif:
    """EXIF as a phone writes it: where it was, and words."""
    exif = Image.Exif()
    exif[DESCRIPTION], exif[ORIENTATION] = TOLD.decode(), orientation
    exif.get_ifd(GPS).update({1: "N", 2: (35.0, 46.0, 12.0), 3: "E", 4: (116.0, 48.0, 20.0)})
    return exif


async def add(visit, meeting_id: int, *bodies: bytes, person=SECRETARY, name: str = "记录.jpg"):
    return await visit(person, "POST", f"/meetings/{meeting_id}/log", data={"version": 0},
                       files=[("log_photos_file", (name, body, "image/jpeg")) for body in bodies])


async def remove(visit, meeting_id: int, file_id: int, person=SECRETARY):
    return await visit(person, "POST", f"/meetings/{meeting_id}/log",
                       data={"version": 0, "log_photos": f"f{file_id}", "log_photos_off": f"f{file_id}"})


async def see(visit, meeting_id: int, file_id: int, person=SECRETARY):
    return await visit(person, "GET", f"/meetings/{meeting_id}/photos/{file_id}")


async def check(visit, meeting_id: int, verdict: str = "审核通过"):
    form = {"version": 0, "photos": await one("SELECT photos FROM meeting_log WHERE meeting_id = $1", meeting_id),
            "verdict": verdict, "reason": "看不清"}
    answer = await visit(ORGANISER, "POST", f"/meetings/{meeting_id}/log/check", data=form)
    assert answer.status_code == 303


async def shown(meeting_id: int) -> list[int]:
    """The ids of the photographs that stand in the log, in their order."""
    return [found["file_id"] for found in await rows(
        "SELECT file_id FROM log_photo WHERE meeting_id = $1 AND removed_at IS NULL ORDER BY file_id", meeting_id)]


def on_disk() -> list[str]:
    return sorted(str(path) for path in store.folder().rglob("*") if path.is_file())


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
async def photo(visit, meeting_id) -> int:
    """A photograph in its log, not yet checked."""
    assert (await add(visit, meeting_id, photograph())).status_code == 303
    return (await shown(meeting_id))[0]


# Taken in -------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("kind", "mode"), [
    ("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "1"),
    ("WEBP", "RGB"), ("HEIF", "RGB")])
async def test_what_a_phone_takes_is_kept_as_a_jpeg(visit, meeting_id, kind, mode):
    answer = await add(visit, meeting_id, picture(kind, mode=mode), name="../../2026/会议 记录.heic")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/meetings/{meeting_id}")
    (file_id,) = await shown(meeting_id)
    opened = Image.open(BytesIO((await see(visit, meeting_id, file_id)).content))
    assert (opened.format, opened.size) == ("JPEG", (64, 48))
    darkest, lightest = opened.convert("L").getextrema()
    assert lightest - darkest > 100  # a picture, not a blank
    assert await one("SELECT name FROM file") == "会议 记录.heic"
    assert f'src="/meetings/{meeting_id}/photos/{file_id}?small"' in (
        await visit(ORGANISER, "GET", f"/meetings/{meeting_id}/log")).text
    assert await evidence("write_log") == 1


@pytest.mark.parametrize(("kind", "more"), [
    ("JPEG", {"comment": TOLD}), ("JPEG", {"xmp": TOLD}), ("JPEG", {"icc_profile": TOLD}), ("PNG", {}), ("WEBP", {}),
    ("WEBP", {"xmp": TOLD}), ("HEIF", {})], ids=lambda one: one if isinstance(one, str) else next(iter(one), "exif"))
async def test_where_it_was_taken_is_not_kept(visit, meeting_id, kind, more):
    taken = picture(kind, exif=telling(), **more)
    assert TOLD in taken
    assert Image.open(BytesIO(taken)).getexif().get_ifd(GPS)
    await add(visit, meeting_id, taken)
    stored = (await see(visit, meeting_id, (await shown(meeting_id))[0])).content
    opened = Image.open(BytesIO(stored))
    assert dict(opened.getexif()) == {}
    assert not set(opened.info) - {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert not [mark for mark in (TOLD, b"Exif", b"http://ns.adobe.com") if mark in stored]
    assert stored.endswith(b"\xff\xd9")


async def test_it_is_kept_upright_and_no_larger_than_it_takes_to_read_it(visit, meeting_id):
    await add(visit, meeting_id, picture(size=(3000, 1000), exif=telling(orientation=6)))
    assert tuple((await rows("SELECT width, height FROM file"))[0]) == (800, 2400)
    stored = (await see(visit, meeting_id, (await shown(meeting_id))[0])).content
    assert Image.open(BytesIO(stored)).size == (800, 2400)


async def test_several_come_in_one_form_and_the_same_again_is_one(visit, meeting_id):
    pages = [photograph(10), photograph(200), photograph(10)]
    answers = await asyncio.gather(*(add(visit, meeting_id, *pages, person=who) for who in (SECRETARY, ORGANISER)))
    answers.append(await add(visit, meeting_id, pages[1], name="再传一次.jpg"))
    assert {answer.status_code for answer in answers} == {303}
    assert len(await shown(meeting_id)) == 2
    assert await evidence("write_log") == 1


# Taken off ------------------------------------------------------------------------------------------------------------

async def test_what_is_taken_off_is_seen_no_more_and_stays_as_evidence(visit, owner, meeting_id, photo):
    body, lying = (await see(visit, meeting_id, photo)).content, on_disk()
    assert (await remove(visit, meeting_id, photo)).status_code == 303
    assert await shown(meeting_id) == []
    assert f"/photos/{photo}" not in (await visit(SECRETARY, "GET", f"/meetings/{meeting_id}/log")).text
    assert (await see(visit, meeting_id, photo)).status_code == 404
    assert await files.bytes_of((await files.of_ids([photo]))[photo]) == body
    assert on_disk() == lying
    assert await one("SELECT after->'log_photos_removed'->>0 FROM audit_event WHERE verb = 'write_log' "
                     "ORDER BY id DESC LIMIT 1") == str(photo)
    before = await fingerprint(owner)
    for person in (SECRETARY, ORGANISER):
        assert (await remove(visit, meeting_id, photo, person)).status_code == 303
    assert await fingerprint(owner) == before
    await add(visit, meeting_id, photograph())
    assert len(await shown(meeting_id)) == 1


async def test_a_photograph_of_another_meeting_is_not_there(visit, owner, meeting_id, photo):
    elsewhere = await planned((await meeting(meeting_id))["begins_at"], topic="另一次会")
    await add(visit, elsewhere, photograph(), photograph(10))
    assert len(await shown(elsewhere)) == 2
    before = await fingerprint(owner)
    for file_id in (*await shown(elsewhere), 10**9):
        assert (await see(visit, meeting_id, file_id)).status_code == 404
        assert (await remove(visit, meeting_id, file_id)).status_code == 303  # it is not among what can be taken off
    assert await fingerprint(owner) == before


# Refused --------------------------------------------------------------------------------------------------------------

NO_PICTURE, DAMAGED, TOO_MANY = "这不是照片", "这张照片打不开", "照片的像素太多"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
UNFIT = {
    "empty": (b"", "照片是空的"), "text": ("开会了".encode(), NO_PICTURE), "SVG": (SVG, NO_PICTURE),
    "HTML": (b"<!doctype html><img src=x onerror=alert(1)>", NO_PICTURE), "PDF": (b"%PDF-1.7\n1 0 obj\n", NO_PICTURE),
    "GIF": (picture("GIF"), NO_PICTURE), "TIFF": (picture("TIFF"), NO_PICTURE), "BMP": (picture("BMP"), NO_PICTURE),
    "ICO": (picture("ICO"), NO_PICTURE), "only a head": (photograph()[:20], NO_PICTURE),
} | {f"half a {kind}": (picture(kind, (640, 480))[:-300], DAMAGED) for kind in ("JPEG", "PNG", "WEBP", "HEIF")} | {
    "48 million pixels": (blank(8000, 6000), TOO_MANY), "108 million pixels": (blank(12_000, 9000), TOO_MANY),
    "20 MB": (photograph().ljust(20 * kinds.MB + 1, b"\0"), "照片不能超过 20 MB"),
}


@pytest.mark.parametrize(("body", "words"), UNFIT.values(), ids=UNFIT)
async def test_what_is_no_fit_photograph_is_told_beside_the_field(visit, owner, meeting_id, body, words):
    before, lying = await fingerprint(owner), on_disk()
    answer = await add(visit, meeting_id, body)
    assert answer.status_code == 422
    assert words in answer.text.partition('id="log_photos-error"')[2].partition("</p>")[0]
    assert await fingerprint(owner) == before
    assert on_disk() == lying


@pytest.mark.parametrize("sent", [
    {"data": {"version": "0", "log_photos_file": "记录.jpg"}}, {"data": {"version": "0"}},
    {"data": {"version": "0", "log_photos_file": ""}}, {"data": {"version": "0", "log_photos": "u999999"}},
    {"data": {"version": "0", "log_photos": "../x"}},
    {"data": {"version": "0"}, "files": {"picture": ("a.jpg", photograph())}},
], ids=["a word", "nothing", "nothing chosen", "nobody's", "no word of ours", "under another name"])
async def test_without_a_photograph_nothing_is_recorded(visit, owner, meeting_id, sent):
    before = await fingerprint(owner)
    answer = await visit(SECRETARY, "POST", f"/meetings/{meeting_id}/log", **sent)
    assert answer.status_code == (303 if "u999999" in str(sent) else 422)
    assert await fingerprint(owner) == before


async def test_one_log_holds_so_many_and_no_more_however_they_come(visit, owner, meeting_id):
    await owner.execute("""
        WITH made AS (INSERT INTO file (place, name, media_type, size, width, height, sha256_received, sha256_stored,
                                        uploaded_by)
                      SELECT n, n, 'image/jpeg', 1, 1, 1, sha256(n::text::bytea), '', (SELECT min(id) FROM person)
                      FROM generate_series(1, $2) n RETURNING id)
        INSERT INTO log_photo (meeting_id, file_id) SELECT $1, id FROM made""", meeting_id, PHOTOS.most - 1)
    answers = await asyncio.gather(*(add(visit, meeting_id, photograph(shade)) for shade in (10, 200)))
    assert sorted(answer.status_code for answer in answers) == [303, 422]
    assert any(f"最多放 {PHOTOS.most} 个" in answer.text for answer in answers)
    assert len(await shown(meeting_id)) == PHOTOS.most


@pytest.mark.parametrize(("moment", "words"), [
    ("2026-11-25 19:29:50", "会议还没有开始"), ("2026-12-05 00:00:00", "已超7个工作日，禁止更改"),
    (None, "这次会议已经取消了")], ids=["not begun", "locked", "called off"])
async def test_where_nothing_may_be_recorded_none_comes_and_none_goes(
        visit, at, owner, meeting_id, photo, moment, words):
    if moment:
        await at(moment)
    else:
        await visit(SECRETARY, "POST", f"/meetings/{meeting_id}/cancellation", data={"reason": "没有人来"})
    before = await fingerprint(owner)
    for answer in (await add(visit, meeting_id, photograph(10)), await remove(visit, meeting_id, photo)):
        assert answer.status_code == 409
        assert words in answer.text
    assert await fingerprint(owner) == before
    assert (await see(visit, meeting_id, photo)).status_code == 200


@pytest.mark.parametrize(("person", "status"), [
    (MEMBER, 403), (COMMITTEE, 403), (NEIGHBOUR, 404), (None, 401),
], ids=lambda one: getattr(one, "role", None))
async def test_who_does_not_keep_this_branch_adds_and_takes_off_none(visit, owner, meeting_id, photo, person, status):
    before = await fingerprint(owner)
    assert (await add(visit, meeting_id, photograph(10), person=person)).status_code == status
    assert (await remove(visit, meeting_id, photo, person)).status_code == status
    assert await fingerprint(owner) == before


# Shown ----------------------------------------------------------------------------------------------------------------

async def seeing(visit, meeting_id: int, file_id: int, *people) -> set[int]:
    return {(await see(visit, meeting_id, file_id, person)).status_code for person in people}


@pytest.mark.parametrize(("verdict", "members"), [(None, 404), ("审核不通过", 404), ("审核通过", 200)],
                         ids=["not checked", "returned", "passed"])
async def test_officers_see_it_at_once_the_branch_once_it_has_passed_strangers_never(
        visit, meeting_id, photo, verdict, members):
    if verdict:
        await check(visit, meeting_id, verdict)
    assert await seeing(visit, meeting_id, photo, SECRETARY, ORGANISER, BRANCH_ADMIN, COMMITTEE) == {200}
    assert await seeing(visit, meeting_id, photo, MEMBER) == {members}
    assert await seeing(visit, meeting_id, photo, NEIGHBOUR, NEIGHBOUR_MEMBER) == {404}
    assert await seeing(visit, meeting_id, photo, VILLAGER) == {403}
    assert await seeing(visit, meeting_id, photo, None) == {303}
    page = (await visit(MEMBER, "GET", f"/meetings/{meeting_id}")).text
    assert (f'src="/meetings/{meeting_id}/photos/{photo}?small"' in page) is (members == 200)


async def test_what_changes_after_the_check_is_checked_anew(visit, meeting_id, photo):
    await check(visit, meeting_id)
    await add(visit, meeting_id, photograph(10))
    _, later = await shown(meeting_id)
    assert await seeing(visit, meeting_id, later, MEMBER) == {404}
    await check(visit, meeting_id)
    assert await seeing(visit, meeting_id, later, MEMBER) == {200}
    await remove(visit, meeting_id, photo)
    await check(visit, meeting_id)
    assert await seeing(visit, meeting_id, photo, MEMBER, SECRETARY) == {404}
    assert await seeing(visit, meeting_id, later, MEMBER) == {200}


async def test_whatever_hid_behind_it_it_is_nothing_but_a_picture_and_kept_by_no_cache_between(visit, meeting_id):
    await add(visit, meeting_id, photograph() + b"<script>alert(1)</script>", name="<script>.html")
    served = await see(visit, meeting_id, (await shown(meeting_id))[0])
    assert b"script" not in served.content
    wanted = {"content-type": "image/jpeg", "x-content-type-options": "nosniff",
              "content-security-policy": "sandbox; default-src 'none'"}
    assert {name: served.headers[name] for name in wanted} == wanted
    assert served.headers["cache-control"] == "no-store"
