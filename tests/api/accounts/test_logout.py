"""``logout``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.api.accounts.accounts import Accounts
from tests.support.clock import Clock

DONE: dict[str, Any] = {"errors": []}


async def test_the_session_of_the_access_token(accounts: Accounts) -> None:
    ann = await accounts.member("ann")
    other = await accounts.sign_in("ann")
    assert await accounts.send("logout", ann.access) == DONE
    assert await accounts.sessions(ann.key) == {other.session_id}
    assert await accounts.viewer(ann.access) == "UNAUTHENTICATED"
    assert await accounts.viewer(other.access) == "ann"


async def test_null_is_no_token(accounts: Accounts) -> None:
    ann = await accounts.member("ann")
    assert await accounts.send("logout", ann.access, refreshToken=None) == DONE
    assert await accounts.sessions(ann.key) == set()


async def test_every_session_of_the_viewer(accounts: Accounts) -> None:
    ann, ben = await accounts.member("ann"), await accounts.member("ben")
    other = await accounts.sign_in("ann")
    assert await accounts.send("logout", ann.access, everywhere=True) == DONE
    assert await accounts.sessions(ann.key) == set()
    assert await accounts.sessions(ben.key) == {ben.session_id}
    assert await accounts.viewer(other.access) == "UNAUTHENTICATED"


async def test_the_session_of_a_refresh_token(accounts: Accounts) -> None:
    ann = await accounts.member("ann")
    other = await accounts.sign_in("ann")
    assert await accounts.send("logout", refreshToken=ann.refresh) == DONE
    assert await accounts.sessions(ann.key) == {other.session_id}


async def test_a_refresh_token_goes_before_the_access_token(accounts: Accounts) -> None:
    ann, ben = await accounts.member("ann"), await accounts.member("ben")
    assert await accounts.send("logout", ann.access, refreshToken=ben.refresh) == DONE
    assert await accounts.sessions(ann.key) == {ann.session_id}
    assert await accounts.sessions(ben.key) == set()


async def test_every_session_of_the_user_of_a_refresh_token(accounts: Accounts) -> None:
    ann, ben = await accounts.member("ann"), await accounts.member("ben")
    await accounts.sign_in("ann")
    payload = await accounts.send("logout", refreshToken=ann.refresh, everywhere=True)
    assert payload == DONE
    assert await accounts.sessions(ann.key) == set()
    assert await accounts.sessions(ben.key) == {ben.session_id}


async def test_a_spent_token_still_ends_its_session(accounts: Accounts, clock: Clock) -> None:
    ann = await accounts.member("ann")
    await accounts.refresh(ann.refresh)
    clock.advance(hours=1)
    assert await accounts.send("logout", refreshToken=ann.refresh) == DONE
    assert await accounts.sessions(ann.key) == set()


async def test_an_expired_access_token_is_no_hindrance(accounts: Accounts, clock: Clock) -> None:
    ann = await accounts.member("ann")
    clock.advance(hours=1)
    assert await accounts.send("logout", ann.access, refreshToken=ann.refresh) == DONE
    assert await accounts.sessions(ann.key) == set()


@pytest.mark.parametrize("everywhere", [False, True])
@pytest.mark.parametrize("secret", ["A" * 43, "", "\x00"])
async def test_a_token_of_no_session_ends_nothing(
    accounts: Accounts, secret: str, *, everywhere: bool
) -> None:
    ann = await accounts.member("ann")
    before = await accounts.rows()
    for session_id in (ann.session_id, "0" * 32):
        token = f"{session_id}.{secret}"
        assert await accounts.send("logout", refreshToken=token, everywhere=everywhere) == DONE
    assert await accounts.rows() == before


async def test_twice_is_no_problem(accounts: Accounts) -> None:
    ann = await accounts.member("ann")
    for _ in range(2):
        assert await accounts.send("logout", refreshToken=ann.refresh) == DONE


async def test_an_expired_session_ends_no_other(accounts: Accounts, clock: Clock) -> None:
    ann = await accounts.member("ann")
    clock.advance(days=1)
    other = await accounts.sign_in("ann")
    clock.advance(days=29)
    assert await accounts.send("logout", refreshToken=ann.refresh, everywhere=True) == DONE
    assert other.session_id in await accounts.sessions(ann.key)


@pytest.mark.parametrize("everywhere", [False, True])
async def test_nobody_to_sign_out(accounts: Accounts, clock: Clock, *, everywhere: bool) -> None:
    ann = await accounts.member("ann")
    before = await accounts.rows()
    refused = (
        "UNAUTHENTICATED",
        "Sign in first, or give the refreshToken of the session to end.",
    )
    assert await accounts.refusal("logout", everywhere=everywhere) == refused
    clock.now += timedelta(hours=1)
    assert await accounts.refusal("logout", ann.access, everywhere=everywhere) == refused
    assert await accounts.rows() == before


async def test_what_follows_in_the_operation_is_signed_out(accounts: Accounts) -> None:
    ann = await accounts.member("ann")
    query = f"""
      mutation {{
        logout(input: {{}}) {{ errors {{ code }} }}
        updateUser(input: {{id: "{ann.id}", bio: "Hi."}}) {{ user {{ bio }} }}
      }}
    """
    answer = (await accounts.client.post(query, token=ann.access)).json()
    assert answer["data"] == {"logout": DONE, "updateUser": None}
    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["updateUser"], "UNAUTHENTICATED")
    assert (await accounts.row(ann.key)).bio is None
