"""Two people who are nobody, and how what is theirs may be spelled where it leaks."""
import base64
import json
from dataclasses import dataclass
from urllib.parse import quote

from server.people.rules import check_character


@dataclass(frozen=True)
class Canary:
    """A name that stands nowhere else, with numbers of its own."""

    name: str
    digits: str  # the first 17 of the ID number
    phone: str

    @property
    def id_number(self) -> str:
        return self.digits + check_character(self.digits)

    @property
    def numbers(self) -> tuple[str, str]:
        return self.id_number, self.phone

    @property
    def all(self) -> tuple[str, str, str]:
        return self.name, *self.numbers


REGISTERED = Canary("甄金雀", "37092119530715987", "19876501234")  # a member; the numbers come in by their own fields
TYPED = Canary("贾银雀", "37092119620419765", "19765043219")  # typed into every field of every form


def spellings(value: str) -> set[bytes]:
    """How a value may stand somewhere: plain, in an address, in JSON, in hex, in base64 at each of its offsets."""
    plain = value.encode()
    found = {plain, quote(value).encode(), quote(value).lower().encode(), json.dumps(value)[1:-1].encode(),
             plain.hex().encode(), plain.hex().upper().encode(), value.encode("gb18030").hex().encode(),
             f"{value[:3]} {value[3:7]} {value[7:]}".encode(), f"{value[:3]}-{value[3:7]}-{value[7:]}".encode()}
    for offset in range(3):
        whole = base64.b64encode(b"\0" * offset + plain)
        begins = (offset * 8 + 5) // 6  # the first character that says nothing of what stood before
        ends = (offset + len(plain)) * 8 // 6
        found |= {whole[begins:ends], base64.urlsafe_b64encode(b"\0" * offset + plain)[begins:ends]}
    return found


def leaks(text: bytes | str, values: tuple[str, ...]) -> list[str]:
    """Which of the values stand in a text, however spelled."""
    haystack = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    return [value for value in values if any(one in haystack for one in spellings(value))]
