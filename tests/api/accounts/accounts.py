"""Users who sign in for real, and the mutations of accounts as the tests send them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from argon2 import PasswordHasher
from sqlalchemy import select, text

from blog_graphql.api.node import encode_id
from blog_graphql.db.database import Database
from blog_graphql.db.models import Session, User, UserRole
from tests.support.blog import NOW
from tests.support.client import Client

PASSWORD = "correct horse battery"
# Made with the parameters of the tests' settings.
HASHED_PASSWORD = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
OUTDATED_PASSWORD = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash(PASSWORD)

_USER = """user { id databaseId username fullName bio email role isActive lastLoginAt createdAt
  updatedAt }"""
_LOGIN = f"accessToken accessTokenExpiresAt refreshToken {_USER}"
_SELECTIONS = {
    "login": _LOGIN,
    "refreshSession": _LOGIN,
    "logout": "",
    "deleteUser": "deletedId",
    "bulkCreateUsers": "users { databaseId username email fullName bio role isActive }",
    "deactivateInactiveUsers": "deactivatedCount",
}

# Seconds after which a statement that should wait is given up.
_PATIENCE = 60
_WAITING = text(
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def moment(value: datetime) -> str:
    """A moment as the API writes it."""
    return value.isoformat().replace("+00:00", "Z")


def user_id(key: int) -> str:
    return encode_id("User", key)


@dataclass(frozen=True)
class Tokens:
    """What signing in gave."""

    access: str
    refresh: str

    @property
    def session_id(self) -> str:
        return self.refresh.partition(".")[0]


@dataclass(frozen=True)
class Member(Tokens):
    """A user who has signed in."""

    key: int

    @property
    def id(self) -> str:
        return user_id(self.key)


class Accounts:
    """Makes users in the database, and sends mutations over HTTP."""

    def __init__(self, client: Client, database: Database) -> None:
        self.client = client
        self.database = database

    async def user(self, username: str, **values: Any) -> int:
        """Write an active author whose password is ``PASSWORD``; gives the key."""
        defaults = {
            "email": f"{username}@example.org",
            "hashed_password": HASHED_PASSWORD,
            "created_at": datetime(2026, 1, 1, tzinfo=NOW.tzinfo),
        }
        async with self.database.transaction() as session:
            user = User(username=username, **(defaults | values))
            session.add(user)
            await session.flush()
            return user.id

    async def member(self, username: str, role: UserRole = UserRole.AUTHOR) -> Member:
        """Write a user and sign them in."""
        key = await self.user(username, role=role)
        tokens = await self.sign_in(username)
        return Member(tokens.access, tokens.refresh, key)

    async def sign_in(self, identifier: str, password: str = PASSWORD) -> Tokens:
        """Sign in, which must succeed."""
        return tokens_of(await self.send("login", identifier=identifier, password=password))

    async def refresh(self, token: str) -> Tokens:
        """Go on with a session, which must succeed."""
        return tokens_of(await self.send("refreshSession", refreshToken=token))

    async def post(self, mutation: str, token: str | None = None, **values: Any) -> httpx.Response:
        """The whole response to a mutation."""
        name = mutation[0].upper() + mutation[1:]
        query = (
            f"mutation ($input: {name}Input!) {{ {mutation}(input: $input) "
            f"{{ {_SELECTIONS.get(mutation, _USER)} errors {{ message code field }} }} }}"
        )
        return await self.client.post(query, {"input": values}, token=token)

    async def send(self, mutation: str, token: str | None = None, **values: Any) -> dict[str, Any]:
        """A mutation's payload."""
        response = await self.post(mutation, token, **values)
        answer = response.json()
        assert response.status_code == 200, answer
        assert "errors" not in answer, answer["errors"]
        payload: dict[str, Any] = answer["data"][mutation]
        return payload

    async def done(self, mutation: str, token: str | None = None, **values: Any) -> dict[str, Any]:
        """The user of a mutation that must succeed."""
        payload = await self.send(mutation, token, **values)
        assert payload["errors"] == []
        user: dict[str, Any] = payload["user"]
        return user

    async def problems(
        self, mutation: str, token: str | None = None, **values: Any
    ) -> list[tuple[str, list[str] | None]]:
        """The code and place of each problem of a mutation that must be refused."""
        payload = await self.send(mutation, token, **values)
        rest = {value for name, value in payload.items() if name != "errors"}
        assert rest <= {None, 0}
        assert payload["errors"]
        return [(error["code"], error["field"]) for error in payload["errors"]]

    async def refusal(
        self, mutation: str, token: str | None = None, **values: Any
    ) -> tuple[str, str]:
        """The code and message of the top-level error of a mutation."""
        answer = (await self.post(mutation, token, **values)).json()
        assert (answer["data"] or {mutation: None})[mutation] is None
        (error,) = answer["errors"]
        return error["extensions"]["code"], error["message"]

    async def viewer(self, token: str) -> Any:
        """Whom an access token signs in: a username, or the code of the refusal."""
        answer = (await self.client.post("{ viewer { username } }", token=token)).json()
        if "errors" in answer:
            return answer["errors"][0]["extensions"]["code"]
        return answer["data"]["viewer"]["username"]

    async def rows(self) -> dict[str, list[Any]]:
        """Every user and every session as the database has them."""
        async with self.database.transaction() as session:
            return {
                model.__tablename__: list(
                    (await session.execute(select(model.__table__).order_by("id"))).all()
                )
                for model in (User, Session)
            }

    async def row(self, key: int) -> User:
        """One user as the database has them."""
        async with self.database.transaction() as session:
            return await session.get_one(User, key)

    async def sessions(self, key: int) -> set[str]:
        """The ids of a user's sessions."""
        async with self.database.transaction() as session:
            found = await session.scalars(select(Session.id).where(Session.user_id == key))
            return set(found.all())


def tokens_of(payload: dict[str, Any]) -> Tokens:
    """The tokens of a payload that must have them."""
    assert payload["errors"] == []
    return Tokens(payload["accessToken"], payload["refreshToken"])


async def until_waiting(database: Database, count: int = 1) -> None:
    """Wait until so many connections to a PostgreSQL database wait for a lock."""
    observer = Database(database.settings)
    async with asyncio.timeout(_PATIENCE), observer.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        while await connection.scalar(_WAITING) < count:
            pass
    await observer.dispose()
