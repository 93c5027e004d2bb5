"""``refreshSession``: rotation, the grace for a spent token, and replay."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from hashlib import sha256

import pytest
from pydantic import SecretStr
from sqlalchemy import update

from blog_graphql.api.context import get_clock
from blog_graphql.db.database import Database
from blog_graphql.db.models import Session, User, UserRole
from blog_graphql.security.secret_key import load_secret_keys
from blog_graphql.security.tokens import successor
from tests.api.accounts.accounts import Accounts, Tokens, moment, tokens_of, until_waiting
from tests.support.apps import app_over
from tests.support.backends import only_postgresql
from tests.support.blog import NOW
from tests.support.client import connected
from tests.support.clock import Clock
from tests.support.statements import recorded_statements

REFUSED = {
    "accessToken": None,
    "accessTokenExpiresAt": None,
    "refreshToken": None,
    "user": None,
    "errors": [
        {
            "message": "The refresh token does not hold: sign in again.",
            "code": "INVALID_CREDENTIALS",
            "field": ["refreshToken"],
        }
    ],
}

NEW_KEY = SecretStr("another secret key, which came later")


def hashed(token: str) -> str:
    return sha256(token.encode()).hexdigest()


async def test_a_session_goes_on_with_new_tokens(accounts: Accounts, clock: Clock) -> None:
    ann = await accounts.member("ann")
    users = (await accounts.rows())["users"]
    clock.advance(days=29)
    payload = await accounts.send("refreshSession", refreshToken=ann.refresh)
    tokens = tokens_of(payload)
    assert payload["accessTokenExpiresAt"] == moment(clock.now + timedelta(minutes=15))
    assert payload["user"]["email"] == "ann@example.org"
    assert await accounts.viewer(tokens.access) == "ann"
    rows = await accounts.rows()
    (row,) = rows["sessions"]
    assert row._asdict() == {
        "id": ann.session_id,
        "user_id": ann.key,
        "token_hash": hashed(tokens.refresh),
        "previous_token_hash": hashed(ann.refresh),
        "rotated_at": clock.now,
        "created_at": NOW,
        "expires_at": clock.now + timedelta(days=30),
    }
    assert rows["users"] == users


async def test_each_token_is_another(accounts: Accounts) -> None:
    token = (await accounts.member("ann")).refresh
    seen = {token}
    for _ in range(5):
        token = (await accounts.refresh(token)).refresh
        seen.add(token)
    assert len(seen) == 6


async def test_the_access_token_from_before_goes_on(accounts: Accounts) -> None:
    ann = await accounts.member("ann")
    await accounts.refresh(ann.refresh)
    assert await accounts.viewer(ann.access) == "ann"


async def test_the_role_is_that_of_now(accounts: Accounts) -> None:
    ann, other = await accounts.member("ann"), await accounts.member("ben")
    async with accounts.database.transaction() as session:
        promoted = update(User).where(User.id == ann.key).values(role=UserRole.ADMIN)
        await session.execute(promoted)
    query = f"""
      mutation ($token: String!) {{
        refreshSession(input: {{refreshToken: $token}}) {{ user {{ role }} errors {{ code }} }}
        updateUser(input: {{id: "{other.id}", bio: "Hi."}}) {{ user {{ email }} }}
      }}
    """
    data = await accounts.client.execute(query, {"token": ann.refresh}, token=ann.access)
    assert data == {
        "refreshSession": {"user": {"role": "ADMIN"}, "errors": []},
        "updateUser": {"user": {"email": "ben@example.org"}},
    }


async def test_an_expired_access_token_is_no_hindrance(accounts: Accounts, clock: Clock) -> None:
    ann = await accounts.member("ann")
    clock.advance(hours=1)
    payload = await accounts.send("refreshSession", ann.access, refreshToken=ann.refresh)
    assert await accounts.viewer(tokens_of(payload).access) == "ann"


@pytest.mark.parametrize("seconds", [0, 9, 10])
async def test_a_token_just_spent_gives_its_successor_again(
    accounts: Accounts, clock: Clock, seconds: int
) -> None:
    ann = await accounts.member("ann")
    first = await accounts.refresh(ann.refresh)
    before = await accounts.rows()
    clock.advance(seconds=seconds)
    payload = await accounts.send("refreshSession", refreshToken=ann.refresh)
    again = tokens_of(payload)
    assert again.refresh == first.refresh
    assert payload["accessTokenExpiresAt"] == moment(clock.now + timedelta(minutes=15))
    assert await accounts.viewer(again.access) == "ann"
    assert await accounts.rows() == before


async def replayed(accounts: Accounts, token: str, *tokens: Tokens) -> None:
    """A token is refused, and takes the session of the given ones along."""
    assert await accounts.send("refreshSession", refreshToken=token) == REFUSED
    for one in tokens:
        assert await accounts.viewer(one.access) == "UNAUTHENTICATED"
        assert await accounts.send("refreshSession", refreshToken=one.refresh) == REFUSED
    assert (await accounts.rows())["sessions"] == []


async def test_a_token_spent_a_while_ago_ends_its_session(accounts: Accounts, clock: Clock) -> None:
    ann = await accounts.member("ann")
    tokens = await accounts.refresh(ann.refresh)
    clock.advance(seconds=10, microseconds=1)
    await replayed(accounts, ann.refresh, ann, tokens)


async def test_a_token_before_the_previous_one_ends_its_session(accounts: Accounts) -> None:
    ann = await accounts.member("ann")
    second = await accounts.refresh(ann.refresh)
    third = await accounts.refresh(second.refresh)
    await replayed(accounts, ann.refresh, second, third)


async def test_a_forged_token_ends_its_session(accounts: Accounts) -> None:
    ann = await accounts.member("ann")
    await replayed(accounts, f"{ann.session_id}.{'A' * 43}", ann)


async def test_a_replay_leaves_other_sessions_alone(accounts: Accounts, clock: Clock) -> None:
    ann, ben = await accounts.member("ann"), await accounts.member("ben")
    phone = await accounts.sign_in("ann")
    await accounts.refresh(ann.refresh)
    clock.advance(minutes=1)
    assert await accounts.send("refreshSession", refreshToken=ann.refresh) == REFUSED
    assert await accounts.sessions(ann.key) == {phone.session_id}
    assert await accounts.sessions(ben.key) == {ben.session_id}


@pytest.mark.parametrize(
    "token",
    [
        "",
        "token",
        f"{'0' * 32}.{'A' * 43}",
        f"{'0' * 32}.{'A' * 44}",
        "\ud800",
        "\x00",
        "x" * 100_000,
    ],
)
async def test_a_token_of_nobody(accounts: Accounts, token: str) -> None:
    await accounts.member("ann")
    before = await accounts.rows()
    assert await accounts.send("refreshSession", refreshToken=token) == REFUSED
    assert await accounts.rows() == before


async def test_a_session_ends_when_it_is_not_used(accounts: Accounts, clock: Clock) -> None:
    ann = await accounts.member("ann")
    clock.advance(days=30)
    assert await accounts.send("refreshSession", refreshToken=ann.refresh) == REFUSED


async def test_who_is_deactivated_does_not_go_on(accounts: Accounts) -> None:
    ann = await accounts.member("ann")
    async with accounts.database.transaction() as session:
        await session.execute(update(User).where(User.id == ann.key).values(is_active=False))
    assert await accounts.send("refreshSession", refreshToken=ann.refresh) == REFUSED


async def test_a_change_of_keys_in_the_middle(accounts: Accounts) -> None:
    ann = await accounts.member("ann")
    spent = await accounts.refresh(ann.refresh)
    old = accounts.database.settings.secret_key
    changes = {"secret_key": NEW_KEY, "secret_key_previous": old}
    app = app_over(accounts.database, **changes)
    async with connected(app) as client:
        renewed = Accounts(client, accounts.database)
        assert await renewed.viewer(spent.access) == "ann"
        assert (await renewed.refresh(ann.refresh)).refresh == spent.refresh
        later = await renewed.refresh(spent.refresh)
        assert (await renewed.refresh(spent.refresh)).refresh == later.refresh
        assert await renewed.viewer(later.access) == "ann"
    # The old process knows neither the key nor, therefore, the successor.
    assert await accounts.viewer(later.access) == "UNAUTHENTICATED"
    await replayed(accounts, spent.refresh, later)


async def test_without_grace_a_spent_token_ends_its_session(
    accounts: Accounts, clock: Clock
) -> None:
    ann = await accounts.member("ann")
    app = app_over(accounts.database, refresh_grace_seconds=0)
    app.dependency_overrides[get_clock] = lambda: clock
    async with connected(app) as client:
        strict = Accounts(client, accounts.database)
        tokens = await strict.refresh(ann.refresh)
        clock.advance(microseconds=1)
        await replayed(strict, ann.refresh, tokens)


@only_postgresql
async def test_refreshes_with_one_token_at_once(accounts: Accounts) -> None:
    ann = await accounts.member("ann")
    answers = await asyncio.gather(*(accounts.refresh(ann.refresh) for _ in range(8)))
    assert len({one.refresh for one in answers}) == 1
    (row,) = (await accounts.rows())["sessions"]
    assert row.token_hash == hashed(answers[0].refresh)
    assert row.previous_token_hash == hashed(ann.refresh)


@only_postgresql
async def test_a_token_that_is_being_spent_at_once(accounts: Accounts, database: Database) -> None:
    ann = await accounts.member("ann")
    next_token = successor(ann.refresh, load_secret_keys(database.settings).current)
    async with database.transaction() as session:
        rotated = {
            "token_hash": hashed(next_token),
            "previous_token_hash": hashed(ann.refresh),
            "rotated_at": NOW - timedelta(seconds=1),
        }
        await session.execute(update(Session).values(rotated))
        refresh = asyncio.create_task(accounts.refresh(ann.refresh))
        await until_waiting(database)
    assert (await refresh).refresh == next_token
    (row,) = (await accounts.rows())["sessions"]
    assert row._asdict() | rotated == row._asdict()


async def test_the_number_of_statements(accounts: Accounts, database: Database) -> None:
    ann = await accounts.member("ann")
    with recorded_statements(database) as statements:
        await accounts.refresh(ann.refresh)
    # The last one reads the user for the answer.
    assert [one.split()[0] for one in statements] == ["SELECT", "UPDATE", "SELECT"]
    with recorded_statements(database) as statements:
        await accounts.refresh(ann.refresh)
    assert [one.split()[0] for one in statements] == ["SELECT", "SELECT"]
