"""Who asks: the signed-in person under the role that is active now."""
from dataclasses import dataclass

from server.permissions import Can, Role, may


@dataclass(frozen=True)
class Machine:
    """Who does what happens by itself, at the command line, or before anybody has proved to be anybody, as the evidence
    names it."""

    name: str = "系统"
    role: str = "自动"
    source: str = "worker"
    account_id: None = None
    organisation_id: int | None = None
    committee_id: int | None = None
    acting_for: None = None


@dataclass(frozen=True, slots=True)
class Actor:
    person_id: int
    account_id: int
    session_id: int
    grant_id: int
    name: str
    role: Role
    organisation_id: int
    organisation_path: str  # "1/17/301/", its own id last
    organisation_name: str
    organisation_kind: str
    committee_id: int | None  # the committee this organisation belongs to, whose chain keeps the evidence
    large: bool  # 大字版
    source: str  # where the request came from, for the evidence
    acting_for: str | None = None  # whose duties these are meanwhile (代理)
    confirmed: bool = False  # by a one-time code, within the last quarter of an hour
    unit_code: str = ""  # the unit the organisation stands in: of a branch, its village
    unit_name: str = ""
    community: bool = False  # whether that is a community (社区), with words of its own

    def may(self, can: Can) -> bool:
        """Whether the active role holds `can`."""
        return may(self.role, can)

    @property
    def place_name(self) -> str:
        """What the role belongs to, as pages head it: 前村 for who reads or keeps its books, else 前村支部."""
        return self.unit_name if self.may(Can.VILLAGE_HOME) else self.organisation_name

    @property
    def signature(self) -> str:
        """How entries and records name the actor: 赵德山 · 书记, 钱永军（代赵德山） · 书记."""
        return f"{self.name}（代{self.acting_for}） · {self.role}" if self.acting_for else f"{self.name} · {self.role}"
