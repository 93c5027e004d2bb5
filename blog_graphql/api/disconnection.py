"""Work for a client that may go away meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

ResultT = TypeVar("ResultT")

# The extension of a request's scope by which the server says that it stops.
STOPPING = "blog.stopping"


def is_stopping(scope: Scope) -> bool:
    """Whether the server wants to stop, so that nothing that lasts should begin."""
    return STOPPING in scope.get("extensions", {})


async def while_connected(receive: Receive, work: Awaitable[ResultT]) -> ResultT:
    """The result of work that is cancelled once the client of an HTTP request is gone.

    The request's body must have been read: what is still to be received is the
    disconnection.

    Raises:
        ClientDisconnect: the client went away.
    """
    try:
        async with asyncio.timeout(None) as connection:
            watching = asyncio.create_task(_end_on_disconnect(receive, connection))
            try:
                return await work
            finally:
                watching.cancel()
    except TimeoutError as error:
        if connection.expired():
            raise ClientDisconnect from error
        raise


async def _end_on_disconnect(receive: Receive, connection: asyncio.Timeout) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    connection.reschedule(asyncio.get_running_loop().time())
