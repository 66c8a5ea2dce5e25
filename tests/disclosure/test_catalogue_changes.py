"""The county changes its catalogue under an open draft: the village is told in words, and nothing it wrote is lost."""
import json
from datetime import datetime, timedelta

import pytest

from server.catalogues import duties
from server.core import effects
from server.core.clock import BEIJING
from server.core.forms import Refused
from server.disclosure.submission import NotFit
from server.ledgers.tables import ledger
from tests.cast import COMMITTEE, VILLAGE_ADMIN, VILLAGER
from tests.disclosure.stories import (
    ACCOUNTS,
    ASSETS,
    DUES,
    MEETINGS,
    POOR,
    TABLES,
    TEXT,
    begin,
    begin_correction,
    clock_of,
    duty,
    edition,
    hand_on,
    matter,
    new_version,
    owed,
    published,
    ready,
    review,
    save,
    submitted,
    take_back,
    to_township,
    written,
)
from tests.meetings.stories import evidence, one

QUARTER = "2026-Q3"
LATER = datetime(2026, 10, 12, 8, tzinfo=BEIJING)
CELLS = [cell for row in TABLES[POOR] for cell in row]


def form(its, **more) -> dict:
    return {"version": its["version"], "title": its["title"], "text": its["text"], "until": "", "phone": "",
            "publish_at": "", "why": "", "pasted": ""} | more


async def page(visit, made: int, noun: str = "edit") -> str:
    answer = await visit(VILLAGE_ADMIN, "GET", f"/disclosures/{made}/{noun}")
    assert answer.status_code == 200, answer.text
    return answer.text


async def lines(made: int) -> list[list[str]]:
    return json.loads((await edition(made))["lines"])


# Nothing that bears on it ---------------------------------------------------------------------------------------------

async def test_other_words_for_an_item_bear_on_no_draft(visit, at):
    await ready(at)
    made = await written(POOR)
    await new_version({POOR: {"content": "新的内容说明", "guidance": "写到分"}})
    assert "公开目录有变化" not in await page(visit, made)
    assert "新的内容说明" in await page(visit, made)
    assert await hand_on(made) == "待审核"


# Removed --------------------------------------------------------------------------------------------------------------

async def test_removed_the_draft_says_so_and_is_not_handed_on(visit, at):
    await ready(at)
    made = await written(POOR)
    await new_version({POOR: None})
    assert "县里的公开目录已不再列这一项" in await page(visit, made)
    assert "张大爷" in await page(visit, made)
    with pytest.raises(NotFit, match="已不再列这一项。草稿替您留着"):
        await hand_on(made)
    assert await lines(made) == TABLES[POOR]


async def test_removed_a_table_that_is_saved_again_is_still_there(visit, at):
    """The form shows the rows, and what is sent back is kept: the draft was to be kept for the village."""
    await ready(at)
    made = await written(POOR)
    await new_version({POOR: None})
    for noun in ("edit", "draft"):
        await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{made}/{noun}", data=form(await edition(made), cell=CELLS))
        assert await lines(made) == TABLES[POOR], noun


async def test_books_go_on_month_by_month_whatever_the_catalogue_lists(at):
    await ready(at)
    await published(ACCOUNTS, "2026-09")
    await at("2026-11-03 09:00")
    await duties.renew_all()
    await new_version({ACCOUNTS: None})
    kept = await one("SELECT state FROM duty WHERE id = $1", await duty(ACCOUNTS, "2026-10"))
    assert kept == "应公开", "October was over when the county took the item out"
    made = await written(ACCOUNTS, "2026-10", entries=())
    await to_township(made)
    assert await review(made) == "已公开"


async def test_no_longer_asked_of_villages_it_is_as_if_removed(visit, at):
    await ready(at)
    made = await written()
    await new_version({MEETINGS: {"variant": "社区"}})
    with pytest.raises(NotFit, match="不再列这一项"):
        await hand_on(made)
    assert TEXT in await page(visit, made)


async def test_removed_what_waits_for_review_is_still_reviewed(visit, at):
    await ready(at)
    made = await submitted(POOR)
    await new_version({POOR: None})
    text = (await visit(COMMITTEE, "GET", f"/disclosures/{made}/review")).text
    assert "县里的公开目录已不再列这一项；这一份按提交时的目录办" in text
    assert "错误" not in text
    assert await review(made) == "已公开"
    assert (await owed(POOR))[0] == (QUARTER, "已公开")


async def test_removed_it_can_no_longer_be_begun(visit, at):
    await ready(at)
    its = await duty(POOR, QUARTER)
    await new_version({POOR: None})
    answer = await visit(VILLAGE_ADMIN, "POST", "/disclosures", data={"duty": its})
    assert answer.status_code == 422
    assert "不再要求" in answer.text


# Other columns --------------------------------------------------------------------------------------------------------

async def test_other_columns_are_told_and_nothing_is_handed_on_before_it_was_seen(visit, at):
    await ready(at)
    made = await written(POOR)
    await new_version({POOR: {"columns": ["姓名", "类别", "人数", "月金额（元）", "备注"]}})
    assert "表格的列由" in await page(visit, made)
    with pytest.raises(NotFit, match="内容都在，请看一遍、再存一次"):
        await hand_on(made)
    assert await lines(made) == TABLES[POOR]


async def test_a_column_more_is_filled_in_and_handed_on(visit, at):
    await ready(at)
    made = await written(POOR)
    await new_version({POOR: {"columns": ["姓名", "类别", "人数", "月金额（元）", "备注"]}})
    wider = [cell for row in TABLES[POOR] for cell in (*row, "新增")]
    await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{made}/edit", data=form(await edition(made), cell=wider))
    assert await lines(made) == [[*row, "新增"] for row in TABLES[POOR]]
    assert await hand_on(made) == "待审核"


async def test_a_column_less_the_page_shows_what_would_go(visit, at):
    await ready(at)
    made = await written(POOR)
    await new_version({POOR: {"columns": ["姓名", "类别", "人数"]}})
    assert "520" in await page(visit, made), "the amounts are gone from the page without a word: 内容都在"


async def test_a_page_opened_before_is_not_read_as_the_new_table(visit, at):
    """Two rows of four cells are not four rows of two."""
    await ready(at)
    made = await written(POOR)
    its = await edition(made)
    sent = form(its, catalogue_item=its["item_id"], cell=CELLS)
    await new_version({POOR: {"columns": ["姓名", "类别"]}})
    answer = await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{made}/edit", data=sent)
    assert ["1", "520"] not in await lines(made)
    assert answer.status_code in (409, 422)
    saved_by_itself = await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{made}/draft", data=sent)
    assert saved_by_itself.status_code in (409, 422)
    assert await lines(made) == TABLES[POOR]


async def test_only_another_order_of_columns_is_told_too(at):
    await ready(at)
    made = await written(POOR)
    await new_version({POOR: {"columns": ["类别", "姓名", "人数", "月金额（元）"]}})
    with pytest.raises(NotFit, match="表格的列由"):
        await hand_on(made)


# Another form ---------------------------------------------------------------------------------------------------------

async def test_a_text_that_is_to_be_a_table_keeps_its_text(visit, at):
    await ready(at)
    made = await written(MEETINGS)
    await new_version({MEETINGS: {"form": "表格", "columns": ["会议", "决定"]}})
    text = await page(visit, made)
    assert "公开形式由“文字”改为“表格”" in text
    assert TEXT in text
    with pytest.raises(NotFit, match="公开形式由"):
        await hand_on(made)
    await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{made}/edit",
                data=form(await edition(made), cell=["代表会议", "修路"]))
    assert ((await matter(made))["form"], (await edition(made))["text"]) == ("表格", TEXT)
    assert await hand_on(made) == "待审核"


async def test_a_table_that_is_to_be_a_text_shows_what_was_in_it(visit, at):
    await ready(at)
    made = await written(POOR)
    await new_version({POOR: {"form": "文字", "columns": []}})
    assert "公开形式由“名单”改为“文字”" in await page(visit, made)
    assert "张大爷" in await page(visit, made), "the rows are gone from the page without a word: 内容都在"


async def test_a_table_that_is_to_be_a_ledger_is_told_and_still_opens(visit, at):
    await ready(at)
    made = await written(ASSETS)
    await new_version({ACCOUNTS: {"form": "表格", "columns": ["日期", "摘要", "金额"]},
                       ASSETS: {"form": "账目", "frequency": "每月", "columns": []}})
    assert "公开形式由“表格”改为“账目”" in await page(visit, made)
    await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{made}/edit", data=form(await edition(made)))
    for noun in ("edit?papers=1", "preview", "ledger"):
        answer = await visit(VILLAGE_ADMIN, "GET", f"/disclosures/{made}/{noun}")
        assert answer.status_code < 400, noun


async def test_a_ledger_that_is_to_be_a_table_is_told_and_keeps_its_lines(visit, at):
    await ready(at)
    made = await written(ACCOUNTS, "2026-09")
    await new_version({ACCOUNTS: {"form": "表格", "columns": ["日期", "摘要", "金额"]}})
    assert "公开形式由“账目”改为“表格”" in await page(visit, made, "ledger")
    assert "村内路灯维修" in await page(visit, made, "ledger")
    with pytest.raises(NotFit, match="公开形式由"):
        await hand_on(made)
    its = await ledger((await edition(made))["id"])
    assert its is not None
    assert its["lines"] == 2


async def test_another_audience_is_told_and_holds_after_saving(visit, at):
    await ready(at)
    made = await written(DUES)
    await new_version({DUES: {"audience": "村（居）民"}})
    with pytest.raises(NotFit, match="公开范围由“党员”改为“村（居）民”"):
        await hand_on(made)
    await save(made, lines=TABLES[DUES])
    await to_township(made)
    await review(made)
    assert (await matter(made))["audience"] == "村（居）民"


async def test_what_waits_for_review_is_published_as_it_was_asked_for(at):
    await ready(at)
    made = await submitted(DUES)
    await new_version({DUES: {"audience": "村（居）民", "columns": ["项目", "金额"]}})
    await review(made)
    assert ((await matter(made))["audience"], await lines(made)) == ("党员", TABLES[DUES])


async def test_what_was_restricted_to_members_meanwhile_is_approved_for_no_villager(visit, at):
    await ready(at)
    await new_version({DUES: {"audience": "村（居）民"}})
    made = await submitted(DUES)
    await new_version({DUES: {"audience": "党员"}})
    assert "不能公开。请退回" in (await visit(COMMITTEE, "GET", f"/disclosures/{made}/review")).text
    with pytest.raises(Refused, match="只对党员公开"):
        await review(made)
    assert (await edition(made))["state"] == "待审核"
    await review(made, text="请再存一次")
    await save(made, lines=TABLES[DUES])
    await to_township(made)
    await review(made)
    assert (await matter(made))["audience"] == "党员"
    assert (await visit(VILLAGER, "GET", f"/disclosures/{made}")).status_code == 404


async def test_nor_is_it_published_to_them_at_its_moment_and_the_village_is_told(visit, at):
    await ready(at)
    await new_version({DUES: {"audience": "村（居）民"}})
    made = await submitted(DUES, publish_at=LATER)
    await review(made)
    await new_version({DUES: {"audience": "党员"}})
    await at(LATER + timedelta(minutes=1))
    for _ in range(2):
        await effects.sweep()
    assert (await edition(made))["state"] == "草稿"
    assert (await matter(made))["published_at"] is None
    assert await evidence("take_back_matter") == 1
    assert "只对党员公开" in (await visit(VILLAGE_ADMIN, "GET", "/threads")).text
    assert (await visit(VILLAGER, "GET", f"/disclosures/{made}")).status_code == 404


async def test_a_matter_that_was_thrown_away_begins_anew_in_the_new_form(visit, at):
    await ready(at)
    made = await begin(MEETINGS, QUARTER)
    await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{made}/dropping")
    await new_version({MEETINGS: {"form": "表格", "columns": ["会议", "决定"]}})
    assert await begin(MEETINGS, QUARTER) == made
    assert 'name="cell"' in await page(visit, made)
    assert (await matter(made))["form"] == "表格"


async def test_a_correction_goes_by_the_catalogue_of_the_day(visit, at):
    await ready(at)
    made = await published(POOR)
    await new_version({POOR: {"columns": ["姓名", "类别", "人数", "月金额（元）", "备注"]}})
    await begin_correction(made)
    assert "表格的列由" in await page(visit, made)
    with pytest.raises(NotFit, match="表格的列"):
        await hand_on(made)


async def test_another_frequency_leaves_the_draft_of_a_period_that_is_over(at):
    await ready(at)
    made = await written(MEETINGS)
    await new_version({MEETINGS: {"frequency": "每月"}})
    assert await hand_on(made) == "待审核"
    assert (await clock_of(await duty(MEETINGS, QUARTER)))["state"] == "met"


async def test_another_frequency_tells_the_draft_of_a_period_that_is_no_longer_asked_for(visit, at):
    await ready(at)
    made = await written(MEETINGS, "2026-Q4")
    await new_version({MEETINGS: {"frequency": "每月"}})
    assert TEXT in await page(visit, made)
    assert "公开目录有变化" in await page(visit, made), "this quarter is no longer asked for, and nothing says so"


@pytest.mark.parametrize("how", ["taken back", "returned"])
async def test_no_clock_runs_for_what_the_catalogue_dropped_meanwhile(at, how):
    await ready(at)
    made = await submitted()
    await new_version({MEETINGS: None})
    await (take_back(made) if how == "taken back" else review(made, text="写明是哪次会议"))
    assert (await clock_of(await one("SELECT duty_id FROM matter WHERE id = $1", made)))["state"] != "open"


async def test_what_the_catalogue_dropped_is_not_owed_again(visit, at):
    await ready(at)
    its = await duty(POOR, "2026-Q3")
    await visit(VILLAGE_ADMIN, "POST", "/disclosures/nothing", data={"duties": its})
    await new_version({POOR: None})
    answer = await visit(COMMITTEE, "POST", f"/disclosures/duties/{its}/reopening", data={"why": "评过"})
    assert answer.status_code == 409
    assert "已不再列这一项" in answer.text
