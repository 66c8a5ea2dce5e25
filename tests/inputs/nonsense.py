"""What no sensible browser sends, and what some do: bodies for any form, named by what is wrong with them."""
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_from_bytes

MEGABYTE = "一" * 330_000  # a little under a million bytes of UTF-8, three million when spelled in an address's way
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


@dataclass(frozen=True)
class Nonsense:
    """The arguments of one request, and what is wrong with it."""

    name: str
    request: dict[str, Any]


def spelled(form: dict[str, Any]) -> str:
    """A form as a browser spells it."""
    pairs = [(name, one) for name, value in form.items() for one in (value if isinstance(value, list) else [value])]
    return "&".join(f"{name}={quote(str(value))}" for name, value in pairs)


def part(name: str, value: bytes, *, head: str = "", boundary: bytes = b"b") -> bytes:
    disposition = f'Content-Disposition: form-data; name="{name}"{head}\r\n\r\n'.encode()
    return b"--" + boundary + b"\r\n" + disposition + value + b"\r\n"


def raw(name: str, content: bytes | str, media_type: str | None = URLENCODED) -> Nonsense:
    headers = {"content-type": media_type} if media_type else {}
    return Nonsense(name, {"content": content, "headers": headers})


def of_fields(form: dict[str, Any]) -> Iterator[Nonsense]:
    """A sensible form with one field at a time made nonsense."""
    for name in form:
        rest = spelled({other: value for other, value in form.items() if other != name})
        for what, value in (
            ("a NUL", "a%00b"), ("a lone surrogate", "%ED%A0%80"), ("bytes that are no text", "%FF%FE%C3%28"),
            ("a control character", "%1B%5B2J"), ("nothing", ""), ("blanks", "%20%0A%E3%80%80"),
            ("a huge number", str(2**70)), ("just over a column", str(2**31)), ("a negative number", "-1"),
            ("Arabic digits", quote("٣")), ("a number no float holds", "1e999"), ("not a number", "NaN"),
            ("a rare character and a face", quote("𬶮👨‍👩‍👧🇨🇳")), ("a script", quote("<script>alert(1)</script>")),
            ("a template", quote("{{ 7 * 7 }}{% raw %}")), ("SQL", quote("'; DROP TABLE meeting; --")),
            ("half an escape", "%"), ("a year long gone", "0001-01-01T00:00"), ("a far year", "9999-12-31T23:59"),
            ("another zone", quote("2026-11-22T19:30+14:00")),
        ):
            yield raw(f"{name}: {what}", f"{rest}&{name}={value}")
        yield raw(f"{name}: a megabyte", rest.encode() + f"&{name}={'x' * 1_000_000}".encode())
        yield raw(f"{name}: twice", f"{spelled(form)}&{name}=x&{name}=y")
        yield raw(f"{name}: as a list", f"{rest}&{name}[]=x&{name}[a]=y")
        data = {other: form[other] for other in form if other != name}
        yield Nonsense(f"{name}: a file", {"data": data, "files": {name: ("a.txt", b"text", "text/plain")}})
        odd = part(name, "一".encode("utf-16"))
        odd = odd.replace(b"\r\n\r\n", b"\r\nContent-Type: text/plain; charset=utf-16\r\n\r\n", 1)
        yield raw(f"{name}: a part with another charset", odd + b"--b--\r\n", f"{MULTIPART}; boundary=b")


def of_bodies(form: dict[str, Any]) -> Iterator[Nonsense]:
    """Bodies that are no form, or half of one."""
    body, field = spelled(form), next(iter(form), "x")
    whole = b"".join(part(name, str(value).encode()) for name, value in form.items()) or part("x", b"y")
    yield raw("nothing", b"")
    yield raw("no content type", body, None)
    yield raw("every field a megabyte", "&".join(f"{name}={'x' * 1_000_000}" for name in form or ["x"]))
    yield raw("a megabyte of characters", f"{field}={quote(MEGABYTE)}")
    yield raw("random bytes", bytes(range(256)) * 4)
    yield raw("only separators", "&&&=&=&;")
    yield raw("ten thousand fields", "&".join(f"f{number}=1" for number in range(10_000)))
    for charset in ("nonsense", "utf-16", "utf-7", "gb18030", "rot13", "punycode", "zlib", "\u00ff", ""):
        yield Nonsense(f"charset {charset}", {"content": body, "headers": [
            (b"content-type", f"{URLENCODED}; charset={charset}".encode("latin-1"))]})
    for what in ("application/json", "text/plain", "text/plain; charset=utf-7", "application/msgpack", "nonsense",
                 "a/b/c", "", ";", "multipart/mixed; boundary=b", "image/png"):
        yield raw(f"content type {what!r}", body, what)
    yield raw("JSON", b'{"text": ["\\ud800"]}', "application/json")
    yield raw("broken JSON", b'{"text": ', "application/json")
    yield raw("deep JSON", b"[" * 50_000, "application/json")
    for what, head in (("no boundary", MULTIPART), ("an empty boundary", f"{MULTIPART}; boundary="),
                       ("a quote as boundary", f'{MULTIPART}; boundary="'),
                       ("another boundary", f"{MULTIPART}; boundary=c"),
                       ("a boundary of control characters", f"{MULTIPART}; boundary=\x01\x02"),
                       ("a boundary of a thousand", f"{MULTIPART}; boundary={'b' * 1000}")):
        yield raw(f"multipart with {what}", whole + b"--b--\r\n", head)
    for what, content in (
        ("cut off", whole[:-3]), ("cut in its head", whole[:20]), ("without an end", whole),
        ("without parts", b"--b--\r\n"),
        ("with a nameless part", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
        ("with a headless part", b"--b\r\n\r\nx\r\n--b--\r\n"),
        ("with a garbled head", b"--b\r\n\xff\x00: ::\r\n\r\nx\r\n--b--\r\n"),
        ("with a name that is no text",
         b'--b\r\nContent-Disposition: form-data; name="\xff\xfe"\r\n\r\nx\r\n--b--\r\n'),
        ("with a file's name that is no text", part(field, b"x", head='; filename="').replace(b'"\r\n', b'\xff"\r\n', 1)
         + b"--b--\r\n"),
        ("with an encoded word", part(field, b"x", head="; filename*=utf-16''%FF%FE%00") + b"--b--\r\n"),
        ("with bytes that are no text", part(field, b"\xff\xfe\xed\xa0\x80") + b"--b--\r\n"),
        ("with a NUL", part(field, b"a\x00b") + b"--b--\r\n"),
        ("with a path for a name", part(field, b"x", head='; filename="../../../etc/passwd"') + b"--b--\r\n"),
        ("with base64", part(field, b"eA==").replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n", 1)
         + b"--b--\r\n"),
        ("with two thousand parts", b"".join(part(f"f{number}", b"x") for number in range(2000)) + b"--b--\r\n"),
    ):
        yield raw(f"multipart {what}", content, f"{MULTIPART}; boundary=b")


def everything(form: dict[str, Any]) -> Iterator[Nonsense]:
    """All of it, for an address whose sensible form is `form`."""
    yield from of_bodies(form)
    yield from of_fields(form)


ODD_QUERIES = (
    "after=%00", "after=%ED%A0%80", "after=x", "after=" + "A" * 5000, "after=MTc2MzgwMDAwMC4wIDE=", "after=bmFuIDE=",
    "after=aW5mIDE=", "after=MWU5OTkgMQ==", "after=LTk5OTk5OTk5OTk5OSAx", "after=MSA5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5",
    "after=1&after=2", "before=x", "before=", "before=0", "before=-1", f"before={2**63}", f"before={2**70}",
    "before=1e5", "before=%D9%A3", "held=x", "held=", "held=2", "next=//evil.example", "next=http://evil.example",
    "next=%00",
    "next=/%0d%0aSet-Cookie:x=1", "next=" + quote_from_bytes(b"\xff\xfe"), "next=javascript:alert(1)", "again",
    "village=%00", "village=x", "village=%ED%A0%80", "place=%00", "place=" + "9" * 5000, "month=%00", "month=2026-13",
    "month=9999-12", "category=%00", "q=%00", "q=%25%5F", "status=%00", "show=%00", "span=%00", "to=%00", "papers=x",
    "line=-1", f"line={2**63}", f"line={2**70}", "line=x", "matter=-1", f"matter={2**63}", f"matter={2**70}",
    f"office={2**63}", f"office={2**70}", "office=x",
    "%", "%%%", "=", "&&&", "a[b]=c", "_method=DELETE", "x=" + "y" * 8000,
)
