"""Members of the Party. No I/O."""
from enum import StrEnum


class Standing(StrEnum):
    """正式党员 or 预备党员."""

    FULL = "正式党员"
    PROBATIONARY = "预备党员"
