"""Relay's object identification: global IDs, ``node`` and ``nodes``."""

from __future__ import annotations

import base64
import binascii
import re
from asyncio import gather
from typing import Annotated, Any

import strawberry

from blog_graphql.api.context import Context, Info
from blog_graphql.errors import BadUserInput

_MOST_IDS = 100
_DECODED = re.compile(r"([A-Za-z]{1,50}):([1-9]\d{0,9})", re.ASCII)
_LARGEST_KEY = 2**31 - 1


def encode_id(type_name: str, key: int) -> strawberry.ID:
    """The global ID of an object: the base64 of ``Type:key``."""
    return strawberry.ID(base64.b64encode(f"{type_name}:{key}".encode()).decode())


def decode_id(global_id: str) -> tuple[str, int] | None:
    """The type and key in a global ID, or None where it is malformed."""
    try:
        decoded = base64.b64decode(global_id, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    match = _DECODED.fullmatch(decoded)
    if match is None or int(match[2]) > _LARGEST_KEY:
        return None
    return match[1], int(match[2])


def key_of(global_id: str, type_name: str) -> int:
    """The key in a global ID of the given type; 0, which nothing has, for any other text."""
    return decode_key(global_id, type_name) or 0


def decode_key(global_id: str, type_name: str) -> int | None:
    """The key in a global ID of the given type, or None for any other text."""
    match decode_id(global_id):
        case (found, key) if found == type_name:
            return key
        case _:
            return None


@strawberry.interface(description="An object that can be fetched again by its global ID.")
class Node:
    """Relay's Node interface."""

    id: strawberry.ID = strawberry.field(
        description="The object's global ID: opaque, and unique among all objects."
    )


async def load_node(context: Context, global_id: str) -> Any:
    """The row that a global ID names, or None for an unknown, malformed or hidden one."""
    loaders = context.loaders
    match decode_id(global_id):
        case ("User", key):
            return await loaders.user_by_id.load(key)
        case ("Post", key):
            return await loaders.post_by_id.load(key)
        case ("Tag", key):
            return await loaders.tag_by_id.load(key)
        case _:
            return None


@strawberry.type
class NodeQuery:
    """The fields by which Relay refetches objects."""

    @strawberry.field(
        description="Any object by its global ID; null for an unknown, malformed or hidden one."
    )
    async def node(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="A global ID.")],  # noqa: A002 - Relay's name for it
    ) -> Node | None:
        """Load one node."""
        return await load_node(info.context, id)

    @strawberry.field(
        description="Objects by their global IDs, in the order asked; null in the place of an "
        "unknown, malformed or hidden one."
    )
    async def nodes(
        self,
        info: Info,
        ids: Annotated[
            list[strawberry.ID],
            strawberry.argument(description=f"At most {_MOST_IDS} global IDs."),
        ],
    ) -> list[Node | None]:
        """Load many nodes."""
        if len(ids) > _MOST_IDS:
            raise BadUserInput(f"nodes takes at most {_MOST_IDS} ids; {len(ids)} were given.")
        return await gather(*[load_node(info.context, one) for one in ids])
