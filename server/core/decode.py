"""The process a stranger's picture is opened in: `python -m server.core.decode`, the picture in, a clean JPEG out.

It may ask for so much memory and time and no more; whatever the picture does to it, the web process does not notice."""
import io
import json
import resource
import sys

from PIL import Image, ImageOps, UnidentifiedImageError
from pillow_heif import register_heif_opener

from server.core.files import LONGEST_SIDE, MEMORY, MOST_PIXELS, PATIENCE_S, TYPES


def clean(body: bytes) -> tuple[dict[str, int], bytes]:
    """Size and bytes of the picture, upright and without metadata. ValueError, in words, when it is not fit."""
    register_heif_opener()
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    try:
        picture = Image.open(io.BytesIO(body), formats=TYPES)
        if picture.width * picture.height > MOST_PIXELS:
            raise ValueError("照片的像素太多，请用手机直接拍一张")
        picture.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ValueError("照片的像素太多，请用手机直接拍一张") from None
    except UnidentifiedImageError:
        raise ValueError("这不是照片，请选择 JPG、PNG、WebP 或 HEIC 格式的照片") from None
    upright = ImageOps.exif_transpose(picture).convert("RGB")
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    bare = Image.new("RGB", upright.size)
    bare.paste(upright)
    written = io.BytesIO()
    bare.save(written, "JPEG", quality=82, optimize=True, progressive=True)
    return {"width": bare.width, "height": bare.height}, written.getvalue()


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE_S, PATIENCE_S))
    body = b""
    head: dict[str, int] | dict[str, str]
    try:
        head, body = clean(sys.stdin.buffer.read())
    except ValueError as fault:
        head = {"unfit": str(fault) if "照片" in str(fault) else "这张照片打不开，请换一张"}
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + body)


if __name__ == "__main__":
    main()
