"""The ``graphql-transport-ws`` protocol, message by message; no socket ends with 1006."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.frames import OP_TEXT, Frame

from blog_graphql.db.database import Database
from blog_graphql.db.models import Tag
from tests.support.apps import app_over
from tests.support.backends import only_memory
from tests.support.blog import count_rows
from tests.support.client import Client, connected
from tests.support.sockets import HANDSHAKE, PROTOCOL, Socket, initialised, opened, subscribed

# The protocol does not know which database there is.
pytestmark = only_memory

COUNT = "{ posts { totalCount } }"
FOLLOW = "subscription { postPublished { title } }"
ACK = {"type": "connection_ack"}


@asynccontextmanager
async def client_of(database: Database, **changes: Any) -> AsyncIterator[Client]:
    async with connected(app_over(database, **changes)) as client:
        yield client


async def test_a_query_is_a_result_and_its_end(client: Client) -> None:
    async with initialised(client.http) as socket:
        for key in ("1", "1", "é\ud800"):
            await socket.subscribe(COUNT, key=key)
            assert await socket.receive() == {
                "id": key,
                "type": "next",
                "payload": {"data": {"posts": {"totalCount": 0}}},
            }
            assert await socket.receive() == {"id": key, "type": "complete"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nonsense }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { id } query B { id }", "BAD_USER_INPUT"),
        ("{" + "a{" * 40 + "b" + "}" * 41, "QUERY_TOO_COMPLEX"),
        (
            "subscription { postPublished { id } postChanged(id: 1) { id } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
    ],
)
async def test_what_does_not_run_is_an_error_and_the_socket_goes_on(
    client: Client, query: str, code: str
) -> None:
    async with initialised(client.http) as socket:
        await socket.subscribe(query)
        assert (await socket.refused())[0] == code
        await socket.subscribe("{ __typename }")
        assert await socket.data() == {"__typename": "Query"}


async def test_errors_of_fields_come_with_the_data(client: Client) -> None:
    async with initialised(client.http) as socket:
        await socket.subscribe("{ posts(first: 200) { totalCount } tags { totalCount } }")
        message = await socket.receive()
    assert message["type"] == "next"
    (error,) = message["payload"]["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}


async def test_pings_are_answered_before_and_after_the_beginning(client: Client) -> None:
    async with opened(client.http) as socket:
        await socket.send("ping")
        assert await socket.receive() == {"type": "pong"}
        await socket.send("connection_init")
        assert await socket.receive() == ACK
        await socket.send("pong", payload={"a": 1})
        await socket.send("ping", payload={"a": 1})
        assert await socket.receive() == {"type": "pong", "payload": {"a": 1}}


SUBSCRIBE = {"type": "subscribe", "id": "1", "payload": {"query": COUNT}}
TYPES = "Unknown message type"
OBJECTS = "Messages must be JSON objects"
JSON = "Messages must be JSON"
PAYLOADS = "A payload must be an object"
IDS = "An id must be a string of 1 to 1,000 characters"


def subscribe(**parts: Any) -> str:
    return json.dumps(SUBSCRIBE | parts)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("", JSON),
        ("nonsense", JSON),
        ("{", JSON),
        ('{"type": NaN}', JSON),
        ('{"type": 1e999}', JSON),
        ("1" * 5_000, JSON),
        ("[" * 100_000, JSON),
        ('{"a":' * 100_000, JSON),
        ("null", OBJECTS),
        ("[]", OBJECTS),
        ('"ping"', OBJECTS),
        ("5", OBJECTS),
        ("{}", TYPES),
        ('{"type": null}', TYPES),
        ('{"type": ["ping"]}', TYPES),
        ('{"type": {}}', TYPES),
        ('{"type": "start"}', TYPES),
        ('{"type": "connection_ack"}', TYPES),
        ('{"type": "next"}', TYPES),
        ('{"type": "ping", "payload": 5}', PAYLOADS),
        ('{"type": "pong", "payload": []}', PAYLOADS),
        ('{"type": "complete"}', IDS),
        ('{"type": "complete", "id": 1}', IDS),
        ('{"type": "complete", "id": []}', IDS),
        (subscribe(id=None), IDS),
        (subscribe(id=1), IDS),
        (subscribe(id=""), IDS),
        (subscribe(id={}), IDS),
        (subscribe(id="x" * 1_001), IDS),
        (subscribe(payload=None), "Send a GraphQL document as query"),
        (subscribe(payload=[]), PAYLOADS),
        (subscribe(payload="x"), PAYLOADS),
        (subscribe(payload={}), "Send a GraphQL document as query"),
        (subscribe(payload={"query": None}), "Send a GraphQL document as query"),
        (subscribe(payload={"query": 5}), "query must be a string."),
        (subscribe(payload={"query": [COUNT]}), "query must be a string."),
        (subscribe(payload={"query": COUNT, "variables": [1]}),
         "variables must be an object or null."),
        (subscribe(payload={"query": COUNT, "operationName": 5}),
         "operationName must be a string or null."),
        (subscribe(payload={"query": COUNT, "extensions": "x"}),
         "extensions must be an object or null."),
        (b"\x00\x01", "Messages must be text, not binary"),
        (b"{}", "Messages must be text, not binary"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_initialised", [False, True])
async def test_a_malformed_message_closes_with_4400(
    database: Database, data: str | bytes, reason: str, is_initialised: bool
) -> None:
    opening = initialised if is_initialised else opened
    async with client_of(database) as client, opening(client.http) as socket:
        await socket.send_raw(data)
        code, given = await socket.closed()
    assert code == 4400
    assert given.startswith(reason)


async def test_the_payload_of_the_beginning_is_an_object(client: Client) -> None:
    async with opened(client.http) as socket:
        await socket.send("connection_init", payload="x")
        assert await socket.closed() == (4400, PAYLOADS)


@pytest.mark.parametrize("size", [101, 1_001, 100_000])
async def test_a_message_too_large_closes_with_4400(database: Database, size: int) -> None:
    async with (
        client_of(database, max_body_bytes=100) as client,
        initialised(client.http) as socket,
    ):
        await socket.send_raw(subscribe(payload={"query": "x" * size}))
        code, _ = await socket.closed()
    assert code == 4400


async def test_the_client_learns_it_while_it_is_still_sending(client: Client) -> None:
    """Uvicorn stops reading a message of more than 16 MiB at its first bytes."""
    url = client.http.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(HANDSHAKE)
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    writer.write(b"\x81\xff" + (2**25).to_bytes(8) + bytes(4))
    for _ in range(32):
        writer.write(bytes(2**20))
        await writer.drain()
    async with asyncio.timeout(30):
        opcode, length, code = struct.unpack("!BBH", await reader.readexactly(4))
        assert (opcode, code) == (0x88, 4400)
        assert len(await reader.read()) == length - 2
    writer.close()


async def test_text_that_is_no_utf_8_closes_with_4400(client: Client) -> None:
    async with initialised(client.http) as socket:
        connection: Any = socket.connection
        frame = Frame(OP_TEXT, b'{"type": "\xff"}')
        connection.transport.write(frame.serialize(mask=True))
        assert await socket.closed() == (4400, "Messages must be UTF-8")


async def test_an_operation_needs_the_beginning(client: Client, database: Database) -> None:
    async with opened(client.http) as socket:
        await socket.subscribe('mutation { createTag(input: {name: "a"}) { tag { name } } }')
        assert await socket.closed() == (4401, "Unauthorized")
    assert await count_rows(database, Tag) == 0


async def test_there_is_one_beginning(client: Client) -> None:
    async with initialised(client.http) as socket:
        await socket.send("connection_init")
        assert await socket.closed() == (4429, "Too many initialisation requests")


async def test_who_does_not_begin_in_time_is_closed(database: Database) -> None:
    async with client_of(database, socket_init_timeout=0.1) as client:
        async with opened(client.http) as socket:
            assert await socket.closed() == (4408, "Connection initialisation timeout")
        async with initialised(client.http) as socket:
            await socket.subscribe("{ __typename }")
            assert await socket.data() == {"__typename": "Query"}


async def test_an_id_is_used_once_at_a_time(client: Client, app: FastAPI) -> None:
    async with initialised(client.http) as socket:
        await socket.subscribe(FOLLOW, key="x" * 1_000)
        await subscribed(app)
        await socket.subscribe(FOLLOW, key="x" * 1_000)
        code, reason = await socket.closed()
    assert (code, reason) == (4409, "Subscriber for " + "x" * 108)
    await subscribed(app, 0)


async def test_complete_ends_an_operation_and_frees_its_id(client: Client, app: FastAPI) -> None:
    async with initialised(client.http) as socket:
        for _ in range(3):
            await socket.subscribe(FOLLOW)
            await subscribed(app)
            await socket.send("complete", id="1")
            await subscribed(app, 0)
        await socket.send("complete", id="unknown")
        await socket.ping()


async def test_a_socket_runs_so_many_operations(database: Database) -> None:
    async with (
        client_of(database, max_socket_operations=2) as client,
        initialised(client.http) as socket,
    ):
        for key in ("1", "2", "3"):
            await socket.subscribe(FOLLOW, key=key)
        assert await socket.receive() == {
            "id": "3",
            "type": "error",
            "payload": [
                {
                    "message": "The socket has 2 operations running, the most that it may have.",
                    "extensions": {"code": "RATE_LIMITED"},
                }
            ],
        }


@pytest.mark.parametrize("protocol", [None, "graphql-ws", "nonsense"])
async def test_another_protocol_is_not_spoken(client: Client, protocol: Any) -> None:
    async with opened(client.http, protocol=protocol) as socket:
        assert await socket.closed() == (
            4406,
            "Subprotocol not acceptable: ask for graphql-transport-ws",
        )


async def refused_handshake(http: httpx.AsyncClient, **options: Any) -> Any:
    url = str(http.base_url.copy_with(scheme="ws", path="/graphql"))
    with pytest.raises(InvalidStatus) as refusal:
        async with connect(url, subprotocols=[PROTOCOL], **options):
            pass
    return refusal.value.response


@pytest.mark.parametrize(
    ("setting", "status", "code"),
    [
        ("max_sockets", 503, "SERVICE_UNAVAILABLE"),
        ("max_sockets_by_address", 429, "RATE_LIMITED"),
    ],
)
async def test_a_socket_too_many_is_refused(
    database: Database, setting: str, status: int, code: str
) -> None:
    async with client_of(database, **{setting: 2}) as client:
        async with AsyncExitStack() as stack:
            for _ in range(2):
                await stack.enter_async_context(initialised(client.http))
            response = await refused_handshake(client.http)
        assert response.status_code == status
        (error,) = json.loads(response.body)["errors"]
        assert error["extensions"]["code"] == code
        assert "X-Request-ID" in response.headers
        assert ("Retry-After" in response.headers) is (status == 429)


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ("max_subscriptions", "SERVICE_UNAVAILABLE"),
        ("max_subscriptions_by_address", "RATE_LIMITED"),
    ],
)
async def test_a_subscription_too_many_is_refused(
    database: Database, setting: str, code: str
) -> None:
    async with (
        client_of(database, **{setting: 1}) as client,
        initialised(client.http) as first,
        initialised(client.http) as second,
    ):
        await first.subscribe(FOLLOW)
        await first.ping()
        await second.subscribe(FOLLOW)
        assert (await second.refused())[0] == code
        await second.subscribe(COUNT)
        assert await second.data() == {"posts": {"totalCount": 0}}


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://app.example:8443"])
async def test_pages_of_other_sites_open_no_socket(database: Database, origin: str) -> None:
    async with client_of(database, cors_origins=("https://app.example",)) as client:
        response = await refused_handshake(client.http, origin=origin)
    assert response.status_code == 403
    (error,) = json.loads(response.body)["errors"]
    assert error["extensions"] == {"code": "FORBIDDEN"}
    assert "X-Request-ID" in response.headers


async def test_pages_that_may_do(database: Database) -> None:
    async with client_of(database, cors_origins=("https://app.example",)) as client:
        own = str(client.http.base_url).rstrip("/")
        for origin in (own, "https://app.example"):
            async with initialised(client.http, origin=origin):
                pass


async def test_who_hangs_up_leaves_nothing(client: Client, app: FastAPI) -> None:
    async with initialised(client.http) as socket:
        for key in ("1", "2"):
            await socket.subscribe(FOLLOW, key=key)
        await subscribed(app, 2)
        socket.connection.transport.abort()
    await subscribed(app, 0)
    services = app.state.services
    assert services.subscriptions.count == 0


async def test_the_server_that_stops_says_so(database: Database) -> None:
    async with AsyncExitStack() as outer:
        async with client_of(database) as client:
            socket: Socket = await outer.enter_async_context(initialised(client.http))
            await socket.subscribe(FOLLOW)
            await socket.ping()
        assert (await socket.closed())[0] == 1012
