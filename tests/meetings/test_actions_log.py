"""写记录: saved, kept as a draft, never lost to a second officer; not before it begins, not once it is locked."""
import asyncio
import json
import re
from html import unescape

import pytest

from server.core.forms import LONG_TEXT
from server.meetings.logs import FIELDS
from tests.cast import BRANCH_ADMIN, COMMITTEE, COUNTY, MEMBER, NEIGHBOUR, ORGANISER, SECRETARY, VILLAGER
from tests.commitments import committed
from tests.databases import fingerprint
from tests.meetings.stories import evidence, meeting, one, planned

BEGINS = "2026-11-25 19:30"  # a Wednesday; the lock of what ends then is on 4 December, 24:00
WHOLE = {"chair": "赵德山", "recorder": "孙桂兰", "guests": "马主任", "agenda": "一、学条例\n二、议修路",
         "minutes": "学了条例，\n又议了村东头<修路>的事", "decisions": "下月初动工", "votes": "赞成 5 票 & 反对 0 票"}
OTHER = dict.fromkeys(FIELDS, "") | {"chair": "赵德山", "minutes": "学了条例，没有议修路"}
BOX = re.compile(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"|<textarea[^>]* name="(\w+)"[^>]*>\n([^<]*)</textarea>')
DRAFT = "没有写完的草稿"
WAITING = """SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
             WHERE NOT granted AND datname = current_database()"""


def boxes(page: str) -> dict[str, str]:
    """What stands in the boxes of the editor, and the version it would be saved on."""
    return {name or long: unescape(value or text) for name, value, long, text in BOX.findall(page)}


def texts(page: str) -> dict[str, str]:
    """What stands in the boxes, without the version."""
    return {name: value for name, value in boxes(page).items() if name != "version"}


async def write(visit, meeting_id: int, form, version: int | str = 0, person=SECRETARY):
    return await visit(person, "POST", f"/meetings/{meeting_id}/log", data=form | {"version": version})


async def keep(visit, meeting_id: int, form, version: int | str = 0, person=SECRETARY):
    return await visit(person, "POST", f"/meetings/{meeting_id}/log/draft", data=form | {"version": version})


async def editor(visit, meeting_id: int, person=SECRETARY) -> str:
    answer = await visit(person, "GET", f"/meetings/{meeting_id}/log")
    assert answer.status_code == 200
    return answer.text


async def everything(visit, meeting_id: int, person=SECRETARY) -> list:
    """All that can be done at the log's text: opening, keeping, saving it."""
    return [await visit(person, "GET", f"/meetings/{meeting_id}/log"), await keep(visit, meeting_id, WHOLE, 0, person),
            await write(visit, meeting_id, WHOLE, 0, person)]


async def at_once(owner, *requests) -> list:
    """The answers to requests that save: none has saved before all have begun to."""
    async with asyncio.timeout(20), owner.transaction():
        await owner.execute("LOCK meeting_log IN SHARE MODE")
        answers = asyncio.gather(*requests)
        while await one(WAITING) < len(requests):
            pass
    return await answers


async def saved(owner) -> dict[str, str]:
    return dict(await owner.fetchrow(f"SELECT {', '.join(FIELDS)} FROM meeting_log"))


async def but_drafts(owner) -> dict[str, tuple[int, int]]:
    every = await fingerprint(owner)
    del every["log_draft"]
    return every


@pytest.fixture
async def meeting_id(at):
    """A meeting that has just ended."""
    made = await planned(await at(BEGINS))
    await at("2026-11-25 20:31")
    return made


# Saving ---------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("person", [SECRETARY, ORGANISER, BRANCH_ADMIN], ids=lambda person: person.role)
async def test_what_is_written_is_there_with_who_wrote_it_and_when(visit, owner, meeting_id, person):
    assert texts(await editor(visit, meeting_id, person)) == dict.fromkeys(FIELDS, "")
    answer = await write(visit, meeting_id, WHOLE, 0, person)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/meetings/{meeting_id}")
    assert await saved(owner) == WHOLE
    assert boxes(await editor(visit, meeting_id)) == WHOLE | {"version": "1"}
    page = (await visit(BRANCH_ADMIN, "GET", f"/meetings/{meeting_id}")).text
    assert all(value in unescape(page) for value in WHOLE.values())
    assert "<修路>" not in page
    assert f"{person.name} 记于 今天 20:3" in page
    assert await evidence("write_log") == 1
    assert (await meeting(meeting_id))["recorded_at"] is None  # who came is one of the four facts (M2§6)


async def test_a_corrected_text_is_the_next_version_and_its_evidence_says_what_stood_there(visit, owner, meeting_id):
    await write(visit, meeting_id, WHOLE)
    assert (await write(visit, meeting_id, OTHER, 1, ORGANISER)).status_code == 303
    assert await saved(owner) == OTHER
    assert boxes(await editor(visit, meeting_id))["version"] == "2"
    trail = await owner.fetchrow("""SELECT before->>'minutes', after->>'minutes', person_name FROM audit_event
                                    WHERE verb = 'write_log' ORDER BY id DESC LIMIT 1""")
    assert [await committed(json.loads(trail[side])) for side in (0, 1)] == [WHOLE["minutes"], OTHER["minutes"]]
    assert trail["person_name"] == "孙桂兰"


@pytest.mark.parametrize(("person", "version", "form"), [
    (SECRETARY, 1, WHOLE), (ORGANISER, 1, WHOLE), (SECRETARY, 0, WHOLE),
    (SECRETARY, 1, {name: f"  {value}\n".replace("\n", "\r\n") for name, value in WHOLE.items()}),
], ids=["again", "by another", "from the old page", "with a browser's line ends"])
async def test_the_same_text_again_is_no_new_version(visit, owner, meeting_id, person, version, form):
    await write(visit, meeting_id, WHOLE)
    before = await fingerprint(owner)
    assert (await write(visit, meeting_id, form, version, person)).status_code == 303
    assert await fingerprint(owner) == before


@pytest.mark.parametrize("version", [0, 1])
async def test_a_double_tap_saves_once(visit, owner, meeting_id, version):
    if version:
        await write(visit, meeting_id, OTHER)
    answers = await at_once(owner, *(write(visit, meeting_id, WHOLE, version) for _ in range(3)))
    assert [answer.status_code for answer in answers] == [303] * 3
    assert await one("SELECT version FROM meeting_log") == await evidence("write_log") == version + 1


# Two officers ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("version", [0, 1])
async def test_two_officers_at_once_lose_nothing(visit, owner, meeting_id, version):
    if version:
        await write(visit, meeting_id, {"minutes": "明天再写"})
    forms = {SECRETARY: WHOLE, ORGANISER: OTHER}
    answers = dict(zip(forms, await at_once(owner, *(
        write(visit, meeting_id, form, version, person) for person, form in forms.items())), strict=True))
    assert sorted(answer.status_code for answer in answers.values()) == [303, 409]
    slower, other = sorted(forms, key=lambda person: -answers[person].status_code)
    assert await saved(owner) == forms[other]
    assert texts(answers[slower].text) == forms[slower]
    assert (await write(visit, meeting_id, boxes(answers[slower].text), version + 1, slower)).status_code == 303
    assert await saved(owner) == forms[slower]
    assert await evidence("write_log") == version + 2


async def test_who_saves_on_an_old_version_sees_both_texts_and_saves_again(visit, owner, meeting_id):
    await write(visit, meeting_id, OTHER, 0, ORGANISER)
    before = await but_drafts(owner)
    answer = await write(visit, meeting_id, WHOLE)
    assert answer.status_code == 409
    assert await but_drafts(owner) == before
    assert boxes(await editor(visit, meeting_id)) == WHOLE | {"version": "1"}, "who goes away finds it again"
    beside = unescape(answer.text.partition('id="conflict"')[2].partition("</section>")[0])
    assert "孙桂兰（今天 20:3" in beside
    differing = {name: value for name, value in WHOLE.items() if value != OTHER[name]}
    assert all(value in beside for value in (*differing.values(), OTHER["minutes"]))
    assert "主持人" not in beside  # the same in both
    assert boxes(answer.text) == WHOLE | {"version": "1"}
    assert (await write(visit, meeting_id, texts(answer.text), 1)).status_code == 303
    assert await saved(owner) == WHOLE
    former = await one("SELECT before->>'minutes' FROM audit_event WHERE verb = 'write_log' ORDER BY id DESC LIMIT 1")
    assert await committed(json.loads(former)) == OTHER["minutes"]


@pytest.mark.parametrize("version", [2, 999])
async def test_a_version_that_never_was_is_no_version(visit, owner, meeting_id, version):
    await write(visit, meeting_id, WHOLE)
    before = await but_drafts(owner)
    answer = await write(visit, meeting_id, OTHER, version)
    assert answer.status_code == 409
    assert boxes(answer.text) == OTHER | {"version": "1"}
    assert await but_drafts(owner) == before


# The draft ------------------------------------------------------------------------------------------------------------

async def test_what_is_typed_is_shown_again_to_who_typed_it_and_to_nobody_else(visit, meeting_id):
    await write(visit, meeting_id, OTHER)
    assert (await keep(visit, meeting_id, WHOLE, 1)).status_code == 204
    page = await editor(visit, meeting_id)
    assert boxes(page) == WHOLE | {"version": "1"}
    assert DRAFT in page
    for person in (ORGANISER, BRANCH_ADMIN):
        page = await editor(visit, meeting_id, person)
        assert boxes(page) == OTHER | {"version": "1"}
        assert DRAFT not in page
    for person in (SECRETARY, ORGANISER, COMMITTEE, MEMBER):
        assert "下月初动工" not in (await visit(person, "GET", f"/meetings/{meeting_id}")).text


async def test_the_last_that_was_typed_is_kept_and_makes_no_log(visit, owner, meeting_id):
    before = await owner.fetchval("SELECT count(*) FROM audit_event")
    for form in (WHOLE, OTHER, OTHER):
        await keep(visit, meeting_id, form)
    assert texts(await editor(visit, meeting_id)) == OTHER
    assert await one("SELECT count(*) FROM log_draft") == 1
    assert await one("SELECT count(*) FROM meeting_log") == 0
    assert await one("SELECT count(*) FROM audit_event") == before


@pytest.mark.parametrize("saving", [WHOLE, OTHER], ids=["another text", "the text as it stood"])
async def test_the_draft_vanishes_when_its_officer_saves(visit, meeting_id, saving):
    await write(visit, meeting_id, OTHER)
    for person in (SECRETARY, ORGANISER):
        await keep(visit, meeting_id, {"minutes": f"{person.name}还在写"}, 1, person)
    await write(visit, meeting_id, saving, 1)
    page = await editor(visit, meeting_id)
    assert texts(page) == saving
    assert DRAFT not in page
    assert texts(await editor(visit, meeting_id, ORGANISER))["minutes"] == "孙桂兰还在写"


async def test_a_draft_survives_what_another_saved_meanwhile(visit, meeting_id):
    await keep(visit, meeting_id, WHOLE)
    await write(visit, meeting_id, OTHER, 0, ORGANISER)
    page = await editor(visit, meeting_id)
    assert boxes(page) == WHOLE | {"version": "1"}
    assert DRAFT in page
    assert "孙桂兰（" in page, "and is told that somebody saved meanwhile, and what"
    assert OTHER["minutes"] in page


# When -----------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("moment", "statuses", "words"), [
    ("2026-11-25 19:29:50", [409] * 3, "会议还没有开始，不能记为已开展"), ("2026-11-25 19:30:00", [200, 204, 303], ""),
    ("2026-12-04 23:59:50", [200, 204, 303], ""), ("2026-12-05 00:00:00", [409] * 3, "已超7个工作日，禁止更改"),
])
async def test_a_log_is_written_from_the_beginning_to_the_lock(visit, at, owner, meeting_id, moment, statuses, words):
    await at(moment)
    before, answers = await fingerprint(owner), await everything(visit, meeting_id)
    assert [answer.status_code for answer in answers] == statuses
    assert all(words in answer.text for answer in answers)
    assert (await fingerprint(owner) == before) is (409 in statuses)


async def test_of_what_was_called_off_there_is_no_log(visit, owner, meeting_id):
    await visit(SECRETARY, "POST", f"/meetings/{meeting_id}/cancellation", data={"reason": "没有人来"})
    before = await fingerprint(owner)
    for answer in await everything(visit, meeting_id):
        assert answer.status_code == 409
        assert "这次会议已经取消了" in answer.text
    assert await fingerprint(owner) == before


# Bad input ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("name", "value", "message"), [
    ("minutes", "长" * (LONG_TEXT + 1), f"会议记录最多 {LONG_TEXT} 个字，现在有 {LONG_TEXT + 1} 个"),
    ("agenda", "长" * (LONG_TEXT + 1), f"议程最多 {LONG_TEXT} 个字"), ("chair", "长" * 41, "主持人最多 40 个字"),
    ("recorder", "长" * 41, "记录人最多 40 个字"), ("guests", "长" * 301, "最多 300 个字，现在有 301 个"),
    ("decisions", "同意\x00修路", "决议里有不能保存的字符"), ("votes", "\x1b[2J", "表决情况里有不能保存的字符"),
], ids=["minutes", "agenda", "chair", "recorder", "guests", "a NUL", "a control character"])
async def test_a_wrong_text_is_told_beside_its_field_and_the_others_are_kept(
        visit, owner, meeting_id, name, value, message):
    form, before = WHOLE | {name: value}, await fingerprint(owner)
    assert (await keep(visit, meeting_id, form)).status_code == 422
    answer = await write(visit, meeting_id, form)
    assert answer.status_code == 422
    assert message in answer.text.partition(f'id="{name}-error"')[2].partition("</p>")[0]
    assert answer.text.count('-error">') == 1
    assert boxes(answer.text) == form | {"version": "0"}
    assert await fingerprint(owner) == before


async def test_the_longest_text_is_taken_whole(visit, owner, meeting_id):
    longest = WHOLE | {"minutes": "𬶮" * LONG_TEXT, "guests": "长" * 300, "chair": "长" * 40}
    assert (await write(visit, meeting_id, longest)).status_code == 303
    assert await saved(owner) == longest


@pytest.mark.parametrize("version", ["", "x", "-1", "1.5", str(2**31), "9" * 30, "\x00"])
async def test_without_the_version_it_was_opened_at_nothing_is_saved(visit, owner, meeting_id, version):
    before = await fingerprint(owner)
    assert (await keep(visit, meeting_id, WHOLE, version)).status_code == 422
    answer = await write(visit, meeting_id, WHOLE, version)
    assert answer.status_code == 422
    assert "版本" in answer.text.partition('role="alert"')[2].partition("</div></div>")[0]
    assert texts(answer.text) == WHOLE
    assert await fingerprint(owner) == before


@pytest.mark.parametrize(("value", "status"), [("x" * 1_000_000, 422), ("一" * 330_000, 413)], ids=["1 MB", "3 MB"])
async def test_a_megabyte_is_refused_in_words(visit, owner, meeting_id, value, status):
    before = await fingerprint(owner)
    for post, words in ((keep, "内容"), (write, {422: "现在有 1000000 个", 413: "内容太大了"}[status])):
        answer = await post(visit, meeting_id, WHOLE | {"minutes": value})
        assert answer.status_code == status
        assert words in answer.text
    assert await fingerprint(owner) == before


# Who ------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("person", "statuses"), [
    (MEMBER, [403] * 3), (VILLAGER, [403] * 3), (COMMITTEE, [403] * 3), (COUNTY, [403] * 3), (NEIGHBOUR, [404] * 3),
    (None, [303, 401, 401]),
], ids=lambda one: getattr(one, "role", None))
async def test_who_does_not_keep_this_branch_writes_nothing(visit, owner, meeting_id, person, statuses):
    before = await fingerprint(owner)
    answers = await everything(visit, meeting_id, person)
    assert [answer.status_code for answer in answers] == statuses
    assert [answer.text for answer in await everything(visit, 10**9, person)] == [answer.text for answer in answers]
    assert await fingerprint(owner) == before
