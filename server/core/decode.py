"""The process a stranger's file is opened in: `python -m server.core.decode SOURCE CLEAN SMALL KIND…`.

It writes what may be kept to CLEAN (nothing where that is SOURCE as it is) and a small picture to SMALL, and says on
its standard output what it found. It may ask for so much memory and time and no more; whatever the file does to it, the
web process does not notice."""
import io
import json
import resource
import sys
import warnings
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops, ImageFilter, ImageOps, ImageStat, UnidentifiedImageError

from server.core import documents, recordings
from server.core.kinds import (
    KEPT_MOST,
    LONGEST_SIDE,
    MEMORY,
    MOST_PIXELS,
    PATIENCE_S,
    PICTURES,
    SMALL_SIDE,
    Unfit,
    refusal,
    sniff,
)

QUALITIES = (82, 70, 55)  # of the JPEG; the first that keeps within KEPT_MOST
DAMAGED = "这张照片打不开，请换一张（支持 JPG、PNG、WebP、HEIC）"
TOO_MANY = "照片的像素太多，请用手机直接拍一张"
LOOKED_AT = 1000  # pixels, the longest side of what sharpness is measured on
BLURRED = 0.5  # share of the edges that a further blur leaves as they were; writing in focus stays under 0.3
EDGES_LEAST = 0.6  # mean step between neighbouring pixels; below it there is nothing on the sheet to be blurred


def open_file(source: Path, clean: Path, small: Path, kinds: tuple[str, ...]) -> dict[str, Any]:
    """Kind, size and sharpness of the file. Unfit, in words, when it is none of `kinds` or not what it says it is."""
    with source.open("rb") as file:
        kind = sniff(file.read(16))
    if kind == "ZIP":
        kind = documents.office_kind(source)
    if kind not in kinds:
        raise Unfit(refusal(kinds))
    if kind in PICTURES:
        return picture(source, clean, small, kind)
    CHECKS[kind](source, clean)
    return {"kind": kind}


CHECKS = {"PDF": documents.check_pdf, "DOCX": documents.check_office, "XLSX": documents.check_office,
          "MP4": recordings.clean_mp4, "MP3": recordings.clean_mp3}


def picture(source: Path, clean: Path, small: Path, kind: str) -> dict[str, Any]:
    """Writes the picture upright, without metadata, no larger than it takes to read it; and a small one."""
    if kind == "HEIF":
        from pillow_heif import register_heif_opener  # costs a tenth of a second, which only these need

        register_heif_opener()
    try:
        opened = Image.open(source, formats=(kind,))
        if opened.width * opened.height > MOST_PIXELS:
            raise Unfit(TOO_MANY)
        opened.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Unfit(TOO_MANY) from None
    except UnidentifiedImageError:
        raise Unfit(refusal(PICTURES)) from None
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as fault:
        raise Unfit(str(fault) if isinstance(fault, Unfit) else DAMAGED) from None
    upright = ImageOps.exif_transpose(opened)
    upright = on_white(upright) if upright.has_transparency_data else upright.convert("RGB")
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE), reducing_gap=2.0)
    bare = Image.new("RGB", upright.size)
    bare.paste(upright)
    clean.write_bytes(encoded(bare))
    blurred = is_blurred(bare)
    bare.thumbnail((SMALL_SIDE, SMALL_SIDE), reducing_gap=2.0)
    bare.save(small, "JPEG", quality=75)
    return {"kind": "JPEG", "width": upright.width, "height": upright.height, "blurred": blurred}


def on_white(seen_through: Image.Image) -> Image.Image:
    """A picture with see-through places, as it looks on paper."""
    paper = Image.new("RGB", seen_through.size, "white")
    paper.paste(seen_through, mask=seen_through.convert("RGBA").getchannel("A"))
    return paper


def encoded(bare: Image.Image) -> bytes:
    """The picture as a JPEG of at most KEPT_MOST bytes; Unfit where even a coarse one is larger."""
    for quality in QUALITIES:
        written = io.BytesIO()
        bare.save(written, "JPEG", quality=quality, optimize=True)
        if written.tell() <= KEPT_MOST:
            return written.getvalue()
    raise Unfit("照片太大了，请用手机直接拍一张")


def is_blurred(bare: Image.Image) -> bool:
    """Whether a scan is not 清晰规范: blurring it further hardly changes its edges (Crete et al., 2007).

    A share, not a strength: pale pencil in focus is sharp, fat black letters out of focus are not."""
    grey = bare.convert("L")
    grey.thumbnail((LOOKED_AT, LOOKED_AT), reducing_gap=2.0)
    grey = grey.filter(ImageFilter.MedianFilter(3))  # grain is no sharpness
    softer = grey.filter(ImageFilter.BoxBlur(3))
    shares, steps = [], 0.0
    for across, down in ((1, 0), (0, 1)):
        before, after = edges(grey, across, down), edges(softer, across, down)
        lost = ImageStat.Stat(ImageChops.subtract(before, after)).sum[0]
        total = ImageStat.Stat(before).sum[0]
        steps += total / (grey.width * grey.height)
        shares.append((total - lost) / total if total else 0.0)
    return steps > EDGES_LEAST and max(shares) > BLURRED


def edges(grey: Image.Image, across: int, down: int) -> Image.Image:
    """How much each pixel differs from its neighbour."""
    width, height = grey.size
    return ImageChops.difference(grey.crop((across, down, width, height)), grey.crop((0, 0, width - across,
                                                                                      height - down)))


def main(source: str, clean: str, small: str, *kinds: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE_S, PATIENCE_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        told = open_file(Path(source), Path(clean), Path(small), kinds)
    except Unfit as fault:
        told = {"unfit": str(fault)}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
