"""Slugs: the words by which a post is found in an address."""

from __future__ import annotations

from collections.abc import Container
from itertools import count

from slugify import slugify

MAX_SLUG_LENGTH = 200
_NAMELESS = "post"


def slugify_title(text: str) -> str:
    """A slug for the text: ``[a-z0-9]+(-[a-z0-9]+)*``, at most 200 characters.

    Other scripts are transliterated; a text without a letter or digit gives ``post``.
    """
    return slugify(text, max_length=MAX_SLUG_LENGTH) or _NAMELESS


def unused_slug(slug: str, taken: Container[str]) -> str:
    """The slug itself, or with the first of ``-2``, ``-3`` … that is not taken."""
    if slug not in taken:
        return slug
    numbered = (_with_suffix(slug, f"-{number}") for number in count(2))
    return next(candidate for candidate in numbered if candidate not in taken)


def _with_suffix(slug: str, suffix: str) -> str:
    return slug[: MAX_SLUG_LENGTH - len(suffix)].rstrip("-") + suffix
