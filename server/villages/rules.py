"""Villages and communities that publish: their words, and the way to an exemption (M3§4, §6). No I/O."""
from dataclasses import dataclass
from enum import StrEnum

from server.core.moves import Move
from server.organisations.names import COMMUNITY_BODIES
from server.permissions import Can

REASON_MAX = 300  # characters
LOOKED_AT_AGAIN = 366  # days an exemption is on file at most, before the county looks at it again
RENEW = "renew_duties"  # the effect after which a village, or a county's villages, owe what the catalogue says


@dataclass(frozen=True)
class Words:
    """How a village and a community are spoken of."""

    place: str
    affairs: str
    people: str
    body: str


VILLAGE, COMMUNITY = Words("本村", "村务", "村民", "村委会"), Words("本社区", "居务", "居民", "居委会")


def words_of(community: bool) -> Words:
    """The words of a community, or of a village."""
    return COMMUNITY if community else VILLAGE


def is_community(official_name: str) -> bool:
    """Whether a unit of this official name is a community: 花园社区居委会, 江西路社区."""
    return official_name.endswith((*COMMUNITY_BODIES, "社区"))


class State(StrEnum):
    """Where a village of the directory stands; the value is the word on the screen."""

    OPENED = "已开通"
    EXEMPT = "暂不开通"
    NOT_YET = "未开通"  # it has no row


TONES = {State.OPENED: "green", State.EXEMPT: "grey", State.NOT_YET: "amber"}


class Exempting(StrEnum):
    """Where an exemption stands (M3§4)."""

    ASKED = "待镇街意见"
    WITH_COUNTY = "待县级审批"
    ON_FILE = "已备案"
    RETURNED = "已退回"
    ENDED = "已结束"


OPINION = Move("opinion", "提出意见", frozenset({Exempting.ASKED}), Exempting.WITH_COUNTY, Can.VILLAGE_OPEN)
FILE = Move("filing", "审批备案", frozenset({Exempting.WITH_COUNTY}), Exempting.ON_FILE, Can.EXEMPTION_FILE)
RETURN_TOWNSHIP = Move("return", "退回", frozenset({Exempting.ASKED}), Exempting.RETURNED, Can.VILLAGE_OPEN)
RETURN_COUNTY = Move("refusal", "不同意", frozenset({Exempting.WITH_COUNTY}), Exempting.RETURNED, Can.EXEMPTION_FILE)
PROLONG = Move("prolonging", "延期备案", frozenset({Exempting.ON_FILE}), Exempting.ON_FILE, Can.EXEMPTION_FILE)
MOVES = (OPINION, FILE, RETURN_TOWNSHIP, RETURN_COUNTY, PROLONG)
EXEMPTION_TONES = {Exempting.ASKED: "amber", Exempting.WITH_COUNTY: "amber", Exempting.ON_FILE: "green",
                   Exempting.RETURNED: "red", Exempting.ENDED: "grey"}
