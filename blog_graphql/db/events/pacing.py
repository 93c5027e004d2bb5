"""Telling of the same thing often enough, and no more often."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Pacer:
    """Passes a key on at once, then at most once an interval; the last time is never lost.

    Args:
        passed: is called with each key.
        interval: seconds between two calls with the same key.
    """

    def __init__(self, passed: Callable[[int], None], interval: float) -> None:
        self.interval = interval
        self._passed = passed
        self._resting: dict[int, asyncio.TimerHandle] = {}
        self._again: set[int] = set()

    def add(self, key: int) -> None:
        """Pass a key on, now or when its interval is over."""
        if key in self._resting:
            self._again.add(key)
            return
        loop = asyncio.get_running_loop()
        self._resting[key] = loop.call_later(self.interval, self._rested, key)
        self._passed(key)

    def close(self) -> None:
        """Forget what was not passed on yet."""
        for timer in self._resting.values():
            timer.cancel()
        self._resting.clear()
        self._again.clear()

    def _rested(self, key: int) -> None:
        del self._resting[key]
        if key in self._again:
            self._again.discard(key)
            self.add(key)
