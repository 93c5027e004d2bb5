"""A body that is no operation is the client's mistake, and no traceback of the server's."""

from __future__ import annotations

import logging

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
    assert response.text
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_another_content_type_is_refused(client: Client) -> None:
    response = await client.http.post(
        "/graphql", content=b"{ __typename }", headers={"Content-Type": "text/plain"}
    )
    assert response.status_code == 400
