"""Texts with headings, lists and tables, in the few places that have them: kept as Markdown, shown as clean HTML.

What is pasted from Word, WPS or a web page becomes Markdown first: its fonts, comments and hidden parts are gone."""
import re
from html.parser import HTMLParser
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdownify import MarkdownConverter

TAGS = {"p", "br", "strong", "em", "h3", "h4", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td",
        "blockquote", "hr"}
# Signs of a tag or of a character's name in what is pasted, tags within each other, one times the other.
MARKS_MOST, DEEPEST, WORK_MOST = 10_000, 60, 100_000
CELLS_MOST = 40  # of a table's row
PASTED_MOST = 500_000  # characters of what Word puts on the clipboard
NOT_READ = {"style", "script", "xml", "head", "title", "object", "svg", "math"}  # with all that stands in them
BULLETS = re.compile(r"^[ \t]*(?:[·•◆●▪■\uf06c\uf0b7\uf0d8]|o(?=[ \xa0]{2}))[ \xa0\t]*", re.MULTILINE)
BLANKS = re.compile(r"[ \t\r\n\f\v]+")  # in HTML so many are one
WIDE_BLANKS = re.compile(r"([\xa0\u3000])[\xa0\u3000 \t]{8,}")  # nobody indents further
INDENT = re.compile(r"^[ \t\u3000\xa0]+", re.MULTILINE)

OPENED = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:]*)")
NEVER_DEEP = {"p", "li", "td", "th", "tr", "br", "hr", "img", "col", "meta", "link", "input", "dd", "dt"}  # end alone

_markdown = MarkdownIt("js-default", {"html": False, "linkify": False, "breaks": True}).disable(
    ["link", "image", "autolink", "code", "fence", "html_block"])


class TooMuch(ValueError):
    """What was pasted is larger than a text: it would keep everybody waiting."""


def to_html(markdown: str) -> str:
    """Markdown as HTML of TAGS alone, without attributes. A heading is an h3: the page's own stand above. What has more
    than CELLS_MOST cells in a row is no table."""
    narrow = (line if line.count("|") <= CELLS_MOST else line.replace("|", "｜") for line in markdown.split("\n"))
    html = _markdown.render("\n".join(narrow))
    html = re.sub(r"(</?)h[12](>)", r"\1h3\2", html)
    html = re.sub(r"(</?)h[56](>)", r"\1h4\2", html)
    return nh3.clean(html, tags=TAGS, attributes={}, clean_content_tags=NOT_READ).strip()


def pasted(html: str) -> str:
    """What was pasted, as Markdown: headings, bold, lists and tables stay, everything else is plain text. Half a
    second's work at most, and to be done beside the loop. Raises TooMuch."""
    marks, deep = html.count("<") + html.count("&"), depth(html)
    if marks > MARKS_MOST or deep > DEEPEST or marks * deep > WORK_MOST:
        raise TooMuch("粘贴的内容太复杂，只粘贴了文字")
    html = WIDE_BLANKS.sub(r"\1", BLANKS.sub(" ", html[:PASTED_MOST].replace("&nbsp;", "\xa0")))
    clean = nh3.clean(html, tags=TAGS | {"h1", "h2", "h5", "h6", "b", "i"}, attributes={},
                      clean_content_tags=NOT_READ)
    converter = MarkdownConverter(heading_style="ATX", bullets="-", escape_misc=False, table_infer_header=True)
    return tidy(converter.convert(clean))


class Paragraphs(HTMLParser):
    """The paragraphs of our own HTML as plain text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = [""]

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag in ("p", "li", "h3", "h4", "tr"):
            self.found.append("")
        elif tag in ("td", "th") and self.found[-1]:
            self.found[-1] += "，"

    def handle_data(self, data: str) -> None:
        self.found[-1] += " ".join(data.split())


def paragraphs(html: str) -> list[str]:
    """What is written in our own HTML, paragraph by paragraph."""
    reader = Paragraphs()
    reader.feed(html)
    return [one for one in reader.found if one]


def readable(markdown: str) -> str:
    """A text as it is read, without its marks."""
    return "\n".join(paragraphs(to_html(markdown)))


def depth(html: str) -> int:
    """How many tags stand within each other, at most; those that need no end of their own not counted."""
    now = deepest = 0
    for ends, name in OPENED.findall(html):
        if name.lower() not in NEVER_DEEP:
            now = max(0, now - 1) if ends else now + 1
            deepest = max(deepest, now)
    return deepest


def tidy(text: str) -> str:
    """Text without what word processors leave in it: indents of blanks, their bullets, empty lines in a row."""
    text = text.replace("\r\n", "\n").replace("\u200b", "").replace("\xad", "").replace("\ufeff", "")
    text = INDENT.sub(lambda found: " " * (len(found[0]) if set(found[0]) <= {" "} else 0), text)
    text = BULLETS.sub("- ", text).replace("\xa0", " ")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip(" \t") for line in text.split("\n"))).strip()
