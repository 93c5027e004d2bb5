"""Introspection: what tools send passes every limit, and little more does."""

from __future__ import annotations

import pytest
from graphql import get_introspection_query, parse, validate

from blog_graphql.api.limits import Measure
from tests.api.limits.checking import SCHEMA, measure, refusal

EVERYTHING = get_introspection_query(
    descriptions=True,
    specified_by_url=True,
    directive_is_repeatable=True,
    schema_description=True,
    input_value_deprecation=True,
    one_of=True,
    type_depth=9,
)


@pytest.mark.parametrize("source", [get_introspection_query(), EVERYTHING])
def test_tools_may_ask_for_the_schema(source: str) -> None:
    assert validate(SCHEMA, parse(source)) == []
    assert measure(source) == Measure(0)
    assert measure(source, max_depth=1, max_nodes=1, max_root_fields=1, max_aliases=0).cost == 1


@pytest.mark.parametrize(
    "source",
    [
        '{ __type(name: "Post") { fields { name args { name type { name ofType { name } } } } } }',
        "{ ...F } fragment F on Query { ... { __schema { types { name } } } viewer { id } }",
        '{ a: __type(name: "Post") { name kind } b: __type(name: "User") { name kind } }',
        "{ __schema { types { fields { type { ofType { fields { name } } } } } } }",
    ],
)
def test_people_may_look_around(source: str) -> None:
    assert validate(SCHEMA, parse(source)) == []
    measure(source, max_depth=2, max_nodes=1)


FIELDS = "{ fields { type " * 5 + "{ name }" + "}}" * 5


@pytest.mark.parametrize(
    "source",
    [
        "{ __schema { types " + FIELDS + " } }",
        "{ ...F } fragment F on Query { ... { __schema { types { ...T } } } }"
        "fragment T on __Type " + FIELDS,
        "{" + "".join(f"a{n}: __schema {{ types {{ name fields {{ name args {{ name }} }} }} }}"
                      for n in range(20)) + "}",
        "{ __schema {" + "".join(f"a{n}: types {{ ...T }}" for n in range(50)) + "} }"
        "fragment T on __Type { name kind description isOneOf specifiedByURL __typename }",
        "{ __schema { ...F5 } } fragment F0 on __Schema { types { fields { name } } }"
        + "".join(f"fragment F{n} on __Schema {{ ...F{n - 1} ...F{n - 1} }}" for n in range(1, 6)),
        "query A { viewer { id } } query B { __schema { types " + FIELDS + " } }",
    ],
)  # fmt: skip
def test_the_schema_is_not_told_again_and_again(source: str) -> None:
    message = refusal(source)
    asked, allowed = (int(word) for word in message.split() if word.isdigit())
    assert message == (
        f"The operation asks for some {asked} values of introspection; "
        f"at most {allowed} are allowed."
    )
    assert asked > allowed


def test_only_the_operation_that_runs_is_refused() -> None:
    source = "query A { viewer { id } } query B { __schema { types " + FIELDS + " } }"
    assert measure(source, operation_name="A") == Measure(1)


def test_the_names_of_introspection_are_free_elsewhere() -> None:
    elsewhere = "{ __schema { ...F ...Unknown } stats { __schema { types { name } } } }"
    assert measure(elsewhere + "fragment F on Post { id }") == Measure(0)
    assert refusal("{ posts { nodes { __type { name } id } } }", max_depth=2) == (
        "The operation is 3 fields deep; at most 2 are allowed."
    )
