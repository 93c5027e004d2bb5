"""Uvicorn's HTTP, and what it leaves out."""

from __future__ import annotations

import asyncio
from collections.abc import Sized
from typing import Any, cast

from starlette.responses import Response
from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from blog_graphql.api.disconnection import STOPPING
from blog_graphql.api.http.offers import OfferDecliningProtocol
from blog_graphql.api.responses import refusal
from blog_graphql.errors import ServiceUnavailable

# Bytes of an address and headers, or of trailers. Twice what the widest of proxies let through.
_LARGEST_HEAD = 128 * 1024

_TOO_LARGE = f"The address and headers may have {_LARGEST_HEAD:,} bytes at most."
_STOPS = "The server stops before it has got the whole request: send it again."


class HTTPProtocol(OfferDecliningProtocol):
    """A connection that clients can neither overload nor leave behind.

    - Who is answered is told that the server stops or the client has gone, also
      where more requests have come meanwhile; those wait, and none is read behind them.
    - Heads and trailers have a limit, and trailers are no headers.
    - A client that takes nothing of its answer is given up after ``timeout_keep_alive``.
    """

    _running: RequestResponseCycle | None = None
    _slowness: asyncio.TimerHandle | None = None
    _is_in_head = False
    # Bytes of what is read of a head, and of what came since without an end.
    _head = 0
    _unended = 0

    def connection_made(
        self,
        transport: asyncio.Transport,  # type: ignore[override] # uvicorn's own annotation
    ) -> None:
        """Begin with nothing read or asked."""
        super().connection_made(transport)
        self.flow = _Flow(self, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever answers that nobody listens any longer."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._forget_slowness()
        self.pipeline.clear()
        self._disconnect()

    def shutdown(self) -> None:
        """Begin to stop: let answers finish, and end what may last.

        Streams are told of it; one whose client does not take what was sent is
        given up, as is a request that is still coming. Clients of WebSockets uvicorn
        tells by itself.
        """
        super().shutdown()
        running = self._running
        if running is None or running.response_complete:
            return
        running.keep_alive = False
        if running.more_body and not running.response_started:
            extensions = {"code": ServiceUnavailable.code}
            self._refuse(refusal(503, _STOPS, extensions))
        elif _is_stream(running) and self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            running.scope["extensions"][STOPPING] = {}
            running.message_event.set()

    def data_received(self, data: bytes) -> None:
        """Parse what comes, as long as it gets anywhere."""
        self._unended += len(data)
        super().data_received(data)
        if self._unended > _LARGEST_HEAD and not self.transport.is_closing():
            self._refuse(refusal(431, _TOO_LARGE))

    def refuse_unreadable(self) -> None:
        """Answer what is no request or too large, and close the connection."""
        if self._head > _LARGEST_HEAD:
            self._refuse(refusal(431, _TOO_LARGE))
        else:
            super().refuse_unreadable()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request in GraphQL's form."""
        self._refuse(refusal(400, msg))

    def on_message_begin(self) -> None:
        """Begin to read a head."""
        self._is_in_head = True
        self._head = self._unended = 0
        super().on_message_begin()
        self.scope["extensions"] = {}

    def on_url(self, url: bytes) -> None:
        """Note a piece of the address."""
        self._measure(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note a header; trailers are none (RFC 9110, section 6.5.1), and nobody needs them."""
        self._measure(name, value)
        if self._is_in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        self._is_in_head = False
        self._head = self._unended = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Note a piece of the body."""
        self._unended = 0
        super().on_body(body)

    def pause_writing(self) -> None:
        """Wait until the client has taken more, as long as it takes anything."""
        super().pause_writing()
        self._watch_slowness(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Go on."""
        super().resume_writing()
        self._forget_slowness()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        if cycle.scope["http_version"] == "1.0":
            app = _unframed(cycle, app)
        super()._start_asgi_task(cycle, app)
        self.flow.resume_reading()

    def _disconnect(self) -> None:
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()

    def _measure(self, *parts: Sized) -> None:
        self._unended = 0
        self._head += sum(map(len, parts))
        if self._head > _LARGEST_HEAD:
            # The parser stops, and tells by an error of its own.
            raise ValueError(_TOO_LARGE)

    def _refuse(self, response: Response) -> None:
        """Answer instead of the app, unless an answer has begun, and close the connection."""
        running = self._running
        if running is None or running.response_complete or not running.response_started:
            headers = [*response.raw_headers, (b"connection", b"close")]
            lines = [b"%s: %s\r\n" % header for header in headers]
            head = b"".join([STATUS_LINE[response.status_code], *lines, b"\r\n"])
            self.transport.write(head + bytes(response.body))
        self._disconnect()
        self.transport.close()

    def _watch_slowness(self, left: int) -> None:
        self._forget_slowness()
        self._slowness = self.loop.call_later(self.timeout_keep_alive, self._check_slowness, left)

    def _check_slowness(self, left: int) -> None:
        size = self.transport.get_write_buffer_size()
        if size < left:
            self._watch_slowness(size)
        else:
            self.transport.abort()

    def _forget_slowness(self) -> None:
        if self._slowness is not None:
            self._slowness.cancel()
            self._slowness = None


class _Flow(FlowControl):
    """Reads nothing behind requests that wait, however often somebody asks for more."""

    def __init__(self, protocol: HTTPProtocol, transport: asyncio.Transport) -> None:
        super().__init__(transport)
        self._protocol = protocol

    def resume_reading(self) -> None:
        if not self._protocol.pipeline:
            super().resume_reading()


def _is_stream(cycle: RequestResponseCycle) -> bool:
    """Whether an answer is under way whose length nobody knows."""
    return cycle.response_started and cycle.expected_content_length == 0


def _unframed(cycle: RequestResponseCycle, app: ASGI3Application) -> ASGI3Application:
    """Send answers of unknown length until the connection ends: HTTP/1.0 knows no chunks."""

    async def serve(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        is_sized = True

        async def send_unframed(message: Any) -> None:
            nonlocal is_sized
            if message["type"] == "http.response.start":
                is_sized = any(
                    name.lower() == b"content-length" for name, _ in message.get("headers", [])
                )
                cycle.chunked_encoding = None if is_sized else False
            elif not is_sized:
                cycle.expected_content_length = len(message.get("body", b""))
            await send(message)

        await app(scope, receive, cast("ASGISendCallable", send_unframed))

    return serve
