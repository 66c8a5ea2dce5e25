"""Shares of what fell due: the village's and the township's apart; none where nothing did, whole if all is done."""
from datetime import date

import pytest

from server.supervision.rules import Figures, share, tone_of, worst_first
from server.supervision.show import line_of, percent, span_of
from server.supervision.tables import below, figures, of_village, total
from tests.disclosure.stories import QIANCUN
from tests.supervision.stories import OCTOBER, lapsed

NOVEMBER = date(2026, 11, 1)


def test_where_nothing_fell_due_there_is_no_share():
    nothing = Figures("x", "前村", villages=1, opened=1, running=7)
    assert (nothing.due, nothing.on_time, nothing.covered, nothing.reviewed_on_time) == (0, None, None, None)
    assert (percent(nothing.on_time), tone_of(nothing.on_time)) == ("—", "grey")
    assert line_of(nothing, "/x")["line"] == "没有到期的"


@pytest.mark.parametrize(("part", "whole", "told"), [
    (0, 0, None), (0, 3, 0), (999, 1000, 99), (1000, 1000, 100), (2, 3, 67), (98, 99, 99), (1, 1000, 1)])
def test_a_share_is_whole_only_when_nothing_is_missing(part, whole, told):
    assert share(part, whole) == told


def test_the_villages_and_the_townships_shares_stand_apart():
    its = Figures("x", "前村", met=7, late=2, overdue=1, review_met=1, review_late=1, review_overdue=2)
    assert (its.due, its.on_time, its.covered, its.reviewed_on_time) == (10, 70, 90, 25)
    assert [tone_of(percent) for percent in (100, 95, 94, 80, 79, 0)] == ["green"] * 2 + ["amber"] * 2 + ["red"] * 2


def test_a_sum_is_of_counts_and_its_shares_are_of_the_sum():
    parts = [Figures("a", "甲", villages=1, opened=1, met=9, overdue=1, still_asked=2),
             Figures("b", "乙", villages=1, met=0), figures("c", "丙", None, None)]
    whole = total("x", "镇", parts)
    assert (whole.villages, whole.opened, whole.met, whole.on_time, whole.still_asked) == (2, 1, 9, 90, 2)
    assert total("x", "空", []).on_time is None


def test_the_unit_with_the_most_overdue_stands_first_and_none_that_has_any_looks_good():
    units = [Figures("a", "全好", met=9), Figures("b", "没有到期的"), Figures("c", "欠三件", met=9, still_overdue=3),
             Figures("d", "常迟", met=5, late=4), Figures("e", "镇里欠审四件", still_reviews=4)]
    assert [one.name for one in worst_first(units)] == ["镇里欠审四件", "欠三件", "常迟", "全好", "没有到期的"]
    assert (line_of(units[0], "/a")["tone"], line_of(units[2], "/c")["tone"]) == ("green", "amber")


def test_spans_reach_back_over_the_years():
    assert span_of("month", date(2026, 10, 15)) == ("month", OCTOBER, OCTOBER)
    assert span_of("quarter", date(2027, 1, 31)) == ("quarter", NOVEMBER, date(2027, 1, 1))
    assert span_of("three", date(2026, 10, 15))[1] == date(2023, 11, 1)
    assert span_of("x", date(2026, 10, 15))[0] == "month"


async def test_a_level_has_the_units_below_it_with_what_is_theirs(at):
    await lapsed(at, QIANCUN)
    parts = {one.name: one for one in await below("370921102", OCTOBER, OCTOBER)}
    assert set(parts) == {"前村", "后村"}
    assert (parts["前村"].villages, parts["前村"].opened, parts["后村"].opened) == (1, 1, 0)
    assert (parts["前村"].on_time, parts["后村"].on_time) == (0, None)
    county = {one.name: one for one in await below("370921", OCTOBER, OCTOBER)}
    assert (county["东疏镇"].villages, county["东疏镇"].overdue) == (2, parts["前村"].overdue)
    assert county["泗店镇"].due == 0
    assert parts["前村"].still_overdue > parts["前村"].overdue, "what waits waits whatever month it fell due in"
    assert await of_village(QIANCUN, "前村", OCTOBER, OCTOBER) == parts["前村"]
    assert (await of_village(QIANCUN, "前村", NOVEMBER, NOVEMBER)).still_overdue == parts["前村"].still_overdue

