"""Handing files out: pictures to look at, the rest to download under its own name, recordings piece by piece."""
import pytest

from server.core import store
from server.core.database import rows
from server.core.files import safe_name
from server.core.serving import disposition
from tests.cast import MEMBER, SECRETARY
from tests.faults.photographs import photograph
from tests.meetings.stories import planned
from tests.papers import samples

FILM = samples.mp4()
NAME = "会议 “录像”\r\nX: 1.mp4"


@pytest.fixture(autouse=True)
def _folder_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setattr(store, "folder", lambda: tmp_path)


@pytest.fixture
async def address(visit, at) -> str:
    """Where a film stands."""
    made = await planned(await at("2026-11-25 19:30"))
    await at("2026-11-25 20:31")
    files = {"log_attachments_file": ("film.mp4", FILM)}
    await visit(SECRETARY, "POST", f"/meetings/{made}/log", data={"minutes": "议了", "version": 0}, files=files)
    return f"/meetings/{made}/attachments/{(await rows('SELECT id FROM file'))[0]['id']}"


async def test_a_film_is_an_attachment_that_no_browser_opens_in_our_name(visit, address):
    answer = await visit(SECRETARY, "GET", address)
    assert answer.status_code == 200
    assert len(answer.content) == len(FILM)
    wanted = {"content-type": "video/mp4", "x-content-type-options": "nosniff", "accept-ranges": "bytes",
              "content-security-policy": "sandbox; default-src 'none'", "cache-control": "no-store",
              "content-disposition": "attachment; filename=\"file.mp4\"; filename*=UTF-8''film.mp4"}
    assert {name: answer.headers[name] for name in wanted} == wanted
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(("asked", "status", "begin", "end"), [
    ("bytes=0-99", 206, 0, 100), ("bytes=100-", 206, 100, len(FILM)), ("bytes=-50", 206, len(FILM) - 50, len(FILM)),
    (f"bytes=10-{10**15}", 206, 10, len(FILM)), ("bytes=-999999999", 206, 0, len(FILM)), ("bytes=0-0", 206, 0, 1),
    ("bytes=5-4", 200, 0, len(FILM)), ("bytes=0-1,5-6", 200, 0, len(FILM)), ("bytes=-", 200, 0, len(FILM)),
    ("bytes=x-y", 200, 0, len(FILM)), ("lines=0-1", 200, 0, len(FILM)), ("bytes=٣-٤", 200, 0, len(FILM))])
async def test_a_player_gets_the_piece_it_asks_for(visit, address, asked, status, begin, end):
    whole = (await visit(SECRETARY, "GET", address)).content
    answer = await visit(SECRETARY, "GET", address, headers=[(b"range", asked.encode())])
    assert (answer.status_code, answer.content) == (status, whole[begin:end])
    assert answer.headers["content-length"] == str(end - begin)
    if status == 206:
        assert answer.headers["content-range"] == f"bytes {begin}-{end - 1}/{len(FILM)}"


@pytest.mark.parametrize("asked", [f"bytes={len(FILM)}-", f"bytes={10**17}-", "bytes=-0"])
async def test_beyond_its_end_there_is_nothing(visit, address, asked):
    answer = await visit(SECRETARY, "GET", address, headers={"range": asked})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(FILM)}")


async def test_a_piece_of_another_version_is_the_whole_of_this_one(visit, address):
    tag = (await visit(SECRETARY, "GET", address)).headers["etag"]
    for given, status in ((tag, 206), ('"x"', 200)):
        answer = await visit(SECRETARY, "GET", address, headers={"range": "bytes=0-9", "if-range": given})
        assert answer.status_code == status


async def test_who_may_not_see_it_gets_no_piece_either(visit, address):
    assert (await visit(MEMBER, "GET", address, headers={"range": "bytes=0-9"})).status_code == 404
    assert (await visit(None, "GET", address, headers={"range": "bytes=0-9"})).status_code == 303


@pytest.mark.parametrize(("name", "spelled"), [
    (NAME, "%E4%BC%9A%E8%AE%AE%20%E2%80%9C%E5%BD%95%E5%83%8F%E2%80%9DX%3A%201.mp4"), ("../../x", "x.mp4"),
    ("a\0b", "ab.mp4"), ("<script>.html", "%3Cscript%3E.html.mp4"), ("会" * 300, "%E4%BC%9A" * 100 + ".mp4"),
    ('"; x="', "%22%3B%20x%3D%22.mp4")])
def test_a_name_is_spelled_so_that_it_breaks_out_of_nothing(name, spelled):
    shown = disposition({"kind": "MP4", "name": safe_name(name)})
    assert shown == f"attachment; filename=\"file.mp4\"; filename*=UTF-8''{spelled}"


async def test_a_picture_changed_in_the_store_is_not_shown(visit, at, tmp_path):
    made = await planned(await at("2026-11-25 19:30"))
    await at("2026-11-25 20:31")
    files = {"log_photos_file": ("a.jpg", photograph())}
    await visit(SECRETARY, "POST", f"/meetings/{made}/log", data={"version": 0}, files=files)
    path = f"/meetings/{made}/photos/{(await rows('SELECT id FROM file'))[0]['id']}"
    addresses = (path, f"{path}?small")
    assert [(await visit(SECRETARY, "GET", one)).status_code for one in addresses] == [200, 200]
    for file in tmp_path.rglob("*"):
        if file.is_file():
            file.write_bytes(photograph(10))
    assert [(await visit(SECRETARY, "GET", one)).status_code for one in addresses] == [404, 404]
