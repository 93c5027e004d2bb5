"""Excerpts: the beginning of a Markdown text, as plain text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.token import Token

from blog_graphql.errors import BadUserInput
from blog_graphql.text import collapse_spaces

SHORTEST_EXCERPT = 20
LONGEST_EXCERPT = 1_000
DEFAULT_EXCERPT = 200

_ELLIPSIS = "…"
# A first guess at how much Markdown makes the text; it grows where it was too little.
_MARKDOWN_PER_CHARACTER = 4
_LEAST_MARKDOWN = 500
# Some megabytes at most, so that a list which is read often is parsed once.
_REMEMBERED = 512
# A word longer than this is cut inside: the text has no spaces to cut at.
_LONGEST_WORD = 40
_JOINER = "\u200d"
_VARIANTS = frozenset("\ufe0e\ufe0f")
_BREAKS = {"softbreak", "hardbreak"}

_markdown = MarkdownIt("commonmark").enable("table")


@lru_cache(maxsize=_REMEMBERED)
def excerpt(markdown: str, length: int) -> str:
    """At most ``length`` characters of the plain text, the ellipsis included.

    Parsing takes time in proportion to the text, and more for some markup: pass
    the beginning of a long one.

    Raises:
        BadUserInput: the length is out of bounds.
    """
    if not SHORTEST_EXCERPT <= length <= LONGEST_EXCERPT:
        raise BadUserInput(
            f"length must be between {SHORTEST_EXCERPT} and {LONGEST_EXCERPT}; it is {length}."
        )
    return _cut(_plain_beginning(markdown, length), length)


def _plain_beginning(markdown: str, length: int) -> str:
    """Plain text of which the first ``length`` characters are right.

    Only as much is parsed as it takes.
    """
    size = _LEAST_MARKDOWN + _MARKDOWN_PER_CHARACTER * length
    while size < len(markdown):
        # Markup is whole between two paragraphs, and cut to pieces anywhere else.
        text = plain_text(markdown[: max(markdown.rfind("\n\n", 0, size), 0)])
        if len(text) > length:
            return text
        size *= 2
    return plain_text(markdown)


def plain_text(markdown: str) -> str:
    """The text that a reader of the rendered Markdown sees, on one line."""
    return collapse_spaces("".join(_texts(_markdown.parse(markdown))))


def _texts(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        match token.type:
            case "inline":
                yield from _texts(token.children or [])
            case "image":
                yield from _texts(token.children or [])
            case "html_inline":
                continue
            case "html_block":
                yield _strip_html(token.content)
            case kind if kind in _BREAKS:
                yield " "
            case _:
                yield token.content
        if token.block:
            yield " "


class _TextOfHTML(HTMLParser):
    """Collects the text between tags, but not scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - HTMLParser's
        self._hidden += tag in {"script", "style"}

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in {"script", "style"} and self._hidden > 0

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.texts.append(data)


def _strip_html(html: str) -> str:
    parser = _TextOfHTML()
    parser.feed(html)
    parser.close()
    return " ".join(parser.texts)


def _cut(text: str, length: int) -> str:
    if len(text) <= length:
        return text
    end = length - len(_ELLIPSIS)
    space = text.rfind(" ", 0, end + 1)
    if space >= end - _LONGEST_WORD and space > 0:
        end = space
    else:
        # Never between a letter and what modifies it.
        while end > 1 and _is_joined(text[end - 1], text[end]):
            end -= 1
    return text[:end].rstrip() + _ELLIPSIS


def _is_joined(left: str, right: str) -> bool:
    return bool(unicodedata.combining(right)) or right in _VARIANTS or _JOINER in {left, right}
