"""The schema is what clients were promised, and its own manual."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    build_schema,
    find_breaking_changes,
    get_introspection_query,
)

from blog_graphql.schema import print_schema
from tests.support.client import Client

SCHEMA = build_schema(print_schema())
TYPES = [type_ for name, type_ in SCHEMA.type_map.items() if not name.startswith("__")]
ROOT = Path(__file__).parents[2]


def test_promises_are_kept() -> None:
    promised = build_schema((ROOT / "tests/data/promised.graphql").read_text(encoding="utf-8"))
    assert find_breaking_changes(promised, SCHEMA) == []


def test_the_file_in_the_repository_is_current() -> None:
    assert (ROOT / "schema.graphql").read_text(encoding="utf-8") == print_schema()


def test_only_one_of_takes_exactly_one() -> None:
    one_of = [t.name for t in TYPES if isinstance(t, GraphQLInputObjectType) and t.is_one_of]
    assert one_of == ["PostBy", "TagBy", "UserBy"]


def test_everything_is_described() -> None:
    bare = [type_.name for type_ in TYPES if not _is_builtin(type_) and not type_.description]
    for type_ in TYPES:
        for name, field in _fields(type_).items():
            if not field.description:
                bare.append(f"{type_.name}.{name}")
            for argument_name, argument in getattr(field, "args", {}).items():
                if not argument.description:
                    bare.append(f"{type_.name}.{name}({argument_name})")
    assert bare == []


async def test_introspection_as_clients_send_it(client: Client) -> None:
    data = await client.execute(get_introspection_query(input_value_deprecation=True))
    assert {type_["name"] for type_ in data["__schema"]["types"]} >= {t.name for t in TYPES}


def _is_builtin(type_: GraphQLNamedType) -> bool:
    return type_.name in {"Boolean", "Float", "ID", "Int", "String"}


def _fields(type_: GraphQLNamedType) -> dict[str, Any]:
    match type_:
        case GraphQLObjectType() | GraphQLInterfaceType() | GraphQLInputObjectType():
            return dict(type_.fields)
        case GraphQLEnumType():
            return dict(type_.values)
        case _:
            return {}
