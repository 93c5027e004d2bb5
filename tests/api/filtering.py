"""Running filters, as the tests of filters do."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

from blog_graphql.db.visibility import ANONYMOUS, Viewer
from tests.support.client import Client

NAMES = {"User": "username", "Post": "slug", "Tag": "name"}
Table: TypeAlias = list[tuple[dict[str, Any] | None, list[str]]]


def literal(value: Any) -> str:
    """A value in GraphQL's own notation."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {literal(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    return json.dumps(value)


async def find(
    client: Client, type_name: str, condition: Any, viewer: Viewer = ANONYMOUS
) -> list[str]:
    """The names of what a filter finds, oldest first, be it a literal or a variable."""
    field, name = f"{type_name.lower()}s", NAMES[type_name]
    order = "orderBy: [{field: CREATED_AT}], first: 100"
    selection = f"{{ totalCount nodes {{ {name} }} }}"
    given = await client.execute(
        f"query ($f: {type_name}Filter) {{ {field}(filter: $f, {order}) {selection} }}",
        {"f": condition},
        viewer,
    )
    written = await client.execute(
        f"{{ {field}(filter: {literal(condition)}, {order}) {selection} }}", viewer=viewer
    )
    assert written == given, condition
    names = [node[name] for node in given[field]["nodes"]]
    assert given[field]["totalCount"] == len(names), condition
    return names


async def check(client: Client, type_name: str, table: Table, viewer: Viewer = ANONYMOUS) -> None:
    """Check what every filter of a table finds."""
    for condition, expected in table:
        assert await find(client, type_name, condition, viewer) == expected, condition
