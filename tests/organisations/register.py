"""The register of places: the real one where it lies beside the project, else one of its size and shape."""
import gzip
from functools import cache
from pathlib import Path

REAL = Path(__file__).parents[3] / "shared" / "data" / "shandong_divisions.csv.gz"
HEADER = "code,name,parent,level"
QIANCUN = (
    "37,山东省,,province", "3709,泰安市,37,city", "370921,宁阳县,3709,county", "370921102,东疏镇,370921,township",
    "370921102201,前村村委会,370921102,village",
)


def csv(*lines: str) -> bytes:
    """A file of these lines, under its header."""
    return "\n".join((HEADER, *lines, "")).encode()


@cache
def register() -> bytes:
    """All 64,095 places of a province, gzipped."""
    return REAL.read_bytes() if REAL.exists() else gzip.compress(csv(*made_up()))


def made_up() -> list[str]:
    """1 province, 16 cities, 151 counties, 1,853 townships, 62,074 villages."""
    lines, above = ["37,山东省,,province"], ["37"]
    for level, digits, count, ending in (("city", 2, 16, "市"), ("county", 2, 151, "县"), ("township", 3, 1853, "镇"),
                                         ("village", 3, 62_074, "村村委会")):
        parents = [above[number % len(above)] for number in range(count)]
        codes = [(parent, f"{parent}{number // len(above) + 1:0{digits}}") for number, parent in enumerate(parents)]
        lines += [f"{code},{spoken(code)}{ending},{parent},{level}" for parent, code in codes]
        above = [code for _, code in codes]
    return lines


def spoken(code: str) -> str:
    """Two characters of its own for each place in a township."""
    return chr(0x4E00 + int(code[-3:])) + chr(0x5000 + int(code) % 9999)
