"""Who wrote a post, and the username that they get."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from slugify import slugify

from blog_graphql.errors import BadUserInput
from blog_graphql.importing.fields import Fields, first_present, line, section
from blog_graphql.text import fold

MAX_FULL_NAME_LENGTH = 100
_MAX_USERNAME_LENGTH = 50
_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{2,49}")
_MIN_USERNAME_LENGTH = 3

_HANDLE_KEYS = ("username", "login", "handle", "nickname", "nick")
_NAME_KEYS = ("name", "full_name", "fullname", "display_name")


@dataclass(frozen=True, slots=True)
class AuthorName:
    """An author as a file names them."""

    handle: str
    full_name: str | None = None

    @property
    def is_username(self) -> bool:
        """Whether the handle can be a username as it stands."""
        return _USERNAME.fullmatch(self.handle) is not None

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
        BadUserInput: an author is neither text nor a mapping with a name.
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
    return username[: _MAX_USERNAME_LENGTH - len(suffix)].rstrip("-") + suffix


def _read(value: Any, key: str) -> list[AuthorName]:
    if isinstance(value, list):
        items = value
    elif isinstance(value, str) and key == "authors":
        items = value.split(",")
    else:
        items = [value]
    authors = (_author(item, key) for item in items if item is not None)
    return [author for author in authors if author.handle]


def _author(value: Any, key: str) -> AuthorName:
    if not isinstance(value, dict):
        return AuthorName(line(value, key))
    person = {str(name).lower(): item for name, item in value.items()}
    if not person.keys() & {*_HANDLE_KEYS, *_NAME_KEYS}:
        raise BadUserInput(f"{key} must be a name, or a mapping with a name or username")
    handle, name = first_present(person, *_HANDLE_KEYS), first_present(person, *_NAME_KEYS)
    full_name = line(name[1], key) if name else None
    return AuthorName(line(handle[1], key), full_name) if handle else AuthorName(full_name or "")


def _make_username(handle: str) -> str:
    # Folded first: two spellings that compare equal must give one username.
    username = slugify(fold(handle), max_length=_MAX_USERNAME_LENGTH)
    if len(username) >= _MIN_USERNAME_LENGTH:
        return username
    return f"{username}-author".lstrip("-")
