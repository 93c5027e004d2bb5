"""``bulkCreateUsers``."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from blog_graphql.db.database import Database
from blog_graphql.db.models import UNUSABLE_PASSWORD, User, UserRole
from blog_graphql.security.passwords import Passwords
from tests.api.accounts.accounts import PASSWORD, Accounts, Member, until_waiting
from tests.support.backends import only_postgresql
from tests.support.blog import NOW
from tests.support.statements import recorded_statements


@pytest.fixture
async def ada(accounts: Accounts) -> Member:
    return await accounts.member("ada", UserRole.ADMIN)


def new(username: str, **values: Any) -> dict[str, Any]:
    return {"username": username, "email": f"{username}@example.org"} | values


def numbered(count: int, **values: Any) -> list[dict[str, Any]]:
    return [new(f"user{number}", **values) for number in range(count)]


def names(payload: dict[str, Any]) -> list[str | None]:
    return [user and user["username"] for user in payload["users"]]


def problems(payload: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["field"]) for error in payload["errors"]]


async def test_users_in_the_order_of_the_input(accounts: Accounts, ada: Member) -> None:
    users = [
        new("Zoe", fullName="Zoë", bio="Writes."),
        new("ann", password=PASSWORD),
        new("Ben", password=None, fullName=None, bio=None),
    ]
    payload = await accounts.send("bulkCreateUsers", ada.access, users=users)
    rows = {row.username: row for row in (await accounts.rows())["users"]}
    assert payload == {
        "users": [
            {
                "databaseId": rows[user["username"]].id,
                "username": user["username"],
                "email": user["email"],
                "fullName": user.get("fullName"),
                "bio": user.get("bio"),
                "role": "AUTHOR",
                "isActive": True,
            }
            for user in users
        ],
        "errors": [],
    }
    for row in (rows["Zoe"], rows["ann"], rows["Ben"]):
        assert (row.created_at, row.updated_at, row.last_login_at) == (NOW, NOW, None)
    assert rows["Zoe"].hashed_password == rows["Ben"].hashed_password == UNUSABLE_PASSWORD
    await accounts.sign_in("ANN@example.org")
    for password in (PASSWORD, UNUSABLE_PASSWORD):
        refused = await accounts.problems("login", identifier="ben", password=password)
        assert refused == [("INVALID_CREDENTIALS", None)]


async def test_none_at_all(accounts: Accounts, ada: Member) -> None:
    payload = await accounts.send("bulkCreateUsers", ada.access, users=[])
    assert payload == {"users": [], "errors": []}


async def test_bad_rows_keep_no_good_ones_back(accounts: Accounts, ada: Member) -> None:
    await accounts.user("Old")
    users = [
        new("good1"),
        new("OLD", email="no email"),
        new("good2", email="old@example.org"),
        new("x", fullName="f" * 101, bio="b" * 10_001, password="short"),
        new("\x00", email="\ud800"),
        new("good2"),
    ]
    payload = await accounts.send("bulkCreateUsers", ada.access, users=users)
    assert names(payload) == ["good1", None, None, None, None, "good2"]
    assert problems(payload) == [
        ("INVALID", ["users", "1", "email"]),
        ("TAKEN", ["users", "1", "username"]),
        ("TAKEN", ["users", "2", "email"]),
        ("INVALID", ["users", "3", "username"]),
        ("INVALID", ["users", "3", "password"]),
        ("INVALID", ["users", "3", "fullName"]),
        ("INVALID", ["users", "3", "bio"]),
        ("INVALID", ["users", "4", "username"]),
        ("INVALID", ["users", "4", "email"]),
    ]
    assert payload["errors"][0]["message"] == (
        "email must be an email address, such as jane@example.org."
    )
    rows = (await accounts.rows())["users"]
    assert [row.username for row in rows] == ["ada", "Old", "good1", "good2"]


async def test_rows_that_repeat_a_good_one_are_taken(accounts: Accounts, ada: Member) -> None:
    users = [
        new("bad", email="bad"),
        new("BAD"),  # the one before it is not made
        new("bad", email="other@example.org"),
        new("ann"),
        new("other", email="ANN@example.org"),
        new("Ann", email="Ann@example.org"),
        new("other"),  # nor is the one that wanted its name
    ]
    payload = await accounts.send("bulkCreateUsers", ada.access, users=users)
    assert names(payload) == [None, "BAD", None, "ann", None, None, "other"]
    assert problems(payload) == [
        ("INVALID", ["users", "0", "email"]),
        ("TAKEN", ["users", "2", "username"]),
        ("TAKEN", ["users", "4", "email"]),
        ("TAKEN", ["users", "5", "username"]),
        ("TAKEN", ["users", "5", "email"]),
    ]


async def test_passwords_of_bad_rows_are_not_hashed(
    accounts: Accounts, ada: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    hash_password, hashed = Passwords.hash, []

    async def note(self: Passwords, password: str) -> str:
        hashed.append(password)
        return await hash_password(self, password)

    monkeypatch.setattr(Passwords, "hash", note)
    users = [
        new("ann", password="password of ann"),
        new("ada", password="password of nobody"),
        new("ben"),
    ]
    payload = await accounts.send("bulkCreateUsers", ada.access, users=users)
    assert names(payload) == ["ann", None, "ben"]
    assert hashed == ["password of ann"]


async def test_a_thousand_take_a_handful_of_statements(
    accounts: Accounts, ada: Member, database: Database
) -> None:
    users = numbered(950) + [new(f"secret{number}", password=PASSWORD) for number in range(50)]
    with recorded_statements(database) as statements:
        payload = await accounts.send("bulkCreateUsers", ada.access, users=users)
    assert payload["errors"] == []
    assert names(payload) == [user["username"] for user in users]
    # Who asks, who has the names, all rows at once, and what is answered.
    assert [one.split()[0] for one in statements] == ["SELECT", "SELECT", "INSERT", "SELECT"]
    assert len((await accounts.rows())["users"]) == 1_001


@pytest.mark.parametrize(
    ("users", "messages"),
    [
        (numbered(1_001), ["At most 1,000 users can be made at once; 1,001 were given."]),
        (
            numbered(51, password=PASSWORD),
            ["At most 50 users can be given a password at once; 51 were."],
        ),
        (
            numbered(1_001, password=PASSWORD),
            [
                "At most 1,000 users can be made at once; 1,001 were given.",
                "At most 50 users can be given a password at once; 1,001 were.",
            ],
        ),
    ],
    ids=["users", "passwords", "both"],
)
async def test_too_many(
    accounts: Accounts, ada: Member, users: list[dict[str, Any]], messages: list[str]
) -> None:
    before = await accounts.rows()
    payload = await accounts.send("bulkCreateUsers", ada.access, users=users)
    assert payload == {
        "users": [],
        "errors": [
            {"message": message, "code": "INVALID", "field": ["users"]} for message in messages
        ],
    }
    assert await accounts.rows() == before


async def test_it_is_for_admins(accounts: Accounts) -> None:
    eve = await accounts.member("eve", UserRole.EDITOR)
    before = await accounts.rows()
    for token, expected in ((eve.access, "FORBIDDEN"), (None, "UNAUTHENTICATED")):
        code, _ = await accounts.refusal("bulkCreateUsers", token, users=[new("ann")])
        assert code == expected
    assert await accounts.rows() == before


@only_postgresql
async def test_a_name_that_is_taken_before_the_insert_at_once(
    accounts: Accounts, ada: Member, database: Database
) -> None:
    async with database.transaction() as session:
        session.add(User(username="BEN", email="cleo@example.org", hashed_password="!"))
        await session.flush()
        users = [new("ann"), new("ben"), new("cleo"), new("dan")]
        bulk = asyncio.create_task(accounts.send("bulkCreateUsers", ada.access, users=users))
        await until_waiting(database)
    payload = await bulk
    assert names(payload) == ["ann", None, None, "dan"]
    assert problems(payload) == [
        ("TAKEN", ["users", "1", "username"]),
        ("TAKEN", ["users", "2", "email"]),
    ]
    rows = (await accounts.rows())["users"]
    assert sorted(row.username for row in rows) == ["BEN", "ada", "ann", "dan"]


@only_postgresql
async def test_bulk_and_sign_ups_at_once(accounts: Accounts, ada: Member) -> None:
    users = numbered(20)
    bulk, *sign_ups = await asyncio.gather(
        accounts.send("bulkCreateUsers", ada.access, users=users),
        *(accounts.send("createUser", **user, password=PASSWORD) for user in users[::4]),
    )
    made = [user["databaseId"] for user in bulk["users"] if user]
    made += [payload["user"]["databaseId"] for payload in sign_ups if payload["user"]]
    rows = {row.id: row.username for row in (await accounts.rows())["users"]}
    assert set(made) == rows.keys() - {ada.key}
    assert sorted(rows.values()) == sorted(["ada", *(user["username"] for user in users)])
    assert len(made) == len(users)
    for payload in sign_ups:
        assert all(error["code"] == "TAKEN" for error in payload["errors"])


@only_postgresql
async def test_bulks_of_the_same_users_at_once(accounts: Accounts, ada: Member) -> None:
    users = numbered(30)
    payloads = await asyncio.gather(
        accounts.send("bulkCreateUsers", ada.access, users=users),
        accounts.send("bulkCreateUsers", ada.access, users=users[::-1]),
    )
    made = sorted(name for payload in payloads for name in names(payload) if name)
    assert made == sorted(user["username"] for user in users)
    assert len((await accounts.rows())["users"]) == 31


@pytest.mark.parametrize("backend", ["memory"], indirect=True)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["ann", "ANN", "ben", "cleo", "x"]),
            st.sampled_from(["a@example.org", "A@Example.org", "b@example.org", "bad"]),
        ),
        max_size=8,
    )
)
async def test_the_same_are_made_as_one_by_one(
    accounts: Accounts, ada: Member, rows: list[tuple[str, str]]
) -> None:
    async def forget() -> None:
        async with accounts.database.transaction() as session:
            await session.execute(delete(User).where(User.id != ada.key))

    users = [{"username": username, "email": email} for username, email in rows]
    together = await accounts.send("bulkCreateUsers", ada.access, users=users)
    await forget()
    errors = []
    made = []
    for index, user in enumerate(users):
        payload = await accounts.send("createUser", ada.access, **user, password=PASSWORD)
        made.append(payload["user"] and payload["user"]["username"])
        path = ["users", str(index)]
        errors += [error | {"field": path + error["field"]} for error in payload["errors"]]
    await forget()
    assert names(together) == made
    assert together["errors"] == errors
