"""``blog-graphql create-admin`` and ``set-password``: accounts, for whoever has the server."""

from __future__ import annotations

import asyncio
import sys
from contextlib import closing
from typing import Annotated

import typer
from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from blog_graphql.cli.database import open_database
from blog_graphql.db.models import Session, User, UserRole
from blog_graphql.db.session import session_context
from blog_graphql.db.types import utcnow
from blog_graphql.db.visibility import ANONYMOUS, Visibility
from blog_graphql.db.writing import transact
from blog_graphql.errors import ProblemCode, Rejected, StartupError
from blog_graphql.logs import configure_logging
from blog_graphql.security.passwords import Passwords
from blog_graphql.settings import Settings, load_settings
from blog_graphql.text import fold
from blog_graphql.users.creation import NewUser, check_users, create_users
from blog_graphql.users.rules import check_password, check_username
from blog_graphql.validation import Problems

Username = Annotated[str, typer.Argument(metavar="USERNAME", help="The name to sign in with.")]
PasswordStdin = Annotated[
    bool,
    typer.Option(
        "--password-stdin", help="Read the password from standard input, a terminal or not."
    ),
]


def create_admin(
    username: Username,
    email: Annotated[
        str, typer.Argument(metavar="EMAIL", help="The address to sign in with instead.")
    ],
    password_stdin: PasswordStdin = False,
) -> None:
    """Make an account that may do everything.

    The password is asked for twice, or is the first line of standard input.
    """
    settings = load_settings()
    configure_logging(settings)
    password = _read_password(password_stdin)
    asyncio.run(_create_admin(settings, username, email, password))
    typer.echo(f"made {username} an account as ADMIN")


def set_password(username: Username, password_stdin: PasswordStdin = False) -> None:
    """Set a user's password, and end all of their sessions.

    The password is asked for twice, or is the first line of standard input.
    """
    settings = load_settings()
    configure_logging(settings)
    password = _read_password(password_stdin)
    problems = Problems()
    check_username(problems, username, "username")
    check_password(problems, password, "password")
    problems.raise_any()
    asyncio.run(_set_password(settings, username, password))
    typer.echo(f"set the password of {username} and ended their sessions")


def _read_password(from_stdin: bool) -> str:
    if sys.stdin.isatty() and not from_stdin:
        password: str = typer.prompt(
            "Password", hide_input=True, confirmation_prompt=True, err=True
        )
        return password
    line = sys.stdin.buffer.readline()
    try:
        return line.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        # Its message would show what was read.
        raise StartupError("the password is not UTF-8 text") from None


async def _create_admin(settings: Settings, username: str, email: str, password: str) -> None:
    async with open_database(settings) as database:
        async with session_context(database) as reading:
            checked = await check_users(reading, {(): NewUser(username, email, password)})
        if checked.problems:
            raise Rejected(checked.problems)
        hashed = await _hash(settings, password)

        async def write(session: AsyncSession) -> None:
            visibility = Visibility(ANONYMOUS, utcnow())
            created = await create_users(session, visibility, checked.users, {(): hashed})
            if created.problems:
                raise Rejected(created.problems)
            made = User.id == created.ids[()]
            await session.execute(update(User).where(made).values(role=UserRole.ADMIN))

        await transact(database, write)


async def _set_password(settings: Settings, username: str, password: str) -> None:
    hashed = await _hash(settings, password)

    async def write(session: AsyncSession) -> None:
        user_id = await session.scalar(
            update(User)
            .where(User.username_key == fold(username))
            .values(hashed_password=hashed)
            .returning(User.id)
        )
        if user_id is None:
            Problems().reject(ProblemCode.NOT_FOUND, f"there is no user {username}.", "username")
        await session.execute(delete(Session).where(Session.user_id == user_id))

    async with open_database(settings) as database:
        await transact(database, write)


async def _hash(settings: Settings, password: str) -> str:
    with closing(Passwords(settings)) as passwords:
        return await passwords.hash(password)
