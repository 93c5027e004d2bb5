"""What a request asks for: the parameters of GraphQL over HTTP, in a body or an address."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from blog_graphql.api.gate import OperationRequest
from blog_graphql.api.http.media_types import JSON, parse_media_type

EXAMPLE = '{"query": "{ posts { totalCount } }"}'

_NOT_JSON = f"The body must be JSON text in UTF-8, such as {EXAMPLE}."
_MEDIA_TYPE = f"Send the operation as JSON, with Content-Type: {JSON}."
_CHARSET = f"Send the operation in UTF-8, with Content-Type: {JSON}."
_ENCODING = "Send the body as it is, without a Content-Encoding."
_BATCH = "Send one operation in a request: batches, as arrays of them, are not served."
_NO_QUERY = f"Send a GraphQL document as query, such as {EXAMPLE}."
_SINGLE_CONNECTION = (
    "graphql-sse's single connection mode is not served: create the client with "
    "singleConnection: false."
)
EVENT_STREAM_TOKEN = "X-GraphQL-Event-Stream-Token"  # noqa: S105 - the name of a header

_PARAMETERS = {"query", "operationName", "variables", "extensions"}


class Refused(Exception):
    """A request that holds no operation, with the ``status`` and ``headers`` that say why."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})


async def read_request(request: Request) -> OperationRequest:
    """The operation of a request.

    A ``POST`` has to be JSON: other content types are what a page of any site may
    send without its browser asking first.

    Raises:
        ClientDisconnect: the client went away before all was said.
        Refused: there is no operation in it.
    """
    if EVENT_STREAM_TOKEN in request.headers:
        raise Refused(400, _SINGLE_CONNECTION)
    if request.method != "POST":
        # Nobody needs a body here, but the disconnection only shows behind it.
        await _body(request)
        return check_request(_read_address(request.scope["query_string"]))
    _check_headers(request)
    return check_request(_read_body(await _body(request)))


async def _body(request: Request) -> bytes:
    """The body, which Starlette would keep as long as the answer takes: a stream lasts."""
    return b"".join([chunk async for chunk in request.stream()])


def method_refused(method: str, allowed: str) -> Refused:
    """The refusal of a method that GraphQL over HTTP has no use for."""
    hint = f" {_SINGLE_CONNECTION}" if method in {"PUT", "DELETE"} else ""
    message = f"{method} is not served here: send operations by POST, or queries by GET.{hint}"
    return Refused(405, message, {"Allow": allowed})


def _check_headers(request: Request) -> None:
    # More than one of them is none that could be trusted.
    media = parse_media_type(", ".join(request.headers.getlist("Content-Type")))
    if media.name != JSON:
        raise Refused(415, _MEDIA_TYPE)
    if not media.is_utf_8:
        raise Refused(415, _CHARSET)
    encodings = ", ".join(request.headers.getlist("Content-Encoding")).strip().lower()
    if encodings not in {"", "identity"}:
        raise Refused(415, _ENCODING, {"Accept-Encoding": "identity"})


def _read_body(body: bytes) -> Any:
    try:
        return decode_json(body.decode())
    except (RecursionError, ValueError) as error:
        raise Refused(400, _NOT_JSON) from error


def _read_address(query_string: bytes) -> dict[str, Any]:
    try:
        pairs = parse_qsl(query_string.decode(), keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise Refused(400, "The address must be percent-encoded UTF-8.") from error
    given: dict[str, Any] = {}
    for name, value in pairs:
        if name in _PARAMETERS and name in given:
            raise Refused(400, f"{name} is there more than once.")
        given[name] = value
    for name in ("variables", "extensions"):
        if name in given:
            given[name] = _read_parameter(name, given[name])
    return given


def _read_parameter(name: str, text: str) -> Any:
    if not text:
        return None
    try:
        return decode_json(text)
    except (RecursionError, ValueError) as error:
        raise Refused(400, f'{name} must be JSON text, such as {{"first": 10}}.') from error


def decode_json(text: str) -> Any:
    """What a JSON text says; numbers that JSON or a float cannot have are refused.

    Raises:
        ValueError: it is no JSON.
        RecursionError: it is nested without end.
    """
    return _DECODER.decode(text)


def check_request(given: Any) -> OperationRequest:
    """The operation that parameters name.

    Raises:
        Refused: a part is missing or has the wrong type.
    """
    if isinstance(given, list):
        raise Refused(400, _BATCH)
    if not isinstance(given, dict):
        raise Refused(400, _NOT_JSON)
    query, name = given.get("query"), given.get("operationName")
    variables, extensions = given.get("variables"), given.get("extensions")
    if not isinstance(query, str | None):
        raise Refused(400, "query must be a string.")
    if not query:
        raise Refused(400, _NO_QUERY)
    if not isinstance(name, str | None):
        raise Refused(400, "operationName must be a string or null.")
    if not isinstance(variables, dict | None):
        raise Refused(400, "variables must be an object or null.")
    if not isinstance(extensions, dict | None):
        raise Refused(400, "extensions must be an object or null.")
    return OperationRequest(query, variables, name or None)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:20]} is too large")
    return number


def _no_constant(name: str) -> Any:
    raise ValueError(f"JSON has no {name}")


# Python reads Infinity and NaN, which are no JSON, and takes what is too large for the first.
_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_no_constant)
