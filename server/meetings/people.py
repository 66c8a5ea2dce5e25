"""Who should attend: everybody to choose from, and the ready choices of a branch."""
from server.core.actor import Actor
from server.members.rules import Standing
from server.members.tables import members_of
from server.organisations.tables import groups_of


async def choosable(actor: Actor) -> list[dict[str, str]]:
    """The branch's members, in the order of its list."""
    return [{"value": str(member["person_id"]),
             "label": member["name"] + ("（预备）" if member["standing"] == Standing.PROBATIONARY else "")}
            for member in await members_of(actor.organisation_id)]


async def presets(actor: Actor) -> list[dict[str, str]]:
    """全体党员, 支部委员 and each 党小组, with the people they mean."""
    members = await members_of(actor.organisation_id)
    chosen = {f"全体党员 {len(members)}": [member["person_id"] for member in members],
              "支部委员": [member["person_id"] for member in members if member["office"]]}
    for group in await groups_of(actor.organisation_id):
        chosen[group["name"]] = [member["person_id"] for member in members if member["group_id"] == group["id"]]
    return [{"label": label, "ids": " ".join(map(str, ids))} for label, ids in chosen.items() if ids]
