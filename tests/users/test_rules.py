"""What a username, an email, a password and a profile may be."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from email_validator import SPECIAL_USE_DOMAIN_NAMES
from hypothesis import given
from hypothesis import strategies as st

from blog_graphql.errors import Problem, ProblemCode, Rejected
from blog_graphql.users.rules import (
    check_bio,
    check_email,
    check_full_name,
    check_password,
    check_username,
    is_username,
)
from blog_graphql.validation import Problems

Check = Callable[..., object]

USERNAME = (
    "username must have 3 to 50 characters out of A-Z, a-z, 0-9, _, . and -, and begin with a "
    "letter or a digit."
)
EMAIL = "email must be an email address, such as jane@example.org."


def problems_of(check: Check, text: str, name: str) -> list[str]:
    """The messages, each about the one field."""
    problems = Problems()
    assert check(problems, text, name) is not bool(problems)
    assert all(problem.code is ProblemCode.INVALID for problem in problems)
    assert all(problem.field == (name,) for problem in problems)
    return [problem.message for problem in problems]


@pytest.mark.parametrize("text", ["jane", "Jane", "007", "a_b", "a.b-c", "a--", "x" * 50])
def test_a_username(text: str) -> None:
    assert problems_of(check_username, text, "username") == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ab",
        "x" * 51,
        "_jane",
        ".jane",
        "-jane",
        "ja ne",
        "jane\n",
        "jané",
        "ｊａｎｅ",
        "٠١٢",
        "ja\x00ne",
    ],
)
def test_what_is_no_username(text: str) -> None:
    assert problems_of(check_username, text, "username") == [USERNAME]


@given(st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_.-]{2,49}\Z"))
def test_every_such_text_is_a_username(text: str) -> None:
    assert is_username(text)


@pytest.mark.parametrize(
    "text",
    [
        "jane@example.org",
        "Jane.Doe+blog@EXAMPLE.org",
        "o'neil@example.org",
        "jane@localhost",
        "jane@mail.localhost",
        "jane@blog.test",
        "jane@printer.local",
        "jane@intranet",
        "jäne@bücher.example",
        "用户@例え.jp",
        f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 57}.org",
    ],
)
def test_an_email(text: str) -> None:
    assert problems_of(check_email, text, "email") == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "jane",
        "jane@",
        "@example.org",
        "jane@@example.org",
        "jane doe@example.org",
        " jane@example.org",
        "jane@example.org\n",
        "jane@example..org",
        "jane@.org",
        "jane@-example.org",
        "jane@example_.org",
        "Jane <jane@example.org>",
        '"jane doe"@example.org',
        "jane@[127.0.0.1]",
        "jane@example.org, joe@example.org",
        "jane@example.org\r\nBcc: joe@example.org",
        f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 58}.org",
    ],
)
def test_what_is_no_email(text: str) -> None:
    assert problems_of(check_email, text, "email") == [EMAIL]


def test_other_users_of_the_library_are_left_alone() -> None:
    assert problems_of(check_email, "jane@localhost", "email") == []
    assert "localhost" in SPECIAL_USE_DOMAIN_NAMES


@pytest.mark.parametrize(
    ("check", "name", "shortest", "longest"),
    [
        (check_password, "password", 8, 128),
        (check_full_name, "fullName", 0, 100),
        (check_bio, "bio", 0, 10_000),
    ],
)
def test_lengths_are_counted_in_characters(
    check: Check, name: str, shortest: int, longest: int
) -> None:
    assert problems_of(check, "😀" * shortest, name) == []
    assert problems_of(check, "😀" * longest, name) == []
    bounds = f"{shortest} to {longest:,}" if shortest else f"at most {longest:,}"
    assert problems_of(check, "😀" * (longest + 1), name) == [
        f"{name} must have {bounds} characters; it has {longest + 1:,}."
    ]


def test_a_short_password_is_not_repeated() -> None:
    assert problems_of(check_password, "hunter2", "newPassword") == [
        "newPassword must have 8 to 128 characters; it has 7."
    ]


def test_a_long_email() -> None:
    assert problems_of(check_email, "a" * 256, "email") == [
        "email must have at most 255 characters; it has 256."
    ]


@pytest.mark.parametrize("check", [check_email, check_password, check_full_name, check_bio])
@pytest.mark.parametrize("character", ["\x00", "\udfff"])
def test_what_no_database_can_hold(check: Check, character: str) -> None:
    assert problems_of(check, f"jane{character}@example.org", "it") == [
        "it must not contain NUL (U+0000) or lone surrogates."
    ]


@given(st.text())
def test_no_text_is_too_odd_to_be_checked(text: str) -> None:
    for check in (check_username, check_email, check_password, check_full_name, check_bio):
        assert len(problems_of(check, text, "it")) <= 1


def test_problems_add_up_under_their_paths() -> None:
    problems = Problems()
    check_username(problems, "é", "users", "3", "username")
    check_email(problems, "é", "users", "3", "email")
    check_password(problems, "secret", "users", "3", "password")
    with pytest.raises(Rejected) as refused:
        problems.raise_any()
    invalid = ProblemCode.INVALID
    assert refused.value.problems == (
        Problem(invalid, USERNAME, ("users", "3", "username")),
        Problem(invalid, EMAIL, ("users", "3", "email")),
        Problem(
            invalid,
            "password must have 8 to 128 characters; it has 6.",
            ("users", "3", "password"),
        ),
    )
