"""``updateUser``."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import update

from blog_graphql.db.database import Database
from blog_graphql.db.models import User, UserRole
from tests.api.accounts.accounts import Accounts, moment, until_waiting, user_id
from tests.support.backends import only_postgresql
from tests.support.blog import NOW
from tests.support.clock import Clock


async def test_oneself(accounts: Accounts, clock: Clock) -> None:
    ann = await accounts.member("ann")
    before = await accounts.row(ann.key)
    clock.advance(minutes=1)
    payload = await accounts.send(
        "updateUser",
        ann.access,
        id=ann.id,
        email="Ann@Example.com",
        fullName="Ann A.",
        bio="Writes.",
    )
    assert payload == {
        "user": {
            "id": ann.id,
            "databaseId": ann.key,
            "username": "ann",
            "fullName": "Ann A.",
            "bio": "Writes.",
            "email": "Ann@Example.com",
            "role": "AUTHOR",
            "isActive": True,
            "lastLoginAt": moment(NOW),
            "createdAt": moment(before.created_at),
            "updatedAt": moment(clock.now),
        },
        "errors": [],
    }
    await accounts.sign_in("ann@example.com")


async def test_another_as_an_admin(accounts: Accounts) -> None:
    ada, ann = await accounts.member("ada", UserRole.ADMIN), await accounts.member("ann")
    user = await accounts.done("updateUser", ada.access, id=ann.id, bio="Gone fishing.")
    assert (user["username"], user["bio"], user["email"]) == (
        "ann",
        "Gone fishing.",
        "ann@example.org",
    )
    assert await accounts.viewer(ann.access) == "ann"


async def test_what_is_left_out_stays_and_null_clears(accounts: Accounts, clock: Clock) -> None:
    ann = await accounts.member("ann")
    await accounts.done("updateUser", ann.access, id=ann.id, fullName="Ann A.", bio="Writes.")
    for field, kept in (
        ("bio", {"bio": None, "fullName": "Ann A.", "email": "ann@example.org"}),
        ("email", {"bio": None, "fullName": "Ann A.", "email": None}),
        ("fullName", {"bio": None, "fullName": None, "email": None}),
    ):
        clock.advance(minutes=1)
        user = await accounts.done("updateUser", ann.access, id=ann.id, **{field: None})
        assert {name: user[name] for name in kept} == kept
        assert user["updatedAt"] == moment(clock.now)
    assert (await accounts.row(ann.key)).email_key is None


@pytest.mark.parametrize(
    "values", [{}, {"email": "ann@example.org"}, {"bio": None, "fullName": None}]
)
async def test_nothing_changed_moves_nothing(
    accounts: Accounts, clock: Clock, values: dict[str, Any]
) -> None:
    ann = await accounts.member("ann")
    before = await accounts.rows()
    clock.advance(minutes=1)
    user = await accounts.done("updateUser", ann.access, id=ann.id, **values)
    assert user["email"] == "ann@example.org"
    assert await accounts.rows() == before


async def test_another_case_of_ones_own_email(accounts: Accounts) -> None:
    ann = await accounts.member("ann")
    user = await accounts.done("updateUser", ann.access, id=ann.id, email="ANN@example.org")
    assert user["email"] == "ANN@example.org"
    assert (await accounts.row(ann.key)).email_key == "ann@example.org"


async def test_everything_wrong_is_told_at_once(accounts: Accounts) -> None:
    ann = await accounts.member("ann")
    await accounts.user("ben")
    before = await accounts.rows()
    problems = await accounts.problems(
        "updateUser",
        ann.access,
        id=ann.id,
        email="BEN@example.org",
        fullName="f" * 101,
        bio="b" * 10_001,
    )
    assert problems == [("INVALID", ["fullName"]), ("INVALID", ["bio"]), ("TAKEN", ["email"])]
    for email in ("no email", "", "\x00", "ann\ud800@example.org"):
        problems = await accounts.problems("updateUser", ann.access, id=ann.id, email=email)
        assert problems == [("INVALID", ["email"])]
    assert await accounts.rows() == before


@pytest.mark.parametrize("role", [UserRole.AUTHOR, UserRole.EDITOR])
async def test_others_are_not_for_everybody(accounts: Accounts, role: UserRole) -> None:
    ann, ben = await accounts.member("ann", role), await accounts.user("ben")
    before = await accounts.rows()
    assert await accounts.refusal("updateUser", ann.access, id=user_id(ben), bio="Hi.") == (
        "FORBIDDEN",
        "Only that user and admins may do this.",
    )
    code, _ = await accounts.refusal("updateUser", id=user_id(ben), bio="Hi.")
    assert code == "UNAUTHENTICATED"
    assert await accounts.rows() == before


@pytest.mark.parametrize("unknown", [user_id(999), "?", "", "UG9zdDox"])
async def test_nobody(accounts: Accounts, unknown: str) -> None:
    ann = await accounts.member("ann")
    before = await accounts.rows()
    payload = await accounts.send("updateUser", ann.access, id=unknown, bio="Hi.")
    assert payload == {
        "user": None,
        "errors": [{"message": "There is no such user.", "code": "NOT_FOUND", "field": ["id"]}],
    }
    assert await accounts.rows() == before


@only_postgresql
async def test_an_email_that_is_taken_before_the_update_at_once(
    accounts: Accounts, database: Database
) -> None:
    ann, ben = await accounts.member("ann"), await accounts.user("ben")
    async with database.transaction() as session:
        values = update(User).where(User.id == ben)
        await session.execute(values.values(email="new@example.org", email_key="new@example.org"))
        edit = asyncio.create_task(
            accounts.problems("updateUser", ann.access, id=ann.id, email="New@example.org")
        )
        await until_waiting(database)
    assert await edit == [("TAKEN", ["email"])]
    assert (await accounts.row(ann.key)).email == "ann@example.org"


@only_postgresql
async def test_edits_of_other_fields_at_once_all_stay(accounts: Accounts) -> None:
    ann = await accounts.member("ann")
    changes = ({"bio": "Writes."}, {"fullName": "Ann A."}, {"email": "ann@example.com"})
    await asyncio.gather(
        *(accounts.done("updateUser", ann.access, id=ann.id, **change) for change in changes)
    )
    row = await accounts.row(ann.key)
    assert (row.bio, row.full_name, row.email) == ("Writes.", "Ann A.", "ann@example.com")
