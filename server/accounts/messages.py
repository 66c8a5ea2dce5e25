"""An SMS that did not arrive, sent once more because somebody decided so."""
from asyncpg import Record
from litestar.exceptions import HTTPException, NotFoundException

from server.accounts.message_lists import message
from server.core import audit, sms
from server.core.actor import Actor
from server.core.clock import now
from server.core.database import transaction
from server.people.rules import masked_phone


def why_not(found: Record) -> str | None:
    """Why an SMS can't be sent again, in words; None: it can."""
    if found["again"]:
        return "这条短信已经重发过了"
    if found["state"] not in ("failed", "unknown"):
        return "这条短信没有发送失败，不用重发"
    if found["good_until"] and found["good_until"] <= now():
        return "验证码已经过期，重发也没有用：请本人再点一次“获取验证码”"
    return None


async def resend(actor: Actor, sms_id: int, why: str) -> int:
    """Puts down an SMS once more, under a key of its own; returns the new one's id.

    404 outside of the actor's care; 409 when it was sent, was sent again already, or is over. The database knows one
    new message for each old one, so a second tap changes nothing."""
    async with transaction():
        found = await message(actor, sms_id)
        if found is None:
            raise NotFoundException
        refusal = why_not(found)
        if refusal:
            raise HTTPException(refusal, status_code=409)
        made = await sms.send_again(sms_id)
        if made is None:
            raise HTTPException("这条短信已经重发过了", status_code=409)
        await audit.record(actor, "resend", "sms", sms_id, before={"state": sms.STATES[found["state"]]},
                           after={"kind": sms.KINDS[found["kind"]], "again": made,
                                  "phone": audit.personal(masked_phone(sms.phone_of(found)))}, why=why)
    return made
