"""Members of the Party, and what may be seen of their numbers. No I/O."""
from datetime import timedelta
from enum import StrEnum

PAGE = 30
OPENINGS = 30  # masked numbers one account may open within OPENINGS_WITHIN; the database refuses more by itself
OPENINGS_WITHIN = timedelta(hours=1)
SEARCHES = 60  # by number within OPENINGS_WITHIN: who would guess the masked digits must not get far


class Standing(StrEnum):
    """正式党员 or 预备党员."""

    FULL = "正式党员"
    PROBATIONARY = "预备党员"


class Number(StrEnum):
    """What stands masked on a person's page."""

    ID_NUMBER = "身份证号"
    PHONE = "手机号码"


class Reason(StrEnum):
    """Why somebody in charge opens a number."""

    IDENTITY = "核对本人身份"
    REGISTER = "核对党员信息"
    TRANSFER = "办理组织关系转接"
    CONTACT = "联系本人"
    OTHER = "其他"


class Proof(StrEnum):
    """How an officer made sure, face to face, of whom the new phone is."""

    CARD = "当面核对了居民身份证"
    KNOWN = "当面确认，本人熟识"
