"""How much of the schema an operation asks for.

Introspection is answered in one go, so what it may ask for has a bound of its
own: a tenth more than tools ask for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sized
from functools import lru_cache

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_introspection_query,
    is_abstract_type,
    is_wrapping_type,
    parse,
)

from blog_graphql.errors import QueryTooComplex

INTROSPECTION_FIELDS = ("__schema", "__type")

_STANDARDS_ALLOWED = 1.1
_LARGEST_STANDARD = get_introspection_query(
    specified_by_url=True,
    directive_is_repeatable=True,
    schema_description=True,
    input_value_deprecation=True,
    one_of=True,
)


def check_introspection(
    schema: GraphQLSchema,
    operations: Iterable[OperationDefinitionNode],
    fragments: Mapping[str, FragmentDefinitionNode],
) -> None:
    """Refuse operations that ask for far more than the schema once.

    No fragment may spread itself.

    Raises:
        QueryTooComplex: one asks for more values than the standard query by a tenth.
    """
    values = _most_values(schema, operations, fragments)
    if values and values > (allowed := _allowed_values(schema)):
        raise QueryTooComplex(
            f"The operation asks for some {values:.0f} values of introspection; "
            f"at most {allowed:.0f} are allowed."
        )


class _Counter:
    """Counts the values that introspection returns, each fragment once."""

    def __init__(
        self, lengths: Mapping[str, float], fragments: Mapping[str, FragmentDefinitionNode]
    ) -> None:
        self._lengths = lengths
        self._fragments = fragments
        self._counted: dict[tuple[str, bool], float] = {}

    def count(self, selection_set: SelectionSetNode, *, inside: bool = False) -> float:
        """The values of a selection set that lies ``inside`` of a field of introspection."""
        values = 0.0
        for selection in selection_set.selections:
            match selection:
                case FieldNode() if inside or selection.name.value in INTROSPECTION_FIELDS:
                    inner = selection.selection_set
                    length = self._lengths.get(selection.name.value, 1)
                    values += length * (1 + (self.count(inner, inside=True) if inner else 0))
                case InlineFragmentNode():
                    values += self.count(selection.selection_set, inside=inside)
                case FragmentSpreadNode():
                    values += self._fragment(selection.name.value, inside=inside)
        return values

    def _fragment(self, name: str, *, inside: bool) -> float:
        key = (name, inside)
        if key not in self._counted:
            fragment = self._fragments.get(name)
            self._counted[key] = (
                self.count(fragment.selection_set, inside=inside) if fragment else 0
            )
        return self._counted[key]


def _most_values(
    schema: GraphQLSchema,
    operations: Iterable[OperationDefinitionNode],
    fragments: Mapping[str, FragmentDefinitionNode],
) -> float:
    counter = _Counter(_list_lengths(schema), fragments)
    return max((counter.count(each.selection_set) for each in operations), default=0)


@lru_cache(maxsize=4)
def _allowed_values(schema: GraphQLSchema) -> float:
    definitions = parse(_LARGEST_STANDARD).definitions
    operations = [d for d in definitions if isinstance(d, OperationDefinitionNode)]
    fragments = {d.name.value: d for d in definitions if isinstance(d, FragmentDefinitionNode)}
    return _STANDARDS_ALLOWED * _most_values(schema, operations, fragments)


@lru_cache(maxsize=4)
def _list_lengths(schema: GraphQLSchema) -> dict[str, float]:
    """How long the lists of introspection are on the average, by the field that gives them."""
    types = schema.type_map.values()
    objects = [t for t in types if isinstance(t, GraphQLObjectType | GraphQLInterfaceType)]
    inputs = [t for t in types if isinstance(t, GraphQLInputObjectType)]
    enums = [t for t in types if isinstance(t, GraphQLEnumType)]
    abstract = [t for t in types if is_abstract_type(t)]
    fields = [field for type_ in objects for field in type_.fields.values()]
    return {
        # One type may be the largest of all, so it counts like all of them.
        "__type": len(types),
        "types": len(types),
        "directives": len(schema.directives),
        "fields": len(fields) / len(types),
        "interfaces": _total(type_.interfaces for type_ in objects) / len(types),
        "possibleTypes": _total(map(schema.get_possible_types, abstract)) / len(types),
        "inputFields": _total(type_.fields for type_ in inputs) / len(types),
        "enumValues": _total(type_.values for type_ in enums) / len(types),
        "args": _total(field.args for field in fields) / len(fields),
        # Of all layers of types, the innermost holds none.
        "ofType": 1 - len(fields) / sum(_layers(field.type) for field in fields),
    }


def _total(lists: Iterable[Sized]) -> int:
    return sum(map(len, lists))


def _layers(type_: GraphQLType) -> int:
    """How many types a type is, one within the other: `[String!]!` is four."""
    return 1 + (_layers(type_.of_type) if is_wrapping_type(type_) else 0)
