"""Databases for the tests: each test gets one of its own, on every backend.

A test that takes ``database``, ``settings`` or ``database_url`` runs three times:
on SQLite in memory, on an SQLite file and on PostgreSQL. The marks in
``tests.support.backends`` name fewer.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from fastapi import FastAPI

from blog_graphql.api.context import get_clock, get_database
from blog_graphql.app import create_app
from blog_graphql.db.database import Database
from blog_graphql.db.migrations import upgrade
from blog_graphql.settings import Settings
from tests.support.backends import Backend, Memory, PostgreSQL, SQLite
from tests.support.blog import Blog
from tests.support.client import Client, connected
from tests.support.clock import Clock
from tests.support.postgres import running_server
from tests.support.settings import settings_for

TEST_SERVER = "BLOG_TEST_DATABASE_URL"


@pytest.fixture(autouse=True)
def isolated_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of whoever runs the tests gets in, and no file that a test makes gets out."""
    for name in os.environ:
        if name.startswith("BLOG_") and name != TEST_SERVER:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The server of ``BLOG_TEST_DATABASE_URL``, else one that the tests start."""
    given = os.environ.get(TEST_SERVER)
    if given:
        yield given
        return
    with running_server() as url:
        yield url


@pytest.fixture(scope="session")
def memory_backend() -> Backend:
    return Memory()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sqlite_backend(tmp_path_factory: pytest.TempPathFactory) -> Backend:
    template = tmp_path_factory.mktemp("sqlite") / "template.db"
    await _migrate(f"sqlite:///{template}")
    return SQLite(template)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgresql_backend(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Backend]:
    async with PostgreSQL(postgres_url).empty(tmp_path_factory.getbasetemp()) as template:
        await _migrate(template)
        yield PostgreSQL(postgres_url, template)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> Backend:
    """Which kind of database the test runs on; started when first asked for."""
    backend: Backend = request.getfixturevalue(f"{request.param}_backend")
    return backend


@pytest.fixture
async def empty_url(backend: Backend, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a database that was never migrated."""
    async with backend.empty(tmp_path) as url:
        yield url


@pytest.fixture
async def database_url(backend: Backend, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a migrated database without a row; in memory whoever opens it migrates it."""
    async with backend.migrated(tmp_path) as url:
        yield url


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Settings for that database, with a small pool and without the demo blog."""
    return settings_for(database_url)


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    """That database, migrated in memory too."""
    database = Database(settings)
    if settings.is_in_memory:
        await upgrade(database)
    yield database
    await database.dispose()


async def _migrate(url: str) -> None:
    database = Database(settings_for(url))
    await upgrade(database)
    await database.dispose()


@pytest.fixture
def blog(database: Database) -> Blog:
    """Writes into that database."""
    return Blog(database)


@pytest.fixture
def clock() -> Clock:
    """What tells the app the time; it stands at ``NOW`` until a test moves it."""
    return Clock()


@pytest.fixture
def app(settings: Settings, database: Database, clock: Clock) -> FastAPI:
    """The app over that database, by that clock."""
    app = create_app(settings)
    app.dependency_overrides[get_database] = lambda: database
    app.dependency_overrides[get_clock] = lambda: clock
    database.events.clock = clock
    return app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[Client]:
    """A client of that app, over HTTP."""
    async with connected(app) as client:
        yield client
