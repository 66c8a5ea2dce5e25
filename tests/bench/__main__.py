"""`make bench [ONLY=name]`: prints the figures beside their bars and writes bench.json; fails where a bar is missed.

Names: pages, check-in, photo, sizes, importing, evidence, session-check, officers, publishing, ledgers,
query-accounts, disclosure, signing-in, starting."""
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from server.settings import ROOT
from tests.bench.check_in import check_in
from tests.bench.disclosure import disclosure
from tests.bench.evidence import evidence
from tests.bench.figures import Figure, show, write
from tests.bench.growth import grow
from tests.bench.handed_in import ledgers, query_accounts
from tests.bench.officers import officers
from tests.bench.pages import pages
from tests.bench.photo import photo
from tests.bench.publishing import publishing
from tests.bench.signing_in import session_check, signing_in
from tests.bench.sizes import sizes
from tests.bench.stack import Stack
from tests.bench.starting import importing, starting

Measure = Callable[[Stack], list[Figure]]
ON_GROWN_DATA: dict[str, Measure] = {
    "pages": pages, "check-in": check_in, "photo": photo, "sizes": sizes, "importing": importing,
    "evidence": evidence, "session-check": session_check, "officers": officers,
    "publishing": publishing, "ledgers": ledgers,
    "query-accounts": query_accounts, "disclosure": disclosure}


def measure(only: str | None, folder: Path) -> list[Figure]:
    """The figures of one measure, or of all."""
    figures: list[Figure] = []
    if only in (None, "starting"):
        figures += starting(folder / "demonstration")
    if only in (None, "signing-in"):
        figures += signing_in(folder / "signing-in")
    wanted = [measure for name, measure in ON_GROWN_DATA.items() if only in (None, name)]
    if wanted:
        stack = Stack(folder / "grown")
        stack.start()
        try:
            asyncio.run(grow(stack.url("ebranch_owner")))
            for one in wanted:
                figures += one(stack)
        finally:
            stack.stop()
    return figures


def main(only: str | None = None) -> int:
    names = ("starting", "signing-in", *ON_GROWN_DATA)
    if only not in (None, *names):
        print(f"There is no {only}; there are: {', '.join(names)}.", file=sys.stderr)
        return 2
    with TemporaryDirectory(prefix="ebranch-bench-") as folder:
        figures = measure(only, Path(folder))
    write(figures, ROOT / "bench.json")
    show(figures)
    return 0 if all(figure.ok for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
