"""A QR code as SVG, drawn as one path, in the ink of the page."""
from markupsafe import Markup, escape
from qrcode import QRCode
from qrcode.constants import ERROR_CORRECT_M

QUIET = 2  # modules of white around; the card it stands on is white too


def svg(text: str, label: str = "签到二维码") -> Markup:
    """`text` as a QR code that scales with its frame. label: what it is, for who can't see it."""
    code = QRCode(error_correction=ERROR_CORRECT_M, border=QUIET)
    code.add_data(text)
    code.make(fit=True)
    matrix = code.get_matrix()
    path = "".join(f"M{x} {y}h1v1h-1z" for y, line in enumerate(matrix) for x, dark in enumerate(line) if dark)
    size = len(matrix)
    return Markup(f'<svg class="qr" viewBox="0 0 {size} {size}" role="img" aria-label="{escape(label)}" '
                  f'shape-rendering="crispEdges"><path d="{path}"/></svg>')
