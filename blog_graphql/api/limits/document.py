"""The check of a document against every limit."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    parse,
)

from blog_graphql.api.limits.introspection import check_introspection
from blog_graphql.api.limits.nodes import NodeCounter
from blog_graphql.api.limits.shape import Shape, ShapeMeter
from blog_graphql.errors import QueryTooComplex
from blog_graphql.settings import Settings

_NODES_PER_UNIT = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a document may have; each is the setting of that name."""

    max_query_length: int
    max_tokens: int
    max_depth: int
    max_aliases: int
    max_root_fields: int
    max_fields_per_selection: int
    max_nodes: int
    max_variable_values: int

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The limits that an operator set."""
        return cls(**{field.name: getattr(settings, field.name) for field in fields(cls)})


@dataclass(frozen=True, slots=True)
class Measure:
    """What the operation that runs asks for, at most."""

    nodes: int

    @property
    def cost(self) -> int:
        """Units of the rate limit: one for each hundred nodes begun, as GitHub counts."""
        return max(1, -(-self.nodes // _NODES_PER_UNIT))


def parse_document(source: str, limits: Limits) -> DocumentNode:
    """Parse a document, reading no more of it than it may have.

    Raises:
        QueryTooComplex: it has too many characters or tokens.
        GraphQLSyntaxError: it is no GraphQL.
    """
    _check_length(source, limits)
    try:
        return parse(source, max_tokens=limits.max_tokens)
    except GraphQLSyntaxError as error:
        if f"Document contains more than {limits.max_tokens} tokens." not in error.message:
            raise
    raise QueryTooComplex(
        f"The document has more than {limits.max_tokens} tokens; "
        f"at most {limits.max_tokens} are allowed."
    )


def check_document(
    schema: GraphQLSchema,
    document: DocumentNode,
    limits: Limits,
    variables: Mapping[str, Any] | None,
    operation_name: str | None,
) -> Measure:
    """Hold a parsed document against the limits, before it is validated.

    Takes time in proportion to the document: fragments are measured once each
    and never expanded. Whatever else is wrong with a document is left for
    validation to tell. ``variables`` are those of the request, uncoerced. Where
    it is open which operation runs, the largest is measured.

    Raises:
        QueryTooComplex: a limit is exceeded; the message has it and what was asked.
    """
    _check_variables(variables, limits)
    if document.loc is not None:
        _check_length(document.loc.source.body, limits)
    _check("The document has {} tokens", document.token_count, limits.max_tokens)

    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    fragments = [d for d in document.definitions if isinstance(d, FragmentDefinitionNode)]
    by_name = {fragment.name.value: fragment for fragment in fragments}

    meter = ShapeMeter(by_name)
    for operation in operations:
        shape = meter.measure(operation.selection_set)
        _check("The operation has {} root fields", shape.fields, limits.max_root_fields)
        _check_shape("The operation", shape, limits)
    for fragment in fragments:
        _check_shape("A fragment", meter.measure_fragment(fragment), limits)
    _check("A selection set has {} fields", meter.widest, limits.max_fields_per_selection)

    if meter.is_circular:
        return Measure(0)  # validation refuses it

    named = [o for o in operations if o.name and o.name.value == operation_name]
    running = named or operations
    check_introspection(schema, running, by_name)
    counter = NodeCounter(schema, running, by_name, variables or {})
    nodes = max((counter.count(operation).nodes for operation in running), default=0)
    _check("The operation asks for {} nodes", nodes, limits.max_nodes)
    return Measure(nodes)


def _check_length(source: str, limits: Limits) -> None:
    _check("The document is {} characters long", len(source), limits.max_query_length)


def _check_variables(variables: Mapping[str, Any] | None, limits: Limits) -> None:
    """Reading them takes microseconds a value, which nothing interrupts."""
    pending: list[Any] = [variables or {}]
    count = 0
    while pending:
        value = pending.pop()
        if isinstance(value, Mapping):
            value = value.values()
        elif not isinstance(value, list):
            continue
        count += len(value)
        _check("The variables hold {} values", count, limits.max_variable_values)
        pending.extend(value)


def _check_shape(what: str, shape: Shape, limits: Limits) -> None:
    _check(f"{what} has {{}} aliases", shape.aliases, limits.max_aliases)
    _check(f"{what} is {{}} fields deep", shape.depth, limits.max_depth)


def _check(statement: str, asked: int, limit: int) -> None:
    if asked > limit:
        # Beyond the machine's integers the digits would only be a burden.
        number = str(asked) if asked <= sys.maxsize else f"more than {sys.maxsize}"
        raise QueryTooComplex(f"{statement.format(number)}; at most {limit} are allowed.")
