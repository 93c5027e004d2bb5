"""``login``."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import update

from blog_graphql.db.database import Database
from blog_graphql.db.models import UNUSABLE_PASSWORD, Session, User, UserRole
from blog_graphql.security.passwords import Passwords
from tests.api.accounts.accounts import (
    HASHED_PASSWORD,
    OUTDATED_PASSWORD,
    PASSWORD,
    Accounts,
    moment,
    tokens_of,
    user_id,
)
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
            "message": "The name or the password is not right.",
            "code": "INVALID_CREDENTIALS",
            "field": None,
        }
    ],
}


async def test_signing_in(accounts: Accounts) -> None:
    ann = await accounts.user("ann", full_name="Ann A.", bio="Writes.")
    before = await accounts.row(ann)
    payload = await accounts.send("login", identifier="ann", password=PASSWORD)
    tokens = tokens_of(payload)
    assert payload["accessTokenExpiresAt"] == moment(NOW + timedelta(minutes=15))
    assert payload["user"] == {
        "id": user_id(ann),
        "databaseId": ann,
        "username": "ann",
        "fullName": "Ann A.",
        "bio": "Writes.",
        "email": "ann@example.org",
        "role": "AUTHOR",
        "isActive": True,
        "lastLoginAt": moment(NOW),
        "createdAt": moment(before.created_at),
        "updatedAt": moment(before.updated_at),
    }
    assert await accounts.viewer(tokens.access) == "ann"
    assert re.fullmatch(r"[0-9a-f]{32}\.[A-Za-z0-9_-]{43}", tokens.refresh)


async def test_what_is_kept(accounts: Accounts) -> None:
    ann = await accounts.user("ann")
    tokens = await accounts.sign_in("ann")
    rows = await accounts.rows()
    (row,) = rows["sessions"]
    assert row._asdict() == {
        "id": tokens.session_id,
        "user_id": ann,
        "token_hash": sha256(tokens.refresh.encode()).hexdigest(),
        "previous_token_hash": None,
        "rotated_at": NOW,
        "created_at": NOW,
        "expires_at": NOW + timedelta(days=30),
    }
    assert rows["users"][0].hashed_password == HASHED_PASSWORD


@pytest.mark.parametrize(
    "identifier", ["Ann", "ANN", "ann@example.org", "ANN@EXAMPLE.ORG", "ａｎｎ", "ann＠example.org"]
)
async def test_names_and_emails_in_any_case(accounts: Accounts, identifier: str) -> None:
    ann = await accounts.user("aNN", email="Ann@Example.org")
    await accounts.user("ben")
    payload = await accounts.send("login", identifier=identifier, password=PASSWORD)
    assert payload["user"]["databaseId"] == ann


async def test_a_password_typed_on_another_keyboard(accounts: Accounts) -> None:
    await accounts.done("createUser", username="zoe", email="zoe@example.org", password="Zoë's été")
    await accounts.sign_in("zoe", "Zoe\u0308's e\u0301te\u0301")


@pytest.mark.parametrize(
    ("identifier", "password"),
    [
        ("ann", "correct horse batterY"),
        ("ann", ""),
        ("ann", PASSWORD + "\x00"),
        ("ann", "\ud800" * 8),
        ("ann", "x" * 100_000),
        ("nobody", PASSWORD),
        ("nobody@example.org", PASSWORD),
        ("", PASSWORD),
        ("ann\x00", PASSWORD),
        ("ann\ud800", PASSWORD),
        ("ann" + "n" * 100_000, PASSWORD),
        ("una", PASSWORD),
        ("una", UNUSABLE_PASSWORD),
        ("dee", PASSWORD),
        ("dee", "wrong password"),
    ],
)
async def test_every_failure_looks_the_same(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch, identifier: str, password: str
) -> None:
    await accounts.user("ann")
    await accounts.user("una", hashed_password=UNUSABLE_PASSWORD)
    await accounts.user("dee", is_active=False)
    before = await accounts.rows()
    verify, verified = Passwords.verify, []

    async def count(self: Passwords, password: str, hashed: str | None) -> bool:
        verified.append(hashed)
        return await verify(self, password, hashed)

    monkeypatch.setattr(Passwords, "verify", count)
    assert await accounts.send("login", identifier=identifier, password=password) == REFUSED
    assert len(verified) == 1
    assert await accounts.rows() == before


async def test_parameters_that_changed_rehash(accounts: Accounts, clock: Clock) -> None:
    ann = await accounts.user("ann", hashed_password=OUTDATED_PASSWORD)
    updated_at = (await accounts.row(ann)).updated_at
    await accounts.sign_in("ann")
    user = await accounts.row(ann)
    assert user.hashed_password.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert user.updated_at == updated_at
    clock.advance(hours=1)
    await accounts.sign_in("ann")
    again = await accounts.row(ann)
    assert again.hashed_password == user.hashed_password
    assert (user.last_login_at, again.last_login_at) == (NOW, NOW + timedelta(hours=1))


@only_postgresql
async def test_sign_ins_that_rehash_at_once(accounts: Accounts) -> None:
    ann = await accounts.user("ann", hashed_password=OUTDATED_PASSWORD)
    tokens = await asyncio.gather(*(accounts.sign_in("ann") for _ in range(2)))
    assert await accounts.sessions(ann) == {one.session_id for one in tokens}


@pytest.mark.parametrize("rehashed", [False, True])
async def test_an_account_that_changes_while_its_password_is_verified(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch, rehashed: bool
) -> None:
    ann = await accounts.user("ann")
    verify = Passwords.verify
    hashes = iter([OUTDATED_PASSWORD, HASHED_PASSWORD] if rehashed else [UNUSABLE_PASSWORD])

    async def verify_and_change(self: Passwords, password: str, hashed: str | None) -> bool:
        verified = await verify(self, password, hashed)
        if (another := next(hashes, None)) is not None:
            async with accounts.database.transaction() as session:
                values = update(User).where(User.id == ann).values(hashed_password=another)
                await session.execute(values)
        return verified

    monkeypatch.setattr(Passwords, "verify", verify_and_change)
    assert await accounts.send("login", identifier="ann", password=PASSWORD) == REFUSED
    assert await accounts.sessions(ann) == set()
    assert (await accounts.row(ann)).last_login_at is None


async def test_a_hash_that_changes_but_once_is_verified_anew(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await accounts.user("ann", hashed_password=OUTDATED_PASSWORD)
    needs_rehash = Passwords.needs_rehash
    verify = Passwords.verify

    async def verify_and_change(self: Passwords, password: str, hashed: str | None) -> bool:
        verified = await verify(self, password, hashed)
        if needs_rehash(self, hashed or ""):
            async with accounts.database.transaction() as session:
                values = update(User).where(User.id == ann).values(hashed_password=HASHED_PASSWORD)
                await session.execute(values)
        return verified

    monkeypatch.setattr(Passwords, "verify", verify_and_change)
    tokens = await accounts.sign_in("ann")
    assert await accounts.sessions(ann) == {tokens.session_id}
    assert (await accounts.row(ann)).hashed_password == HASHED_PASSWORD


async def test_expired_sessions_are_cleared_away(accounts: Accounts, clock: Clock) -> None:
    ann, ben = await accounts.member("ann"), await accounts.member("ben")
    clock.advance(seconds=1)
    lasting = await accounts.sign_in("ann")
    clock.now = NOW + timedelta(days=30)
    latest = await accounts.sign_in("ann")
    assert await accounts.sessions(ann.key) == {lasting.session_id, latest.session_id}
    assert await accounts.sessions(ben.key) == {ben.session_id}


async def test_an_access_token_expires(accounts: Accounts, clock: Clock) -> None:
    ann = await accounts.member("ann")
    clock.advance(minutes=15, microseconds=-1)
    assert await accounts.viewer(ann.access) == "ann"
    clock.advance(microseconds=1)
    assert await accounts.viewer(ann.access) == "UNAUTHENTICATED"


async def test_an_access_token_dies_with_its_session(accounts: Accounts) -> None:
    ann, other = await accounts.member("ann"), await accounts.sign_in("ann")
    async with accounts.database.transaction() as session:
        await session.delete(await session.get_one(Session, ann.session_id))
    assert await accounts.viewer(ann.access) == "UNAUTHENTICATED"
    assert await accounts.viewer(other.access) == "ann"


async def test_a_token_that_does_not_hold_keeps_nobody_from_signing_in(
    accounts: Accounts,
) -> None:
    await accounts.user("ann")
    payload = await accounts.send("login", "no token", identifier="ann", password=PASSWORD)
    assert payload["errors"] == []
    assert payload["user"]["email"] == "ann@example.org"


async def test_two_in_one_operation_are_answered_each_as_themselves(accounts: Accounts) -> None:
    admin = await accounts.member("ada", UserRole.ADMIN)
    for name in ("ann", "ben"):
        await accounts.user(name)
    query = """
      mutation ($password: String!) {
        ann: login(input: {identifier: "ann", password: $password}) { user { email } }
        ben: login(input: {identifier: "ben", password: $password}) { user { email } }
        ada: updateUser(input: {id: "%s", bio: "Here."}) { user { email bio } }
      }
    """
    data = await accounts.client.execute(
        query % admin.id, {"password": PASSWORD}, token=admin.access
    )
    assert data == {
        "ann": {"user": {"email": "ann@example.org"}},
        "ben": {"user": {"email": "ben@example.org"}},
        "ada": {"user": {"email": "ada@example.org", "bio": "Here."}},
    }


async def test_attempts_are_throttled_by_name(accounts: Accounts) -> None:
    for name in ("ann", "ben"):
        await accounts.member(name)
    async with connected(app_over(accounts.database, login_rate_limit="2/minute")) as client:
        strict = Accounts(client, accounts.database)
        await strict.sign_in("ann")
        assert await strict.send("login", identifier="ANN", password="wrong") == REFUSED
        before = await accounts.rows()
        code, _ = await strict.refusal("login", identifier="Ann", password=PASSWORD)
        assert code == "RATE_LIMITED"
        assert await accounts.rows() == before
        await strict.sign_in("ben")


async def test_the_number_of_statements(accounts: Accounts, database: Database) -> None:
    await accounts.user("ann")
    with recorded_statements(database) as statements:
        await accounts.sign_in("ann")
    kinds = [statement.split()[0] for statement in statements]
    # The last one reads the user for the answer.
    assert kinds == ["SELECT", "UPDATE", "INSERT", "DELETE", "SELECT"]
