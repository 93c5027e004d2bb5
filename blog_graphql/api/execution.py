"""Running an operation: its context, its consistency, its errors and its log line."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Any, cast

import strawberry
import structlog
from graphql import GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionResult
from strawberry.types.execution import ExecutionContext, PreExecutionError
from structlog.contextvars import get_contextvars

from blog_graphql.api.context import Context, RequestContext
from blog_graphql.api.errors import is_stale, present

log = structlog.get_logger("blog_graphql.operation")

_LONGEST_NAME = 100


class BlogSchema(strawberry.Schema):
    """A Strawberry schema whose operations each get a context of their own.

    Pass ``execute`` a ``RequestContext``; resolvers see a ``Context``.
    """

    async def execute(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> ExecutionResult:
        """Run one operation and return its connection to the pool.

        A read that met a row which had just vanished runs again, once, on a
        snapshot, where nothing vanishes.
        """
        request = cast("RequestContext", context_value)
        started = time.perf_counter()
        statements = 0
        for snapshot in (False, True):
            async with request.operation(snapshot=snapshot) as context:
                result = await super().execute(query, variable_values, context, *args, **kwargs)
                statements += context.session.statements
            if not is_stale(result.errors):
                break
        if result.errors:
            result.errors = _presented(result)
        _log_operation(context, statements, started, result.errors)
        return result

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Log nothing here: ``execute`` logs what is unexpected, once."""


class NameOperation(SchemaExtension):
    """Tells the context which operation of the document runs, for the log."""

    def on_operation(self) -> Iterator[None]:
        """Read the name once the document is parsed."""
        yield
        name = self.execution_context.operation_name
        if name is not None and name.isidentifier():
            self.execution_context.context.operation_name = name[:_LONGEST_NAME]


def _presented(result: ExecutionResult) -> list[GraphQLError]:
    executed = not isinstance(result, PreExecutionError)
    request_id = get_contextvars().get("request_id") or uuid.uuid4().hex
    return [
        present(error, executed=executed, request_id=request_id) for error in result.errors or ()
    ]


def _log_operation(
    context: Context, statements: int, started: float, errors: Sequence[GraphQLError] | None
) -> None:
    log.info(
        "operation",
        name=context.operation_name,
        duration_ms=round((time.perf_counter() - started) * 1000, 1),
        statements=statements,
        errors=sorted({str((error.extensions or {}).get("code")) for error in errors or ()}),
    )
