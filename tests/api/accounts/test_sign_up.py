"""``createUser``."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import insert

from blog_graphql.db.database import Database
from blog_graphql.db.models import User, UserRole
from blog_graphql.security.passwords import Passwords
from blog_graphql.settings import Registration
from tests.api.accounts.accounts import PASSWORD, Accounts, moment, until_waiting, user_id
from tests.support.apps import app_over
from tests.support.backends import only_postgresql
from tests.support.blog import NOW
from tests.support.client import connected

ANN = {"username": "Ann", "email": "Ann@Example.org", "password": PASSWORD}


async def test_signing_up(accounts: Accounts) -> None:
    payload = await accounts.send("createUser", **ANN, fullName="Ann A.", bio="Writes.")
    (row,) = (await accounts.rows())["users"]
    assert payload == {
        "user": {
            "id": user_id(row.id),
            "databaseId": row.id,
            "username": "Ann",
            "fullName": "Ann A.",
            "bio": "Writes.",
            # Nobody is signed in by signing up.
            "email": None,
            "role": "AUTHOR",
            "isActive": True,
            "lastLoginAt": None,
            "createdAt": moment(NOW),
            "updatedAt": moment(NOW),
        },
        "errors": [],
    }
    assert (row.username_key, row.email, row.email_key) == (
        "ann",
        "Ann@Example.org",
        "ann@example.org",
    )
    assert row.hashed_password.startswith("$argon2id$")
    await accounts.sign_in("ann")


async def test_null_is_nothing(accounts: Accounts) -> None:
    user = await accounts.done("createUser", **ANN, fullName=None, bio=None)
    assert (user["fullName"], user["bio"]) == (None, None)


async def test_everything_wrong_is_told_at_once(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await accounts.user("ann")
    before = await accounts.rows()
    hashed = []

    async def note(_passwords: Passwords, password: str) -> str:
        hashed.append(password)
        return password

    monkeypatch.setattr(Passwords, "hash", note)
    payload = await accounts.send(
        "createUser",
        username="ANN",
        email="no email",
        password="secret",
        fullName="f" * 101,
        bio="b" * 10_001,
    )
    assert payload == {
        "user": None,
        "errors": [
            {
                "message": "email must be an email address, such as jane@example.org.",
                "code": "INVALID",
                "field": ["email"],
            },
            {
                "message": "password must have 8 to 128 characters; it has 6.",
                "code": "INVALID",
                "field": ["password"],
            },
            {
                "message": "fullName must have at most 100 characters; it has 101.",
                "code": "INVALID",
                "field": ["fullName"],
            },
            {
                "message": "bio must have at most 10,000 characters; it has 10,001.",
                "code": "INVALID",
                "field": ["bio"],
            },
            {
                "message": "Somebody has that username: choose another one.",
                "code": "TAKEN",
                "field": ["username"],
            },
        ],
    }
    assert await accounts.rows() == before
    assert hashed == []


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        ({"username": "ann"}, [("TAKEN", ["username"])]),
        ({"username": "aNN"}, [("TAKEN", ["username"])]),
        ({"email": "ann@example.org"}, [("TAKEN", ["email"])]),
        ({"email": "ANN@EXAMPLE.ORG"}, [("TAKEN", ["email"])]),
        (
            {"username": "ann", "email": "ben@example.org"},
            [("TAKEN", ["username"]), ("TAKEN", ["email"])],
        ),
        ({"username": "a"}, [("INVALID", ["username"])]),
        ({"username": "ann\x00"}, [("INVALID", ["username"])]),
        ({"username": "u" * 100_000}, [("INVALID", ["username"])]),
        ({"email": "ann\ud800@example.org"}, [("INVALID", ["email"])]),
        ({"email": ""}, [("INVALID", ["email"])]),
        ({"bio": "\x00"}, [("INVALID", ["bio"])]),
        ({"password": "\ud800" * 8}, [("INVALID", ["password"])]),
        (
            {"username": "\x00", "email": "\x00"},
            [("INVALID", ["username"]), ("INVALID", ["email"])],
        ),
    ],
)
async def test_what_is_refused(
    accounts: Accounts, values: dict[str, str], problems: list[tuple[str, list[str]]]
) -> None:
    for name in ("Ann", "ben"):
        await accounts.user(name)
    before = await accounts.rows()
    new = {"username": "cleo", "email": "cleo@example.org", "password": PASSWORD}
    assert await accounts.problems("createUser", **(new | values)) == problems
    assert await accounts.rows() == before


async def test_where_registration_is_closed_admins_make_accounts(accounts: Accounts) -> None:
    ada = await accounts.member("ada", UserRole.ADMIN)
    eve = await accounts.member("eve", UserRole.EDITOR)
    before = await accounts.rows()
    app = app_over(accounts.database, registration=Registration.CLOSED)
    async with connected(app) as client:
        closed = Accounts(client, accounts.database)
        for token in (None, eve.access):
            assert await closed.refusal("createUser", token, **ANN) == (
                "REGISTRATION_CLOSED",
                "Registration is closed: ask an admin for an account.",
            )
        assert await accounts.rows() == before
        user = await closed.done("createUser", ada.access, **ANN)
        assert (user["username"], user["email"], user["role"]) == (
            "Ann",
            "Ann@Example.org",
            "AUTHOR",
        )


async def test_attempts_are_throttled_but_not_those_of_admins(accounts: Accounts) -> None:
    ada = await accounts.member("ada", UserRole.ADMIN)
    async with connected(app_over(accounts.database, login_rate_limit="2/minute")) as client:
        strict = Accounts(client, accounts.database)
        await strict.done("createUser", **ANN)
        assert await strict.problems("createUser", **ANN) == [
            ("TAKEN", ["username"]),
            ("TAKEN", ["email"]),
        ]
        before = await accounts.rows()
        ben = {"username": "ben", "email": "ben@example.org", "password": PASSWORD}
        code, _ = await strict.refusal("createUser", **ben)
        assert code == "RATE_LIMITED"
        assert await accounts.rows() == before
        user = await strict.done("createUser", ada.access, **ben)
        assert user["username"] == "ben"


@only_postgresql
async def test_sign_ups_of_one_name_at_once(accounts: Accounts) -> None:
    payloads = await asyncio.gather(
        *(
            accounts.send("createUser", **ANN | {"email": f"ann{number}@example.org"})
            for number in range(8)
        )
    )
    made = [payload["user"]["databaseId"] for payload in payloads if payload["user"]]
    (row,) = (await accounts.rows())["users"]
    assert made == [row.id]
    refused = [payload["errors"] for payload in payloads if not payload["user"]]
    assert (
        refused
        == [
            [
                {
                    "message": "Somebody has that username: choose another one.",
                    "code": "TAKEN",
                    "field": ["username"],
                }
            ]
        ]
        * 7
    )


@only_postgresql
@pytest.mark.parametrize(
    ("username", "email", "problems"),
    [
        ("ANN", "other@example.org", [("TAKEN", ["username"])]),
        ("other", "ANN@example.org", [("TAKEN", ["email"])]),
        ("ann", "ann@example.org", [("TAKEN", ["username"]), ("TAKEN", ["email"])]),
    ],
)
async def test_a_name_that_is_taken_before_the_insert_at_once(
    accounts: Accounts,
    database: Database,
    username: str,
    email: str,
    problems: list[tuple[str, list[str]]],
) -> None:
    async with database.transaction() as session:
        row = {
            "username": username,
            "username_key": username.lower(),
            "email": email,
            "email_key": email.lower(),
            "hashed_password": "!",
        }
        await session.execute(insert(User).values(row))
        sign_up = asyncio.create_task(accounts.problems("createUser", **ANN))
        await until_waiting(database)
    assert await sign_up == problems
    assert [row.username for row in (await accounts.rows())["users"]] == [username]


@only_postgresql
async def test_a_name_that_was_not_taken_after_all_at_once(
    accounts: Accounts, database: Database
) -> None:
    async with database.transaction() as session:
        session.add(User(username="ann", hashed_password="!"))
        await session.flush()
        sign_up = asyncio.create_task(accounts.done("createUser", **ANN))
        await until_waiting(database)
        await session.rollback()
    assert (await sign_up)["username"] == "Ann"
