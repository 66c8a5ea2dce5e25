"""Addresses of an application as the village verifies it: opened, or refused with a reason."""
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from server.core import forms
from server.core.clock import now
from server.core.dates import moment
from server.core.forms import Filled, Refused
from server.core.page import page, see_other
from server.core.sight import find
from server.people import fields
from server.people.rules import masked_id_number, masked_phone
from server.permissions import Can
from server.query_accounts import applications
from server.query_accounts.fields import STANDING
from server.query_accounts.kept import kept_village, list_of
from server.query_accounts.rules import WHY_MAX, Standing
from server.query_accounts.tables import ReaderApplication, content_of, id_number_of
from server.villages.tables import village

OPEN_APPLIED = (STANDING,)
REFUSE = (fields.reason("why", "原因", most=WHY_MAX),)


@get("/query-accounts/applications/{application_id:int}", can=Can.READER_KEEP)
async def application(request: Request, application_id: FromPath[int]) -> Response[Any]:
    return await application_page(request, await find(ReaderApplication, request.user, application_id), Filled())


async def application_page(request: Request, one: dict[str, Any], filled: Filled) -> Response[Any]:
    content, its = content_of("reader_application", one), await village(one["village_code"])
    facts = [["姓名", content["name"]], ["身份证号", masked_id_number(id_number_of(one))],
             ["手机号码", masked_phone(content["phone"])],
             ["账号", "一户一个" if one["household"] else "个人"], ["申请", moment(one["at"], now())]]
    facts += [["家庭成员", "、".join(f"{name}（{relation}）" for name, relation in content["household"] or [])]
              ] if content["household"] else []
    if one["answer_at"]:
        answered = f"{one['answer_who']} {moment(one['answer_at'], now())}"
        facts.append(["结果", f"{one['state']} {one['answer']} · {answered}"])
    opened = its is not None and its["state"] == "已开通"
    return await page(
        request, "query_accounts/application.html", status=filled.status, errors=filled.errors, facts=facts,
        form={"standing": str(Standing.VILLAGER)} | filled.typed,
        application={name: one[name] for name in ("id", "state", "others")},
        standings=forms.options(Standing), opened=opened, waits=one["state"] == "待核实",
        back=list_of(request.user, one["village_code"]))


@post("/query-accounts/applications/{application_id:int}/opening", can=Can.READER_KEEP, status_code=200)
async def open_applied(request: Request, application_id: FromPath[int]) -> Response[Any]:
    one = await find(ReaderApplication, request.user, application_id)
    its = await kept_village(request.user, one["village_code"])
    filled = await forms.fill(request, OPEN_APPLIED)
    if not filled.errors:
        try:
            opened = await applications.open_applied(request.user, one, its, filled["standing"])
            return see_other(f"/query-accounts/{opened.reader_id}")
        except Refused as refused:
            filled.errors["form"] = str(refused)
    return await application_page(request, one, filled)


@post("/query-accounts/applications/{application_id:int}/refusal", can=Can.READER_KEEP, status_code=200)
async def refuse(request: Request, application_id: FromPath[int]) -> Response[Any]:
    one = await find(ReaderApplication, request.user, application_id)
    filled = await forms.fill(request, REFUSE)
    if filled.errors:
        return await application_page(request, one, filled)
    await applications.refuse(request.user, one, await village(one["village_code"]), filled["why"])
    return see_other(f"/query-accounts/applications/{application_id}")


ROUTES = [application, open_applied, refuse]
