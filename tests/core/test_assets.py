"""Static files: addressed by content, kept a year, small; icons exist wherever a page names one."""
import gzip
import re
from pathlib import Path

import pytest
from litestar.testing import create_test_client

from server.core import assets
from server.core.assets import ASSETS, STATIC, asset, icon, load, serve

PAGES = STATIC.parent / "pages"
CSS_LIMIT, SCRIPT_LIMIT, OWN_SCRIPT_LIMIT = 15_000, 20_000, 5_000  # bytes, compressed
STYLES, SCRIPTS = sorted((STATIC / "css").glob("*.css")), sorted((STATIC / "js").glob("*.js"))


@pytest.fixture
def visit():
    with create_test_client([serve]) as client:
        yield client.get


def test_an_asset_is_kept_for_a_year_and_comes_compressed(visit):
    answer = visit(asset("app.css"), headers={"accept-encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert "set-cookie" not in answer.headers
    assert "--party-red" in answer.text


def test_who_cannot_unpack_gets_it_plain(visit):
    answer = visit(asset("app.js"), headers={"accept-encoding": "identity"})
    assert "content-encoding" not in answer.headers
    assert answer.content == ASSETS["app.js"].body


def test_a_page_from_before_an_update_still_finds_its_style_but_keeps_it_not(visit):
    answer = visit("/static/0123456789abcdef/app.css")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["x.css", "../server/settings.py", "css/../../Makefile", "icons/", ""])
def test_nothing_else_is_served(visit, name):
    assert visit(f"/static/0123456789abcdef/{name}").status_code == 404


def test_another_content_is_another_address(tmp_path: Path):
    for name in ("css/tokens.css", "css/base.css", "js/a.js", "vendor/htmx.min.js", "icons/a.svg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    before = load(tmp_path)
    (tmp_path / "css/base.css").write_text("y")
    after = load(tmp_path)
    assert before["app.css"].url != after["app.css"].url
    assert before["app.js"].url == after["app.js"].url


def test_the_layers_are_named_before_any_is_used():
    assert ASSETS["app.css"].body.startswith(b"@layer tokens, base, parts, layout, pages;")


def test_a_first_visit_is_light():
    own = assets.bundle(SCRIPTS, b";\n")
    assert len(ASSETS["app.css"].packed) <= CSS_LIMIT
    assert len(ASSETS["app.js"].packed) <= SCRIPT_LIMIT
    assert len(gzip.compress(own, 9)) <= OWN_SCRIPT_LIMIT


@pytest.mark.parametrize("file", [*STYLES, *SCRIPTS], ids=lambda file: file.name)
def test_a_comment_has_its_lines_to_itself(file: Path):
    for line in file.read_text().splitlines():
        if file.suffix == ".css" and "/*" in line:
            assert re.fullmatch(r"\s*/\*.*\*/", line)
            assert line.index("*/") == len(line) - 2
        if file.suffix == ".js":
            assert "/*" not in line


@pytest.mark.parametrize("file", [file for file in STYLES if file.name != "tokens.css"], ids=lambda file: file.name)
def test_colours_come_from_the_tokens(file: Path):
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(", file.read_text())


def test_an_icon_is_drawn_with_the_ink_around_it_and_not_read_aloud():
    assert icon("bell").startswith('<svg class="i" viewBox="0 0 24 24" aria-hidden="true"><path')
    with pytest.raises(KeyError):
        icon("nothing-of-that-name")


def test_every_icon_a_page_names_exists():
    named = {name for page in PAGES.rglob("*.html") for name in re.findall(r'\bicon\("([^"]+)"\)', page.read_text())}
    assert named
    assert named <= set(assets.ICONS)


def test_pages_carry_no_script_and_no_style_of_their_own():
    for page in PAGES.rglob("*.html"):
        source = page.read_text()
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|hx-on|javascript:", source), page
        assert not re.search(r"<script(?![^>]*\bsrc=)", source), page
