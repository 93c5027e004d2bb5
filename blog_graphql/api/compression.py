"""Compressed answers."""

from __future__ import annotations

import asyncio
import gzip
import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from blog_graphql.api.http.media_types import accepted_codings

# Bytes; less fits into the first packets anyway, and more takes longer than others should wait.
_SMALLEST = 1_000
_LARGEST_AT_ONCE = 128 * 1024
# Zlib's, up to 9: beyond 4 an answer takes twice the time to become a tenth smaller.
_LEVEL = 4

_COMPRESSIBLE = re.compile(r"text/|application/([a-z-]+\+)?json\b|image/svg\+xml", re.IGNORECASE)
_GZIP = {"gzip", "x-gzip"}


class CompressionMiddleware:
    """Sends answers of a kilobyte or more as gzip, to clients that take it.

    Streams, and what is marked ``no-transform``, are left alone: their bytes are
    to arrive when they are sent. Sizes give no secret away: sessions are carried by
    a header that browsers do not add to what other sites make them send.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start: Message | None = None

        async def send_compressed(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                # What it says depends on the body.
                start = message
                return
            if start is not None:
                if not message.get("more_body", False):
                    await _compress(scope, start, message)
                await send(start)
                start = None
            await send(message)

        await self._app(scope, receive, send_compressed)


async def _compress(scope: Scope, start: Message, message: Message) -> None:
    """Compress an answer that is there as a whole, where that is of use."""
    headers, body = MutableHeaders(scope=start), message.get("body", b"")
    if len(body) < _SMALLEST or not _is_compressible(headers):
        return
    headers.add_vary_header("Accept-Encoding")
    accepted = ", ".join(Headers(scope=scope).getlist("Accept-Encoding"))
    if _GZIP.isdisjoint(accepted_codings(accepted)):
        return
    if len(body) > _LARGEST_AT_ONCE:
        compressed = await asyncio.to_thread(gzip.compress, body, _LEVEL, mtime=0)
    else:
        compressed = gzip.compress(body, _LEVEL, mtime=0)
    headers["Content-Encoding"] = "gzip"
    headers["Content-Length"] = str(len(compressed))
    message["body"] = compressed


def _is_compressible(headers: Headers) -> bool:
    # What varies already was offered in other codings by whoever answers.
    varies = ", ".join(headers.getlist("Vary")).lower()
    return (
        "Content-Encoding" not in headers
        # A part of something; its place in it is counted in bytes as they are.
        and "Content-Range" not in headers
        and "accept-encoding" not in varies
        and "no-transform" not in headers.get("Cache-Control", "")
        and _COMPRESSIBLE.match(headers.get("Content-Type", "")) is not None
    )
