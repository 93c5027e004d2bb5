"""Answers that come bit by bit: server-sent events, and Apollo's multipart protocol."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError

from blog_graphql.api.disconnection import is_stopping
from blog_graphql.api.http.media_types import EVENT_STREAM, MULTIPART
from blog_graphql.api.responses import VARY, body_of, encode, status_and_headers

log = structlog.get_logger(__name__)

_HEADERS = {
    # Intermediaries are neither to keep nor to compress it, and nginx not to collect it.
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
    **VARY,
}


_TRY_AGAIN = {429, 503}


class Framing(ABC):
    """How results become bytes of a stream."""

    media_type: str
    # First bytes, sent at once; what keeps proxies from giving up; the end.
    opening: bytes
    heartbeat: bytes
    closing: bytes

    @abstractmethod
    def result(self, result: ExecutionResult) -> bytes:
        """An operation's result, or that of one event of a subscription."""

    @abstractmethod
    def failure(self, result: PreExecutionError) -> bytes:
        """What ended a subscription that had begun."""


class EventStream(Framing):
    """The distinct connections mode of the GraphQL over SSE protocol.

    No line ends but LF, and no more space than parsers expect: urql's would read
    what follows ``data: `` in the last event as JSON.
    """

    media_type = EVENT_STREAM
    opening = heartbeat = b":\n\n"
    closing = b"event: complete\ndata:\n\n"

    def result(self, result: ExecutionResult) -> bytes:
        """An event ``next``."""
        return b"event: next\ndata: " + encode(body_of(result)) + b"\n\n"

    def failure(self, result: PreExecutionError) -> bytes:
        """The same: the protocol has no other way."""
        return self.result(result)


class Multipart(Framing):
    """Apollo's multipart protocol for subscriptions, version 1.0.

    Clients take a part for complete once its boundary has come, so each goes out
    with the one behind it.
    """

    # Unquoted: gql looks for these very texts.
    media_type = f"{MULTIPART}; boundary=graphql; subscriptionSpec=1.0"
    closing = b"--\r\n"

    def __init__(self) -> None:
        self.heartbeat = self._part({})
        self.opening = b"--graphql" + self.heartbeat

    def result(self, result: ExecutionResult) -> bytes:
        """A part whose payload it is."""
        return self._part({"payload": body_of(result)})

    def failure(self, result: PreExecutionError) -> bytes:
        """A part without a payload, whose errors are the transport's."""
        return self._part({"payload": None, **body_of(result)})

    @staticmethod
    def _part(content: object) -> bytes:
        head = b"\r\nContent-Type: application/json; charset=utf-8\r\n\r\n"
        return head + encode(content) + b"\r\n--graphql"


FRAMINGS: Mapping[str, Framing] = {EVENT_STREAM: EventStream(), MULTIPART: Multipart()}


def framed(framing: Framing, result: ExecutionResult) -> Response:
    """A single result in the form of a stream.

    Its errors are in it, as the protocols have it, and its status is 200: clients
    read nothing else. Only what is refused for the moment has a status that says
    so, by which they try again.
    """
    status, headers = status_and_headers(result, framing.media_type)
    if status not in _TRY_AGAIN:
        status, headers = 200, {}
    content = framing.opening + framing.result(result) + framing.closing
    return Response(content, status, _HEADERS | headers, framing.media_type)


class StreamResponse(Response):
    """Sends the results of a subscription as they come, and heartbeats in between.

    The next one is fetched when the client has taken the last. The subscription
    ends with the response: when the client goes away or the server stops too. In
    the second case it is broken off, so that clients subscribe again elsewhere.
    """

    def __init__(
        self,
        framing: Framing,
        results: AsyncGenerator[ExecutionResult, None],
        keep_alive: float,
    ) -> None:
        self._framing = framing
        self._results = results
        self._keep_alive = keep_alive
        self.status_code = 200
        self.media_type = framing.media_type
        self.background = None
        self.init_headers(_HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, whose body was read."""
        async with aclosing(self._results):
            try:
                async with asyncio.timeout(None) as connection:
                    await self._stream(scope, receive, send, connection)
            except TimeoutError:
                if not connection.expired():
                    raise
                log.debug("a stream was broken off")
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _stream(
        self, scope: Scope, receive: Receive, send: Send, connection: asyncio.Timeout
    ) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        await _send_chunk(send, self._framing.opening)
        companion = asyncio.create_task(self._accompany(scope, receive, send, connection))
        try:
            async for result in self._results:
                await _send_chunk(send, self._frame(result))
        finally:
            companion.cancel()
            await asyncio.wait([companion])
        await _send_chunk(send, self._framing.closing)

    def _frame(self, result: ExecutionResult) -> bytes:
        if isinstance(result, PreExecutionError):
            return self._framing.failure(result)
        return self._framing.result(result)

    async def _accompany(
        self, scope: Scope, receive: Receive, send: Send, connection: asyncio.Timeout
    ) -> None:
        """Send heartbeats until something is received, which can only be news of the end."""
        # The news that the server stops may have come before the stream began.
        while not is_stopping(scope):
            try:
                async with asyncio.timeout(self._keep_alive):
                    await receive()
                break
            except TimeoutError:
                await _send_chunk(send, self._framing.heartbeat)
        connection.reschedule(asyncio.get_running_loop().time())


async def _send_chunk(send: Send, chunk: bytes) -> None:
    await send({"type": "http.response.body", "body": chunk, "more_body": True})
