"""``changePassword``."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import update

from blog_graphql.db.models import UNUSABLE_PASSWORD, User
from blog_graphql.security.passwords import Passwords
from tests.api.accounts.accounts import OUTDATED_PASSWORD, PASSWORD, Accounts
from tests.support.apps import app_over
from tests.support.backends import only_postgresql
from tests.support.client import connected
from tests.support.clock import Clock

NEW_PASSWORD = "wrong donkey staple"
WRONG = ("INVALID_CREDENTIALS", ["currentPassword"])


async def test_a_new_password_ends_every_other_session(accounts: Accounts, clock: Clock) -> None:
    ann, ben = await accounts.member("ann"), await accounts.member("ben")
    phone = await accounts.sign_in("ann")
    updated_at = (await accounts.row(ann.key)).updated_at
    clock.advance(minutes=1)
    user = await accounts.done(
        "changePassword", ann.access, currentPassword=PASSWORD, newPassword=NEW_PASSWORD
    )
    assert (user["username"], user["email"]) == ("ann", "ann@example.org")
    assert await accounts.sessions(ann.key) == {ann.session_id}
    assert await accounts.sessions(ben.key) == {ben.session_id}
    assert await accounts.viewer(ann.access) == "ann"
    assert await accounts.viewer(phone.access) == "UNAUTHENTICATED"
    assert (await accounts.row(ann.key)).updated_at == updated_at
    await accounts.sign_in("ann", NEW_PASSWORD)
    problems = await accounts.problems("login", identifier="ann", password=PASSWORD)
    assert problems == [("INVALID_CREDENTIALS", None)]


@pytest.mark.parametrize(
    ("current", "new", "problems"),
    [
        ("wrong", NEW_PASSWORD, [WRONG]),
        ("", NEW_PASSWORD, [WRONG]),
        ("\ud800", NEW_PASSWORD, [WRONG]),
        (PASSWORD, "short", [("INVALID", ["newPassword"])]),
        (PASSWORD, "x" * 129, [("INVALID", ["newPassword"])]),
        (PASSWORD, "\x00" * 8, [("INVALID", ["newPassword"])]),
        (PASSWORD, "\ud800" * 8, [("INVALID", ["newPassword"])]),
        ("wrong", "short", [WRONG, ("INVALID", ["newPassword"])]),
    ],
)
async def test_what_is_refused(
    accounts: Accounts, current: str, new: str, problems: list[tuple[str, list[str]]]
) -> None:
    ann = await accounts.member("ann")
    await accounts.sign_in("ann")
    before = await accounts.rows()
    refused = await accounts.problems(
        "changePassword", ann.access, currentPassword=current, newPassword=new
    )
    assert refused == problems
    assert await accounts.rows() == before


async def test_whose_password_is_unusable_cannot_change_it(accounts: Accounts) -> None:
    ann = await accounts.member("ann")
    async with accounts.database.transaction() as session:
        unusable = update(User).values(hashed_password=UNUSABLE_PASSWORD)
        await session.execute(unusable.where(User.id == ann.key))
    payload = await accounts.send(
        "changePassword", ann.access, currentPassword=UNUSABLE_PASSWORD, newPassword=NEW_PASSWORD
    )
    assert payload == {
        "user": None,
        "errors": [
            {
                "message": "That is not your password.",
                "code": "INVALID_CREDENTIALS",
                "field": ["currentPassword"],
            }
        ],
    }


async def test_it_is_for_those_who_are_signed_in(accounts: Accounts) -> None:
    code, _ = await accounts.refusal(
        "changePassword", currentPassword=PASSWORD, newPassword=NEW_PASSWORD
    )
    assert code == "UNAUTHENTICATED"


async def test_attempts_are_throttled(accounts: Accounts) -> None:
    ann, ben = await accounts.member("ann"), await accounts.member("ben")
    async with connected(app_over(accounts.database, login_rate_limit="2/minute")) as client:
        strict = Accounts(client, accounts.database)
        wrong = {"currentPassword": "wrong", "newPassword": NEW_PASSWORD}
        for _ in range(2):
            assert await strict.problems("changePassword", ann.access, **wrong) == [WRONG]
        before = await accounts.rows()
        right = {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}
        code, _ = await strict.refusal("changePassword", ann.access, **right)
        assert code == "RATE_LIMITED"
        assert await accounts.rows() == before
        await strict.done("changePassword", ben.access, **right)


async def test_a_password_that_changes_while_it_is_verified(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await accounts.member("ann")
    other = await accounts.sign_in("ann")
    verify = Passwords.verify

    async def verify_and_change(self: Passwords, password: str, hashed: str | None) -> bool:
        verified = await verify(self, password, hashed)
        async with accounts.database.transaction() as session:
            changed = update(User).values(hashed_password=OUTDATED_PASSWORD)
            await session.execute(changed.where(User.id == ann.key))
        return verified

    monkeypatch.setattr(Passwords, "verify", verify_and_change)
    problems = await accounts.problems(
        "changePassword", ann.access, currentPassword=PASSWORD, newPassword=NEW_PASSWORD
    )
    assert problems == [WRONG]
    assert (await accounts.row(ann.key)).hashed_password == OUTDATED_PASSWORD
    assert await accounts.sessions(ann.key) == {ann.session_id, other.session_id}


@only_postgresql
async def test_a_change_and_sign_ins_with_the_old_password_at_once(accounts: Accounts) -> None:
    ann = await accounts.member("ann")
    _, *payloads = await asyncio.gather(
        accounts.done(
            "changePassword", ann.access, currentPassword=PASSWORD, newPassword=NEW_PASSWORD
        ),
        *(accounts.send("login", identifier="ann", password=PASSWORD) for _ in range(6)),
    )
    # Who was let in before the change was signed out by it; nobody was let in after it.
    assert await accounts.sessions(ann.key) == {ann.session_id}
    for payload in payloads:
        if token := payload["accessToken"]:
            assert await accounts.viewer(token) == "UNAUTHENTICATED"
