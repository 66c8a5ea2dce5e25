"""Officers: which roles there are where, who nominates them, the three duties kept apart (M3§5, G2.1). No I/O."""
from collections.abc import Mapping
from enum import StrEnum

from server.core.moves import Move
from server.organisations.rules import OrganisationKind
from server.permissions import Can, Role

DEPARTMENTS = frozenset({OrganisationKind.PROVINCE, OrganisationKind.CITY, OrganisationKind.COUNTY})

# The database holds the same table (role_place) and refuses a role at any other place.
ROLES_AT: Mapping[OrganisationKind, tuple[Role, ...]] = {
    OrganisationKind.PROVINCE: (Role.PROVINCE_ADMIN, Role.SAFETY_OFFICER, Role.AUDITOR),
    OrganisationKind.CITY: (Role.CITY_ADMIN, Role.SAFETY_OFFICER, Role.AUDITOR),
    OrganisationKind.COUNTY: (Role.COUNTY_ADMIN, Role.SAFETY_OFFICER, Role.AUDITOR),
    OrganisationKind.COMMITTEE: (Role.COMMITTEE_ADMIN, Role.COMMITTEE_ORGANISER),
    OrganisationKind.BRANCH: (Role.SECRETARY, Role.ORGANISER, Role.BRANCH_ADMIN, Role.VILLAGE_ADMIN),
}
APPOINTED = frozenset(role for roles in ROLES_AT.values() for role in roles)

# 三员分立: from county up these are three different persons.
DUTY: Mapping[Role, str] = {
    Role.PROVINCE_ADMIN: "管理员", Role.CITY_ADMIN: "管理员", Role.COUNTY_ADMIN: "管理员",
    Role.SAFETY_OFFICER: "安全员", Role.AUDITOR: "审计员",
}
NOMINATES_BELOW = frozenset({Role.COMMITTEE_ADMIN})  # the others who nominate do so for their own organisation

NAME_MAX, WHY_MAX = 40, 200  # characters


class NominationState(StrEnum):
    WAITING = "待开通"
    OPENED = "已开通"
    RETURNED = "已退回"
    WITHDRAWN = "已撤回"


_WAITING = frozenset({NominationState.WAITING})
MOVES = (
    Move("opening", "开通", _WAITING, NominationState.OPENED, Can.ACCOUNT_KEEP),
    Move("return", "退回", _WAITING, NominationState.RETURNED, Can.ACCOUNT_KEEP),
    Move("withdrawal", "撤回", _WAITING, NominationState.WITHDRAWN, Can.OFFICER_NOMINATE),
)


class AccountState(StrEnum):
    """What an officer's account is; the chips of the register."""

    WAITING = "待激活"
    IN_USE = "使用中"
    LEFT = "已离任"  # no officer's role any more
    CLOSED = "已停用"


class RowState(StrEnum):
    WAITING = "待导入"
    OPENED = "已开通"
    KNOWN = "已有"
    WRONG = "有误"


TONES: Mapping[str, str] = {
    NominationState.WAITING: "amber", NominationState.OPENED: "green", NominationState.RETURNED: "red",
    NominationState.WITHDRAWN: "grey", AccountState.WAITING: "amber", AccountState.IN_USE: "green",
    AccountState.LEFT: "grey", AccountState.CLOSED: "grey",
}


def may_nominate(role: Role, own_path: str, path: str) -> bool:
    """Whether somebody of `role` at the organisation of `own_path` nominates officers for the one of `path`."""
    return path.startswith(own_path) if role in NOMINATES_BELOW else path == own_path


def excluded_by(role: Role, held: set[Role]) -> Role | None:
    """The role among `held` that keeps somebody from taking on `role`; None when the duties go together."""
    duty = DUTY.get(role)
    return next((one for one in held if duty and DUTY.get(one, duty) != duty), None)
