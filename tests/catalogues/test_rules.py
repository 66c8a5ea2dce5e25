"""What follows from a catalogue: periods by frequency and opening day, deadlines, what a catalogue can't have."""
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.catalogues.rules import (
    CATCHING_UP,
    CONVENIENCE,
    PUBLISH,
    Audience,
    Category,
    Form,
    Frequency,
    Item,
    Kind,
    Variant,
    by_category,
    changes,
    owed,
    wrong,
)
from server.catalogues.typical import typical
from server.core.clock import BEIJING
from server.core.workdays import seed_calendar

ITEM = Item(1, 11, 1, Category.AFFAIRS, "低保", "", Form.LIST, ("姓名", "金额"), Frequency.MONTH, Audience.VILLAGERS,
            "民政部门", "", Variant.BOTH)
VALUES = {"category": Category.AFFAIRS, "form": Form.TEXT, "columns": (), "frequency": Frequency.QUARTER,
          "audience": Audience.VILLAGERS}
EPOCH = date(2020, 1, 1)
DAYS = st.dates(date(2026, 1, 1), date(2028, 12, 31))


def keys(frequency: Frequency, since: str, opened: str, today: str) -> list[str]:
    return [one.key for one in owed(replace(ITEM, frequency=frequency), date.fromisoformat(since),
                                    date.fromisoformat(opened), date.fromisoformat(today))]


# Periods --------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("frequency", "since", "opened", "today", "periods"), [
    (Frequency.MONTH, "2026-09-01", "2026-09-01", "2026-09-01", ["2026-09"]),
    (Frequency.MONTH, "2026-09-01", "2026-09-30",
    "2026-09-30", ["2026-09"]),  # of its month, also opened on the last day
    (Frequency.MONTH, "2026-09-01", "2026-09-30", "2026-10-01", ["2026-09", "2026-10"]),
    (Frequency.MONTH, "2026-09-15", "2026-08-01", "2026-10-08", ["2026-09", "2026-10"]),
    (Frequency.QUARTER, "2026-01-01", "2026-09-01", "2026-10-08", ["2026-Q3", "2026-Q4"]),
    (Frequency.QUARTER, "2026-10-01", "2026-09-01", "2026-10-08", ["2026-Q4"]),
    (Frequency.YEAR, "2026-01-01", "2026-12-31", "2027-01-01", ["2026", "2027"]),
    (Frequency.AT_ONCE, "2026-01-01", "2026-01-01", "2026-10-08", []),
    (Frequency.STANDING, "2026-01-01", "2026-09-15", "2026-09-15", ["长期"]),
    (Frequency.STANDING, "2026-01-01", "2026-09-15", "2030-01-01", ["长期"]),
    *((frequency, "2026-10-09", "2026-09-01",
    "2026-10-08", []) for frequency in Frequency),  # asked for from tomorrow on
])
def test_what_is_owed_begins_with_the_later_of_opening_and_asking(frequency, since, opened, today, periods):
    assert keys(frequency, since, opened, today) == periods


def test_what_is_standing_is_owed_by_the_end_of_the_month_in_which_it_was_first_asked_for():
    found = owed(replace(ITEM, frequency=Frequency.STANDING), EPOCH, date(2026, 9, 15), date(2026, 9, 20))[0]
    assert (found.first, found.last) == (date(2026, 9, 15), date(2026, 9, 30))
    found = owed(replace(ITEM, frequency=Frequency.STANDING), EPOCH, date(2026, 12, 31), date(2027, 9, 20))[0]
    assert (found.first, found.last) == (date(2026, 12, 31), date(2026, 12, 31))


def test_what_ended_long_ago_is_not_made_up_for():
    assert keys(Frequency.MONTH, "2020-01-01", "2020-01-01", "2026-10-08") == ["2026-08", "2026-09", "2026-10"]
    assert keys(Frequency.QUARTER, "2020-01-01", "2020-01-01", "2026-10-08") == ["2026-Q3", "2026-Q4"]
    assert keys(Frequency.YEAR, "2020-01-01", "2020-01-01", "2026-10-08") == ["2026"]


@given(DAYS, DAYS, DAYS, st.sampled_from([Frequency.MONTH, Frequency.QUARTER, Frequency.YEAR]))
def test_periods_follow_one_another_without_gap_until_today(since, opened, today, frequency):
    found = owed(replace(ITEM, frequency=frequency), since, opened, today)
    assert all(after.first == before.last + timedelta(days=1) for before, after in pairwise(found))
    if max(since, opened) <= today:
        assert found[-1].first <= today <= found[-1].last
        assert found[0].last >= max(since, opened, today - CATCHING_UP)


@given(DAYS, DAYS)
def test_a_nightly_run_misses_no_month(opened, today):
    """Whoever looks each night sees every period at least once, and for weeks."""
    if opened <= today:
        seen = {one.key for day in range((today - opened).days + 1) for one in owed(
            ITEM, EPOCH, opened, opened + timedelta(day))}
        assert f"{today:%Y-%m}" in seen
        assert f"{opened:%Y-%m}" in seen


# Deadlines ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("ended", "due"), [
    ("2026-09-30", "2026-10-11"),  # 8, 9 and the worked Saturday, 10 October; until 24:00
    ("2026-06-30", "2026-07-04"), ("2026-02-28", "2026-03-05"), ("2026-04-30", "2026-05-09"),
    ("2026-10-31", "2026-11-05"), ("2026-10-07", "2026-10-11")])
def test_three_working_days_after_it_ended(ended, due):
    moment = datetime.fromisoformat(f"{ended}T00:00").replace(tzinfo=BEIJING)
    assert PUBLISH.length.due(moment, seed_calendar()) == datetime.fromisoformat(f"{due}T00:00").replace(tzinfo=BEIJING)


@pytest.mark.parametrize(("begins", "due"), [
    ("2026-10-01", "2026-11-01"), ("2026-02-01", "2026-03-01"), ("2026-12-01", "2027-01-01")])
def test_convenience_is_due_with_its_calendar_month(begins, due):
    moment = datetime.fromisoformat(f"{begins}T00:00").replace(tzinfo=BEIJING)
    assert CONVENIENCE.length.due(moment, seed_calendar()) == datetime.fromisoformat(f"{due}T00:00").replace(
        tzinfo=BEIJING)


def test_each_item_falls_under_its_own_deadline():
    assert ITEM.rule is PUBLISH
    assert replace(ITEM, category=Category.CONVENIENCE).rule is CONVENIENCE


# Items ----------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("variant", "village", "community"), [
    (Variant.BOTH, True, True), (Variant.VILLAGE, True, False), (Variant.COMMUNITY, False, True)])
def test_an_item_applies_by_its_variant(variant, village, community):
    its = replace(ITEM, variant=variant)
    assert (its.applies_to(False), its.applies_to(True)) == (village, community)


@pytest.mark.parametrize(("changed", "field"), [
    ({}, None), ({"form": Form.TABLE}, "columns"), ({"form": Form.LIST}, "columns"),
    ({"columns": ("姓名",)}, "columns"),
    ({"form": Form.LIST, "columns": ("姓名",)}, None), ({"form": Form.LEDGER}, "form"),
    ({"form": Form.LEDGER, "category": Category.FINANCE}, "form"),
    ({"form": Form.LEDGER, "frequency": Frequency.MONTH}, "form"),
    ({"form": Form.LEDGER, "category": Category.FINANCE, "frequency": Frequency.MONTH}, None),
    ({"category": Category.CONVENIENCE}, "frequency"),
    ({"category": Category.CONVENIENCE, "frequency": Frequency.MONTH}, None),
    ({"audience": Audience.MEMBERS}, "audience"), ({"audience": Audience.MEMBERS, "category": Category.PARTY}, None),
    ({"audience": Audience.MEMBERS, "category": Category.FINANCE}, "audience"),
])
def test_what_cannot_be_in_a_catalogue(changed, field):
    found = wrong(VALUES | changed)
    assert (found and found[0]) == field
    assert found is None or found[1]


def test_the_typical_catalogue_is_a_possible_one():
    found = typical()
    assert [wrong(one) for one in found] == [None] * len(found)
    assert sum(one["form"] == Form.LEDGER for one in found) == 1
    names = [(one["category"], one["name"], one["variant"]) for one in found]
    assert len(set(names)) == len(names)


def test_versions_differ_in_what_is_added_changed_and_removed():
    other = replace(ITEM, id=2, item=12, name="救助")
    moved = replace(ITEM, id=3, rank=9)
    wider = replace(ITEM, id=4, columns=("姓名", "类别", "金额"), audience=Audience.MEMBERS)
    assert changes([ITEM, other], [moved, other]) == []
    told = changes([ITEM, other], [wider, replace(other, id=5, item=13)])
    assert [(one.kind, one.item.item) for one in told] == [(Kind.CHANGED, 11), (Kind.ADDED, 13), (Kind.REMOVED, 12)]
    assert told[0].fields == (("表格的列", "姓名、金额", "姓名、类别、金额"), ("公开范围", "村（居）民", "党员"))


def test_items_stand_under_the_heads_of_their_categories():
    finance = replace(ITEM, id=2, category=Category.FINANCE)
    assert by_category([finance, ITEM]) == [(Category.AFFAIRS, [ITEM]), (Category.FINANCE, [finance])]
    assert by_category([]) == []
