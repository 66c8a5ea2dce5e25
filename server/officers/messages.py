"""What officers are told by SMS: the code to activate with, a further role. The wording stands here, once."""
from datetime import datetime

from server.core import sms
from server.core.clock import now
from server.core.dates import calendar_day, local
from server.core.workdays import last_day
from server.settings import settings


async def send_code(
    authorisation_id: int, phone: str, code: str, expires_at: datetime, *, role: str, organisation: str,
    organisation_id: int, not_before: datetime | None = None,
) -> None:
    """The 授权码 of a new account (G2.1); within the caller's transaction, once for each code."""
    words, values = words_with_code(code, expires_at, role=role, organisation=organisation)
    await sms.send(f"authorisation-{authorisation_id}", phone, "authorisation", words, values=values,
                   organisation_id=organisation_id, not_before=not_before, good_until=expires_at)


def words_with_code(code: str, expires_at: datetime, *, role: str, organisation: str) -> tuple[str, list[str]]:
    """What the SMS with a 授权码 says, and the blanks of its template at the gateway."""
    until = calendar_day(last_day(expires_at), local(now()).date()).split()[0]
    return (f"【灯塔e支部】您的{organisation}{role}账号已开通。授权码 {code}，{until}24时前有效。"
            f"请打开 {settings.origin}/activation 激活，授权码不要告诉别人。", [organisation, role, code, until])


async def tell_of_role(grant_id: int, phone: str, *, role: str, organisation: str, organisation_id: int,
                       activated: bool) -> None:
    """A further role of an account that is there already; within the caller's transaction, once for each grant."""
    how = "登录后在“我的”里切换。" if activated else "账号激活仍用此前收到的授权码。"
    await sms.send(f"role-{grant_id}", phone, "notice", f"【灯塔e支部】您新增了身份：{organisation} {role}。{how}",
                   organisation_id=organisation_id)
