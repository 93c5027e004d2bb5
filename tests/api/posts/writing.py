"""The mutations of posts, as the tests send them."""

from __future__ import annotations

from typing import Any

from blog_graphql.api.node import encode_id
from blog_graphql.db.models import UserRole
from blog_graphql.db.visibility import ANONYMOUS, Viewer
from tests.support.client import Client

_MUTATION = """
  mutation ($input: %s!) {
    %s(input: $input) {
      post { databaseId slug title content isPublished publishedAt viewCount version createdAt
        updatedAt author { username } tags { name } }
      errors { message code field }
    }
  }
"""
_INPUTS = {
    "createPost": "CreatePostInput",
    "updatePost": "UpdatePostInput",
    "addTagToPost": "TagPostInput",
    "removeTagFromPost": "TagPostInput",
    "recordPostView": "RecordPostViewInput",
}


def author(key: int) -> Viewer:
    return Viewer(key, UserRole.AUTHOR)


def editor(key: int) -> Viewer:
    return Viewer(key, UserRole.EDITOR)


async def send(
    client: Client, mutation: str, viewer: Viewer = ANONYMOUS, **values: Any
) -> dict[str, Any]:
    """A mutation's payload."""
    query = _MUTATION % (_INPUTS[mutation], mutation)
    payload: dict[str, Any] = (await client.execute(query, {"input": values}, viewer))[mutation]
    return payload


async def written(
    client: Client, mutation: str, viewer: Viewer = ANONYMOUS, **values: Any
) -> dict[str, Any]:
    """The post of a mutation that must succeed."""
    payload = await send(client, mutation, viewer, **values)
    assert payload["errors"] == []
    post: dict[str, Any] = payload["post"]
    return post


async def problems(
    client: Client, mutation: str, viewer: Viewer = ANONYMOUS, **values: Any
) -> list[tuple[str, list[str] | None]]:
    """The code and place of each problem of a mutation that must be refused."""
    payload = await send(client, mutation, viewer, **values)
    assert payload["post"] is None
    return [(error["code"], error["field"]) for error in payload["errors"]]


async def refusal(
    client: Client, mutation: str, viewer: Viewer = ANONYMOUS, **values: Any
) -> tuple[str, str]:
    """The code and message of the top-level error of a mutation."""
    query = _MUTATION % (_INPUTS[mutation], mutation)
    return await client.refused(query, {"input": values}, viewer)


def post_id(key: int) -> str:
    return encode_id("Post", key)
