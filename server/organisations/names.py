"""Names of villages and communities as people say them; the official name is kept beside.

The rule, in order:
1. The body that runs the place (村民委员会, 村委会, 居民委员会, 居委会) are taken off: 前村村委会 is 前村,
   小王庄村委会 is 小王庄, 冯张村村委会 is 冯张村, 花园社区居委会 is 花园社区. The 村 of 村委会 belongs to the body, so
   小王庄村委会 does not become 小王庄村. A body written twice (后寨村委会村民委员会) is taken off twice.
2. Where a single character would be left, the 村 stays: 郭村委会 is 郭村, 东村民委员会 is 东村.
3. Everything else stays whole: 杨北新村, 江西路社区, and the register's slips of the pen (纸坊村村民委会,
   府前社区居民居委会, 胜利油田通明苑类似居委会). A wrong guess would be worse than a long name.
"""

VILLAGE_BODIES = ("村民委员会", "村委会")
COMMUNITY_BODIES = ("居民委员会", "居委会")
NOT_A_PLACE = ("类似", "居民", "村民")  # what is left is half a word: the ending was not one of ours


def spoken_name(official_name: str) -> str:
    """What people call the place whose official name is `official_name`; that name itself if its ending is unusual."""
    name = official_name
    while shorter := _without_body(name):
        name = shorter
    return official_name if name.endswith(NOT_A_PLACE) else name


def _without_body(name: str) -> str | None:
    """`name` without the body at its end; None when there is none, or no name would be left."""
    for body in VILLAGE_BODIES + COMMUNITY_BODIES:
        place = name.removesuffix(body)
        if place == name:
            continue
        if len(place) == 1:
            return f"{place}村" if body in VILLAGE_BODIES else None
        return place or None
    return None
