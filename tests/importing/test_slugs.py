"""Slugs."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog_graphql.slugs import MAX_SLUG_LENGTH, slugify_title, unused_slug


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Hello, World!", "hello-world"),
        ("  What's new in 4.0?  ", "what-s-new-in-4-0"),
        ("Grüße aus Köln", "grusse-aus-koln"),
        ("你好", "ni-hao"),
        ("snake_case--and---dashes", "snake-case-and-dashes"),
        ("", "post"),
        ("!?!", "post"),
        ("🎉", "post"),
        ("a" * 300, "a" * 200),
        ("a" * 199 + " b", "a" * 199),
    ],
)
def test_a_text_becomes_a_slug(text: str, slug: str) -> None:
    assert slugify_title(text) == slug


@given(st.text())
def test_every_text_gives_a_valid_slug(text: str) -> None:
    slug = slugify_title(text)
    assert re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", slug)
    assert len(slug) <= MAX_SLUG_LENGTH


@pytest.mark.parametrize(
    ("slug", "taken", "unused"),
    [
        ("a", set(), "a"),
        ("a", {"b", "a-2"}, "a"),
        ("a", {"a"}, "a-2"),
        ("a", {"a", "a-2", "a-4"}, "a-3"),
        ("a" * 200, {"a" * 200}, "a" * 198 + "-2"),
        ("a" * 197 + "-bc", {"a" * 197 + "-bc"}, "a" * 197 + "-2"),
    ],
)
def test_a_taken_slug_gets_a_number(slug: str, taken: set[str], unused: str) -> None:
    assert unused_slug(slug, taken) == unused
