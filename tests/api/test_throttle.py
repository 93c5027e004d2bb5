"""Throttling attempts, spending a budget, and counting addresses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog_graphql.api.throttle import Budget, BudgetExceeded, Throttle, _Counters, address_key
from blog_graphql.errors import RateLimited
from blog_graphql.settings import load_settings

START = datetime(2026, 6, 15, 12, tzinfo=UTC)
HOME, AWAY = "192.0.2.1", "198.51.100.1"


class Clock:
    """The clock that the library reads."""

    def __init__(self) -> None:
        self.now = START.timestamp()

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    return clock


def make_throttle(**changes: Any) -> Throttle:
    return Throttle(load_settings(_env_file=None, **changes))


@pytest.fixture
def throttle(clock: Clock) -> Throttle:
    assert clock.now == START.timestamp()
    return make_throttle()


async def refusal(attempt: Awaitable[None]) -> tuple[str, int]:
    with pytest.raises(RateLimited) as refused:
        await attempt
    return str(refused.value), refused.value.retry_after


async def test_a_name_from_an_address_is_tried_ten_times_a_minute(
    throttle: Throttle, clock: Clock
) -> None:
    for _ in range(10):
        await throttle.attempt_login("jane", HOME)
    clock.advance(18.5)
    assert await refusal(throttle.attempt_login("jane", HOME)) == (
        "Too many attempts to sign in: try again in 42 s.", 42,
    )  # fmt: skip
    clock.advance(41.4)
    assert await refusal(throttle.attempt_login("jane", HOME)) == (
        "Too many attempts to sign in: try again in 1 s.", 1,
    )  # fmt: skip
    clock.advance(0.1)
    for _ in range(10):
        await throttle.attempt_login("jane", HOME)
    assert (await refusal(throttle.attempt_login("jane", HOME)))[1] == 60


async def test_whoever_guesses_locks_only_themselves_out(throttle: Throttle) -> None:
    for _ in range(10):
        await throttle.attempt_login("admin", AWAY)
    for _ in range(200):
        await refusal(throttle.attempt_login("admin", AWAY))
    # Of the name's ceiling of a hundred, ten are gone.
    for host in range(9):
        for _ in range(10):
            await throttle.attempt_login("admin", f"192.0.2.{host}")


async def test_a_name_has_a_ceiling_for_all_addresses(throttle: Throttle, clock: Clock) -> None:
    for attempt in range(100):
        await throttle.attempt_login("admin", f"192.0.2.{attempt}")
        clock.advance(0.125)
    assert (await refusal(throttle.attempt_login("admin", AWAY)))[1] == 48
    await throttle.attempt_login("jane", AWAY)


async def test_an_address_has_a_ceiling_for_all_names(throttle: Throttle) -> None:
    for attempt in range(100):
        await throttle.attempt_login(f"user {attempt}", HOME)
    assert (await refusal(throttle.attempt_login("jane", HOME)))[1] == 60
    await throttle.attempt_login("jane", AWAY)


async def test_the_ceiling_that_is_reached_longest_counts(throttle: Throttle, clock: Clock) -> None:
    for attempt in range(90):
        await throttle.attempt_login(f"user {attempt}", HOME)
    clock.advance(20)
    for _ in range(10):
        await throttle.attempt_login("jane", HOME)
    # The address may go on in 40 seconds, with this name in 60.
    assert (await refusal(throttle.attempt_login("jane", HOME)))[1] == 60
    assert (await refusal(throttle.attempt_login("joe", HOME)))[1] == 40


async def test_names_are_told_apart_whatever_is_in_them(throttle: Throttle) -> None:
    names = ["", "a", "a/b", "a\x00", "\ud800", "\udc00", "x" * 1_000_000, "x" * 999_999]
    for name in names:
        for _ in range(10):
            await throttle.attempt_login(name, HOME)
    for name in names:
        await refusal(throttle.attempt_login(name, HOME))


async def test_signing_up_is_counted_per_address(throttle: Throttle) -> None:
    for _ in range(10):
        await throttle.attempt_sign_up(HOME)
    assert await refusal(throttle.attempt_sign_up(HOME)) == (
        "Too many attempts to sign up: try again in 60 s.", 60,
    )  # fmt: skip
    await throttle.attempt_sign_up(AWAY)
    await throttle.attempt_login("jane", HOME)


async def test_a_password_is_tried_ten_times_a_minute(throttle: Throttle) -> None:
    for _ in range(10):
        await throttle.attempt_password(1)
    assert await refusal(throttle.attempt_password(1)) == (
        "Too many attempts to give the password: try again in 60 s.", 60,
    )  # fmt: skip
    await throttle.attempt_password(2)


@pytest.mark.usefixtures("clock")
async def test_the_rate_is_a_setting() -> None:
    throttle = make_throttle(login_rate_limit="2 per 5 minutes")
    for _ in range(2):
        await throttle.attempt_login("jane", HOME)
    assert (await refusal(throttle.attempt_login("jane", HOME)))[1] == 300
    for attempt in range(18):
        await throttle.attempt_login(f"user {attempt}", HOME)
    assert (await refusal(throttle.attempt_login("joe", HOME)))[1] == 300


async def test_attempts_at_the_same_moment_are_all_counted(throttle: Throttle) -> None:
    attempts = [throttle.attempt_login("jane", HOME) for _ in range(50)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert outcomes[:10] == [None] * 10
    assert [type(outcome) for outcome in outcomes[10:]] == [RateLimited] * 40


async def test_without_a_limit_there_is_no_budget() -> None:
    throttle = make_throttle()
    assert await throttle.spend(HOME, 1_000_000_000) is None


@pytest.mark.usefixtures("clock")
async def test_a_budget_is_spent(clock: Clock) -> None:
    throttle = make_throttle(rate_limit=1_000)
    reset_at = START + timedelta(seconds=60)
    assert await throttle.spend(HOME, 600) == Budget(1_000, 400, 600, reset_at, 60)
    clock.advance(10.2)
    assert await throttle.spend(HOME, 300) == Budget(1_000, 100, 300, reset_at, 50)
    with pytest.raises(BudgetExceeded) as refused:
        await throttle.spend(HOME, 101)
    assert str(refused.value) == (
        "The operation costs 101, and 100 of 1,000 are left: try again in 50 s."
    )
    assert refused.value.retry_after == 50
    assert refused.value.budget == Budget(1_000, 100, 101, reset_at, 50)
    # Nothing was spent on what was refused, and others have budgets of their own.
    assert await throttle.spend(HOME, 100) == Budget(1_000, 0, 100, reset_at, 50)
    later = reset_at + timedelta(seconds=10.2)
    assert await throttle.spend(AWAY, 1) == Budget(1_000, 999, 1, later, 60)

    clock.advance(49.8)
    renewed = START + timedelta(seconds=120)
    assert await throttle.spend(HOME, 1_000) == Budget(1_000, 0, 1_000, renewed, 60)


@pytest.mark.usefixtures("clock")
async def test_a_cost_above_the_whole_budget() -> None:
    throttle = make_throttle(rate_limit=1_000)
    with pytest.raises(BudgetExceeded) as refused:
        await throttle.spend(HOME, 1_001)
    assert str(refused.value) == (
        "The operation costs 1,001, and no more than 1,000 may be spent in a minute: "
        "ask for less at once."
    )
    assert refused.value.budget == Budget(1_000, 1_000, 1_001, START, 1)


@given(st.lists(st.integers(0, 60), max_size=30))
def test_what_suffices_is_spent_and_nothing_else(costs: list[int]) -> None:
    async def spend() -> None:
        throttle = make_throttle(rate_limit=100)
        left = 100
        for cost in costs:
            if cost <= left:
                left -= cost
                budget = await throttle.spend(HOME, cost)
            else:
                with pytest.raises(BudgetExceeded) as refused:
                    await throttle.spend(HOME, cost)
                budget = refused.value.budget
            assert budget is not None
            assert (budget.remaining, budget.cost) == (left, cost)

    asyncio.run(spend())


async def test_counters_are_forgotten(clock: Clock) -> None:
    counters = _Counters()
    for number in range(1_000):
        await counters.incr(f"first {number}", 60)
    clock.advance(60)
    for number in range(500):
        assert await counters.incr(f"second {number}", 60) == 1
    names = {f"second {number}" for number in range(500)}
    assert set(counters.storage) == set(counters.expirations) == names
    assert (dict(counters.locks), counters.events, counters.timer) == ({}, {}, None)


async def test_a_counter_begins_anew_when_its_window_has_ended(clock: Clock) -> None:
    counters = _Counters()
    assert await counters.incr("early", 60) == 1
    assert await counters.incr("next", 60) == 1
    clock.advance(30)
    assert await counters.incr("late", 60, amount=5) == 5
    clock.advance(29)
    assert await counters.incr("early", 60) == 2
    clock.advance(1)
    assert await counters.incr("early", 60) == 1
    assert await counters.incr("late", 60) == 6
    assert dict(counters.storage) == {"late": 6, "early": 1}


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("127.0.0.1", "127.0.0.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("::1", "::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, "unknown"),
        ("", "unknown"),
        ("testclient", "unknown"),
        ("192.0.2.1, 198.51.100.1", "unknown"),
        ("192.0.2.256", "unknown"),
    ],
)
def test_what_an_address_counts_under(host: str | None, key: str) -> None:
    assert address_key(host) == key


@given(st.text() | st.ip_addresses().map(str))
def test_a_key_is_short_whatever_is_given(host: str) -> None:
    assert len(address_key(host)) <= 43


@given(st.ip_addresses(network="2001:db8:1:2::/64"))
def test_a_network_is_one(address: object) -> None:
    assert address_key(str(address)) == "2001:db8:1:2::/64"
