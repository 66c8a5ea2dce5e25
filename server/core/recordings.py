"""MP4 and MP3, walked from end to end: what is no picture and no sound (place, words, covers) is taken out of them."""
import shutil
from pathlib import Path
from typing import BinaryIO

from server.core.kinds import MB, Unfit

BROKEN = "录像或录音不完整，或者不是 MP4、MP3，请换一个"
MOV = "这是苹果手机的 MOV 录像，请先在“设置—相机—格式”里选“兼容性最佳”，或转成 MP4 再上传"

# MP4 ------------------------------------------------------------------------------------------------------------------
AT_TOP = {b"ftyp", b"moov", b"mdat", b"moof", b"mfra", b"sidx", b"styp", b"pdin", b"prft", b"emsg"}
TELLING = {b"udta", b"meta", b"uuid", b"free", b"skip", b"wide"}  # where phones write the place, and anything may hide
HOLDERS = {b"moov", b"trak", b"mdia"}
MOOV_MOST = 32 * MB
DEEPEST = 4


def clean_mp4(source: Path, clean: Path) -> None:
    """Writes the film with the boxes that tell where, when and by whom emptied; nothing moves, it plays as before."""
    shutil.copyfile(source, clean)
    seen = set()
    with clean.open("r+b") as film:
        film.seek(8)
        if film.read(4) == b"qt  ":
            raise Unfit(MOV)
        end, at = clean.stat().st_size, 0
        while at < end:
            film.seek(at)
            size, kind, head = box(film.read(16), end - at)
            seen.add(kind)
            if kind in TELLING:
                blank(film, at, size, head)
            elif kind == b"moov":
                clean_moov(film, at, size, head)
            elif kind not in AT_TOP:
                raise Unfit(BROKEN)
            at += size
    if not {b"ftyp", b"moov", b"mdat"} <= seen:
        raise Unfit(BROKEN)


def box(head: bytes, room: int) -> tuple[int, bytes, int]:
    """Size of a box, its kind, and how long its head is; Unfit for one that reaches further than there is room."""
    size, kind, length = int.from_bytes(head[:4], "big"), head[4:8], 8
    if size == 1:
        size, length = int.from_bytes(head[8:16], "big"), 16
    elif size == 0:
        size = room
    if len(head) < length or not length <= size <= room:
        raise Unfit(BROKEN)
    return size, kind, length


def blank(film: BinaryIO, at: int, size: int, head: int) -> None:
    """Makes a box into free space of the same size."""
    film.seek(at + 4)
    film.write(b"free")
    film.seek(at + head)
    left = size - head
    while left:
        left -= film.write(bytes(min(left, 1 << 20)))


def clean_moov(film: BinaryIO, at: int, size: int, head: int) -> None:
    """Empties what tells in the description of the film; Unfit without a track."""
    if size > MOOV_MOST:
        raise Unfit(BROKEN)
    film.seek(at)
    described = bytearray(film.read(size))
    if b"trak" not in empty(described, head, size, 0):
        raise Unfit(BROKEN)
    film.seek(at)
    film.write(described)


def empty(described: bytearray, begin: int, end: int, depth: int) -> set[bytes]:
    """Empties the telling boxes between `begin` and `end`, and in the boxes there that hold others."""
    found, at = set(), begin
    while at < end and depth < DEEPEST:
        if end - at < 8:
            raise Unfit(BROKEN)
        size, kind, head = box(bytes(described[at:at + 16]), end - at)
        found.add(kind)
        if kind in TELLING:
            described[at + 4:at + size] = b"free" + described[at + 8:at + head] + bytes(size - head)
        elif kind in HOLDERS:
            empty(described, at + head, at + size, depth + 1)
        at += size
    return found


# MP3 ------------------------------------------------------------------------------------------------------------------
KBPS = {3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)}
KBPS |= dict.fromkeys((2, 0), (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160))
HERTZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
FRAMES_LEAST = 20  # half a second
TAGS_MOST = 256 * 1024  # bytes of words after the sound


def clean_mp3(source: Path, clean: Path) -> None:
    """Writes the sound alone, without the tags before and after it."""
    sound = source.read_bytes()
    begin = after_tags(sound)
    frames, end = 0, begin
    while (length := frame(sound[end:end + 4])) and end + length <= len(sound):
        end += length
        frames += 1
    if frames < FRAMES_LEAST or len(sound) - end > TAGS_MOST:
        raise Unfit(BROKEN)
    clean.write_bytes(sound[begin:end])


def after_tags(sound: bytes) -> int:
    """Where the sound begins: behind the ID3 tags and their padding."""
    at = 0
    while sound[at:at + 3] == b"ID3" and len(sound) >= at + 10:
        sizes = sound[at + 6:at + 10]
        if max(sizes) > 127:
            raise Unfit(BROKEN)
        at += 10 + (sizes[0] << 21 | sizes[1] << 14 | sizes[2] << 7 | sizes[3]) + (10 if sound[at + 5] & 16 else 0)
    while at < len(sound) and sound[at] == 0:
        at += 1
    return at


def frame(head: bytes) -> int:
    """Bytes of the frame of sound that begins with `head`; 0 when none does."""
    word = int.from_bytes(head, "big")
    version, layer, rate, speed = word >> 19 & 3, word >> 17 & 3, word >> 12 & 15, word >> 10 & 3
    if len(head) < 4 or word >> 21 != 0x7FF or version == 1 or layer != 1 or rate in (0, 15) or speed == 3:
        return 0
    return (144 if version == 3 else 72) * KBPS[version][rate] * 1000 // HERTZ[version][speed] + (word >> 9 & 1)
