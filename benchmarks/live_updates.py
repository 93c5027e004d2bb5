"""What subscriptions cost: idle ones in memory, and events that all of them get.

    python -m benchmarks.live_updates [--idle 2000] [--subscribers 1000] [--events 20]

Starts the server on the demo blog, with the settings of the environment for
all else (``BLOG_DATABASE_URL`` names a migrated PostgreSQL database). Every
subscription has a WebSocket of its own. First so many are opened and left
idle; then as many as asked for get posts that are published one after the
other, as fast as the server answers: once all of them are the same anonymous
reader, once each asks for something else, so that nothing can be shared.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import httpx

from benchmarks.server import LOGIN, Server, post, served, sign_up

PUBLISH = """
  mutation ($title: String!) {
    createPost(input: {title: $title, content: "x", isPublished: true}) { errors { code } }
  }
"""
SAME = "subscription { postPublished { id title author { username } tags { name } } }"
# More than any of the defaults allows to one address.
ENVIRONMENT = {
    "BLOG_MAX_SOCKETS": "100000",
    "BLOG_MAX_SOCKETS_BY_ADDRESS": "100000",
    "BLOG_MAX_SUBSCRIPTIONS_BY_ADDRESS": "100000",
    "BLOG_SUBSCRIPTION_BUFFER": "100000",
    # The subscribers answer no pings.
    "BLOG_KEEP_ALIVE_SECONDS": "3600",
    "BLOG_DEBUG_POOL": "true",
}
_HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nHost: blog\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)
_NEXT = b'"type":"next"'


async def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What subscriptions cost.")
    parser.add_argument("--idle", type=int, default=2000, help="idle subscriptions")
    parser.add_argument("--subscribers", type=int, default=1000, help="who get the events")
    parser.add_argument("--events", type=int, default=20, help="posts that are published")
    options = parser.parse_args()
    async with served(**ENVIRONMENT) as server:
        await _idle(server, options.idle)
    for name, query_of in (("the same", lambda _: SAME), ("each its own", _different)):
        async with served(**ENVIRONMENT) as server:
            await _fan_out(server, name, query_of, options.subscribers, options.events)


def _different(number: int) -> str:
    return SAME.replace("title", f"title # {number}\n")


async def _idle(server: Server, count: int) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        await post(http, "{ posts { totalCount } }")
        before = server.resident_memory()
        async with _subscribers(server, count, lambda _: SAME):
            after = server.resident_memory()
            pool = (await http.get("/debug/pool")).json()
    print(
        f"{count} idle subscriptions: {after - before:.0f} MB above {before:.0f} MB, "
        f"{pool['checkedOut']} pooled connections in use"
    )


async def _fan_out(
    server: Server, name: str, query_of: Callable[[int], str], count: int, events: int
) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
        await sign_up(http)
        token = (await post(http, LOGIN))["login"]["accessToken"]
        http.headers["Authorization"] = f"Bearer {token}"
        async with _subscribers(server, count, query_of) as subscribers:
            started = time.perf_counter()
            for number in range(events):
                await post(http, PUBLISH, title=f"Post {number}")
            written = time.perf_counter() - started
            await asyncio.gather(*(subscriber.received(events) for subscriber in subscribers))
            seconds = time.perf_counter() - started
    print(
        f"{events} events to {count} subscribers who ask for {name}: {events / seconds:.1f} "
        f"events/s, {events * count / seconds:,.0f} messages/s (written in {written:.1f} s)"
    )


@asynccontextmanager
async def _subscribers(
    server: Server, count: int, query_of: Callable[[int], str]
) -> AsyncIterator[list[_Subscriber]]:
    loop = asyncio.get_running_loop()
    url = httpx.URL(server.url)
    subscribers = []
    try:
        for number in range(count):
            subscriber = _Subscriber(query_of(number))
            await loop.create_connection(partial(_itself, subscriber), url.host, url.port or 80)
            subscribers.append(subscriber)
            await subscriber.ready.wait()
        yield subscribers
    finally:
        for subscriber in subscribers:
            subscriber.transport.abort()


class _Subscriber(asyncio.Protocol):
    """A client that only counts: reading properly would take longer than being served."""

    def __init__(self, query: str) -> None:
        self.ready = asyncio.Event()
        self._query = query
        self._count = 0
        self._is_open = False
        self._tail = b""
        self._news = asyncio.Event()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # what create_connection makes
        self.transport.write(_HANDSHAKE)

    def data_received(self, data: bytes) -> None:
        if not self._is_open:
            self._is_open = True
            self._send({"type": "connection_init"})
            self._send({"type": "subscribe", "id": "1", "payload": {"query": self._query}})
            # Messages are read in order: its answer comes when the subscription is beginning.
            self._send({"type": "ping"})
        data = self._tail + data
        self._tail = data[-len(_NEXT) + 1 :]
        self._count += data.count(_NEXT)
        if b'"pong"' in data:
            self.ready.set()
        self._news.set()

    async def received(self, count: int) -> None:
        """Wait for so many events."""
        while self._count < count:
            self._news.clear()
            await self._news.wait()

    def _send(self, message: dict[str, object]) -> None:
        data = json.dumps(message).encode()
        # Masked, as clients must, by zeros.
        self.transport.write(struct.pack("!BBH4x", 0x81, 0xFE, len(data)) + data)


def _itself(subscriber: _Subscriber) -> _Subscriber:
    return subscriber


if __name__ == "__main__":
    asyncio.run(main())
