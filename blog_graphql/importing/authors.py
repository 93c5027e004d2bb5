"""Who wrote a post, and the username that they get."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from slugify import slugify

from blog_graphql.importing.fields import Fields, first_present, line, section
from blog_graphql.text import fold
from blog_graphql.users.rules import (
    MAX_FULL_NAME_LENGTH,
    MAX_USERNAME_LENGTH,
    MIN_USERNAME_LENGTH,
    is_username,
)

_HANDLE_KEYS = ("username", "login", "handle", "nickname", "nick")
_NAME_KEYS = ("name", "full_name", "fullname", "display_name")
_NAME_PARTS = ("first_name", "last_name")
_ACCOUNT_KEYS = ("github", "twitter")

# A name inside of Markdown's or HTML's links, before an address, or behind an at sign.
_MARKED_UP = re.compile(
    r"\[\[(?P<wiki>[^\]]+)\]\]|\[(?P<markdown>[^\]]+)\]\([^)]*\).*|<a\s[^>]*>(?P<html>[^<]+)</a>.*"
    r"|(?P<mail>[^<]*[^<\s])\s*<[^>]*@[^>]*>|@(?P<at>\w[\w.-]*)",
    re.IGNORECASE,
)
_COMMA = re.compile(r",(?![^(\[<]*[)\]>])")


@dataclass(frozen=True, slots=True)
class AuthorName:
    """An author as a file names them."""

    handle: str
    full_name: str | None = None

    @property
    def is_username(self) -> bool:
        """Whether the handle can be a username as it stands."""
        return is_username(self.handle)

    @property
    def username(self) -> str:
        """The handle, or the username that is made from it."""
        return self.handle if self.is_username else _make_username(self.handle)

    @property
    def displayed_name(self) -> str | None:
        """The full name; that of a handle which is no username is the handle itself."""
        name = self.full_name or (None if self.is_username else self.handle)
        return name and name[:MAX_FULL_NAME_LENGTH].rstrip()


def read_authors(fields: Fields) -> tuple[AuthorName, ...]:
    """Everybody whom the front matter names as an author, each once, the first one first.

    Raises:
        BadUserInput: an author is neither text nor a mapping.
    """
    names: dict[str, AuthorName] = {}
    for place in (fields, *(section(fields, name) for name in ("extra", "params", "taxonomies"))):
        for key in ("author", "authors"):
            for author in _read(place.get(key), key):
                names.setdefault(fold(author.handle), author)
    return tuple(names.values())


def numbered_username(username: str, number: int) -> str:
    """The username with a number behind it, for somebody else of that name."""
    suffix = f"-{number}"
    return username[: MAX_USERNAME_LENGTH - len(suffix)].rstrip("-") + suffix


def _read(value: Any, key: str) -> list[AuthorName]:
    if isinstance(value, list):
        items = value
    elif isinstance(value, str):
        items = _split(value, key)
    else:
        items = [value]
    authors = (_author(item, key) for item in items if item is not None)
    return [author for author in authors if author.handle]


def _author(value: Any, key: str) -> AuthorName:
    """The author in a value; one without a handle when it names nobody."""
    if not isinstance(value, dict):
        return AuthorName(_plain_name(line(value, key)))
    person = {str(name).lower(): item for name, item in value.items()}
    name = first_present(person, *_NAME_KEYS)
    parts = [line(person[part], key) for part in _NAME_PARTS if person.get(part) is not None]
    full_name = line(name[1], key) if name else " ".join(parts)
    given = first_present(person, *_HANDLE_KEYS)
    handle = line(given[1], key) if given else ""
    if "@" in handle and full_name:
        handle = ""  # an email address is for signing in, not for showing
    account = None if handle or full_name else first_present(person, *_ACCOUNT_KEYS)
    if account:
        handle = line(account[1], key)
    return AuthorName(handle or full_name, full_name or None if handle else None)


def _split(text: str, key: str) -> list[str]:
    """The names in a text: under ``author`` a comma may be part of the one name."""
    names = [name for name in _COMMA.split(text) if name.strip()]
    several = key == "authors" or all(len(name.split()) > 1 for name in names)
    return names if several else [text]


def _plain_name(text: str) -> str:
    match = _MARKED_UP.fullmatch(text)
    return next(filter(None, match.groups())).strip() if match else text


def _make_username(handle: str) -> str:
    # Folded first: two spellings that compare equal must give one username.
    username = slugify(fold(handle), max_length=MAX_USERNAME_LENGTH)
    if len(username) >= MIN_USERNAME_LENGTH:
        return username
    return f"{username}-author".lstrip("-")
