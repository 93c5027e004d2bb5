"""What an operation has to pass before any of its fields runs."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, cast

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    execute_sync,
)
from graphql.utilities import get_operation_ast
from strawberry.extensions import SchemaExtension

from blog_graphql.api.limits import (
    INTROSPECTION_FIELDS,
    Limits,
    check_document,
    parse_document,
    validate_document,
)
from blog_graphql.api.throttle import BudgetExceeded

if TYPE_CHECKING:
    from blog_graphql.api.context import Context

# The mutations by which a session begins, goes on or ends: a token that does not hold is no
# reason to refuse them.
_SESSION_FIELDS = {"login", "refreshSession", "logout"}
_TYPE_NAME = "__typename"


class Gate(SchemaExtension):
    """Refuses a document over a limit, spends an operation's cost, finds out who is asking."""

    _root_fields: frozenset[str] = frozenset()

    def on_operation(self) -> Iterator[None]:
        """Tell the context the operation's name, for the log."""
        try:
            yield
        finally:
            name = self.execution_context.operation_name
            if isinstance(name, str) and name.isidentifier():
                self._context.operation_name = name

    async def on_parse(self) -> AsyncIterator[None]:
        """Parse and measure the document, and spend what it costs; a refused one costs least."""
        context = self._context
        cost = 1
        try:
            document = self._parse()
            cost = self._measure(document)
            self._root_fields = _root_fields(document, self._operation_name)
            context.tolerant = bool(self._root_fields) and self._root_fields <= _SESSION_FIELDS
        finally:
            await self._spend(cost)
        yield

    def on_validate(self) -> Iterator[None]:
        """Validate the document in Strawberry's place, in bounded time."""
        execution = self.execution_context
        if execution.graphql_document is not None:
            execution.pre_execution_errors = validate_document(
                self._schema,
                execution.graphql_document,
                execution.validation_rules,
                suggestions=not execution.schema.config.disable_field_suggestions,
            )
        yield

    async def on_execute(self) -> AsyncIterator[None]:
        """Find out who is asking, in one statement; introspection needs no more than that."""
        await self._context.authenticate()
        asked = self._root_fields - {_TYPE_NAME}
        if asked and asked.issubset(INTROSPECTION_FIELDS):
            # Tens of milliseconds of computing, and nothing to wait for: others go on meanwhile.
            self.execution_context.result = await to_thread(self._introspect)
        yield

    @property
    def _context(self) -> Context:
        context: Context = self.execution_context.context
        return context

    @property
    def _schema(self) -> GraphQLSchema:
        return self.execution_context.schema._schema  # noqa: SLF001 - there is no public way

    @property
    def _limits(self) -> Limits:
        return self._context.services.limits

    @property
    def _operation_name(self) -> str | None:
        return self.execution_context.operation_name

    def _introspect(self) -> ExecutionResult:
        execution = self.execution_context
        return execute_sync(
            self._schema,
            cast("DocumentNode", execution.graphql_document),
            variable_values=execution.variables,
            operation_name=self._operation_name,
        )

    def _parse(self) -> DocumentNode:
        document = parse_document(self.execution_context.query or "", self._limits)
        self.execution_context.graphql_document = document
        return document

    def _measure(self, document: DocumentNode) -> int:
        measure = check_document(
            self._schema,
            document,
            self._limits,
            self.execution_context.variables,
            self._operation_name,
        )
        return measure.cost

    async def _spend(self, cost: int) -> None:
        context = self._context
        request = context.request
        # An operation that is repeated has spent its cost.
        if request.services.settings.rate_limit is None or context.budget is not None:
            return
        user_id = request.authentication.user_id(context.now)
        key = request.address if user_id is None else f"user {user_id}"
        try:
            context.budget = await request.services.throttle.spend(key, cost)
        except BudgetExceeded as refusal:
            context.budget = refusal.budget
            raise
        finally:
            request.announce(context.budget)


def _root_fields(document: DocumentNode, operation_name: str | None) -> frozenset[str]:
    """The names of an operation's root fields; none where it is open which operation runs."""
    operation = get_operation_ast(document, operation_name)
    fragments = {
        definition.name.value: definition.selection_set
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    pending = [operation.selection_set] if operation else []
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
