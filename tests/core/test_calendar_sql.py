"""The calendar in the database: it agrees with Python, and a published year moves what is still open."""
from datetime import date, timedelta

import asyncpg
import pytest

from server.core import calendar_days
from server.core.calendar_days import calendar, confirm_year, on_recompute
from server.core.database import row, rows, transaction
from server.core.workdays import BadCalendar, Calendar, end_of, last_day, seed_calendar
from tests.core.deadline_samples import NOTICE_2027, OFF, at


async def fresh() -> Calendar:
    async with transaction():
        return await calendar(fresh=True)


async def test_python_and_the_database_agree_on_every_day_and_deadline(database):
    days = await fresh()
    found = await rows("""
        SELECT day, working, holiday,
               array(SELECT working_deadline(day + time '21:00' AT TIME ZONE 'Asia/Shanghai', n)
                     FROM generate_series(1, 15) AS n ORDER BY n) AS due
        FROM calendar_day WHERE day < '2031-01-01' ORDER BY day""")
    assert len(found) == (date(2031, 1, 1) - date(2019, 1, 1)).days
    for day, working, holiday, due in found:
        assert (working, holiday) == (days.is_working(day), days.exceptions.get(day, (True, ""))[1]), day
        ends, last = [], day
        for _ in range(15):
            last = days.add(last, 1)
            ends.append(end_of(last))
        assert due == ends, day


async def test_the_calendar_of_a_new_database_is_the_one_the_project_carries(database):
    assert await fresh() == seed_calendar()


@pytest.mark.parametrize(("event", "due"), [
    ("2026-09-30 00:00:00", "2026-10-14 00:00:00"),
    ("2026-09-30 23:59:59", "2026-10-14 00:00:00"),
    ("2026-10-01 00:00:00", "2026-10-14 00:00:00"),
])
async def test_the_second_around_midnight_in_sql(database, event, due):
    n = 5
    found = await row("SELECT working_deadline($1, $2) AS due", at(event), n)
    assert found["due"] == at(due)


@pytest.mark.parametrize(("event", "n", "code"), [
    (None, 7, "22023"), ("2026-09-30", None, "22023"), ("2026-09-30", 0, "22023"),
    ("2018-12-31", 1, "EB006"), ("2040-12-31", 1, "EB006"),
])
async def test_a_deadline_that_cannot_be_told_is_an_error_and_never_null(database, event, n, code):
    with pytest.raises(asyncpg.PostgresError) as refusal:
        await row("SELECT working_deadline($1, $2)", event and at(event), n)
    assert refusal.value.sqlstate == code


@pytest.mark.parametrize("statement", [
    "UPDATE calendar_day SET working = false", "DELETE FROM calendar_day",
    "INSERT INTO calendar_confirmation (year, why) VALUES (2027, '')",
    "UPDATE deadline_rule SET days = 70", "DELETE FROM deadline_change", "UPDATE deadline_change SET why = 'x'",
])
async def test_the_application_cannot_change_what_deadlines_are_counted_by(database, statement):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await rows(statement)


async def test_a_published_year_is_counted_from_then_on(owner):
    before = await fresh()
    assert before.provisional(date(2027, 2, 8))
    assert await confirm_year(owner, NOTICE_2027) == (2027, 0)
    after = await fresh()
    assert not after.provisional(date(2027, 12, 31))
    assert after.why(date(2027, 2, 8)) == "春节"
    assert after.is_working(date(2027, 2, 20))
    assert after.is_working(date(2026, 12, 26))
    assert not after.is_working(date(2026, 12, 27))
    due = await owner.fetchval("SELECT working_deadline($1, 5)", at("2027-02-04 20:00"))
    assert due == after.due_moment(at("2027-02-04 20:00"), 5) == at("2027-02-19 00:00")


async def test_the_numbers_of_the_working_days_stay_without_gap(owner):
    await confirm_year(owner, NOTICE_2027)
    gaps = await owner.fetchval("""
        SELECT count(*) FROM (SELECT ordinal - lag(ordinal, 1, 0) OVER (ORDER BY day) AS step, working
                              FROM calendar_day) AS days WHERE step <> working::int""")
    assert gaps == 0


async def test_publishing_a_year_twice_changes_nothing(owner):
    await confirm_year(owner, NOTICE_2027)
    before = await owner.fetch("SELECT * FROM calendar_confirmation")
    assert await confirm_year(owner, NOTICE_2027) == (2027, 0)
    assert await owner.fetch("SELECT * FROM calendar_confirmation") == before


async def test_a_published_year_may_be_corrected(owner):
    await confirm_year(owner, NOTICE_2027)
    await confirm_year(owner, [*NOTICE_2027, {"date": "2027-02-12", "holiday": "春节", **OFF}])
    assert (await fresh()).why(date(2027, 2, 12)) == "春节"


async def test_a_file_with_faults_changes_nothing(owner):
    before = await owner.fetch("SELECT * FROM calendar_day")
    with pytest.raises(BadCalendar) as refusal:
        await confirm_year(owner, [*NOTICE_2027, {"date": "2027-10-32"}, {"date": "2027-10-05", "is_workday": "2"}])
    assert len(refusal.value.faults) == 2
    assert await owner.fetch("SELECT * FROM calendar_day") == before


@pytest.mark.parametrize("year", ["2025", "2028"])
async def test_years_are_published_in_their_order(owner, year):
    with pytest.raises(BadCalendar, match="已公布到 2026 年"):
        await confirm_year(owner, [{**line, "date": line["date"].replace("2027", year)}
                                   for line in NOTICE_2027 if line["is_workday"] == "0"])


async def test_others_follow_a_new_calendar_in_the_same_transaction(owner, monkeypatch):
    monkeypatch.setattr(calendar_days, "_recomputes", [])
    told = []

    @on_recompute
    async def follow(connection, why):
        told.append((why, await connection.fetchval("SELECT confirmed FROM calendar_day WHERE day = '2027-06-01'")))

    await confirm_year(owner, NOTICE_2027)
    assert told == [("国务院办公厅公布2027年放假安排", True)]


async def test_what_cannot_follow_undoes_the_whole(owner, monkeypatch):
    async def fail(connection, why):
        raise RuntimeError("a meeting's lock did not move")

    monkeypatch.setattr(calendar_days, "_recomputes", [fail])
    with pytest.raises(RuntimeError, match="did not move"):
        await confirm_year(owner, NOTICE_2027)
    assert await fresh() == seed_calendar()


def test_a_deadline_at_midnight_belongs_to_the_day_before():
    assert last_day(at("2026-10-14 00:00")) == date(2026, 10, 13)
    assert last_day(at("2026-10-14 00:00") + timedelta(microseconds=1)) == date(2026, 10, 14)
