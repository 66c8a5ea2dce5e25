"""Organisations and the units they stand in: kinds, levels, and which may stand under which. No I/O."""
from collections.abc import Mapping
from enum import StrEnum


class Level(StrEnum):
    """A level of the unit directory tree 省/市/县/乡/村 (M3§6)."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    TOWNSHIP = "township"
    VILLAGE = "village"

    @property
    def above(self) -> "Level | None":
        """The level its parent has; None for the province."""
        order = list(Level)
        return order[order.index(self) - 1] if self is not Level.PROVINCE else None


# Digits of a statistical division code; each code begins with its parent's.
CODE_LENGTH: Mapping[Level, int] = {
    Level.PROVINCE: 2, Level.CITY: 4, Level.COUNTY: 6, Level.TOWNSHIP: 9, Level.VILLAGE: 12,
}


class OrganisationKind(StrEnum):
    """What an organisation is; the value is the word on the screen."""

    PROVINCE = "省委组织部"
    CITY = "市委组织部"
    COUNTY = "县委组织部"
    COMMITTEE = "基层党委"  # the one that approves probationary members (M1§3)
    GENERAL_BRANCH = "党总支"
    BRANCH = "党支部"
    GROUP = "党小组"


MAY_STAND_UNDER: Mapping[OrganisationKind, frozenset[OrganisationKind]] = {
    OrganisationKind.PROVINCE: frozenset(),
    OrganisationKind.CITY: frozenset({OrganisationKind.PROVINCE}),
    OrganisationKind.COUNTY: frozenset({OrganisationKind.CITY}),
    OrganisationKind.COMMITTEE: frozenset({
        OrganisationKind.PROVINCE, OrganisationKind.CITY, OrganisationKind.COUNTY, OrganisationKind.COMMITTEE}),
    OrganisationKind.GENERAL_BRANCH: frozenset({OrganisationKind.COMMITTEE}),
    OrganisationKind.BRANCH: frozenset({OrganisationKind.COMMITTEE, OrganisationKind.GENERAL_BRANCH}),
    OrganisationKind.GROUP: frozenset({OrganisationKind.BRANCH}),
}

BRANCH_COMMITTEE_FROM = 7  # full members; fewer have a 书记 only (支部工作条例 ch. 6)


class Office(StrEnum):
    """A seat in a branch committee, in the order in which they are named."""

    SECRETARY = "书记"
    DEPUTY = "副书记"
    ORGANISER = "组织委员"
    PUBLICITY = "宣传委员"
    DISCIPLINE = "纪检委员"
    OTHER = "委员"

    @property
    def rank(self) -> int:
        """Its place in the list, from 1."""
        return list(Office).index(self) + 1


def may_stand_under(kind: OrganisationKind, above: OrganisationKind | None) -> bool:
    """Whether an organisation of `kind` may be opened under one of kind `above`; only the province has none above."""
    return (kind is OrganisationKind.PROVINCE) if above is None else above in MAY_STAND_UNDER[kind]


def owes_committee(full_members: int) -> bool:
    """Whether a branch with so many full members must have a committee, and so owes its monthly meeting."""
    return full_members >= BRANCH_COMMITTEE_FROM
