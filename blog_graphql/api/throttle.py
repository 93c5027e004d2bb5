"""Throttling: attempts to sign in, and a budget that operations spend."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from ipaddress import IPv6Address, IPv6Network, ip_address
from itertools import islice

import limits
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from blog_graphql.errors import RateLimited
from blog_graphql.settings import Settings

# How much higher the ceilings per name and per address are than the one per both.
_WIDER = 10
# The networks that a customer of a provider gets: RFC 6177, and RFC 4291 on interface ids.
_IPV6_PREFIX = 64


@dataclass(frozen=True, slots=True)
class Budget:
    """What a viewer may spend within a minute, in cost units, after an operation."""

    limit: int
    remaining: int
    cost: int
    reset_at: datetime
    retry_after: int
    """Whole seconds until ``reset_at``, at least one."""


class BudgetExceeded(RateLimited):
    """An operation costs more than is left; nothing was spent."""

    def __init__(self, message: str, budget: Budget) -> None:
        super().__init__(message, budget.retry_after)
        self.budget = budget


class Throttle:
    """Counts within this process, in windows that begin with their first attempt.

    Testing all limits and then counting is one step: nothing in between gives
    way to another task, since memory answers at once.
    """

    def __init__(self, settings: Settings) -> None:
        narrow = limits.parse(settings.login_rate_limit)
        self._narrow = narrow
        self._wide = type(narrow)(narrow.amount * _WIDER, narrow.multiples)
        self._attempts = FixedWindowRateLimiter(_Counters())
        self._budget = settings.rate_limit
        self._spending = FixedWindowRateLimiter(_Counters())

    async def attempt_login(self, name_key: str, address: str) -> None:
        """Count an attempt to sign in, by the folded name or email that was given.

        Whoever guesses from one address is stopped there, long before the wider
        ceiling of the name, so that they lock nobody else out; the ceiling of
        the address stops trying one password on many names.

        Raises:
            RateLimited: too many; this one is not counted.
        """
        name = sha256(name_key.encode(errors="surrogatepass")).hexdigest()
        await self._attempt(
            "sign in",
            (self._narrow, "login", name, address),
            (self._wide, "login to", name),
            (self._wide, "login from", address),
        )

    async def attempt_sign_up(self, address: str) -> None:
        """Count an attempt to sign up.

        Raises:
            RateLimited: too many; this one is not counted.
        """
        await self._attempt("sign up", (self._narrow, "sign up", address))

    async def attempt_password(self, user_id: int) -> None:
        """Count an attempt of a signed-in user to prove their password.

        Raises:
            RateLimited: too many; this one is not counted.
        """
        await self._attempt("give the password", (self._narrow, "password", str(user_id)))

    async def spend(self, viewer_key: str, cost: int) -> Budget | None:
        """Spend an operation's cost from a viewer's budget of this minute.

        Returns:
            What is left, or None when ``BLOG_RATE_LIMIT`` is not set.

        Raises:
            BudgetExceeded: it does not suffice; nothing is spent.
        """
        if self._budget is None:
            return None
        limit = limits.RateLimitItemPerMinute(self._budget)
        suffices = await self._spending.test(limit, viewer_key, cost=cost)
        if suffices:
            await self._spending.hit(limit, viewer_key, cost=cost)
        reset_time, remaining = await self._spending.get_window_stats(limit, viewer_key)
        reset_at = datetime.fromtimestamp(reset_time, UTC)
        budget = Budget(limit.amount, remaining, cost, reset_at, _seconds_until(reset_time))
        if suffices:
            return budget
        if cost > limit.amount:
            message = (
                f"The operation costs {cost:,}, and no more than {limit.amount:,} may be spent in "
                "a minute: ask for less at once."
            )
        else:
            message = (
                f"The operation costs {cost:,}, and {remaining:,} of {limit.amount:,} are left: "
                f"try again in {budget.retry_after} s."
            )
        raise BudgetExceeded(message, budget)

    async def _attempt(
        self, what: str, *ceilings: tuple[limits.RateLimitItem, *tuple[str, ...]]
    ) -> None:
        reached = [ceiling for ceiling in ceilings if not await self._attempts.test(*ceiling)]
        if reached:
            resets = [
                (await self._attempts.get_window_stats(*ceiling)).reset_time for ceiling in reached
            ]
            retry_after = _seconds_until(max(resets))
            raise RateLimited(
                f"Too many attempts to {what}: try again in {retry_after} s.", retry_after
            )
        for ceiling in ceilings:
            await self._attempts.hit(*ceiling)


class _Counters(MemoryStorage):
    """Counters of windows of one length, the oldest of which ends first.

    The library's own looks for ended windows among all counters at every hit,
    which takes 13 ms at 100,000 addresses. Here a hit forgets the two oldest if
    they have ended: memory shrinks faster than it can grow.
    """

    async def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Add to a counter; its window begins if none is open."""
        for old in (*islice(self.expirations, 2), key):
            await self.get(old)  # forgets it when its window has ended
        self.expirations.setdefault(key, time.time() + expiry)
        self.storage[key] += amount
        return self.storage[key]


def address_key(host: str | None) -> str:
    """What attempts from an address are counted under.

    An IPv6 address counts as its network of 64 bits, all of which one customer
    has; an IPv4 address written as IPv6 counts as IPv4. Anything else, as from
    a Unix socket or out of a broken header, is one and the same.
    """
    try:
        address = ip_address(host or "")
    except ValueError:
        return "unknown"
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), _IPV6_PREFIX), strict=False))


def _seconds_until(moment: float) -> int:
    return max(1, math.ceil(moment - time.time()))
