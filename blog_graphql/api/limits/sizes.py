"""How many objects the fields of a schema lead to."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)

from blog_graphql.db.pages import DEFAULT_PAGE, LARGEST_PAGE

# The most items that lists other than pages have, by coordinate or by type of item.
MOST_ITEMS = {
    "BlogStats.postsByMonth": 120,
    "BlogStats.topTags": 100,
    "BlogStats.usersByRole": 3,
    "BulkCreateUsersPayload.errors": 1000,
    "BulkCreateUsersPayload.users": 1000,
    "Post.tags": 30,
    "Query.nodes": 100,
    "UserError": 30,
}

# Arguments that tell how many items there are: as a number, or by their own length.
_SIZING = ("first", "last", "ids")


class SizedField(NamedTuple):
    """A field that leads to objects, and how they are counted."""

    type_name: str
    is_node: bool  # its objects count themselves, beside what they lead to
    is_page: bool  # its size is that of the lists inside
    is_in_page: bool  # it counts for each row of the page around it
    sized_by: tuple[str, ...]  # the arguments that tell its size
    default: int  # its size without them
    most: int


@lru_cache(maxsize=4)
def sized_fields(schema: GraphQLSchema) -> dict[str, dict[str, SizedField]]:
    """The fields that lead to objects, by the type they belong to and by name."""
    return {
        type_.name: {
            name: _sized_field(type_.name, name, field)
            for name, field in type_.fields.items()
            if is_composite_type(get_named_type(field.type))
        }
        for type_ in schema.type_map.values()
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
    }


def _sized_field(parent: str, name: str, field: GraphQLField) -> SizedField:
    type_ = get_named_type(field.type)
    is_list = is_list_type(get_nullable_type(field.type))
    is_page = _is_connection(type_.name)
    is_in_page = is_list and _is_connection(parent)
    if is_page:
        most = LARGEST_PAGE
    elif is_list and not is_in_page:
        most = MOST_ITEMS.get(f"{parent}.{name}", MOST_ITEMS.get(type_.name, LARGEST_PAGE))
    else:
        most = 1
    sized_by = tuple(argument for argument in _SIZING if argument in field.args)
    return SizedField(
        type_name=type_.name,
        # An edge, which is an item of a list, stands for its node.
        is_node=is_list or (_is_node(type_) and not parent.endswith("Edge")),
        is_page=is_page,
        is_in_page=is_in_page,
        sized_by=sized_by,
        default=_default(field, sized_by, DEFAULT_PAGE if is_page else most),
        most=most,
    )


def _is_connection(type_name: str) -> bool:
    # https://relay.dev/graphql/connections.htm#sec-Connection-Types reserves the ending.
    return type_name.endswith("Connection")


def _is_node(type_: GraphQLNamedType) -> bool:
    if type_.name == "Node":
        return True
    return isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) and any(
        interface.name == "Node" for interface in type_.interfaces
    )


def _default(field: GraphQLField, sized_by: tuple[str, ...], otherwise: int) -> int:
    declared = (field.args[name].default_value for name in sized_by)
    return next((size for size in declared if isinstance(size, int)), otherwise)
