"""The fields of every form that sets a password, and the rule that stands beside them (G2.1)."""
from server.accounts.rules import PASSWORD_LEAST
from server.core import forms
from server.settings import settings

READ = 200  # characters of a password that are read, so that one too long is told and not cut
RULE = f"{PASSWORD_LEAST}–{settings.password_most} 个字符，要有大写字母、小写字母和数字"


def old(name: str, label: str) -> forms.Field:
    """A password that is there already."""
    return forms.text(name, label, most=READ)


def new(label: str) -> tuple[forms.Field, forms.Field]:
    """A new password, and the same once more."""
    return old("password", label), old("password_again", "确认密码")
