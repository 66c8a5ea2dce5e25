"""本期没有发生: declared once for several items; what can't be declared; taken back by the township."""
import asyncio
import re

import pytest
from litestar.exceptions import ClientException

from server.catalogues import duties
from server.core.database import rows, transaction
from server.core.moves import WrongState
from tests.cast import (
    COMMITTEE,
    COUNTY,
    MEMBER,
    NEIGHBOUR,
    SECRETARY,
    SIDIAN,
    SUPERVISOR,
    VILLAGE_ADMIN,
    VILLAGER,
)
from tests.databases import fingerprint
from tests.disclosure.stories import (
    ACCOUNTS,
    ASSETS,
    CHARTER,
    GUIDE,
    HOUCUN,
    MEETINGS,
    NINGYANG,
    POOR,
    QIANCUN,
    QUARTER_OVER,
    begin_at_once,
    clock_of,
    duty,
    its_village,
    opened,
    owed,
    published,
    ready,
    submitted,
    written,
)
from tests.meetings.stories import evidence, one
from tests.visits import actor_of

QUARTER = "2026-Q3"
MONTH_OF = {period: f"/disclosures?village={QIANCUN}&month={month}" for period, month in (
    (QUARTER, "2026-09"), ("2026-10", "2026-10"))}


async def declare(*ids: int) -> int:
    return await duties.nothing_occurred(await actor_of(VILLAGE_ADMIN), await its_village(), ids)


async def test_declared_once_for_several(visit, at):
    await ready(at)
    ids = [await duty(name, QUARTER) for name in (POOR, MEETINGS, ASSETS)]
    answer = await visit(VILLAGE_ADMIN, "POST", "/disclosures/nothing", data={"duties": ids})
    assert answer.status_code == 303
    for name in (POOR, MEETINGS, ASSETS):
        assert (await owed(name))[0] == (QUARTER, "本期无")
        assert (await clock_of(await duty(name, QUARTER)))["state"] == "met"
    assert await one("SELECT count(*) FROM declaration") == await evidence("declare_nothing") == 1
    assert [found["duty_id"] for found in await rows("SELECT duty_id FROM declared ORDER BY 1")] == sorted(ids)
    assert "本期无" in (await visit(VILLAGER, "GET", "/disclosures?month=2026-09")).text


async def test_declared_twice_it_is_declared_once_and_says_so(visit, at):
    await ready(at)
    form = {"duties": [await duty(POOR, QUARTER), await duty(MEETINGS, QUARTER)]}
    first, again = [await visit(VILLAGE_ADMIN, "POST", "/disclosures/nothing", data=form) for _ in range(2)]
    assert (first.status_code, again.status_code) == (303, 409)
    assert "刚才已经办了" in again.text
    assert await one("SELECT count(*) FROM declaration") == 1


async def test_two_at_once_declare_each_once(at):
    await ready(at)
    ids = [await duty(name, QUARTER) for name in (POOR, MEETINGS)]
    told = await asyncio.gather(*(declare(*order) for order in (ids, ids[::-1], ids)), return_exceptions=True)
    assert sum(isinstance(one, WrongState) for one in told) == 2, told
    assert await one("SELECT count(*) FROM declared") == 2


async def test_what_somebody_settled_meanwhile_is_left_out(at):
    await ready(at)
    await published(POOR)
    await declare(await duty(POOR, QUARTER), await duty(MEETINGS, QUARTER))
    assert (await owed(POOR))[0] == (QUARTER, "已公开")
    assert await one("SELECT count(*) FROM declared") == 1


async def test_late_it_is_late(at):
    await ready(at, "2026-10-13 09:00")
    await declare(await duty(POOR, QUARTER))
    assert (await clock_of(await duty(POOR, QUARTER)))["state"] == "late"


@pytest.mark.parametrize(("name", "period"), [(ACCOUNTS, "2026-09"), (CHARTER, "长期")])
async def test_a_ledger_and_what_is_standing_are_never_nothing(visit, at, owner, name, period):
    await ready(at)
    ids = [await duty(POOR, QUARTER), await duty(name, period)]
    assert name not in (await visit(VILLAGE_ADMIN, "GET", "/disclosures/nothing")).text
    before = await fingerprint(owner)
    answer = await visit(VILLAGE_ADMIN, "POST", "/disclosures/nothing", data={"duties": ids})
    assert answer.status_code == 400
    assert "不能声明" in answer.text
    assert await fingerprint(owner) == before


async def test_what_happened_is_not_nothing(at):
    await ready(at)
    made = await begin_at_once()
    with pytest.raises(ClientException, match="不能声明"):
        await declare(await one("SELECT duty_id FROM matter WHERE id = $1", made))


async def test_of_convenience_it_may_be_said_before_the_month_ends(visit, at):
    await ready(at)
    its = await duty(GUIDE, "2026-10")
    assert "本月核对无变化" in (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/duties/{its}")).text
    await declare(its)
    assert (await clock_of(its))["state"] == "met"


async def test_of_anything_else_not_before_its_period_is_over(visit, at, owner):
    """On 8 October nobody knows yet that nothing will occur until the end of December."""
    await ready(at)
    its = await duty(MEETINGS, "2026-Q4")
    before = await fingerprint(owner)
    answer = await visit(VILLAGE_ADMIN, "POST", "/disclosures/nothing", data={"duties": its})
    assert answer.status_code in (400, 409, 422)
    assert await fingerprint(owner) == before
    assert "本期没有发生" not in (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/duties/{its}")).text


@pytest.mark.parametrize("story", [written, submitted])
async def test_what_is_being_written_or_reviewed_is_not_nothing(at, story):
    await ready(at)
    await story(MEETINGS)
    with pytest.raises((ClientException, WrongState)):
        await declare(await duty(MEETINGS, QUARTER))


async def test_neither_another_villages_nor_an_unknown_duty(at, owner):
    await ready(at)
    await opened(HOUCUN)
    before = await fingerprint(owner)
    for wrong in (await duty(MEETINGS, "2026-Q4", HOUCUN), 10**9):
        with pytest.raises(ClientException, match="不能声明"):
            await declare(await duty(POOR, QUARTER), wrong)
    assert await fingerprint(owner) == before


@pytest.mark.parametrize("form", [{}, {"duties": "全部"}, {"duties": "-1"}, {"more": "1"}])
async def test_a_wrong_form_leaves_nothing_behind(visit, at, owner, form):
    await ready(at)
    before = await fingerprint(owner)
    assert (await visit(VILLAGE_ADMIN, "POST", "/disclosures/nothing", data=form)).status_code == 422
    assert await fingerprint(owner) == before


@pytest.mark.parametrize("person", [VILLAGER, SUPERVISOR, MEMBER, SECRETARY, COMMITTEE, NEIGHBOUR])
async def test_only_the_villages_administrator_declares(visit, at, person):
    await ready(at)
    form = {"duties": await duty(POOR, QUARTER)}
    assert (await visit(person, "POST", "/disclosures/nothing", data=form)).status_code == 403


# Taken back -----------------------------------------------------------------------------------------------------------

async def undo(visit, person, its: int, why: str = "10月9日开过村民代表会"):
    return await visit(person, "POST", f"/disclosures/duties/{its}/reopening", data={"why": why})


@pytest.mark.parametrize(("name", "period", "due"), [
    (POOR, QUARTER, "2026-10-14"), (GUIDE, "2026-10", "2026-11-01")])
async def test_found_by_the_township_to_have_occurred_it_is_owed_again_with_what_was_left(visit, at, name, period, due):
    await ready(at, QUARTER_OVER)  # the first of the three working days: two are left
    its = await duty(name, period)
    await declare(its)
    await at("2026-10-10 15:00")
    assert f"/disclosures/duties/{its}" in (await visit(COMMITTEE, "GET", MONTH_OF[period])).text
    assert "退回，要求公开" in (await visit(COMMITTEE, "GET", f"/disclosures/duties/{its}")).text
    assert (await undo(visit, COMMITTEE, its)).status_code == 303
    clock = await clock_of(its)
    assert ("应公开" in dict(await owed(name)).values(), clock["state"]) == (True, "open")
    assert clock["due_at"] == await at(f"{due} 00:00")
    told = (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/duties/{its}")).text
    assert "褚镇 · 党委管理员" in told
    assert "10月9日开过村民代表会" in told
    assert await evidence("undo_nothing") == 1


async def test_taken_back_by_the_village_it_is_due_when_it_was(visit, at):
    await ready(at, QUARTER_OVER)
    its = await duty(POOR, QUARTER)
    due = (await clock_of(its))["due_at"]
    await declare(its)
    await at("2026-10-11 15:00")
    assert "收回声明" in (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/duties/{its}")).text
    assert (await undo(visit, VILLAGE_ADMIN, its)).status_code == 303
    clock = await clock_of(its)
    assert (clock["state"], clock["due_at"]) == ("open", due)
    await declare(its)
    assert (await owed(POOR))[0] == (QUARTER, "本期无")


async def test_taken_back_twice_or_without_a_reason_it_says_so(visit, at):
    await ready(at)
    its = await duty(POOR, QUARTER)
    assert (await undo(visit, COMMITTEE, its)).status_code == 409, "nobody declared it"
    await declare(its)
    assert (await undo(visit, COMMITTEE, its, why=" ")).status_code == 422
    told = await asyncio.gather(*(undo(visit, COMMITTEE, its) for _ in range(3)))
    assert sorted(one.status_code for one in told) == [303, 409, 409]
    assert await evidence("undo_nothing") == 1


@pytest.mark.parametrize(("person", "status"), [
    (SIDIAN, 404), (COUNTY, 403), (SECRETARY, 403), (VILLAGER, 403), (NEIGHBOUR, 403)])
async def test_neither_another_township_nor_others_take_it_back(visit, at, person, status):
    await ready(at)
    its = await duty(POOR, QUARTER)
    await declare(its)
    assert (await undo(visit, person, its)).status_code == status
    assert (await owed(POOR))[0] == (QUARTER, "本期无")


async def test_what_was_looked_through_says_so_where_it_is_published(visit, at):
    await ready(at)
    made = await published(GUIDE, "2026-10", phone="0538-5621234")
    await at("2026-11-05 09:00")
    async with transaction():
        await duties.make(NINGYANG, QIANCUN)
    its = await duty(GUIDE, "2026-11")
    assert f'href="/disclosures/{made}"' in (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/duties/{its}")).text
    public = re.compile(r'<dd class="tally__n num">(\d+)</dd><dt>已公开</dt>')
    before = int(public.search((await visit(VILLAGER, "GET", "/disclosures?month=2026-11")).text)[1])
    await declare(its)
    after = int(public.search((await visit(VILLAGER, "GET", "/disclosures?month=2026-11")).text)[1])
    assert after == before + 1, "what was looked through is public"
    assert "2026年11月核对过，没有变化" in (await visit(VILLAGER, "GET", f"/disclosures/{made}")).text
    assert "核对无变化</span>" in (await visit(VILLAGER, "GET", "/disclosures?month=2026-11")).text


async def test_who_cannot_fulfil_it_learns_who_can(visit, at):
    await ready(at)
    page = (await visit(SECRETARY, "GET", f"/disclosures/duties/{await duty(POOR, QUARTER)}")).text
    assert f"{VILLAGE_ADMIN.name}（村（社区）管理员）" in page
