"""The headers by which browsers guard what they get from here."""

from __future__ import annotations

import base64
import hashlib
import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "Content-Security-Policy"

# After OWASP's HTTP Headers Cheat Sheet, for an API whose answers are never shown as pages.
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    CONTENT_SECURITY_POLICY: "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_TWO_YEARS = 2 * 365 * 24 * 60 * 60
_TRANSPORT_SECURITY = f"max-age={_TWO_YEARS}"

_LINKED = re.compile(r'(?:src|href)="(https://[^"]+)"')
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


class SecurityHeadersMiddleware:
    """Adds the headers to every answer that does not bring its own.

    ``Strict-Transport-Security`` goes out over https alone: browsers ignore it
    elsewhere (RFC 6797, section 8.1).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", _TRANSPORT_SECURITY)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def page_policy(html: str) -> str:
    """The Content-Security-Policy under which a page works, and no script but its own runs.

    Allowed are the https addresses that it links, and its inline scripts by
    their hash; its styles and pictures may also be inline, its requests only to
    where it comes from.
    """
    linked = " ".join(_LINKED.findall(html))
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in _INLINE_SCRIPT.findall(html))
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {linked} {hashes}",
            f"style-src {linked} 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
