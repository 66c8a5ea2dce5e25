"""A photograph of handwritten minutes, as small as it can be."""
from io import BytesIO

from PIL import Image


def photograph(shade: int = 255) -> bytes:
    """A JPEG of one shade of grey."""
    picture = BytesIO()
    Image.new("L", (40, 30), shade).save(picture, "JPEG")
    return picture.getvalue()
