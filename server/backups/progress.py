"""Bars on a terminal, nothing elsewhere."""
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn


class Bars:
    """Bars one below the other, in bytes."""

    def __init__(self) -> None:
        self.shown = Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn(),
                              disable=not sys.stdout.isatty(), transient=True)

    def __enter__(self) -> Self:
        self.shown.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.shown.stop()

    def bar(self, words: str, total: int) -> Callable[[int], object]:
        """A new bar; call what it returns with the bytes that have been done."""
        task = self.shown.add_task(words, total=total)
        return lambda done: self.shown.advance(task, done)
