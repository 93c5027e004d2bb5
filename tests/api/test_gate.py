"""What an operation passes before it runs: limits on documents, and the budget."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from blog_graphql.db.database import Database
from blog_graphql.db.models import Post
from tests.support.apps import app_over, asking
from tests.support.blog import Blog, count_rows
from tests.support.statements import recorded_statements

QUERY = "{ posts { nodes { title } } }"


async def post(http: httpx.AsyncClient, query: str, **body: Any) -> httpx.Response:
    return await http.post("/graphql", json={"query": query, **body})


@pytest.mark.parametrize(
    ("setting", "limit", "within", "beyond"),
    [
        ("max_query_length", 14, "{ __typename }", "{  __typename }"),
        ("max_tokens", 3, "{ __typename }", "{ __typename __typename }"),
        ("max_depth", 2, "{ stats { posts } }", QUERY),
        ("max_aliases", 1, "{ a: __typename }", "{ a: __typename b: __typename }"),
        ("max_root_fields", 1, "{ __typename }", "{ __typename stats { posts } }"),
        (
            "max_fields_per_selection",
            1,
            "{ stats { posts } }",
            "{ stats { posts tags } }",
        ),
        ("max_nodes", 20, QUERY, "{ posts(first: 21) { nodes { title } } }"),
    ],
)
async def test_a_document_over_a_limit_is_not_run(
    database: Database, setting: str, limit: int, within: str, beyond: str
) -> None:
    async with asking(app_over(database, **{setting: limit})) as http:
        allowed = await post(http, within)
        with recorded_statements(database) as statements:
            refused = await post(http, beyond)
    assert "errors" not in allowed.json()
    (error,) = refused.json()["errors"]
    assert error["extensions"] == {"code": "QUERY_TOO_COMPLEX"}
    assert str(limit) in error["message"]
    assert statements == []


@pytest.mark.parametrize(
    ("variables", "count"),
    [({"a": [1, 2], "b": {}}, 4), ({"a": {"b": {"c": {"d": {}}}}}, 4), ({"a": [[[]], []]}, 4)],
)
async def test_variables_hold_so_many_values(
    database: Database, variables: dict[str, Any], count: int
) -> None:
    async with asking(app_over(database, max_variable_values=count)) as http:
        assert (await post(http, "{ __typename }", variables=variables)).json() == {
            "data": {"__typename": "Query"}
        }
    async with asking(app_over(database, max_variable_values=count - 1)) as http:
        (error,) = (await post(http, "{ __typename }", variables=variables)).json()["errors"]
    assert error == {
        "message": f"The variables hold {count} values; at most {count - 1} are allowed.",
        "extensions": {"code": "QUERY_TOO_COMPLEX"},
    }


async def test_a_mutation_over_a_limit_writes_nothing(database: Database, blog: Blog) -> None:
    await blog.post(await blog.user("ada"))
    record = 'recordPostView(input: {id: "UG9zdDox"}) { errors { code } }'
    query = f"mutation {{ a: {record} b: {record} }}"
    async with asking(app_over(database, max_aliases=1)) as http:
        response = await post(http, query)
        assert "data" not in response.json()
        answer = await post(http, "{ posts { nodes { viewCount } } }")
    assert answer.json()["data"]["posts"]["nodes"] == [{"viewCount": 0}]
    assert await count_rows(database, Post) == 1


@pytest.mark.parametrize("document", ["{a" * 2_000, "{a(b:" + "[" * 4_000, "{a(b:" + "{c:" * 1_000])
async def test_a_document_nested_without_end_is_refused(database: Database, document: str) -> None:
    async with asking(app_over(database)) as http:
        response = await post(http, document)
    (error,) = response.json()["errors"]
    assert error["message"] == ("Syntax Error: Document is nested too deeply. Parsing aborted.")
    assert error["extensions"] == {"code": "GRAPHQL_PARSE_FAILED"}


@pytest.mark.parametrize("depth", [16, 90])
async def test_a_document_too_deep_is_refused(database: Database, depth: int) -> None:
    async with asking(app_over(database)) as http:
        response = await post(http, "{a" * depth + "}" * depth)
    (error,) = response.json()["errors"]
    assert error["message"] == f"The operation is {depth} fields deep; at most 15 are allowed."


async def test_variables_size_pages_too(database: Database) -> None:
    query = "query ($n: Int) { posts(first: $n) { nodes { title } } }"
    async with asking(app_over(database, max_nodes=50)) as http:
        assert "errors" not in (await post(http, query, variables={"n": 50})).json()
        refused = (await post(http, query, variables={"n": 51})).json()
    assert refused["errors"][0]["message"] == (
        "The operation asks for 51 nodes; at most 50 are allowed."
    )


RATE_LIMIT = "{ rateLimit { limit remaining cost } posts(first: 100) { nodes { title } } }"


async def test_without_a_limit_there_is_no_budget(database: Database) -> None:
    async with asking(app_over(database)) as http:
        response = await post(http, RATE_LIMIT)
    assert response.json()["data"]["rateLimit"] is None
    assert [name for name in response.headers if name.startswith("ratelimit")] == []


async def test_every_operation_spends_its_cost(database: Database) -> None:
    async with asking(app_over(database, rate_limit=5)) as http:
        cheap = await post(http, "{ rateLimit { limit remaining cost resetAt } }")
        dear = await post(http, RATE_LIMIT.replace("first: 100", "first: 20") + " # same")
        wide = await post(http, "{ tags { nodes { posts(first: 5) { nodes { title } } } } }")
    data = cheap.json()["data"]["rateLimit"]
    assert data.pop("resetAt").endswith("Z")
    assert data == {"limit": 5, "remaining": 4, "cost": 1}
    assert dear.json()["data"]["rateLimit"] == {"limit": 5, "remaining": 3, "cost": 1}
    # 20 tags and 100 posts.
    assert wide.headers["RateLimit-Limit"] == "5"
    assert wide.headers["RateLimit-Remaining"] == "1"
    assert 1 <= int(wide.headers["RateLimit-Reset"]) <= 60


@pytest.mark.parametrize(
    "spender", ["{", "{ nothing }", "query A { a } { b }", "{ posts(first: -1) { totalCount } }"]
)
async def test_a_refused_operation_spends_too(database: Database, spender: str) -> None:
    async with asking(app_over(database, rate_limit=5)) as http:
        response = await post(http, spender)
    assert "errors" in response.json()
    assert response.headers["RateLimit-Remaining"] == "4"


async def test_who_has_spent_it_all_waits(database: Database, blog: Blog) -> None:
    await blog.post(await blog.user("ada"))
    async with asking(app_over(database, rate_limit=2)) as http:
        await post(http, "{ __typename }")
        await post(http, "{ __typename }")
        with recorded_statements(database) as statements:
            refused = await post(http, QUERY)
    seconds = int(refused.headers["Retry-After"])
    assert refused.status_code == 429
    assert refused.json() == {
        "errors": [
            {
                "message": f"The operation costs 1, and 0 of 2 are left: try again in {seconds} s.",
                "extensions": {"code": "RATE_LIMITED", "retryAfter": seconds},
            }
        ],
    }
    assert refused.headers["RateLimit-Remaining"] == "0"
    assert 1 <= seconds <= 60
    assert statements == []


async def test_more_than_the_whole_budget_is_never_enough(database: Database) -> None:
    async with asking(app_over(database, rate_limit=1)) as http:
        refused = await post(http, "{ tags { nodes { posts(first: 5) { nodes { title } } } } }")
    assert refused.json()["errors"][0]["message"] == (
        "The operation costs 2, and no more than 1 may be spent in a minute: ask for less at once."
    )
    assert refused.headers["RateLimit-Remaining"] == "1"


async def test_fields_that_overlap_too_often_are_refused(database: Database) -> None:
    query = "{ posts { " + "nodes{title slug id}" * 100 + " } }"
    async with asking(app_over(database)) as http:
        with recorded_statements(database) as statements:
            response = await post(http, query)
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "QUERY_TOO_COMPLEX"}
    assert error["message"].startswith("Fields that overlap take more than ")
    assert statements == []
