"""What an operation has to pass before any of its fields runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
)
from graphql.validation import ASTValidationRule
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from blog_graphql.api.limits import (
    INTROSPECTION_FIELDS,
    check_document,
    parse_document,
    validate_document,
)
from blog_graphql.api.throttle import Budget, BudgetExceeded
from blog_graphql.errors import BadUserInput

if TYPE_CHECKING:
    from blog_graphql.api.context import RequestContext

HOW_TO_SUBSCRIBE = (
    "A subscription is answered event by event: send it over a WebSocket with the subprotocol "
    "graphql-transport-ws, or with Accept: text/event-stream, or with "
    'Accept: multipart/mixed;subscriptionSpec="1.0".'
)

# The mutations by which a session begins, goes on or ends: a token that does not hold is no
# reason to refuse them.
_SESSION_FIELDS = {"login", "refreshSession", "logout"}
_TYPE_NAME = "__typename"
_LONGEST_NAME = 100


class Refused(Exception):
    """Why a document does not run: every error of it, or of the variables, which is input."""

    def __init__(self, errors: Sequence[GraphQLError], *, are_about_input: bool = False) -> None:
        super().__init__("the operation does not run")
        self.errors = errors
        self.are_about_input = are_about_input


@dataclass(slots=True)
class OperationRequest:
    """An operation as it was sent.

    ``streams`` tells whether more than one answer can be sent back. ``name`` is
    what the log calls it, as soon as its document was parsed.
    """

    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    allowed: frozenset[OperationType] = frozenset(OperationType)
    streams: bool = False
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation that may run, of a valid document."""

    document: DocumentNode
    definition: OperationDefinitionNode
    variables: dict[str, Any] | None
    root_fields: frozenset[str]
    cost: int
    budget: Budget | None

    @property
    def name(self) -> str | None:
        """What the document calls it."""
        return self.definition.name.value if self.definition.name else None

    @property
    def is_tolerant(self) -> bool:
        """Whether it goes on without a viewer when the access token does not hold."""
        return self.root_fields <= _SESSION_FIELDS

    @property
    def is_subscription(self) -> bool:
        """Whether it is answered event by event."""
        return _type(self.definition) is OperationType.SUBSCRIPTION

    @property
    def is_introspection(self) -> bool:
        """Whether it asks about the schema alone."""
        asked = self.root_fields - {_TYPE_NAME}
        return bool(asked) and asked.issubset(INTROSPECTION_FIELDS)


async def admit(
    schema: GraphQLSchema,
    rules: Sequence[type[ASTValidationRule]],
    request: OperationRequest,
    context: RequestContext,
    *,
    suggestions: bool,
) -> Operation:
    """Parse, measure, charge and validate an operation, without asking the database.

    The limits hold before the document is validated. A refused one costs least.

    Raises:
        BlogError: it is over a limit or budget, or its operation cannot be told.
        GraphQLError: it is no GraphQL.
        Refused: it does not fit the schema.
        InvalidOperationTypeError: it came by a way that is not for its kind.
    """
    cost = 1
    try:
        limits = context.services.limits
        document = parse_document(request.query, limits)
        name = request.operation_name or None
        request.name = _name_for_log(document, name)
        measure = check_document(schema, document, limits, request.variables, name)
        definition = _choose(document, name)
        cost = measure.cost
    finally:
        budget = await spend(context, cost)
    _check_way(definition, request)
    if errors := validate_document(schema, document, rules, suggestions=suggestions):
        raise Refused(errors)
    root_fields = _root_fields(document, definition)
    return Operation(document, definition, request.variables, root_fields, cost, budget)


def _type(definition: OperationDefinitionNode) -> OperationType:
    return OperationType(definition.operation.value)


def _operations(document: DocumentNode) -> list[OperationDefinitionNode]:
    return [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]


def _choose(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """The operation that runs: the one that is named, or the only one."""
    operations = _operations(document)
    if name is not None:
        for operation in operations:
            if operation.name and operation.name.value == name:
                return operation
        raise BadUserInput(
            f"The document has no operation {name[:_LONGEST_NAME]!r}: "
            "operationName must name one of its own."
        )
    if not operations:
        raise BadUserInput("The document has no operation: write a query.")
    if len(operations) > 1:
        raise BadUserInput(
            f"The document has {len(operations)} operations: say in operationName which one runs."
        )
    return operations[0]


def _check_way(definition: OperationDefinitionNode, request: OperationRequest) -> None:
    kind = _type(definition)
    if kind is OperationType.SUBSCRIPTION and not request.streams:
        raise BadUserInput(HOW_TO_SUBSCRIBE)
    if kind not in request.allowed:
        raise InvalidOperationTypeError(kind)


async def spend(context: RequestContext, cost: int) -> Budget | None:
    """Take the cost of an operation, or of an event, from what the client may spend.

    Raises:
        BudgetExceeded: there is not so much left.
    """
    if context.services.settings.rate_limit is None:
        return None
    user_id = context.authentication.user_id(context.clock())
    key = context.address if user_id is None else f"user {user_id}"
    try:
        budget = await context.services.throttle.spend(key, cost)
    except BudgetExceeded as refusal:
        context.announce(refusal.budget)
        raise
    context.announce(budget)
    return budget


def _name_for_log(document: DocumentNode, given: str | None) -> str | None:
    """The operation's name, or that of the first one; none that is no name."""
    first = next(iter(_operations(document)), None)
    name = given or (first.name.value if first and first.name else None)
    return name[:_LONGEST_NAME] if name and name.isidentifier() else None


def _root_fields(document: DocumentNode, definition: OperationDefinitionNode) -> frozenset[str]:
    """The names of an operation's root fields."""
    fragments = {
        definition.name.value: definition.selection_set
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    pending = [definition.selection_set]
    names, spread = set[str](), set[str]()
    while pending:
        for selection in pending.pop().selections:
            match selection:
                case FieldNode(name=name):
                    names.add(name.value)
                case InlineFragmentNode(selection_set=selection_set):
                    pending.append(selection_set)
                case FragmentSpreadNode(name=name) if name.value not in spread:
                    spread.add(name.value)
                    pending.extend(filter(None, [fragments.get(name.value)]))
    return frozenset(names)
