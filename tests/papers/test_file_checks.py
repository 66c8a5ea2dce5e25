"""What happens to files by itself: what nobody saved vanishes; every night all are looked at and told of."""
from datetime import timedelta

import pytest

from server.core import file_checks, files, store
from server.core.clock import now
from server.core.database import row, rows
from tasks import schedule
from tests.cast import AUDITOR, SECRETARY
from tests.faults.photographs import photograph
from tests.meetings.stories import evidence, one, planned
from tests.papers import samples
from tests.papers.test_uploads import announce, piece, send

BEGINS = "2026-11-25 19:30"


@pytest.fixture(autouse=True)
def _folder_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setattr(store, "folder", lambda: tmp_path)


@pytest.fixture
async def about(visit, at) -> str:
    """A log with a photograph and a document in it, saved."""
    made = await planned(await at(BEGINS))
    await at("2026-11-25 20:31")
    form = f"/meetings/{made}/log"
    await visit(SECRETARY, "POST", form, data={"minutes": "议了", "version": 0}, files={
        "log_photos_file": ("a.jpg", photograph()), "log_attachments_file": ("b.pdf", samples.pdf())})
    return form


def lying(tmp_path) -> int:
    return sum(path.is_file() for path in tmp_path.rglob("*"))


async def finding():
    return await file_checks.last_finding()


async def place_of(kind: str) -> str:
    return await one("SELECT place FROM file WHERE kind = $1", kind)


# What nobody saved ----------------------------------------------------------------------------------------------------

async def test_what_nobody_saved_vanishes_after_a_day_and_nothing_else(visit, about, at, tmp_path):
    saved = lying(tmp_path)
    await send(visit, about, photograph(10))
    began = (await announce(visit, about, bytes(300_000), "半.jpg")).json()
    await piece(visit, began["id"], 0, bytes(300_000))
    assert lying(tmp_path) == saved + 3
    await file_checks.sweep_unsaved()
    assert lying(tmp_path) == saved + 3, "a day is a day"
    await at("2026-11-26 20:40")
    await schedule.sweep_unsaved({})
    assert lying(tmp_path) == saved
    assert await rows("SELECT id FROM upload") == []
    assert await one("SELECT count(*) FROM file") == 2


async def test_what_was_taken_off_a_log_stays(visit, about, at, tmp_path):
    saved, file = lying(tmp_path), await one("SELECT file_id FROM log_photo")
    await visit(SECRETARY, "POST", about, data={"minutes": "议了", "version": 1, "log_photos_off": f"f{file}"})
    await at("2026-12-20 10:00")
    assert await file_checks.sweep_unsaved() == 0
    assert lying(tmp_path) == saved


async def test_the_database_lets_no_file_go_that_is_referred_to_or_new(as_app, about):
    for kind in ("JPEG", "PDF"):
        with pytest.raises(Exception, match=r"log_photo_file|log_attachment_file|kept for a day"):
            await as_app.execute("DELETE FROM file WHERE kind = $1", kind)


# Every night ----------------------------------------------------------------------------------------------------------

async def look(at, moment: str) -> None:
    await at(moment)
    await schedule.look_at_files({})


async def test_in_the_night_every_file_is_looked_at_once(visit, about, at):
    await look(at, "2026-11-26 02:01")
    found = await finding()
    assert (found["checked"], found["missing"], found["changed"], found["orphans"]) == (2, [], [], 0)
    await look(at, "2026-11-26 02:02")
    assert await one("SELECT count(*) FROM file_check") == await evidence("check_files") == 1
    assert "核对了 2 个文件，与收到时一致" in (await visit(AUDITOR, "GET", "/audit/verification")).text
    await look(at, "2026-11-27 09:00")  # off in the night: done in the morning
    assert await one("SELECT count(*) FROM file_check WHERE ended_at IS NOT NULL") == 2


async def test_what_is_missing_or_changed_is_named(visit, about, at, tmp_path, caplog):
    picture, document = await place_of("JPEG"), await place_of("PDF")
    (tmp_path / files.address(picture, small=True)).unlink()
    (tmp_path / files.address(document)).write_bytes(samples.pdf(b"/Changed true"))
    await look(at, "2026-11-26 02:01")
    found = await finding()
    ids = {one["kind"]: one["id"] for one in await rows("SELECT kind, id FROM file")}
    assert (found["missing"], found["changed"]) == ([ids["JPEG"]], [ids["PDF"]])
    assert "missing" in caplog.text
    assert "1 个不见了、1 个被改动，请联系系统运维" in (await visit(AUDITOR, "GET", "/audit/verification")).text


async def test_what_no_row_speaks_of_is_counted_and_left_there(about, at, tmp_path):
    await store.put("ab/" + "ab" * 16, b"nobody's")
    await look(at, "2026-11-26 02:01")
    assert (await finding())["orphans"] == 0, "it may be on its way"
    await at("2026-11-29 02:00")
    check = await row("INSERT INTO file_check (day) VALUES ('2026-11-28') RETURNING began_at")
    assert await file_checks.orphans(now() + timedelta(days=400)) == 1
    assert check
    assert (tmp_path / "ab" / ("ab" * 16)).exists()


async def test_it_goes_on_slice_by_slice(about, at, monkeypatch):
    monkeypatch.setattr(file_checks, "BATCH", 1)
    await at("2026-11-26 02:01")
    await file_checks.look_at_files(slice_s=0)
    assert await finding() is None
    for _ in range(5):
        await file_checks.look_at_files(slice_s=0.001)
    assert (await row("SELECT reached FROM file_check"))["reached"] > 0
    await file_checks.look_at_files()
    assert (await finding())["checked"] == 2
