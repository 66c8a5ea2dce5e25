"""Asking about what is published (M3§1, §9): whom, within what time an answer is owed, what others learn. No I/O."""
from datetime import timedelta
from enum import StrEnum

from server.core.deadlines import Rule, declare
from server.core.moves import Move
from server.core.workdays import working_days
from server.permissions import Can

TEXT_MAX, ANSWER_MAX, WHY_MAX = 500, 1000, 200  # characters
SENT_TWICE = timedelta(minutes=10)  # within which the same words are the same question
A_DAY = 20  # questions of one person: more than that is no asking

# A county may settle another length, up to three weeks (county_setting.answer_days).
ANSWER = declare(Rule(
    name="question_answer", label="答复群众提问", length=working_days(5), source="M3§1", remind=(1,),
    cascades=False, can=Can.QUESTION_ANSWER))


class Of(StrEnum):
    """Who is asked."""

    VILLAGE = "村里"
    TOWNSHIP = "镇里"
    COUNTY = "县里"


# the kind of organisation that answers
ASKED = {Of.VILLAGE: ("党支部",), Of.TOWNSHIP: ("基层党委",), Of.COUNTY: ("县委组织部",)}


class Kind(StrEnum):
    QUESTION = "提问"
    MISMATCH = "墙上和网上不一样"


class State(StrEnum):
    OPEN = "待答复"
    ANSWERED = "已答复"
    HIDDEN = "已隐藏"


TONES = {State.OPEN: "amber", State.ANSWERED: "green", State.HIDDEN: "grey"}
ANSWERING = Move("answer", "答复", frozenset({State.OPEN}), State.ANSWERED, Can.QUESTION_ANSWER)
HIDING = Move("hiding", "隐藏", frozenset({State.OPEN, State.ANSWERED}), State.HIDDEN, Can.QUESTION_HIDE)
MOVES = (ANSWERING, HIDING)
SOMEBODY = "一位村民"  # who did not give the name to the village
