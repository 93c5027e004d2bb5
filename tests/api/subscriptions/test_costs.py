"""What a subscription costs: the memory that it keeps, how large it may be, and its budget."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from fastapi import FastAPI
from websockets.exceptions import ConnectionClosed

from blog_graphql.db.database import Database
from blog_graphql.db.models import UserRole
from blog_graphql.db.visibility import Viewer
from tests.support.apps import app_over
from tests.support.backends import only_memory
from tests.support.blog import Blog
from tests.support.client import Client, connected
from tests.support.sockets import initialised, opened, subscribed

# What is kept, and what is paid for, does not depend on the database.
pytestmark = only_memory

FOLLOW = "subscription { postPublished { title } }"
FOLLOW_TAG = "subscription ($tag: String) { postPublished(tag: $tag) { title } }"
CREATE = """
  mutation ($title: String!, $tags: [String!]!) {
    createPost(input: {title: $title, content: "x", isPublished: true, tags: $tags}) {
      errors { code }
    }
  }
"""
TOO_LARGE = (
    "QUERY_TOO_COMPLEX",
    "A subscription has at most 20,000 characters and 1,000 tokens, its variables included.",
)
# Bytes that a subscription may keep, which is far less than what comes along below.
KEPT = 300_000
# Of 990 tokens.
FIELDS = "title @include(if: true) @skip(if: false) " * 66


class Kept:
    """How much memory is taken since this was made, in bytes."""

    def __init__(self) -> None:
        gc.collect()
        self._before, _ = tracemalloc.get_traced_memory()

    def __int__(self) -> int:
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - self._before


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def subscription(**variables: Any) -> dict[str, Any]:
    return {"query": FOLLOW, "variables": variables}


UNUSED = [
    pytest.param({"text": "x" * 3_000_000}, id="a text"),
    pytest.param({"list": [{}] * 9_990}, id="a list"),
]


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("variables", UNUSED)
async def test_an_idle_socket_keeps_nothing_of_what_only_came_along(
    client: Client, app: FastAPI, variables: dict[str, Any]
) -> None:
    text = json.dumps({"type": "subscribe", "id": "1", "payload": subscription(**variables)})
    async with initialised(client.http) as socket:
        # What is made once.
        await socket.subscribe(FOLLOW, key="0")
        await subscribed(app)
        kept = Kept()
        await socket.send_raw(text)
        await subscribed(app, 2)
        await socket.ping()
        assert int(kept) < KEPT


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("variables", UNUSED)
async def test_an_idle_stream_keeps_nothing_of_what_only_came_along(
    client: Client, app: FastAPI, variables: dict[str, Any]
) -> None:
    headers = {"Accept": "text/event-stream", "Content-Type": "application/json"}
    body = json.dumps(subscription(**variables)).encode()
    first = client.http.build_request("POST", "/graphql", json=subscription(), headers=headers)
    second = client.http.build_request("POST", "/graphql", content=body, headers=headers)
    response = await client.http.send(first, stream=True)
    await subscribed(app)
    kept = Kept()
    other = await client.http.send(second, stream=True)
    await subscribed(app, 2)
    assert int(kept) < KEPT
    await response.aclose()
    await other.aclose()


@pytest.mark.parametrize(
    ("query", "variables", "is_kept"),
    [
        (FOLLOW.replace("title", FIELDS + "title " * 4), {}, True),
        (FOLLOW.replace("title", FIELDS + "title " * 5), {}, False),
        (FOLLOW + "#" + "x" * 19_900, {}, True),
        (FOLLOW + "#" + "x" * 20_000, {}, False),
        (FOLLOW_TAG, {"tag": "x" * 19_800}, True),
        (FOLLOW_TAG, {"tag": "x" * 20_000}, False),
    ],
    ids=["tokens", "too many tokens", "text", "too long", "variables", "too long variables"],
)
async def test_what_is_too_large_to_be_kept_is_refused(
    client: Client, app: FastAPI, query: str, variables: dict[str, Any], is_kept: bool
) -> None:
    async with initialised(client.http) as socket:
        await socket.subscribe(query, variables)
        if is_kept:
            await subscribed(app)
        else:
            assert await socket.refused() == TOO_LARGE
            assert app.state.services.subscriptions.count == 0


async def test_who_follows_a_tag_pays_for_no_other(database: Database, blog: Blog) -> None:
    ada = Viewer(await blog.user("ada"), UserRole.AUTHOR)
    app = app_over(database, rate_limit=4)
    async with connected(app) as client, initialised(client.http) as socket:
        await socket.subscribe(FOLLOW_TAG, {"tag": "rare"})
        await subscribed(app)
        for number in range(3):
            await client.execute(CREATE, {"title": f"P{number}", "tags": ["usual"]}, ada)
        await client.execute(CREATE, {"title": "Last", "tags": ["rare"]}, ada)
        assert await socket.data() == {"postPublished": {"title": "Last"}}


async def test_what_is_too_deep_to_be_sent_back_closes_with_4400(client: Client) -> None:
    """What is read at the last moment cannot be written any more; how deep depends on Python."""
    answers = set()
    for depth in range(880, 1_000, 4):
        async with opened(client.http) as socket:
            payload = '{"a":' * depth + "1" + "}" * depth
            await socket.send_raw(f'{{"type":"ping","payload":{payload}}}')
            with suppress(ConnectionClosed):
                await socket.connection.recv()
                continue
            answers.add(await socket.closed())
    assert answers <= {(4400, "Payloads must not be so deep"), (4400, "Messages must be JSON")}
