"""How long reads take while others sign in.

    python -m benchmarks.logins [--seconds 10] [--rate 40] [--logins 20]

Starts the server on the demo blog, with the settings of the environment for
all else (``BLOG_DATABASE_URL`` names a migrated PostgreSQL database), and sends
reads at a constant rate: first alone, then while a number of clients sign in
as fast as they are answered. A read's time counts from the moment it was due,
so that a server which falls behind shows.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from itertools import count
from statistics import quantiles

import httpx

from benchmarks.server import LOGIN, post, served, sign_up

READ = "{ posts(first: 20) { nodes { title publishedAt author { username } tags { name } } } }"


async def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="How long reads take while others sign in.")
    parser.add_argument("--seconds", type=float, default=10, help="length of each phase")
    parser.add_argument("--rate", type=float, default=40, help="reads a second")
    parser.add_argument("--logins", type=int, default=20, help="clients that sign in")
    options = parser.parse_args()
    async with (
        served(BLOG_LOGIN_RATE_LIMIT="1000000/minute") as server,
        httpx.AsyncClient(base_url=server.url, timeout=60) as http,
    ):
        await sign_up(http)
        await _reads(http, 2, options.rate)
        alone = await _reads(http, options.seconds, options.rate)
        stop, done = asyncio.Event(), count()
        clients = [
            asyncio.create_task(_sign_in_until(stop, http, done)) for _ in range(options.logins)
        ]
        beside = await _reads(http, options.seconds, options.rate)
        stop.set()
        await asyncio.gather(*clients)
        logins = next(done)
    print(f"{options.rate:g} reads/s for {options.seconds:g} s each, ms:")
    print(f"{'':>28} {'p50':>8} {'p99':>8}")
    print(f"{'reads alone':>28} {_percentiles(alone)}")
    name = f"beside {options.logins} signing in"
    print(f"{name:>28} {_percentiles(beside)}")
    print(f"{logins / options.seconds:.0f} logins/s were answered meanwhile")


async def _reads(http: httpx.AsyncClient, seconds: float, rate: float) -> list[float]:
    """The milliseconds that each of the reads took."""
    begun = time.perf_counter()

    async def read(number: int) -> float:
        due = begun + number / rate
        await asyncio.sleep(due - time.perf_counter())
        await post(http, READ)
        return (time.perf_counter() - due) * 1000

    return await asyncio.gather(*(read(number) for number in range(round(seconds * rate))))


async def _sign_in_until(stop: asyncio.Event, http: httpx.AsyncClient, done: count[int]) -> None:
    while not stop.is_set():
        await post(http, LOGIN)
        next(done)


def _percentiles(times: list[float]) -> str:
    cuts = quantiles(times, n=100)
    return f"{cuts[49]:8.1f} {cuts[98]:8.1f}"


if __name__ == "__main__":
    asyncio.run(main())
