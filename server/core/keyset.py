"""Where the next page of a list begins: below an id, or at the moment and id of the last line shown, opaque in an
address."""
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime

Place = tuple[datetime, int]
BEGINNING: Place = datetime(2200, 1, 1, tzinfo=UTC), 0  # before everything, where the newest comes first
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
IDS_END = 2**63  # no row has an id from here on
NEWEST = IDS_END - 1  # no id is above


def below(before: int | None) -> int:
    """The id a page begins below: of an address that is nonsense, above all of them."""
    return before if before and 0 < before < NEWEST else NEWEST


def mark(at: datetime, row_id: int) -> str:
    """The place after the line of this moment and id."""
    return urlsafe_b64encode(f"{(at - EPOCH) // datetime.resolution} {row_id}".encode()).decode()


def read(opaque: str | None) -> Place | None:
    """The moment and id an opaque `after` stands for; None without one, and for a garbled one."""
    try:
        at_us, last_id = urlsafe_b64decode((opaque or "").encode()).decode().split(" ")
        return EPOCH + datetime.resolution * int(at_us), min(max(int(last_id), 0), NEWEST)
    except (ValueError, OverflowError):
        return None
