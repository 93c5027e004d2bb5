"""The status that HTTP gets beside an operation's answer."""

from __future__ import annotations

from typing import Any

import pytest

from blog_graphql.api.node import encode_id
from blog_graphql.db.database import Database
from blog_graphql.db.models import Post
from tests.support.apps import app_over, asking
from tests.support.blog import Blog

pytestmark = pytest.mark.parametrize("backend", ["memory"], indirect=True)

LOGIN = 'login(input: {identifier: "nobody", password: "x"}) { errors { code } }'
SIGN_UP = 'createUser(input: {username: "%s", email: "%s@blog.example", password: "12345678"})'


async def send(database: Database, *queries: str, **settings: Any) -> Any:
    """The response to the last one of several operations."""
    async with asking(app_over(database, **settings)) as http:
        for query in queries:
            response = await http.post("/graphql", json={"query": query})
    return response


async def test_an_attempt_too_many_to_sign_in(database: Database) -> None:
    query = f"mutation {{ {LOGIN} }}"
    refused = await send(database, query, query, login_rate_limit="1/hour")
    seconds = int(refused.headers["Retry-After"])
    assert refused.status_code == 429
    assert refused.json() == {
        "data": {"login": None},
        "errors": [
            {
                "message": f"Too many attempts to sign in: try again in {seconds} s.",
                "locations": [{"line": 1, "column": 12}],
                "path": ["login"],
                "extensions": {"code": "RATE_LIMITED", "retryAfter": seconds},
            }
        ],
    }
    assert 3_590 <= seconds <= 3_600


async def test_attempts_count_and_not_requests(database: Database) -> None:
    fields = " ".join(f"a{number}: {LOGIN}" for number in range(3))
    response = await send(database, f"mutation {{ {fields} }}", login_rate_limit="2/minute")
    refused = {"errors": [{"code": "INVALID_CREDENTIALS"}]}
    assert response.json()["data"] == {"a0": refused, "a1": refused, "a2": None}
    # Something was answered, and a client that only sees the status would lose it.
    assert response.status_code == 200


async def test_an_attempt_too_many_to_sign_up(database: Database) -> None:
    queries = [f"mutation {{ {SIGN_UP % (n, n)} {{ user {{ id }} }} }}" for n in ("ann", "ben")]
    refused = await send(database, *queries, login_rate_limit="1/minute")
    assert refused.status_code == 429
    (error,) = refused.json()["errors"]
    assert error["message"].startswith("Too many attempts to sign up: try again in ")


@pytest.mark.parametrize(
    "query",
    [
        "mutation { deletePost(input: {id: 1}) { deletedId } }",
        "mutation { logout(input: {}) { errors { code } } }",
        "{ posts(first: -1) { totalCount } }",
        "{ nothing }",
    ],
)
async def test_a_refused_field_is_no_refused_request(database: Database, query: str) -> None:
    response = await send(database, query)
    assert response.status_code == 200
    assert len(response.json()["errors"]) == 1
    assert "WWW-Authenticate" not in response.headers


@pytest.mark.parametrize(
    ("served", "status", "data"),
    [
        (0, 503, {"a": None, "b": None}),
        (1, 200, {"a": {"post": {"viewCount": 1}}, "b": None}),
    ],
    ids=["nothing", "something"],
)
async def test_what_was_answered_before_the_database_was_lost_is_no_503(
    database: Database,
    blog: Blog,
    monkeypatch: pytest.MonkeyPatch,
    served: int,
    status: int,
    data: Any,
) -> None:
    """A client that only sees a 503 would try the whole again, and write again."""
    key = await blog.post(await blog.user("ada"))
    view = f'recordPostView(input: {{id: "{encode_id("Post", key)}"}}) {{ post {{ viewCount }} }}'
    transactions = [database.transaction() for _ in range(served)]

    def transaction() -> Any:
        if not transactions:
            raise ConnectionRefusedError
        return transactions.pop()

    with monkeypatch.context() as patch:
        patch.setattr(database, "transaction", transaction)
        response = await send(database, f"mutation {{ a: {view} b: {view} }}")
    assert response.status_code == status
    assert response.json()["data"] == data
    assert {error["extensions"]["code"] for error in response.json()["errors"]} == {
        "SERVICE_UNAVAILABLE"
    }
    async with database.transaction() as session:
        assert (await session.get_one(Post, key)).view_count == served


async def test_a_forged_address_is_no_way_around_the_throttle(database: Database) -> None:
    app = app_over(database, login_rate_limit="1/minute")
    async with asking(app) as http:
        statuses = [
            (
                await http.post(
                    "/graphql",
                    json={"query": f"mutation {{ {LOGIN} }}"},
                    headers={"X-Forwarded-For": f"10.0.0.{number}", "Forwarded": "for=10.9.9.9"},
                )
            ).status_code
            for number in range(2)
        ]
    assert statuses == [200, 429]


async def test_behind_a_trusted_proxy_each_client_has_an_address(database: Database) -> None:
    app = app_over(database, login_rate_limit="1/minute", trusted_proxies=("127.0.0.1",))
    async with asking(app) as http:
        statuses = [
            (
                await http.post(
                    "/graphql",
                    json={"query": f"mutation {{ {LOGIN} }}"},
                    headers={"X-Forwarded-For": address},
                )
            ).status_code
            for address in ("10.0.0.1", "10.0.0.2", "10.0.0.1", "6.6.6.6, 10.0.0.2")
        ]
    assert statuses == [200, 200, 429, 429]


async def test_nobody_locks_an_admin_out_from_elsewhere(database: Database) -> None:
    app = app_over(database, login_rate_limit="2/minute", trusted_proxies=("127.0.0.1",))

    async def attempt(address: str) -> int:
        response = await http.post(
            "/graphql",
            json={"query": f"mutation {{ {LOGIN} }}"},
            headers={"X-Forwarded-For": address},
        )
        return response.status_code

    async with asking(app) as http:
        assert [await attempt("10.0.0.66") for _ in range(5)] == [200, 200, 429, 429, 429]
        assert await attempt("10.0.0.1") == 200
