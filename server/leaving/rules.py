"""交接 and 代理: lengths. No I/O."""
from datetime import date, timedelta

LONGEST_SUBSTITUTION = timedelta(days=366)  # who is away longer has left
WHY_MAX = 200  # characters


def refuse_span(first: date, last: date, today: date) -> str | None:
    """What is wrong with a substitution from `first` to `last`, in words, or None."""
    if first < today:
        return "代理不能从过去的日子开始"
    if last < first:
        return "结束日期不能早于开始日期"
    if last - first > LONGEST_SUBSTITUTION:
        return "代理最长一年；更久的请办交接"
    return None
