"""How much of a request is read."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from blog_graphql.api.responses import refusal

_MOST_DIGITS = 20


class _BodyTooLarge(Exception):
    """The body went past the limit while it was read."""


class BodyLimitMiddleware:
    """Answers 413 to a body of more than ``max_bytes``.

    One that announces its size is refused unread, another when it gets past the
    limit. The connection stays open: the server discards the rest as it comes,
    and the client gets to read the answer.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = _announced_size(Headers(scope=scope))
        if announced > self._max_bytes:
            await self._refuse(f"{announced:,} bytes")(scope, receive, send)
            return
        received = 0

        async def receive_within_limit() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise _BodyTooLarge
            return message

        try:
            await self._app(scope, receive_within_limit, send)
        except _BodyTooLarge:
            await self._refuse("more")(scope, receive, send)

    def _refuse(self, size: str) -> ASGIApp:
        limit = f"{self._max_bytes:,} bytes"
        return refusal(413, f"The body may have {limit} at most; this one has {size}.")


def _announced_size(headers: Headers) -> int:
    """The size that a body is said to have; 0 where nothing sensible is said."""
    length = headers.get("Content-Length", "")
    # Python converts no number of any length.
    return int(length[:_MOST_DIGITS]) if length.isdecimal() else 0
