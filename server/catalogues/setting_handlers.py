"""Addresses of what a county settles: which categories are signed before submission, how long an answer may take."""
from typing import Any

from litestar import Request, Response, get, post

from server.catalogues.rules import Category
from server.core import forms
from server.core.forms import Filled
from server.core.page import page, see_other
from server.permissions import Can
from server.villages.actions import settle
from server.villages.tables import county_of, settings_of

DAYS_MOST = 15  # working days


def some(name: str, label: str) -> forms.Field:
    """Some categories, be it none."""
    def read(typed: list[str]) -> list[str]:
        if not set(typed) <= set(Category):
            raise ValueError(f"请选择{label}")
        return [str(one) for one in Category if one in typed]
    return forms.Field(name, label, read, many=True)


def days(name: str, label: str) -> forms.Field:
    """A number of working days, from 1 to DAYS_MOST."""
    def read(typed: list[str]) -> int:
        text = typed[0].strip() if typed else ""
        if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= DAYS_MOST):
            raise ValueError(f"{label}要在 1 到 {DAYS_MOST} 个工作日之间")
        return int(text)
    return forms.Field(name, label, read)


SETTINGS = (some("signed", "要签字的类别"), days("answer_days", "答复期限"), forms.number("version", "版本"))


@get("/county-settings", can=Can.CATALOGUE_KEEP)
async def show(request: Request) -> Response[Any]:
    its = await settings_of(county_of(request.user.unit_code))
    return await settings_page(request, Filled(typed=its | {"answer_days": str(its["answer_days"])}))


async def settings_page(request: Request, filled: Filled) -> Response[Any]:
    return await page(request, "catalogues/settings.html", status=filled.status, errors=filled.errors,
                      form=filled.typed | {"signed": filled.several("signed")}, categories=forms.options(Category),
                      back=f"/catalogues/{request.user.unit_code}")


@post("/county-settings", can=Can.CATALOGUE_KEEP, status_code=200)
async def keep(request: Request) -> Response[Any]:
    filled = await forms.fill(request, SETTINGS)
    if filled.errors:
        return await settings_page(request, filled)
    await settle(request.user, filled["signed"], filled["answer_days"], filled["version"])
    return see_other(f"/catalogues/{request.user.unit_code}")


ROUTES = [show, keep]
