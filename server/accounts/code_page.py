"""The page where a one-time code is entered: at sign-in, and within a session."""
from typing import Any

from litestar import Request, Response

from server.core import codes, forms, sms
from server.core.origin import within
from server.core.page import page

NEXT = forms.text("next", "页面", most=500, required=False, seen=False)
CODE = (forms.text("code", "验证码", most=6), NEXT)


async def code_page(
    request: Request, action: str, token: str, onwards: str, errors: dict[str, str], status: int = 200,
) -> Response[Any]:
    """action: the address the code is sent to; token: of the code; onwards: where it goes on afterwards."""
    shown = codes.shown(token)
    return await page(request, "accounts/code.html", action=action, errors=errors, next=within(onwards),
                      shown_code=shown, sms_off=shown is None and await sms.held_back(), minutes=codes.minutes(),
                      tries=codes.TRIES, status=status)
