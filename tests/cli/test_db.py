"""``blog-graphql db``, the command line itself, and the errors that an operator meets."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from blog_graphql import __version__
from blog_graphql.cli.database import open_database
from blog_graphql.db.database import Database
from blog_graphql.db.migrations import check_migrated, known_revisions, upgrade
from blog_graphql.errors import StartupError
from blog_graphql.settings import Settings, load_settings
from tests.support.backends import durable, only_postgresql
from tests.support.command import Outcome, run_command

CHECKOUT = Path(__file__).parents[2]
ACCOUNTS = "Keep sessions, and the slugs that posts once had."
UPGRADES = (
    "upgrade base -> 0001: Create the tables.\n"
    "upgrade 0001 -> 0002: Add users.bio and posts.view_count.\n"
    "upgrade 0002 -> 0003: Index posts.created_at.\n"
    f"upgrade 0003 -> 0004: {ACCOUNTS}\n"
)


class Shell:
    """Runs commands on one database."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *arguments: str) -> Outcome:
        return run_command(self.capsys, *arguments)


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


@pytest.fixture
def unmigrated(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOG_DATABASE_URL", empty_url)


@pytest.fixture
def migrated(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOG_DATABASE_URL", database_url)


@pytest.fixture
def own_migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the migrations, for commands that write new ones."""
    copy = tmp_path / "migrations"
    shutil.copytree(CHECKOUT / "alembic", copy)
    monkeypatch.setattr("blog_graphql.db.migrations._script_location", lambda: copy)
    yield copy
    known_revisions.cache_clear()


@pytest.fixture(scope="module")
def wheel_command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``blog-graphql`` from a wheel of the checkout, in an environment of its own."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=CHECKOUT)
    environment = folder / "environment"
    venv.create(environment)
    python = environment / "bin" / "python"
    _run(
        *(sys.executable, "-m", "pip", "--python", python, "install", "--quiet"),
        *("--no-deps", "--no-index", next(folder.glob("*.whl"))),
        cwd=folder,
    )
    # The dependencies are those of the tests, not installed twice.
    site_packages = next(environment.glob("lib/python*/site-packages"))
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return python.with_name("blog-graphql")


def test_version(shell: Shell) -> None:
    assert shell("--version") == Outcome(0, f"blog-graphql {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), ["serve", "import", "demo", "export-schema", "db", "BLOG_DATABASE_URL"]),
        (("db",), ["upgrade", "downgrade", "current", "history", "stamp", "revision"]),
        (("db", "upgrade"), ["--sql"]),
        (("db", "downgrade"), ["--sql", "base"]),
        (("db", "revision"), ["--message", "--autogenerate"]),
    ],
)
def test_help_names_what_there_is(
    shell: Shell, arguments: tuple[str, ...], words: list[str]
) -> None:
    outcome = shell(*arguments, "--help")
    assert (outcome.status, outcome.stderr) == (0, "")
    assert [word for word in words if word not in outcome.stdout] == []


@durable
@pytest.mark.usefixtures("unmigrated")
def test_upgrade_and_downgrade(shell: Shell) -> None:
    assert shell("db", "current") == Outcome(0, "none (head is 0004)\n", "")
    assert shell("db", "upgrade") == Outcome(0, UPGRADES, "")
    assert shell("db", "upgrade") == Outcome(0, "nothing to do\n", "")
    assert shell("db", "current") == Outcome(0, "0004 (head)\n", "")
    assert shell("db", "downgrade", "-1") == Outcome(0, f"downgrade 0004 -> 0003: {ACCOUNTS}\n", "")
    assert shell("db", "current") == Outcome(0, "0003 (head is 0004)\n", "")
    assert shell("db", "downgrade", "base") == Outcome(
        0,
        "downgrade 0003 -> 0002: Index posts.created_at.\n"
        "downgrade 0002 -> 0001: Add users.bio and posts.view_count.\n"
        "downgrade 0001 -> base: Create the tables.\n",
        "",
    )
    assert shell("db", "upgrade", "+2").status == 0
    assert shell("db", "current") == Outcome(0, "0002 (head is 0004)\n", "")


@durable
@pytest.mark.usefixtures("migrated")
def test_stamp_moves_the_mark_alone(shell: Shell) -> None:
    assert shell("db", "stamp", "0002") == Outcome(0, "stamp 0004 -> 0002\n", "")
    assert shell("db", "current") == Outcome(0, "0002 (head is 0004)\n", "")
    again = shell("db", "upgrade")
    assert again.status == 1
    assert "ix_posts_created_at_id" in again.stderr
    assert shell("db", "current") == Outcome(0, "0002 (head is 0004)\n", "")
    assert shell("db", "stamp", "head") == Outcome(0, "stamp 0002 -> 0004\n", "")


def test_history_needs_no_database(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOG_DATABASE_URL", "postgresql://nobody@nowhere.invalid/x")
    assert shell("db", "history") == Outcome(
        0,
        f"0003 -> 0004 (head), {ACCOUNTS}\n"
        "0002 -> 0003, Index posts.created_at.\n"
        "0001 -> 0002, Add users.bio and posts.view_count.\n"
        "<base> -> 0001, Create the tables.\n",
        "",
    )


def test_looking_makes_no_file(shell: Shell) -> None:
    assert shell("db", "current").stdout == "none (head is 0004)\n"
    assert shell("db", "upgrade", "--sql").stdout.startswith("BEGIN;\n")
    assert "DROP TABLE users;" in shell("db", "downgrade", "head:base", "--sql").stdout
    assert list(Path.cwd().iterdir()) == []


@durable
@pytest.mark.usefixtures("migrated")
def test_revision_is_numbered_and_written(shell: Shell, own_migrations: Path) -> None:
    outcome = shell("db", "revision", "-m", "Add cats", "--autogenerate")
    assert (outcome.status, outcome.stderr) == (0, "")
    written = (own_migrations / "versions" / "0005_add_cats.py").read_text()
    assert 'revision = "0005"\ndown_revision = "0004"\n' in written
    assert "op." not in written

    known_revisions.cache_clear()
    assert shell("db", "upgrade").stdout == "upgrade 0004 -> 0005: Add cats.\n"
    assert shell("db", "downgrade", "-1").stdout == "downgrade 0005 -> 0004: Add cats.\n"


@durable
async def test_autogenerated_migration_stands_by_itself(
    shell: Shell, database: Database, own_migrations: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLOG_DATABASE_URL", database.settings.database_url)
    async with database.transaction() as session:
        await session.execute(text("DROP TABLE post_sources"))

    outcome = await asyncio.to_thread(shell, "db", "revision", "-m", "Back", "--autogenerate")
    assert outcome.status == 0
    written = (own_migrations / "versions" / "0005_back.py").read_text()
    assert "sa.Column('imported_at', sa.DateTime(timezone=True), nullable=False)" in written
    assert "blog_graphql" not in written

    await upgrade(database)
    async with database.transaction() as session:
        assert (await session.scalars(text("SELECT path FROM post_sources"))).all() == []


def test_plain_revision_needs_no_database(shell: Shell, own_migrations: Path) -> None:
    assert shell("db", "revision", "-m", "Add dogs").status == 0
    assert (own_migrations / "versions" / "0005_add_dogs.py").exists()
    assert not Path("blog.db").exists()


@durable
@pytest.mark.usefixtures("unmigrated")
def test_autogenerate_wants_a_database_at_head(shell: Shell, own_migrations: Path) -> None:
    assert shell("db", "revision", "-m", "Add cats", "--autogenerate") == Outcome(
        1, "", "blog-graphql: Target database is not up to date.\n"
    )
    assert len(list((own_migrations / "versions").glob("*.py"))) == 4


@durable
@pytest.mark.usefixtures("migrated")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("upgrade", "nowhere"), "Can't locate revision identified by 'nowhere'"),
        (("downgrade", "nowhere"), "Can't locate revision identified by 'nowhere'"),
        (("stamp", "nowhere"), "Can't locate revision identified by 'nowhere'"),
        (("upgrade", "nowhere", "--sql"), "Can't locate revision identified by 'nowhere'"),
        (("downgrade", "base", "--sql"), "downgrade with --sql requires <fromrev>:<torev>"),
    ],
)
def test_unknown_revision_is_one_line(
    shell: Shell, arguments: tuple[str, ...], message: str
) -> None:
    assert shell("db", *arguments) == Outcome(1, "", f"blog-graphql: {message}\n")
    assert shell("db", "current").stdout == "0004 (head)\n"


@pytest.mark.parametrize("command", ["upgrade", "current"])
@pytest.mark.parametrize(
    ("url", "start"),
    [
        ("postgresql://ann:secret@127.0.0.1:1/blog", "the database blog on 127.0.0.1:1: "),
        ("postgresql://ann:secret@nowhere.invalid", "the database postgres on nowhere.invalid: "),
        ("postgresql:///blog?host=/nowhere&password=secret", "the database blog on /nowhere: "),
        ("postgresql://127.0.0.1:1/blog?frog=secret", "the database blog on 127.0.0.1:1: "),
        ("postgresql://ann:secret@127.0.0.1:99999/blog", "the database blog on 127.0.0.1:99999: "),
    ],
)
def test_unusable_server_is_one_line_without_the_password(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, url: str, start: str, command: str
) -> None:
    monkeypatch.setenv("BLOG_DATABASE_URL", url)
    outcome = shell("db", command)
    assert (outcome.status, outcome.stdout) == (1, "")
    assert outcome.stderr.startswith(f"blog-graphql: cannot use {start}")
    assert outcome.stderr.count("\n") == 1
    assert "secret" not in outcome.stderr


@only_postgresql
def test_missing_database_is_one_line(
    shell: Shell, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLOG_DATABASE_URL", empty_url.replace("/blog_test_", "/no_blog_test_"))
    outcome = shell("db", "upgrade")
    assert outcome.status == 1
    assert outcome.stderr.endswith(" does not exist\n")


@pytest.mark.parametrize("command", ["upgrade", "current"])
def test_wrong_file_is_one_line(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    Path("notes.txt").write_text("Milk, bread and not a database at all. " * 50)
    monkeypatch.setenv("BLOG_DATABASE_URL", "sqlite:///notes.txt")
    assert shell("db", command) == Outcome(
        1,
        "",
        f"blog-graphql: cannot use the database file {Path.cwd()}/notes.txt: "
        "file is not a database\n",
    )


def test_missing_folder_is_one_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOG_DATABASE_URL", "sqlite:///missing/blog.db")
    folder = Path.cwd() / "missing"
    assert shell("db", "upgrade") == Outcome(
        1,
        "",
        f"blog-graphql: cannot use the database file {folder}/blog.db: "
        f"the folder {folder} does not exist or cannot be written to\n",
    )
    assert not folder.exists()


@pytest.mark.usefixtures("migrated")
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_read_only_file_is_one_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOG_DATABASE_URL", f"sqlite:///file:{Path.cwd()}/blog.db?mode=ro&uri=true")
    outcome = shell("db", "downgrade", "base")
    assert outcome.status == 1
    assert outcome.stderr.endswith("attempt to write a readonly database\n")


def test_wrong_setting_is_one_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOG_POOL_SIZE", "many")
    outcome = shell("db", "current")
    assert (outcome.status, outcome.stdout) == (1, "")
    assert outcome.stderr.startswith("blog-graphql: BLOG_POOL_SIZE: ")
    assert outcome.stderr.count("\n") == 1


async def test_open_database_migrates_sqlite_by_itself(tmp_path: Path) -> None:
    settings = load_settings(_env_file=None, database_url=f"sqlite:///{tmp_path}/new.db")
    async with open_database(settings) as database:
        await check_migrated(database)
    assert database.pool_status()["checkedOut"] == 0


@only_postgresql
async def test_open_database_leaves_a_server_alone(empty_url: str) -> None:
    settings = load_settings(_env_file=None, database_url=empty_url)
    for _ in range(2):
        with pytest.raises(StartupError) as refusal:
            async with open_database(settings):
                pytest.fail("an unmigrated database was opened")
        assert str(refusal.value) == (
            "the database is at revision none, head is 0004: run blog-graphql db upgrade"
        )


@durable
async def test_open_database_opens_a_migrated_one(settings: Settings) -> None:
    async with open_database(settings) as database:
        await check_migrated(database)


def test_module_is_the_command() -> None:
    printed = _run(sys.executable, "-m", "blog_graphql", "--version", cwd=CHECKOUT)
    assert printed == f"blog-graphql {__version__}\n"


@durable
@pytest.mark.usefixtures("unmigrated")
def test_installed_wheel_migrates_away_from_the_checkout(
    wheel_command: Path, tmp_path: Path
) -> None:
    assert _run(wheel_command, "db", "upgrade", cwd=tmp_path) == UPGRADES
    assert _run(wheel_command, "db", "current", cwd=tmp_path) == "0004 (head)\n"


def _run(*command: str | Path, cwd: Path) -> str:
    """What a program prints that must succeed."""
    # A PYTHONPATH would let the checkout pass for an installed wheel.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    # A wheel will do that has no page, which may not have been built.
    environment["BLOG_GRAPHIQL"] = "false"
    finished = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout
