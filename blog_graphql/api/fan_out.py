"""One event, many subscribers: few look at once, and those who see the same look together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from graphql.execution import Executor

from blog_graphql.settings import Settings

ResultT = TypeVar("ResultT")


class FanOut:
    """Lets the events of a process take no more than half of the pool's lasting connections.

    A thousand subscribers who hear of one event would otherwise take all of
    them, and everybody else would wait.
    """

    def __init__(self, settings: Settings) -> None:
        self.followers = 0
        # What is asked, once for all who ask the same, for as long as somebody does.
        self.executors: WeakValueDictionary[bytes, Executor[Any]] = WeakValueDictionary()
        most = 1 if settings.is_in_memory else max(1, settings.pool_size // 2)
        # Whoever is inside of it may use a connection for an event.
        self.slot = asyncio.Semaphore(most)
        self._waiting: dict[Hashable, asyncio.Task[Any]] = {}
        self._running: set[asyncio.Task[Any]] = set()

    @contextmanager
    def followed(self) -> Iterator[None]:
        """One more subscription follows events inside the block."""
        self.followers += 1
        try:
            yield
        finally:
            self.followers -= 1

    async def share(self, key: Hashable, look: Callable[[], Awaitable[ResultT]]) -> ResultT:
        """What ``look`` gives, or gave to another who asked for the same key just before.

        One that has begun is not joined: what happened since may be missing from it.
        """
        task = self._waiting.get(key)
        if task is None:
            task = self._waiting[key] = asyncio.create_task(self._look(key, look))
            self._running.add(task)
            task.add_done_callback(self._end)
        # Whoever is cancelled leaves the others their result.
        result: ResultT = await asyncio.shield(task)
        return result

    async def close(self) -> None:
        """End what still runs."""
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)

    async def _look(self, key: Hashable, look: Callable[[], Awaitable[ResultT]]) -> ResultT:
        try:
            await self.slot.acquire()
        finally:
            del self._waiting[key]
        try:
            return await look()
        finally:
            self.slot.release()

    def _end(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        # Everybody who waited may be gone: asyncio is not to log what it raised.
        if not task.cancelled():
            task.exception()
