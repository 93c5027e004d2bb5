"""The first heading of a Markdown text."""

from __future__ import annotations

from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from blog_graphql.text import collapse_spaces

# Blocks alone tell a heading from a # inside a fence; only one line is read further.
_BLOCKS = MarkdownIt("commonmark").disable("inline")
_INLINE = MarkdownIt("commonmark")


def first_heading(content: str) -> str | None:
    """The text of the first heading that has any, without its markup."""
    for token, inline in pairwise(_BLOCKS.parse(content)):
        if token.type == "heading_open" and (text := _plain(inline.content)):
            return text
    return None


def _plain(markdown: str) -> str:
    (inline,) = _INLINE.parseInline(markdown)
    return collapse_spaces("".join(map(_text, inline.children or ())))


def _text(token: Token) -> str:
    if token.type in {"softbreak", "hardbreak"}:
        return " "
    return "" if token.type == "html_inline" else token.content
