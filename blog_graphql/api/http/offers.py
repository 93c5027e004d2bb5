"""Requests that offer to go on in another protocol."""

from __future__ import annotations

from collections.abc import Iterator

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# What belongs to an offer to go on in another protocol.
_OFFERED = {b"upgrade", b"http2-settings"}


class OfferDecliningProtocol(HttpToolsProtocol):
    """Uvicorn's HTTP, which reads requests whose offer it does not take up as if there were none.

    Without it the body of a request is lost that comes with ``Upgrade: h2c``, as
    Java's client sends it. A server may ignore such an offer (RFC 9110, section 7.8).
    """

    def data_received(self, data: bytes) -> None:
        """Parse what comes; after an offer that is not taken up, without it."""
        self._unset_keepalive_if_required()
        while data:
            data = self._parse(data)

    def _parse(self, data: bytes) -> bytes:
        """Parse until something is to be read again, which is given back."""
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
            elif self._is_declined():
                return self._without_offer() + data[upgrade.args[0] :]
        except HttpParserError:
            self.refuse_unreadable()
        return b""

    def refuse_unreadable(self) -> None:
        """Answer what is no request, and close the connection."""
        message = "Invalid HTTP request received."
        self.logger.warning(message)
        self.send_400_response(message)

    def on_headers_complete(self) -> None:
        """Begin to answer, unless the request is read again."""
        if not self._is_declined():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that all has come, unless the request is read again."""
        if not self._is_declined():
            super().on_message_complete()

    def _should_upgrade(self) -> bool:
        # With another method nobody answers the handshake (RFC 6455, section 4.1, has GET).
        return self.parser.get_method() == b"GET" and super()._should_upgrade()

    def _is_declined(self) -> bool:
        is_offer = any(name == b"upgrade" for name, _ in self.headers)
        return is_offer and self.parser.should_upgrade() and not self._should_upgrade()

    def _without_offer(self) -> bytes:
        """The head of the request as it is without its offer, for a parser that can go on."""
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version)]
        lines += [b"%s: %s" % header for header in self._headers_without_offer()]
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return b"\r\n".join([*lines, b"", b""])

    def _headers_without_offer(self) -> Iterator[tuple[bytes, bytes]]:
        for name, value in self.headers:
            if name == b"connection":
                options = [option.strip() for option in value.split(b",")]
                yield name, b", ".join(o for o in options if o.lower() not in _OFFERED)
            elif name not in _OFFERED:
                yield name, value
