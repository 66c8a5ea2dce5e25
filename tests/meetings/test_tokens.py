"""What the wall shows: accepted thirty seconds, changing every fifteen, and nobody else can make one."""
import base64
import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.meetings import tokens
from server.meetings.tokens import BadToken, Expired, What

KEY, FOREIGN = b"k" * 32, b"f" * 32
NOW = datetime(2026, 11, 25, 11, 30, tzinfo=UTC)  # a window begins
MEETING = 4711
SECOND, INSTANT = timedelta(seconds=1), timedelta(microseconds=1)
MAKERS = {What.SCAN: tokens.scan_token, What.GRANT: tokens.grant_token, What.WALL: tokens.wall_token}

moments = st.datetimes(datetime(2019, 1, 1), datetime(2039, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
meetings = st.integers(0, 2**63 - 1)
kinds = st.sampled_from(What)


def spelled(raw: bytes) -> str:
    """Bytes as a token's text."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def raw_of(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def is_refused(key: bytes, text: str, now: datetime) -> bool:
    """Whether it is no token of ours; Expired would mean that it was one."""
    try:
        tokens.read(key, text, now)
    except Expired:
        return False
    except BadToken:
        return True
    return False


# What a token says ----------------------------------------------------------------------------------------------------

@given(kinds, meetings, moments)
def test_a_token_says_what_it_is_for_and_of_which_meeting_and_when(what, meeting, now):
    read = tokens.read(KEY, MAKERS[what](KEY, meeting, now), now)
    assert (read.what, read.meeting_id) == (what, meeting)
    assert read.issued == (tokens.window_start(now) if what is What.SCAN else now.replace(microsecond=0))


@given(kinds, meetings, moments)
def test_a_token_fits_into_an_address(what, meeting, now):
    text = MAKERS[what](KEY, meeting, now)
    assert set(text) <= set(string.ascii_letters + string.digits + "-_")
    assert len(text) == 60


def test_the_wall_is_the_same_on_every_screen_and_a_grant_never():
    assert tokens.scan_token(KEY, MEETING, NOW) == tokens.scan_token(KEY, MEETING, NOW + 14 * SECOND)
    assert tokens.scan_token(KEY, MEETING, NOW) != tokens.scan_token(KEY, MEETING + 1, NOW)
    grants = [tokens.read(KEY, tokens.grant_token(KEY, MEETING, NOW), NOW).nonce for _ in range(100)]
    assert len(set(grants)) == 100


# How long it is accepted ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("what", "life"), [(What.SCAN, 30 * SECOND), (What.GRANT, 180 * SECOND)])
def test_a_token_is_accepted_up_to_the_last_instant_of_its_life(what, life):
    text = MAKERS[what](KEY, MEETING, NOW)
    assert tokens.read(KEY, text, NOW + life - INSTANT).what is what
    for late in (life, life + INSTANT, timedelta(days=400)):
        with pytest.raises(Expired):
            tokens.read(KEY, text, NOW + late)


@pytest.mark.parametrize(("shown", "still"), [(0, 30), (1, 29), (14, 16), (14.999999, 15.000001), (15, 30)])
def test_a_scan_lives_from_the_beginning_of_its_window_so_at_least_fifteen_seconds(shown, still):
    moment = NOW + shown * SECOND
    text = tokens.scan_token(KEY, MEETING, moment)
    assert tokens.read(KEY, text, moment + still * SECOND - INSTANT)
    with pytest.raises(Expired):
        tokens.read(KEY, text, moment + still * SECOND)


def test_a_projector_stays_on_as_long_as_its_meeting_whose_end_others_know():
    text = tokens.wall_token(KEY, MEETING, NOW)
    assert tokens.read(KEY, text, NOW + timedelta(days=1)).what is What.WALL


# Windows --------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("second", "began"), [(0, 0), (0.000001, 0), (14.999999, 0), (15, 15), (29.5, 15), (60, 60)])
def test_a_window_is_fifteen_seconds_of_everybody_s_clock(second, began):
    assert tokens.window_start(NOW + second * SECOND) == NOW + began * SECOND


@given(moments)
def test_every_moment_lies_in_one_window(now):
    start = tokens.window_start(now)
    assert start <= now < start + 15 * SECOND
    assert start.second % 15 == start.microsecond == 0


@pytest.mark.parametrize(("second", "left"), [(0, 15), (0.5, 15), (1, 14), (7, 8), (13.9, 2), (14, 1), (14.999999, 1),
                                              (15, 15)])
def test_the_wall_counts_down(second, left):
    assert tokens.seconds_left(NOW + second * SECOND) == left


@given(moments)
def test_the_countdown_goes_from_fifteen_to_one(now):
    left = tokens.seconds_left(now)
    assert 1 <= left <= 15
    assert abs(tokens.window_start(now) + 15 * SECOND - now - left * SECOND) <= SECOND


# Nobody else makes one ------------------------------------------------------------------------------------------------

@given(kinds, meetings, st.integers(0, 44), st.integers(1, 255))
def test_a_token_altered_in_any_byte_is_refused(what, meeting, place, flipped):
    raw = bytearray(raw_of(MAKERS[what](KEY, meeting, NOW)))
    raw[place] ^= flipped
    assert is_refused(KEY, spelled(raw), NOW)


@given(kinds, meetings, st.integers(0, 59), st.characters())
def test_a_token_with_any_other_character_is_refused(what, meeting, place, character):
    text = MAKERS[what](KEY, meeting, NOW)
    if text[place] != character and {text[place], character} not in ({"-", "+"}, {"_", "/"}):
        assert is_refused(KEY, text[:place] + character + text[place + 1:], NOW)


@pytest.mark.parametrize("spelling", ["{}=", "{}====", "{} ", " {}", "{}\n", "{}A", "{}AAAA", "{}/", "{0}{0}"])
def test_a_token_has_one_spelling(spelling):
    assert is_refused(KEY, spelling.format(tokens.scan_token(KEY, MEETING, NOW)), NOW)


@pytest.mark.parametrize(("ours", "other"), [("-", "+"), ("_", "/")])
def test_a_token_has_one_alphabet(ours, other):
    made = (tokens.scan_token(KEY, meeting, NOW) for meeting in range(1000))
    text = next(text for text in made if ours in text)
    assert is_refused(KEY, text.replace(ours, other), NOW)


@pytest.mark.parametrize("length", [0, 1, 15, 16, 29, 44, 46, 61])
def test_a_part_of_a_token_is_none_and_neither_is_more(length):
    raw = raw_of(tokens.scan_token(KEY, MEETING, NOW)) * 2
    assert is_refused(KEY, spelled(raw[:length]), NOW)


@given(kinds, meetings, st.binary(min_size=1, max_size=64))
def test_a_token_of_a_foreign_key_is_refused(what, meeting, key):
    assert key == KEY or is_refused(KEY, MAKERS[what](key, meeting, NOW), NOW)
    assert is_refused(FOREIGN, MAKERS[what](KEY, meeting, NOW), NOW)


@given(st.sampled_from([(one, other) for one in What for other in What if one is not other]))
def test_one_kind_cannot_be_made_into_another(kinds):
    one, other = kinds
    raw = raw_of(MAKERS[one](KEY, MEETING, NOW))
    assert is_refused(KEY, spelled(bytes([tokens.NUMBERS[other]]) + raw[1:]), NOW)


@pytest.mark.parametrize("number", [0, 4, 255])
def test_a_kind_that_is_not_known_is_no_token_though_well_signed(monkeypatch, number):
    """As a version of the house that has more kinds would sign it, before it was taken back."""
    monkeypatch.setitem(tokens.NUMBERS, What.SCAN, number)
    text = tokens.scan_token(KEY, MEETING, NOW)
    monkeypatch.undo()
    assert is_refused(KEY, text, NOW)


@given(st.text(max_size=200))
@example("")
@example("\ud800")
@example("A" * 60)
@example("=" * 60)
@example("Ａ" * 60)
@example("A" * 10_000)
@example("\x00" * 60)
def test_garbage_is_refused_and_nothing_worse(text):
    assert is_refused(KEY, text, NOW)


@given(st.binary(max_size=200))
def test_bytes_that_look_like_a_token_are_refused_and_nothing_worse(raw):
    assert is_refused(KEY, spelled(raw), NOW)


# Six digits -----------------------------------------------------------------------------------------------------------

@given(meetings, moments)
def test_a_code_is_six_digits(meeting, now):
    code = tokens.code_at(KEY, meeting, tokens.window_start(now))
    assert len(code) == 6
    assert set(code) <= set(string.digits)


@pytest.mark.parametrize(("second", "fits"), [
    (-0.000001, False), (0, True), (15, True), (75, True), (89.999999, True), (90, False), (3600, False)])
def test_a_code_is_good_for_ninety_seconds_from_its_window(second, fits):
    code = tokens.code_at(KEY, MEETING, NOW)
    assert tokens.code_fits(KEY, MEETING, code, NOW + second * SECOND) is fits


def test_a_code_is_one_meeting_s_and_one_key_s():
    code = tokens.code_at(KEY, MEETING, NOW)
    assert not tokens.code_fits(KEY, MEETING + 1, code, NOW)
    assert not tokens.code_fits(FOREIGN, MEETING, code, NOW)
    windows = {tokens.code_at(KEY, MEETING, NOW + number * tokens.WINDOW) for number in range(200)}
    assert len(windows) > 190, "each window has its own"


@pytest.mark.parametrize("code", ["1", "1234567", "12345x", "１２３４５６", "一二三四五六", "-12345", "", "0" * 9999])
def test_what_is_no_code_fits_nothing(code):
    assert not tokens.code_fits(KEY, MEETING, code, NOW)
