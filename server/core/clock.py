"""The one clock. Its offset (demonstration and tests: EBRANCH_NOW) is the owner's row in the database, so every
process tells the same time and one that was restarted does not jump."""
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")

_offset = timedelta(0)


def set_offset(seconds: float) -> None:
    """Moves this process's clock `seconds` ahead of the machine's (negative: behind)."""
    global _offset
    _offset = timedelta(seconds=seconds)


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC) + _offset


def today() -> date:
    """The present date in Beijing, where every legal day begins and ends."""
    return now().astimezone(BEIJING).date()


def day_begins(day: date) -> datetime:
    """The day's first moment in Beijing."""
    return datetime(day.year, day.month, day.day, tzinfo=BEIJING)
