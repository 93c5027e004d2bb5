"""What is served beside GraphQL: health, readiness, the schema, the pool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, get_introspection_query

from blog_graphql.db.database import Database
from blog_graphql.db.migrations import head_revision, upgrade
from blog_graphql.schema import print_schema
from tests.support.apps import app_over, asking
from tests.support.backends import durable, only_postgresql, only_sqlite
from tests.support.settings import settings_for

ON_ONE = pytest.mark.parametrize("backend", ["memory"], indirect=True)
UNREACHABLE = {
    "status": "unavailable",
    "reason": "The database cannot be reached. Try again shortly.",
}


async def test_health_asks_no_database() -> None:
    url = "postgresql://nobody:s3cr3t@127.0.0.1:1/none"
    database = Database(settings_for(url))
    async with asking(app_over(database)) as http:
        response = await http.get("/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_ready_with_a_migrated_database(database: Database) -> None:
    async with asking(app_over(database)) as http:
        response = await http.get("/ready")
    assert (response.status_code, response.json()) == (200, {"status": "ready"})
    assert database.pool_status()["checkedOut"] == 0


async def test_not_ready_before_the_database_is_migrated(empty_url: str) -> None:
    database = Database(settings_for(empty_url))
    async with asking(app_over(database)) as http:
        before = await http.get("/ready")
        await upgrade(database, "0001")
        during = await http.get("/ready")
        await upgrade(database)
        after = await http.get("/ready")
    await database.dispose()

    for response, revision in ((before, "none"), (during, "0001")):
        assert response.status_code == 503
        assert response.json() == {
            "status": "unavailable",
            "reason": f"the database is at revision {revision}, head is {head_revision()}: "
            "run blog-graphql db upgrade",
        }
    assert after.status_code == 200


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://nobody:s3cr3t@127.0.0.1:1/none",
        "postgresql://nobody:s3cr3t@blog.invalid/none",
    ],
)
async def test_not_ready_when_the_server_cannot_be_reached(url: str) -> None:
    database = Database(settings_for(url))
    async with asking(app_over(database)) as http:
        ready = await http.get("/ready")
        answer = await http.post("/graphql", json={"query": "{ posts { totalCount } }"})
    assert (ready.status_code, ready.json()) == (503, UNREACHABLE)
    assert answer.status_code == 503
    assert answer.json()["errors"][0]["extensions"] == {"code": "SERVICE_UNAVAILABLE"}
    assert "s3cr3t" not in ready.text + answer.text


@only_postgresql
async def test_not_ready_when_the_server_has_no_such_database(database_url: str) -> None:
    url = settings_for(database_url).url.set(database="blog_test_missing")
    database = Database(settings_for(url.render_as_string(hide_password=False)))
    async with asking(app_over(database)) as http:
        response = await http.get("/ready")
    assert (response.status_code, response.json()) == (503, UNREACHABLE)


@only_postgresql
async def test_not_ready_when_the_database_refuses_to_be_read(database: Database) -> None:
    async with database.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE alembic_version DROP COLUMN version_num")
    async with asking(app_over(database)) as http:
        response = await http.get("/ready")
    assert response.status_code == 503
    assert response.json()["status"] == "unavailable"


@only_sqlite
async def test_not_ready_when_the_file_is_no_database(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "blog.db").write_bytes(b"no database" * 1000)
    database = Database(settings_for(database_url))
    async with asking(app_over(database)) as http:
        response = await http.get("/ready")
    await database.dispose()
    assert response.status_code == 503
    assert response.json()["status"] == "unavailable"


@ON_ONE
async def test_the_schema_is_served_as_text(database: Database) -> None:
    async with asking(app_over(database)) as http:
        response = await http.get("/schema.graphql")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.text == print_schema()
    assert "Query" in build_schema(response.text).type_map


@ON_ONE
async def test_without_introspection_the_schema_keeps_its_names(database: Database) -> None:
    async with asking(app_over(database, introspection=False)) as http:
        text = await http.get("/schema.graphql")
        introspection = await _ask(http, get_introspection_query())
        shallow = await _ask(http, '{ __type(name: "Post") { name } }')
        typo = await _ask(http, "{ postz { totalCount } }")
        plain = await _ask(http, "{ __typename posts { __typename } }")

    assert text.status_code == 404
    for answer in (introspection, shallow):
        assert answer.get("data") is None
        assert {error["extensions"]["code"] for error in answer["errors"]} == {
            "GRAPHQL_VALIDATION_FAILED"
        }
    assert [error["message"] for error in typo["errors"]] == [
        "Cannot query field 'postz' on type 'Query'."
    ]
    assert plain == {"data": {"__typename": "Query", "posts": {"__typename": "PostConnection"}}}


@ON_ONE
async def test_with_introspection_names_are_suggested(database: Database) -> None:
    async with asking(app_over(database)) as http:
        introspection = await _ask(http, get_introspection_query())
        typo = await _ask(http, "{ postz { totalCount } }")
    assert "errors" not in introspection
    assert [error["message"] for error in typo["errors"]] == [
        "Cannot query field 'postz' on type 'Query'. Did you mean 'post' or 'posts'?"
    ]


@durable
async def test_the_pool_is_shown_behind_a_setting(database: Database) -> None:
    async with asking(app_over(database)) as http:
        hidden = await http.get("/debug/pool")
    connection = await database.connect()
    async with asking(app_over(database, debug_pool=True)) as http:
        shown = await http.get("/debug/pool")
    await connection.close()
    assert hidden.status_code == 404
    assert (shown.status_code, shown.json()) == (
        200,
        {"size": 2, "maxOverflow": 2, "checkedIn": 0, "checkedOut": 1, "overflow": 0},
    )


@ON_ONE
async def test_without_graphiql_browsers_get_no_page(database: Database) -> None:
    async with asking(app_over(database, graphiql=False)) as http:
        page = await http.get("/graphql", headers={"Accept": "text/html"})
        answer = await _ask(http, "{ __typename }")
    assert page.status_code == 404
    assert "GraphiQL" not in page.text
    assert answer == {"data": {"__typename": "Query"}}


@ON_ONE
async def test_queries_may_be_sent_in_the_address(database: Database) -> None:
    async with asking(app_over(database)) as http:
        response = await http.get("/graphql", params={"query": "{ posts { totalCount } }"})
    assert (response.status_code, response.json()) == (200, {"data": {"posts": {"totalCount": 0}}})


async def _ask(http: Any, query: str) -> Any:
    return (await http.post("/graphql", json={"query": query})).json()


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ posts(frist: 1) { totalCount } }", {}),
        ("{ posts(filter: {isPublish: true}) { totalCount } }", {}),
        ("query ($f: PostFilter) { posts(filter: $f) { totalCount } }", {"f": {"isPublish": 1}}),
        ("query ($f: PostFilte) { posts(filter: $f) { totalCount } }", {}),
        ("{ posts(orderBy: [{field: TITEL}]) { totalCount } }", {}),
        ("{ node(id: 1) { ... on Pots { id } } }", {}),
        ("{ post { idd } }", {}),
    ],
)
@pytest.mark.parametrize("backend", ["memory"], indirect=True)
async def test_without_introspection_nothing_is_suggested(
    database: Database, query: str, variables: dict[str, Any]
) -> None:
    body = {"query": query, "variables": variables}
    async with asking(app_over(database, introspection=False)) as http:
        secretive = await http.post("/graphql", json=body)
    async with asking(app_over(database)) as http:
        helpful = await http.post("/graphql", json=body)
    assert "Did you mean" in helpful.text
    assert "Did you mean" not in secretive.text
    assert len(secretive.json()["errors"]) == len(helpful.json()["errors"])
