"""What HTTP is told beside the answer: statuses and headers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse
from strawberry.http import GraphQLHTTPResponse

from blog_graphql.api.errors import BAD_USER_INPUT
from blog_graphql.errors import RateLimited, ServiceUnavailable, Unauthenticated

_CHALLENGE = {"WWW-Authenticate": 'Bearer error="invalid_token"'}

NO_STORE = {"Cache-Control": "no-store"}


def refusal(
    status: int,
    message: str,
    extensions: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """One error and no data; BAD_USER_INPUT without other ``extensions``."""
    error = {"message": message, "extensions": dict(extensions or {"code": BAD_USER_INPUT})}
    return JSONResponse({"errors": [error]}, status, {**NO_STORE, **(headers or {})})


def status_and_headers(answer: GraphQLHTTPResponse) -> tuple[int, dict[str, str]]:
    """What the status line and headers say of an operation's answer.

    A refusal of one field is no refusal of the request, so that is 200, as long
    as anything was answered: whoever tried the whole again would write again
    what was written.
    """
    errors: list[Any] = answer.get("errors") or []
    codes = {error["extensions"]["code"] for error in errors}
    if any(value is not None for value in (answer.get("data") or {}).values()):
        return 200, {}
    if ServiceUnavailable.code in codes:
        return 503, {}
    if RateLimited.code in codes:
        seconds = max(error["extensions"].get("retryAfter", 0) for error in errors)
        return 429, {"Retry-After": str(seconds)}
    if any(
        error["extensions"]["code"] == Unauthenticated.code and "path" not in error
        for error in errors
    ):
        return 401, _CHALLENGE
    return 200, {}
