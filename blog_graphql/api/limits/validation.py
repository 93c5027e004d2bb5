"""Validation that gives up before anybody else has to wait."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from graphql import DocumentNode, GraphQLError, GraphQLSchema, validate
from graphql.validation import (
    ASTValidationRule,
    OverlappingFieldsCanBeMergedRule,
    ValidationContext,
)
from graphql.validation.validate import ValidationAbortedError
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from blog_graphql.errors import QueryTooComplex

# An error may take milliseconds: it quotes the value that is wrong, and suggests names.
_MOST_ERRORS = 10

# In the units of graphql-core's own budget, of which a comparison of two fields takes two
# and more; a unit takes up to 2 µs. Its default is 500,000.
_MOST_STEPS = 12_000

_STRAWBERRY_RULES = (MaybeNullValidationRule, OneOfInputValidationRule)


def validate_document(
    schema: GraphQLSchema,
    document: DocumentNode,
    rules: Iterable[type[ASTValidationRule]],
    *,
    suggestions: bool,
) -> list[GraphQLError]:
    """The first errors of a document that passed ``check_document``; none if it is valid.

    Takes the place of Strawberry's own validation, with the ``rules`` of its
    execution context. Names of the schema are suggested only with ``suggestions``.

    Fields that overlap are compared in pairs, which takes time that grows with
    the square of the document: ``{a{b}a{b}…}``. That is bounded here.

    Raises:
        QueryTooComplex: the fields that overlap take too long to compare.
    """
    bounded = (_BoundedOverlaps if r is OverlappingFieldsCanBeMergedRule else r for r in rules)
    return validate(
        schema,
        document,
        [*bounded, *_STRAWBERRY_RULES],
        max_errors=_MOST_ERRORS,
        hide_suggestions=not suggestions,
    )


class _BoundedOverlaps(OverlappingFieldsCanBeMergedRule):
    """graphql-core's rule, which counts its steps, with less patience."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.rule_context.remaining_complexity_budget = _MOST_STEPS

    def enter_selection_set(self, *args: Any) -> None:
        """Compare the fields of a selection set."""
        try:
            super().enter_selection_set(*args)
        except ValidationAbortedError:
            if self.rule_context.remaining_complexity_budget >= 0:
                raise  # for the number of errors
            raise QueryTooComplex(
                f"Fields that overlap take more than {_MOST_STEPS} steps to compare; "
                f"at most {_MOST_STEPS} are allowed."
            ) from None
