"""Running an operation: its context, its consistency, its errors and its log line."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import strawberry
import structlog
from graphql import GraphQLError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError

from blog_graphql.api.context import Context, RequestContext
from blog_graphql.api.errors import is_stale, present
from blog_graphql.api.middleware import current_request_id
from blog_graphql.api.throttle import Budget
from blog_graphql.errors import BadUserInput, BlogError, OperationTimeout

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
        run = _Run()
        seconds = request.services.settings.operation_timeout
        try:
            async with asyncio.timeout(seconds):
                result = await self._run(run, request, query, variable_values, *args, **kwargs)
        except TimeoutError:
            result = _refused(_timeout(seconds, has_written=run.has_written))
        self._present(result, run.request_id)
        run.log(result.errors or ())
        return result

    async def _run(
        self,
        run: _Run,
        request: RequestContext,
        query: str | None,
        variable_values: dict[str, Any] | None,
        *args: Any,
        **kwargs: Any,
    ) -> ExecutionResult:
        for snapshot in (False, True):
            async with request.operation(snapshot=snapshot, budget=run.budget) as context:
                try:
                    result = await super().execute(query, variable_values, context, *args, **kwargs)
                except CannotGetOperationTypeError as error:
                    result = _refused(_no_operation(error))
                finally:
                    run.note(context)
            # What was written is not written again.
            if run.has_written or not is_stale(result.errors):
                break
        return result

    async def stream(
        self, query: str | None, *args: Any, **kwargs: Any
    ) -> AsyncGenerator[ExecutionResult, None]:
        """Run an operation that came over a socket, where nobody has looked at its types."""

        async def results() -> AsyncGenerator[ExecutionResult, None]:
            try:
                _check_types(query, **kwargs)
                result = await self.execute(query, *args, **kwargs)
            except (BadUserInput, InvalidOperationTypeError) as error:
                if isinstance(error, InvalidOperationTypeError):
                    error = BadUserInput(error.as_http_error_reason("a WebSocket"))
                result = _refused(error)
                self._present(result, current_request_id())
            yield result

        return results()

    def _present(self, result: ExecutionResult, request_id: str) -> None:
        """Make the errors of a result what the client may see."""
        if result.errors:
            result.errors = present(
                result.errors,
                executed=not isinstance(result, PreExecutionError),
                suggestions=not self.config.disable_field_suggestions,
                request_id=request_id,
            )

    def process_errors(self, *_: Any) -> None:
        """Log nothing here: ``execute`` logs what is unexpected, once."""


@dataclass(slots=True)
class _Run:
    """What is known of an operation when it has ended, however it did."""

    started: float = field(default_factory=time.perf_counter)
    request_id: str = field(default_factory=current_request_id)
    name: str | None = None
    statements: int = 0
    has_written: bool = False
    budget: Budget | None = None

    def note(self, context: Context) -> None:
        self.name = context.operation_name
        self.statements += context.session.statements
        self.has_written = context.has_written
        self.budget = context.budget

    def log(self, errors: Sequence[GraphQLError]) -> None:
        log.info(
            "operation",
            name=self.name and self.name[:_LONGEST_NAME],
            duration_ms=round((time.perf_counter() - self.started) * 1000, 1),
            statements=self.statements,
            errors=sorted({str((error.extensions or {}).get("code")) for error in errors}),
            request_id=self.request_id,
        )


def _check_types(
    query: object, variable_values: object = None, operation_name: object = None, **_: object
) -> None:
    if not isinstance(query, str) or not query:
        raise BadUserInput("query must be a GraphQL document, as a string.")
    if not isinstance(variable_values, dict | None):
        raise BadUserInput("variables must be an object or null.")
    if not isinstance(operation_name, str | None):
        raise BadUserInput("operationName must be a string or null.")


def _timeout(seconds: float, *, has_written: bool) -> OperationTimeout:
    stays = " The mutations that it had finished stay." if has_written else ""
    return OperationTimeout(f"The operation took longer than {seconds:g} seconds.{stays}")


def _refused(refusal: BlogError) -> ExecutionResult:
    """The answer to an operation that is refused as a whole."""
    return PreExecutionError(data=None, errors=[GraphQLError(str(refusal), original_error=refusal)])


def _no_operation(error: CannotGetOperationTypeError) -> BadUserInput:
    name = (error.operation_name or "")[:_LONGEST_NAME]
    return BadUserInput(
        f"The document has no operation {name!r}: operationName must name one of its own."
        if name
        else "The document has no operation: write a query."
    )
