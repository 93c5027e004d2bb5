"""Running a subscription: one execution an event, for as long as the client listens."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from hashlib import sha256
from typing import Any, Self, TypeAlias, cast

from graphql import ExecutionResult as CoreResult
from graphql import GraphQLError
from graphql.execution import (
    Executor,
    create_source_event_stream,
    execute_subscription_event,
)
from strawberry.types import ExecutionResult

from blog_graphql.api.context import Context, RequestContext
from blog_graphql.api.errors import is_stale
from blog_graphql.api.gate import Operation, spend
from blog_graphql.db.events import Subscription
from blog_graphql.errors import OperationTimeout, QueryTooComplex, Unauthenticated

# Makes errors of events what the client may see.
Present: TypeAlias = Callable[[Sequence[GraphQLError]], list[GraphQLError]]

# A document of so many tokens takes some 300 kB once it is parsed.
_MOST_TOKENS = 1_000
_LONGEST = 20_000
_EXPIRED = "The access token has expired: refresh the session and subscribe again."


class Ended(Exception):
    """There is nothing more to tell: the subscription is complete."""


class Source(ABC):
    """What a subscription field returns: keys of what happened, and what a viewer sees of it.

    Two sources of one operation, with the same variables, see the same.
    """

    def __init__(self, subscription: Subscription) -> None:
        self.subscription = subscription

    def __aiter__(self) -> AsyncIterator[int]:
        """The keys as they come, once the subscription was entered."""
        return aiter(self.subscription)

    async def begin(self, context: Context) -> None:  # noqa: B027 - most refuse nothing
        """Look before the first event, where there is something to refuse."""

    @abstractmethod
    async def look(self, context: Context, key: int) -> Any:
        """What the viewer gets of an event, as the field's value; None for nothing.

        Raises:
            Ended: the subscription is over.
        """


async def subscribe(
    operation: Operation, executor: Executor[Any], request: RequestContext, present: Present
) -> Live:
    """Begin a subscription: no event is missed from here on.

    Raises:
        BlogError: the viewer may not follow what was asked for, it is too long to be kept, or
            too many are followed.
        GraphQLError: the field refuses its arguments.
    """
    asked = _asked(operation, executor)
    async with AsyncExitStack() as stack:
        stack.enter_context(request.services.subscriptions.taken(request.address))
        async with request.operation() as context:
            await context.authenticate()
            source = await _source(executor, context)
            # Nothing is held while the listening connection is being made.
            await context.session.release()
            await stack.enter_async_context(source.subscription)
            await source.begin(context)
        stack.enter_context(request.services.fan_out.followed())
        executor = request.services.fan_out.executors.setdefault(asked, executor)
        looks = _Looks(asked, operation.cost, executor, request, source, present)
        return Live(looks, stack.pop_all())


async def _source(executor: Executor[Any], context: Context) -> Source:
    """What the subscription's field returns for its arguments."""
    first = executor.build_per_event_executor(None)
    first.context_value = context
    stream: Any = create_source_event_stream(first)
    source = await stream if first.is_awaitable(stream) else stream
    if isinstance(source, CoreResult):
        raise (source.errors or [])[0]
    return cast("Source", source)


class Live:
    """A subscription that is followed: iterate over the results of its events, and close it.

    Raises what ends it early.
    """

    def __init__(self, looks: _Looks, stack: AsyncExitStack) -> None:
        self._looks = looks
        self._keys = aiter(looks.source)
        self._stack = stack

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def __aiter__(self) -> AsyncIterator[ExecutionResult]:
        return self

    async def __anext__(self) -> ExecutionResult:
        """The result of the next event of which the viewer gets something.

        Raises:
            Unauthenticated: the viewer's session, or their account, is over.
            SlowSubscriber: more happened than was fetched.
        """
        while True:
            key = await self._next_key()
            try:
                result = await self._looks.at(key)
            except Ended:
                raise StopAsyncIteration from None
            if result is not None:
                return result

    async def _next_key(self) -> int:
        try:
            async with asyncio.timeout(self._looks.seconds_left()):
                return await anext(self._keys)
        except TimeoutError:
            raise Unauthenticated(_EXPIRED) from None


class _Looks:
    """Looks at the events of one subscription, each in a context of its own.

    The viewer is whoever the credential stands for by then, and nothing of an
    event is kept until the next.
    """

    def __init__(
        self,
        asked: bytes,
        cost: int,
        executor: Executor[Any],
        request: RequestContext,
        source: Source,
        present: Present,
    ) -> None:
        self.source = source
        self._request = request
        self._present = present
        self._asked = asked
        self._cost = cost
        self._executor = executor

    def seconds_left(self) -> float | None:
        """How long the credential lasts by itself."""
        return self._request.authentication.seconds_left(self._request.clock())

    async def at(self, key: int) -> ExecutionResult | None:
        """What the viewer gets of an event, which then is paid for; None for nothing."""
        fan_out = self._request.services.fan_out
        if self._request.authentication.is_anonymous:
            look = partial(self._execute, key)
            result = await fan_out.share((self._asked, key), look)
        else:
            async with fan_out.slot:
                result = await self._execute(key)
        if result is not None:
            await spend(self._request, self._cost)
        return result

    async def _execute(self, key: int) -> ExecutionResult | None:
        seconds = self._request.services.settings.operation_timeout
        try:
            async with asyncio.timeout(seconds):
                result = await self._consistent(key)
        except TimeoutError:
            raise OperationTimeout(f"An event took longer than {seconds:g} seconds.") from None
        if result is None:
            return None
        errors = self._present(result.errors) if result.errors else None
        return ExecutionResult(data=result.data, errors=errors)

    async def _consistent(self, key: int) -> CoreResult | None:
        for snapshot in (False, True):
            async with self._request.operation(snapshot=snapshot) as context:
                await context.authenticate()
                value = await self.source.look(context, key)
                if value is None:
                    return None
                executor = self._executor.build_per_event_executor(value)
                executor.context_value = context
                answer: Any = execute_subscription_event(executor)
                result: CoreResult = await answer if executor.is_awaitable(answer) else answer
            if not is_stale(result.errors):
                break
        return result


def _asked(operation: Operation, executor: Executor[Any]) -> bytes:
    """What all have in common who ask the same.

    Raises:
        QueryTooComplex: it is more than the server keeps for as long as a subscription lasts.
    """
    body = operation.document.loc.source.body if operation.document.loc else ""
    variables = executor.variable_values.coerced
    # Escaped: surrogates that stand alone could not be encoded otherwise.
    text = json.dumps([body, operation.name, variables], sort_keys=True, default=str)
    if len(text) > _LONGEST or operation.document.token_count > _MOST_TOKENS:
        raise QueryTooComplex(
            f"A subscription has at most {_LONGEST:,} characters and {_MOST_TOKENS:,} tokens, "
            "its variables included."
        )
    return sha256(text.encode()).digest()
