"""GraphQL over WebSocket: the server's side of the ``graphql-transport-ws`` protocol.

The protocol: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, aclosing, suppress
from enum import IntEnum
from typing import Any, TypeAlias, cast
from weakref import WeakSet

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError

from blog_graphql.api.context import RequestContext
from blog_graphql.api.execution import BlogSchema
from blog_graphql.api.http.requests import Refused, check_request, decode_json
from blog_graphql.api.responses import body_of, encode, refusal
from blog_graphql.errors import (
    BlogError,
    RateLimited,
    ServiceUnavailable,
    Unauthenticated,
)

log = structlog.get_logger(__name__)

PROTOCOL = "graphql-transport-ws"

# RFC 6455, section 5.5: a control frame holds 125 bytes, of which the code takes two.
_LONGEST_REASON = 123
_LONGEST_ID = 1_000
# Queries and mutations of one socket that run, or whose results wait to be read.
_MOST_AT_ONCE = 10

Results: TypeAlias = AsyncGenerator[ExecutionResult | None, None]


class CloseCode(IntEnum):
    """Why a socket is closed: RFC 6455's codes, and the protocol's from 4400 on."""

    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_REQUEST = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    SUBPROTOCOL_NOT_ACCEPTABLE = 4406
    INITIALISATION_TIMEOUT = 4408
    SUBSCRIBER_ALREADY_EXISTS = 4409
    TOO_MANY_INITIALISATION_REQUESTS = 4429


class Closing(Exception):
    """The socket has to be closed with a ``code``, for a reason that the client is told."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code


async def serve_socket(websocket: WebSocket, schema: BlogSchema, context: RequestContext) -> None:
    """Serve one socket for as long as it is open; one too many is refused as HTTP would."""
    try:
        with context.services.sockets.taken(context.address):
            offered = websocket["subprotocols"]
            is_known = PROTOCOL in offered
            # Clients fail a handshake that names none of theirs, and would not learn why.
            unknown = next(iter(offered), None)
            await websocket.accept(subprotocol=PROTOCOL if is_known else unknown)
            await _Socket(websocket, schema, context).serve(is_known=is_known)
    except ServiceUnavailable as error:
        await refuse_socket(websocket, 503, error)
    except RateLimited as error:
        await refuse_socket(websocket, 429, error, {"Retry-After": str(error.retry_after)})


async def refuse_socket(
    websocket: WebSocket, status: int, error: BlogError, headers: Mapping[str, str] | None = None
) -> None:
    """Answer the request for a socket as HTTP would; servers that cannot say 403."""
    if "websocket.http.response" in websocket.get("extensions", {}):
        await websocket.send_denial_response(
            refusal(status, str(error), {"code": error.code}, headers)
        )
    else:
        await websocket.close()


class _Socket:
    """An open socket: how far it has come, and the operations that run on it."""

    def __init__(self, websocket: WebSocket, schema: BlogSchema, context: RequestContext) -> None:
        self._websocket = websocket
        self._schema = schema
        self._context = context
        self._settings = context.services.settings
        self._is_acknowledged = False
        self._operations: dict[str, asyncio.Task[None]] = {}
        # Cancelled operations count until they have ended.
        self._running: set[asyncio.Task[None]] = set()
        self._following: WeakSet[asyncio.Task[None]] = WeakSet()
        self._turns = asyncio.Semaphore(_MOST_AT_ONCE)
        self._close_code = 1000

    async def serve(self, *, is_known: bool) -> None:
        """Answer messages until either side closes; ``is_known`` tells whether by this protocol."""
        try:
            _check_protocol(is_known=is_known)
            async with asyncio.timeout(self._settings.socket_init_timeout) as patience:
                while True:
                    await self._handle(await self._receive(), patience)
        except TimeoutError:
            await self._close(CloseCode.INITIALISATION_TIMEOUT, "Connection initialisation timeout")
        except Closing as closing:
            await self._close(closing.code, str(closing))
        except WebSocketDisconnect:
            log.debug("the client hung up")
        except Exception:
            log.exception("unexpected error on a socket")
            await self._close(CloseCode.INTERNAL_ERROR, "Internal server error")
        finally:
            await self._end()

    async def _receive(self) -> dict[str, Any]:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            self._close_code = message.get("code", 1005)
            raise WebSocketDisconnect(self._close_code)
        text = message.get("text")
        if text is None:
            raise _malformed("Messages must be text, not binary")
        if len(text) > self._settings.max_body_bytes:
            raise _malformed(f"Messages must be at most {self._settings.max_body_bytes:,} bytes")
        try:
            content = decode_json(text)
        except (RecursionError, ValueError):
            raise _malformed("Messages must be JSON") from None
        if not isinstance(content, dict):
            raise _malformed("Messages must be JSON objects")
        return content

    async def _handle(self, message: dict[str, Any], patience: asyncio.Timeout) -> None:
        match message.get("type"):
            case "connection_init":
                await self._initialise(_payload(message), patience)
            case "ping":
                payload = _payload(message)
                echo = {} if payload is None else {"payload": payload}
                await self._send({"type": "pong", **echo})
            case "pong":
                _payload(message)
            case "subscribe":
                await self._subscribe(_id(message), _payload(message))
            case "complete":
                task = self._operations.pop(_id(message), None)
                if task is not None:
                    task.cancel()
            case _:
                raise _malformed("Unknown message type")

    async def _initialise(self, payload: dict[str, Any] | None, patience: asyncio.Timeout) -> None:
        if patience.when() is None:
            raise Closing(
                CloseCode.TOO_MANY_INITIALISATION_REQUESTS, "Too many initialisation requests"
            )
        patience.reschedule(None)
        # Named as the header is, which browsers cannot send with a socket.
        given = {name.lower(): value for name, value in (payload or {}).items()}
        try:
            await self._context.sign_in(given.get("authorization"))
        except Unauthenticated:
            raise Closing(CloseCode.FORBIDDEN, "Forbidden") from None
        except BlogError as error:
            raise Closing(CloseCode.TRY_AGAIN_LATER, str(error)) from error
        await self._send({"type": "connection_ack"})
        self._is_acknowledged = True

    async def _subscribe(self, key: str, payload: dict[str, Any] | None) -> None:
        try:
            request = check_request(payload or {})
        except Refused as refused:
            raise _malformed(str(refused)) from None
        if not self._is_acknowledged:
            raise Closing(CloseCode.UNAUTHORIZED, "Unauthorized")
        if key in self._operations:
            raise Closing(
                CloseCode.SUBSCRIBER_ALREADY_EXISTS, f"Subscriber for {key} already exists"
            )
        most = self._settings.max_socket_operations
        if len(self._running) >= most:
            message = f"The socket has {most} operations running, the most that it may have."
            error = {"message": message, "extensions": {"code": RateLimited.code}}
            await self._send({"id": key, "type": "error", "payload": [error]})
            return
        # Made here: a task that had the request would keep it for as long as it lasts.
        results = self._schema.results(request, self._context)
        task = asyncio.create_task(self._run(key, results))
        self._operations[key] = task
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, key: str, results: Results) -> None:
        """Send an operation's results, and that it is over unless the client said so."""
        try:
            last = await self._send_results(key, results)
            await self._send({"id": key, **last})
        except WebSocketDisconnect:
            log.debug("the client hung up")
        finally:
            self._forget(key)

    async def _send_results(self, key: str, results: Results) -> dict[str, Any]:
        """Send the results; gives the message that ends the operation."""
        async with aclosing(results), AsyncExitStack() as turn:
            await turn.enter_async_context(self._turns)
            async for result in results:
                if result is None:
                    # Others need not wait until a subscription is over.
                    await turn.aclose()
                    if self._close_code == CloseCode.SERVICE_RESTART:
                        break
                    self._following.add(cast("asyncio.Task[None]", asyncio.current_task()))
                elif isinstance(result, PreExecutionError):
                    return {"type": "error", "payload": body_of(result)["errors"]}
                else:
                    await self._send({"id": key, "type": "next", "payload": body_of(result)})
        return {"type": "complete"}

    def _forget(self, key: str) -> None:
        """Let the ID be used again, unless it is already."""
        if self._operations.get(key) is asyncio.current_task():
            del self._operations[key]

    async def _send(self, message: Mapping[str, Any]) -> None:
        if self._websocket.application_state is not WebSocketState.CONNECTED:
            raise WebSocketDisconnect(1006)
        try:
            text = encode(message).decode()
        except RecursionError:
            raise _malformed("Payloads must not be so deep") from None
        try:
            await self._websocket.send_text(text)
        except RuntimeError as error:
            # The server has closed it while this waited.
            raise WebSocketDisconnect(1006) from error

    async def _close(self, code: CloseCode, reason: str) -> None:
        if self._websocket.application_state is WebSocketState.CONNECTED:
            with suppress(RuntimeError, WebSocketDisconnect):
                await self._websocket.close(code, _shortened(reason))

    async def _end(self) -> None:
        """End what still runs; a server that stops lets it finish, except for subscriptions."""
        ended = self._following if self._close_code == CloseCode.SERVICE_RESTART else self._running
        for task in list(ended):
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)


def _check_protocol(*, is_known: bool) -> None:
    if not is_known:
        raise Closing(
            CloseCode.SUBPROTOCOL_NOT_ACCEPTABLE, f"Subprotocol not acceptable: ask for {PROTOCOL}"
        )


def _malformed(reason: str) -> Closing:
    return Closing(CloseCode.BAD_REQUEST, reason)


def _payload(message: dict[str, Any]) -> dict[str, Any] | None:
    payload = message.get("payload")
    if not isinstance(payload, dict | None):
        raise _malformed("A payload must be an object")
    return payload


def _id(message: dict[str, Any]) -> str:
    key = message.get("id")
    if not isinstance(key, str) or not 0 < len(key) <= _LONGEST_ID:
        raise _malformed(f"An id must be a string of 1 to {_LONGEST_ID:,} characters")
    return key


def _shortened(reason: str) -> str:
    """As much of a reason as a frame holds."""
    return reason.encode(errors="replace")[:_LONGEST_REASON].decode(errors="ignore")
