"""Income and expense month by month, and where the money came from and went: as figures a template draws. No I/O."""
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from server.core.periods import month_after
from server.ledgers.rules import EXPENSE, INCOME, SIDE, Side, yuan

ORDER = (*INCOME, *EXPENSE)
HEIGHT = 100  # of the longest bar
MONTHS = 12


def months(sums: Mapping[date, tuple[int, int]], last: date) -> list[dict[str, Any]]:
    """Twelve months that end with `last`: the heights of two bars each, 0 to 100, and what they say in words.

    sums: income and expense of the months that are published, in 分."""
    most = max((max(pair) for pair in sums.values()), default=0) or 1
    found = []
    for back in range(MONTHS - 1, -1, -1):
        month = month_after(last, -back)
        income, expense = sums.get(month, (0, 0))
        found.append({
            "month": month.month, "x": 2 + (MONTHS - 1 - back) * 26, "there": month in sums,
            "income": round(HEIGHT * income / most, 1), "expense": round(HEIGHT * expense / most, 1),
            "words": f"{month.year}年{month.month}月 收入 {yuan(income)} 支出 {yuan(expense)}"})
    return found


def shares(sums: Sequence[tuple[str, int]]) -> list[dict[str, Any]]:
    """Each category with its share of its side, in per cent, the largest first: income, then expense."""
    found = []
    for side in Side:
        its = [(category, amount) for category, amount in sums if SIDE.get(category) is side]
        whole = sum(amount for _, amount in its) or 1
        found += [{"side": str(side), "category": category, "amount": yuan(amount),
                   "share": round(100 * amount / whole)} for category, amount in sorted(its, key=lambda one: -one[1])]
    return found
