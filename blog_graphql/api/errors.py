"""How errors reach clients: with a code, and masked when they are bugs of ours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import structlog
from graphql import FieldNode, FloatValueNode, GraphQLError, GraphQLSyntaxError, IntValueNode

from blog_graphql.errors import BlogError, RateLimited, StaleRead

log = structlog.get_logger(__name__)

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
BAD_USER_INPUT = "BAD_USER_INPUT"
INTERNAL_SERVER_ERROR = "INTERNAL_SERVER_ERROR"

# What graphql-core puts into errors of validation and coercion; no name has a question mark.
_SUGGESTION = re.compile(r" Did you mean [^?]*\?")

# What graphql-core repeats of an input, which may hold a password.
_REPEATED_INPUT = re.compile(r"(?:, f| F)ound: .*|(?<=value): [{\[].*", re.DOTALL)
# Characters. Some messages quote a value, which may be megabytes.
_LONGEST_MESSAGE = 1_000

_TOO_LONG = "This number has too many digits."

MASKED_MESSAGE = "Internal server error. Quote the requestId when you report it."


def is_stale(errors: Sequence[GraphQLError] | None) -> bool:
    """Whether an operation failed only because data changed under it."""
    return any(isinstance(error.original_error, StaleRead) for error in errors or ())


def present(
    errors: Sequence[GraphQLError], *, executed: bool, suggestions: bool, request_id: str
) -> list[GraphQLError]:
    """The errors as the client may see them.

    ``executed`` tells errors of resolvers and variables from those of the
    document; without ``suggestions`` no name of the schema is given away. What
    is unexpected is masked, and logged here: once, however many fields met it.
    """
    logged: set[int] = set()
    presented = []
    for error in errors:
        code = _code(error, executed=executed)
        if code != INTERNAL_SERVER_ERROR:
            message = _TOO_LONG if _is_too_long(error) else _readable(error.message)
            message = message if suggestions else _SUGGESTION.sub("", message)
            presented.append(_with_extensions(error, message, _extensions(error, code)))
            continue
        cause = error.original_error or error
        if id(cause) not in logged:
            logged.add(id(cause))
            log.error("unexpected error", path=error.path, request_id=request_id, exc_info=cause)
        extensions = {"code": code, "requestId": request_id}
        presented.append(_with_extensions(error, MASKED_MESSAGE, extensions))
    return presented


def _readable(message: str) -> str:
    """The message without what the client said at length."""
    if len(message) > _LONGEST_MESSAGE:
        message = f"{message[:_LONGEST_MESSAGE]}…"
    without_input = _REPEATED_INPUT.sub("", message)
    if without_input == message or without_input.endswith("?"):
        return without_input
    return f"{without_input}."


def _code(error: GraphQLError, *, executed: bool) -> str:
    original = error.original_error
    if isinstance(original, BlogError):
        return original.code
    if isinstance(error, GraphQLSyntaxError):
        return PARSE_FAILED
    if _is_too_long(error):
        return VALIDATION_FAILED
    if original is not None and not isinstance(original, GraphQLError):
        return INTERNAL_SERVER_ERROR
    if not executed:
        return VALIDATION_FAILED
    return BAD_USER_INPUT if _is_about_input(error) else INTERNAL_SERVER_ERROR


def _is_too_long(error: GraphQLError) -> bool:
    """Whether a literal is a number of more digits than Python converts."""
    return isinstance(error.original_error, ValueError) and any(
        isinstance(node, IntValueNode | FloatValueNode) for node in error.nodes or ()
    )


def _is_about_input(error: GraphQLError) -> bool:
    """Whether a variable or an argument is wrong, and not what a field returned.

    Variables are coerced before any field runs, so their errors have no path;
    those of arguments point at a value and not at a field.
    """
    return not error.path or not any(isinstance(node, FieldNode) for node in error.nodes or ())


def _extensions(error: GraphQLError, code: str) -> dict[str, Any]:
    if isinstance(error.original_error, RateLimited):
        return {"code": code, "retryAfter": error.original_error.retry_after}
    return {"code": code}


def _with_extensions(error: GraphQLError, message: str, extensions: dict[str, Any]) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )
