"""Tasks that outlive whoever had them started, and what they need."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextvars import Context
from typing import Any, Protocol

from sqlalchemy import Executable, Row


class Fetch(Protocol):
    """Gives every row of a statement, on a connection of its own."""

    async def __call__(self, statement: Executable, **parameters: Any) -> Sequence[Row[Any]]:
        """Run the statement with those parameters."""


class Background:
    """Runs tasks until it is closed."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something, which is to raise nothing."""
        # In no context: what it logs belongs to no request.
        task = asyncio.create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """End everything that runs."""
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            # A library that is cancelled may raise something else, which is tried again.
            await asyncio.wait(self._tasks, timeout=1)
