"""How errors reach clients: with a code, and masked when they are bugs of ours."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from graphql import GraphQLError, GraphQLSyntaxError

from blog_graphql.errors import BlogError, StaleRead

log = structlog.get_logger(__name__)

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
BAD_USER_INPUT = "BAD_USER_INPUT"
INTERNAL_SERVER_ERROR = "INTERNAL_SERVER_ERROR"


def is_stale(errors: Sequence[GraphQLError] | None) -> bool:
    """Whether an operation failed only because data changed under it."""
    return any(isinstance(error.original_error, StaleRead) for error in errors or ())


def present(error: GraphQLError, *, executed: bool, request_id: str) -> GraphQLError:
    """The error as the client may see it.

    ``executed`` tells an error of a resolver or a variable from one of the
    document. An unexpected one is logged here, once, and masked.
    """
    code = _code(error, executed=executed)
    if code != INTERNAL_SERVER_ERROR:
        return _with_extensions(error, error.message, {"code": code})
    log.error(
        "unexpected error",
        path=error.path,
        exc_info=error.original_error or error,
    )
    extensions = {"code": code, "requestId": request_id}
    message = "Internal server error. Quote the requestId when you report it."
    return _with_extensions(error, message, extensions)


def _code(error: GraphQLError, *, executed: bool) -> str:
    original = error.original_error
    if isinstance(original, BlogError):
        return original.code
    if isinstance(error, GraphQLSyntaxError):
        return PARSE_FAILED
    if original is not None and not isinstance(original, GraphQLError):
        return INTERNAL_SERVER_ERROR
    if not executed:
        return VALIDATION_FAILED
    # Variables are coerced before any field runs, so their errors have no path.
    return INTERNAL_SERVER_ERROR if error.path else BAD_USER_INPUT


def _with_extensions(error: GraphQLError, message: str, extensions: dict[str, str]) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )
