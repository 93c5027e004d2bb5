"""Which kind of answer a client gets by its ``Accept`` header."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from blog_graphql.db.database import Database
from tests.support.apps import app_over, asking

pytestmark = pytest.mark.parametrize("backend", ["memory"], indirect=True)

JSON = "application/json; charset=utf-8"
RESPONSE = "application/graphql-response+json; charset=utf-8"
EVENTS = "text/event-stream; charset=utf-8"
MULTIPART = "multipart/mixed; boundary=graphql; subscriptionSpec=1.0"

# As these clients ship.
URQL = (
    "application/graphql-response+json, application/graphql+json, application/json, "
    "text/event-stream, multipart/mixed"
)
URQL_SUBSCRIPTION = "text/event-stream, multipart/mixed"
APOLLO = "application/graphql-response+json,application/json;q=0.9"
APOLLO_DEFER = f"multipart/mixed;deferSpec=20220824,{APOLLO}"
APOLLO_SUBSCRIPTION = f"multipart/mixed;boundary=graphql;subscriptionSpec=1.0,{APOLLO}"
RELAY_SUBSCRIPTION = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"

QUERY = {"query": "{ __typename }"}
SUBSCRIPTION = {"query": "subscription { postPublished { title } }"}
INVALID = {"query": "{ nothing }"}
USING_VARIABLE = "query ($a: Int!) { posts(first: $a) { totalCount } }"
HOW_TO_SUBSCRIBE = (
    "A subscription is answered event by event: send it over a WebSocket with the subprotocol "
    "graphql-transport-ws, or with Accept: text/event-stream, or with "
    'Accept: multipart/mixed;subscriptionSpec="1.0".'
)


@pytest.fixture
async def http(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with asking(app_over(database)) as http:
        yield http


async def send(http: httpx.AsyncClient, accept: str | None, body: dict[str, Any]) -> httpx.Response:
    request = http.build_request("POST", "/graphql", json=body)
    del request.headers["Accept"]
    if accept is not None:
        request.headers["Accept"] = accept
    return await http.send(request)


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        ("Application/JSON", JSON),
        ("application/json; charset=utf-8", JSON),
        ('application/json;charset="UTF-8"', JSON),
        ("application/graphql-response+json", RESPONSE),
        ("APPLICATION/GraphQL-Response+JSON;Charset=utf8", RESPONSE),
        (URQL, RESPONSE),
        (APOLLO, RESPONSE),
        (APOLLO_DEFER, RESPONSE),
        (BROWSER, JSON),
        ("application/json, application/graphql-response+json", JSON),
        ("application/json;q=0.5, application/graphql-response+json;q=0.6", RESPONSE),
        ("application/json;q=0.5, */*;q=0.1", JSON),
        ("application/graphql-response+json, */*", RESPONSE),
        ("application/json;q=0, */*", RESPONSE),
        ("application/json;q=0.000, application/*;q=0.5", RESPONSE),
        ("application/json;q=high", JSON),
        ("text/html, application/json", JSON),
        ("application/json, text/event-stream", JSON),
        ("application/json;q=0.5, text/event-stream;q=0.5", JSON),
        ("text/event-stream;q=0.5, application/json", JSON),
        ("text/event-stream;q=0, */*", JSON),
        ("multipart/mixed, application/json", JSON),
        ('image/png;note="a,b;q=1", application/json', JSON),
        (',, ;, "open, application/json', None),
        ("text/event-stream", EVENTS),
        ("Text/Event-Stream", EVENTS),
        ("text/event-stream, */*", EVENTS),
        ("text/event-stream, application/json;q=0.5", EVENTS),
        ("text/event-stream, application/json", EVENTS),
        (URQL_SUBSCRIPTION, EVENTS),
        ("multipart/mixed;subscriptionSpec=1.0", MULTIPART),
        ('multipart/mixed;subscriptionspec="1.0";boundary="graphql"', MULTIPART),
        (RELAY_SUBSCRIPTION, MULTIPART),
        ("image/png", None),
        ("text/*", None),
        ("text/html", None),
        ("multipart/mixed", None),
        ("multipart/mixed;subscriptionSpec=2.0", None),
        ("application/json;charset=utf-16", None),
        ("application/json;q=0", None),
        ("nothing", None),
    ],
)
async def test_a_query(http: httpx.AsyncClient, accept: str | None, content_type: Any) -> None:
    response = await send(http, accept, QUERY)
    if content_type is None:
        assert response.status_code == 406
        assert response.headers["content-type"] == JSON
        (error,) = response.json()["errors"]
        assert error == {
            "message": "Accept application/graphql-response+json, application/json or "
            "text/event-stream.",
            "extensions": {"code": "BAD_USER_INPUT"},
        }
    else:
        assert response.status_code == 200
        assert response.headers["content-type"] == content_type
        assert '{"data":{"__typename":"Query"}}' in response.text
    assert response.headers["vary"] == "Accept"


async def test_what_is_not_acceptable_is_not_run(http: httpx.AsyncClient) -> None:
    sign_up = 'createUser(input: {username: "ann", email: "a@b.example", password: "12345678"})'
    mutation = {"query": f"mutation {{ {sign_up} {{ user {{ id }} }} }}"}
    assert (await send(http, "image/png", mutation)).status_code == 406
    users = await send(http, None, {"query": "{ users { totalCount } }"})
    assert users.json() == {"data": {"users": {"totalCount": 0}}}


async def test_the_header_may_come_in_parts(http: httpx.AsyncClient) -> None:
    headers = [("Accept", "image/png"), ("Accept", "application/graphql-response+json")]
    request = http.build_request("POST", "/graphql", json=QUERY)
    del request.headers["Accept"]
    request.headers = httpx.Headers([*request.headers.multi_items(), *headers])
    response = await http.send(request)
    assert response.headers["content-type"] == RESPONSE


async def test_a_header_of_any_length_is_read(http: httpx.AsyncClient) -> None:
    assert (await send(http, "a/b;q=1, " * 40 + "application/json", QUERY)).status_code == 200
    assert (await send(http, "a/b, " * 10_000 + "application/json", QUERY)).status_code == 406
    assert (await send(http, 'a/b;c="' + "\\" * 50_000, QUERY)).status_code == 406


@pytest.mark.parametrize(
    ("accept", "status", "content_type"),
    [
        (None, 200, JSON),
        ("*/*", 200, JSON),
        ("application/json", 200, JSON),
        ("application/graphql-response+json", 400, RESPONSE),
        (APOLLO, 400, RESPONSE),
        ("application/json, multipart/mixed", 200, JSON),
    ],
)
async def test_a_subscription_without_a_stream_is_told_how(
    http: httpx.AsyncClient, accept: str | None, status: int, content_type: str
) -> None:
    for response in (
        await send(http, accept, SUBSCRIPTION),
        await http.get("/graphql", params=SUBSCRIPTION, headers={"Accept": accept or ""}),
    ):
        assert response.status_code == status
        assert response.headers["content-type"] == content_type
        assert response.json() == {
            "errors": [{"message": HOW_TO_SUBSCRIBE, "extensions": {"code": "BAD_USER_INPUT"}}]
        }


@pytest.mark.parametrize(
    ("accept", "status", "content_type"),
    [
        (None, 200, JSON),
        ("application/json", 200, JSON),
        (URQL, 400, RESPONSE),
        (APOLLO, 400, RESPONSE),
        ("application/json, text/event-stream", 200, JSON),
        ("text/event-stream", 200, EVENTS),
        (URQL_SUBSCRIPTION, 200, EVENTS),
        (APOLLO_SUBSCRIPTION, 200, MULTIPART),
        (RELAY_SUBSCRIPTION, 200, MULTIPART),
    ],
)
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (INVALID, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": USING_VARIABLE, "variables": {"a": "x"}}, "BAD_USER_INPUT"),
        ({"query": "query a { __typename } query b { __typename }"}, "BAD_USER_INPUT"),
        ({"query": "{ __typename }", "operationName": "a"}, "BAD_USER_INPUT"),
        ({"query": "fragment a on Query { __typename }"}, "BAD_USER_INPUT"),
        ({"query": "subscription { postChanged(id: 5) { title } }"}, None),
    ],
    ids=["validation", "syntax", "variables", "two", "name", "none", "subscription"],
)
async def test_what_never_ran_has_no_data(
    http: httpx.AsyncClient,
    accept: str | None,
    status: int,
    content_type: str,
    body: dict[str, Any],
    code: str | None,
) -> None:
    response = await send(http, accept, body)
    assert (response.status_code, response.headers["content-type"]) == (status, content_type)
    assert '"errors":[{"message":' in response.text
    assert '"data"' not in response.text
    assert code is None or f'"extensions":{{"code":"{code}"}}' in response.text


async def test_which_of_two_operations_runs_has_to_be_said(http: httpx.AsyncClient) -> None:
    body = {"query": "query a { __typename } query b { __typename }"}
    for response in (await send(http, None, body), await http.get("/graphql", params=body)):
        assert response.json() == {
            "errors": [
                {
                    "message": "The document has 2 operations: say in operationName which one "
                    "runs.",
                    "extensions": {"code": "BAD_USER_INPUT"},
                }
            ]
        }
    chosen = {**body, "operationName": "b"}
    for response in (await send(http, None, chosen), await http.get("/graphql", params=chosen)):
        assert response.json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("accept", [APOLLO, "application/json", "text/event-stream"])
async def test_an_error_of_a_field_is_a_success(http: httpx.AsyncClient, accept: str) -> None:
    mutation = {"query": "mutation { deletePost(input: {id: 1}) { deletedId } }"}
    response = await send(http, accept, mutation)
    assert response.status_code == 200
    assert '"data":{"deletePost":null}' in response.text
    assert '"code":"UNAUTHENTICATED"' in response.text


@pytest.mark.parametrize(
    ("accept", "status"), [(APOLLO, 401), ("application/json", 401), ("text/event-stream", 200)]
)
async def test_a_bad_token(http: httpx.AsyncClient, accept: str, status: int) -> None:
    headers = {"Accept": accept, "Authorization": "Bearer nonsense"}
    response = await http.post("/graphql", json=QUERY, headers=headers)
    assert response.status_code == status
    assert '"code":"UNAUTHENTICATED"' in response.text
    assert '"data"' not in response.text


@pytest.mark.parametrize("accept", [APOLLO, "text/event-stream", RELAY_SUBSCRIPTION])
async def test_over_the_limit_a_client_is_told_when_to_try_again(
    database: Database, accept: str
) -> None:
    async with asking(app_over(database, rate_limit=1)) as http:
        served = await send(http, accept, QUERY)
        refused = await send(http, accept, QUERY)
    assert (served.status_code, refused.status_code) == (200, 429)
    assert served.headers["ratelimit-remaining"] == refused.headers["ratelimit-remaining"] == "0"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["content-type"] == served.headers["content-type"]
    assert '"code":"RATE_LIMITED"' in refused.text


async def test_data_is_always_a_success_under_its_own_media_type(database: Database) -> None:
    login = 'login(input: {identifier: "nobody", password: "x"}) { errors { code } }'
    body = {"query": f"mutation {{ {login} }}"}
    async with asking(app_over(database, login_rate_limit="1/hour")) as http:
        await send(http, APOLLO, body)
        responses = [await send(http, accept, body) for accept in (APOLLO, "application/json")]
    for response in responses:
        assert response.json()["data"] == {"login": None}
        assert response.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert [response.status_code for response in responses] == [200, 429]


async def test_a_refused_request_is_answered_as_accepted(http: httpx.AsyncClient) -> None:
    headers = {"Accept": APOLLO, "Content-Type": "application/json"}
    response = await http.post("/graphql", content=b"{", headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (400, RESPONSE)
    headers["Accept"] = "text/event-stream"
    response = await http.post("/graphql", content=b"{", headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (400, JSON)


@pytest.mark.parametrize(
    ("accept", "is_page"),
    [
        (BROWSER, True),
        ("text/html", True),
        ("TEXT/HTML, */*", True),
        ("text/html;q=0.5, application/json", False),
        ("application/json, text/html", False),
        ("*/*", False),
        ("text/html;q=0, */*", False),
        (None, False),
    ],
)
async def test_a_page_is_for_who_asks_for_it(
    http: httpx.AsyncClient, accept: str | None, is_page: bool
) -> None:
    response = await http.get("/graphql", headers={"Accept": accept or ""})
    assert response.headers["content-type"] == ("text/html; charset=utf-8" if is_page else JSON)
    assert response.status_code == (200 if is_page else 400)
    query = await http.get("/graphql", params=QUERY, headers={"Accept": accept or ""})
    assert query.status_code == (406 if accept == "text/html" else 200)
