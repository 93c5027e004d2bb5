"""The app among others: inside somebody else's, beside another, over another database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI
from sqlalchemy import func, select

from blog_graphql.api.context import get_database, get_session
from blog_graphql.app import create_app, graphql_router
from blog_graphql.db.database import Database
from blog_graphql.db.models import User
from blog_graphql.db.session import SessionContext
from blog_graphql.errors import StartupError
from blog_graphql.settings import Settings, load_settings
from tests.support.apps import app_over, asking
from tests.support.backends import durable
from tests.support.blog import Blog
from tests.support.settings import SECRET_KEY

ON_ONE = pytest.mark.parametrize("backend", ["memory"], indirect=True)
USERS = {"query": "{ users { nodes { username } } }"}


def _users(*names: str) -> dict[str, object]:
    return {"data": {"users": {"nodes": [{"username": name} for name in names]}}}


@durable
async def test_the_router_fits_into_another_app(
    settings: Settings, database: Database, blog: Blog
) -> None:
    await blog.user("ann")
    events: list[str] = []

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        events.append("opened")
        yield
        events.append("closed")

    host = FastAPI(lifespan=lifespan)

    @host.get("/own")
    async def own() -> str:
        return "theirs"

    host.include_router(graphql_router(settings), prefix="/blog")
    async with host.router.lifespan_context(host), asking(host) as http:
        answer = await http.post("/blog/graphql", json=USERS)
        page = await http.get("/blog/graphql", headers={"Accept": "text/html"})
        theirs = await http.get("/own")
        elsewhere = await http.post("/graphql", json=USERS)
        opened: Database = host.state.database
        events.append("served")

    assert answer.json() == _users("ann")
    assert (page.status_code, theirs.json(), elsewhere.status_code) == (200, "theirs", 404)
    assert events == ["opened", "served", "closed"]
    assert opened is not database
    assert opened.pool_status()["checkedIn"] == 0


@ON_ONE
async def test_the_path_of_the_router_can_be_chosen(database: Database) -> None:
    host = FastAPI()
    host.include_router(graphql_router(database.settings, path="/api"))
    host.dependency_overrides[get_database] = lambda: database
    async with asking(host) as http:
        assert (await http.post("/api", json=USERS)).json() == _users()


@ON_ONE
async def test_a_masked_error_has_an_id_without_our_middleware(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_given: object, **_named: object) -> None:
        raise LookupError

    monkeypatch.setattr(SessionContext, "fetch", fail)
    host = FastAPI()
    host.include_router(graphql_router(database.settings))
    host.dependency_overrides[get_database] = lambda: database
    async with asking(host) as http:
        answer = (await http.post("/graphql", json=USERS)).json()
    assert len(answer["errors"][0]["extensions"]["requestId"]) == 32


async def test_one_dependency_replaces_the_database(database: Database, blog: Blog) -> None:
    await blog.user("ann")
    async with asking(app_over(database)) as http:
        assert (await http.post("/graphql", json=USERS)).json() == _users("ann")


async def test_plain_routes_get_a_session_that_is_closed(database: Database, blog: Blog) -> None:
    await blog.user("ann")
    app = app_over(database)

    @app.get("/count")
    async def count(session: Annotated[SessionContext, Depends(get_session)]) -> int:
        found: int = await session.scalar(select(func.count()).select_from(User))
        assert database.pool_status()["checkedOut"] == 1
        return found

    async with asking(app) as http:
        assert (await http.get("/count")).json() == 1
    assert database.pool_status()["checkedOut"] == 0


@durable
async def test_the_app_is_made_from_the_environment(
    database_url: str, database: Database, blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    await blog.user("ann")
    monkeypatch.setenv("BLOG_DATABASE_URL", database_url)
    monkeypatch.setenv("BLOG_SECRET_KEY", SECRET_KEY)
    monkeypatch.setenv("BLOG_DEBUG_POOL", "true")
    app = create_app()
    async with app.router.lifespan_context(app), asking(app) as http:
        answer = await http.post("/graphql", json=USERS)
        pool = await http.get("/debug/pool")
    assert answer.json() == _users("ann")
    assert pool.json() == {
        "size": 5,
        "maxOverflow": 10,
        "checkedIn": 1,
        "checkedOut": 0,
        "overflow": 0,
    }
    assert database.pool_status()["checkedOut"] == 0


def test_a_wrong_environment_makes_no_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOG_PORT", "http")
    with pytest.raises(StartupError, match=r"^BLOG_PORT: "):
        create_app()


def test_making_an_app_connects_nothing(tmp_path: Path) -> None:
    create_app(load_settings(database_url="sqlite:///blog.db"))
    assert list(tmp_path.iterdir()) == []


async def test_apps_side_by_side_have_databases_of_their_own() -> None:
    settings = load_settings(database_url="sqlite://", demo=False)
    one, other = create_app(settings), create_app(settings)
    async with (
        one.router.lifespan_context(one),
        other.router.lifespan_context(other),
        asking(one) as http,
        asking(other) as other_http,
    ):
        await Blog(one.state.database).user("ann")
        await Blog(other.state.database).user("ben")
        assert (await http.post("/graphql", json=USERS)).json() == _users("ann")
        assert (await other_http.post("/graphql", json=USERS)).json() == _users("ben")


async def test_an_app_in_memory_brings_the_demo_blog() -> None:
    app = create_app(load_settings(database_url="sqlite://"))
    async with app.router.lifespan_context(app), asking(app) as http:
        ready = await http.get("/ready")
        answer = await http.post("/graphql", json={"query": "{ posts { totalCount } }"})
    assert ready.json() == {"status": "ready"}
    assert answer.json()["data"]["posts"]["totalCount"] >= 12


async def test_an_app_can_be_started_again() -> None:
    app = create_app(load_settings(database_url="sqlite://", demo=False))
    for _ in range(2):
        async with app.router.lifespan_context(app), asking(app) as http:
            assert (await http.post("/graphql", json=USERS)).json() == _users()
