"""``blog-graphql create-admin`` and ``set-password``."""

from __future__ import annotations

import asyncio
import io
import os
import pty
import select as sockets
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from blog_graphql.cli import accounts
from blog_graphql.db.database import Database
from blog_graphql.db.models import Session, User, UserRole
from blog_graphql.security.passwords import Passwords
from blog_graphql.settings import Settings
from blog_graphql.users.creation import TAKEN, Checked, check_users
from tests.support.backends import durable, only_sqlite
from tests.support.blog import Blog
from tests.support.command import Outcome, run_command
from tests.support.process import CHECKOUT, PATIENCE

PASSWORD = "correct horse"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
Command = Callable[..., Awaitable[Outcome]]


@pytest.fixture
def settings(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Those of the commands too, with hashes that take no time."""
    monkeypatch.setenv("BLOG_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("BLOG_ARGON2_MEMORY_KIB", "8")
    return settings.model_copy(update={"argon2_memory_kib": 8})


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command with something on standard input."""

    async def run(*arguments: str, given: bytes = PASSWORD.encode()) -> Outcome:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        return await asyncio.to_thread(run_command, capsys, *arguments)

    return run


async def users(database: Database) -> list[User]:
    async with database.transaction() as session:
        return list(await session.scalars(select(User).order_by(User.id)))


async def signs_in(settings: Settings, user: User, password: str) -> bool:
    with closing(Passwords(settings)) as passwords:
        return await passwords.verify(password, user.hashed_password)


async def add_session(database: Database, user_id: int, key: str) -> None:
    async with database.transaction() as session:
        session.add(
            Session(
                id=key * 32,
                user_id=user_id,
                token_hash=key * 64,
                rotated_at=LONG_AGO,
                expires_at=LONG_AGO,
            )
        )


@durable
async def test_an_admin_is_made(command: Command, database: Database, settings: Settings) -> None:
    outcome = await command("create-admin", "Jane", "jane@localhost", given=b"correct horse\r\nx\n")
    assert outcome == Outcome(0, "made Jane an account as ADMIN\n", "")
    [user] = await users(database)
    assert (user.username, user.username_key) == ("Jane", "jane")
    assert (user.email, user.role, user.is_active) == ("jane@localhost", UserRole.ADMIN, True)
    assert user.last_login_at is None
    assert user.hashed_password.startswith("$argon2id$v=19$m=8,t=2,p=1$")
    assert await signs_in(settings, user, PASSWORD)


@durable
@pytest.mark.parametrize(
    ("username", "email", "message"),
    [
        ("JANE", "new@example.org", TAKEN["username"]),
        ("new", "JANE@example.org", TAKEN["email"]),
        ("Jane", "Jane@Example.org", f"{TAKEN['username']} {TAKEN['email']}"),
        ("jane", "joe@example.org", f"{TAKEN['username']} {TAKEN['email']}"),
    ],
)
async def test_what_is_taken_is_refused(
    command: Command, blog: Blog, username: str, email: str, message: str
) -> None:
    await blog.user("jane", email="jane@example.org")
    await blog.user("joe", email="joe@example.org")
    outcome = await command("create-admin", username, email)
    assert outcome == Outcome(1, "", f"blog-graphql: {message}\n")
    assert [user.username for user in await users(blog.database)] == ["jane", "joe"]
    assert {user.role for user in await users(blog.database)} == {UserRole.AUTHOR}


@durable
async def test_whoever_comes_first_gets_the_name(
    command: Command, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check_and_be_late(*arguments: Any) -> Checked:
        checked = await check_users(*arguments)
        # The command has an event loop of its own, which a pool cannot be shared with.
        other = Database(settings)
        await Blog(other).user("jane")
        await other.dispose()
        return checked

    monkeypatch.setattr(accounts, "check_users", check_and_be_late)
    outcome = await command("create-admin", "Jane", "jane@localhost")
    assert outcome == Outcome(1, "", f"blog-graphql: {TAKEN['username']}\n")
    [user] = await users(database)
    assert (user.username, user.role) == ("jane", UserRole.AUTHOR)


@only_sqlite
async def test_every_problem_at_once(command: Command, database: Database) -> None:
    outcome = await command("create-admin", "j", "nowhere", given=b"secret\n")
    assert outcome == Outcome(
        1,
        "",
        "blog-graphql: username must have 3 to 50 characters out of A-Z, a-z, 0-9, _, . and -, "
        "and begin with a letter or a digit. email must be an email address, such as "
        "jane@example.org. password must have 8 to 128 characters; it has 6.\n",
    )
    assert await users(database) == []


@only_sqlite
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (b"", "password must have 8 to 128 characters; it has 0."),
        (b"\n" + PASSWORD.encode(), "password must have 8 to 128 characters; it has 0."),
        (b"correct \xff horse\n", "the password is not UTF-8 text"),
        (b"correct \x00 horse\n", "password must not contain NUL (U+0000) or lone surrogates."),
    ],
)
async def test_what_is_no_password(
    command: Command, blog: Blog, given: bytes, message: str
) -> None:
    await blog.user("jane")
    for arguments in (("create-admin", "joe", "joe@localhost"), ("set-password", "jane")):
        outcome = await command(*arguments, given=given)
        assert outcome == Outcome(1, "", f"blog-graphql: {message}\n")
    [user] = await users(blog.database)
    assert (user.username, user.hashed_password) == ("jane", "!")


@durable
async def test_a_password_is_set_and_sessions_end(
    command: Command, blog: Blog, settings: Settings
) -> None:
    jane = await blog.user("Jane", created_at=LONG_AGO)
    joe = await blog.user("joe")
    for user_id, key in ((jane, "a"), (jane, "b"), (joe, "c")):
        await add_session(blog.database, user_id, key)

    outcome = await command("set-password", "jANE")
    assert outcome == Outcome(0, "set the password of jANE and ended their sessions\n", "")
    changed, untouched = await users(blog.database)
    assert await signs_in(settings, changed, PASSWORD)
    assert changed.updated_at == LONG_AGO
    assert untouched.hashed_password == "!"
    async with blog.database.transaction() as session:
        assert list(await session.scalars(select(Session.user_id))) == [joe]


@durable
async def test_nobody_of_that_name(command: Command, blog: Blog) -> None:
    jane = await blog.user("jane")
    await add_session(blog.database, jane, "a")
    outcome = await command("set-password", "joe")
    assert outcome == Outcome(1, "", "blog-graphql: there is no user joe.\n")
    [user] = await users(blog.database)
    assert user.hashed_password == "!"
    async with blog.database.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(Session)) == 1


@only_sqlite
async def test_what_is_no_username_is_looked_for_nowhere(
    command: Command, database: Database
) -> None:
    outcome = await command("set-password", "\udcff", given=b"secret\n")
    assert (outcome.status, outcome.stdout) == (1, "")
    assert outcome.stderr.startswith("blog-graphql: username must have 3 to 50 characters")
    assert outcome.stderr.endswith(" password must have 8 to 128 characters; it has 6.\n")
    assert await users(database) == []


@only_sqlite
@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
async def test_no_secret_is_logged(
    command: Command, blog: Blog, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    monkeypatch.setenv("BLOG_LOG_LEVEL", level)
    monkeypatch.setenv("BLOG_SQL_ECHO", "true")
    await blog.user("jane")
    for arguments in (("create-admin", "joe", "joe@localhost"), ("set-password", "jane")):
        outcome = await command(*arguments)
        assert outcome.status == 0
        assert "INSERT" in outcome.stderr or "UPDATE" in outcome.stderr
        assert PASSWORD not in outcome.stderr
        assert "$argon2id$" not in outcome.stderr


class Terminal:
    """A command on a terminal."""

    def __init__(self, *arguments: str) -> None:
        self._keyboard, theirs = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "blog_graphql", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            start_new_session=True,
        )
        os.close(theirs)
        self.screen = b""

    def type(self, text: str) -> None:
        os.write(self._keyboard, text.encode())

    def wait_for(self, text: str) -> None:
        """Read until the screen shows a text, or the command has ended."""
        while text.encode() not in self.screen and self._read():
            pass

    def end(self) -> tuple[int, str]:
        """The status, and all that was shown."""
        while self._read():
            pass
        os.close(self._keyboard)
        return self._process.wait(PATIENCE), self.screen.decode().replace("\r\n", "\n")

    def _read(self) -> bool:
        assert sockets.select([self._keyboard], [], [], PATIENCE)[0], self.screen
        # Linux says that a terminal has ended by an error.
        with suppress(OSError):
            read = os.read(self._keyboard, 1024)
            self.screen += read
            return read != b""
        return False


@only_sqlite
async def test_on_a_terminal_it_is_asked_for_twice(database: Database, settings: Settings) -> None:
    terminal = Terminal("create-admin", "jane", "jane@localhost")
    terminal.wait_for("Password: ")
    terminal.type(f"{PASSWORD}\n")
    terminal.wait_for("Repeat for confirmation: ")
    terminal.type(f"{PASSWORD}\n")
    assert terminal.end() == (
        0,
        "Password: \nRepeat for confirmation: \nmade jane an account as ADMIN\n",
    )
    [user] = await users(database)
    assert await signs_in(settings, user, PASSWORD)


@only_sqlite
async def test_on_a_terminal_standard_input_can_be_told(blog: Blog, settings: Settings) -> None:
    await blog.user("jane")
    terminal = Terminal("set-password", "jane", "--password-stdin")
    terminal.type(f"{PASSWORD}\n")
    status, screen = terminal.end()
    assert (status, screen) == (
        0,
        f"{PASSWORD}\nset the password of jane and ended their sessions\n",
    )
    [user] = await users(blog.database)
    assert await signs_in(settings, user, PASSWORD)
