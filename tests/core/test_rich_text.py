"""What is pasted keeps nobody waiting: what is larger than a text is refused, in half a second at most."""
import time

import pytest

from server.core.rich_text import TooMuch, depth, pasted, readable, to_html

HUGE = {"many paragraphs": "<p>a" * 120_000, "deep lists": "<ul><li>" * 400, "deep boxes": "<div>" * 100 + "x",
        "deep and many": "<ul><li>" * 60_000, "many lines far inside": "<ul><li>" * 29 + "一<br>" * 9_000}


BLANKS = {"blanks": " " * 400_000, "tabs": "\t" * 400_000, "no breaks": "\xa0" * 400_000, "named": "&nbsp;" * 9_000,
          "wide": "\u3000" * 400_000, "mixed": " \xa0" * 200_000, "on many lines": (" " * 50 + "<br>") * 5_000}


@pytest.mark.parametrize("html", BLANKS.values(), ids=BLANKS)
def test_blanks_in_any_number_keep_nobody_waiting(html):
    began = time.monotonic()
    assert pasted(f"甲{html}乙").replace("\u3000", " ").split() == ["甲", "乙"]
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("html", HUGE.values(), ids=HUGE)
def test_what_is_larger_than_a_text_is_refused_at_once(html):
    began = time.monotonic()
    with pytest.raises(TooMuch, match="太复杂"):
        pasted(html)
    assert time.monotonic() - began < 0.5


def test_a_page_of_word_is_no_such_thing():
    row = "<tr>" + "<td><p class=MsoNormal><span lang=EN-US>3,860.00</span></p></td>" * 8 + "</tr>"
    text = pasted(f"<div><table>{row * 100}</table></div>")
    assert text.count("3,860.00") == 800


def test_what_needs_no_end_is_not_deep():
    assert depth("<p>一<p>二<br><li>三<li>四<hr>" * 100) == 0
    assert depth("<div><ul><li><b>一</b></ul></div>") == 3


def test_a_row_of_thousands_is_no_table():
    wide = f"|{'a|' * 3300}\n|{'-|' * 3300}\n|x|"
    began = time.monotonic()
    html = to_html(wide)
    assert time.monotonic() - began < 0.5
    assert "<table>" not in html
    assert "<table>" in to_html("|项目|金额|\n|-|-|\n|修路|86400|")


def test_a_flood_of_characters_names_is_not_read():
    with pytest.raises(TooMuch):
        pasted("&" * 20_000)


def test_a_text_is_read_without_its_marks():
    assert readable("### 停电\n\n**全村**停电，请存水。\n\n| 户 | 元 |\n|---|---|\n| 甲 | 5 |") == (
        "停电\n全村停电，请存水。\n户，元\n甲，5")
