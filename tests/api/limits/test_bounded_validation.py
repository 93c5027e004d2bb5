"""Validation gives up in time."""

from __future__ import annotations

import pytest
from graphql import parse, specified_rules

from blog_graphql.api.limits import validate_document
from blog_graphql.errors import QueryTooComplex
from tests.api.limits.checking import SCHEMA, measure

TOO_MANY_STEPS = (
    "Fields that overlap take more than 12000 steps to compare; at most 12000 are allowed."
)


def problems(source: str, *, suggestions: bool = True) -> list[str]:
    """What is wrong with a document that passes the limits."""
    measure(source)
    errors = validate_document(SCHEMA, parse(source), specified_rules, suggestions=suggestions)
    return [error.message for error in errors]


def page(posts: int, selection: str = "{ id title slug }") -> str:
    """The same page of posts again and again."""
    return "{ posts {" + f"nodes {selection}" * posts + "} }"


def test_overlaps_are_compared_up_to_a_bound() -> None:
    assert problems(page(47)) == []
    with pytest.raises(QueryTooComplex) as caught:
        problems(page(48))
    assert str(caught.value) == TOO_MANY_STEPS


@pytest.mark.parametrize(
    "source",
    [
        "{ stats {" + "a { b } " * 99 + "} }",
        "{ stats {" + "a { b b b b b b b b } " * 40 + "} }",
        "{ posts { nodes {" + "author { id id id id id } " * 40 + "} } }",
        "{ stats {" + "a(x: {y: [1, 2]}) { b } " * 99 + "} }",
        "{ posts { ...F0 ...F1 ...F2 ...F3 } }"
        + "".join(
            f"fragment F{n} on PostConnection {{ {'nodes { id title } ' * 15} }}" for n in range(4)
        ),
    ],
)
def test_overlaps_are_refused_however_they_come(source: str) -> None:
    with pytest.raises(QueryTooComplex) as caught:
        problems(source)
    assert str(caught.value) == TOO_MANY_STEPS


def components(count: int, selection: str, on: str = "Post") -> tuple[str, str]:
    """The spreads and the fragments of that many components on one object."""
    names = [f"Component{number}" for number in range(count)]
    spreads = " ".join(f"...{name}" for name in names)
    return spreads, "".join(f"fragment {name} on {on} {{ {selection} }}\n" for name in names)


def test_components_may_each_ask_for_what_they_need() -> None:
    for count, selection in (
        (30, "id"),
        (25, "id title author { id username } tags { id name }"),
        (10, "id title slug createdAt updatedAt"),
    ):
        spreads, fragments = components(count, selection)
        assert problems(f"{{ posts {{ nodes {{ {spreads} }} }} }} {fragments}") == []
    spreads, fragments = components(10, "id title slug createdAt updatedAt")
    ten = "".join(f'p{n}: post(by: {{id: "x"}}) {{ id {spreads} }}' for n in range(10))
    assert problems(f"{{ {ten} }} {fragments}") == []


def test_the_first_ten_errors_are_told() -> None:
    unknown = [f"unknown{number}" for number in range(12)]
    assert problems("{ " + " ".join(unknown) + " }") == [
        *(f"Cannot query field '{name}' on type 'Query'." for name in unknown[:10]),
        "Too many validation errors, error limit reached. Validation aborted.",
    ]
    assert len(problems("{ " + " ".join(unknown[:10]) + " }")) == 10


def test_many_conflicts_are_errors_and_no_complexity() -> None:
    conflicting = " ".join(f"a: {name}" for name in ("id", "title", "slug", "content", "version"))
    told = problems(f"{{ posts {{ nodes {{ {conflicting} {conflicting} }} }} }}")
    assert len(told) == 11
    assert told[0].startswith("Fields 'a' conflict because 'id' and 'title' are different fields.")


def test_names_are_suggested_only_where_they_may_be() -> None:
    assert problems("{ stat { posts } }") == [
        "Cannot query field 'stat' on type 'Query'. Did you mean 'stats' or 'tag'?"
    ]
    assert problems("{ stat { posts } }", suggestions=False) == [
        "Cannot query field 'stat' on type 'Query'."
    ]


def test_circles_and_unknown_fragments_are_told() -> None:
    assert problems("{ ...F ...Unknown } fragment F on Query { ...F }") == [
        "Unknown fragment 'Unknown'.",
        "Cannot spread fragment 'F' within itself.",
    ]
