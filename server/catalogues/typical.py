"""What counties typically have in their catalogue: what a first draft begins with. A county edits its own."""
import csv
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parent / "data" / "typical.csv"


def typical() -> list[dict[str, Any]]:
    """The items, in order; the columns of a table or list stand between blanks."""
    with SOURCE.open(encoding="utf-8", newline="") as file:
        return [one | {"columns": one["columns"].split()} for one in csv.DictReader(file)]
