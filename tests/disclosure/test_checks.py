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


@pytest.mark.parametrize(("field", "text", "told"), [
    ("title", "低保：李四患艾滋病", "像是写到了病情：艾滋病"), ("text", "张三患**乳腺癌**。", "像是写到了病情：乳腺癌"),
    ("why", "王五尿毒症，写错了", "像是写到了病情：尿毒症"),
    ("text", f"补助给 {'1' * 17}X", "还露着"), ("text", "修路 600 米", "")])
def test_what_tells_of_somebodys_health_or_shows_a_number_is_pointed_out(field, text, told):
    found = list(checks.private({"title": "", "text": "", "why": "", field: text}))
    assert [(one.field, one.level, one.source) for one in found] == (
        [(field, checks.Level.WARNING, "M3§11")] if told else [])
    assert all(told in one.words for one in found)
