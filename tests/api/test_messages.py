"""What messages repeat of what a client sent: little of it, and no secrets."""

from __future__ import annotations

import json
import re

import pytest

from tests.support.client import Client

pytestmark = pytest.mark.parametrize("backend", ["memory"], indirect=True)

LOGIN = "mutation ($input: LoginInput!) { login(input: $input) { errors { code } } }"
PASSWORD = "correct horse battery"


async def test_a_long_value_is_cut(client: Client) -> None:
    query = "query ($n: Int) { posts(first: $n) { totalCount } }"
    code, message = await client.refused(query, {"n": "x" * 1_000_000})
    assert code == "BAD_USER_INPUT"
    assert len(message) < 1_000


async def test_a_long_literal_is_cut(client: Client) -> None:
    code, message = await client.refused(f'{{ posts(first: "{"x" * 100_000}") {{ totalCount }} }}')
    assert code == "GRAPHQL_VALIDATION_FAILED"
    assert len(message) == 1_001


@pytest.mark.parametrize(
    "values",
    [
        {"password": PASSWORD},
        {"identifier": "ann", "password": PASSWORD, "more": 1},
        {"identifer": "ann", "password": PASSWORD},
        [{"password": PASSWORD}],
    ],
)
async def test_a_password_is_not_repeated(client: Client, values: object) -> None:
    response = await client.post(LOGIN, {"input": values})
    literal = re.sub(r'"(\w+)":', r"\1:", json.dumps(values))
    inline = await client.post(f"mutation {{ login(input: {literal}) {{ errors {{ code }} }} }}")
    for answer in (response, inline):
        assert "errors" in answer.json()
        assert PASSWORD not in answer.text
        assert "LoginInput" in answer.text


async def test_a_number_of_many_digits_is_refused(client: Client) -> None:
    assert await client.refused(f"{{ posts(first: {'9' * 4_301}) {{ totalCount }} }}") == (
        "GRAPHQL_VALIDATION_FAILED",
        "This number has too many digits.",
    )
