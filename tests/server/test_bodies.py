"""A body that is no operation is the client's mistake, and no traceback of the server's."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tests.support.client import Client

pytestmark = pytest.mark.parametrize("backend", ["memory"], indirect=True)
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"5",
        b"null",
        b'"text"',
        b"true",
        b"\xff",
        b"{",
        b"[" * 100_000,
        b'{"query": ' + b"9" * 5_000 + b"}",
        b'{"query": 5}',
        b'{"query": "{ __typename }", "variables": 5}',
        b'{"query": "{ __typename }", "operationName": ["x"]}',
        b'{"query": "{ __typename }", "operationName": 5}',
        b'[{"query": "{ __typename }"}]',
        b"{}",
    ],
)
async def test_is_refused(client: Client, body: bytes, caplog: pytest.LogCaptureFixture) -> None:
    response = await client.http.post("/graphql", content=body, headers=JSON)
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert error["message"]
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def refusal(message: str) -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": {"code": "BAD_USER_INPUT"}}]}


async def test_the_refusal_says_what_would_be_accepted(client: Client) -> None:
    response = await client.http.post("/graphql", content=b"5", headers=JSON)
    assert response.json() == refusal(
        'The body must be JSON text in UTF-8, such as {"query": "{ posts { totalCount } }"}.'
    )


# The first three are what a page of any site may send without the browser asking first.
@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        None,
        "",
        "application/graphql",
        "application/graphql-response+json",
        "application/jsonp",
        "text/plain; a=application/json",
        "application/json, text/plain",
    ],
)
async def test_another_content_type_is_refused(client: Client, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    body = b'{"query": "{ __typename }"}'
    response = await client.http.post("/graphql", content=body, headers=headers)
    assert response.status_code == 415
    assert response.json() == refusal(
        "Send the operation as JSON, with Content-Type: application/json."
    )


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8"],
)
async def test_json_is_accepted(client: Client, content_type: str) -> None:
    body = '{"query": "{ __typename }", "variables": {"ä": "ö"}}'.encode()
    response = await client.http.post(
        "/graphql", content=body, headers={"Content-Type": content_type}
    )
    assert (response.status_code, response.json()) == (200, {"data": {"__typename": "Query"}})


async def test_a_mutation_in_the_address_is_not_run(client: Client) -> None:
    response = await client.http.get("/graphql", params={"query": "mutation { __typename }"})
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert response.json() == refusal("mutations are not allowed when using GET")
