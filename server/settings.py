"""The environment, read once into one frozen object. Every setting has a default that works on one machine."""
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from server import sms_settings

ROOT = Path(__file__).resolve().parent.parent  # the clone
WAIT_FOR_SERVERS_S = 30.0  # how long an own server may take to answer
OFFICER_IDLE_MIN, OFFICER_SESSION_H = 15, 12
PASSWORD_MOST = 18  # G2.1


class BadSetting(SystemExit):
    """A setting that makes no sense; its message is the one line the console shows."""


@dataclass(frozen=True)
class S3:
    """An S3-compatible store for files."""

    bucket: str
    endpoint: str
    region: str
    key_id: str
    secret: str = field(repr=False)
    prefix: str
    virtual_host: bool  # whether the bucket stands in the host name, as some stores want it


@dataclass(frozen=True)
class Settings:
    database_url: str  # as ebranch_app: what the application runs with
    database_owner_url: str  # as ebranch_owner: what migrates
    redis_url: str
    host: str
    port: int
    origin: str  # makes links and QR codes; never the Host header
    data: Path  # absolute
    sockets: Path  # the embedded servers' sockets: short, because a socket path may have 107 bytes
    demo: bool
    zone: str  # "internet" or "intranet" (M1§15, M5§17)
    now: str | None  # ISO moment the demonstration's clock starts from
    embedded_database: bool
    embedded_redis: bool
    wait_s: float
    sms: sms_settings.SmsSettings
    s3: S3 | None  # None: files lie in the data folder
    officer_idle_min: int  # after which a department's or committee's session ends unused
    officer_session_h: int  # how long one lives at most
    picture_code: str  # at sign-in: "after-failure" or "always"
    password_most: int  # characters (G2.1: 18)
    proxies: int  # that stand in front and say in X-Forwarded-For whom they speak for


def socket_folder(data: Path) -> Path:
    """The short folder that holds the sockets of the servers whose data lie in `data`."""
    temporary = Path("/tmp") if os.access("/tmp", os.W_OK) else Path(tempfile.gettempdir())
    return temporary / f"ebranch-{sha256(bytes(data)).hexdigest()[:12]}"


def read_s3(environ: Mapping[str, str]) -> S3 | None:
    """The store that EBRANCH_FILES_S3_… names, or None; BadSetting when only half of it is named."""
    given = {name: environ.get(f"EBRANCH_FILES_S3_{name}") or "" for name in (
        "BUCKET", "ENDPOINT", "REGION", "KEY_ID", "SECRET", "PREFIX", "STYLE")}
    if not given["BUCKET"]:
        return None
    missing = [f"EBRANCH_FILES_S3_{name}" for name in ("ENDPOINT", "KEY_ID", "SECRET") if not given[name]]
    if missing:
        raise BadSetting(f"EBRANCH_FILES_S3_BUCKET is set, {', '.join(missing)} not.")
    if not given["ENDPOINT"].startswith(("http://", "https://")) or given["STYLE"] not in ("", "path", "host"):
        raise BadSetting("EBRANCH_FILES_S3_ENDPOINT must begin with https://, EBRANCH_FILES_S3_STYLE be path or host.")
    return S3(given["BUCKET"], given["ENDPOINT"].rstrip("/"), given["REGION"] or "us-east-1", given["KEY_ID"],
              given["SECRET"], given["PREFIX"].strip("/"), given["STYLE"] == "host")


def number(environ: Mapping[str, str], name: str, usual: int, least: int, most: int) -> int:
    """A setting that is a whole number; BadSetting when it is none, or too small or large."""
    value = environ.get(name) or str(usual)
    if not (value.isascii() and value.isdecimal() and len(value) < 9 and least <= int(value) <= most):
        raise BadSetting(f"{name} must be a number from {least} to {most}, not {value!r}.")
    return int(value)


def choice(environ: Mapping[str, str], name: str, among: tuple[str, ...]) -> str:
    """A setting that is one of a few words, the first if it is not set; BadSetting when it is another."""
    value = environ.get(name) or among[0]
    if value not in among:
        raise BadSetting(f"{name} must be {' or '.join(among)}, not {value!r}.")
    return value


def read(environ: Mapping[str, str]) -> Settings:
    """Settings from environment variables; BadSetting, with one line, for one that makes no sense."""
    data = (ROOT / environ.get("EBRANCH_DATA", ".data")).resolve()
    sockets = socket_folder(data)
    embedded_database = not environ.get("DATABASE_URL")
    host, port = environ.get("EBRANCH_HOST") or "127.0.0.1", environ.get("PORT") or "8000"
    zone = environ.get("EBRANCH_ZONE") or "internet"
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise BadSetting(f"PORT must be a number from 1 to 65535, not {port!r}.")
    if zone not in ("internet", "intranet"):
        raise BadSetting(f"EBRANCH_ZONE must be internet or intranet, not {zone!r}.")
    try:
        now = environ.get("EBRANCH_NOW") or None
        if not 2020 <= datetime.fromisoformat(now or "2026-01-01").year <= 2039:  # what the calendar reaches
            raise ValueError
    except ValueError:
        raise BadSetting(
            f"EBRANCH_NOW must be a moment like 2026-11-22T19:30, from 2020 to 2039, not {now!r}.") from None
    try:
        wait_s = float(environ.get("EBRANCH_WAIT_S") or WAIT_FOR_SERVERS_S)
        cache = urlsplit(environ.get("REDIS_URL") or "unix:")
        if cache.scheme not in ("redis", "rediss", "unix") or cache.port == 0:
            raise ValueError("no Redis address")
    except ValueError as problem:
        raise BadSetting(f"EBRANCH_WAIT_S must be seconds, REDIS_URL like redis://cache:6379/0: {problem}.") from None
    if embedded_database and environ.get("DATABASE_OWNER_URL"):
        raise BadSetting("DATABASE_OWNER_URL is set without DATABASE_URL: set both, or neither.")
    demo = (environ.get("EBRANCH_DEMO") or ("1" if embedded_database else "0")) == "1"
    try:
        sms = sms_settings.read(environ, demo=demo)
    except sms_settings.BadSmsSetting as problem:
        raise BadSetting(str(problem)) from None
    return Settings(
        database_url=environ.get("DATABASE_URL") or f"postgresql://ebranch_app@/ebranch?host={sockets}",
        database_owner_url=environ.get("DATABASE_OWNER_URL") or environ.get("DATABASE_URL")
        or f"postgresql://ebranch_owner@/ebranch?host={sockets}",
        redis_url=environ.get("REDIS_URL") or f"unix://{sockets}/redis.sock",
        host=host,
        port=int(port),
        origin=(environ.get("EBRANCH_ORIGIN") or f"http://localhost:{port}").rstrip("/"),
        data=data,
        sockets=sockets,
        demo=demo,
        zone=zone,
        now=now,
        embedded_database=embedded_database,
        embedded_redis=not environ.get("REDIS_URL"),
        wait_s=wait_s,
        sms=sms,
        s3=read_s3(environ),
        officer_idle_min=number(environ, "EBRANCH_OFFICER_IDLE_MIN", OFFICER_IDLE_MIN, 1, 24 * 60),
        proxies=number(environ, "EBRANCH_PROXIES", 0, 0, 9),
        picture_code=choice(environ, "EBRANCH_PICTURE_CODE", ("after-failure", "always")),
        password_most=number(environ, "EBRANCH_PASSWORD_MOST", PASSWORD_MOST, PASSWORD_MOST, 64),
        officer_session_h=number(environ, "EBRANCH_OFFICER_SESSION_H", OFFICER_SESSION_H, 1, 24 * 30),
    )


settings = read(os.environ)
