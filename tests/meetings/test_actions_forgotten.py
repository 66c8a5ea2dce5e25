"""Whom the branch's list forgot, the committee adds; what was called off has no log to amend."""
from tests.cast import MEMBER, ORGANISER, PROBATIONARY, SECRETARY
from tests.databases import fingerprint
from tests.meetings.stories import evidence, ids_of, marks, one, planned
from tests.meetings.test_actions_amendments import BEGINS, act, explain, explained, form_of, page_of, sent_on

AFTER = "2026-12-07 09:00"


async def test_a_member_the_list_forgot_is_added_by_the_committee(visit, at):
    meeting_id = await planned(await at(BEGINS), people=(SECRETARY, MEMBER))
    await at("2026-11-25 20:45")
    await visit(SECRETARY, "POST", f"/meetings/{meeting_id}/attendance/rest", data={"everybody": "1"})
    await at(AFTER)
    amendment = await explained(visit, meeting_id)
    forgotten, absent = (await ids_of(PROBATIONARY))[0], (await ids_of(ORGANISER))[0]
    form = await form_of(meeting_id) | {f"mark-{forgotten}": "参加", f"mark-{absent}": ""}
    seen = await act(visit, meeting_id, amendment, "preview", form)
    assert "参加：李小虎" in seen.text
    assert "孙桂兰" not in seen.text
    assert (await act(visit, meeting_id, amendment, "version", sent_on(seen.text))).status_code == 303
    page = await page_of(visit, meeting_id, PROBATIONARY)
    assert "您的参加情况：参加" in page
    assert "3 人" in page
    assert await marks(meeting_id) == {"赵德山": "参加", "王秀英": "参加"}, "what the branch recorded stays beside it"


async def test_what_was_called_off_has_no_log_to_amend(visit, at, owner):
    meeting_id = await planned(await at(BEGINS))
    await visit(SECRETARY, "POST", f"/meetings/{meeting_id}/cancellation", data={"reason": "停电"})
    await at(AFTER)
    before = await fingerprint(owner)
    answer = await explain(visit, meeting_id)
    assert answer.status_code == 409
    assert "取消了的会议没有日志可改" in answer.text
    assert await fingerprint(owner) == before
    assert await evidence("explain") == 0
    assert await one("SELECT count(*) FROM amendment") == 0
