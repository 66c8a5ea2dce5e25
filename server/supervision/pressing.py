"""催办: what a village has let lapse or will today reaches its people in one grouped reminder a day."""
from collections.abc import Sequence

from server.core import audit, live
from server.core.actor import Actor
from server.core.clock import now, today
from server.core.database import row, rows, transaction
from server.permissions import Can, Role, may
from server.supervision.tables import to_press
from server.threads.reminders import remind


async def press(actor: Actor, codes: Sequence[str]) -> int:
    """Reminds those who keep the villages, once a day for each whoever presses; how many villages heard of it."""
    waiting = {one["code"]: one for one in await to_press(actor.organisation_path, today(), now())}
    keepers = [str(role) for role in Role if may(role, Can.DISCLOSURE_KEEP)] + [str(Role.SECRETARY)]
    told = 0
    async with transaction():
        for code in sorted(set(codes) & set(waiting)):
            one = waiting[code]
            noted = await row("""INSERT INTO pressing (village_code, day, who, things) VALUES ($1, $2, $3, $4)
                                 ON CONFLICT DO NOTHING RETURNING day""", code, today(), actor.signature, one["things"])
            if noted is None:
                continue
            told += 1
            for person in await rows("""
                    SELECT DISTINCT a.person_id FROM village v
                    JOIN role_grant g ON g.organisation_id = v.organisation_id
                    JOIN account a ON a.id = g.account_id AND a.closed_at IS NULL
                    WHERE v.code = $1 AND g.role = ANY($2) AND g.since <= $3 AND (g.until IS NULL OR g.until > $3)
                    ORDER BY 1""", code, keepers, now()):
                line = f"三务公开 {one['things']} 件到期未办（M3§8）"
                await remind(person["person_id"], "催办", line, "/disclosures")
        if told:
            await audit.record(actor, "press_villages", "organisation", actor.organisation_id, after={"number": told})
            live.changed(actor.organisation_path, "supervision")
    return told
