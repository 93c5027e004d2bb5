"""The connection on which this process hears what others announced."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Protocol

import asyncpg  # type: ignore[import-untyped] # it brings no types
import structlog

from blog_graphql.db.events.background import Background
from blog_graphql.db.postgresql import listening_arguments
from blog_graphql.settings import Settings

log = structlog.get_logger(__name__)

# All in seconds.
_CHECK_EVERY = 30.0
_PATIENCE = 10.0
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 15.0


class Hearer(Protocol):
    """Whom a listener tells."""

    def hear(self, channel: str, payload: str) -> None:
        """Take a notice."""

    def miss(self, seconds: float) -> None:
        """Know that notices may be missing, since so many seconds ago and until ``catch_up``."""

    def catch_up(self) -> None:
        """Know that from now on none is missing."""


class Listener:
    """Listens on a connection of its own, and makes another one whenever it is lost.

    A server that has vanished without a word is found out by asking it something
    every half minute.
    """

    def __init__(
        self,
        settings: Settings,
        channels: Iterable[str],
        hearer: Hearer,
        background: Background,
    ) -> None:
        self._settings = settings
        self._channels = tuple(channels)
        self._hearer = hearer
        self._background = background
        self._task: asyncio.Task[None] | None = None
        self._tried = asyncio.Event()
        self._is_missing = False

    async def ready(self) -> None:
        """Wait until everything is heard; or, with no database to be had, until that is known."""
        if self._task is None:
            self._task = self._background.start(self._run())
            # Nobody waits for a connection that is not made any more.
            self._task.add_done_callback(lambda _: self._tried.set())
        # An operation waits here, which is to succeed all the same.
        seconds = self._settings.operation_timeout / 2
        try:
            async with asyncio.timeout(seconds):
                await self._tried.wait()
        except TimeoutError:
            self._miss(f"there was no connection within {seconds:g} seconds", seconds)

    async def _run(self) -> None:
        now = asyncio.get_running_loop().time
        pause = _FIRST_PAUSE
        while True:
            began = now()
            try:
                await self._listen()
                # One that is lost at once is no reason to hurry.
                if now() - began > _LONGEST_PAUSE:
                    pause = _FIRST_PAUSE
            except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
                self._miss(str(error) or type(error).__name__)
            # Not in step with the other processes that have lost theirs.
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - no secret
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _listen(self) -> None:
        """Listen until the connection is lost.

        Raises:
            Exception: it could not be made.
        """
        lost = asyncio.Event()
        arguments = listening_arguments(self._settings)
        arguments["timeout"] = min(arguments["timeout"], _PATIENCE)
        connection = await asyncpg.connect(**arguments)
        try:
            connection.add_termination_listener(lambda _: lost.set())
            async with asyncio.timeout(_PATIENCE):
                for channel in self._channels:
                    await connection.add_listener(channel, self._hear)
            self._catch_up()
            await self._watch(connection, lost)
        finally:
            connection.terminate()

    async def _watch(self, connection: asyncpg.Connection, lost: asyncio.Event) -> None:
        """Wait until the connection is lost, then tell since when that may be."""
        now = asyncio.get_running_loop().time
        alive = now()
        with suppress(Exception):
            while not lost.is_set():
                try:
                    async with asyncio.timeout(_CHECK_EVERY):
                        await lost.wait()
                except TimeoutError:
                    asked = now()
                    await connection.execute("SELECT 1", timeout=_PATIENCE)
                    alive = asked
        self._miss("the connection was lost", now() - alive)

    def _hear(self, _connection: Any, _pid: int, channel: str, payload: Any) -> None:
        self._hearer.hear(channel, str(payload))

    def _miss(self, reason: str, seconds: float = 0) -> None:
        if not self._is_missing:
            self._is_missing = True
            log.warning("live updates are interrupted", reason=reason)
            self._hearer.miss(seconds)
        self._tried.set()

    def _catch_up(self) -> None:
        if self._is_missing:
            self._is_missing = False
            self._hearer.catch_up()
            log.info("live updates are back")
        self._tried.set()
