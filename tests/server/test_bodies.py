"""A body that is no operation is the client's mistake, and no traceback of the server's."""

from __future__ import annotations

import gzip
import logging
from typing import Any

import pytest

from tests.support.client import Client


def repr_of(body: bytes) -> str:
    """A short name of a case."""
    return repr(body[:60])


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
        b'{"query": "{ __typename }", "extensions": "x"}',
        b'{"query": "{ __typename }", "variables": {"a": NaN}}',
        b'{"query": "{ __typename }", "variables": {"a": Infinity}}',
        b'{"query": "{ __typename }", "variables": {"a": -Infinity}}',
        b'{"query": "{ __typename }", "variables": {"a": 1e999}}',
        b'{"query": "{ __typename }", "variables": {"a": %s}}' % (b"9" * 5_000),
        b'{"query": "{ __typename }", "variables": %s1}' % (b'{"a":' * 100_000),
        b'{"query": "{ __typename }"} x',
        b'{"query": "{ __typename }",}',
        b"{'query': '{ __typename }'}",
        b'{"query": "{ __\ntypename }"}',
        b'{"query": "{ __typename }\x00"}',
        b'\x00{"query": "{ __typename }"}',
        b'{"query": "\xff"}',
        b'{"query": "\xed\xa0\x80"}',
        '\ufeff{"query": "{ __typename }"}'.encode(),
        '{"query": "{ __typename }"}'.encode("utf-16"),
        '{"query": "{ __typename }"}'.encode("utf-16-le"),
        '{"query": "{ __typename }"}'.encode("utf-32"),
        gzip.compress(b'{"query": "{ __typename }"}', mtime=0),
        b"query=%7B__typename%7D",
        b'{"query": ""}',
        b'{"query": null}',
        b'{"Query": "{ __typename }"}',
        b"[]",
        b'[{"query": "{ __typename }"}]',
        b"{}",
    ],
    ids=repr_of,
)
async def test_what_is_no_operation_is_refused(
    client: Client, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    response = await client.http.post("/graphql", content=body, headers=JSON)
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert error["message"]
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    "body",
    [
        b' \r\n\t{"query": "{ __typename }"}\n',
        b'{"query": "{ __typename }", "operationName": ""}',
        b'{"query": "{ __typename }", "operationName": null, "variables": null}',
        b'{"query": "{ __typename }", "variables": {}, "extensions": null, "x": 1}',
        b'{"query": "{ __typename }", "extensions": {"a": {"b": [1e300]}}}',
        b'{"query": "{", "query": "{ __typename }"}',
        b'{"query": "{ __typename }", "variables": {"\\ud800": "\\udfff\\u0000"}}',
        b'{"query": "# \\ud83d\\ude00 \\u0000\\n{ __typename }"}',
        '{"query": "# 😀\\n{ __typename }"}'.encode(),
        b'{"query": "{ __typename }", "variables": {"a": %s}}' % (b"[" * 500 + b"]" * 500),
        b'{"query": "{ __typename }", "variables": {"a": %s}}' % (b"9" * 4_000),
    ],
    ids=repr_of,
)
async def test_is_served(client: Client, body: bytes) -> None:
    response = await client.http.post("/graphql", content=body, headers=JSON)
    assert (response.status_code, response.json()) == (200, {"data": {"__typename": "Query"}})


def refusal(message: str) -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": {"code": "BAD_USER_INPUT"}}]}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            b"5",
            'The body must be JSON text in UTF-8, such as {"query": "{ posts { totalCount } }"}.',
        ),
        (b"[]", "Send one operation in a request: batches, as arrays of them, are not served."),
        (
            b"{}",
            'Send a GraphQL document as query, such as {"query": "{ posts { totalCount } }"}.',
        ),
        (b'{"query": 5}', "query must be a string."),
        (b'{"query": "{", "operationName": 5}', "operationName must be a string or null."),
        (b'{"query": "{", "variables": []}', "variables must be an object or null."),
        (b'{"query": "{", "extensions": []}', "extensions must be an object or null."),
    ],
)
async def test_the_refusal_says_what_would_be_accepted(
    client: Client, body: bytes, message: str
) -> None:
    response = await client.http.post("/graphql", content=body, headers=JSON)
    assert response.json() == refusal(message)


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
        "application / json",
        ";",
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
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        'Application/JSON ; Charset="utf-8"; x',
        "application/json;",
    ],
)
async def test_json_is_accepted(client: Client, content_type: str) -> None:
    body = '{"query": "{ __typename }", "variables": {"ä": "ö"}}'.encode()
    response = await client.http.post(
        "/graphql", content=body, headers={"Content-Type": content_type}
    )
    assert (response.status_code, response.json()) == (200, {"data": {"__typename": "Query"}})


async def test_two_content_types_are_none(client: Client) -> None:
    headers = [("Content-Type", "application/json"), ("Content-Type", "text/plain")]
    body = b'{"query": "{ __typename }"}'
    response = await client.http.post("/graphql", content=body, headers=headers)
    assert response.status_code == 415


@pytest.mark.parametrize("charset", ["utf-16", "iso-8859-1", "", '"utf-8, x"'])
async def test_another_charset_is_refused(client: Client, charset: str) -> None:
    headers = {"Content-Type": f"application/json; charset={charset}"}
    body = b'{"query": "{ __typename }"}'
    response = await client.http.post("/graphql", content=body, headers=headers)
    assert response.status_code == 415
    assert response.json() == refusal(
        "Send the operation in UTF-8, with Content-Type: application/json."
    )


@pytest.mark.parametrize("encoding", ["gzip", "br", "GZIP", "identity, gzip", "nonsense"])
async def test_a_compressed_body_is_refused(client: Client, encoding: str) -> None:
    body = gzip.compress(b'{"query": "{ __typename }"}', mtime=0)
    headers = JSON | {"Content-Encoding": encoding}
    response = await client.http.post("/graphql", content=body, headers=headers)
    assert (response.status_code, response.headers["accept-encoding"]) == (415, "identity")
    assert response.json() == refusal("Send the body as it is, without a Content-Encoding.")


@pytest.mark.parametrize("encoding", ["", "identity", "Identity"])
async def test_a_body_may_say_that_it_is_as_it_is(client: Client, encoding: str) -> None:
    headers = JSON | {"Content-Encoding": encoding}
    body = b'{"query": "{ __typename }"}'
    response = await client.http.post("/graphql", content=body, headers=headers)
    assert response.status_code == 200
