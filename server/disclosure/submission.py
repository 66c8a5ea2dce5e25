"""Handing an edition on: signed first where the county wants it (村务监督委员会, 书记), then to the township (M3§8)."""
from asyncpg import Record
from litestar.exceptions import ClientException, NotFoundException, PermissionDeniedException

from server.catalogues.duties import DUTY, settle
from server.catalogues.rules import Audience, DutyState
from server.core import audit, deadlines, live
from server.core.actor import Actor
from server.core.clock import now
from server.core.database import row, rows, the_row, transaction
from server.core.moves import WrongState
from server.disclosure.checks import findings
from server.disclosure.content import fingerprint, whole
from server.disclosure.parts import part_of
from server.disclosure.rules import (
    OPEN,
    REVIEW_TIME,
    SUBMISSION,
    TAKING_BACK,
    Finding,
    Signed,
    State,
    errors,
    rule_of,
    seats_for,
)
from server.disclosure.sight import is_for_members
from server.disclosure.tables import signatures
from server.permissions import Role
from server.villages.tables import county_of, settings_of

EDITION = "edition"  # the kind of the review deadline's subject


class NotFit(Exception):
    """What keeps an edition from being handed on."""

    def __init__(self, found: list[Finding]) -> None:
        super().__init__("；".join(one.words for one in found))
        self.found = found


async def seats_of(matter: Record, edition: Record) -> tuple[Role, ...]:
    """Who signs an edition: by whom it is for, and whom what is published now is for."""
    return seats_for(Audience.MEMBERS if await is_for_members(edition) else matter["audience"])


async def is_signed_first(matter: Record) -> bool:
    """Whether the county wants this category signed before it is submitted."""
    return matter["category"] in (await settings_of(county_of(matter["village_code"])))["signed"]


async def submit(actor: Actor, matter: Record, edition: Record, version: int) -> State:
    """Hands an edition on as it stands at `version`; where it then waits. What is signed and reviewed is a version of
    its own, so that nothing said about an earlier submission holds for this one. NotFit with every error of the checks;
    WrongState when it was changed or handed on meanwhile."""
    to = State.SIGNING if await is_signed_first(matter) else State.SUBMITTED
    async with transaction():
        await rows("SELECT FROM village WHERE code = $1 FOR NO KEY UPDATE", matter["village_code"])  # one after another
        await part_of(matter["form"]).follow(matter, edition)
        if faults := errors(await findings(matter, edition)):
            raise NotFit(faults)
        held = await row("""UPDATE edition SET state = $3, submitted_who = $4, version = version + 1,
                                authors = CASE WHEN $6 = ANY(authors) THEN authors ELSE authors || $6::bigint END,
                                submitted_at = CASE WHEN $3 = '待审核' THEN ebranch_now() ELSE submitted_at END
                            WHERE id = $1 AND version = $2 AND state = ANY($5) RETURNING *""",
                         edition["id"], version, str(to), actor.signature, sorted(SUBMISSION.frm), actor.person_id)
        if held is None:
            raise WrongState("刚才已经提交过，或内容又改过了，请刷新再看")
        await audit.record(actor, "submit_matter", "matter", matter["id"], after={
            "number": held["number"], "version": held["version"], "state": to,
            "fingerprint": fingerprint(await whole(matter, held))})
        if to is State.SUBMITTED:
            await handed_to_township(matter, held)
        if to is State.SIGNING and matter["audience"] != Audience.MEMBERS:
            live.changed(live.of_readers(matter["village_code"]), "todos")  # among them who signs
        live.changed(matter["organisation_path"], f"matter-{matter['id']}", "disclosures", "todos")
    return to


async def handed_to_township(matter: Record, edition: Record) -> None:
    """The village has done its part (M3§8): its clock stops, the township's starts. Within a transaction."""
    await deadlines.meet(rule_of(matter), DUTY, matter["duty_id"], closed_at=now())
    township = await the_row("""SELECT c.id, c.path FROM organisation o JOIN organisation c ON c.id = o.committee_id
                                WHERE o.id = $1""", matter["organisation_id"])
    await deadlines.start(
        REVIEW_TIME, EDITION, edition["id"], organisation_id=township["id"], organisation_path=township["path"],
        starts_at=now(), title=f"审核 · {matter['village']} {edition['title']}",
        href=f"/disclosures/{matter['id']}/review", now=now(), period=str(edition["version"]))


async def sign(actor: Actor, matter: Record, edition: Record, version: int, verdict: Signed, reason: str) -> State:
    """The actor's seat says yes or no to this version; with the last yes it goes to the township, with a no back to the
    village. Where it then waits. WrongState when it was changed, or the seat has signed.

    ClientException (400) for a no without a reason; PermissionDenied (403) for who signed for the other seat, and for
    the 村务监督委员会 where it is one of those who wrote it; NotFoundException for a seat that does not sign it."""
    if verdict is Signed.REFUSED and not reason:
        raise ClientException("不同意要写明原因")
    if actor.role not in await seats_of(matter, edition):
        raise NotFoundException
    if actor.role == Role.SUPERVISOR and actor.person_id in edition["authors"]:
        raise PermissionDeniedException("自己填写的内容，要由村务监督委员会另一位同志签字")
    async with transaction():
        held = await row("SELECT state, version FROM edition WHERE id = $1 FOR NO KEY UPDATE", edition["id"])
        if held is None or (held["state"], held["version"]) != (State.SIGNING, version):
            raise WrongState("这份内容刚才有了变化，请刷新再看")
        others = [one for one in await signatures(edition["id"], version) if one["seat"] != actor.role]
        if actor.account_id in [one["account_id"] for one in others]:
            raise PermissionDeniedException("您已经以另一个身份签过这一版，请由另一位同志签字")
        signed = await row("""
            INSERT INTO signature (edition_id, edition_version, seat, verdict, reason, account_id, grant_id, who)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING id""",
                           edition["id"], version, str(actor.role), str(verdict), reason, actor.account_id,
                           actor.grant_id, actor.signature)
        if signed is None:
            raise WrongState(f"{actor.role}已经签过了")
        agreed = {one["seat"] for one in await signatures(edition["id"], version) if one["verdict"] == Signed.AGREED}
        to = State.DRAFT if verdict is Signed.REFUSED else (
            State.SUBMITTED if agreed >= set(map(str, await seats_of(matter, edition))) else State.SIGNING)
        if to is not State.SIGNING:
            await rows("""UPDATE edition SET state = $2, submitted_at = CASE WHEN $2 = '待审核' THEN ebranch_now()
                          ELSE submitted_at END WHERE id = $1""", edition["id"], str(to))
        if to is State.SUBMITTED:
            await handed_to_township(matter, edition)
        await audit.record(actor, "sign_matter", "matter", matter["id"], why=reason or None,
                           after={"number": edition["number"], "version": version, "passed": verdict})
        live.changed(matter["organisation_path"], f"matter-{matter['id']}", "disclosures", "todos")
    return to


async def take_back(actor: Actor, matter: Record, edition: Record) -> None:
    """撤回修改: takes back what nobody has decided on yet, or what still waits for its day; the village's clock stands
    where it would have stood without."""
    async with transaction():
        back = await row(
            "UPDATE edition SET state = '草稿' WHERE id = $1 AND state = ANY($2) RETURNING id, version",
            edition["id"], sorted(TAKING_BACK.frm))
        if back is None:
            now_is = (await the_row("SELECT state FROM edition WHERE id = $1", edition["id"]))["state"]
            raise WrongState("刚才已经撤回了" if now_is in OPEN else f"这份内容现在是“{now_is}”，不能再撤回")
        await deadlines.give_up(REVIEW_TIME, EDITION, edition["id"], at=now(), period=str(back["version"]))
        if matter["edition_id"] is None and await is_asked_for(matter["duty_id"]):
            await deadlines.reopen(rule_of(matter), DUTY, matter["duty_id"], at=now(), why="村里撤回修改")
        await audit.record(actor, "take_back_matter", "matter", matter["id"], after={"number": edition["number"]})
        live.changed(matter["organisation_path"], f"matter-{matter['id']}", "disclosures", "todos")


async def owed_again(matter: Record, why: str) -> None:
    """What came back is owed again with the working days that were left, at least one (M3§8); a correction is owed
    nobody: it was published in time already."""
    if matter["edition_id"] is None and await is_asked_for(matter["duty_id"]):
        await deadlines.resume(rule_of(matter), DUTY, matter["duty_id"], at=now(), why=why)


async def is_asked_for(duty_id: int) -> bool:
    """Whether the catalogue has not dropped it meanwhile: then no clock runs for it. Held until the transaction ends.
    """
    its = await the_row("SELECT state FROM duty WHERE id = $1 FOR NO KEY UPDATE", duty_id)
    return its["state"] != DutyState.DROPPED


async def published(matter: Record) -> None:
    """The duty is answered for good. Within a transaction."""
    await settle(matter["duty_id"], DutyState.PUBLISHED)
