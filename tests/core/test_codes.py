"""One-time codes: five tries, five minutes, once; one SMS a minute and ten a day; nobody can tell who is known."""
import asyncio
from collections import Counter
from datetime import timedelta

import asyncpg
import pytest

from server.core import codes, sms
from server.core.clock import now
from server.core.codes import Refused, TooMany, TooSoon
from server.core.database import rows, transaction

PHONE, OTHER = "13700000010", "13700000013"
WORDS = "【灯塔e支部】验证码 {code}，5 分钟内有效。不是您本人操作，请找支部书记。"
WRONG = "abcdef"


async def make(purpose="sign-in", phone=PHONE, subject=7, **how) -> str:
    return await codes.send(purpose, phone, subject, words=WORDS, **how)


async def messages() -> list[str]:
    return [sms.words_of(one)[0] for one in await rows("SELECT id, words FROM sms ORDER BY id")]


def code_of(token: str) -> str:
    return codes.code_of(codes.read_token(token))


async def refused(token: str, code: str, purpose="sign-in") -> str:
    with pytest.raises(Refused) as found:
        await codes.confirm(token, purpose, code)
    return str(found.value)


async def test_the_code_goes_by_sms_and_confirms_its_subject_once(database):
    token = await make()
    assert await messages() == [WORDS.format(code=code_of(token))]
    assert await codes.waiting(token, "sign-in")
    assert await codes.confirm(token, "sign-in", code_of(token)) == 7
    assert await refused(token, code_of(token)) == codes.USED
    assert not await codes.waiting(token, "sign-in")


async def test_blanks_around_a_code_do_not_matter(database):
    token = await make()
    assert await codes.confirm(token, "sign-in", f" {code_of(token)} ") == 7


async def test_the_code_stands_nowhere_in_the_database(owner):
    token = await make()
    for (table,) in await owner.fetch("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname IN"
                                      " ('one_time_code', 'code_limit', 'sms', 'effect', 'audit_event')"):
        text = str(await owner.fetch(f"SELECT t::text FROM {table} t"))
        for secret in (code_of(token), code_of(token).encode().hex(), PHONE, PHONE.encode().hex(), token):
            assert secret not in text, table


async def test_a_wrong_code_says_how_many_tries_are_left_and_the_fifth_is_the_last(database):
    token = await make()
    said = [await refused(token, WRONG) for _ in range(6)]
    assert said[:4] == [f"验证码不对，还可以试 {left} 次" for left in (4, 3, 2, 1)]
    assert said[4:] == [codes.TRIED, codes.TRIED]
    assert await refused(token, code_of(token)) == codes.TRIED


async def test_a_hundred_guesses_at_once_are_five(database):
    token = await make()
    said = Counter(await asyncio.gather(*(refused(token, WRONG) for _ in range(100))))
    assert said == {codes.TRIED: 96} | {f"验证码不对，还可以试 {left} 次": 1 for left in (4, 3, 2, 1)}
    assert await rows("SELECT tries FROM one_time_code") == [(5,)]


async def test_a_hundred_who_know_the_code_at_once_are_let_in_once(database):
    token = await make()

    async def try_it() -> str:
        try:
            return str(await codes.confirm(token, "sign-in", code_of(token)))
        except Refused as why:
            return str(why)

    assert Counter(await asyncio.gather(*(try_it() for _ in range(100))))["7"] == 1


async def test_five_minutes_later_the_code_is_over(at):
    await at("2026-11-22 19:30:00")
    token = await make()
    await at("2026-11-22 19:34:58")
    assert await codes.waiting(token, "sign-in")
    await at("2026-11-22 19:35:01")
    assert not await codes.waiting(token, "sign-in")
    assert await refused(token, code_of(token)) == codes.EXPIRED
    assert await rows("SELECT tries FROM one_time_code") == [(0,)]


async def test_a_code_is_good_for_its_own_purpose_only(database):
    token = await make("password-reset")
    assert await refused(token, code_of(token)) == codes.GONE
    assert not await codes.waiting(token, "sign-in")
    assert await codes.confirm(token, "password-reset", code_of(token)) == 7


@pytest.mark.parametrize("token", [
    "", "x", "AAAA", "é", "\x00", "a" * 5000, "AAAAAAAAAAE", "==", "AAAAAAAAAAE" + "A" * 43])
async def test_a_token_that_is_none_of_ours_is_refused(database, token):
    await make()
    assert await refused(token, "123456") == codes.GONE
    assert not await codes.waiting(token, "sign-in")
    assert codes.shown(token) is None


async def test_a_token_that_was_changed_is_none_of_ours(database):
    token = await make()
    changed = ("B" if token[5] != "B" else "C").join((token[:5], token[6:]))
    assert await refused(changed, code_of(token)) == codes.GONE


@pytest.mark.parametrize("code", ["", "١٢٣٤٥٦", "1234567", "12345", "\x00", "é" * 1000])
async def test_an_odd_code_is_a_wrong_one(database, code):
    assert (await refused(await make(), code)).startswith("验证码不对")


async def test_the_codes_of_two_rows_differ_and_have_six_digits(database):
    made = {codes.code_of(number) for number in range(1, 1001)}
    assert all(len(code) == 6 and code.isdecimal() for code in made)
    assert len(made) > 990


# Limits ---------------------------------------------------------------------------------------------------------------

async def test_the_second_code_within_a_minute_is_too_soon(at):
    await at("2026-11-22 19:30:00")
    await make()
    await at("2026-11-22 19:30:40")
    with pytest.raises(TooSoon, match=r"请 [12]\d 秒后再获取") as soon:
        await make("password-reset")
    assert 18 <= soon.value.seconds <= 21
    await make(phone=OTHER)
    await at("2026-11-22 19:31:02")
    await make()
    assert len(await messages()) == 3


async def test_ten_codes_a_day_are_all_and_the_day_is_beijings(at):
    for minute in range(10):
        await at(f"2026-11-22 23:{40 + minute}:{minute:02}")
        await make()
    await at("2026-11-22 23:49:50")
    with pytest.raises(TooMany, match="今天已发 10 次"):
        await make()
    await make(phone=OTHER)
    await at("2026-11-23 00:00:01")
    await make()


@pytest.mark.parametrize("subject", [7, None])
async def test_a_hundred_requests_at_once_are_one_sms(database, subject):
    async def ask() -> str:
        try:
            return await make(subject=subject)
        except TooSoon:
            return "too soon"

    said = Counter(await asyncio.gather(*(ask() for _ in range(100))))
    assert said["too soon"] == 99
    assert len(said) == 2
    assert await rows("SELECT sent FROM code_limit") == [(1,)]


async def test_what_is_shown_on_the_page_counts_for_no_limit(database):
    tokens = {await make(by_sms=False) for _ in range(12)}
    assert len(tokens) == 12
    assert await messages() == []
    for token in tokens:
        assert codes.shown(token) == code_of(token)
        assert await codes.confirm(token, "sign-in", codes.shown(token)) == 7


async def test_outside_the_demonstration_nothing_is_shown(database, monkeypatch):
    from dataclasses import replace

    token = await make()
    monkeypatch.setattr(codes, "settings", replace(codes.settings, demo=False))
    assert codes.shown(token) is None


async def test_within_the_minute_the_code_under_way_serves_again_where_that_is_wanted(at):
    await at("2026-11-22 19:30:00")
    first = await make()
    await refused(first, WRONG)
    await at("2026-11-22 19:30:30")
    again = await make(again_ok=True)
    assert len(await messages()) == 1
    assert await refused(again, WRONG) == "验证码不对，还可以试 3 次", "asking again gives no new tries"
    assert await codes.confirm(again, "sign-in", code_of(first)) == 7
    with pytest.raises(TooSoon):
        await make(again_ok=True)  # it is used
    await at("2026-11-22 19:31:01")
    assert code_of(await make(again_ok=True)) != code_of(first)
    assert len(await messages()) == 2


@pytest.mark.parametrize("other", [{"purpose": "password-reset"}, {"subject": 8}, {"subject": None}])
async def test_a_code_under_way_serves_nobody_and_nothing_else(database, other):
    await make()
    with pytest.raises(TooSoon):
        await make(again_ok=True, **other)


async def test_a_hundred_who_ask_again_at_once_share_one_code(database):
    tokens = await asyncio.gather(*(make(again_ok=True) for _ in range(100)))
    assert len({code_of(token) for token in tokens}) == 1
    assert len(await messages()) == 1


# Nobody can tell ------------------------------------------------------------------------------------------------------

async def test_a_phone_that_nobody_has_gets_the_same_answers_and_no_sms(database):
    known, unknown = await make(), await make(phone=OTHER, subject=None)
    assert len(known) == len(unknown)
    assert len(await messages()) == 1
    for phone, subject in ((PHONE, 7), (OTHER, None)):
        with pytest.raises(TooSoon):
            await make(phone=phone, subject=subject)
    said = [[await refused(token, WRONG) for _ in range(6)] for token in (known, unknown)]
    assert said[0] == said[1]


async def test_the_right_code_of_a_phone_that_nobody_has_is_wrong(database):
    token = await make(subject=None)
    assert await refused(token, code_of(token)) == "验证码不对，还可以试 4 次"


async def test_the_same_statements_run_for_a_phone_that_nobody_has(database, monkeypatch):
    said: list[str] = []
    fetch = asyncpg.Connection.fetch

    async def told(self, query, *values, **options):
        said.append(query)
        return await fetch(self, query, *values, **options)

    monkeypatch.setattr(asyncpg.Connection, "fetch", told)
    ran = []
    for phone, subject in ((PHONE, 7), (OTHER, None)):
        said.clear()
        token = await make(phone=phone, subject=subject)
        await refused(token, WRONG)
        ran.append(list(said))
    assert ran[0] == ran[1]
    assert any("INSERT INTO sms" in one for one in ran[0])


# With what it confirms ------------------------------------------------------------------------------------------------

async def use_and_fail(token: str) -> None:
    async with transaction():
        await codes.use(token, "sign-in")
        raise ZeroDivisionError


async def test_a_code_that_was_kept_is_used_in_the_transaction_of_what_it_confirms(database):
    token = await make()
    assert await codes.confirm(token, "sign-in", code_of(token), keep=True) == 7
    with pytest.raises(ZeroDivisionError):
        await use_and_fail(token)
    async with transaction():
        await codes.use(token, "sign-in")
    with pytest.raises(Refused, match="已用过"):
        await codes.use(token, "sign-in")


async def test_a_kept_code_can_be_looked_at_five_times(database):
    token = await make()
    for _ in range(5):
        await codes.confirm(token, "sign-in", code_of(token), keep=True)
    assert await refused(token, code_of(token)) == codes.TRIED
    await codes.use(token, "sign-in")


async def test_a_try_within_a_transaction_could_be_taken_back_and_is_not_let_in(database):
    token = await make()
    with pytest.raises(RuntimeError):
        async with transaction():
            await codes.confirm(token, "sign-in", WRONG)


# The database, by itself ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("change", [
    "UPDATE one_time_code SET tries = 0", "UPDATE one_time_code SET tries = 6", "DELETE FROM one_time_code",
    "UPDATE one_time_code SET expires_at = expires_at + interval '1 day'", "UPDATE one_time_code SET subject = 8",
    "UPDATE code_limit SET sent = 11", "DELETE FROM code_limit"])
async def test_the_database_gives_no_more_tries_no_more_time_and_no_more_sms(as_app, change):
    await refused(await make(), WRONG)
    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.CheckViolationError)):
        await as_app.execute(change)


async def test_a_used_code_stays_used(as_app):
    token = await make()
    await codes.confirm(token, "sign-in", code_of(token))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_app.execute("UPDATE one_time_code SET used_at = NULL")


async def test_the_sms_of_a_code_is_not_sent_any_more_when_the_code_is_over(at):
    made = await at("2026-11-22 19:30:00")
    await make()
    assert (await rows("SELECT good_until FROM sms"))[0]["good_until"] - made < timedelta(minutes=5, seconds=5)
    await at("2026-11-22 19:36:00")
    assert await sms.sweep() == 0
    assert (await rows("SELECT state, fault FROM sms")) == [("failed", sms.TOO_LATE)]
    assert now() > made
