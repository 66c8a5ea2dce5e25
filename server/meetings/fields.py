"""The fields that several forms of a meeting share, and what its two moments must be to each other."""
from server.core import forms
from server.meetings.amendments import LABELS
from server.meetings.logs import FIELDS
from server.meetings.rules import GUESTS_MAX, PLACE_MAX, REASON_MAX, TOPIC_MAX, Kind, wrong_span

WHEN = (
    forms.moment("begins_at", "开始时间"), forms.moment("ends_at", "结束时间"),
    forms.text("place", "地点", most=PLACE_MAX, required=False),
)
FACTS = (forms.choices("kinds", "类别", Kind), forms.text("topic", "主题", most=TOPIC_MAX), *WHEN)
REASON = forms.text("reason", "原因", most=REASON_MAX)
VERSION = forms.number("version", "版本")
PERSON = forms.number("person", "人员", most=2**63 - 1)

MOST = {"chair": 40, "recorder": 40, "guests": GUESTS_MAX}  # characters; the others are long texts
TEXTS = tuple(
    forms.text(name, LABELS[name], most=MOST.get(name, forms.LONG_TEXT), required=False) for name in FIELDS)


def times_fit(filled: forms.Filled) -> bool:
    """Whether both moments could be read and fit each other; says beside the end what is wrong with them."""
    if "begins_at" not in filled.values or "ends_at" not in filled.values:
        return False
    wrong = wrong_span(filled["begins_at"], filled["ends_at"])
    if wrong:
        filled.errors["ends_at"] = wrong
    return not wrong
