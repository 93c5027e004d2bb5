"""Time for the tests."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.support.blog import NOW


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        """Move on by a ``timedelta``."""
        self.now += timedelta(**by)
