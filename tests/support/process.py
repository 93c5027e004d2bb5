"""The server as an operator starts it: a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.support.command import Outcome

CHECKOUT = Path(__file__).parents[2]
# Seconds after which a process that should have said or done something is given up.
PATIENCE = 60


class Running:
    """A process that runs."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.log: list[str] = []

    async def line(self) -> str:
        """The next line on standard output, empty when there is no more."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            return (await self._process.stdout.readline()).decode()

    async def logged(self, text: str) -> None:
        """Wait for a text on standard error."""
        assert self._process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            async for line in self._process.stderr:
                self.log.append(line.decode())
                if text in self.log[-1]:
                    return
        raise AssertionError(f"{text!r} was not logged, but {''.join(self.log)}")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    async def ended(self) -> Outcome:
        """Wait for the end; gives all that was printed since, and logged ever."""
        async with asyncio.timeout(PATIENCE):
            stdout, stderr = await self._process.communicate()
        assert self._process.returncode is not None
        self.log.extend(stderr.decode().splitlines(keepends=True))
        return Outcome(self._process.returncode, stdout.decode(), "".join(self.log))

    async def stop(self) -> Outcome:
        """Ask it to end, and wait until it has."""
        self.signal(signal.SIGTERM)
        return await self.ended()


@asynccontextmanager
async def running(module: str, *arguments: str, **environment: str) -> AsyncIterator[Running]:
    """Run ``python -m`` a module in the test's folder; it ends with the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        stdout=PIPE,
        stderr=PIPE,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), **environment},
        start_new_session=True,
    )
    try:
        yield Running(process)
    finally:
        # With its workers, where a test failed before it ended them.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def run(module: str, *arguments: str, **environment: str) -> Outcome:
    """Run ``python -m`` a module to its end."""
    async with running(module, *arguments, **environment) as process:
        return await process.ended()
