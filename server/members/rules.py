"""Members and the names of people. No I/O."""
from enum import StrEnum

MIDDLE_DOT = "·"  # U+00B7, as in 阿依努尔·吐尔逊
WRITTEN_FOR_IT = "•．・‧∙⋅"  # what keyboards give instead


class Standing(StrEnum):
    """正式党员 or 预备党员."""

    FULL = "正式党员"
    PROBATIONARY = "预备党员"


def written_name(typed: str) -> str:
    """A name as it is kept: no blanks around or inside a Chinese name, one kind of middle dot."""
    name = typed.strip().translate(dict.fromkeys(map(ord, WRITTEN_FOR_IT), MIDDLE_DOT))
    return name if name.isascii() else "".join(name.split())


def sort_key(name: str) -> str:
    """What lists of people are sorted by: GB 18030, which has the ordinary characters in the order of their pinyin
    (the embedded database has no ICU)."""
    return name.encode("gb18030", "replace").hex()
