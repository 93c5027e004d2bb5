"""Authors as files name them, and their usernames."""

from __future__ import annotations

from typing import Any

import pytest

from blog_graphql.errors import BadUserInput
from blog_graphql.importing.authors import AuthorName, numbered_username, read_authors


@pytest.mark.parametrize(
    ("fields", "handles"),
    [
        ({}, []),
        ({"author": None, "authors": []}, []),
        ({"author": "parkr"}, ["parkr"]),
        ({"author": "  Jane \n Doe "}, ["Jane Doe"]),
        ({"author": "Doe, Jane"}, ["Doe, Jane"]),
        ({"author": ["jane", "joe"]}, ["jane", "joe"]),
        ({"authors": ["jane", None, "", "joe", "JANE"]}, ["jane", "joe"]),
        ({"authors": "jane, joe"}, ["jane", "joe"]),
        ({"author": "joe", "authors": ["jane", "joe"]}, ["joe", "jane"]),
        ({"author": 42}, ["42"]),
        ({"author": {"Name": "Jane Doe", "url": "https://example.org"}}, ["Jane Doe"]),
        ({"author": {"name": "Jane Doe", "username": "jane"}}, ["jane"]),
        ({"author": {"name": "", "email": None}}, []),
        ({"authors": [{"login": "jane"}, {"name": "Joe"}]}, ["jane", "Joe"]),
        ({"extra": {"author": "jane"}}, ["jane"]),
        ({"extra": {"Authors": ["jane"]}, "params": {"author": "joe"}}, ["jane", "joe"]),
        ({"taxonomies": {"authors": ["jane"]}}, ["jane"]),
        ({"extra": "jane"}, []),
        ({"author": {"email": "jane@example.org"}}, []),
        ({"author": {"first_name": "Jane", "last_name": "Doe"}}, ["Jane Doe"]),
        ({"author": {"email": "jane@example.org", "github": "jdoe"}}, ["jdoe"]),
        ({"author": {"login": "jane@example.org", "name": "Jane Doe"}}, ["Jane Doe"]),
        ({"author": "[Jane Doe](https://example.org) (Example)"}, ["Jane Doe"]),
        ({"author": '<a href="https://example.org">Jane Doe</a>'}, ["Jane Doe"]),
        ({"author": "[[Jane Doe]]"}, ["Jane Doe"]),
        ({"author": "Jane Doe <jane@example.org>"}, ["Jane Doe"]),
        ({"author": "@jdoe"}, ["jdoe"]),
        (
            {"author": "Jane Doe (Example), Joe Public (Example, Inc.),"},
            ["Jane Doe (Example)", "Joe Public (Example, Inc.)"],
        ),
        ({"author": "Jane Doe"}, ["Jane Doe"]),
    ],
)
def test_the_authors_of_a_file(fields: dict[str, Any], handles: list[str]) -> None:
    assert [author.handle for author in read_authors(fields)] == handles


@pytest.mark.parametrize(
    ("author", "reason"),
    [
        ([["jane"]], "author must be text, not a list"),
        ({"name": ["jane"]}, "author must be text, not a list"),
        ("a\0b", "author must not contain NUL characters or lone surrogates"),
    ],
)
def test_what_names_nobody_is_refused(author: Any, reason: str) -> None:
    with pytest.raises(BadUserInput) as refusal:
        read_authors({"author": author})
    assert str(refusal.value) == reason


@pytest.mark.parametrize(
    ("handle", "username", "full_name"),
    [
        ("parkr", "parkr", None),
        ("mattr-", "mattr-", None),
        ("J.R_R-T", "J.R_R-T", None),
        ("a" * 50, "a" * 50, None),
        ("oe", "oe-author", "oe"),
        ("-", "author", "-"),
        ("🎉", "author", "🎉"),
        ("_jane", "jane", "_jane"),
        ("Jane Doe", "jane-doe", "Jane Doe"),
        ("JANE DOE", "jane-doe", "JANE DOE"),
        ("张伟", "zhang-wei", "张伟"),
        ("Straße AG", "strasse-ag", "Straße AG"),
        ("STRASSE AG", "strasse-ag", "STRASSE AG"),
        ("b" * 51, "b" * 50, "b" * 51),
        ("Ten chars " * 20, "-".join(["ten-chars"] * 5), " ".join(["Ten chars"] * 10)),
    ],
)
def test_a_handle_becomes_a_username(handle: str, username: str, full_name: str | None) -> None:
    author = AuthorName(handle)
    assert author.username == username
    assert author.displayed_name == full_name
    assert author.is_username == (full_name is None)


def test_the_name_beside_a_username_is_the_full_name() -> None:
    (author,) = read_authors({"author": {"username": "jane", "name": "Jane Doe"}})
    assert (author.username, author.displayed_name) == ("jane", "Jane Doe")


def test_a_numbered_username_stays_within_its_length() -> None:
    assert numbered_username("jane", 2) == "jane-2"
    assert numbered_username("a" * 50, 10) == "a" * 47 + "-10"
    assert numbered_username("a" * 47 + "-bc", 2) == "a" * 47 + "-2"
