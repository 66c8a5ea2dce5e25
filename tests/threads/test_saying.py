"""Saying something, being read, taking it down: works, refused, repeated, wrongly filled in, nothing lost."""
import asyncio
import re
from datetime import timedelta

import pytest

from server.core.clock import now
from server.core.database import rows
from server.threads.actions import thread_of
from tests.cast import (
    BRANCH_ADMIN,
    COMMITTEE,
    MEMBER,
    NEIGHBOUR,
    NEIGHBOUR_MEMBER,
    ORGANISER,
    PROBATIONARY,
    SECRETARY,
    VILLAGER,
    Person,
)
from tests.databases import fingerprint
from tests.meetings.stories import evidence, ids_of, one, planned
from tests.officers.stories import activate, opened, somebody

FACES = "𬶮𰻞 👨‍👩‍👧 🇨🇳 “引号” <b>&amp;"


async def say(visit, person, forum: int, text: str = "我下个月去济南务工"):
    return await visit(person, "POST", f"/threads/{forum}/entries", data={"text": text})


async def said(forum: int) -> list[str]:
    return [entry["text"] for entry in await rows("SELECT text FROM entry WHERE thread_id = $1 ORDER BY id", forum)]


def unread(page: str, title: str) -> int:
    """The count beside a thread in the list."""
    row = page.split(f'row__title">{title}<')[1].split("</li>")[0]
    found = re.search(r'class="badge">(\d+)', row)
    return int(found[1]) if found else 0


async def test_what_a_member_says_the_branch_reads(visit, forum):
    assert (await say(visit, MEMBER, forum)).headers["location"] == f"/threads/{forum}"
    for person in (MEMBER, PROBATIONARY, SECRETARY):
        assert "我下个月去济南务工" in (await visit(person, "GET", f"/threads/{forum}")).text
    assert "王秀英：我下个月去济南务工" in (await visit(SECRETARY, "GET", "/threads")).text
    assert "我：我下个月去济南务工" in (await visit(MEMBER, "GET", "/threads")).text
    assert await evidence("say") == 1


async def test_nobody_else_reads_it_or_knows_of_it(visit, forum):
    await say(visit, MEMBER, forum)
    for person in (NEIGHBOUR, NEIGHBOUR_MEMBER, VILLAGER, COMMITTEE):
        answer = await visit(person, "GET", f"/threads/{forum}")
        assert answer.status_code == 404
        assert answer.text == (await visit(person, "GET", "/threads/999999")).text
    assert (await say(visit, NEIGHBOUR_MEMBER, forum)).status_code == 404


async def test_said_twice_in_a_moment_it_stands_once(visit, forum, at):
    await at("2026-11-22 10:00")
    for _ in range(3):
        assert (await say(visit, MEMBER, forum)).status_code == 303
    assert await said(forum) == ["我下个月去济南务工"]
    await say(visit, PROBATIONARY, forum)
    await at(now() + timedelta(hours=1))
    await say(visit, MEMBER, forum)
    assert len(await said(forum)) == 3


async def test_rare_characters_and_faces_come_back_as_they_went(visit, forum):
    await say(visit, MEMBER, forum, f"  {FACES}\r\n第二行  ")
    assert await said(forum) == [f"{FACES}\n第二行"]
    page = (await visit(SECRETARY, "GET", f"/threads/{forum}")).text
    assert "𬶮𰻞 👨‍👩‍👧 🇨🇳 “引号” &lt;b&gt;&amp;amp;" in page
    assert "<b>&" not in page


@pytest.mark.parametrize(("text", "message"), [
    ("", "请填写内容"), ("  \n ", "请填写内容"), ("长" * 1001, "内容最多 1000 个字，现在有 1001 个"),
    ("好\x00的", "不能保存的字符"),
])
async def test_a_wrong_message_is_told_beside_the_composer_and_not_lost(visit, forum, owner, text, message):
    before = await fingerprint(owner)
    answer = await say(visit, MEMBER, forum, text)
    assert answer.status_code == 422
    assert message in answer.text
    assert 'aria-describedby="composer-error"' in answer.text
    assert text.strip().replace("\x00", "�") in answer.text.replace("\x00", "�")
    assert await fingerprint(owner) == before


async def test_only_cards_arrive_where_nobody_writes(visit, forum):
    person = (await ids_of(MEMBER))[0]
    reminders = await thread_of("reminders", person_id=person)
    assert (await say(visit, MEMBER, reminders)).status_code == 404
    assert "composer" not in (await visit(MEMBER, "GET", f"/threads/{reminders}")).text


async def test_a_long_thread_is_read_page_by_page_without_a_gap(visit, forum, owner):
    await owner.execute("INSERT INTO entry (thread_id, who, text) SELECT $1, '某人', 'n' || g || 'n' FROM"
                        " generate_series(1, 65) g", forum)
    seen, path = [], f"/threads/{forum}"
    while path:
        page = (await visit(MEMBER, "GET", path)).text
        seen = re.findall(r'bubble">n(\d+)n<', page) + seen
        older = re.search(r'class="more" href="([^"]+)"', page)
        path = older[1] if older else None
    assert seen == [str(number) for number in range(1, 66)]


# Unread ---------------------------------------------------------------------------------------------------------------

async def test_what_was_not_seen_is_counted_and_what_was_opened_no_more(visit, forum):
    for text in ("一", "二", "三"):
        await say(visit, MEMBER, forum, text)
    assert unread((await visit(SECRETARY, "GET", "/threads")).text, "支部论坛") == 3
    await visit(SECRETARY, "GET", f"/threads/{forum}")
    assert unread((await visit(SECRETARY, "GET", "/threads")).text, "支部论坛") == 0
    await say(visit, MEMBER, forum, "四")
    assert unread((await visit(SECRETARY, "GET", "/threads")).text, "支部论坛") == 1
    assert unread((await visit(PROBATIONARY, "GET", "/threads")).text, "支部论坛") == 4


async def test_what_was_said_before_somebody_came_is_not_new_to_him(visit, forum):
    for text in ("一", "二", "三"):
        await say(visit, MEMBER, forum, text)
    officer = await somebody(at="qiancun")
    await activate((await opened(officer)).account_id)
    newcomer = Person(officer.phone, officer.name, officer.role, "qiancun")
    assert unread((await visit(newcomer, "GET", "/threads")).text, "支部论坛") == 0
    await say(visit, MEMBER, forum, "四")
    assert unread((await visit(newcomer, "GET", "/threads")).text, "支部论坛") == 1
    assert "三" in (await visit(newcomer, "GET", f"/threads/{forum}")).text


async def test_whoever_asks_at_the_same_moment_reads_his_own(visit, forum):
    for person, text in ((MEMBER, "一"), (SECRETARY, "二"), (SECRETARY, "三")):
        await say(visit, person, forum, text)
    asked = (MEMBER, SECRETARY, VILLAGER, NEIGHBOUR_MEMBER, COMMITTEE, PROBATIONARY, MEMBER)
    alone = [(await visit(person, "GET", "/threads")).text for person in asked]
    assert [unread(page, "支部论坛") for page in (alone[0], alone[1], alone[5])] == [2, 0, 3]
    assert "支部论坛" not in alone[2]
    together = await asyncio.gather(*(visit(person, "GET", "/threads") for person in asked))
    assert [answer.text for answer in together] == alone


async def test_ones_own_words_are_not_news(visit, forum):
    await say(visit, MEMBER, forum)
    assert unread((await visit(MEMBER, "GET", "/threads")).text, "支部论坛") == 0


async def test_an_old_page_does_not_take_back_what_was_seen(visit, forum):
    for text in ("一", "二", "三"):
        await say(visit, MEMBER, forum, text)
    await visit(SECRETARY, "GET", f"/threads/{forum}")
    await visit(SECRETARY, "GET", f"/threads/{forum}?before=2")
    assert unread((await visit(SECRETARY, "GET", "/threads")).text, "支部论坛") == 0
    assert await one("SELECT count(*) FROM last_seen WHERE thread_id = $1", forum) == 2


async def test_a_card_counts_for_everybody_in_the_branch(visit, forum):
    await planned()
    assert unread((await visit(MEMBER, "GET", "/threads")).text, "组织生活") == 1
    assert '<span class="badge">1<' in (await visit(MEMBER, "GET", "/tabs")).text


# Taking down ----------------------------------------------------------------------------------------------------------

async def take_down(visit, person, forum: int, entry: int, reason: str = "含住址"):
    return await visit(person, "POST", f"/threads/{forum}/entries/{entry}/withdrawal", data={"reason": reason})


async def message(visit, forum: int) -> int:
    await say(visit, MEMBER, forum, "我家住村东头")
    return await one("SELECT max(id) FROM entry WHERE thread_id = $1", forum)


async def test_an_officer_takes_a_message_down_and_both_stay(visit, forum):
    entry = await message(visit, forum)
    assert (await take_down(visit, ORGANISER, forum, entry)).status_code == 303
    page = (await visit(MEMBER, "GET", f"/threads/{forum}")).text
    assert "孙桂兰 · 组织委员 撤下：含住址" in page
    assert "我家住村东头" not in page
    assert "（已撤下）" in (await visit(PROBATIONARY, "GET", "/threads")).text
    assert await said(forum) == ["我家住村东头"]
    assert await evidence("take_down") == 1


async def test_taken_down_twice_is_once_and_says_so(visit, forum):
    entry = await message(visit, forum)
    await take_down(visit, ORGANISER, forum, entry)
    answer = await take_down(visit, SECRETARY, forum, entry, "重复")
    assert answer.status_code == 409
    assert "这条已经撤下了" in answer.text
    assert await one("SELECT take_down_reason FROM entry WHERE id = $1", entry) == "含住址"


@pytest.mark.parametrize(("reason", "message_"), [("", "请填写撤下的原因"), ("长" * 201, "最多 200 个字")])
async def test_why_must_be_said_beside_the_message(visit, forum, owner, reason, message_):
    entry = await message(visit, forum)
    before = await fingerprint(owner)
    answer = await take_down(visit, BRANCH_ADMIN, forum, entry, reason)
    assert answer.status_code == 422
    assert f'id="reason-{entry}-error"' in answer.text
    assert message_ in answer.text
    assert f'value="{reason}"' in answer.text
    assert "composer-error" not in answer.text
    assert await fingerprint(owner) == before


async def test_no_card_and_nothing_elsewhere_is_taken_down(visit, forum, owner):
    entry = await message(visit, forum)
    await planned()
    card = await one("SELECT id FROM entry WHERE card_kind = 'meeting'")
    meetings = await one("SELECT thread_id FROM entry WHERE id = $1", card)
    before = await fingerprint(owner)
    for person, thread, what in ((SECRETARY, meetings, card), (SECRETARY, meetings, entry), (SECRETARY, forum, 999_999),
                                 (NEIGHBOUR, forum, entry)):
        assert (await take_down(visit, person, thread, what)).status_code == 404
    assert (await take_down(visit, MEMBER, forum, entry)).status_code == 403
    assert await fingerprint(owner) == before
