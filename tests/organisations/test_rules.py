"""Which organisation may stand under which, and when a committee is owed."""
import pytest

from server.organisations.rules import Level, Office, may_stand_under, owes_committee
from server.organisations.rules import OrganisationKind as Kind


@pytest.mark.parametrize(("kind", "above"), [
    (Kind.PROVINCE, None), (Kind.CITY, Kind.PROVINCE), (Kind.COUNTY, Kind.CITY), (Kind.COMMITTEE, Kind.COUNTY),
    (Kind.GENERAL_BRANCH, Kind.COMMITTEE), (Kind.BRANCH, Kind.COMMITTEE), (Kind.BRANCH, Kind.GENERAL_BRANCH),
    (Kind.GROUP, Kind.BRANCH),
])
def test_an_organisation_stands_under_the_next_level(kind, above):
    assert may_stand_under(kind, above)


@pytest.mark.parametrize(("kind", "above"), [
    (Kind.CITY, None), (Kind.BRANCH, None), (Kind.PROVINCE, Kind.CITY), (Kind.BRANCH, Kind.COUNTY),
    (Kind.BRANCH, Kind.BRANCH), (Kind.GROUP, Kind.COMMITTEE), (Kind.GENERAL_BRANCH, Kind.GENERAL_BRANCH),
])
def test_and_nowhere_else(kind, above):
    assert not may_stand_under(kind, above)


def test_a_committee_is_owed_from_seven_full_members():
    assert [owes_committee(full) for full in (0, 6, 7, 23)] == [False, False, True, True]


def test_the_secretary_is_named_first():
    assert sorted(Office, key=lambda office: office.rank)[0] is Office.SECRETARY


def test_every_level_but_the_province_has_one_above():
    assert [level.above for level in Level] == [None, *list(Level)[:-1]]
