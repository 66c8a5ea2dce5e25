"""One stack with the demonstration and one browser for all of these tests."""
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.stacks import Demonstration
from tests.browser.visitors import KEEP_PICTURES, Visitors, launch


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    """The demonstration, running since 15:00 of a Sunday in November 2026."""
    stack = Demonstration(tmp_path_factory.mktemp("stack") / "data")
    stack.at("2026-11-22T15:00")
    yield stack
    stack.clear()


@pytest.fixture(scope="package")
def all_visitors(stack: Demonstration, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Visitors:
    """Who visits; PICTURES names a folder in which their screens are kept, to be looked at."""
    kept = os.environ.get(KEEP_PICTURES)
    pictures = Path(kept) if kept else tmp_path_factory.mktemp("pictures")
    pictures.mkdir(exist_ok=True)
    return Visitors(browser, stack.address, pictures)


@pytest.fixture
def visitors(all_visitors: Visitors) -> Iterator[Visitors]:
    """Who visits in one test; their pages are closed after it, and it fails if the browser complained."""
    with all_visitors.one_test() as visitors:
        yield visitors
