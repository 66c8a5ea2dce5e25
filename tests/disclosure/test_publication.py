"""Published: the page all readers see, the cards in the right threads, the fingerprint; at once or at its moment."""
import asyncio
from datetime import date, datetime, timedelta

import pytest

from server.core import effects
from server.core.clock import BEIJING
from server.core.database import rows
from server.disclosure import content
from server.disclosure.cards import VILLAGERS
from server.disclosure.reviewing import publish_now
from tests.cast import COMMITTEE, COUNTY, MEMBER, SECRETARY, SUPERVISOR, VILLAGE_ADMIN, VILLAGER
from tests.disclosure.stories import (
    ACCOUNTS,
    ASSETS,
    DUES,
    GUIDE,
    MEETINGS,
    POOR,
    TEXT,
    begin_correction,
    corrected,
    edition,
    income,
    line,
    matter,
    owed,
    published,
    ready,
    review,
    save,
    submitted,
    to_township,
    written,
)
from tests.meetings.stories import card_lines, evidence, one

DUE = datetime(2026, 10, 11, tzinfo=BEIJING)  # three working days after the holidays
LATER = datetime(2026, 10, 12, 8, tzinfo=BEIJING)
OF_VILLAGERS = tuple(VILLAGERS.values())


async def threads_of(made: int) -> set[tuple[str, str]]:
    """The threads in which a matter's newest card stands: branch and kind."""
    return {(found["name"], found["kind"]) for found in await rows("""
        SELECT o.name, t.kind FROM entry e JOIN thread t ON t.id = e.thread_id
        JOIN organisation o ON o.id = t.organisation_id
        WHERE e.card_kind = 'matter' AND e.subject_id = $1 AND e.superseded_at IS NULL""", made)}


@pytest.mark.parametrize(("name", "period", "kinds"), [
    (MEETINGS, "2026-Q3", {"disclosures", "village_affairs"}), (POOR, "2026-Q3", {"disclosures", "village_affairs"}),
    (ASSETS, "2026-Q3", {"disclosures", "village_finance"}), (ACCOUNTS, "2026-09", {"disclosures", "village_finance"}),
    (GUIDE, "2026-10", {"disclosures", "village_convenience"}),
    ("组织设置与班子分工", "长期", {"party_affairs", "village_party"}),
    (DUES, "2026-Q3", {"party_affairs"})])
async def test_the_card_arrives_where_its_readers_are(at, name, period, kinds):
    await ready(at)
    made = await published(name, period)
    assert await threads_of(made) == {("前村支部", kind) for kind in kinds}
    assert await one("SELECT count(*) FROM entry WHERE card_kind = 'matter'") == len(kinds)


async def test_each_branch_of_the_village_has_it_and_the_villagers_once(at, owner):
    await ready(at)
    await owner.execute("""INSERT INTO organisation (parent_id, unit_code, kind, name, official_name)
                           SELECT parent_id, unit_code, kind, '前村第二支部', '前村第二支部' FROM organisation
                           WHERE name = '前村支部'""")
    made = await published(MEETINGS)
    assert await threads_of(made) == {("前村支部", "disclosures"), ("前村支部", "village_affairs"),
                                      ("前村第二支部", "disclosures")}
    members_only = await published(DUES)
    assert await threads_of(members_only) == {("前村支部", "party_affairs"), ("前村第二支部", "party_affairs")}


async def test_a_neighbours_thread_says_nothing(at):
    await ready(at)
    await published(MEETINGS)
    for kind in ("disclosures", *OF_VILLAGERS):
        assert await card_lines("后村支部", kind) == []


async def test_everybody_of_the_village_reads_the_same_page(visit, at):
    await ready(at)
    made = await published(POOR)
    stored = await one("SELECT html FROM rendering")
    for person in (VILLAGER, SUPERVISOR, MEMBER, SECRETARY, VILLAGE_ADMIN, COMMITTEE, COUNTY):
        answer = await visit(person, "GET", f"/disclosures/{made}")
        assert answer.status_code == 200
        assert stored in answer.text
    for word in ("张大爷", "520", (await edition(made))["fingerprint"], "褚镇 · 党委管理员审核", "第 1 版"):
        assert word in stored


async def test_the_signatures_of_finance_stand_below(at):
    await ready(at)
    await published(ASSETS)
    assert "签字：村务监督委员会 马主任、书记 赵德山" in await one("SELECT html FROM rendering")


async def test_it_stands_in_the_villages_list_and_calendar(visit, at):
    await ready(at)
    made = await published(MEETINGS)
    page = (await visit(VILLAGER, "GET", "/disclosures?month=2026-09")).text
    assert f'href="/disclosures/{made}"' in page
    assert "已公开" in page


async def test_what_is_no_longer_good_says_so_and_waits_for_the_village(visit, at):
    await ready(at)
    made = await published(GUIDE, "2026-10", until=date(2026, 10, 31), phone="0538-5510001")
    assert "已经过期" not in (await visit(VILLAGER, "GET", f"/disclosures/{made}")).text
    assert "已过期" not in (await visit(VILLAGE_ADMIN, "GET", "/to-dos")).text
    await at("2026-11-02 09:00")
    assert "有效期到 2026年10月31日 为止，已经过期" in (await visit(VILLAGER, "GET", f"/disclosures/{made}")).text
    assert f"已过期 · {GUIDE}" in (await visit(VILLAGE_ADMIN, "GET", "/to-dos")).text
    await begin_correction(made)
    assert "已过期" not in (await visit(VILLAGE_ADMIN, "GET", "/to-dos")).text, "it is being mended"


async def test_the_wall_has_every_line_and_a_code_that_says_whose_it_is(visit, at):
    await ready(at)
    many = [line(voucher=f"{number:03}", expense=1_00, summary=f"第 {number} 笔") for number in range(1, 61)]
    made = await published(ACCOUNTS, "2026-09", entries=(income(), *many))
    shown = (await visit(VILLAGER, "GET", f"/disclosures/{made}")).text
    sheet = (await visit(VILLAGER, "GET", f"/disclosures/{made}/versions/1/sheet")).text
    assert ("第 60 笔" in shown, "第 60 笔" in sheet, "共 61 笔" in sheet) == (False, True, True)
    assert ("看后面的" in sheet, "问这一笔" in sheet) == (False, False)


async def test_sheet_and_broadcast_say_it_too(visit, at):
    await ready(at)
    made = await published(POOR)
    sheet = (await visit(VILLAGER, "GET", f"/disclosures/{made}/versions/1/sheet")).text
    assert (await edition(made))["fingerprint"] in sheet
    spoken = (await visit(VILLAGER, "GET", f"/disclosures/{made}/broadcast")).text
    for word in ("各位村民，现在播报前村村务公开", "姓名 张大爷，类别 低保", "播报完毕"):
        assert word in spoken


async def test_read_aloud_a_ledger_is_words(visit, at):
    await ready(at)
    made = await published(ACCOUNTS, "2026-09")
    spoken = (await visit(VILLAGER, "GET", f"/disclosures/{made}/broadcast")).text
    assert "9月9日，村内路灯维修 6 盏，支出 3860 元，经手人孙桂兰" in spoken
    assert "收入 12000 元" in spoken
    assert ",000" not in spoken


async def test_read_aloud_a_list_is_without_what_nobody_can_read_out(visit, at):
    await ready(at)
    made = await published(POOR, lines=[
        ["张大爷", "低保 370921196502031234", "1", "520"], ["合计", "", "1", "520"]])
    spoken = (await visit(VILLAGER, "GET", f"/disclosures/{made}/broadcast")).text
    assert "姓名 张大爷，人数 1，月金额（元） 520。" in spoken
    assert "合计，人数 1，月金额（元） 520。" in spoken
    assert "*" not in spoken.partition("各位村民")[2]


async def test_the_card_tells_it_as_it_is_read(visit, at):
    await ready(at)
    made = await published(text="### 报价\n\n| 单位 | 元 |\n| --- | --- |\n| **顺达** | 86400 |")
    card = await one("SELECT card ->> 'text' FROM entry WHERE card_kind = 'matter' AND subject_id = $1 LIMIT 1", made)
    assert "顺达" in card
    assert not set("|#*-") & set(card)


async def test_the_fingerprint_is_of_what_was_published(at):
    await ready(at)
    made = await published(POOR)
    its = await edition(made)
    said = await content.whole(await matter(made), its)
    assert content.fingerprint(said) == its["fingerprint"]
    for other in ({"title": "别的"}, {"number": 2}, {"lines": []}, {"village": "x"},
                  {"files": [["wall_photos", "aa"]]}):
        assert content.fingerprint(said | other) != its["fingerprint"]


# At its moment --------------------------------------------------------------------------------------------------------

async def test_approved_for_later_nobody_reads_it_before(visit, at):
    await ready(at)
    made = await submitted(publish_at=LATER)
    assert await review(made) == "待公开"
    assert (await visit(VILLAGER, "GET", f"/disclosures/{made}")).status_code == 404
    assert await threads_of(made) == set()
    assert (await owed(MEETINGS))[0][1] == "应公开"
    await at(LATER - timedelta(minutes=1))
    await effects.sweep()
    assert (await edition(made))["state"] == "待公开"


async def test_at_its_moment_it_is_published_once(visit, at):
    await ready(at)
    made = await submitted(publish_at=LATER)
    await review(made)
    await at(LATER + timedelta(minutes=1))
    await asyncio.gather(*(effects.sweep(5) for _ in range(3)))
    its = await edition(made)
    assert its["state"] == "已公开"
    assert timedelta() <= its["published_at"] - LATER < timedelta(minutes=2)
    assert TEXT in (await visit(VILLAGER, "GET", f"/disclosures/{made}")).text
    assert await threads_of(made) == {("前村支部", "disclosures"), ("前村支部", "village_affairs")}
    assert (await owed(MEETINGS))[0][1] == "已公开"
    assert await evidence("publish_matter") == 1
    await publish_now({"edition": its["id"]})
    assert await evidence("publish_matter") == 1


async def test_a_moment_that_is_past_or_too_late_is_pointed_out_before_it_is_handed_on(visit, at):
    await ready(at)
    past, late = datetime(2026, 10, 1, tzinfo=BEIJING), DUE + timedelta(minutes=1)
    for made_for, words in ((past, "定时公开的时间已经过了，审核通过就公开"), (late, "以前公开，定时公开的时间晚了"),
                            (late - timedelta(minutes=2), None)):
        made = await written(publish_at=made_for)
        text = (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/{made}/preview")).text
        assert (words in text) if words else ("定时公开的" not in text), made_for
        assert "审核通过后，定时" in text
        await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{made}/dropping")


async def test_a_moment_that_is_past_is_at_once(at):
    await ready(at)
    made = await submitted(publish_at=datetime(2026, 10, 1, tzinfo=BEIJING))
    assert await review(made) == "已公开"


async def test_a_correction_for_later_leaves_the_present_one_until_then(visit, at):
    await ready(at)
    made = await published()
    await begin_correction(made)
    await save(made, text="更正以后的话", publish_at=LATER)
    await to_township(made)
    await review(made)
    assert "更正以后的话" not in (await visit(VILLAGER, "GET", f"/disclosures/{made}")).text
    await at(LATER + timedelta(minutes=1))
    await effects.sweep()
    assert "更正以后的话" in (await visit(VILLAGER, "GET", f"/disclosures/{made}")).text


async def test_a_corrections_card_takes_the_place_of_the_former_one(at):
    await ready(at)
    made = await corrected()
    assert await card_lines(kind="village_affairs") == [f"更正：{MEETINGS}（2026年第三季度）"]
    assert await one("SELECT count(*) FROM entry WHERE subject_id = $1 AND card_kind = 'matter'", made) == 4
