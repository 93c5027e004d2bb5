"""Operations in the address: queries by GET."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from blog_graphql.db.database import Database
from tests.support.apps import app_over, asking

pytestmark = pytest.mark.parametrize("backend", ["memory"], indirect=True)

NAMED = "query a { a: __typename } query b($n: Int) { b: posts(first: $n) { totalCount } }"
NO_QUERY = 'Send a GraphQL document as query, such as {"query": "{ posts { totalCount } }"}.'


@pytest.fixture
async def http(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with asking(app_over(database)) as http:
        yield http


@pytest.mark.parametrize(
    ("params", "data"),
    [
        ({"query": "{ __typename }"}, {"__typename": "Query"}),
        ({"query": NAMED, "operationName": "a"}, {"a": "Query"}),
        (
            {"query": NAMED, "operationName": "b", "variables": '{"n": 5}', "extensions": "{}"},
            {"b": {"totalCount": 0}},
        ),
        (
            {"query": "{ __typename }", "operationName": "", "variables": "", "extensions": ""},
            {"__typename": "Query"},
        ),
        ({"query": "{ __typename }", "variables": "null", "x": "{"}, {"__typename": "Query"}),
        ({"query": "# ä😀+%\n{ __typename }"}, {"__typename": "Query"}),
    ],
)
async def test_is_served(http: httpx.AsyncClient, params: dict[str, str], data: Any) -> None:
    response = await http.get("/graphql", params=params)
    assert (response.status_code, response.json()) == (200, {"data": data})
    head = await http.head("/graphql", params=params)
    assert head.status_code == 200
    assert head.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("query_string", "message"),
    [
        ("", NO_QUERY),
        ("query", NO_QUERY),
        ("query=", NO_QUERY),
        ("Query={__typename}", NO_QUERY),
        ("variables={}", NO_QUERY),
        ("query={__typename}&query={__typename}", "query is there more than once."),
        ("query={a}&variables={}&variables={}", "variables is there more than once."),
        ("query={a}&variables=x", 'variables must be JSON text, such as {"first": 10}.'),
        (
            "query={a}&variables={%22a%22:NaN}",
            'variables must be JSON text, such as {"first": 10}.',
        ),
        ("query={a}&extensions=[", 'extensions must be JSON text, such as {"first": 10}.'),
        ("query={a}&variables=[]", "variables must be an object or null."),
        ("query={a}&extensions=5", "extensions must be an object or null."),
        ("query=%ff", "The address must be percent-encoded UTF-8."),
        ("x=%80&query={__typename}", "The address must be percent-encoded UTF-8."),
    ],
)
async def test_is_refused(http: httpx.AsyncClient, query_string: str, message: str) -> None:
    response = await http.get(f"/graphql?{query_string}")
    assert response.status_code == 400
    assert response.json() == {
        "errors": [{"message": message, "extensions": {"code": "BAD_USER_INPUT"}}]
    }


async def test_a_document_that_is_no_graphql_is_told_so(http: httpx.AsyncClient) -> None:
    response = await http.get("/graphql", params={"query": "{"})
    assert response.status_code == 200
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "GRAPHQL_PARSE_FAILED"}


@pytest.mark.parametrize(
    "params",
    [
        {"query": "mutation { __typename }"},
        {"query": "query a { __typename } mutation b { __typename }", "operationName": "b"},
    ],
)
async def test_a_mutation_is_not_run(http: httpx.AsyncClient, params: dict[str, str]) -> None:
    response = await http.get("/graphql", params=params)
    head = await http.head("/graphql", params=params)
    assert (head.status_code, head.headers["allow"]) == (405, "POST")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert response.json() == {
        "errors": [
            {
                "message": "mutations are not allowed when using GET",
                "extensions": {"code": "BAD_USER_INPUT"},
            }
        ]
    }
