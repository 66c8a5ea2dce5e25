"""更改说明: after the lock the branch explains, its committee looks, changes or sends back; what stood before stays."""
import asyncio
import json
import re
from datetime import datetime
from html import unescape
from typing import Any

import httpx
import pytest

from server.core.database import rows, the_row
from server.core.forms import wall_time
from server.meetings.amendments import log_content
from tests.cast import COMMITTEE, COMMITTEE_ORGANISER, COUNTY, MEMBER, NEIGHBOUR, ORGANISER, SECRETARY, SIDIAN
from tests.commitments import committed
from tests.databases import fingerprint, sums
from tests.meetings.stories import card_lines, evidence, gathering, ids_of, marks, meeting, one, planned

BEGINS = "2026-11-25 19:30"  # the log of what ends an hour later locks on 4 December, 24:00
AFTER = "2026-12-07 09:00"
ACTS = ("preview", "version", "return")


async def recorded(visit, at, begins: str = BEGINS) -> int:
    """A meeting at which all were present but 王秀英; its text is written and checked, and it is locked."""
    made = await planned(await at(begins), kinds=["主题党日"], topic="学条例、议修路", place="村委会会议室")
    for who, what, form in (
            (SECRETARY, "attendance", {"person": (await ids_of(MEMBER))[0], "mark": "缺席"}),
            (SECRETARY, "attendance/rest", {"everybody": "1"}),
            (ORGANISER, "log", {"minutes": "议了修路", "chair": "赵德山", "version": 0}),
            (SECRETARY, "log/check", {"verdict": "审核通过", "version": 1, "photos": 0})):
        assert (await visit(who, "POST", f"/meetings/{made}/{what}", data=form)).status_code == 303
    await at(AFTER)
    return made


@pytest.fixture
async def meeting_id(visit, at):
    return await recorded(visit, at)


async def explain(visit, meeting_id: int, said: str = "漏记一人", person=SECRETARY) -> httpx.Response:
    return await visit(person, "POST", f"/meetings/{meeting_id}/amendments", data={"explanation": said})


async def explained(visit, meeting_id: int, said: str = "漏记一人") -> int:
    """The id of the branch's explanation."""
    assert (await explain(visit, meeting_id, said)).status_code == 303
    return await one("SELECT max(id) FROM amendment WHERE meeting_id = $1", meeting_id)


async def act(visit, meeting_id: int, amendment: int, what: str, form: Any, person=COMMITTEE) -> httpx.Response:
    sent = {name: value for name, value in form.items() if (name == "answer") == (what == "return")}  # two forms
    return await visit(person, "POST", f"/meetings/{meeting_id}/amendments/{amendment}/{what}", data=sent)


async def form_of(meeting_id: int, **fields: Any) -> dict[str, Any]:
    """The committee's form as it opens, with some fields changed; a person's name stands for the person's mark."""
    proposal = await one("SELECT proposal::text FROM amendment WHERE meeting_id = $1 ORDER BY id DESC", meeting_id)
    its = await log_content(await meeting(meeting_id)) | json.loads(proposal)
    people = {name: f"mark-{person}" for person, name, _ in its["attendance"]}
    given = {people[name]: mark or "" for _, name, mark in its.pop("attendance")}
    when = {name: wall_time(datetime.fromisoformat(its[name])) for name in ("begins_at", "ends_at")}
    changed = {people.get(name, name): value for name, value in fields.items()}
    return its | when | given | {"why": "核对了签到纸", "answer": "不改"} | changed


def sent_on(page: str) -> dict[str, list[str]]:
    """What the preview's page sends with the confirmation."""
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    return {name: [unescape(value) for other, value in hidden if other == name] for name, _ in hidden}


async def changed(visit, meeting_id: int, said: str = "漏记一人", **fields: Any) -> str:
    """The branch explains, the committee previews and confirms; the preview's page."""
    amendment = await explained(visit, meeting_id, said)
    seen = await act(visit, meeting_id, amendment, "preview", await form_of(meeting_id, **fields))
    assert (await act(visit, meeting_id, amendment, "version", sent_on(seen.text))).status_code == 303
    return seen.text


async def page_of(visit, meeting_id: int, person=MEMBER) -> str:
    return (await visit(person, "GET", f"/meetings/{meeting_id}")).text


async def of_the_branch(owner) -> dict[str, tuple[int, int]]:
    return await sums(owner, ("meeting", "attendance", "meeting_log", "log_photo", "log_check"))


# The branch explains --------------------------------------------------------------------------------------------------

async def test_the_branch_explains_and_its_committee_is_told(visit, meeting_id):
    address = (await explain(visit, meeting_id)).headers["location"]
    assert address == f"/meetings/{meeting_id}/amendments"
    assert await card_lines("东疏镇党委", "reports") == ["前村支部：学条例、议修路"]
    reports = await one("SELECT id FROM thread WHERE kind = 'reports'")
    card = (await visit(COMMITTEE, "GET", f"/threads/{reports}")).text
    assert all(word in card for word in ("漏记一人", "赵德山 · 书记", f'href="{address}">马上处理</a>'))
    todos = (await visit(COMMITTEE, "GET", "/to-dos")).text
    assert all(word in todos for word in ("更改说明 · 前村支部 学条例、议修路", "说明：漏记一人"))
    assert "等乡镇（街道）党委处理" in (await visit(SECRETARY, "GET", address)).text
    assert "更改说明 · 待处理" in await page_of(visit, meeting_id)
    assert await evidence("explain") == 1


@pytest.mark.parametrize("moment", ["2026-11-25 19:31", "2026-11-26 09:00", "2026-12-04 23:59:55"])
async def test_before_the_lock_there_is_nothing_to_explain(visit, at, owner, meeting_id, moment):
    await at(moment)
    before = await fingerprint(owner)
    for answer in (await explain(visit, meeting_id), await explain(visit, meeting_id, ""),
                   await visit(COMMITTEE, "GET", f"/meetings/{meeting_id}/amendments")):
        assert answer.status_code == 409
        assert "还没有锁定，支部可以直接更改" in answer.text
    assert await fingerprint(owner) == before


async def test_one_explanation_waits_at_a_time(visit, owner, meeting_id):
    answers = await asyncio.gather(*(explain(visit, meeting_id, said, person) for said, person in (
        ("漏记一人", SECRETARY), ("写错了", ORGANISER), ("漏记一人", SECRETARY))))
    assert sorted(answer.status_code for answer in answers) == [303, 409, 409]
    before = await fingerprint(owner)
    again = await explain(visit, meeting_id, "还有一人")
    assert again.status_code == 409
    assert "已经有一份更改说明在等党委处理" in again.text
    assert await fingerprint(owner) == before
    assert await evidence("explain") == len(await card_lines("东疏镇党委", "reports")) == 1


@pytest.mark.parametrize("said", ["", " \n\u3000", "长" * 301, "漏\x00记"])
async def test_nothing_is_explained_or_sent_back_without_a_word(visit, owner, meeting_id, said):
    before = await fingerprint(owner)
    answers = [await explain(visit, meeting_id, said)]
    assert await fingerprint(owner) == before
    amendment, before = await explained(visit, meeting_id), await fingerprint(owner)
    answers.append(await act(visit, meeting_id, amendment, "return", {"answer": said}))
    for answer, field in zip(answers, ("explanation", "answer"), strict=True):
        assert answer.status_code == 422
        assert f'id="{field}-error"' in answer.text
        assert f">\n{said}</textarea>" in answer.text, "nothing typed is lost"
    assert await fingerprint(owner) == before


# The committee changes ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("fields", "label", "before", "after"), [
    ({"topic": "学党章"}, "主题", "学条例、议修路", "学党章"), ({"place": ""}, "地点", "村委会会议室", "（空）"),
    ({"kinds": ["党课", "主题党日"]}, "类别", "主题党日", "党课、主题党日"),
    ({"begins_at": "2026-11-25T19:00"}, "开始时间", "11月25日 周三 19:30", "11月25日 周三 19:00"),
    ({"minutes": "议了修路\n定了三条"}, "会议记录", "议了修路", "议了修路\n定了三条"),
    ({"王秀英": "参加"}, "党员参加情况", "缺席：王秀英", "参加：王秀英")])
async def test_before_and_after_are_shown_at_first_and_for_ever(visit, owner, meeting_id, fields, label, before, after):
    kept = await of_the_branch(owner)
    seen = await changed(visit, meeting_id, **fields)
    assert "还没有保存" in seen
    for page in (seen, await page_of(visit, meeting_id), await page_of(visit, meeting_id, SECRETARY)):
        assert page.count('<dt class="diff__label">') == 1
        assert all(word in page for word in (f">{label}</dt>", f">{before}</del>", f">{after}</ins>", "核对了签到纸"))
    assert await of_the_branch(owner) == kept, "what the branch wrote stands as it was"


async def test_looking_changes_nothing_and_leads_back_with_everything_that_was_typed(visit, owner, meeting_id):
    amendment = await explained(visit, meeting_id)
    form, before = await form_of(meeting_id, topic="“甲”<b>", kinds=["党课", "主题党日"]), await fingerprint(owner)
    sent = sent_on((await act(visit, meeting_id, amendment, "preview", form)).text)
    typed = {name: value if isinstance(value, list) else [value] for name, value in form.items() if value}
    assert {name: value for name, value in sent.items() if value != [""]} | {"answer": ["不改"]} == typed
    back = await act(visit, meeting_id, amendment, "preview", sent | {"again": "1"})
    assert all(word in unescape(back.text) for word in ("看改前改后", "“甲”<b>", "核对了签到纸"))
    assert await fingerprint(owner) == before


async def test_a_change_is_a_version_with_who_when_and_why(visit, at, meeting_id):
    amendment = await explained(visit, meeting_id)
    await at("2026-12-08 10:20")
    await act(visit, meeting_id, amendment, "version", await form_of(meeting_id, topic="学党章", chair="孙桂兰"))
    version = await the_row("SELECT * FROM version")
    assert (version["number"], version["subject_id"], version["explanation_id"]) == (1, meeting_id, amendment)
    assert (version["who"], version["why"]) == ("褚镇 · 党委管理员", "核对了签到纸")
    assert json.loads(version["difference"]) == {"topic": ["学条例、议修路", "学党章"], "chair": ["赵德山", "孙桂兰"]}
    page = await page_of(visit, meeting_id)
    assert all(word in page for word in (">学党章</h2>", "更改说明 · 已更改", "漏记一人", "赵德山 · 书记", "昨天 09:00",
                                         "褚镇 · 党委管理员 更改", "今天 10:20"))
    assert await card_lines() == ["学条例、议修路", "学党章的日志已由东疏镇党委更改"]
    assert await card_lines("东疏镇党委", "reports") == []
    assert "没有待办的事" in (await visit(COMMITTEE, "GET", "/to-dos")).text
    told = await the_row("SELECT before->>'topic', after->>'topic', why FROM audit_event WHERE verb = 'amend_log'")
    assert tuple(told) == ("学条例、议修路", "学党章", "核对了签到纸")
    chairs = await the_row("""SELECT before->>'chair' AS before, after->>'chair' AS after FROM audit_event
                              WHERE verb = 'amend_log'""")
    assert [await committed(json.loads(chair)) for chair in chairs.values()] == ["赵德山", "孙桂兰"]


async def test_changed_again_both_are_seen_newest_first(visit, at, meeting_id):
    await changed(visit, meeting_id, "漏记一人", topic="学党章")
    await at("2026-12-09 09:00")
    await changed(visit, meeting_id, "又错了", topic="学党章、议修路")
    page = await page_of(visit, meeting_id)
    places = [page.index(said) for said in ("又错了", ">学党章</del>", "漏记一人", ">学条例、议修路</del>")]
    assert places == sorted(places)
    numbers = await rows("SELECT number, difference->'topic'->>0 FROM version ORDER BY id")
    assert [tuple(found) for found in numbers] == [(1, "学条例、议修路"), (2, "学党章")]
    assert await card_lines() == ["学条例、议修路", "学党章、议修路的日志已由东疏镇党委更改"]


async def test_the_committee_sends_back_with_a_reason_and_nothing_is_changed(visit, owner, meeting_id):
    amendment, kept = await explained(visit, meeting_id), await of_the_branch(owner)
    await act(visit, meeting_id, amendment, "return", {"answer": "签到纸上没有他"})
    page = await page_of(visit, meeting_id)
    assert all(word in page for word in ("更改说明 · 已退回", "褚镇 · 党委管理员 退回", "签到纸上没有他", "今天 09:00"))
    assert await one("SELECT count(*) FROM version") == len(await card_lines("东疏镇党委", "reports")) == 0
    assert "没有待办的事" in (await visit(COMMITTEE, "GET", "/to-dos")).text
    assert await of_the_branch(owner) == kept
    assert await evidence("return_explanation") == 1
    await explained(visit, meeting_id, "找到了签到纸")


# No change, once, and by whom ---------------------------------------------------------------------------------

@pytest.mark.parametrize(("fields", "message", "where", "version"), [
    ({}, "还没有改动任何内容", None, 409), ({"why": " "}, "请填写更改理由", "why", 422),
    ({"why": "长" * 301}, "更改理由最多 300 个字", "why", 422), ({"topic": ""}, "请填写主题", "topic", 422),
    ({"kinds": []}, "请选择类别", "kinds", 422), ({"minutes": "\x00"}, "会议记录里有不能保存", "minutes", 422),
    ({"ends_at": "2026-11-25T19:00"}, "晚于开始时间", "ends_at", 422), ({"王秀英": ""}, "请选择王秀英", None, 422),
    ({"begins_at": "2026-12-07T08:30", "ends_at": "2026-12-07T09:30"}, "还没有结束", "ends_at", 422)])
async def test_what_is_no_change_is_told_in_words(visit, owner, meeting_id, fields, message, where, version):
    amendment = await explained(visit, meeting_id)
    form, before = await form_of(meeting_id, **fields), await fingerprint(owner)
    for what, status in (("preview", 422), ("version", version)):
        answer = await act(visit, meeting_id, amendment, what, form)
        assert answer.status_code == status
        assert message in answer.text
        assert where is None or f'id="{where}-error"' in answer.text
        assert status == 409 or 'value="赵德山"' in answer.text, "nothing typed is lost"
    assert await fingerprint(owner) == before


@pytest.mark.parametrize("other", ["version", "return"])
async def test_two_at_once_close_it_once(visit, meeting_id, other):
    amendment = await explained(visit, meeting_id)
    form = await form_of(meeting_id, topic="学党章")
    answers = await asyncio.gather(*(act(visit, meeting_id, amendment, what, form | {"place": place})
                                     for what, place in (("version", "一"), (other, "二"), ("version", "三"))))
    assert sorted(answer.status_code for answer in answers) == [303, 409, 409]
    assert sum("已经处理过了" in answer.text for answer in answers) == 2
    made, sent_back = await evidence("amend_log"), await evidence("return_explanation")
    assert await one("SELECT count(*) FROM version") == made == 1 - sent_back


@pytest.mark.parametrize("closed", ["version", "return"])
async def test_what_is_closed_stays_closed(visit, owner, meeting_id, closed):
    amendment = await explained(visit, meeting_id)
    form = await form_of(meeting_id, topic="学党章")
    assert (await act(visit, meeting_id, amendment, closed, form)).status_code == 303
    before = await fingerprint(owner)
    for what in ACTS:
        answer = await act(visit, meeting_id, amendment, what, form | {"topic": "学党史"})
        assert answer.status_code == 409
        assert "这份更改说明已经处理过了" in answer.text
    assert await fingerprint(owner) == before


async def test_an_explanation_is_its_own_meeting_s(visit, at, owner, meeting_id):
    other = await explained(visit, await recorded(visit, at, "2026-11-24 19:30"))
    await explained(visit, meeting_id)
    form, before = await form_of(meeting_id, topic="学党章"), await fingerprint(owner)
    for amendment in (other, 999_999):
        for what in ACTS:
            assert (await act(visit, meeting_id, amendment, what, form)).status_code == 404
    assert await fingerprint(owner) == before


@pytest.mark.parametrize(("person", "looking", "explaining", "changing"), [
    (None, 303, 401, 401), (MEMBER, 200, 403, 403), (SECRETARY, 200, 409, 403), (ORGANISER, 200, 409, 403),
    (COMMITTEE, 200, 403, None), (COMMITTEE_ORGANISER, 200, 403, 403), (COUNTY, 200, 403, 403),
    (NEIGHBOUR, 404, 404, 403), (SIDIAN, 404, 403, 404)], ids=lambda its: getattr(its, "name", its))
async def test_who_explains_who_changes_and_who_looks(visit, owner, meeting_id, person, looking, explaining, changing):
    amendment = await explained(visit, meeting_id)
    form, before = await form_of(meeting_id, topic="学党章"), await fingerprint(owner)
    page = await visit(person, "GET", f"/meetings/{meeting_id}/amendments")
    assert page.status_code == looking
    assert ("漏记一人" in page.text) is (looking == 200)
    assert ("看改前改后" in page.text) is (changing is None)
    assert (await explain(visit, meeting_id, person=person)).status_code == explaining
    for what in ACTS if changing else ():
        assert (await act(visit, meeting_id, amendment, what, form, person)).status_code == changing
    assert await fingerprint(owner) == before


async def test_what_was_entered_too_late_counts_once_the_committee_has_entered_it(visit, at):
    form = gathering(await at(BEGINS), await ids_of(MEMBER), explanation="没有网络")
    await at(AFTER)
    address = (await visit(SECRETARY, "POST", "/meetings/held", data=form)).headers["location"]
    made = int(address.split("/")[2])
    shown = [f"/meetings/{made}", "/meetings"]
    assert all([">未记入</span>" in (await visit(MEMBER, "GET", page)).text for page in shown])
    assert 'value="缺席" checked' in (await visit(COMMITTEE, "GET", address)).text
    amendment = await one("SELECT id FROM amendment")
    seen = await act(visit, made, amendment, "preview", await form_of(made))
    assert "参加：王秀英；缺席：赵德山、孙桂兰、李小虎、钱永军" in seen.text
    await act(visit, made, amendment, "version", sent_on(seen.text))
    assert all([">已锁定</span>" in (await visit(MEMBER, "GET", page)).text for page in shown])
    assert await marks(made) == {}, "the branch itself entered nothing"
