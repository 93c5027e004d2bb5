"""WebSockets on the wire, under uvicorn: everything comes to an end, and clients learn why."""

from __future__ import annotations

from asyncio import TimerHandle
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame
from websockets.server import ServerProtocol

# What ``graphql-transport-ws`` has for any message that is malformed.
_BAD_REQUEST = 4400
# Empty ones weigh nothing on the wire, but here.
_MOST_FRAGMENTS = 10_000


class _Connection(ServerProtocol):
    def fail(self, code: CloseCode | int, reason: str = "") -> None:
        """Fail by the code that clients of GraphQL know where a message is too large."""
        super().fail(_BAD_REQUEST if code == CloseCode.MESSAGE_TOO_BIG else code, reason)


class SocketProtocol(WebSocketsSansIOProtocol):
    """Uvicorn's WebSockets, for clients that do not behave.

    - A close frame also arrives when the client is still sending. Uvicorn closes
      the connection at once; data that nobody has read then makes the system
      reset it, and the client loses the frame that it was about to read.
    - A connection that was closed, and whose client does not read, is aborted.
    - Pings are read no faster than their answers are.
    - A handshake that cannot be read is answered.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = _Connection(
            extensions=self.conn.available_extensions,
            max_size=self.config.ws_max_size,
            logger=self.logger,
        )
        self._is_congested = False
        self._abortion: TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the connection is gone."""
        if self._abortion is not None:
            self._abortion.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what the client sends; once it failed to be read, throw it away."""
        if self._has_failed:
            return
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self._refuse_handshake(self.conn.handshake_exc)

    def pause_writing(self) -> None:
        """Read nothing more from a client that does not read."""
        super().pause_writing()
        self._is_congested = True
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on reading."""
        super().resume_writing()
        self._is_congested = False
        if not self.read_paused:
            self.transport.resume_reading()

    async def receive(self) -> Any:
        """The next message; uvicorn goes on reading as soon as it was taken."""
        message = await super().receive()
        if self._is_congested:
            self.transport.pause_reading()
        return message

    async def send(self, message: Any) -> None:
        """Write a message."""
        await super().send(message)
        if message["type"] == "websocket.accept":
            # They are read no more, and a socket may be open for days.
            self.request = self.response = cast("Any", None)
        elif self.close_sent:
            self._abort_in_time()

    def handle_cont(self, event: Frame) -> None:
        """Take a further fragment of a message."""
        if self._has_failed:
            return
        if len(self.frames) >= _MOST_FRAGMENTS:
            self._fail("Messages must be whole", ValueError("too many fragments"))
            return
        super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        """Pass a message on that is complete."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError as error:
                self._fail("Messages must be UTF-8", error)
                return
        super().send_receive_event_to_app()

    def handle_parser_exception(self) -> None:
        """Say why the socket is closed, and wait until the client has read it."""
        close = self.conn.close_sent
        if close is None or self.transport.is_closing():
            self.transport.close()
            return
        self.queue.put_nowait(
            {"type": "websocket.disconnect", "code": close.code, "reason": close.reason}
        )
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.read_paused = self._is_congested = False
        self.transport.resume_reading()
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)
        self._abort_in_time()

    def handle_close(self, event: Frame) -> None:
        """Close when the client does."""
        super().handle_close(event)
        self._abort_in_time()

    def keepalive_timeout(self) -> None:
        """Give a client up that no longer answers."""
        super().keepalive_timeout()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": CloseCode.INTERNAL_ERROR})
        self._abort_in_time()

    def shutdown(self) -> None:
        """Tell the client that the server stops."""
        super().shutdown()
        self._abort_in_time()

    @property
    def _has_failed(self) -> bool:
        return self.close_sent and (
            self.conn.parser_exc is not None or self.conn.handshake_exc is not None
        )

    def _fail(self, reason: str, error: Exception) -> None:
        self.conn.fail(_BAD_REQUEST, reason)
        self.conn.parser_exc = error
        self.handle_parser_exception()

    def _refuse_handshake(self, error: Exception) -> None:
        """Answer what is no request for a socket, or too long a one."""
        response = self.conn.reject(400, f"The request for a socket cannot be read: {error}.\n")
        self.handshake_complete = self.close_sent = True
        self.transport.write(response.serialize())
        self.transport.close()
        self._abort_in_time()

    def _abort_in_time(self) -> None:
        """Do not wait for ever until a client has read what was written before the end."""
        if self._abortion is None:
            self._abortion = self.loop.call_later(self.close_timeout, self.transport.abort)
