"""The fields of query accounts' forms."""
from server.core import forms
from server.query_accounts.rules import HOUSEHOLD_MOST, Standing, read_household

STANDING = forms.choice("standing", "身份", Standing)


def members_field(name: str, label: str) -> forms.Field:
    """A household's members, one a line."""
    text = forms.text(name, label, most=HOUSEHOLD_MOST * 60, required=False)
    return forms.Field(name, label, lambda typed: read_household(text.read(typed)))
