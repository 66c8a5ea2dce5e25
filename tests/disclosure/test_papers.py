"""附件 and the photograph of the board: beside their text, for those who read it, and unchanged with it."""
import pytest

from server.core.database import rows
from tests.cast import COMMITTEE, MEMBER, NEIGHBOUR, SIDIAN, VILLAGE_ADMIN, VILLAGER
from tests.disclosure.stories import (
    MEETINGS,
    ask_down,
    begin,
    begin_correction,
    decide,
    edition,
    hand_on,
    ready,
    review,
    to_township,
    written,
)
from tests.meetings.stories import one
from tests.meetings.test_actions_photos import picture
from tests.villages.test_guards import refused


async def pinned(visit, made: int, **more):
    """Sends the form with a photograph of the board."""
    its = await edition(made)
    form = {"version": its["version"], "title": its["title"], "text": its["text"]} | more
    return await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{made}/edit", data=form,
                       files=[("wall_photos_file", ("公开栏.jpg", picture(), "image/jpeg"))])


async def with_photo(visit) -> tuple[int, int]:
    """A draft with a photograph: the matter and the file."""
    made = await written(MEETINGS)
    assert (await pinned(visit, made)).status_code == 303
    return made, await one("SELECT file_id FROM edition_file")


async def test_the_photograph_stands_beside_the_text_for_its_readers(visit, at):
    await ready(at)
    made, file = await with_photo(visit)
    address = f"/disclosures/{made}/files/{file}"
    assert (await visit(VILLAGE_ADMIN, "GET", address)).status_code == 200
    for person in (VILLAGER, MEMBER, COMMITTEE):
        assert (await visit(person, "GET", address)).status_code == 404, "it is a draft"
    await hand_on(made)
    assert (await visit(COMMITTEE, "GET", address)).status_code == 200
    await review(made)
    for person in (VILLAGER, MEMBER, COMMITTEE):
        assert (await visit(person, "GET", address)).status_code == 200
    for person in (NEIGHBOUR, SIDIAN):
        assert (await visit(person, "GET", address)).status_code == 404
    assert address in (await visit(VILLAGER, "GET", f"/disclosures/{made}")).text


async def test_nobody_misses_the_photograph_that_is_there(visit, at):
    await ready(at)
    made, _ = await with_photo(visit)
    assert "没有公开栏照片" not in (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/{made}/preview")).text


async def test_a_file_whose_name_tells_of_an_illness_is_pointed_out(visit, at, owner):
    await ready(at)
    made, _ = await with_photo(visit)
    assert "像有病情" not in (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/{made}/preview")).text
    await owner.execute("UPDATE file SET name = '张三肝癌诊断.jpg'")
    assert "附件名里像有病情：张三肝癌诊断" in (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/{made}/preview")).text


async def test_another_matters_address_does_not_open_it(visit, at):
    await ready(at)
    _, file = await with_photo(visit)
    other = await begin(MEETINGS, "2026-Q4")
    assert (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/{other}/files/{file}")).status_code == 404


async def test_a_correction_keeps_it_and_may_take_it_out_and_the_former_edition_still_has_it(visit, at):
    await ready(at)
    made, file = await with_photo(visit)
    await to_township(made)
    await review(made)
    await begin_correction(made)
    assert await one("SELECT count(*) FROM edition_file") == 2
    answer = await pinned(visit, made, wall_photos=f"f{file}", wall_photos_off=f"f{file}")
    assert answer.status_code == 303
    await to_township(made)
    await review(made)
    numbers = [dict(found) for found in await rows("""
        SELECT e.number, l.file_id = $1 AS first FROM edition_file l JOIN edition e ON e.id = l.edition_id
        ORDER BY 1""", file)]
    assert numbers[0] == {"number": 1, "first": True}
    assert (await visit(VILLAGER, "GET", f"/disclosures/{made}/files/{file}")).status_code == 200


async def test_taken_down_it_is_out_of_sight_too(visit, at):
    await ready(at)
    made, file = await with_photo(visit)
    await to_township(made)
    await review(made)
    await ask_down(made)
    await decide(made, agreed=True)
    assert (await visit(VILLAGER, "GET", f"/disclosures/{made}/files/{file}")).status_code == 404
    assert (await visit(COMMITTEE, "GET", f"/disclosures/{made}/files/{file}")).status_code == 200


@pytest.mark.parametrize("sql", ["DELETE FROM edition_file", "UPDATE edition_file SET rank = 7", """
    INSERT INTO edition_file SELECT e.id, f.id, 'matter_files', 0 FROM edition e, file f ORDER BY f.id DESC LIMIT 1"""])
async def test_what_was_handed_on_keeps_its_papers(visit, as_app, at, sql):
    await ready(at)
    made, _ = await with_photo(visit)
    await hand_on(made)
    await refused("EB043", as_app, sql)


async def test_what_is_no_picture_is_told_and_nothing_typed_is_lost(visit, at):
    await ready(at)
    made = await written(MEETINGS)
    its = await edition(made)
    answer = await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{made}/edit", data={
        "version": its["version"], "title": its["title"], "text": "刚写的话"}, files=[
            ("wall_photos_file", ("公开栏.jpg", b"no picture", "image/jpeg"))])
    assert answer.status_code == 422
    assert "刚写的话" in answer.text
    assert (await edition(made))["version"] == its["version"]
