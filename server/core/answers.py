"""What every answer carries, and what an answer is when something was wrong: plain words, and what to do."""
import logging
from typing import Any
from urllib.parse import quote

from asyncpg import InterfaceError, InternalClientError, PostgresConnectionError, PostgresError
from litestar import Request, Response
from litestar.exceptions import HTTPException, NotAuthorizedException
from litestar.types import Message, Scope

from server.core.crypto import MissingKey
from server.core.guard import READS, CodeWanted, SignInFirst
from server.core.logs import request_id
from server.core.origin import came_from
from server.core.page import BADGES, answer, is_swap, see_other
from server.settings import settings

log = logging.getLogger(__name__)

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=(), camera=(self)",
} | ({"Strict-Transport-Security": "max-age=31536000"} if settings.origin.startswith("https:") else {})

NOT_KEPT = (b"cache-control", b"no-store")  # of whatever does not say otherwise
RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]

# What is wrong, and what to do, by status.
WORDS = {
    400: ("没有看懂这个请求", "内容可能没有传完整。请返回上一页，重新提交一次。"),
    401: ("请先登录", "登录以后就能继续。刚才填的内容请返回上一页再提交。"),
    403: ("您现在的身份不能办这件事",
          "如果您还有别的身份，可以在“我的”里切换；需要开通，请联系支部书记、上级党组织管理员或本部门的安全员。"),
    404: ("没有找到这一页", "它可能已经撤下，或者不在您能看的范围内。"),
    405: ("没有找到这一页", "请从“消息”或“工作台”重新进入。"),
    408: ("传得太慢了", "网络不稳，内容没有传完，没有保存。请换个信号好的地方再提交一次。"),
    409: ("这件事刚才已经有了变化", "请返回刷新后再看，您不会丢失已经保存的内容。"),
    413: ("内容太大了", "请把文字分开，或者换一张小一些的照片。"),
    422: ("有的内容需要改一改", "请返回上一页，按提示改好再提交。"),
    429: ("操作太频繁了", "请过一会儿再试。"),
    503: ("系统正在恢复", "一般几秒钟就好，请稍后刷新。已经提交的内容都还在。"),
}
OURS = ("系统出了点问题", "不是您的操作有误。请稍后再试；已经保存的内容都还在。")

# What the database refuses by itself, in words (server/migrations).
REFUSALS = {
    "EB001": (409, "已超7个工作日，禁止更改"),
    "EB002": (409, "还没有开始，不能记为已开展"),
    "EB003": (409, "结束时间已过，不能再往后改"),
    "EB006": (422, "日期超出了日历的范围（2019—2040年）"),
    "EB030": (429, "一小时内查看号码的次数已到上限，请过一会儿再看"),
    "EB031": (503, "系统正在更换密钥，请过一会儿再试"),
    "EB005": (409, "锁定的日志只能由基层党委按支部的更改说明更改"),
    "EB011": (409, "这个账号或身份不归您管辖，只能由其所在组织部门的安全员办理"),
    "EB012": (409, "这是本部门最后一位在用的安全员：先开通接任的安全员并等其激活，再来办理"),
    "EB013": (409, "这件事已经办结，不能再改"),
    "EB014": (422, "这个党组织没有这种身份"),
    "EB041": (409, "这个村还没有党支部，先建好党支部再开通"),
    "EB042": (409, "发布了的公开目录不能改，请起草新的一版"),
    "EB043": (409, "交出去的内容不能改；要改请先撤回，公开了的请用“更正”"),
    "EB044": (409, "还没有签字，或者内容签字后又改过了"),
    "EB045": (409, "还没有镇街审核通过"),
    "EB046": (403, "不能审核自己写的内容，请由镇里另一位同志审核"),
    "EB047": (409, "账目的合计和逐笔的金额对不上，请刷新后再提交"),
    "EB048": (409, "上月结余接不上：上个月的账还没有公开，或本月的上月结余不等于上个月的本月结余"),
    "EB049": (409, "后面的月份已经按原来的结余公开，这个月的结余不能变"),
    "EB050": (409, "答复过的不能改，也不能再次答复"),
    "EB051": (403, "两个签字要由两位同志签；自己填写的，村务监督委员会由另一位同志签"),
    "23P01": (409, "管理员、安全员、审计员须由三个人分别担任，同一人不能兼任"),
}

CROSSED = ("40P01", "40001")  # two changes in each other's way: the database undid this one, and it can be made again


async def put_headers(message: Message, _: Scope) -> None:
    """Puts HEADERS on every answer, also on those that no middleware sees: an unknown address, a wrong method."""
    if message["type"] == "http.response.start":
        headers = list(message["headers"])
        there = {name.lower() for name, _ in headers}
        message["headers"] = [
            *headers, *(header for header in (*RAW_HEADERS, NOT_KEPT) if header[0] not in there)]


async def count_for_refusal(fault: Exception, scope: Scope) -> None:
    """Counts what the tabs of a refusal's page show; a page about our own trouble asks the database nothing."""
    viewer = scope.get("user")
    if viewer is not None and isinstance(fault, HTTPException) and fault.status_code < 500:
        try:
            scope["state"]["badges"] = {href: await count(viewer) for href, count in BADGES.items()}
        except Exception as trouble:
            log.warning("a refusal's page has no counts: %s", trouble)


def refusal_page(
    request: Request, status: int, reason: str | None = None, *, advice: str | None = None, number: str | None = None,
) -> Response[Any]:
    """The page that says what is wrong and what to do. number: what the log calls a fault of ours."""
    back = came_from(request) or None
    title, usual_advice = WORDS.get(status, OURS)
    if status == 409 and reason:
        title, reason = reason, None
    return answer(request, "error.html", status=status, title=title, advice=advice or usual_advice, reason=reason,
                  number=number, back=None if back == request.url.path else back)


def chinese(detail: str) -> str | None:
    """An exception's own words when they are ours; the framework's English is not for the screen."""
    return detail if any("\u4e00" <= character <= "\u9fff" for character in detail) else None


def http_refusal(request: Request, fault: HTTPException) -> Response[Any]:
    """401 to a page leads to signing in and back, a wanted code to where it is entered; everything else says what is
    wrong and what to do."""
    if isinstance(fault, CodeWanted):
        return see_other(f"/step-up?next={quote(fault.onwards)}")
    if isinstance(fault, SignInFirst) and fault.parked:
        return go_on_later(request, f"/sign-in?next=/parked/{fault.parked}")
    asks_for_page = request.method in READS and not is_swap(request)
    if isinstance(fault, NotAuthorizedException) and asks_for_page:
        query = f"?{request.url.query}" if request.url.query else ""
        return see_other(f"/sign-in?next={quote(request.url.path + query)}")
    return refusal_page(request, fault.status_code, chinese(fault.detail), advice=getattr(fault, "advice", None))


def go_on_later(request: Request, onwards: str) -> Response[Any]:
    """The 401 to a form that was kept: where to sign in and go on with it, also for a script that swaps nothing."""
    refusal = answer(request, "error.html", status=401, title="登录后接着办", number=None, reason=None, onwards=onwards,
                     advice="登录已经过期。刚才填的内容替您留着，1 小时内登录同一个账号，点“继续提交”就行，不用重填。")
    refusal.headers["X-Onwards"] = onwards
    return refusal


def database_refusal(request: Request, fault: PostgresError) -> Response[Any]:
    """What a trigger refuses is a 409 in words; an unreachable server a 503; anything else our fault."""
    if fault.sqlstate in REFUSALS:
        status, reason = REFUSALS[fault.sqlstate]
        return refusal_page(request, status, reason)
    if fault.sqlstate in CROSSED:
        log.warning("undone for another change at the same time: %s", type(fault).__name__)
        return refusal_page(request, 409, "刚才有人在办同一件事，这次没有保存", advice="请再试一次。")
    if isinstance(fault, PostgresConnectionError) or (fault.sqlstate or "").startswith(("08", "53", "57")):
        return unreachable(request, fault)
    return our_fault(request, fault)


def unreachable(request: Request, fault: Exception) -> Response[Any]:
    """The database can't be reached just now: nothing was changed."""
    log.error("database unreachable: %s", fault)
    return refusal_page(request, 503)


def our_fault(request: Request, fault: Exception) -> Response[Any]:
    """A mistake of ours: a page with a number that stands in the log."""
    number = request_id()
    log.error("fault %s", number, exc_info=fault)
    return refusal_page(request, 500, number=number)


def key_is_missing(request: Request, fault: MissingKey) -> Response[Any]:
    """A value stands under a key that this process does not see: while keys are being changed, it soon will."""
    log.error("%s", fault.args[0])
    status, reason = REFUSALS["EB031"]
    return refusal_page(request, status, reason)


EXCEPTION_HANDLERS: dict[Any, Any] = {
    MissingKey: key_is_missing,
    HTTPException: http_refusal,
    PostgresError: database_refusal,
    InterfaceError: unreachable,
    InternalClientError: unreachable,  # what asyncpg says of a server that ends while it is asked
    ConnectionError: unreachable,
    TimeoutError: unreachable,
    Exception: our_fault,
}
