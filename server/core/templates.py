"""The one Jinja environment: escaping on, a missing name is an error, everything computed in Python."""
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from server.core import picture_code
from server.core.assets import asset, icon
from server.core.clock import now
from server.core.dates import filters

PAGES = Path(__file__).parents[2] / "pages"


class Missing(StrictUndefined):
    """A missing name is an error where it is shown; it may be asked whether it is there, and has nothing in it."""

    def __bool__(self) -> bool:  # type: ignore[override] # its parent's only raise
        return False

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        return iter(())


def make_environment() -> Environment:
    """The environment with our filters and globals; templates are read once."""
    environment = Environment(
        loader=FileSystemLoader(PAGES), autoescape=True, undefined=Missing, auto_reload=False,
        trim_blocks=True, lstrip_blocks=True,
    )
    environment.filters.update(filters(now))
    environment.globals.update(asset=asset, icon=icon, picture_shown=picture_code.shown)
    return environment


ENVIRONMENT = make_environment()
