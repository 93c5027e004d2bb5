"""The shape of documents: each limit at its bound and one above."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from graphql import GraphQLSyntaxError, parse

from blog_graphql.api.limits import Limits, Measure, check_document, parse_document
from blog_graphql.errors import QueryTooComplex
from blog_graphql.settings import load_settings
from tests.api.limits.checking import BOUNDLESS, DEFAULTS, SCHEMA, measure, refusal

# What a document asks for, the limit that is about it, and what a refusal says.
NESTED_FRAGMENTS = """
{ posts { ...F } }
fragment F on PostConnection { nodes { ... { ...G } } }
fragment G on Post { id }
"""
SPREAD_TWICE = """
{ x: stats { ...F } y: stats { ...F } }
fragment F on BlogStats { ... { a: posts } b: tags }
"""
ROOT_FRAGMENTS = """
mutation { ...F ...F ... { viewer { id } } }
fragment F on Mutation { ...G ...G }
fragment G on Mutation { __typename }
"""
WIDE = """
{ stats { posts ...F ... { tags ...F } } }
fragment F on BlogStats { users topTags { count } }
"""
UNUSED = "{ viewer { id } } fragment F on Post { a: id author { id username } }"

AT_THE_BOUND = [
    ("{ stats { posts } }", "max_query_length", "The document is 19 characters long"),
    ("{ stats { posts } } # all", "max_tokens", "The document has 7 tokens"),
    ("{ __typename }", "max_depth", "The operation is 1 fields deep"),
    ("{ posts { nodes { author { id } } } }", "max_depth", "The operation is 4 fields deep"),
    (NESTED_FRAGMENTS, "max_depth", "The operation is 3 fields deep"),
    ("fragment F on Post { author { id } }", "max_depth", "A fragment is 2 fields deep"),
    ("{ a: stats { b: posts tags } }", "max_aliases", "The operation has 2 aliases"),
    (SPREAD_TWICE, "max_aliases", "The operation has 6 aliases"),
    (UNUSED, "max_aliases", "A fragment has 1 aliases"),
    ("{ stats { tags } viewer { id } }", "max_root_fields", "The operation has 2 root fields"),
    (ROOT_FRAGMENTS, "max_root_fields", "The operation has 5 root fields"),
    ("query A { id } query B { a b }", "max_root_fields", "The operation has 2 root fields"),
    (WIDE, "max_fields_per_selection", "A selection set has 6 fields"),
    (UNUSED, "max_fields_per_selection", "A selection set has 2 fields"),
]


@pytest.mark.parametrize(("source", "limit", "statement"), AT_THE_BOUND)
def test_a_limit_holds_at_its_bound_and_not_above(source: str, limit: str, statement: str) -> None:
    asked = int(next(word for word in statement.split() if word.isdigit()))
    measure(source, limits=replace(BOUNDLESS, **{limit: asked}))
    assert refusal(source, replace(BOUNDLESS, **{limit: asked - 1})) == (
        f"{statement}; at most {asked - 1} are allowed."
    )


def test_the_limits_are_the_settings() -> None:
    assert Limits.of(load_settings(_env_file=None)) == Limits(
        200_000, 5_000, 15, 50, 20, 100, 500_000, 10_000
    )
    assert Limits.of(load_settings(_env_file=None, max_depth=3)).max_depth == 3


def doubled(times: int, innermost: str, on: str = "Query") -> str:
    """Fragments that each spread the one before twice: two to that power in all."""
    first = f"fragment F0 on {on} {{ {innermost} }}"
    return first + "".join(
        f"fragment F{number} on {on} {{ ...F{number - 1} ...F{number - 1} }}"
        for number in range(1, times + 1)
    )


def test_fragments_are_counted_and_never_expanded() -> None:
    stats = "stats { a: posts }"
    document = "{ ...F50 }" + doubled(50, stats)
    assert refusal(document) == (
        "The operation has 1125899906842624 root fields; at most 20 are allowed."
    )
    assert refusal(document, BOUNDLESS, max_aliases=50) == (
        "The operation has 1125899906842624 aliases; at most 50 are allowed."
    )
    assert refusal(document, BOUNDLESS, max_fields_per_selection=100) == (
        "A selection set has 1125899906842624 fields; at most 100 are allowed."
    )
    assert measure(document, limits=BOUNDLESS) == Measure(0)
    nodes = "{ ...F50 }" + doubled(50, "posts(first: 3) { nodes { id } }")
    assert refusal(nodes, BOUNDLESS, max_nodes=500_000) == (
        "The operation asks for 3377699720527872 nodes; at most 500000 are allowed."
    )


def test_a_message_stays_short() -> None:
    assert refusal("{ ...F70 }" + doubled(70, "id")) == (
        "The operation has more than 9223372036854775807 root fields; at most 20 are allowed."
    )


TOO_DEEP = (
    "Selections are nested more than 100 deep, those of fragments included; "
    "at most 100 are allowed."
)


def chained(links: int) -> str:
    """Fragments that each spread the next, which is missing after the last."""
    return "".join(f"fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(links))


NESTED: list[Callable[[int], str]] = [
    lambda levels: "{ a " * levels + "}" * levels,
    lambda levels: "{ ... " * (levels - 1) + "{ a }" + "}" * (levels - 1),
    lambda levels: "{ ...F0 }" + chained(levels - 1),
    lambda levels: "{ a { ...F0 } }" + chained(levels - 2),
]


@pytest.mark.parametrize("nested", NESTED)
def test_nesting_ends_before_the_stack_does(nested: Callable[[int], str]) -> None:
    measure(nested(100), limits=BOUNDLESS)
    assert refusal(nested(101), BOUNDLESS) == TOO_DEEP


def test_no_chain_of_fragments_overflows() -> None:
    forwards = "{ ...F0 }" + chained(600)
    backwards = "fragment Last on Query { ...F0 }" + "".join(
        f"fragment F{n} on Query {{ ...F{n + 1} }}" for n in reversed(range(600))
    )
    for document in (forwards, backwards, chained(600)):
        assert refusal(document) == TOO_DEEP


def test_what_is_measured_already_is_nested_too() -> None:
    deep = "fragment Deep on Query " + "{ ... " * 60 + "{ id }" + "}" * 60
    assert refusal(deep + "{ ...Deep " + "... { " * 50 + "...Deep" + "}" * 51) == TOO_DEEP


@pytest.mark.parametrize(
    "source",
    [
        "{ ...F } fragment F on Query { ...F }",
        "{ ...F } fragment F on Query { stats { posts } ...G } fragment G on Query { ...F ...F }",
        "fragment F on Post { author { posts { nodes { ...F } } } }",
        "{ ...Unknown }",
        "{ unknown(first: 3) { nodes { posts { id } } } }",
        "{ posts posts { } nodes { } }",
        "{ ... on Unknown { posts { nodes { id } } } }",
        "subscription { posts { nodes { id } } }",
        "fragment F on Query { ...F } fragment F on Query { id }",
        "type Query { posts: [Post] }",
        "query ($first: Unknown! = [[{}]]) { stats { posts(first: $first) } }",
        "{ node { id } nodes { id } }",
    ],
)
def test_what_else_is_wrong_is_left_for_validation(source: str) -> None:
    assert measure(source).cost >= 1


def test_a_document_is_read_no_further_than_allowed() -> None:
    assert parse_document("{ stats { posts } }", DEFAULTS).token_count == 6
    limits = Limits(20, 5, 1, 1, 1, 1, 1, 1)
    assert parse_document("{ a b c }           ", limits).token_count == 5
    with pytest.raises(QueryTooComplex) as long:
        parse_document("{ a b c }            ", limits)
    assert str(long.value) == "The document is 21 characters long; at most 20 are allowed."
    with pytest.raises(QueryTooComplex) as many:
        parse_document("{ a b c d }", limits)
    assert str(many.value) == "The document has more than 5 tokens; at most 5 are allowed."
    with pytest.raises(GraphQLSyntaxError, match="Expected Name"):
        parse_document("{ a ! }", limits)


def test_a_document_without_its_source_is_checked_as_well() -> None:
    document = parse("{ stats { posts } }", no_location=True)
    check_document(SCHEMA, document, DEFAULTS, None, None)
    with pytest.raises(QueryTooComplex, match="is 2 fields deep"):
        check_document(SCHEMA, document, replace(DEFAULTS, max_depth=1), None, None)
