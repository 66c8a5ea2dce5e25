"""The safety officer's SMS: what did not arrive on top, what they cost, sent again once with a reason; never a word."""
import asyncio
import json
from dataclasses import replace

import pytest
from litestar.exceptions import HTTPException, NotFoundException

from server.accounts import new_passwords
from server.accounts.authentication import RESET_COOKIE
from server.accounts.message_handlers import yuan
from server.accounts.messages import resend
from server.core import codes, sms
from server.core.database import rows, the_row, transaction
from server.core.sms_gateways import Outcome, Result
from tests.cast import AUDITOR, BEIMEN, CITY, COUNTY, MEMBER, NEIGHBOUR_MEMBER, SAFETY, SECRETARY, enter
from tests.commitments import committed

WORDS = "【灯塔e支部】授权码 K7M2P9QX，一周内有效。有疑问请找宁阳县安全员。"
WHY = "问过本人，没有收到"
BLACKLISTED = "手机号退订了短信（FailedOperation.PhoneNumberInBlacklist）"


@pytest.fixture(autouse=True)
def outcome(monkeypatch):
    """outcome("failed", "why") makes the gateway say so from now on."""
    said = [Result(Outcome.SENT, "n", 1)]

    class Desk:
        name = "desk"

        async def send(self, message):
            return said[0]

    monkeypatch.setattr(sms, "gateway", Desk)

    def say(outcome: str, fault: str | None = None) -> None:
        said[0] = Result(Outcome(outcome), None, 0, fault)

    return say


async def send(key="k", phone=MEMBER.phone, **more) -> int:
    async with transaction():
        await sms.send(key, phone, more.pop("kind", "authorisation"), WORDS, **more)
    await sms.sweep()
    return (await the_row("SELECT max(id) AS id FROM sms"))["id"]


async def test_what_did_not_arrive_stands_on_top_with_its_reason(visit, outcome):
    await send("good")
    outcome("failed", BLACKLISTED)
    await send("bad", SECRETARY.phone)
    outcome("unknown", sms.NOT_KNOWN)
    await send("odd", NEIGHBOUR_MEMBER.phone)
    page = (await visit(SAFETY, "GET", "/accounts/messages")).text
    places = [page.index(word) for word in ("要处理的", "吴凤英", "赵德山", "其他短信", "王秀英")]
    assert places == sorted(places)
    for word in ("137****0010", "发送失败", "不知是否发出", "已发出", "手机号退订了短信", sms.NOT_KNOWN, "授权码"):
        assert word in page
    assert "FailedOperation" not in page


async def test_neither_words_nor_codes_nor_whole_numbers_are_on_any_page(visit, outcome):
    outcome("unknown", sms.NOT_KNOWN)
    made = await send()
    token = await codes.send("sign-in", MEMBER.phone, 1, words="验证码 {code}")
    for path in ("/accounts/messages", f"/accounts/messages/{made}", f"/accounts/messages/{made + 1}"):
        page = (await visit(SAFETY, "GET", path)).text
        for secret in (MEMBER.phone, "K7M2P9QX", codes.code_of(codes.read_token(token)), "一周内有效"):
            assert secret not in page, path


async def test_that_they_are_switched_off_is_told(visit, owner):
    assert "短信没有发出" not in (await visit(SAFETY, "GET", "/accounts/messages")).text
    await owner.execute("UPDATE switch SET \"on\" = false WHERE name = 'sms'")
    assert "短信没有发出" in (await visit(SAFETY, "GET", "/accounts/messages")).text


@pytest.mark.parametrize("path", ["/password-reset", "/activation", "/registration"])
async def test_who_waits_for_a_code_reads_that_none_leave(visit, owner, path):
    assert "短信暂时停发" not in (await visit(None, "GET", path)).text
    await owner.execute("UPDATE switch SET \"on\" = false WHERE name = 'sms'")
    assert "短信暂时停发" in (await visit(None, "GET", path)).text


async def test_who_has_asked_for_a_code_is_not_told_that_it_left(visit, owner):
    token = await codes.send(new_passwords.RESET, MEMBER.phone, None, words="验证码 {code}")
    headers = {"cookie": f"{RESET_COOKIE}={token}"}
    assert "短信已经发出" in (await visit(None, "GET", "/password-reset", headers=headers)).text
    await owner.execute("UPDATE switch SET \"on\" = false WHERE name = 'sms'")
    page = (await visit(None, "GET", "/password-reset", headers=headers)).text
    assert "短信暂时停发" in page
    assert "已经发出" not in page


async def test_an_sms_has_its_page_with_tries_cost_and_fault(visit, outcome):
    made = await send()
    page = (await visit(SAFETY, "GET", f"/accounts/messages/{made}")).text
    for word in ("王秀英 137****0010", "授权码", "1 次", "0.05 元（计 1 条）", "已发出"):
        assert word in page
    assert "重发" not in page
    outcome("failed", BLACKLISTED)
    page = (await visit(SAFETY, "GET", f"/accounts/messages/{await send('bad')}")).text
    assert BLACKLISTED in page
    assert "重发原因" in page


async def test_whose_are_in_the_departments_care_are_seen_and_nobody_elses(visit, owner):
    seen = [await send("member"), await send("county", COUNTY.phone), await send("auditor", AUDITOR.phone)]
    unseen = [await send("city", CITY.phone), await send("other", BEIMEN.phone), await send("nobody", "13999999999")]
    page = (await visit(SAFETY, "GET", "/accounts/messages")).text
    assert all(f"/accounts/messages/{one}\"" in page for one in seen)
    assert not any(f"/accounts/messages/{one}\"" in page for one in unseen)
    for one in unseen:
        assert (await visit(SAFETY, "GET", f"/accounts/messages/{one}")).status_code == 404


async def test_the_business_of_an_organisation_counts_more_than_the_phone(visit, owner):
    beimen = await owner.fetchval("SELECT id FROM organisation WHERE name = '北门支部'")
    qiancun = await owner.fetchval("SELECT id FROM organisation WHERE name = '前村支部'")
    theirs = await send("theirs", MEMBER.phone, organisation_id=beimen)
    ours = await send("ours", "13999999999", organisation_id=qiancun)
    assert (await visit(SAFETY, "GET", f"/accounts/messages/{theirs}")).status_code == 404
    page = (await visit(SAFETY, "GET", f"/accounts/messages/{ours}")).text
    assert "不在册的手机号 139****9999" in page


async def test_members_without_an_account_are_in_the_register_and_so_in_care(visit, owner):
    person = await enter(owner, "林阿姨", "13911112222")
    await owner.execute("INSERT INTO member (person_id, branch_id, standing, since) SELECT $1, id, '正式党员',"
                        " '2020-07-01' FROM organisation WHERE name = '前村支部'", person)
    assert "林阿姨 139****2222" in (
        await visit(SAFETY, "GET", f"/accounts/messages/{await send('x', '13911112222')}")).text


async def test_a_couple_with_one_phone_is_named_together(visit, owner):
    await enter(owner, "王老伴", MEMBER.phone)
    assert "王秀英、王老伴" in (await visit(SAFETY, "GET", f"/accounts/messages/{await send()}")).text


async def test_each_month_is_added_up_by_beijings_calendar(visit, at, monkeypatch):
    monkeypatch.setattr(sms, "settings", replace(sms.settings, sms=replace(sms.settings.sms, price_li=45)))
    await at("2026-10-31 23:59:30")
    await send("october")
    await at("2026-11-01 00:00:30")
    await send("november 1")
    await send("november 2")
    page = (await visit(SAFETY, "GET", "/accounts/messages")).text.split("按月合计")[1].split("</table>")[0]
    assert '2026年11月</th><td class="num">2</td><td class="num">0</td><td class="num">0</td><td class="num">2</td>' \
           '<td class="num">0.09</td>' in page
    assert '2026年10月</th><td class="num">1</td>' in page
    assert '<td class="num">0.045</td>' in page


@pytest.mark.parametrize(("li", "said"), [(0, "0.00"), (45, "0.045"), (50, "0.05"), (12_300, "12.30"),
                                          (1_234_567, "1,234.567")])
def test_a_cost_is_told_in_yuan(li, said):
    assert yuan(li) == said


async def test_many_are_told_page_by_page(visit):
    for number in range(31):
        await send(str(number))
    first = (await visit(SAFETY, "GET", "/accounts/messages")).text
    assert first.count('class="row"') == 30
    older = first.split('class="more" href="')[1].split('"')[0]
    second = (await visit(SAFETY, "GET", older)).text
    assert second.count('class="row"') == 1
    assert "按月合计" not in second


# Sent again -----------------------------------------------------------------------------------------------------------

async def test_what_failed_is_sent_again_once_with_a_reason_and_evidence(visit, outcome):
    outcome("failed", BLACKLISTED)
    made = await send()
    outcome("sent")
    answer = await visit(SAFETY, "POST", f"/accounts/messages/{made}/resending", data={"why": WHY})
    assert answer.status_code == 303
    again = int(answer.headers["location"].rpartition("/")[2])
    await sms.sweep()
    assert await rows("SELECT state FROM sms ORDER BY id") == [("failed",), ("sent",)]
    new = await the_row("SELECT * FROM sms WHERE id = $1", again)
    assert (new["key"], new["again_of"], sms.phone_of(new)) == (f"again:{made}", made, MEMBER.phone)
    assert sms.words_of(new)[0] == WORDS
    event = await the_row("SELECT verb, before::text, after::text, why FROM audit_event WHERE subject_kind = 'sms'")
    assert (event["verb"], event["why"]) == ("resend", WHY)
    assert json.loads(event["before"]) == {"state": "发送失败"}
    assert MEMBER.phone not in str(event)
    assert "137****" not in event["after"]
    assert await committed(json.loads(event["after"])["phone"]) == "137****0010"
    page = (await visit(SAFETY, "GET", "/accounts/messages")).text
    assert "要处理的" not in page
    assert "已重发" in page


async def test_a_second_tap_sends_nothing(actor, outcome):
    outcome("unknown", sms.NOT_KNOWN)
    made = await send()
    safety = await actor(SAFETY)

    async def tap() -> int:
        try:
            await resend(safety, made, WHY)
            return 200
        except HTTPException as refusal:
            return refusal.status_code

    assert sorted(await asyncio.gather(*(tap() for _ in range(8)))) == [200] + [409] * 7
    assert len(await rows("SELECT FROM sms")) == 2
    assert len(await rows("SELECT FROM audit_event WHERE verb = 'resend'")) == 1


async def test_what_was_sent_or_waits_is_not_sent_again(actor, monkeypatch):
    safety = await actor(SAFETY)
    sent = await send()
    monkeypatch.setattr(sms, "gateway", lambda: None)
    waits = await send("waits")
    for one in (sent, waits):
        with pytest.raises(HTTPException, match="没有发送失败"):
            await resend(safety, one, WHY)
    assert len(await rows("SELECT FROM sms")) == 2


async def test_a_code_that_is_over_is_not_sent_again(visit, at, outcome):
    outcome("unknown", sms.NOT_KNOWN)
    await at("2026-11-22 19:30:00")
    await codes.send("sign-in", MEMBER.phone, 1, words="验证码 {code}")
    await sms.sweep()
    made = (await the_row("SELECT id FROM sms"))["id"]
    await at("2026-11-22 19:36:00")
    assert "请本人再点一次" in (await visit(SAFETY, "GET", f"/accounts/messages/{made}")).text
    answer = await visit(SAFETY, "POST", f"/accounts/messages/{made}/resending", data={"why": WHY})
    assert answer.status_code == 409
    assert len(await rows("SELECT FROM sms")) == 1


async def test_another_departments_is_not_there(actor, outcome):
    outcome("failed")
    made = await send("other", BEIMEN.phone)
    with pytest.raises(NotFoundException):
        await resend(await actor(SAFETY), made, WHY)


@pytest.mark.parametrize("form", [{}, {"why": " "}, {"why": "长" * 201}])
async def test_without_a_reason_nothing_is_sent_and_the_page_says_so(visit, outcome, form):
    outcome("failed", BLACKLISTED)
    made = await send()
    answer = await visit(SAFETY, "POST", f"/accounts/messages/{made}/resending", data=form)
    assert answer.status_code == 422
    assert "field__error" in answer.text
    assert len(await rows("SELECT FROM sms")) == 1


async def test_others_see_no_way_there(visit):
    assert "/accounts/messages" in (await visit(SAFETY, "GET", "/me")).text
    assert "/accounts/messages" not in (await visit(SECRETARY, "GET", "/me")).text


# The demonstration's outbox -------------------------------------------------------------------------------------------

async def test_the_outbox_shows_whole_messages_newest_first_to_anybody(visit):
    await send("old")
    token = await codes.send("sign-in", SECRETARY.phone, 1, words="登录验证码 {code}，5 分钟内有效")
    page = (await visit(None, "GET", "/demo/outbox")).text
    code = codes.code_of(codes.read_token(token))
    places = [page.index(word) for word in (SECRETARY.phone, f"登录验证码 {code}，5 分钟内有效", MEMBER.phone, WORDS)]
    assert places == sorted(places)
    assert "等待发送" in page


async def test_where_real_people_are_there_is_no_outbox(visit, monkeypatch):
    from server.demo import handlers

    await send()
    monkeypatch.setattr(handlers, "settings", replace(handlers.settings, demo=False))
    for person in (None, SAFETY, MEMBER):
        answer = await visit(person, "GET", "/demo/outbox")
        assert answer.status_code == 404
        assert WORDS not in answer.text
