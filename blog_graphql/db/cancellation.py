"""Cancellation that leaves what it meets in order."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")


async def uninterrupted(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """The result of work that goes on to its end, however often its caller is cancelled.

    ``asyncio.shield`` lets the caller go at once, with the work still under way;
    here a cancellation is raised only when the work has ended.
    """
    task = asyncio.create_task(work)
    cancellation: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancellation = error
    if cancellation is not None:
        # Had the work failed too, this would be its cause.
        raise cancellation from task.exception()
    return task.result()


async def cancelled_once(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """The result of work that is cancelled with its caller, and then left to clean up in peace.

    A second cancellation, as of a client that goes away while a timeout is being
    handled, would find it between two states.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        task.cancel()
        await uninterrupted(_ended(task))
        raise
    return task.result()


async def _ended(task: asyncio.Task[Any]) -> None:
    await asyncio.wait([task])
    # The cancellation is what is raised; asyncio is not to log what came of it.
    if not task.cancelled():
        task.exception()
