"""What holds for every document: numbers as if fragments were expanded, and no other error."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from graphql import parse, specified_rules
from hypothesis import given
from hypothesis import strategies as st

from blog_graphql.api.limits import check_document, validate_document
from blog_graphql.errors import QueryTooComplex
from tests.api.limits.checking import BOUNDLESS, DEFAULTS, SCHEMA, measure, refusal


@dataclass(frozen=True)
class Field:
    """A field of the schema: what it leads to, and how many nodes that are."""

    source: str
    type_name: str = ""
    rows: int = 1
    is_node: bool = True
    is_page: bool = False
    is_in_page: bool = False


LEAF = Field("__typename")
FIELDS = {
    "Query": [
        Field("viewer", "User"),
        Field("stats", "BlogStats", is_node=False),
        Field("posts(first: 2)", "PostConnection", rows=2, is_page=True),
        Field("nodes(ids: [1, 2, 3])", "Node", rows=3),
    ],
    "User": [Field("posts(last: 3)", "PostConnection", rows=3, is_page=True)],
    "BlogStats": [Field("topTags(first: 2)", "TagCount", rows=2), Field("usersByRole", "Role", 3)],
    "TagCount": [Field("tag", "Tag")],
    "Tag": [Field("posts(first: 1)", "PostConnection", rows=1, is_page=True)],
    "PostConnection": [
        Field("nodes", "Post", is_in_page=True),
        Field("edges", "PostEdge", is_in_page=True),
        Field("pageInfo", "PageInfo", is_node=False),
    ],
    "PostEdge": [Field("node", "Post", is_node=False)],
    "Post": [Field("author", "User")],
}


@dataclass(frozen=True)
class Selected:
    """A field that is selected."""

    field: Field
    is_aliased: bool
    selections: Selections

    def __str__(self) -> str:
        below = f" {braced(self.selections)}" if self.selections else ""
        return f"{'alias: ' if self.is_aliased else ''}{self.field.source}{below}"


@dataclass(frozen=True)
class Fragment:
    """An inline fragment, or a spread of a named one."""

    name: str
    type_name: str
    selections: Selections

    def __str__(self) -> str:
        return f"...{self.name}" if self.name else f"... {braced(self.selections)}"


Selections = tuple[Selected | Fragment, ...]


def braced(selections: Selections) -> str:
    return "{ " + " ".join(map(str, selections)) + " }"


@st.composite
def some_selections(
    draw: st.DrawFn, type_name: str, fragments: Sequence[Fragment], levels: int = 4
) -> Selections:
    """Selections on a type, which may spread these fragments."""
    known = FIELDS.get(type_name, [])
    spreads = [fragment for fragment in fragments if fragment.type_name == type_name]

    def selection() -> Selected | Fragment:
        kind = draw(st.sampled_from(["leaf", "field", "inline", "spread"]))
        if kind == "field" and known and levels:
            field = draw(st.sampled_from(known))
            below = draw(some_selections(field.type_name, fragments, levels - 1))
            return Selected(field, draw(st.booleans()), below)
        if kind == "inline" and levels:
            return Fragment("", type_name, draw(some_selections(type_name, fragments, levels - 1)))
        if kind == "spread" and spreads:
            return draw(st.sampled_from(spreads))
        return Selected(LEAF, draw(st.booleans()), ())

    return tuple(selection() for _ in range(draw(st.integers(1, 3))))


@st.composite
def some_documents(draw: st.DrawFn) -> tuple[str, Selections]:
    """A document, and the selections of its only operation."""
    fragments: list[Fragment] = []
    for number in range(draw(st.integers(0, 4))):
        type_name = draw(st.sampled_from(sorted(FIELDS)))
        selections = draw(some_selections(type_name, fragments, 2))
        fragments.append(Fragment(f"F{number}", type_name, selections))
    root = draw(some_selections("Query", fragments))
    definitions = [f"fragment {f.name} on {f.type_name} {braced(f.selections)}" for f in fragments]
    return " ".join([braced(root), *definitions]), root


def expanded(selections: Selections) -> list[Selected]:
    """The fields of a selection set, those of fragments once for each spread."""
    fields: list[Selected] = []
    for selection in selections:
        fields += expanded(selection.selections) if isinstance(selection, Fragment) else [selection]
    return fields


def depth(selections: Selections) -> int:
    return max((1 + depth(selected.selections) for selected in expanded(selections)), default=0)


def aliases(selections: Selections) -> int:
    return sum(each.is_aliased + aliases(each.selections) for each in expanded(selections))


def nodes(selections: Selections, page: int = 0) -> int:
    """The nodes of a selection set, counted one by one."""
    count = 0
    for selected in expanded(selections):
        field = selected.field
        if field.is_page:
            count += nodes(selected.selections, field.rows)
            continue
        for _ in range(page if field.is_in_page else field.rows):
            count += field.is_node and field is not LEAF
            count += nodes(selected.selections)
    return count


@given(some_documents())
def test_documents_measure_as_if_fragments_were_expanded(drawn: tuple[str, Selections]) -> None:
    source, root = drawn
    assert measure(source, limits=BOUNDLESS).nodes == nodes(root)
    fields = len(expanded(root))
    assert refusal(source, BOUNDLESS, max_root_fields=fields - 1) == (
        f"The operation has {fields} root fields; at most {fields - 1} are allowed."
    )
    levels = depth(root)
    assert refusal(source, BOUNDLESS, max_depth=levels - 1) == (
        f"The operation is {levels} fields deep; at most {levels - 1} are allowed."
    )
    aliased = aliases(root)
    if aliased:
        assert refusal(source, BOUNDLESS, max_aliases=aliased - 1) == (
            f"The operation has {aliased} aliases; at most {aliased - 1} are allowed."
        )


NAMES = st.sampled_from(
    [
        "__schema",
        "__type",
        "__typename",
        "types",
        "fields",
        "type",
        "posts",
        "users",
        "nodes",
        "edges",
        "node",
        "pageInfo",
        "tags",
        "author",
        "stats",
        "topTags",
        "viewer",
        "login",
        "createPost",
        "errors",
        "id",
        "unknown",
        "F",
        "G",
        "H",
    ]
)
TYPES = st.sampled_from(
    ["Query", "Mutation", "Post", "PostConnection", "Node", "__Type", "String", "Unknown"]
)
VALUES = st.sampled_from(['"x"', "5", "-1", "null", "[1, [2]]", "{a: {b: 1}}", "$v", "ENUM", "1e9"])
ARGUMENTS = st.sampled_from(["first", "last", "ids", "by", "name", "unknown"])
SPREADS = st.sampled_from(["...F", "...G", "...H", "...Unknown", "... @skip(if: $v) { id }"])


def written(selections: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Selections around others."""
    sets = st.lists(selections, min_size=1, max_size=4).map(lambda each: f"{{ {' '.join(each)} }}")
    arguments = st.builds("({}: {})".format, ARGUMENTS, VALUES)
    return st.one_of(
        st.builds("{}{} {}".format, NAMES, st.just("") | arguments, sets),
        st.builds("a: {}{} {}".format, NAMES, st.just("") | arguments, sets),
        st.builds("... on {} {}".format, TYPES, sets),
    )


SELECTIONS = st.recursive(NAMES | SPREADS, written, max_leaves=12)
DEFINITIONS = st.one_of(
    st.builds("{{ {} }}".format, SELECTIONS),
    st.builds(
        "{} {}($v: Int = {}) {{ {} }}".format,
        st.sampled_from(["query", "mutation", "subscription"]),
        NAMES,
        st.sampled_from(["1", "[1]", "null", "{}"]),
        SELECTIONS,
    ),
    st.builds("fragment {} on {} {{ {} }}".format, NAMES, TYPES, SELECTIONS),
    st.sampled_from(
        ["type T { a: T }", "extend type Query @skip { a: Int }", "directive @d on FIELD"]
    ),
)
JSON = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers())


@given(
    st.lists(DEFINITIONS, min_size=1, max_size=6).map("\n".join),
    st.none() | st.dictionaries(st.sampled_from(["v", "w"]), JSON),
    st.none() | NAMES,
)
def test_no_document_brings_any_other_error(
    source: str, variables: dict[str, Any] | None, operation_name: str | None
) -> None:
    document = parse(source)
    with suppress(QueryTooComplex):
        measured = check_document(SCHEMA, document, DEFAULTS, variables, operation_name)
        assert 0 <= measured.nodes <= DEFAULTS.max_nodes
        validate_document(SCHEMA, document, specified_rules, suggestions=True)
