"""A form → typed values, or a message per field. Nothing that was typed is lost either way.

A form is a tuple of fields; a field knows its name, its label and how to read what was typed. What is sent besides
its fields is refused, so every form declares all of them: there is no other way to what a request sent."""
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, cast

from litestar import Request
from litestar.datastructures import FormMultiDict, UploadFile
from litestar.exceptions import ClientException, HTTPException

from server.core import bodies
from server.core.clock import BEIJING

LONG_TEXT = 20_000  # characters of minutes: two hours of talk, written out
FIRST_YEAR, LAST_YEAR = 2019, 2039  # what the calendar of working days reaches, with room for a deadline after it
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffd]")
TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")  # makes what follows read from the other side

TOLD = 40  # characters of a name that no form has, on the page that refuses it

UNKNOWN = "收到了这张表里没有的内容，没有保存。请刷新页面，重新填写"
FORM_READ = "ebranch.form"  # where a request keeps the form that was read: a body comes once
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
WALL_TIME = re.compile(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)$")

Read = Callable[[list[Any]], Any]
HIDDEN: set[str] = set()  # the names of texts that no person types: tokens, marks
LABELS: dict[str, str] = {}  # the labels of what people fill in, by the field's name; what no person sees has none


@dataclass(frozen=True)
class Field:
    """name: as in the form; label: the Chinese word beside it; read: typed strings (or files) → value,
    ValueError(Chinese); many: whether several may be chosen, so that all of them are what was typed; file: whether it
    is handed in rather than typed; seen: whether people read its values."""

    name: str
    label: str
    read: Read
    many: bool = False
    file: bool = False
    seen: bool = True

    def __post_init__(self) -> None:
        if self.seen:
            LABELS[self.name] = self.label


class Refused(Exception):
    """Why what a form asks for is not done; field: beside which the words belong."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


@dataclass
class Filled:
    """A form as it came: `values` by name where they could be read, `errors` by name where not, and what was typed."""

    values: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    typed: dict[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """422 when something has to be typed again."""
        return 422 if self.errors else 200

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def several(self, name: str) -> list[Any]:
        """What was typed where several may be chosen, be it none or one."""
        typed = self.typed.get(name) or []
        return typed if isinstance(typed, list) else [typed]


async def fill(request: Request, fields: Iterable[Field]) -> Filled:
    """Reads the request's form by `fields`. A body that is no form at all is a 400, never a 500; one with a field
    that is none of `fields` a 422."""
    return read(await _received(request), fields)


async def pressed(request: Request, fields: Iterable[Field]) -> Filled:
    """As `fill`, for a button's form, which nobody types: 422 at once, for no message can stand beside a field."""
    filled = await fill(request, fields)
    if filled.errors:
        raise ClientException("；".join(filled.errors.values()), status_code=422)
    return filled


async def nothing(request: Request) -> None:
    """For a button that says all by itself: 422 when anything is sent with it."""
    await pressed(request, ())


async def names(request: Request) -> set[str]:
    """The names of what was sent: which form it is, where an address takes several."""
    return set(await _received(request))


async def _received(request: Request) -> FormMultiDict:
    """The form as sent; 400 for a broken multipart body, an unknown charset, bytes that are no text, or no form."""
    scope = cast("dict[str, Any]", request.scope)
    if FORM_READ in scope:
        return scope[FORM_READ]
    try:
        form = await bodies.read(request)
    except HTTPException:
        raise
    except Exception as fault:  # the multipart and charset decoders raise whatever they stumble over
        raise ClientException("表单没有完整收到，请重新提交") from fault
    if request.content_type[0] not in FORMS and await request.body():
        raise ClientException("表单没有完整收到，请重新提交")
    scope[FORM_READ] = form
    return form


def read(form: FormMultiDict, fields: Iterable[Field]) -> Filled:
    """`form` by `fields`; every wrong field has its own message. ClientException (422) for a field that is none."""
    filled, known = Filled(), {one.name: one for one in fields}
    strange = sorted(set(form) - set(known))
    if strange:
        raise ClientException(f"{UNKNOWN}（{shown(strange[0])}）", status_code=422)
    for one in known.values():
        sent = form.getall(one.name, [])
        files = [value for value in sent if isinstance(value, UploadFile)]
        typed = [value for value in sent if isinstance(value, str)]
        filled.typed[one.name] = typed if one.many else next(iter(typed), "")
        try:
            filled.values[one.name] = one.read(handed_in(one, files, typed) if one.file else written(one, files, typed))
        except ValueError as fault:
            filled.errors[one.name] = str(fault)
    return filled


def written(one: Field, files: list[UploadFile], typed: list[str]) -> list[str]:
    """What was typed into a field, if it is what somebody can have typed."""
    if files:
        raise ValueError(f"{one.label}应是文字，不是文件")
    if any(CONTROL.search(value) for value in typed):
        raise ValueError(f"{one.label}里有不能保存的字符，请删去后再提交")
    if len(typed) > 1 and not one.many:
        raise ValueError(f"{one.label}只能填一项，请重新填写")
    return typed


def handed_in(one: Field, files: list[UploadFile], typed: list[str]) -> list[UploadFile]:
    """The files given to a field; none when nothing was chosen, which browsers send as an empty word."""
    if any(typed):
        raise ValueError(f"{one.label}应是文件，请重新选择")
    if len(files) > 1 and not one.many:
        raise ValueError(f"{one.label}只能选一个文件")
    return files


def shown(name: str) -> str:
    """The name of a field as it may stand on a page."""
    return "".join(character for character in name if character.isprintable())[:TOLD]


def text(name: str, label: str, *, most: int, required: bool = True, seen: bool = True) -> Field:
    """Plain text of at most `most` characters, trimmed; line ends become \\n. seen: False where no person types it."""
    def read_text(typed: list[str]) -> str:
        value = TURNING.sub("", typed[0]).replace("\r\n", "\n").strip() if typed else ""
        if required and not value:
            raise ValueError(f"请填写{label}")
        if len(value) > most:
            raise ValueError(f"{label}最多 {most} 个字，现在有 {len(value)} 个")
        return value
    if not seen:
        HIDDEN.add(name)
    return Field(name, label, read_text, seen=seen)


def moment(name: str, label: str) -> Field:
    """A Beijing wall-clock moment as <input type=datetime-local> sends it."""
    def read_moment(typed: list[str]) -> datetime:
        if not typed or not typed[0].strip():
            raise ValueError(f"请填写{label}")
        try:
            value = datetime.fromisoformat(typed[0].strip())
        except ValueError:
            raise ValueError(f"{label}要写成 2026-11-22 19:30 这样") from None
        if value.tzinfo is None:
            value = value.replace(tzinfo=BEIJING)
        near = FIRST_YEAR - 1 <= value.year <= LAST_YEAR + 1  # asked first: at the ends of time no zone can be changed
        if not (near and FIRST_YEAR <= value.astimezone(BEIJING).year <= LAST_YEAR):
            raise ValueError(f"{label}的年份不对，要在 {FIRST_YEAR} 到 {LAST_YEAR} 年之间")
        return value
    return Field(name, label, read_moment)


def day(name: str, label: str, *, required: bool = True) -> Field:
    """A legal day as <input type=date> sends it; None where none was chosen and none is required."""
    def read_day(typed: list[str]) -> date | None:
        if not typed or not typed[0].strip():
            if not required:
                return None
            raise ValueError(f"请填写{label}")
        try:
            value = date.fromisoformat(typed[0].strip())
        except ValueError:
            raise ValueError(f"{label}要写成 2026-11-22 这样") from None
        if not FIRST_YEAR <= value.year <= LAST_YEAR:
            raise ValueError(f"{label}的年份不对，要在 {FIRST_YEAR} 到 {LAST_YEAR} 年之间")
        return value
    return Field(name, label, read_day)


def wall_time(moment: datetime) -> str:
    """A moment as <input type=datetime-local> takes it."""
    return f"{moment.astimezone(BEIJING):%Y-%m-%dT%H:%M}"


def options(of: type[StrEnum]) -> list[dict[str, str]]:
    """The values of `of`, to choose from."""
    return [{"value": str(one), "label": str(one)} for one in of]


def choice(name: str, label: str, of: type[StrEnum], *, required: bool = True) -> Field:
    """One of the values of `of`; None where it may stay open."""
    def read_choice(typed: list[str]) -> StrEnum | None:
        if not required and typed in ([], [""]):
            return None
        try:
            return of(typed[0])
        except (IndexError, ValueError):
            raise ValueError(f"请选择{label}") from None
    return Field(name, label, read_choice)


def choices(name: str, label: str, of: type[StrEnum]) -> Field:
    """One or more of the values of `of`, each once, in their own order."""
    def read_choices(typed: list[str]) -> list[StrEnum]:
        try:
            chosen = {of(value) for value in typed}
        except ValueError:
            chosen = set()
        if not chosen:
            raise ValueError(f"请选择{label}（可选多项）")
        return [one for one in of if one in chosen]
    return Field(name, label, read_choices, many=True)


def numbers(name: str, label: str, *, required: bool = True) -> Field:
    """Ids, each once, in the order they came."""
    def read_numbers(typed: list[str]) -> list[int]:
        if not all(value.isascii() and value.isdecimal() and len(value) <= 18 for value in typed):
            raise ValueError(f"{label}的选择不对，请重新选择")
        if required and not typed:
            raise ValueError(f"请选择{label}")
        return list(dict.fromkeys(int(value) for value in typed))
    return Field(name, label, read_numbers, many=True, seen=False)


def number(name: str, label: str, *, most: int = 2**31 - 1, required: bool = True) -> Field:
    """One whole number, such as the version a page was opened at; None where none need be. most: what its column
    holds."""
    def read_number(typed: list[str]) -> int | None:
        digits = typed[0] if typed else ""
        if not digits and not required:
            return None
        if not (digits.isascii() and digits.isdecimal() and len(digits) < 20 and int(digits) <= most):
            raise ValueError(f"{label}不对，请刷新后再试")
        return int(digits)
    return Field(name, label, read_number, seen=False)


def flag(name: str, label: str) -> Field:
    """A button's or tick's "1"; False when it is not there."""
    def read_flag(typed: list[str]) -> bool:
        if typed not in ([], [""], ["0"], ["1"]):
            raise ValueError(f"{label}不对，请刷新后再试")
        return typed == ["1"]
    return Field(name, label, read_flag, seen=False)


def files(name: str, label: str) -> Field:
    """Files handed in under one name, be it none."""
    return Field(name, label, list, many=True, file=True, seen=False)


def labels_in(module: str) -> dict[str, str]:
    """The labels of the fields on a module's forms, by the field's name; those of others where it has none itself."""
    there = [one for value in vars(sys.modules[module]).values()
             for one in (value if isinstance(value, tuple) else (value,))]
    return LABELS | {one.name: one.label for one in there if isinstance(one, Field) and one.seen}


def in_words(typed: Iterable[tuple[str, str]]) -> tuple[list[tuple[str, str]], int]:
    """What somebody typed, (label, value) by label in the order it was typed, and how much more there is that has no
    label."""
    told: dict[str, list[str]] = {}
    untold = 0
    for label, value in typed:
        if label and value.strip():
            told.setdefault(label, []).append(WALL_TIME.sub(r"\1 \2", value))
        else:
            untold += bool(value.strip())
    return [(label, "、".join(values)) for label, values in told.items()], untold
