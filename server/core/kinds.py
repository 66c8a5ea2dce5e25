"""Which kinds of files there are, what each is known by, and the places they may be put in: data only.

The process that opens strangers' files reads this too, so nothing here asks for a setting or the database."""
from dataclasses import dataclass

from server.permissions import Can

MB = 1_000_000
KEPT_MOST = 5 * MB  # bytes of a photograph as it is kept, after conversion
MOST_PIXELS = 40_000_000
LONGEST_SIDE = 2400  # pixels of what is kept: handwriting stays readable
SMALL_SIDE = 480  # pixels of what stands in a list
PIECE = 256 * 1024  # bytes that travel at once: what a lost connection costs
MEMORY = 1_200_000_000  # bytes the opening process may ask for
PATIENCE_S = 20


class Unfit(ValueError):
    """Why a file can't be taken, in words for beside the field."""


@dataclass(frozen=True)
class Kind:
    """One kind of file. words: what people call it; most: bytes as received; picture: decoded and encoded anew."""

    name: str
    words: str
    media_type: str
    suffix: str
    most: int
    picture: bool = False


KINDS = {kind.name: kind for kind in (
    Kind("JPEG", "JPG", "image/jpeg", ".jpg", 20 * MB, picture=True),
    Kind("PNG", "PNG", "image/png", ".png", 20 * MB, picture=True),
    Kind("WEBP", "WebP", "image/webp", ".webp", 20 * MB, picture=True),
    Kind("HEIF", "HEIC", "image/heic", ".heic", 20 * MB, picture=True),
    Kind("PDF", "PDF", "application/pdf", ".pdf", 20 * MB),
    Kind("DOCX", "Word（docx）", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx",
         20 * MB),
    Kind("XLSX", "Excel（xlsx）", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx",
         20 * MB),
    Kind("MP4", "MP4 视频", "video/mp4", ".mp4", 200 * MB),
    Kind("MP3", "MP3 录音", "audio/mpeg", ".mp3", 50 * MB),
)}
PICTURES = ("JPEG", "PNG", "WEBP", "HEIF")
DOCUMENTS = ("PDF", "DOCX", "XLSX")
RECORDINGS = ("MP4", "MP3")

MOVING, STILL = b"ftyp", (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def sniff(head: bytes) -> str:
    """The kind that the first bytes (16 are enough) speak of: a name of KINDS, ZIP, or nothing."""
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == MOVING:
        return "HEIF" if head[8:12] in STILL else "MP4"
    if head.startswith(b"%PDF-"):
        return "PDF"
    if head.startswith(b"PK\x03\x04"):
        return "ZIP"
    if head.startswith(b"ID3") or (head[:1] == b"\xff" and len(head) > 1 and head[1] & 0xE6 == 0xE2):
        return "MP3"
    return ""


@dataclass(frozen=True)
class Place:
    """Somewhere files may be put: the name of its field in the form, what stands beside it, which kinds, how many,
    the right without which nothing may be sent there, and whether it is for scans, which are to be readable."""

    name: str
    label: str
    kinds: tuple[str, ...]
    most: int
    can: Can
    scans: bool = False

    @property
    def most_bytes(self) -> int:
        """The largest file it takes."""
        return max(KINDS[kind].most for kind in self.kinds)

    @property
    def pictures_only(self) -> bool:
        return set(self.kinds) <= set(PICTURES)

    @property
    def words(self) -> str:
        """The kinds as people call them."""
        return "、".join(KINDS[kind].words for kind in self.kinds)

    @property
    def accept(self) -> str:
        """For <input type=file>: phones offer camera and album for pictures."""
        named = [KINDS[kind].suffix for kind in self.kinds if not KINDS[kind].picture]
        return ",".join((["image/*"] if set(self.kinds) & set(PICTURES) else []) + named)


PLACES: dict[str, Place] = {}  # by name; the domains declare theirs


def declare(place: Place) -> Place:
    """Adds a place to the table. ValueError when its name is taken or a kind unknown."""
    if place.name in PLACES or not set(place.kinds) <= set(KINDS):
        raise ValueError(f"{place.name}: declared twice, or of unknown kinds")
    PLACES[place.name] = place
    return place


def refusal(kinds: tuple[str, ...]) -> str:
    """What is said of a file that is none of these kinds."""
    words = "、".join(KINDS[kind].words for kind in kinds)
    if set(kinds) <= set(PICTURES):
        return f"这不是照片，请选择 {words} 格式的照片"
    return f"这种文件不能放在这里，请选择 {words}"
