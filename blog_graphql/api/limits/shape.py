"""The shape of selections: how wide, how deep and how aliased they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
)

from blog_graphql.api.limits.introspection import INTROSPECTION_FIELDS
from blog_graphql.errors import QueryTooComplex

# graphql-core validates and executes fragments by recursion; this many levels are far
# from the end of Python's stack, and more than a query within any sensible depth has.
_MAX_NESTING = 100


class Shape(NamedTuple):
    """What a selection set holds, its fragments counted each time they are spread."""

    fields: int = 0  # selected in the set itself
    aliases: int = 0  # aliased fields, in the set and below
    depth: int = 0  # fields inside of each other
    nesting: int = 0  # selection sets inside of each other


class ShapeMeter:
    """Measures the selection sets of a document, each fragment once.

    Attributes:
        widest: the most fields in any selection set.
        is_circular: whether a fragment spreads itself; such a document never runs.
    """

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._fragments = fragments
        self._measured: dict[int, Shape | None] = {}
        self.widest = 0
        self.is_circular = False

    def measure(self, selection_set: SelectionSetNode, level: int = 1) -> Shape:
        """The shape of a selection set that lies ``level`` selection sets deep.

        Raises:
            QueryTooComplex: selection sets are nested deeper than anyone needs.
        """
        if level > _MAX_NESTING:
            raise _nested_too_deep()
        fields = aliases = depth = nesting = 0
        for selection in selection_set.selections:
            match selection:
                case FieldNode():
                    inner = self._field(selection, level)
                case InlineFragmentNode():
                    inner = self.measure(selection.selection_set, level + 1)
                case FragmentSpreadNode():
                    fragment = self._fragments.get(selection.name.value)
                    inner = self.measure_fragment(fragment, level + 1) if fragment else Shape()
            fields += inner.fields
            aliases += inner.aliases
            depth = max(depth, inner.depth)
            nesting = max(nesting, inner.nesting)
        if nesting == _MAX_NESTING:
            raise _nested_too_deep()
        self.widest = max(self.widest, fields)
        return Shape(fields, aliases, depth, nesting + 1)

    def measure_fragment(self, fragment: FragmentDefinitionNode, level: int = 1) -> Shape:
        """The shape of what a fragment selects; measured the first time only."""
        key = id(fragment)
        if key in self._measured:
            shape = self._measured[key]
            if shape is None:
                self.is_circular = True
                return Shape()
            return shape
        self._measured[key] = None
        shape = self.measure(fragment.selection_set, level)
        if fragment.type_condition.name.value.startswith("__"):
            shape = shape._replace(depth=0)
        self._measured[key] = shape
        return shape

    def _field(self, field: FieldNode, level: int) -> Shape:
        inner = self.measure(field.selection_set, level + 1) if field.selection_set else Shape()
        # Tools ask for the schema more deeply than people ask for posts; its size has
        # a bound of its own.
        depth = 0 if field.name.value in INTROSPECTION_FIELDS else inner.depth
        return Shape(1, inner.aliases + (field.alias is not None), depth + 1, inner.nesting)


def _nested_too_deep() -> QueryTooComplex:
    return QueryTooComplex(
        f"Selections are nested more than {_MAX_NESTING} deep, those of fragments included; "
        f"at most {_MAX_NESTING} are allowed."
    )
