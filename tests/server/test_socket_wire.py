"""Sockets frame by frame: clients that do not behave, or do not read, and the server's end."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest
from fastapi import FastAPI
from websockets.frames import OP_CLOSE, OP_CONT, OP_PING, OP_TEXT

from blog_graphql.api.node import encode_id
from blog_graphql.api.socket_protocol import SocketProtocol
from blog_graphql.db.database import Database
from blog_graphql.db.models import Post
from blog_graphql.db.writing import transact
from blog_graphql.posts.subscriptions import ChangedPost
from tests.support.apps import app_over
from tests.support.backends import only_memory
from tests.support.blog import Blog, count_rows
from tests.support.client import Client, connected
from tests.support.sockets import (
    HANDSHAKE,
    Socket,
    Wire,
    begun,
    frame,
    initialised,
    message,
    subscribed,
    until,
    wired,
)
from tests.support.statements import recorded_statements

# The wire does not know which database there is.
pytestmark = only_memory

FOLLOW = "subscription { postPublished { title } }"
CREATE = """
  mutation { createPost(input: {title: "T", content: "x"}) { errors { code } } }
"""
# More than the system keeps of what is not read, and less than asyncio keeps gladly.
LARGE = 60_000


class Protocols(list[SocketProtocol]):
    """Those of the sockets that are open, each of which has little room of the system's."""

    @property
    def only(self) -> SocketProtocol:
        (protocol,) = self
        return protocol

    async def waited_for(self) -> None:
        """Wait until something is written that the client does not read."""
        await until(self[-1].transport.get_write_buffer_size)

    async def congested(self) -> SocketProtocol:
        """The last one, once nothing more can be written to it."""
        protocol = self[-1]
        await until(lambda: not protocol.writable.is_set())
        return protocol


@pytest.fixture(autouse=True)
def protocols(monkeypatch: pytest.MonkeyPatch) -> Protocols:
    made = Protocols()

    class Watched(SocketProtocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            system = transport.get_extra_info("socket")
            system.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
            made.append(self)

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            made.remove(self)

    monkeypatch.setattr("tests.support.client.SocketProtocol", Watched)
    return made


def ping(size: int = LARGE) -> bytes:
    """A message that is answered by one as large."""
    return message("ping", payload={"a": "x" * size})


def subscribe(query: str, key: str = "1") -> bytes:
    return message("subscribe", id=key, payload={"query": query})


def check_quiet(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert "Traceback" not in capsys.readouterr().err


async def nobody_is_left(app: FastAPI, protocols: Protocols) -> None:
    services = app.state.services
    await until(lambda: not (protocols or services.sockets.count or services.subscriptions.count))


async def test_who_no_longer_reads_nor_answers_is_let_go(
    database: Database, protocols: Protocols
) -> None:
    app = app_over(database)
    impatient = {"ws_ping_interval": 0.1, "ws_ping_timeout": 0.1}
    async with connected(app, **impatient) as client, begun(client.http) as wire:
        protocols.only.close_timeout = 0.1
        wire.write(subscribe(FOLLOW))
        wire.stop_reading()
        wire.write(ping(), ping(), ping())
        await nobody_is_left(app, protocols)


async def test_who_no_longer_answers_ends_before_the_connection_does(
    database: Database, protocols: Protocols
) -> None:
    app = app_over(database)
    impatient = {"ws_ping_interval": 0.1, "ws_ping_timeout": 0.1}
    async with connected(app, **impatient) as client, begun(client.http) as wire:
        protocols.only.close_timeout = 60
        wire.stop_reading()
        wire.write(ping())
        await until(lambda: app.state.services.sockets.count == 0)
        assert len(protocols) == 1


async def test_who_reads_again_when_it_was_given_up_is_no_bug(
    database: Database,
    protocols: Protocols,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    impatient = {"ws_ping_interval": 0.1, "ws_ping_timeout": 0.1}
    app = app_over(database)
    async with connected(app, **impatient) as client, begun(client.http) as wire:
        wire.stop_reading()
        wire.write(ping(), ping(), ping())
        protocol = await protocols.congested()
        await until(lambda: protocol.close_sent)
        # Reset, if the server had not read all.
        with suppress(ConnectionResetError):
            await wire.rest()
        await nobody_is_left(app, protocols)
    check_quiet(caplog, capsys)


async def test_who_does_not_read_why_the_socket_is_closed_is_let_go(
    client: Client, app: FastAPI, protocols: Protocols
) -> None:
    async with begun(client.http) as wire:
        protocols.only.close_timeout = 0.1
        wire.stop_reading()
        wire.write(ping(), frame(OP_TEXT, b"nonsense"))
        await nobody_is_left(app, protocols)


async def test_who_closes_and_does_not_read_the_rest_is_let_go(
    client: Client, app: FastAPI, protocols: Protocols
) -> None:
    async with begun(client.http) as wire:
        protocols.only.close_timeout = 0.1
        wire.stop_reading()
        wire.write(ping())
        await protocols.waited_for()
        wire.write(frame(OP_CLOSE))
        await nobody_is_left(app, protocols)


async def test_what_cannot_be_read_is_refused_once_and_let_go(
    client: Client, app: FastAPI, protocols: Protocols
) -> None:
    async with begun(client.http) as wire:
        protocols.only.close_timeout = 0.1
        wire.stop_reading()
        wire.write(ping())
        await protocols.waited_for()
        wire.write(frame(OP_TEXT, b"\xff") * 2)
        await nobody_is_left(app, protocols)


@pytest.mark.parametrize("messages", [0, 2], ids=["alone", "after answers that wait"])
async def test_pings_are_read_no_faster_than_their_answers(
    client: Client, protocols: Protocols, messages: int
) -> None:
    async with begun(client.http) as wire:
        protocols.only.transport.set_write_buffer_limits(high=0)
        wire.stop_reading()
        wire.write(ping(20_000) * messages, frame(OP_PING, b"x" * 125) * 80_000)
        protocol = await protocols.congested()
        # All would have been read by the time that others are answered.
        for _ in range(50):
            await client.execute("{ __typename }")
        assert protocol.transport.get_write_buffer_size() < 1_000_000
        wire.write(message("ping"))
        assert (await wire.read(b'{"type":"pong"}')).count(b"\x8a\x7d") == 80_000


async def test_a_message_of_empty_fragments_is_refused(
    client: Client, protocols: Protocols
) -> None:
    async with begun(client.http) as wire:
        wire.write(frame(OP_TEXT, fin=False), frame(OP_CONT, fin=False) * 12_000)
        assert (await wire.rest())[2:] == struct.pack("!H", 4400) + b"Messages must be whole"
    await until(lambda: not protocols)


async def test_a_message_in_fragments_is_one(client: Client) -> None:
    async with begun(client.http) as wire:
        wire.write(frame(OP_TEXT, b'{"type":', fin=False), frame(OP_CONT, fin=False) * 9_998)
        wire.write(frame(OP_CONT, b'"ping"}'))
        await wire.read(b'{"type":"pong"}')


HEAD = HANDSHAKE[:-2]
KEY = b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"


@pytest.mark.parametrize(
    ("handshake", "status"),
    [
        (HEAD + b"Cookie: " + b"a" * 9_000 + b"\r\n\r\n", 400),
        (HEAD + b"".join(b"X-%d: 1\r\n" % number for number in range(140)) + b"\r\n", 400),
        (HANDSHAKE.replace(b"/graphql", b"/graphql?a=" + b"b" * 9_000), 400),
        (HEAD + b"X-A: a\x01b\r\n\r\n", 400),
        (HEAD + b"Content-Length: 4\r\n\r\nabcd", 400),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n", 400),
        (HANDSHAKE.replace(KEY, b""), 400),
        (HANDSHAKE.replace(b"MDEyMzQ1Njc4OWFiY2RlZg==", b"x"), 400),
        (HANDSHAKE.replace(b"Version: 13", b"Version: 12"), 400),
        (HANDSHAKE.replace(b"graphql-transport-ws", b",,a b;"), 400),
        (HEAD + b"Upgrade: websocket\r\n\r\n", 426),
        (HEAD + b"Origin: http://[::1\r\n\r\n", 403),
        (HANDSHAKE.replace(b"GET /graphql", b"GET *"), 403),
        (HEAD + b"X-A: \xe9\xff\r\n\r\n", 101),
        (HANDSHAKE.replace(b": Upgrade", b": keep-alive, Upgrade"), 101),
        (HEAD + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", 101),
    ],
    ids=[
        "long cookie", "many headers", "long query", "control character", "body", "chunks",
        "no key", "bad key", "version", "bad protocol", "two upgrades", "bad origin", "no path",
        "latin-1", "keep-alive", "extension",
    ],
)  # fmt: skip
async def test_every_handshake_is_answered(
    database: Database,
    protocols: Protocols,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    handshake: bytes,
    status: int,
) -> None:
    async with connected(app_over(database)) as client, wired(client.http) as wire:
        wire.write(handshake)
        assert (await wire.head()).startswith(b"HTTP/1.1 %d " % status)
        if status != 101:
            await wire.rest()
            assert protocols == []
    check_quiet(caplog, capsys)


async def test_what_cannot_be_read_while_an_answer_waits_is_no_bug(
    client: Client,
    protocols: Protocols,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with begun(client.http) as wire:
        protocols.only.transport.set_write_buffer_limits(high=0)
        wire.stop_reading()
        wire.write(ping(), ping())
        await protocols.congested()
        wire.write(frame(OP_TEXT, b"\xff"))
        await client.execute("{ __typename }")
        assert (await wire.rest()).endswith(struct.pack("!H", 4400) + b"Messages must be UTF-8")
    await until(lambda: not protocols)
    check_quiet(caplog, capsys)


async def test_results_that_nobody_reads_wait_ten_at_a_time(
    client: Client, database: Database, blog: Blog, protocols: Protocols
) -> None:
    await blog.post(await blog.user("ada"), content="x" * LARGE)
    query = "{ posts { nodes { content } } }"
    async with begun(client.http) as wire:
        protocols.only.transport.set_write_buffer_limits(high=0)
        wire.stop_reading()
        with recorded_statements(database) as statements:
            wire.write(*(subscribe(query, str(number)) for number in range(30)))
            await protocols.congested()
            # All would have run by the time that others are answered.
            for _ in range(30):
                await client.execute("{ tags { totalCount } }")
        posts = [statement for statement in statements if "posts.content" in statement]
        # One was written, and is not read.
        assert len(posts) == 1 + 10
        received = await wire.read(b'"type":"complete"}', 30)
        assert received.count(b'"type":"next"') == 30


async def test_subscriptions_take_no_turn_of_the_ten(client: Client, app: FastAPI) -> None:
    async with initialised(client.http) as socket:
        for number in range(11):
            await socket.subscribe(FOLLOW, key=f"f{number}")
        await subscribed(app, 11)
        await socket.subscribe("{ __typename }")
        assert await socket.data() == {"__typename": "Query"}


async def test_the_server_ends_though_nobody_reads(
    database: Database,
    protocols: Protocols,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    app = app_over(database)
    async with AsyncExitStack() as outer:
        async with connected(app) as client:
            for answers, wait in ((1, protocols.waited_for), (4, protocols.congested)):
                wire: Wire = await outer.enter_async_context(begun(client.http))
                protocols[-1].close_timeout = 0.1
                wire.stop_reading()
                wire.write(ping() * answers)
                await wait()
        await nobody_is_left(app, protocols)
    check_quiet(caplog, capsys)


async def test_what_runs_when_the_server_stops_is_finished_and_who_follows_is_not(
    database: Database, blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    author = await blog.user("ada")
    app = app_over(database)
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def late(*args: Any) -> Any:
        arrived.set()
        await go_on.wait()
        return await transact(*args)

    monkeypatch.setattr("blog_graphql.api.context.transact", late)
    async with AsyncExitStack() as outer:
        async with connected(app) as client:
            headers = {"Test-Viewer": f"{author} AUTHOR"}
            opening = initialised(client.http, additional_headers=headers)
            socket: Socket = await outer.enter_async_context(opening)
            await socket.subscribe(FOLLOW, key="1")
            await subscribed(app)
            await socket.subscribe(CREATE, key="2")
            await arrived.wait()
            after = asyncio.create_task(_after(subscribed(app, 0), go_on))
        await after
        assert (await socket.closed())[0] == 1012
    assert await count_rows(database, Post) == 1


async def test_a_subscription_that_begins_while_the_server_stops_does_not_hold_it_up(
    database: Database,
    blog: Blog,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    post = encode_id("Post", await blog.post(await blog.user("ada")))
    app = app_over(database)
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def late(*_: Any) -> None:
        arrived.set()
        await go_on.wait()

    monkeypatch.setattr(ChangedPost, "begin", late)
    async with AsyncExitStack() as outer:
        async with connected(app) as client:
            socket: Socket = await outer.enter_async_context(initialised(client.http))
            await socket.subscribe(
                "subscription ($id: ID!) { postChanged(id: $id) { title } }", {"id": post}
            )
            await arrived.wait()
            after = asyncio.create_task(_after(socket.connection.wait_closed(), go_on))
        await after
    assert app.state.services.subscriptions.count == 0
    check_quiet(caplog, capsys)


async def _after(first: Any, event: asyncio.Event) -> None:
    await first
    event.set()
