"""What is looked at before an edition is handed on, case by case."""
from datetime import date, datetime

import pytest

from server.core import clock
from server.disclosure import checks

OCTOBER, QUARTER, YEAR = ((date(2026, 10, 1), last) for last in (
    date(2026, 10, 31), date(2026, 12, 31), date(2027, 9, 30)))
HAPPENED = date(2026, 10, 15), date(2026, 10, 15)  # 随时


@pytest.mark.parametrize(("today", "category", "period", "told"), [
    ("2026-10-15", "财务", OCTOBER, "这一期到10月31日才结束"),
    ("2026-10-31", "财务", OCTOBER, "这一期到10月31日才结束"),
    ("2026-11-01", "财务", OCTOBER, None), ("2026-10-15", "财务", QUARTER, "这一期到12月31日才结束"),
    ("2026-10-15", "财务", YEAR, None), ("2026-10-15", "财务", HAPPENED, None), ("2026-10-15", "村务", QUARTER, None)])
def test_sums_of_what_is_not_over_are_pointed_out(monkeypatch, today, category, period, told):
    monkeypatch.setattr(checks, "today", lambda: datetime.fromisoformat(today).replace(tzinfo=clock.BEIJING).date())
    found = list(checks.of_period({"category": category, "first": period[0], "last": period[1]}))
    assert [one.words.partition("，")[0] for one in found] == ([told] if told else [])
    assert {one.level for one in found} <= {checks.Level.WARNING}
