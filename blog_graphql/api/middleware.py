"""What surrounds every request: its ID, and the answer to a crash."""

from __future__ import annotations

import re
import uuid

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars, get_contextvars

from blog_graphql.api.errors import INTERNAL_SERVER_ERROR, MASKED_MESSAGE
from blog_graphql.api.responses import refusal

REQUEST_ID = "X-Request-ID"
# The messages that carry headers to the client.
_BEGINNINGS = {"http.response.start", "websocket.accept", "websocket.http.response.start"}
# What goes into logs and headers unescaped.
_ACCEPTABLE = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}", re.ASCII)

log = structlog.get_logger(__name__)


def current_request_id() -> str:
    """The ID of the request that is served, or a new one outside of any."""
    request_id: str = get_contextvars().get("request_id") or uuid.uuid4().hex
    return request_id


class RequestIDMiddleware:
    """Takes ``X-Request-ID`` from the request where it is acceptable, else makes one.

    It goes out with the answer, and into every log line until then.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        request_id = given if _ACCEPTABLE.fullmatch(given) else uuid.uuid4().hex

        async def send_with_id(message: Message) -> None:
            if message["type"] in _BEGINNINGS:
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)

        with bound_contextvars(request_id=request_id):
            await self._app(scope, receive, send_with_id)


class MaskingMiddleware:
    """Answers a crash with a masked error, and logs it once."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except ClientDisconnect:
            log.debug("the client hung up")
        except Exception:
            # An answer that is under way can only be broken off.
            if started:
                raise
            log.exception("unexpected error", path=scope["path"])
            await _masked()(scope, receive, send)


def _masked() -> Response:
    extensions = {"code": INTERNAL_SERVER_ERROR, "requestId": current_request_id()}
    return refusal(500, MASKED_MESSAGE, extensions)
