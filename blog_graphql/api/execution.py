"""Running an operation: its context, its consistency, its errors and its log line."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, cast

import strawberry
import structlog
from graphql import GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.schema.exceptions import CannotGetOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.execution import ExecutionContext, PreExecutionError

from blog_graphql.api.context import RequestContext
from blog_graphql.api.errors import is_stale, present
from blog_graphql.api.middleware import current_request_id
from blog_graphql.errors import BadUserInput

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
                try:
                    result = await super().execute(query, variable_values, context, *args, **kwargs)
                except CannotGetOperationTypeError as error:
                    result = _refused(error)
                statements += context.session.statements
            if not is_stale(result.errors):
                break
        request_id = current_request_id()
        if result.errors:
            result.errors = present(
                result.errors,
                executed=not isinstance(result, PreExecutionError),
                suggestions=not self.config.disable_field_suggestions,
                request_id=request_id,
            )
        log.info(
            "operation",
            name=context.operation_name,
            duration_ms=round((time.perf_counter() - started) * 1000, 1),
            statements=statements,
            errors=sorted({str((e.extensions or {}).get("code")) for e in result.errors or ()}),
            request_id=request_id,
        )
        return result

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Log nothing here: ``execute`` logs what is unexpected, once."""


class NameOperation(SchemaExtension):
    """Tells the context which operation of the document runs, for the log."""

    def on_operation(self) -> Iterator[None]:
        """Read the name once the document is parsed."""
        try:
            yield
        finally:
            name = self.execution_context.operation_name
            if isinstance(name, str) and name.isidentifier():
                self.execution_context.context.operation_name = name[:_LONGEST_NAME]


def _refused(error: CannotGetOperationTypeError) -> ExecutionResult:
    """The answer to a document that does not have the operation asked for."""
    name = (error.operation_name or "")[:_LONGEST_NAME]
    refusal = BadUserInput(
        f"The document has no operation {name!r}: operationName must name one of its own."
        if name
        else "The document has no operation: write a query."
    )
    return PreExecutionError(data=None, errors=[GraphQLError(str(refusal), original_error=refusal)])
