"""Who acts before having a session: somebody who activates an account, registers, or asks for a new code."""
from server.accounts.tables import roles_of
from server.core.actor import Actor
from server.core.clock import now
from server.core.database import the_row
from server.permissions import Role

UNDER = """
SELECT p.id AS person_id, a.id AS account_id, g.id AS grant_id, p.name, g.role, o.id AS organisation_id,
       o.path AS organisation_path, o.name AS organisation_name, o.kind AS organisation_kind, o.committee_id, a.large
FROM role_grant g JOIN account a ON a.id = g.account_id JOIN person p ON p.id = a.person_id
JOIN organisation o ON o.id = g.organisation_id WHERE g.id = $1"""


async def newcomer(account_id: int, source: str) -> Actor | None:
    """The account's owner under the role with most to do, for the evidence; None when it holds no role now."""
    grants = await roles_of(account_id, now())
    if not grants:
        return None
    found = dict(await the_row(UNDER, grants[0]["id"]))
    return Actor(**found | {"role": Role(found["role"])}, session_id=0, source=source)
