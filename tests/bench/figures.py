"""A figure with its bar, and the table of all of them."""
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """What was measured. at_least or at_most: the bar; beside: what it was made of, the floor of the run too."""

    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None
    beside: str = ""

    @property
    def bar(self) -> str:
        return f"≥ {self.at_least:g}" if self.at_least is not None else f"≤ {self.at_most:g}"

    @property
    def ok(self) -> bool:
        return self.value >= self.at_least if self.at_least is not None else self.value <= (self.at_most or 0)


def write(figures: Iterable[Figure], path: Path) -> None:
    """bench.json: name, value, unit, bar, ok."""
    told = [{"name": one.name, "value": round(one.value, 3), "unit": one.unit, "bar": one.bar, "ok": one.ok}
            for one in figures]
    path.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n")


def show(figures: Iterable[Figure]) -> None:
    """The table, for the console."""
    table = Table("figure", "value", "bar", "", "beside", title="make bench")
    for one in figures:
        table.add_row(one.name, f"{one.value:.3g} {one.unit}", f"{one.bar} {one.unit}",
                      "[green]ok" if one.ok else "[red]missed", one.beside)
    Console(width=None).print(table)
