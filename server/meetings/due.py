"""三会一课 and what else a branch owes in a period, beside what it has recorded (M2§7-8, 支部工作条例)."""
from dataclasses import dataclass
from typing import Any

from server.core.clock import now, today
from server.core.database import rows
from server.core.periods import Every, period_of
from server.core.workdays import beijing_date
from server.meetings.rules import Kind
from server.meetings.tables import NEWEST
from server.organisations.tables import groups_of, has_committee

WORDS = {Every.MONTH: "本月", Every.QUARTER: "本季度", Every.YEAR: "本年"}


@dataclass(frozen=True)
class Owed:
    """How often a kind of gathering is due; needs: what a branch must have to owe it."""

    kind: Kind
    every: Every
    needs: str | None = None


OWED = (
    Owed(Kind.ASSEMBLY, Every.QUARTER), Owed(Kind.COMMITTEE, Every.MONTH, "committee"),
    Owed(Kind.GROUP, Every.MONTH, "groups"), Owed(Kind.LECTURE, Every.QUARTER), Owed(Kind.THEME_DAY, Every.MONTH),
    Owed(Kind.LIFE_MEETING, Every.YEAR), Owed(Kind.APPRAISAL, Every.YEAR),
)


async def owed_by(branch_id: int) -> list[dict[str, Any]]:
    """What a branch owes in the present month, quarter and year, and how much of it is recorded.

    No 支委会 is owed without a committee, no 党小组会 without groups."""
    has = {None: True, "committee": await has_committee(branch_id), "groups": bool(await groups_of(branch_id))}
    held = await rows(f"""
        SELECT kind, l.begins_at FROM meeting m {NEWEST}
        CROSS JOIN LATERAL (SELECT coalesce((v.content->>'begins_at')::timestamptz, m.begins_at) AS begins_at,
            CASE WHEN v.content IS NULL THEN m.kinds
                 ELSE ARRAY(SELECT jsonb_array_elements_text(v.content->'kinds')) END AS kinds) l
        CROSS JOIN unnest(l.kinds) AS kind
        WHERE m.branch_id = $1 AND m.state = 'open' AND l.begins_at <= $2
          AND l.begins_at >= date_trunc('year', $2 AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai'
          AND (m.recorded_at IS NOT NULL OR v.content IS NOT NULL)""", branch_id, now())
    found = []
    for one in OWED:
        if has[one.needs]:
            first = period_of(one.every, today()).first
            done = sum(each["kind"] == one.kind and beijing_date(each["begins_at"]) >= first for each in held)
            found.append({"kind": str(one.kind), "period": WORDS[one.every], "done": done, "due": 1})
    return found
