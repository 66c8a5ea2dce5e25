"""A village's page is rendered once for all who see the same of it, and never shows what no longer stands."""
import re

import pytest

from server.disclosure import calendar_view
from tests.cast import COMMITTEE, MEMBER, SUPERVISOR, VILLAGE_ADMIN, VILLAGER
from tests.databases import connected
from tests.disclosure.stories import (
    DUES,
    MEETINGS,
    POOR,
    QIANCUN,
    ask_down,
    decide,
    duty,
    new_version,
    published,
    ready,
    review,
    to_township,
    written,
)
from tests.meetings.stories import one

LIST = "/disclosures?month=2026-09"


async def seen(visit, person=VILLAGER, path: str = LIST) -> str:
    answer = await visit(person, "GET", path)
    assert answer.status_code == 200
    return answer.text


def state_of(name: str, page: str) -> str:
    """What the calendar says of an item."""
    found = re.search(rf'row__title">{re.escape(name)}</span>.*?chip t-\w+">(.*?)</span>', page)
    assert found, name
    return found[1]


@pytest.fixture
def rendered(monkeypatch):
    """How often a page was made anew."""
    made, plain = [], calendar_view.listed

    async def counted(*what):
        made.append(what)
        return await plain(*what)

    monkeypatch.setattr(calendar_view, "listed", counted)
    return made


async def test_it_is_rendered_once_for_all_who_see_the_same(visit, at, rendered):
    await ready(at)
    await published(POOR)
    rendered.clear()
    first = await seen(visit)
    assert POOR in first
    for _ in range(3):
        assert await seen(visit) == first
    assert len(rendered) == 1
    await seen(visit, path="/disclosures?month=2026-08")
    await seen(visit, VILLAGE_ADMIN)
    assert len(rendered) == 3, "another month, and who sees more"


async def test_what_is_for_members_is_not_shown_to_villagers_after_a_member_looked(visit, at):
    await ready(at)
    await published(DUES)
    assert DUES in await seen(visit, MEMBER)
    for person in (VILLAGER, SUPERVISOR):
        assert DUES not in await seen(visit, person)


async def test_every_step_of_a_matter_shows_at_once(visit, at):
    await ready(at)
    made = await written(MEETINGS)
    assert f'href="/disclosures/{made}"' in await seen(visit, VILLAGE_ADMIN)
    await to_township(made)
    assert state_of(MEETINGS, await seen(visit)) == "应公开"
    await review(made)
    assert state_of(MEETINGS, await seen(visit)) == "已公开"
    await ask_down(made)
    await decide(made, agreed=True)
    assert "（已撤下）" in await seen(visit)
    assert state_of(MEETINGS, await seen(visit)) == "应公开"
    again = await written(MEETINGS)
    assert f'href="/disclosures/{again}"' in await seen(visit, VILLAGE_ADMIN)


async def test_so_does_what_is_owed(visit, at):
    await ready(at)
    its = await duty(POOR, "2026-Q3")
    assert state_of(POOR, await seen(visit)) == "应公开"
    await visit(VILLAGE_ADMIN, "POST", "/disclosures/nothing", data={"duties": its})
    assert state_of(POOR, await seen(visit)) == "本期无"
    await visit(COMMITTEE, "POST", f"/disclosures/duties/{its}/reopening", data={"why": "10月9日评过，问 13800001234"})
    assert state_of(POOR, await seen(visit)) == "应公开"
    told = await seen(visit, path=f"/disclosures/duties/{its}")
    assert "10月9日评过" in told
    assert "13800001234" not in told
    await new_version({POOR: None})
    assert POOR not in await seen(visit)


async def test_what_nobody_has_begun_is_owed_to_whom_the_newest_catalogue_says_and_by_its_name(visit, at):
    await ready(at)
    await published(POOR)
    assert DUES not in await seen(visit, VILLAGER)
    await new_version({DUES: {"audience": "村（居）民", "name": "党费收缴情况"}, POOR: {"name": "救助"}})
    for person in (VILLAGER, MEMBER):
        page = await seen(visit, person)
        assert state_of("党费收缴情况", page) == "应公开"
        assert state_of(POOR, page) == "已公开", "what was published stays what it was"


async def test_so_does_another_name(visit, at, owner):
    await ready(at)
    assert "前村村" not in await seen(visit)
    await owner.execute("UPDATE unit SET name = '前村村' WHERE code = $1", QIANCUN)
    assert "前村村" in await seen(visit)


async def test_a_day_later_what_was_not_published_is_overdue(visit, at):
    await ready(at, "2026-10-10 23:00")
    assert state_of(POOR, await seen(visit)) == "应公开"
    await at("2026-10-11 01:00")
    assert state_of(POOR, await seen(visit)) == "逾期未公开"


async def test_a_clock_that_is_moved_shows(visit, at, owner):
    await ready(at)
    its = await duty(POOR, "2026-Q3")
    assert "10月19日" not in await seen(visit)
    await owner.execute("UPDATE deadline SET due_at = due_at + interval '9 days', sort_at = due_at + interval '9 days'"
                        " WHERE subject_kind = 'duty' AND subject_id = $1", its)
    assert "10月19日" in await seen(visit)


async def test_what_was_begun_first_and_committed_last_shows_too(visit, at, owner, database):
    """Numbers are given when a change is made, not when it is committed."""
    await ready(at)
    settle = "UPDATE duty SET state = '不再要求', settled_at = now() WHERE id = $1"
    async with connected("ebranch_owner", database) as slow:
        change = slow.transaction()
        await change.start()
        await slow.execute(settle, await duty(MEETINGS, "2026-Q3"))
        await owner.execute(settle, await duty(POOR, "2026-Q3"))
        page = await seen(visit)
        assert POOR not in page
        assert state_of(MEETINGS, page) == "应公开"
        newest = await owner.fetchval("SELECT max(id) FROM village_change")
        await change.commit()
    assert await owner.fetchval("SELECT max(id) FROM village_change") == newest, "it has the older number"
    assert MEETINGS not in await seen(visit)


async def test_old_changes_are_cleared_away_with_the_next(at, owner):
    await ready(at)
    await owner.execute("UPDATE village_change SET at = at - interval '2 hours'")
    kept = await owner.fetchval("SELECT count(*) FROM village_change WHERE village_code <> $1", QIANCUN)
    await written(MEETINGS)
    assert await owner.fetchval("SELECT count(*) FROM village_change WHERE at < now() - interval '1 hour'"
                                " AND village_code = $1", QIANCUN) == 0
    assert await owner.fetchval("SELECT count(*) FROM village_change WHERE village_code <> $1", QIANCUN) == kept


async def test_who_only_reads_does_not_learn_where_a_draft_stands(visit, at):
    await ready(at, "2026-10-13 09:00")
    made = await written("组织设置与班子分工", "长期")  # the first of what is overdue
    its = await one("SELECT duty_id FROM matter WHERE id = $1", made)
    page = await seen(visit, path="/disclosures")
    top = page.partition("公开日历")[0]
    assert f'href="/disclosures/duties/{its}"' in top
    assert "草稿" not in top
    assert (await visit(VILLAGER, "GET", f"/disclosures/duties/{its}")).status_code == 200


async def test_what_was_taken_down_is_not_counted_as_published(visit, at):
    await ready(at)
    made = await published(POOR)
    before = await seen(visit)
    await ask_down(made)
    await decide(made, agreed=True)
    count = re.compile(r'>(\d+)</\w+><\w+[^>]*>已公开<')
    assert int(count.search(await seen(visit))[1]) == int(count.search(before)[1]) - 1
