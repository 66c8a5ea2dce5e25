"""New passwords: the rules, a forgotten one, a changed one; two people on one phone; nobody else's; sessions end."""
import asyncio
from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from server.accounts import new_passwords
from server.accounts.authentication import RESET_COOKIE, SESSION_COOKIE
from server.accounts.new_passwords import RESET
from server.accounts.rules import GUESSES, read_id_tail, read_password, tells
from server.core import codes, picture_code
from server.core.forms import Refused
from server.people.tables import kept_id_number
from tests.cast import COUNTY, MEMBER, SECRETARY, VILLAGER, phone_index
from tests.databases import fingerprint
from tests.meetings.stories import evidence, one
from tests.officers.stories import messages, opened, somebody
from tests.passwords import PASSWORD
from tests.visits import Visitor, actor_of, session_token

FRESH = "Xinmima2027"
ABOUT = ("王秀英", "13700000010", "370921196001159990")


@pytest.fixture
async def browser(database):
    async with Visitor() as visitor:
        yield await visitor.client(None)


# What a password may be -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("password", [FRESH, "aB3xyzq9", "Qk7#mZ!p2wTn5vRb8x", "hunHe1kuaiBuDui"])
def test_a_good_one_is_taken_as_it_is(password):
    assert read_password(password, password, ABOUT) == password


@pytest.mark.parametrize(("password", "words"), [
    ("Ab3defg", "8–18 个字符，现在有 7 个"), ("Ab3" + "x" * 16, "8–18 个字符，现在有 19 个"), ("", "现在有 0 个"),
    ("xinmima2027", "还要有大写字母"), ("XINMIMA2027", "还要有小写字母"), ("Xinmimaabc", "还要有数字"),
    ("xinmimaabc", "大写字母、数字"), ("Xin mima2027", "不要空格"), ("Xin密码2027a", "半角"), ("Ｘinmima2027", "半角"),
    ("Password1", "太常见"), ("Aa123456", "太常见"), ("Abcd1234", "太常见"), ("Qwerty123456", "太常见"),
    ("P@ssw0rd1", "太常见"), ("Zx13700000010", "不要有自己的"), ("Zxv000010qQ", "不要有自己的"),
    ("Zxv196001Qq", "不要有自己的"),
])
def test_a_bad_one_says_what_is_wrong(password, words):
    with pytest.raises(ValueError, match=words):
        read_password(password, password, ABOUT)


def test_both_have_to_be_the_same():
    with pytest.raises(ValueError, match="不一样"):
        read_password(FRESH, FRESH + "x")


def test_a_name_in_it_tells_who_one_is_in_any_case():
    assert tells("xxAYNURxx1", ("Aynur",))
    assert not tells(FRESH, ("", *ABOUT))


@pytest.mark.parametrize(("typed", "tail"), [("15999x", "15999X"), (" 15999X ", "15999X"), ("159990", "159990")])
def test_the_last_six_may_be_typed_with_a_small_x(typed, tail):
    assert read_id_tail(typed) == tail


@pytest.mark.parametrize("typed", ["", "15999", "1599900", "x59990", "１５９９９０", "15 9990"])
def test_what_are_no_last_six_is_refused(typed):
    with pytest.raises(ValueError, match="最后六位"):
        read_id_tail(typed)


# Forgotten ------------------------------------------------------------------------------------------------------------

async def ask(browser, number: str, **more: str):
    token = picture_code.new()
    return await browser.post("/password-reset", data={
        "phone": number, "picture": token, "picture_code": str(picture_code.shown(token))} | more)


def sent(browser) -> str:
    """The code in the SMS."""
    return str(codes.shown(browser.cookies[RESET_COOKIE]))


async def set_new(browser, person, password: str = FRESH, **more: str):
    return await browser.post("/password-reset", data={
        "code": sent(browser), "id_tail": person.id_number[-6:], "password": password,
        "password_again": password} | more)


async def test_a_forgotten_password_is_set_anew_by_phone_and_id_number_and_every_session_ends(browser):
    other = await session_token(MEMBER)
    asked = await ask(browser, MEMBER.phone)
    assert (asked.status_code, asked.headers["location"]) == (303, "/password-reset")
    assert await one("SELECT count(*) FROM sms") == 1
    page = (await browser.get("/password-reset")).text
    assert "身份证号后六位" in page
    assert page.count('autocomplete="new-password"') == 2
    assert "maxlength" not in page
    done = await set_new(browser, MEMBER, id_tail=MEMBER.id_number[-6:].lower())
    assert (done.status_code, done.headers["location"]) == (303, "/sign-in?changed=1")
    assert "请用新密码登录" in (await browser.get("/sign-in?changed=1")).text
    browser.cookies.set(SESSION_COOKIE, other)
    assert (await browser.get("/threads")).status_code == 303
    browser.cookies.clear()
    for password, status in ((PASSWORD, 422), (FRESH, 422)):  # the first mistake asks for a picture
        answer = await browser.post("/sign-in", data={"phone": MEMBER.phone, "password": password})
        assert answer.status_code == status
    token = picture_code.new()
    answer = await browser.post("/sign-in", data={"phone": MEMBER.phone, "password": FRESH, "picture": token,
                                                  "picture_code": str(picture_code.shown(token))})
    assert answer.status_code == 303
    assert await evidence("reset_password") == 1


async def test_two_who_sign_in_with_one_phone_never_get_the_same_password(browser, owner):
    theirs = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(FRESH)
    await owner.execute("UPDATE account SET password_hash = $1 FROM person p WHERE p.id = person_id AND p.name = $2",
                        theirs, VILLAGER.name)
    await owner.execute("UPDATE person SET phone_index = $1 WHERE name = $2", phone_index(MEMBER.phone), VILLAGER.name)
    await ask(browser, MEMBER.phone)
    answer = await set_new(browser, MEMBER)
    assert (answer.status_code, "另一位也用这个密码" in answer.text) == (422, True)
    for _ in range(GUESSES):
        with pytest.raises(Refused, match="另一位也用这个密码"):
            await new_passwords.change(await actor_of(MEMBER), PASSWORD, FRESH, FRESH)
    with pytest.raises(Refused, match="次数太多"):
        await new_passwords.change(await actor_of(MEMBER), PASSWORD, FRESH, FRESH)
    assert await one("SELECT count(*) FROM account WHERE password_hash = $1", theirs) == 1
    assert (await set_new(browser, MEMBER, FRESH + "x")).status_code == 303


async def test_an_unknown_phone_and_a_closed_account_are_answered_like_a_known_one(browser, owner):
    await owner.execute("UPDATE account SET closed_at = ebranch_now() FROM person p"
                        " WHERE p.id = person_id AND p.name = $1", VILLAGER.name)
    told = []
    for person, phone in ((MEMBER, MEMBER.phone), (MEMBER, "13799999999"), (VILLAGER, VILLAGER.phone)):
        browser.cookies.clear()
        asked = await ask(browser, phone)
        page = (await browser.get("/password-reset")).text
        wrong = "000000" if sent(browser) != "000000" else "111111"
        answer = await set_new(browser, person, code=wrong, id_tail="123456")
        told.append((asked.status_code, asked.headers["location"], page, answer.text))
        if phone != MEMBER.phone:
            assert "验证码不对" in (await set_new(browser, person)).text, "nothing fits where nobody is"
    assert told[0] == told[1] == told[2]
    assert await one("SELECT count(*) FROM sms WHERE state <> 'none'") >= 1
    assert await evidence("reset_password") == 0


@pytest.mark.parametrize(("more", "field"), [
    ({"id_tail": "000000"}, "id_tail"), ({"id_tail": "x"}, "id_tail"), ({"password_again": "Xinmima2028"}, "password"),
    ({"password": "short", "password_again": "short"}, "password"),
    ({"password": "", "password_again": ""}, "password"),
    ({"code": "12"}, "code"),
])
async def test_what_does_not_fit_is_told_beside_its_field_and_changes_nothing(browser, owner, more, field):
    token = await session_token(MEMBER)
    await ask(browser, MEMBER.phone)
    before = await owner.fetchval("SELECT string_agg(password_hash, '' ORDER BY id) FROM account")
    answer = await set_new(browser, MEMBER, **more)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert await owner.fetchval("SELECT string_agg(password_hash, '' ORDER BY id) FROM account") == before
    browser.cookies.set(SESSION_COOKIE, token)
    assert (await browser.get("/threads")).status_code == 200
    assert FRESH not in answer.text


async def test_six_characters_are_not_guessed_a_hundred_times_at_once(database):
    token = await new_passwords.send_code(MEMBER.phone)
    told = await asyncio.gather(*(
        new_passwords.reset(token, str(codes.shown(token)), f"{number:06}", FRESH, FRESH, source="test")
        for number in range(100)), return_exceptions=True)
    assert all(isinstance(one, Refused) for one in told)
    assert sum(one.field == "id_tail" for one in told) == codes.TRIES
    with pytest.raises(Refused, match="次数太多"):
        await new_passwords.reset(token, str(codes.shown(token)), MEMBER.id_number[-6:], FRESH, FRESH, source="test")


async def test_a_code_sets_one_password_also_when_sent_ten_times_at_once(database):
    token = await new_passwords.send_code(MEMBER.phone)
    told = await asyncio.gather(*(
        new_passwords.reset(token, str(codes.shown(token)), MEMBER.id_number[-6:], FRESH, FRESH, source="test")
        for _ in range(10)), return_exceptions=True)
    assert sum(one is None for one in told) == 1
    assert await evidence("reset_password") == 1


async def test_a_code_is_over_after_five_minutes_and_good_for_nothing_else(browser, at):
    began = await at("2026-11-22 10:00")
    await ask(browser, MEMBER.phone)
    with pytest.raises(codes.Refused):
        await codes.confirm(browser.cookies[RESET_COOKIE], "sign-in", sent(browser))
    await at(began + codes.LIFE + timedelta(seconds=1))
    assert "已过期" in (await set_new(browser, MEMBER)).text
    assert 'name="picture_code"' in (await browser.get("/password-reset")).text


async def test_one_message_a_minute(browser):
    await ask(browser, MEMBER.phone)
    assert (await ask(browser, MEMBER.phone)).status_code == 303, "the one that is under way serves again"
    assert await one("SELECT count(*) FROM sms") == 1


@pytest.mark.parametrize("more", [{"picture_code": "0"}, {"picture_code": ""}, {"picture": "x"}, {"phone": "123"}])
async def test_without_the_picture_or_a_phone_nothing_is_sent(browser, owner, more):
    answer = await ask(browser, MEMBER.phone, **more)
    assert answer.status_code == 422
    assert await one("SELECT count(*) FROM one_time_code") == 0


async def share_phone(owner, **number: str) -> None:
    """张大爷 uses 王秀英's phone; number: his ID number, where it is to be another."""
    await owner.execute("UPDATE person SET phone_index = $1 WHERE name = $2", phone_index(MEMBER.phone), VILLAGER.name)
    if number:
        person = await owner.fetchval("SELECT id FROM person WHERE name = $1", VILLAGER.name)
        await owner.execute("UPDATE person SET id_number = $2, id_number_index = $3 WHERE id = $1", person,
                            *kept_id_number(person, number["id_number"]))


async def test_on_a_shared_phone_the_six_characters_say_who(browser, owner):
    await share_phone(owner, id_number="370921195001154321")
    before = await owner.fetchval("SELECT password_hash FROM account a JOIN person p ON p.id = person_id"
                                  " WHERE p.name = $1", MEMBER.name)
    await ask(browser, MEMBER.phone)
    assert (await set_new(browser, VILLAGER, id_tail="154321")).status_code == 303
    assert await owner.fetchval("SELECT password_hash FROM account a JOIN person p ON p.id = person_id"
                                " WHERE p.name = $1", MEMBER.name) == before
    assert await one("SELECT person_name FROM audit_event WHERE verb = 'reset_password'") == VILLAGER.name


async def test_where_both_end_alike_an_officer_sees_who_it_is(browser, owner):
    await share_phone(owner, id_number="37092119500115" + MEMBER.id_number[-4:])
    await ask(browser, MEMBER.phone)
    alike = MEMBER.id_number[-6:] == ("37092119500115" + MEMBER.id_number[-4:])[-6:]
    assert alike
    answer = await set_new(browser, MEMBER)
    assert (answer.status_code, "当面办理" in answer.text) == (422, True)
    assert await evidence("reset_password") == 0


# Changed --------------------------------------------------------------------------------------------------------------

async def change(browser, old: str = PASSWORD, password: str = FRESH, password_again: str | None = None):
    return await browser.post("/me/password", data={
        "old_password": old, "password": password,
        "password_again": password if password_again is None else password_again})


async def test_ones_own_password_is_changed_and_only_this_device_stays(browser):
    mine, other = await session_token(COUNTY), await session_token(COUNTY)
    browser.cookies.set(SESSION_COOKIE, mine, domain="testserver.local")
    assert "原来的密码" in (await browser.get("/me/password")).text
    done = await change(browser)
    assert (done.status_code, done.headers["location"]) == (303, "/me")
    assert browser.cookies[SESSION_COOKIE] != mine
    assert (await browser.get("/me")).status_code == 200
    for token in (mine, other):
        browser.cookies.set(SESSION_COOKIE, token, domain="testserver.local")
        assert (await browser.get("/me")).status_code == 303
    assert await evidence("change_password") == 1


@pytest.mark.parametrize(("form", "field", "words"), [
    ({"old": "Dengta2025"}, "old_password", "原来的密码不对"), ({"old": ""}, "old_password", "请填写"),
    ({"password": "short"}, "password", "8–18"), ({"password_again": "Xinmima2028"}, "password", "不一样"),
    ({"password": PASSWORD}, "password", "和原来的一样"), ({"password": "Ab13700000007"}, "password", "不要有自己的"),
    ({"password": "x" * 300}, "password", "最多"),
])
async def test_what_is_wrong_with_a_change_is_told_and_changes_nothing(browser, owner, form, field, words):
    browser.cookies.set(SESSION_COOKIE, await session_token(SECRETARY))
    await owner.execute("DELETE FROM guess")
    before = await fingerprint(owner)
    answer = await change(browser, **form)
    assert answer.status_code == 422
    assert words in answer.text
    assert f'id="{field}-error"' in answer.text
    await owner.execute("DELETE FROM guess")
    assert await fingerprint(owner) == before


async def test_who_found_an_unlocked_phone_does_not_guess_the_password(browser):
    browser.cookies.set(SESSION_COOKIE, await session_token(SECRETARY))
    for _ in range(GUESSES):
        assert "原来的密码不对" in (await change(browser, "Wrong2026x")).text
    assert "15 分钟后再试" in (await change(browser)).text


async def test_a_code_that_was_asked_for_by_nobody_sets_nothing(database):
    for token in ("", "x", "A" * 54):
        with pytest.raises(Refused, match="失效"):
            await new_passwords.reset(token, "000000", MEMBER.id_number[-6:], FRESH, FRESH, source="test")
    account = (await actor_of(MEMBER)).account_id
    other = await codes.send("sign-in", MEMBER.phone, account, words="{code}", by_sms=False)
    with pytest.raises(Refused, match="失效"):
        await new_passwords.reset(other, str(codes.shown(other)), MEMBER.id_number[-6:], FRESH, FRESH, source="test")
    assert RESET != "sign-in"


async def test_of_many_changes_with_one_old_password_one_is_done(visit):
    await visit(MEMBER, "GET", "/me")
    answers = await asyncio.gather(*(visit(MEMBER, "POST", "/me/password", data={
        "old_password": PASSWORD, "password": f"Xinmima202{n}", "password_again": f"Xinmima202{n}"}) for n in range(6)))
    assert sorted(answer.status_code for answer in answers)[0] == 303
    assert await evidence("change_password") == 1


async def test_who_has_yet_to_activate_gets_no_password_this_way(browser):
    officer = await somebody(71)
    await opened(officer)
    await ask(browser, officer.phone)
    assert [words for words in await messages(officer.phone) if "重设" in words] == []
