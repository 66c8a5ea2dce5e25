"""How SMS leave: the part of the environment that says so, read once (see server/settings.py)."""
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path

WAYS = ("outbox", "tencent", "off")
ENDPOINT = "https://sms.tencentcloudapi.com"
REGION = "ap-guangzhou"
PRICE = "0.05"  # yuan for each message of up to 70 characters that is billed


class BadSmsSetting(ValueError):
    """A setting that makes no sense, in one line; never with a secret in it."""


@dataclass(frozen=True)
class SmsSettings:
    """way: outbox (demonstration: nothing leaves), tencent, or off: messages wait. The rest is for tencent."""

    way: str
    price_li: int  # 厘 for each billed message: a thousandth of a yuan
    secret_id: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    application: str = ""  # SmsSdkAppId
    sign_name: str = ""  # 短信签名
    templates: Mapping[str, str] = field(default_factory=dict)  # kind of message → TemplateId
    endpoint: str = ENDPOINT
    region: str = REGION


def read(environ: Mapping[str, str], *, demo: bool) -> SmsSettings:
    """The settings named EBRANCH_SMS…; BadSmsSetting for one that makes no sense."""
    way = environ.get("EBRANCH_SMS") or ("outbox" if demo else "off")
    if way not in WAYS or (way == "outbox" and not demo):
        raise BadSmsSetting("EBRANCH_SMS must be tencent or off, or in the demonstration outbox.")
    price_li = read_price(environ.get("EBRANCH_SMS_PRICE") or PRICE)
    if way != "tencent":
        return SmsSettings(way, price_li)
    found = SmsSettings(
        way, price_li, secret(environ, "EBRANCH_SMS_SECRET_ID"), secret(environ, "EBRANCH_SMS_SECRET_KEY"),
        environ.get("EBRANCH_SMS_APP", ""), environ.get("EBRANCH_SMS_SIGN", ""),
        read_templates(environ.get("EBRANCH_SMS_TEMPLATES", "")),
        environ.get("EBRANCH_SMS_ENDPOINT") or ENDPOINT, environ.get("EBRANCH_SMS_REGION") or REGION)
    if not (found.secret_id and found.secret_key and found.application and found.sign_name and found.templates):
        raise BadSmsSetting("EBRANCH_SMS=tencent needs EBRANCH_SMS_SECRET_ID, _SECRET_KEY, _APP, _SIGN and _TEMPLATES.")
    return found


def secret(environ: Mapping[str, str], name: str) -> str:
    """A secret from the variable `name`, or from the file that `name`_FILE names."""
    path = environ.get(f"{name}_FILE")
    if not path:
        return environ.get(name, "")
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise BadSmsSetting(f"{name}_FILE can't be read: {type(fault).__name__}.") from None


def read_price(typed: str) -> int:
    """厘 from yuan: "0.045" → 45."""
    try:
        price = Decimal(typed) * 1000
        if price != price.to_integral_value() or not 0 <= price < 100_000:
            raise InvalidOperation
    except InvalidOperation:
        raise BadSmsSetting("EBRANCH_SMS_PRICE must be yuan for one message, like 0.045.") from None
    return int(price)


def read_templates(typed: str) -> dict[str, str]:
    """{"code": "1001"} from "code=1001,notice=1002"."""
    pairs = [pair.strip() for pair in typed.split(",") if pair.strip()]
    if not all(re.fullmatch(r"[a-z-]+=\w+", pair) for pair in pairs):
        raise BadSmsSetting("EBRANCH_SMS_TEMPLATES must be like code=1001,authorisation=1002,notice=1003.")
    return dict(pair.split("=") for pair in pairs)
