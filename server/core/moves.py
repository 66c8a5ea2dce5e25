"""States and the moves between them, as data that buttons, actions and tests all read."""
from dataclasses import dataclass

from litestar.exceptions import ClientException

from server.permissions import Can


@dataclass(frozen=True)
class Move:
    name: str  # the noun in the address: POST /meetings/7/cancellation
    label: str  # the word on the button
    frm: frozenset[str]
    to: str
    can: Can


class WrongState(ClientException):
    """409: the row is not where this starts from; somebody was faster, the time has passed, or the page is old.

    advice: what can be done instead; by default, to look again."""

    status_code = 409

    def __init__(self, reason: str, advice: str | None = None) -> None:
        super().__init__(reason)
        self.advice = advice
