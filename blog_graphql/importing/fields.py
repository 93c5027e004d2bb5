"""Reading single values out of front matter."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from typing import Any

from blog_graphql.errors import BadUserInput
from blog_graphql.text import collapse_spaces, is_storable

_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}

Fields = Mapping[str, Any]


def first_present(fields: Fields, *names: str) -> tuple[str, Any] | None:
    """The first of the names that has a value, with the value; null and blank are none."""
    for name in names:
        value = fields.get(name)
        if value is not None and not (isinstance(value, str) and not value.strip()):
            return name, value
    return None


def section(fields: Fields, name: str) -> Fields:
    """A nested mapping with its names in lower case, empty when there is none."""
    value = fields.get(name)
    if not isinstance(value, dict):
        return {}
    return {str(key).lower(): item for key, item in value.items()}


def line(value: Any, what: str) -> str:
    """A scalar as one line of text, its white space collapsed.

    Raises:
        BadUserInput: it is a list or a mapping, or holds what a database cannot.
    """
    if isinstance(value, bool):
        value = str(value).lower()
    if not isinstance(value, str | int | date | time):
        raise BadUserInput(f"{what} must be text, not a {type(value).__name__}")
    return collapse_spaces(storable(str(value), what))


def storable(text: str, what: str) -> str:
    """The text itself.

    Raises:
        BadUserInput: it holds a NUL or half of a surrogate pair.
    """
    if not is_storable(text):
        raise BadUserInput(f"{what} must not contain NUL characters or lone surrogates")
    return text


def is_true(value: Any, name: str) -> bool:
    """A boolean, or the text that stands for one.

    Raises:
        BadUserInput: it is neither.
    """
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower() if isinstance(value, str | int) else ""
    if word in _TRUE | _FALSE:
        return word in _TRUE
    raise BadUserInput(f"{name} must be true or false")
