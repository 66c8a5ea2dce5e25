"""The field of a household's members."""
from server.core import forms
from server.query_accounts.rules import HOUSEHOLD_MOST, read_household


def members_field(name: str, label: str) -> forms.Field:
    """A household's members, one a line."""
    text = forms.text(name, label, most=HOUSEHOLD_MOST * 60, required=False)
    return forms.Field(name, label, lambda typed: read_household(text.read(typed)))
