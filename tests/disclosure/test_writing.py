"""A matter is written: saved, saved by itself, saved by two; numbers masked for good; nothing typed is lost."""
import asyncio
import json

import pytest

from server.core.moves import WrongState
from server.disclosure.editing import Stale
from tests.cast import COMMITTEE, MEMBER, NEIGHBOUR, SECRETARY, SUPERVISOR, VILLAGE_ADMIN, VILLAGER
from tests.databases import fingerprint
from tests.disclosure.stories import (
    MEETINGS,
    POOR,
    TEXT,
    begin,
    edition,
    matter,
    published,
    ready,
    returned,
    save,
    signing,
    submitted,
    withdrawn,
    written,
)
from tests.meetings.stories import one

QUARTER = "2026-Q3"
ID = "370921196502031234"


def form(version: int = 1, **more) -> dict:
    return {"version": version, "title": "三季度会议决定", "text": TEXT, "until": "", "phone": "", "publish_at": "",
            "why": "", "pasted": ""} | more


async def post(visit, made: int, noun: str = "edit", person=VILLAGE_ADMIN, **more):
    return await visit(person, "POST", f"/disclosures/{made}/{noun}", data=form(**more))


async def test_saved_it_is_there_and_shown_before_it_is_handed_on(visit, at):
    await ready(at)
    made = await begin(MEETINGS, QUARTER)
    answer = await post(visit, made, text="**决定**\n\n- 修路\n- 装灯", phone="0538-5621234", until="2026-12-31")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/disclosures/{made}/preview")
    its = await edition(made)
    assert (its["title"], its["version"], its["phone"]) == ("三季度会议决定", 2, "0538-5621234")
    assert "<strong>决定</strong>" in its["html"]
    preview = (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/{made}/preview")).text
    for word in ("三季度会议决定", "<strong>决定</strong>", "预览，还没有公开", "没有公开栏照片"):
        assert word in preview


async def test_what_is_typed_is_cleaned(at):
    await ready(at)
    made = await written(text="<script>alert(1)</script><b onclick=x>好</b> [看](javascript:alert(1))")
    html = (await edition(made))["html"]
    assert "<script" not in html
    assert "onclick" not in html.replace("&lt;b onclick", "")
    assert 'href="javascript' not in html


async def test_a_table_is_saved_with_its_numbers_masked_for_good(visit, at):
    await ready(at)
    made = await begin(POOR, QUARTER)
    answer = await post(visit, made, cell=["张大爷", f"低保 {ID}", "1", "520", "", "", "", ""],
                        pasted="李奶奶\t特困\t１\t900")
    assert answer.status_code == 303, answer.text
    assert json.loads((await edition(made))["lines"]) == [
        ["张大爷", "低保 3709************34", "1", "520"], ["李奶奶", "特困", "1", "900"]]
    assert ID not in str(await one("SELECT string_agg(edition::text, '') FROM edition"))


async def test_a_number_in_a_text_is_pointed_out(visit, at):
    await ready(at)
    made = await written(text=f"补助给 {ID}。")
    assert "还露着像身份证号" in (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/{made}/preview")).text


@pytest.mark.parametrize(("changed", "words"), [
    ({"title": ""}, "请填写标题"), ({"title": "长" * 61}, "标题最多 60"), ({"text": "长" * 20001}, "正文最多"),
    ({"until": "明天"}, "有效期至要写成"), ({"phone": "村委会"}, "联系电话要写成"),
    ({"publish_at": "明早"}, "定时公开要写成"),
    ({"version": "x"}, "版本不对"), ({"text": "\x00坏"}, "不能保存的字符")])
async def test_a_wrong_form_leaves_nothing_behind_and_keeps_what_was_typed(visit, at, owner, changed, words):
    await ready(at)
    made = await begin(MEETINGS, QUARTER)
    before = await fingerprint(owner)
    answer = await post(visit, made, **{"phone": "0538-1234567"} | changed)
    assert answer.status_code == 422
    assert words in answer.text
    assert "phone" in changed or "0538-1234567" in answer.text
    assert await fingerprint(owner) == before


@pytest.mark.parametrize("table", [
    {"pasted": "张大爷\t低保"}, {"pasted": "张大爷\t低保\t1\t520\t多"}, {"cell": ["张大爷", "低" * 61, "1", "520"]},
    {"cell": ["张大爷", "低保", "1", "520"], "title": ""}], ids=["narrow", "wide", "long", "untitled"])
async def test_a_wrong_table_leaves_nothing_behind_and_keeps_what_was_typed(visit, at, owner, table):
    await ready(at)
    made = await begin(POOR, QUARTER)
    before = await fingerprint(owner)
    answer = await post(visit, made, **table)
    assert answer.status_code == 422
    assert "张大爷" in answer.text
    assert await fingerprint(owner) == before


async def test_a_table_that_came_in_part_is_not_saved(visit, at, owner):
    await ready(at)
    made = await begin(POOR, QUARTER)
    before = await fingerprint(owner)
    answer = await post(visit, made, cell=["张大爷", "低保", "1"])
    assert answer.status_code == 422
    assert "没有完整收到" in answer.text
    assert await fingerprint(owner) == before


# Two at once ----------------------------------------------------------------------------------------------------------

async def test_saved_by_two_the_second_sees_both_texts(visit, at):
    await ready(at)
    made = await begin(MEETINGS, QUARTER)
    await post(visit, made, text="先存的")
    answer = await post(visit, made, text="后存的")
    assert answer.status_code == 409
    for word in ("先存的", "后存的", "也保存了这份内容"):
        assert word in answer.text
    assert (await edition(made))["text"] == "先存的"
    assert 'name="version" value="2"' in answer.text
    assert (await post(visit, made, version=2, text="合在一起")).status_code == 303


async def test_saved_by_two_at_once_one_is_stale(at):
    await ready(at)
    made = await begin(MEETINGS, QUARTER)
    told = await asyncio.gather(*(save(made, version=1, text=text) for text in "甲乙丙"), return_exceptions=True)
    assert sorted(type(one).__name__ for one in told) == ["Stale", "Stale", "int"]
    assert (await edition(made))["version"] == 2


async def test_two_rows_of_a_table_written_by_two_are_both_shown(visit, at):
    await ready(at)
    made = await begin(POOR, QUARTER)
    await post(visit, made, cell=["张大爷", "低保", "1", "520"])
    answer = await post(visit, made, cell=["李奶奶", "特困", "1", "900"])
    assert answer.status_code == 409
    assert "李奶奶" in answer.text
    assert "张大爷" in answer.text, "what the other one saved is not shown beside one's own table"


async def test_saved_by_itself_it_stays_on_the_page(visit, at):
    await ready(at)
    made = await begin(MEETINGS, QUARTER)
    answer = await post(visit, made, "draft", text="写到一半", title="")
    assert (answer.status_code, answer.headers["x-version"]) == (204, "2")
    assert (await edition(made))["text"] == "写到一半"
    again = await post(visit, made, "draft", text="旧页面")
    assert again.status_code == 409
    assert "别人也保存了" in again.text
    assert (await post(visit, made, "draft", version=2, title="长" * 61)).status_code == 422


# When -----------------------------------------------------------------------------------------------------------------

async def test_what_came_back_may_be_written_in(at):
    await ready(at)
    made = await returned()
    await save(made, text="写明了会议")
    assert ((await edition(made))["state"], (await edition(made))["text"]) == ("审核不通过", "写明了会议")


@pytest.mark.parametrize("story", [signing, submitted, published, withdrawn])
async def test_what_was_handed_on_is_not_written_in(visit, at, owner, story):
    await ready(at)
    made = await story()
    before = await fingerprint(owner)
    with pytest.raises(WrongState, match="不能再改"):
        await save(made, text="改一改", lines=[])
    assert (await post(visit, made, version=(await edition(made))["version"])).status_code in (404, 409)
    assert await fingerprint(owner) == before


@pytest.mark.parametrize(("person", "status"), [
    (VILLAGER, 403), (SUPERVISOR, 403), (MEMBER, 403), (SECRETARY, 403), (COMMITTEE, 403), (NEIGHBOUR, 403),
    (None, 401)])
async def test_only_the_villages_administrator_writes(visit, at, owner, person, status):
    await ready(at)
    made = await written()
    before = await fingerprint(owner)
    for noun in ("edit", "draft", "submission", "dropping", "taking-back", "corrections"):
        assert (await visit(person, "POST", f"/disclosures/{made}/{noun}")).status_code == status, noun
    assert await fingerprint(owner) == before


async def test_an_edition_names_who_wrote_in_it(at):
    await ready(at)
    made = await written()
    its = await edition(made)
    assert its["authors"] == [await one("SELECT id FROM person WHERE name = '施村'")]
    assert its["saved_who"] == "施村 · 村（社区）管理员"
    assert (await matter(made))["title"] == its["title"]


async def test_the_same_said_again_by_the_same_person_is_saved_once(at):
    """The answer was lost on the way, and the page says it once more."""
    await ready(at)
    made = await written(POOR)
    its, lines = await edition(made), [["张大爷", "低保", "1", "520"]]
    saved = await save(made, lines=lines)
    assert await save(made, version=its["version"], lines=lines) == saved
    assert (await edition(made))["version"] == saved == its["version"] + 1
    for by, version, more in ((SECRETARY, its["version"], {}), (VILLAGE_ADMIN, its["version"], {"title": "别的"}),
                              (VILLAGE_ADMIN, its["version"] - 1, {})):
        with pytest.raises(Stale):
            await save(made, by, version, **{"lines": lines} | more)
    assert (await edition(made))["version"] == saved
