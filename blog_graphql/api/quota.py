"""How much may be open at a time: sockets, subscriptions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from blog_graphql.errors import RateLimited, ServiceUnavailable

_RETRY_AFTER = 10


class Quota:
    """Counts what is open in this process, in all and by client address."""

    def __init__(self, what: str, most: int, most_by_address: int) -> None:
        self._what = what
        self._most = most
        self._most_by_address = most_by_address
        self._open = Counter[str]()

    @property
    def count(self) -> int:
        """How many are open."""
        return self._open.total()

    @contextmanager
    def taken(self, address: str) -> Iterator[None]:
        """One more is open inside the block.

        Raises:
            ServiceUnavailable: the process has all that it may have.
            RateLimited: the address has all that it may have.
        """
        if self.count >= self._most:
            raise ServiceUnavailable(f"The server has no more {self._what} to give. Try again.")
        if self._open[address] >= self._most_by_address:
            raise RateLimited(
                f"Your address has {self._most_by_address:,} {self._what} open, the most that it "
                "may have: close some first.",
                _RETRY_AFTER,
            )
        self._open[address] += 1
        try:
            yield
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]
