"""Where SMS leave: one interface, and what stands behind it by settings."""
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Protocol

from server.settings import settings

SEGMENT = 70  # characters that are billed as one message
LONG_SEGMENT = 67  # of each part of a longer one


class Outcome(StrEnum):
    """What a gateway says of a message."""

    SENT = "sent"
    LATER = "later"  # not taken, and worth another try
    FAILED = "failed"  # not taken, for good
    UNKNOWN = "unknown"  # asked, and no answer: it may have left


@dataclass(frozen=True)
class Message:
    """key: tells the gateway one message from another; values: the blanks of the kind's template."""

    id: int
    key: str
    phone: str
    kind: str
    words: str
    values: list[str]


@dataclass(frozen=True)
class Result:
    """number: the gateway's own of the message; segments: how many are billed; fault: why not, in words for the
    safety officer, without anything personal."""

    outcome: Outcome
    number: str | None = None
    segments: int = 0
    fault: str | None = None


class Gateway(Protocol):
    """What takes messages. `send` answers within seconds or raises; a raise counts as not known."""

    name: str

    async def send(self, message: Message) -> Result:
        """Hands over one message."""
        ...


class Outbox:
    """The demonstration's: nothing leaves, everything can be read under /demo/outbox."""

    name = "outbox"

    async def send(self, message: Message) -> Result:
        """Takes the message as sent."""
        return Result(Outcome.SENT, f"outbox-{message.id}", segments(message.words))


def segments(words: str) -> int:
    """How many messages a text is billed as."""
    return 1 if len(words) <= SEGMENT else -(-len(words) // LONG_SEGMENT)


@cache
def made(way: str) -> Gateway | None:
    """The gateway of one way; None for off."""
    if way == "tencent":
        from server.core.sms_tencent import Tencent  # the SDK only where it is used

        return Tencent(settings.sms)
    return Outbox() if way == "outbox" else None


def gateway() -> Gateway | None:
    """Where SMS leave now; None: nowhere, they wait."""
    return made(settings.sms.way)
