"""A form in progress is never lost: one that comes when its session is over, or before a code was entered, is kept for
an hour for its own account, encrypted, and handed back once that account has signed in or confirmed itself."""
import json
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from asyncpg import Record
from litestar import Request
from litestar.datastructures import UploadFile
from litestar.exceptions import HTTPException, NotFoundException

from server.core import crypto, forms
from server.core.clock import now
from server.core.database import next_id, row, rows, transaction
from server.core.origin import came_from
from server.core.tokens import token_hash

KEPT_FOR = timedelta(hours=1)
MOST = 10  # forms kept for one account; the newest stay
MOST_BYTES = 300_000  # of one form's fields
NEVER_KEPT = re.compile(r"password|code|token|picture|secret")  # names of what has to be typed anew
TAKEN_UP = "parked"  # the query's name in the address a parked form goes on to
DRAFT = "x-draft"  # the header of what a page saves by itself

crypto.ENCRYPTED.append(crypto.Column("parked_form", "fields"))


@dataclass(frozen=True)
class Owner:
    """Whose form it is: the account, and the role that was active."""

    account_id: int
    grant_id: int


@dataclass(frozen=True)
class Parked:
    """A form as it was kept. page: where it was filled in; fields: name, value and label; files: the names that had
    files."""

    path: str
    page: str
    grant_id: int
    parked_at: datetime
    used: bool
    fields: list[tuple[str, str, str]]
    files: list[str]


async def park(request: Request, owner: Owner) -> str | None:
    """Keeps the request's form for its owner; the token it is found by, or None where there is nothing to keep: no
    form, one too large, or one whose address declares `parks=False`."""
    if not request.route_handler.opt.get("parks", True) or DRAFT in request.headers:
        return None
    form, path, page = await typed(request), request.url.path, came_from(request)
    if form is None or len(form) > MOST_BYTES or not path.isprintable():
        return None
    return await keep(owner, path, page if page.isprintable() else "", form)


async def keep(owner: Owner, path: str, page: str, form: bytes) -> str:
    """Keeps a form (see `spelled`) that was filled in at `page` and is to go on to `path`; the token it is found by."""
    token, moment = secrets.token_urlsafe(32), now()
    async with transaction():
        await rows("SELECT pg_advisory_xact_lock(hashtext('parked'), hashint8($1))", owner.account_id)
        await rows("""DELETE FROM parked_form WHERE id IN (
                          SELECT id FROM parked_form WHERE account_id = $1 ORDER BY id DESC OFFSET $2)""",
                   owner.account_id, MOST - 1)
        kept = await next_id("parked_form")
        await rows("""INSERT INTO parked_form (id, token_hash, account_id, grant_id, path, page, fields, expires_at)
                      OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
                   kept, token_hash(token), owner.account_id, owner.grant_id, path, page,
                   crypto.encrypt(form.decode(), table="parked_form", column="fields", row_id=kept), moment + KEPT_FOR)
    return token


def spelled(fields: list[tuple[str, str, str]], files: list[str]) -> bytes:
    """A form as it is kept. UnicodeEncodeError for what is no text."""
    return json.dumps({"fields": fields, "files": files}, ensure_ascii=False).encode()


async def typed(request: Request) -> bytes | None:
    """What was typed, without passwords and codes, spelled to be kept; None when the body is no form: it would have
    been refused anyway."""
    try:
        sent = list((await request.form()).items())
    except Exception:  # the decoders raise whatever they stumble over
        return None
    labels = forms.labels_in(request.route_handler.fn.__module__)
    fields = [(name, value, labels.get(name, "")) for name, value in sent
              if isinstance(value, str) and not NEVER_KEPT.search(name)]
    files = list(dict.fromkeys(name for name, value in sent if isinstance(value, UploadFile) and value.filename))
    try:
        return spelled(fields, files)
    except UnicodeEncodeError:  # half a character: no form takes it
        return None


async def parked_under(token: str, account_id: int) -> Parked:
    """The form that was kept under a token; NotFoundException for another account's, an unknown and an old one."""
    found = await _find(token, account_id)
    if found is None:
        raise NotFoundException
    kept: dict[str, Any] = json.loads(crypto.decrypt(
        found["fields"], table="parked_form", column="fields", row_id=found["id"]))
    return Parked(found["path"], found["page"], found["grant_id"], found["parked_at"], found["used_at"] is not None,
                  [(name, value, label) for name, value, label in kept["fields"]], kept["files"])


async def _find(token: str, account_id: int) -> Record | None:
    return await row("SELECT * FROM parked_form WHERE token_hash = $1 AND account_id = $2 AND expires_at > $3",
                     token_hash(token), account_id, now())


async def take_up(token: str, account_id: int) -> None:
    """Notes that a parked form is being sent on; once. 409 the second time, 404 where there is none of one's own."""
    taken = await row("""
        UPDATE parked_form SET used_at = $3
        WHERE token_hash = $1 AND account_id = $2 AND expires_at > $3 AND used_at IS NULL RETURNING id""",
                      token_hash(token), account_id, now())
    if taken is None and await _find(token, account_id) is None:
        raise NotFoundException
    if taken is None:
        raise HTTPException("这份内容已经提交过了", status_code=409)


async def sweep_parked() -> None:
    """Forgets what was kept longer than an hour ago."""
    await rows("DELETE FROM parked_form WHERE expires_at <= $1", now())
