"""Whatever is sent over HTTP, the answer is well-formed, and nothing of it is an error of ours."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.types import Message

from blog_graphql.db.database import Database
from tests.support.apps import app_over

# Seconds after which an answer is given up.
PATIENCE = 60
# Seldom read by machines, and always by the client that sent it.
STATUSES = {200, 204, 307, 400, 401, 404, 405, 406, 413, 415}


@dataclass(frozen=True)
class Sent:
    """A request, as it comes out of an HTTP parser."""

    method: str = "POST"
    path: str = "/graphql"
    query_string: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ((b"content-type", b"application/json"),)
    body: bytes = b""


class Exchange:
    """One request, and all that is answered; whoever gets a stream hangs up."""

    def __init__(self, sent: Sent) -> None:
        self._sent = sent
        self._left = [sent.body[:7], sent.body[7:]]
        self._gone = asyncio.Event()
        self._start: Message = {}
        self.content = b""
        self.is_complete = False

    @property
    def status(self) -> int:
        status: int = self._start["status"]
        return status

    @property
    def headers(self) -> Headers:
        return Headers(raw=self._start["headers"])

    async def run(self, app: FastAPI) -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": self._sent.method,
            "scheme": "http",
            "path": self._sent.path,
            "raw_path": self._sent.path.encode(errors="replace"),
            "root_path": "",
            "query_string": self._sent.query_string,
            "headers": list(self._sent.headers),
            "client": ("10.0.0.1", 1234),
            "server": ("10.0.0.2", 8000),
        }
        async with asyncio.timeout(PATIENCE):
            await app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        if self._left:
            body = self._left.pop(0)
            return {"type": "http.request", "body": body, "more_body": bool(self._left)}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            assert not self._start
            self._start = message
            return
        assert not self.is_complete
        self.content += message.get("body", b"")
        self.is_complete = not message.get("more_body", False)
        if not self.is_complete:
            self._gone.set()


def check(sent: Sent, answer: Exchange) -> None:
    """Whether an answer is what some client can read."""
    headers = answer.headers
    assert answer.is_complete
    assert answer.status in STATUSES
    assert ("allow" in headers) == (answer.status in {204, 405})
    if "content-length" in headers:
        assert headers["content-length"] == str(len(answer.content))
    if answer.status in {204, 307}:
        assert answer.content == b""
        assert answer.status == 204 or headers["location"]
        return
    media_type = headers["content-type"].partition(";")[0]
    if media_type == "text/event-stream":
        assert answer.content.startswith(b":\n\n")
        assert answer.content.endswith(b"\n\n")
    elif media_type == "multipart/mixed":
        assert answer.content.startswith(b"--graphql\r\n")
        assert answer.content.endswith((b"--graphql", b"--graphql--\r\n"))
    elif media_type in {"text/html", "text/plain"}:
        assert sent.method in {"GET", "HEAD"}
    elif sent.path in {"/", "/health", "/ready"} and answer.status == 200:
        assert json.loads(answer.content)
    else:
        assert media_type in {"application/json", "application/graphql-response+json"}
        check_graphql(json.loads(answer.content), answer.status)


def check_graphql(body: Any, status: int) -> None:
    assert {"data", "errors"} & set(body)
    assert set(body) <= {"data", "errors"}
    assert "data" in body or body["errors"]
    if "errors" not in body:
        assert status == 200
    for error in body.get("errors", ()):
        assert isinstance(error["message"], str)
        assert error["extensions"]["code"] != "INTERNAL_SERVER_ERROR"


DOCUMENTS = st.sampled_from(
    [
        "{ __typename }",
        "{ posts(first: 1) { nodes { title } } }",
        "query ($v: Int) { posts(first: $v) { totalCount } }",
        "query ($v: ID!) { node(id: $v) { id } }",
        "query ($v: PostFilter) { posts(filter: $v) { totalCount } }",
        "query ($v: DateTime!) { posts(filter: {createdAt: {gt: $v}}) { totalCount } }",
        "query a { __typename } query b { __typename }",
        "mutation ($v: CreatePostInput!) { createPost(input: $v) { errors { code } } }",
        "mutation { recordPostView(input: {id: 5}) { errors { code } } }",
        "subscription { postPublished { title } }",
        "subscription ($v: ID!) { postChanged(id: $v) { title } }",
        "{ __schema { types { name } } }",
        "{ nothing }",
        "{",
        "",
        "fragment F on Query { ...F }",
    ]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**31, -(2**63), 2**64, 10**400]),
    st.floats(),
    st.text(),
    st.sampled_from(["\ud800", "\x00", "\ufeff", "UG9zdDox", "2026-01-01T00:00:00Z"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "eq", "in", "title", "v", "\ud800"]) | st.text(), inner
        )
    ),
    max_leaves=8,
)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "query": DOCUMENTS | VALUES,
        "variables": st.fixed_dictionaries({"v": VALUES}) | VALUES,
        "operationName": st.sampled_from(["a", "b", "c", ""]) | VALUES,
        "extensions": VALUES,
        "other": VALUES,
    },
)
# What was meant, in every encoding, cut off, and with something in it.
TEXTS = (BODIES | VALUES | st.lists(BODIES)).map(json.dumps)
ENCODED = st.builds(
    str.encode,
    TEXTS,
    st.sampled_from(["utf-8"] * 8 + ["utf-16", "utf-16-be", "utf-32", "utf-8-sig", "utf-7"]),
)
CUT = st.builds(
    lambda body, at, noise: body[: at % (len(body) + 1)] + noise + body[at % (len(body) + 1) :],
    ENCODED,
    st.integers(0, 10_000),
    st.sampled_from([b"", b"\x00", b"\xff", b"\\ud800", b'"', b"{", b"[" * 5_000, b"9" * 5_000])
    | st.binary(max_size=5),
)
PARAMETERS = st.lists(
    st.tuples(
        st.sampled_from(["query", "variables", "operationName", "extensions", "token", "x"]),
        DOCUMENTS | TEXTS | st.text(),
    ),
    max_size=5,
)


def in_address(parameters: list[tuple[str, str]]) -> bytes:
    """A query string, of texts that not every client would escape like this."""
    return b"&".join(
        name.encode() + b"=" + b"".join(b"%%%02X" % byte for byte in text.encode(errors="replace"))
        for name, text in parameters
    )


MEDIA_TYPES = st.sampled_from(
    [
        "application/json",
        "application/graphql-response+json",
        "text/event-stream",
        "multipart/mixed;subscriptionSpec=1.0",
        "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json",
        "text/html",
        "*/*",
        "application/*;q=0.1",
        "application/json;q=0",
        "application/json; charset=utf-16",
        'application/json; charset="utf-8',
        "text/plain",
        "multipart/form-data; boundary=x",
        "",
        ",",
        ";q=",
        '"',
    ]
)
HEADER_TEXTS = st.one_of(
    MEDIA_TYPES.map(str.encode),
    st.lists(MEDIA_TYPES, min_size=2, max_size=4).map(", ".join).map(str.encode),
    st.binary(max_size=20),
)
HEADERS = st.lists(
    st.one_of(
        st.tuples(st.just(b"accept"), HEADER_TEXTS),
        st.tuples(st.sampled_from([b"content-type", b"accept", b"host"]), HEADER_TEXTS),
        st.sampled_from(
            [
                (b"content-type", b"application/json"),
                (b"accept-encoding", b"gzip"),
                (b"accept-encoding", b"gzip;q=0"),
                (b"content-encoding", b"gzip"),
                (b"content-length", b"99999999999999999999999999"),
                (b"content-length", b"-1"),
                (b"authorization", b"Bearer x"),
                (b"authorization", b"\xff\x00"),
                (b"origin", b"null"),
                (b"last-event-id", b"5"),
                (b"x-graphql-event-stream-token", b"x"),
                (b"x-request-id", b"\r\nx: y"),
            ]
        ),
    ),
    max_size=4,
).map(tuple)
JSON_HEADERS = HEADERS.map(lambda headers: ((b"content-type", b"application/json"), *headers))
METHODS = st.sampled_from(
    ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "QUERY", "\xe4"]
)
PATHS = st.sampled_from(
    [
        "/graphql",
        "/graphql/",
        "/",
        "",
        "*",
        "/health",
        "/ready",
        "/nowhere",
        "/\ud800",
        "/graphql\x00",
    ]
)


@pytest.fixture
def app(database: Database) -> FastAPI:
    return app_over(database, cors_origins=("https://blog.example",))


EVERYTHING = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150
)
ON_ONE = pytest.mark.parametrize("backend", ["memory"], indirect=True)


async def exchange(app: FastAPI, sent: Sent, caplog: pytest.LogCaptureFixture) -> None:
    answer = Exchange(sent)
    await answer.run(app)
    check(sent, answer)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@ON_ONE
@EVERYTHING
@given(body=CUT | st.binary(), headers=JSON_HEADERS)
@example(body=b'{"query": "{ __typename }"}', headers=((b"content-type", b"application/json"),))
async def test_any_body(
    app: FastAPI,
    caplog: pytest.LogCaptureFixture,
    body: bytes,
    headers: tuple[tuple[bytes, bytes], ...],
) -> None:
    await exchange(app, Sent(headers=headers, body=body), caplog)


@ON_ONE
@EVERYTHING
@given(body=BODIES, accept=HEADER_TEXTS)
async def test_any_operation(
    app: FastAPI, caplog: pytest.LogCaptureFixture, body: dict[str, Any], accept: bytes
) -> None:
    headers = ((b"content-type", b"application/json"), (b"accept", accept))
    await exchange(app, Sent(headers=headers, body=json.dumps(body).encode()), caplog)


@ON_ONE
@EVERYTHING
@given(
    method=METHODS,
    path=PATHS,
    query_string=PARAMETERS.map(in_address) | st.binary(),
    headers=HEADERS,
    body=ENCODED | st.just(b""),
)
async def test_any_request(
    app: FastAPI,
    caplog: pytest.LogCaptureFixture,
    method: str,
    path: str,
    query_string: bytes,
    headers: tuple[tuple[bytes, bytes], ...],
    body: bytes,
) -> None:
    await exchange(app, Sent(method, path, query_string, headers, body), caplog)


@ON_ONE
@EVERYTHING
@given(parameters=PARAMETERS, accept=HEADER_TEXTS)
async def test_any_address(
    app: FastAPI,
    caplog: pytest.LogCaptureFixture,
    parameters: list[tuple[str, str]],
    accept: bytes,
) -> None:
    headers = ((b"accept", accept),)
    await exchange(app, Sent("GET", "/graphql", in_address(parameters), headers), caplog)
