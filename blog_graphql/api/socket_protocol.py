"""WebSockets on the wire, under uvicorn: whatever cannot be read, its sender learns why."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode
from websockets.server import ServerProtocol

# What ``graphql-transport-ws`` has for any message that is malformed.
_BAD_REQUEST = 4400


class _Connection(ServerProtocol):
    def fail(self, code: CloseCode | int, reason: str = "") -> None:
        """Fail by the code that clients of GraphQL know where a message is too large."""
        super().fail(_BAD_REQUEST if code == CloseCode.MESSAGE_TOO_BIG else code, reason)


class SocketProtocol(WebSocketsSansIOProtocol):
    """Uvicorn's WebSockets, whose close frame also arrives when the client is still sending.

    Uvicorn closes the connection at once. Data that nobody has read then makes
    the system reset it, and the client loses the frame that it was about to read.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = _Connection(
            extensions=self.conn.available_extensions,
            max_size=self.config.ws_max_size,
            logger=self.logger,
        )

    def data_received(self, data: bytes) -> None:
        """Read what the client sends; once it failed to be read, throw it away."""
        if self.close_sent and self.conn.parser_exc is not None:
            return
        super().data_received(data)

    def send_receive_event_to_app(self) -> None:
        """Pass a message on that is complete."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError as error:
                self.conn.fail(_BAD_REQUEST, "Messages must be UTF-8")
                self.conn.parser_exc = error
                self.handle_parser_exception()
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
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)
