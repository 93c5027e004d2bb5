"""``blog-graphql serve`` and ``export-schema``, and the commands of the ecosystem."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from blog_graphql.db.database import Database
from blog_graphql.db.migrations import head_revision
from blog_graphql.db.models import Post
from blog_graphql.schema import print_schema
from blog_graphql.settings import load_settings
from tests.support.backends import only_postgresql
from tests.support.blog import Blog
from tests.support.command import Outcome, run_command
from tests.support.process import CHECKOUT, PATIENCE, Running, run, running
from tests.support.settings import SECRET_KEY

USERS = "{ users { nodes { username } } }"
COUNT = "{ posts { totalCount } }"
DEMO_POSTS = [
    post for post in (files("blog_graphql") / "demo").iterdir() if post.name.endswith(".md")
]
ADDRESS = re.compile(r"GraphiQL is at (http://127\.0\.0\.1:\d+)/graphql\n")
SECRET = "s3cr3t"


@asynccontextmanager
async def serving(
    *options: str, **environment: str
) -> AsyncIterator[tuple[Running, httpx.AsyncClient]]:
    """``blog-graphql serve`` on a free port, and a client of it."""
    given = {"BLOG_PORT": "0", "BLOG_DEMO": "false", **environment}
    if given.get("BLOG_DATABASE_URL", "").startswith("postgresql"):
        given["BLOG_SECRET_KEY"] = SECRET_KEY
    async with running("blog_graphql", "serve", *options, **given) as server:
        printed = await server.line()
        address = ADDRESS.fullmatch(printed)
        assert address, printed + (await server.ended()).stderr
        async with httpx.AsyncClient(base_url=address[1], timeout=PATIENCE) as http:
            yield server, http


async def ask(http: httpx.AsyncClient, query: str) -> Any:
    response = await http.post("/graphql", json={"query": query})
    assert response.status_code == 200, response.text
    return response.json()


def users(*names: str) -> dict[str, Any]:
    return {"data": {"users": {"nodes": [{"username": name} for name in names]}}}


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def refusal(*options: str, **environment: str) -> str:
    """What ``serve`` says when it does not start, and it says nothing else."""
    outcome = await run("blog_graphql", "serve", *options, **{"BLOG_PORT": "0", **environment})
    assert (outcome.status, outcome.stdout) == (1, "")
    (line,) = outcome.stderr.splitlines()
    return line


async def test_a_file_is_made_migrated_and_kept(tmp_path: Path) -> None:
    async with serving() as (server, http):
        assert (await http.get("/ready")).json() == {"status": "ready"}
        assert await ask(http, USERS) == users()
        assert (await server.stop()).status == 0
    database = Database(load_settings(database_url=f"sqlite:///{tmp_path / 'blog.db'}"))
    await Blog(database).user("ann")
    await database.dispose()
    async with serving() as (server, http):
        assert await ask(http, USERS) == users("ann")
        outcome = await server.stop()
    assert (outcome.status, outcome.stdout) == (0, "")
    assert "Traceback" not in outcome.stderr


async def test_a_database_in_memory_is_served() -> None:
    async with serving(BLOG_DATABASE_URL="sqlite://") as (_, http):
        assert await ask(http, USERS) == users()
    async with serving(BLOG_DATABASE_URL="sqlite://", BLOG_DEMO="true") as (_, http):
        assert await ask(http, COUNT) == {"data": {"posts": {"totalCount": len(DEMO_POSTS)}}}


async def test_the_demo_blog_is_loaded_into_an_empty_file_only(tmp_path: Path) -> None:
    async with serving(BLOG_DEMO="true") as (server, http):
        assert await ask(http, COUNT) == {"data": {"posts": {"totalCount": len(DEMO_POSTS)}}}
        await server.stop()
    database = Database(load_settings(database_url=f"sqlite:///{tmp_path / 'blog.db'}"))
    await Blog(database).delete(Post, 1)
    await database.dispose()
    async with serving(BLOG_DEMO="true") as (server, http):
        assert await ask(http, COUNT) == {"data": {"posts": {"totalCount": len(DEMO_POSTS) - 1}}}


async def test_an_address_of_version_6() -> None:
    async with running("blog_graphql", "serve", "--host", "::1", BLOG_PORT="0") as server:
        printed = await server.line()
        assert re.fullmatch(r"GraphiQL is at http://\[::1\]:\d+/graphql\n", printed)
        async with httpx.AsyncClient(timeout=PATIENCE) as http:
            health = printed.removeprefix("GraphiQL is at ").strip().replace("graphql", "health")
            assert (await http.get(health)).json() == {"status": "ok"}


@only_postgresql
async def test_a_server_database_is_served_as_it_is(
    database: Database, database_url: str, blog: Blog
) -> None:
    await blog.user("ann")
    async with serving(BLOG_DATABASE_URL=database_url, BLOG_DEMO="true") as (_, http):
        assert await ask(http, USERS) == users("ann")
        assert await ask(http, "{ posts { totalCount } }") == {"data": {"posts": {"totalCount": 0}}}
    assert database.pool_status()["checkedOut"] == 0


async def test_settings_come_from_the_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("BLOG_GRAPHIQL=false\nBLOG_DATABASE_URL=sqlite:///mine.db\n")
    async with running("blog_graphql", "serve", BLOG_PORT="0", BLOG_DEMO="false") as server:
        printed = await server.line()
    assert re.fullmatch(r"GraphQL is at http://127\.0\.0\.1:\d+/graphql\n", printed)
    assert (tmp_path / "mine.db").exists()


async def test_a_taken_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        line = await refusal("--port", port)
    assert line.startswith(
        f"blog-graphql: cannot listen on 127.0.0.1 port {port}: Address already in use"
    )
    assert line.endswith("; choose another with --host and --port, or BLOG_HOST and BLOG_PORT")
    assert files_in(tmp_path) == []


async def test_an_address_that_is_not_ours() -> None:
    line = await refusal("--host", "blog.invalid")
    assert line.startswith("blog-graphql: cannot listen on blog.invalid port 0: ")


async def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    file = tmp_path / "missing" / "blog.db"
    assert await refusal(BLOG_DATABASE_URL=f"sqlite:///{file}") == (
        f"blog-graphql: cannot use the database file {file}: "
        f"the folder {file.parent} does not exist or cannot be written to"
    )
    assert files_in(tmp_path) == []


async def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    line = await refusal(BLOG_DATABASE_URL=f"sqlite:///{tmp_path}")
    assert line == (
        f"blog-graphql: cannot use the database file {tmp_path}: unable to open database file"
    )


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "blog.db").write_text("Dear diary, " * 100)
    line = await refusal()
    assert line == (
        f"blog-graphql: cannot use the database file {tmp_path / 'blog.db'}: file is not a database"
    )
    assert (tmp_path / "blog.db").read_text() == "Dear diary, " * 100


async def test_an_unreachable_server() -> None:
    line = await refusal(BLOG_DATABASE_URL=f"postgresql://blog:{SECRET}@127.0.0.1:1/blog")
    assert line.startswith("blog-graphql: cannot use the database blog on 127.0.0.1:1: ")
    assert SECRET not in line


@only_postgresql
async def test_an_unmigrated_server_database(empty_url: str) -> None:
    assert await refusal(BLOG_DATABASE_URL=empty_url) == (
        f"blog-graphql: the database is at revision none, head is {head_revision()}: "
        "run blog-graphql db upgrade"
    )


async def test_a_wrong_setting() -> None:
    assert await refusal(BLOG_POOL_SIZE="many") == (
        "blog-graphql: BLOG_POOL_SIZE: "
        "Input should be a valid integer, unable to parse string as an integer"
    )


async def test_workers_and_reload_exclude_each_other() -> None:
    options = ("--workers", "2", "--reload")
    async with running("blog_graphql", "serve", *options, BLOG_PORT="0") as server:
        assert await server.line() == ""
        outcome = await server.ended()
    assert outcome.status != 0
    assert "--reload" in outcome.stderr
    assert "Traceback" not in outcome.stderr


@only_postgresql
async def test_a_running_request_is_answered_before_the_server_ends(
    database: Database, database_url: str, blog: Blog
) -> None:
    await blog.user("ann")
    async with serving(BLOG_DATABASE_URL=database_url) as (server, http):
        async with database.transaction() as session:
            await session.execute(text("LOCK TABLE users"))
            request = asyncio.create_task(ask(http, USERS))
            await _until_somebody_waits(session)
            server.signal(signal.SIGTERM)
            await server.logged("Shutting down")
            assert not request.done()
        assert await request == users("ann")
        outcome = await server.ended()
    assert (outcome.status, outcome.stdout) == (0, "")
    assert "Traceback" not in outcome.stderr


@only_postgresql
async def test_a_request_that_does_not_end_cannot_hold_the_server(
    database: Database, database_url: str
) -> None:
    environment = {
        "BLOG_DATABASE_URL": database_url,
        "BLOG_SHUTDOWN_TIMEOUT": "1",
        "BLOG_STATEMENT_TIMEOUT": "600",
    }
    async with serving(**environment) as (server, http):
        async with database.transaction() as session:
            await session.execute(text("LOCK TABLE users"))
            request = asyncio.create_task(http.post("/graphql", json={"query": USERS}))
            await _until_somebody_waits(session)
            outcome = await server.stop()
        (answer,) = await asyncio.gather(request, return_exceptions=True)
    assert getattr(answer, "status_code", 500) == 500
    assert outcome.status == 0


async def test_interrupting_the_server_is_quiet() -> None:
    async with serving() as (server, http):
        await http.get("/health")
        server.signal(signal.SIGINT)
        outcome = await server.ended()
    assert outcome.status in {0, 130}
    assert "Traceback" not in outcome.stderr


@pytest.mark.parametrize("options", [("--workers", "2"), ("--reload",)])
async def test_the_server_runs_as_several_processes(options: tuple[str, ...]) -> None:
    async with serving(*options) as (server, http):
        assert await asyncio.gather(*(ask(http, USERS) for _ in range(4))) == [users()] * 4
        outcome = await server.stop()
    assert outcome.status == 0
    assert "Traceback" not in outcome.stderr


async def test_every_line_of_the_log_is_json() -> None:
    async with serving(BLOG_LOG_FORMAT="json") as (server, http):
        await http.post("/graphql", json={"query": "query Hello { __typename }"})
        outcome = await server.stop()
    lines = [json.loads(line) for line in outcome.stderr.splitlines()]
    operations = [line for line in lines if line["event"] == "operation"]
    assert [line["name"] for line in operations] == ["Hello"]


async def test_uvicorn_serves_the_factory() -> None:
    environment = {
        "BLOG_DATABASE_URL": "sqlite://",
        "BLOG_DEMO": "false",
        "BLOG_LOG_FORMAT": "json",
    }
    arguments = ("--factory", "blog_graphql.app:create_app")
    # Uvicorn prints its port only in its log, which is ours.
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with running("uvicorn", *arguments, "--port", str(port), **environment) as server:
        await server.logged("Uvicorn running on")
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
            assert await ask(http, USERS) == users()
        outcome = await server.stop()
    assert outcome.stdout == ""
    lines = [json.loads(line) for line in outcome.stderr.splitlines()]
    assert [line["event"] for line in lines].count("operation") == 1


async def test_strawberry_exports_the_schema() -> None:
    outcome = await run("strawberry", "export-schema", "blog_graphql.schema:schema")
    assert outcome.status == 0, outcome.stderr
    assert "type Query" in outcome.stdout


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(capsys, "export-schema") == Outcome(0, print_schema(), "")


def test_the_schema_is_written_to_a_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "schema.graphql"
    assert run_command(capsys, "export-schema", "--output", str(file)) == Outcome(0, "", "")
    assert file.read_text(encoding="utf-8") == print_schema()


def test_a_schema_file_that_cannot_be_written_is_one_clear_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    outcome = run_command(capsys, "export-schema", "-o", str(tmp_path / "missing" / "file"))
    assert (outcome.status, outcome.stdout) == (1, "")
    assert len(outcome.stderr.splitlines()) == 1


def test_the_schema_of_the_repository_is_current() -> None:
    assert (CHECKOUT / "schema.graphql").read_text(encoding="utf-8") == print_schema()


async def _until_somebody_waits(session: Any) -> None:
    """Wait until another connection waits for a lock of this one."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    async with asyncio.timeout(PATIENCE):
        while not await session.scalar(waiting):
            pass
