"""Nodes and cost: page sizes multiplied down the tree."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)

from blog_graphql.api.limits import Measure
from blog_graphql.api.limits.sizes import MOST_ITEMS
from tests.api.limits.checking import BOUNDLESS, SCHEMA, measure, refusal

SPREAD = """
{ a: posts(first: 5) { ...F } b: posts(first: 7) { ...F ... { ...F } } }
fragment F on PostConnection { nodes { ...G } pageInfo { ...H } }
fragment G on Post { author { id } }
fragment H on PageInfo { endCursor }
"""
INLINE = """
{ ... on Query { ... { viewer { ... on Node { id } ... on User {
  posts(first: 3) { ... on PostConnection { nodes { id } } }
} } } } }
"""
PAGES = "{ users(first: 10) { nodes { posts(first: 5) { nodes { tags { id } } } } } }"
EDGES = """
{ users(first: 10) { edges { node { posts(last: 5) { edges { node { author { id } } } } } } } }
"""

COUNTED = [
    ("{ __typename }", 0),
    ("{ stats { users posts } }", 0),
    ("{ rateLimit { cost } viewer { id } }", 1),
    ('{ post(by: {id: "x"}) { author { id } tags { id } } }', 1 + 1 + 30),
    ('{ node(id: "x") { ... on User { id } ... on Post { author { id } } } }', 2),
    # Pages
    ("{ posts { nodes { id } } }", 20),
    ("{ posts(first: 5) { nodes { id } } }", 5),
    ("{ posts(last: 7) { nodes { id } } }", 7),
    ("{ posts(first: 5, last: 7) { nodes { id } } }", 7),
    ("{ posts(first: null) { nodes { id } } }", 20),
    ("{ posts(first: 0) { nodes { author { id } } } }", 0),
    ("{ posts(first: -5) { nodes { id } } }", 0),
    ("{ posts(first: 101) { nodes { id } } }", 100),
    ("{ posts(first: " + "9" * 9000 + ") { nodes { id } } }", 100),
    ("{ posts(first: -" + "9" * 9000 + ") { nodes { id } } }", 0),
    ('{ posts(first: "5", offset: 3) { nodes { id } } }', 20),
    ("{ posts(first: 5) { edges { cursor } } }", 5),
    ("{ posts(first: 5) { edges { node { id } } } }", 5),
    ("{ posts(first: 5) { nodes { id } edges { node { author { id } } } } }", 5 + 5 + 5),
    ("{ posts(first: 5) { totalCount pageInfo { endCursor } } }", 0),
    (PAGES, 10 + 10 * 5 + 10 * 5 * 30),
    (EDGES, 10 + 10 * 5 + 10 * 5),
    # Lists
    ('{ nodes(ids: ["a", "b", "c"]) { id ... on Post { tags { id } } } }', 3 + 3 * 30),
    ("{ nodes(ids: []) { id } }", 0),
    ('{ nodes(ids: "a") { id } }', 100),
    ("{ nodes(ids: [" + "1 " * 101 + "]) { id } }", 100),
    ("{ stats { usersByRole { count } } }", 3),
    ("{ stats { postsByMonth { count } } }", 12),
    ("{ stats { postsByMonth(last: 120) { count } } }", 120),
    ("{ stats { postsByMonth(last: 121) { count } } }", 120),
    ("{ stats { topTags { tag { posts(first: 2) { nodes { id } } } } } }", 10 + 10 + 10 * 2),
    ("{ stats { topTags(first: 3) { count } } }", 3),
    # Mutations
    ("mutation { createPost(input: {}) { post { tags { id } } errors { message } } }", 1 + 30 + 30),
    ("mutation { deletePost(input: {}) { deletedId } }", 0),
    ("mutation { bulkCreateUsers(input: {}) { users { id } errors { code } } }", 1000 + 1000),
    # Fragments
    (SPREAD, 5 * 2 + 2 * 7 * 2),
    (INLINE, 1 + 3),
    # What runs of several
    ("query A { viewer { id } } query B { posts(first: 9) { nodes { id } } } query A { a }", 9),
]


@pytest.mark.parametrize(("source", "nodes"), COUNTED)
def test_nodes_are_counted(source: str, nodes: int) -> None:
    assert measure(source).nodes == nodes
    measure(source, limits=BOUNDLESS, max_nodes=nodes)
    if nodes:
        assert refusal(source, BOUNDLESS, max_nodes=nodes - 1) == (
            f"The operation asks for {nodes} nodes; at most {nodes - 1} are allowed."
        )


PAGE = """
query ($first: Int = 7) { posts(first: $first) { ...F } }
fragment F on PostConnection { nodes { id } }
"""


@pytest.mark.parametrize(
    ("variables", "nodes"),
    [
        (None, 7),
        ({}, 7),
        ({"first": 5}, 5),
        ({"first": 5.0}, 5),
        ({"first": 1e300}, 100),
        ({"first": 5.5}, 20),
        ({"first": None}, 20),
        ({"first": "5"}, 20),
        ({"first": True}, 20),
        ({"first": {}}, 20),
        ({"first": float("inf")}, 20),
        ({"first": -1}, 0),
        ({"first": 1000}, 100),
        ({"last": 5}, 7),
    ],
)
def test_page_sizes_come_in_variables(variables: dict[str, Any] | None, nodes: int) -> None:
    assert measure(PAGE, variables).nodes == nodes


def test_a_variable_may_be_without_default_or_definition() -> None:
    for definition in ("($first: Int)", "($first: Int = null)", ""):
        source = f"query A{definition} {{ posts(first: $first) {{ nodes {{ id }} }} }}"
        assert measure(source).nodes == 20
        assert measure(source, {"first": 3}).nodes == 3


def test_ids_come_in_variables() -> None:
    source = 'query ($ids: [ID!]! = ["a", "b"]) { nodes(ids: $ids) { id } }'
    assert measure(source).nodes == 2
    assert measure(source, {"ids": ["a", "b", "c"]}).nodes == 3
    assert measure(source, {"ids": ["a"] * 101}).nodes == 100


SEVERAL = """
query Small { viewer { id } }
query Large { posts(first: 50) { nodes { tags { id } } } }
"""


def test_only_the_operation_that_runs_counts() -> None:
    assert measure(SEVERAL, operation_name="Small", max_nodes=1) == Measure(1)
    assert measure(SEVERAL, operation_name="Large") == Measure(1550)
    for open_ in (None, "", "Unknown"):
        assert measure(SEVERAL, operation_name=open_) == Measure(1550)


def test_every_definition_meets_the_other_limits() -> None:
    assert refusal(SEVERAL, operation_name="Small", max_depth=3) == (
        "The operation is 4 fields deep; at most 3 are allowed."
    )


@pytest.mark.parametrize(
    ("nodes", "cost"), [(0, 1), (1, 1), (100, 1), (101, 2), (200, 2), (500_000, 5000)]
)
def test_a_hundred_nodes_cost_a_unit(nodes: int, cost: int) -> None:
    assert Measure(nodes).cost == cost


def test_every_list_of_objects_has_a_size() -> None:
    unsized, known = set(), {type_.name for type_ in SCHEMA.type_map.values()}
    for type_ in SCHEMA.type_map.values():
        if not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            continue
        for name, field in type_.fields.items():
            coordinate, item = f"{type_.name}.{name}", get_named_type(field.type).name
            known.add(coordinate)
            if (
                is_list_type(get_nullable_type(field.type))
                and is_composite_type(get_named_type(field.type))
                and not type_.name.startswith("__")
                and not type_.name.endswith("Connection")
                and not {coordinate, item} & MOST_ITEMS.keys()
            ):
                unsized.add(coordinate)
    assert unsized == set()
    assert MOST_ITEMS.keys() <= known
