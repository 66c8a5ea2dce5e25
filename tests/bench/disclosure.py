"""What villagers open, and what counties and the province look at, in a province of 62,074 villages."""
import asyncio
import random
from functools import partial

from tests.bench.figures import Figure
from tests.bench.load import Compared, Request, compare, press
from tests.bench.one_village import at_work
from tests.bench.stack import Stack
from tests.bench.steady import one_by_one, p95
from tests.bench.villages import FEW, MANY, PUBLISHING, READERS, VILLAGES, grow_matters

RATIO, GROWN = 0.9, 1.3
COUNTY_MS, PROVINCE_MS = 300, 1000  # p95
TIMES = 40  # a page of figures is asked for


def disclosure(stack: Stack) -> list[Figure]:
    """Reading with few and with many matters in place, then the pages of figures."""
    asyncio.run(at_work(stack))
    few = reading(stack)
    asyncio.run(grow_matters(stack.url("ebranch_owner")))
    many = reading(stack)
    figures = []
    for name, measured in many.items():
        figures.append(Figure(name, measured.ratio, "× floor", at_least=RATIO,
                              beside=f"{measured.rate:.0f} pages/s, floor {measured.floor:.0f}, {READERS} villages"))
        figures.append(Figure(f"{name}, {MANY:,} matters", few[name].rate / measured.rate, f"× of {FEW:,}",
                              at_most=GROWN, beside=f"{few[name].rate:.0f} | {measured.rate:.0f} pages/s"))
    return figures + overseen(stack)


def reading(stack: Stack) -> dict[str, Compared]:
    """A published matter and a village's list, each asked for by a reader of one of READERS villages."""
    own = stack.ask("""SELECT DISTINCT ON (v.n) v.n, m.id FROM matter m JOIN bench_village v ON v.code = m.village_code
                       WHERE v.n <= $1 AND v.n % $2 = 0 AND m.edition_id IS NOT NULL
                       ORDER BY v.n, m.id DESC""", PUBLISHING, PUBLISHING // READERS)
    shuffled = random.Random(7).sample(own, len(own))
    pages = {"a published matter": [Request(f"/disclosures/{one['id']}", f"village-{one['n']}") for one in shuffled],
             "a village's list": [Request("/disclosures", f"village-{one['n']}") for one in shuffled]}
    with stack.floor() as floor:
        return {name: compare(partial(press, stack.origin, asked), partial(press, floor, asked))
                for name, asked in pages.items()}


def overseen(stack: Stack) -> list[Figure]:
    """A county's page over its 600 villages' three years, and the province's over all."""
    return [
        Figure("county's figures, 3 years, p95", p95(asked(stack, "county")), "ms", at_most=COUNTY_MS,
               beside=f"{PUBLISHING} villages"),
        Figure("province's figures, 3 years, p95", p95(asked(stack, "province")), "ms", at_most=PROVINCE_MS,
               beside=f"{VILLAGES:,} villages")]


def asked(stack: Stack, token: str) -> list[float]:
    """Milliseconds of the page of figures, of three years."""
    return one_by_one(f"{stack.origin}/supervision?span=three", token, TIMES)
