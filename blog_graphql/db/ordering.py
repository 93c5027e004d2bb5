"""Total orders over rows, and the positions in them that cursors name.

Every ordering ends with the primary key, so no two rows share a position and a
page is "the rows beyond this position": a keyset, whose cost does not grow with
the page number.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, FromClause, and_, literal, or_, tuple_

from blog_graphql.db.models import Base
from blog_graphql.db.types import EARLIEST, LATEST, nulls_last

Value: TypeAlias = int | str | datetime
Position: TypeAlias = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """One column of an ordering, with its direction."""

    column: ColumnElement[Any]
    descending: bool

    @property
    def name(self) -> str:
        """The column's name, which is the row's attribute as well."""
        return str(self.column.key)

    @property
    def python_type(self) -> type:
        """The type of the column's values."""
        return self.column.type.python_type

    @property
    def expression(self) -> ColumnElement[Any]:
        """What SQL sorts by; never null."""
        if self._nullable:
            return nulls_last(self.column, descending=self.descending)
        return self.column

    def value(self, row: Any) -> Value:
        """The row's value under ``expression``."""
        value: Value | None = getattr(row, self.name)
        if value is None:
            return EARLIEST if self.descending else LATEST
        return value

    def of(self, subquery: FromClause) -> Term:
        """The same term over a subquery that has the column."""
        return Term(subquery.c[self.name], self.descending)

    @property
    def _nullable(self) -> bool:
        return bool(getattr(self.column, "nullable", False))


class Ordering:
    """A total order over the rows of one table. Get one from ``ordering()``."""

    def __init__(self, table: str, terms: tuple[Term, ...]) -> None:
        self.terms = terms
        # What a cursor must repeat to be taken for this order.
        self.signature = f"{table}:" + ",".join(
            f"{term.name} {'desc' if term.descending else 'asc'}" for term in terms
        )

    def order_by(
        self, *, backward: bool, among: FromClause | None = None
    ) -> list[ColumnElement[Any]]:
        """The ORDER BY clause, reversed to read a page from its end.

        It names the columns of the table itself, or those of a subquery ``among`` them.
        """
        terms = self.terms if among is None else [term.of(among) for term in self.terms]
        return [
            term.expression.desc() if term.descending != backward else term.expression.asc()
            for term in terms
        ]

    def position(self, row: Any) -> Position:
        """Where a row stands in this order."""
        return tuple(term.value(row) for term in self.terms)

    def beyond(
        self, position: Position, *, backward: bool = False, inclusive: bool = False
    ) -> ColumnElement[bool]:
        """The rows that follow a position, or precede it, or stand at it when ``inclusive``."""
        columns = [term.expression for term in self.terms]
        bounds = self._bounds(position)
        directions = {term.descending == backward for term in self.terms}
        if len(directions) == 1:
            # Compared as one row value, which PostgreSQL answers from one index range.
            return _compare(
                tuple_(*columns), tuple_(*bounds), greater=directions.pop(), inclusive=inclusive
            )
        # The first condition is implied by the second, and lets an index narrow the rows.
        greater = self.terms[0].descending == backward
        return and_(
            _compare(columns[0], bounds[0], greater=greater, inclusive=True),
            or_(*self.runs(position, backward=backward, inclusive=inclusive)),
        )

    def runs(
        self, position: Position, *, backward: bool = False, inclusive: bool = False
    ) -> list[ColumnElement[bool]]:
        """The same rows in parts that follow one another, each a single index range.

        First come those that share all but the last key with the position, then
        those that share one key less, and so on.
        """
        conditions = []
        equal: list[ColumnElement[bool]] = []
        for term, bound in zip(self.terms, self._bounds(position), strict=True):
            last = term is self.terms[-1]
            greater = term.descending == backward
            beyond = _compare(term.expression, bound, greater=greater, inclusive=inclusive and last)
            conditions.append(and_(*equal, beyond))
            equal.append(term.expression == bound)
        return conditions[::-1]

    def _bounds(self, position: Position) -> list[ColumnElement[Any]]:
        return [
            literal(value, term.column.type)
            for term, value in zip(self.terms, position, strict=True)
        ]


def ordering(model: type[Base], *terms: tuple[str, bool]) -> Ordering:
    """The order by ``(column name, descending)`` pairs and then by primary key.

    The key takes the direction of the last column, so that an index on the
    column and the key is read straight through, forwards or backwards. A column
    named twice counts the first time.
    """
    directions: dict[str, bool] = {}
    for name, descending in terms:
        directions.setdefault(name, descending)
    *_, last = directions.values()
    directions.setdefault("id", last)
    return _ordering(model, tuple(directions.items()))


@lru_cache(maxsize=512)
def _ordering(model: type[Base], directions: tuple[tuple[str, bool], ...]) -> Ordering:
    columns = model.__table__.c
    terms = tuple(Term(columns[name], descending) for name, descending in directions)
    return Ordering(model.__tablename__, terms)


def _compare(
    left: ColumnElement[Any], right: ColumnElement[Any], *, greater: bool, inclusive: bool
) -> ColumnElement[bool]:
    if greater:
        return left >= right if inclusive else left > right
    return left <= right if inclusive else left < right
