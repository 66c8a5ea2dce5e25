"""查询账号 (M3§9): for whom they are opened as a rule, households, the yearly look at the list. No I/O."""
from enum import StrEnum

from server.core.deadlines import Rule, declare
from server.core.moves import Move
from server.core.workdays import Length, Unit
from server.permissions import Can, Role

NAME_MAX, RELATION_MAX, WHY_MAX = 40, 10, 200  # characters
HOUSEHOLD_MOST = 12  # people of one household
PAGE = 30

LIST_LOOK = declare(Rule(
    name="reader_list", label="查询账号名单年度核对", length=Length(1, Unit.PERIOD_YEAR), source="M3§9", remind=(10, 1),
    cascades=False, can=Can.READER_KEEP))


class Standing(StrEnum):
    """As what somebody has a query account; all but the last are opened as a rule."""

    COMMITTEES = "两委成员"
    SUPERVISION = "监督委员会成员"
    GROUP_LEADER = "小组长"
    REPRESENTATIVE = "代表"
    VILLAGER = "村（居）民"


def role_of(standing: Standing) -> Role:
    """The role that comes with it: who is of the 监督委员会 signs."""
    return Role.SUPERVISOR if standing is Standing.SUPERVISION else Role.VILLAGER


class ApplicationState(StrEnum):
    WAITING = "待核实"
    OPENED = "已开通"
    REFUSED = "不同意"


TONES = {ApplicationState.WAITING: "amber", ApplicationState.OPENED: "green", ApplicationState.REFUSED: "grey"}
_WAITING = frozenset({ApplicationState.WAITING})
OPENING = Move("opening", "核实无误，开通", _WAITING, ApplicationState.OPENED, Can.READER_KEEP)
REFUSAL = Move("refusal", "不同意", _WAITING, ApplicationState.REFUSED, Can.READER_KEEP)
MOVES = (OPENING, REFUSAL)


class RowState(StrEnum):
    WAITING = "待导入"
    OPENED = "已开通"
    KNOWN = "已有"
    WRONG = "有误"


def read_household(typed: str) -> list[tuple[str, str]]:
    """The members of a household as they were typed, one a line: 李桂芝 妻子. ValueError, in Chinese."""
    found = []
    for line in typed.split("\n"):
        words = line.replace("，", " ").replace(",", " ").replace("、", " ").split()
        if not words:
            continue
        name, relation = words[0], "".join(words[1:])
        if len(name) > NAME_MAX or len(relation) > RELATION_MAX or any(sign.isdigit() for sign in line):
            raise ValueError(f"“{line.strip()[:10]}”这一行不对：一行写一个人，例如“李桂芝 妻子”，不写数字")
        found.append((name, relation or "家人"))
    if len(found) > HOUSEHOLD_MOST:
        raise ValueError(f"一户最多 {HOUSEHOLD_MOST} 人")
    return found
