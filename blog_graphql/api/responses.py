"""What HTTP is told: bodies, statuses and headers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError

from blog_graphql.api.errors import BAD_USER_INPUT, INTERNAL_SERVER_ERROR
from blog_graphql.api.http.media_types import GRAPHQL_RESPONSE, JSON
from blog_graphql.errors import RateLimited, ServiceUnavailable, Unauthenticated

_CHALLENGE = {"WWW-Authenticate": 'Bearer error="invalid_token"'}

NO_STORE = {"Cache-Control": "no-store"}
# The same request is answered otherwise where another type is accepted.
VARY = {"Vary": "Accept"}


def encode(content: object) -> bytes:
    """JSON text on one line, escaped so far that every client reads it and any text can be sent."""
    return json.dumps(content, separators=(",", ":")).encode()


def refusal(
    status: int,
    message: str,
    extensions: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    media_type: str = JSON,
) -> Response:
    """One error and no data; BAD_USER_INPUT without other ``extensions``."""
    error = {"message": message, "extensions": dict(extensions or {"code": BAD_USER_INPUT})}
    return _json({"errors": [error]}, status, headers or {}, media_type)


def answer(result: ExecutionResult, media_type: str) -> Response:
    """An operation's answer, with the status and headers that fit it."""
    status, headers = status_and_headers(result, media_type)
    return _json(body_of(result), status, headers | VARY, media_type)


def body_of(result: ExecutionResult) -> dict[str, Any]:
    """A result as clients get it; what was refused before it ran has no ``data``."""
    body: dict[str, Any] = {} if isinstance(result, PreExecutionError) else {"data": result.data}
    if result.errors:
        body["errors"] = [error.formatted for error in result.errors]
    return body


def status_and_headers(result: ExecutionResult, media_type: str) -> tuple[int, dict[str, str]]:
    """What the status line and headers say of an operation's answer.

    A refusal of one field is no refusal of the request, so that is 200, as long
    as anything was answered: whoever tried the whole again would write again
    what was written. The GraphQL-over-HTTP specification has 200 for whatever
    brings data under its own media type, and for every operation under
    ``application/json``, which it leaves open where a status is of more use.
    """
    codes = {_code(error) for error in result.errors or ()}
    is_answered = any(value is not None for value in (result.data or {}).values())
    if is_answered or (media_type == GRAPHQL_RESPONSE and result.data is not None):
        return 200, {}
    if ServiceUnavailable.code in codes:
        return 503, {}
    if RateLimited.code in codes:
        return 429, {"Retry-After": str(_retry_after(result))}
    if any(
        _code(error) == Unauthenticated.code and not error.path for error in result.errors or ()
    ):
        return 401, _CHALLENGE
    if media_type == GRAPHQL_RESPONSE and isinstance(result, PreExecutionError):
        return 500 if INTERNAL_SERVER_ERROR in codes else 400, {}
    return 200, {}


def _json(content: object, status: int, headers: Mapping[str, str], media_type: str) -> Response:
    with_charset = f"{media_type}; charset=utf-8"
    return Response(encode(content), status, {**NO_STORE, **headers}, with_charset)


def _code(error: Any) -> str | None:
    code: str | None = (error.extensions or {}).get("code")
    return code


def _retry_after(result: ExecutionResult) -> int:
    return max((error.extensions or {}).get("retryAfter", 0) for error in result.errors or ())
