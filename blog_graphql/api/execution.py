"""Running an operation: its context, its consistency, its errors and its log line."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, cast

import strawberry
import structlog
from graphql import ExecutionResult as CoreResult
from graphql import GraphQLError, specified_rules
from graphql.execution import Executor
from graphql.validation import ASTValidationRule, NoSchemaIntrospectionCustomRule
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError

from blog_graphql.api.context import Context, RequestContext
from blog_graphql.api.errors import is_stale, present
from blog_graphql.api.gate import Operation, OperationRequest, Refused, admit
from blog_graphql.api.middleware import current_request_id
from blog_graphql.api.subscription import Live, subscribe
from blog_graphql.errors import OperationTimeout

log = structlog.get_logger("blog_graphql.operation")


class BlogSchema(strawberry.Schema):
    """A Strawberry schema that runs operations by itself, each with a context of its own.

    Strawberry makes types and resolvers; what happens around them is here, and
    not in its ``execute``. Resolvers see a ``Context``.
    """

    def __init__(self, *, introspection: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._suggests = introspection
        self._rules: list[type[ASTValidationRule]] = list(specified_rules)
        if not introspection:
            self._rules.append(NoSchemaIntrospectionCustomRule)

    async def answer(self, request: OperationRequest, context: RequestContext) -> ExecutionResult:
        """Answer a query or mutation, and return its connection to the pool.

        A read that met a row which had just vanished runs again, once, on a
        snapshot, where nothing vanishes. What is refused before it runs is a
        ``PreExecutionError``.

        Raises:
            InvalidOperationTypeError: its kind is not among the allowed ones.
        """
        return cast("ExecutionResult", await self._answer(_Run(request), context))

    async def results(
        self, request: OperationRequest, context: RequestContext
    ) -> AsyncGenerator[ExecutionResult | None, None]:
        """Answer any operation, a subscription event by event.

        A subscription's first item is None: from then on it misses nothing. What
        is refused before it runs, or cannot go on, ends with a
        ``PreExecutionError``. Close the generator to end a subscription.

        Raises:
            InvalidOperationTypeError: its kind is not among the allowed ones.
        """
        run = _Run(replace(request, streams=True))
        # A subscription lasts: it must not keep megabytes that only came along.
        del request
        answer = await self._answer(run, context)
        if not isinstance(answer, Live):
            yield answer
            return
        run.begin_events()
        errors: list[GraphQLError] = []
        try:
            async with answer:
                yield None
                async for result in answer:
                    run.events += 1
                    yield result
        except Exception as error:  # noqa: BLE001 - whatever it is, the client is told
            errors = self._present(run, [_wrapped(error)])
        finally:
            run.log(errors)
        if errors:
            yield PreExecutionError(data=None, errors=errors)

    async def _answer(self, run: _Run, context: RequestContext) -> ExecutionResult | Live:
        """A result that is presented and logged, or a subscription that has begun."""
        seconds = context.services.settings.operation_timeout
        try:
            async with asyncio.timeout(seconds):
                outcome = await self._run(run, context)
        except InvalidOperationTypeError:
            raise
        except TimeoutError:
            late = _timeout(seconds, has_written=run.has_written)
            answer = ExecutionResult(data=None, errors=self._present(run, [_wrapped(late)]))
        except Refused as refused:
            answer = self._refusal(run, refused)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client is told
            answer = self._refusal(run, Refused([_wrapped(error)]))
        else:
            if isinstance(outcome, Live):
                return outcome
            errors = outcome.errors and self._present(run, outcome.errors)
            answer = ExecutionResult(data=outcome.data, errors=errors)
        run.log(answer.errors or ())
        return answer

    async def _run(self, run: _Run, context: RequestContext) -> CoreResult | Live:
        operation = await admit(
            self._schema, self._rules, run.request, context, suggestions=self._suggests
        )
        executor = self._executor(operation)
        if operation.is_subscription:
            return await subscribe(operation, executor, context, partial(self._present, run))
        for snapshot in (False, True):
            async with context.operation(
                snapshot=snapshot, budget=operation.budget, tolerant=operation.is_tolerant
            ) as inner:
                try:
                    await inner.authenticate()
                    result = await _execute(executor, operation, inner)
                finally:
                    run.note(inner)
            # What was written is not written again.
            if run.has_written or not is_stale(result.errors):
                break
        return result

    def _executor(self, operation: Operation) -> Executor[Any]:
        """An executor to copy for each attempt or event, with the variables read."""
        executor = Executor.build(
            self._schema,
            operation.document,
            raw_variable_values=operation.variables,
            operation_name=operation.name,
            is_awaitable=cast("Any", optimized_is_awaitable),
            hide_suggestions=not self._suggests,
        )
        if isinstance(executor, list):
            raise Refused(executor, are_about_input=True)
        return executor

    def _refusal(self, run: _Run, refused: Refused) -> PreExecutionError:
        errors = self._present(run, refused.errors, executed=refused.are_about_input)
        return PreExecutionError(data=None, errors=errors)

    def _present(
        self, run: _Run, errors: Sequence[GraphQLError], *, executed: bool = True
    ) -> list[GraphQLError]:
        return present(
            errors, executed=executed, suggestions=self._suggests, request_id=run.request_id
        )


@dataclass(slots=True)
class _Run:
    """What is known of an operation when it has ended, however it did."""

    request: OperationRequest
    started: float = field(default_factory=time.perf_counter)
    request_id: str = field(default_factory=current_request_id)
    statements: int = 0
    events: int = 0
    is_followed: bool = False
    has_written: bool = False

    def begin_events(self) -> None:
        """Count from here on, and let go of what was asked."""
        self.is_followed = True
        self.request = OperationRequest("", name=self.request.name)

    def note(self, context: Context) -> None:
        self.statements += context.session.statements
        self.has_written = context.has_written

    def log(self, errors: Sequence[GraphQLError]) -> None:
        events = {"events": self.events} if self.is_followed else {}
        log.info(
            "operation",
            name=self.request.name,
            duration_ms=round((time.perf_counter() - self.started) * 1000, 1),
            statements=self.statements,
            errors=sorted({str((error.extensions or {}).get("code")) for error in errors}),
            request_id=self.request_id,
            **events,
        )


async def _execute(executor: Executor[Any], operation: Operation, context: Context) -> CoreResult:
    attempt = executor.build_per_event_executor(None)
    attempt.context_value = context
    if operation.is_introspection:
        # Tens of milliseconds of computing, and nothing to wait for: others go on meanwhile.
        return cast("CoreResult", await asyncio.to_thread(attempt.execute_operation))
    answer = attempt.execute_operation()
    return cast("CoreResult", await answer if attempt.is_awaitable(answer) else answer)


def _wrapped(error: Exception) -> GraphQLError:
    return (
        error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)
    )


def _timeout(seconds: float, *, has_written: bool) -> OperationTimeout:
    stays = " The mutations that it had finished stay." if has_written else ""
    return OperationTimeout(f"The operation took longer than {seconds:g} seconds.{stays}")
