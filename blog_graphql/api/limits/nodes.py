"""How many nodes an operation asks for, counted as GitHub counts them.

Page sizes multiply down the tree: ten users with five posts each are ten nodes
and fifty more. It is described at
https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)

from blog_graphql.api.limits.sizes import SizedField, sized_fields

# No integer of GraphQL is longer, sign included; those of Python may take long to read.
_LONGEST_INT = 11


class Count(NamedTuple):
    """How many objects a selection set leads to."""

    nodes: int = 0  # outright
    per_row: int = 0  # and for each row of the page that it selects from


class NodeCounter:
    """Counts what the operations of a document ask for, each fragment once.

    ``variables`` are those of the request, uncoerced; a value that is no size
    counts as if it were left out. No fragment may spread itself.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        operations: Sequence[OperationDefinitionNode],
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
    ) -> None:
        self._schema = schema
        self._fields = sized_fields(schema)
        self._fragments = fragments
        self._variables = variables
        # Of several operations none runs, so that they may share their defaults.
        self._defaults = {
            variable.variable.name.value: variable.default_value
            for operation in operations
            for variable in operation.variable_definitions or ()
        }
        self._counted: dict[str, Count] = {}

    def count(self, operation: OperationDefinitionNode) -> Count:
        """What an operation asks for."""
        root = self._schema.get_root_type(operation.operation)
        return self._selections(operation.selection_set, root.name) if root else Count()

    def _selections(self, selection_set: SelectionSetNode, parent: str) -> Count:
        nodes = per_row = 0
        for selection in selection_set.selections:
            match selection:
                case FieldNode():
                    count = self._field(selection, parent)
                case InlineFragmentNode(type_condition=condition):
                    type_name = condition.name.value if condition else parent
                    count = self._selections(selection.selection_set, type_name)
                case FragmentSpreadNode():
                    count = self._fragment(selection.name.value)
            nodes += count.nodes
            per_row += count.per_row
        return Count(nodes, per_row)

    def _field(self, node: FieldNode, parent: str) -> Count:
        field = self._fields.get(parent, {}).get(node.name.value)
        if field is None or node.selection_set is None:
            return Count()
        inner = self._selections(node.selection_set, field.type_name)
        size = self._size(field, node)
        if field.is_page:
            return Count(inner.nodes + size * inner.per_row)
        nodes = size * (field.is_node + inner.nodes)
        return Count(per_row=nodes) if field.is_in_page else Count(nodes)

    def _fragment(self, name: str) -> Count:
        if name not in self._counted:
            fragment = self._fragments.get(name)
            self._counted[name] = (
                self._selections(fragment.selection_set, fragment.type_condition.name.value)
                if fragment
                else Count()
            )
        return self._counted[name]

    def _size(self, field: SizedField, node: FieldNode) -> int:
        asked = [
            size
            for argument in node.arguments or ()
            if argument.name.value in field.sized_by
            and (size := self._asked(argument.value)) is not None
        ]
        return max(0, min(max(asked, default=field.default), field.most))

    def _asked(self, value: ValueNode | None) -> int | None:
        match value:
            case IntValueNode():
                return int(value.value[:_LONGEST_INT])
            case ListValueNode():
                return len(value.values)
            case VariableNode(name=name) if name.value in self._variables:
                return _as_size(self._variables[name.value])
            case VariableNode(name=name):
                return self._asked(self._defaults.get(name.value))
            case _:
                return None


def _as_size(value: Any) -> int | None:
    if isinstance(value, list):
        return len(value)
    # 5 and 5.0 are the same number in JSON, and GraphQL takes both for an Int.
    if type(value) is int or (isinstance(value, float) and value.is_integer()):
        return int(value)
    return None
