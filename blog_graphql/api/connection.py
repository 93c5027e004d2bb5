"""Relay connections over keyset pages.

A connection field runs no SQL: it returns a ``Connection`` whose own fields
load what they show, so a query pays only for what it selects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Protocol, Self, TypeAlias, TypeVar

import strawberry
from strawberry import UNSET

from blog_graphql.api.context import Info
from blog_graphql.api.cursor import decode_cursor, encode_cursor
from blog_graphql.db.filters import Criteria
from blog_graphql.db.ordering import Ordering, ordering
from blog_graphql.db.pages import DEFAULT_PAGE, LARGEST_PAGE, Outside, PageSpec, Source
from blog_graphql.db.rows import MODELS
from blog_graphql.errors import BadUserInput
from blog_graphql.loaders import Key, Loaders, Page

NodeT = TypeVar("NodeT")

First: TypeAlias = Annotated[
    int | None,
    strawberry.argument(
        description=f"How many rows from the start, 0 to {LARGEST_PAGE}; "
        f"{DEFAULT_PAGE} when neither `first` nor `last` is given."
    ),
]
After: TypeAlias = Annotated[
    str | None, strawberry.argument(description="Only rows that follow this cursor.")
]
Last: TypeAlias = Annotated[
    int | None,
    strawberry.argument(
        description=f"How many rows from the end, 0 to {LARGEST_PAGE}; instead of `first`."
    ),
]
Before: TypeAlias = Annotated[
    str | None, strawberry.argument(description="Only rows that precede this cursor.")
]
Offset: TypeAlias = Annotated[
    int | None,
    strawberry.argument(
        description="How many rows to leave out; goes with `first` alone. "
        "Cursors cost the same on every page, an offset costs more on later ones."
    ),
]


class Order(Protocol):
    """A GraphQL order input."""

    def term(self) -> tuple[str, bool]:
        """The column's name, and whether it descends."""
        ...


@dataclass(frozen=True, slots=True)
class Slice:
    """The paging arguments of a connection field, as the client sent them."""

    first: int | None
    after: str | None
    last: int | None
    before: str | None
    offset: int | None

    @classmethod
    def of(cls, *arguments: Any) -> Self:
        """The slice that field arguments describe; one left out is like null."""
        return cls(*(None if value is UNSET else value for value in arguments))

    def spec(self, order: Ordering, criteria: Criteria) -> PageSpec:
        """Which page the arguments ask for.

        Raises:
            BadUserInput: they contradict each other or exceed a bound.
        """
        self._check()
        limit = self.last if self._is_backward else self.first
        return PageSpec(
            ordering=order,
            criteria=criteria,
            limit=DEFAULT_PAGE if limit is None else limit,
            backward=self._is_backward,
            after=None if self.after is None else decode_cursor(order, self.after, "after"),
            before=None if self.before is None else decode_cursor(order, self.before, "before"),
            offset=self.offset or 0,
        )

    @property
    def _is_backward(self) -> bool:
        return self.last is not None

    def _check(self) -> None:
        if self.first is not None and self.last is not None:
            raise BadUserInput("first and last exclude each other: pass one of them.")
        for name, size in (("first", self.first), ("last", self.last)):
            if size is not None and not 0 <= size <= LARGEST_PAGE:
                raise BadUserInput(f"{name} must be between 0 and {LARGEST_PAGE}; it is {size}.")
        if self.offset is None:
            return
        if self.last is not None or self.after is not None or self.before is not None:
            raise BadUserInput("offset goes with first alone: drop last, after and before.")
        if self.offset < 0:
            raise BadUserInput(f"offset must be 0 or more; it is {self.offset}.")


@dataclass(frozen=True, slots=True)
class Query:
    """What a connection reads: one parent's page of a source."""

    loaders: Loaders
    source: Source
    parent: int | None
    spec: PageSpec

    async def page(self) -> Page:
        """The page's rows."""
        return await self.loaders.pages(self.source).load(Key(self.parent, self.spec))

    async def count(self) -> int:
        """How many rows there are on all pages."""
        key = Key(self.parent, self.spec.criteria)
        return await self.loaders.counts(self.source).load(key)

    async def has_next(self) -> bool:
        """Whether rows follow the page."""
        if not self.spec.backward and (await self.page()).has_more:
            return True
        return self.spec.before is not None and await self._exists(self.spec.before, False)

    async def has_previous(self) -> bool:
        """Whether rows precede the page."""
        spec = self.spec
        if spec.backward and (await self.page()).has_more:
            return True
        if spec.offset:
            return bool((await self.page()).rows) or await self._exists(None, True)
        return spec.after is not None and await self._exists(spec.after, True)

    async def _exists(self, position: Any, preceding: bool) -> bool:
        outside = Outside(self.spec.ordering, self.spec.criteria, position, preceding)
        return await self.loaders.existence(self.source).load(Key(self.parent, outside))


@strawberry.type(description="Where a page stands among all rows.")
class PageInfo:
    """Relay's PageInfo."""

    query: strawberry.Private[Query]

    @strawberry.field(description="Whether rows follow this page.")
    async def has_next_page(self) -> bool:
        """Look behind the page."""
        return await self.query.has_next()

    @strawberry.field(description="Whether rows precede this page.")
    async def has_previous_page(self) -> bool:
        """Look before the page."""
        return await self.query.has_previous()

    @strawberry.field(description="The cursor of the first row; null on an empty page.")
    async def start_cursor(self) -> str | None:
        """Encode the first row's position."""
        return self._cursor((await self.query.page()).rows[:1])

    @strawberry.field(description="The cursor of the last row; null on an empty page.")
    async def end_cursor(self) -> str | None:
        """Encode the last row's position."""
        return self._cursor((await self.query.page()).rows[-1:])

    def _cursor(self, rows: Sequence[Any]) -> str | None:
        return encode_cursor(self.query.spec.ordering, rows[0]) if rows else None


@strawberry.type(description="A row of a page, with its cursor.")
class Edge(Generic[NodeT]):
    """Relay's Edge."""

    node: NodeT = strawberry.field(description="The row itself.")
    ordering: strawberry.Private[Ordering]

    @strawberry.field(description="The row's place in this order, for `after` and `before`.")
    def cursor(self) -> str:
        """Encode the row's position."""
        return encode_cursor(self.ordering, self.node)


@strawberry.type(description="One page of a list, and how to get to the others.")
class Connection(Generic[NodeT]):
    """Relay's Connection, with ``nodes`` and ``totalCount`` beside."""

    query: strawberry.Private[Query]

    @strawberry.field(description="The rows of the page.")
    async def nodes(self) -> list[NodeT]:
        """Load the page."""
        return (await self.query.page()).rows

    @strawberry.field(description="The rows of the page, each with its cursor.")
    async def edges(self) -> list[Edge[NodeT]]:
        """Load the page."""
        rows = (await self.query.page()).rows
        return [Edge(node=row, ordering=self.query.spec.ordering) for row in rows]

    @strawberry.field(description="Where the page stands.")
    def page_info(self) -> PageInfo:
        """Tell about the page."""
        return PageInfo(query=self.query)

    @strawberry.field(
        description="How many rows there are on all pages, under the same filter. "
        "Counted only when selected."
    )
    async def total_count(self) -> int:
        """Count the rows."""
        return await self.query.count()


def connect(
    info: Info,
    source: Source,
    parent: int | None,
    criteria: Criteria,
    order_by: Sequence[Order] | None,
    page: Slice,
) -> Any:
    """The connection that a field's arguments ask for.

    Raises:
        BadUserInput: the paging arguments cannot be served.
    """
    terms = tuple(order.term() for order in order_by or ()) or source.default_order
    order = ordering(MODELS[source.row_type], *terms)
    return Connection(query=Query(info.context.loaders, source, parent, page.spec(order, criteria)))
