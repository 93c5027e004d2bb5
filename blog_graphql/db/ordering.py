"""Total orders over rows, and the positions in them that cursors name.

Every ordering ends with the primary key, so no two rows share a position and a
page is "the rows beyond this position": a keyset, whose cost does not grow with
the page number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, and_, literal, or_, tuple_

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

    def order_by(self, *, backward: bool) -> list[ColumnElement[Any]]:
        """The ORDER BY clause, reversed to read a page from its end."""
        return [
            term.expression.desc() if term.descending != backward else term.expression.asc()
            for term in self.terms
        ]

    def position(self, row: Any) -> Position:
        """Where a row stands in this order."""
        return tuple(term.value(row) for term in self.terms)

    def after(self, position: Position, *, inclusive: bool = False) -> ColumnElement[bool]:
        """The rows that follow a position, or stand at it as well when ``inclusive``."""
        return self._beyond(position, forward=True, inclusive=inclusive)

    def before(self, position: Position, *, inclusive: bool = False) -> ColumnElement[bool]:
        """The rows that precede a position, or stand at it as well when ``inclusive``."""
        return self._beyond(position, forward=False, inclusive=inclusive)

    def _beyond(self, position: Position, *, forward: bool, inclusive: bool) -> ColumnElement[bool]:
        columns = [term.expression for term in self.terms]
        bounds = [
            literal(value, term.column.type)
            for term, value in zip(self.terms, position, strict=True)
        ]
        greater = [term.descending != forward for term in self.terms]
        if len(set(greater)) == 1:
            return _row_value(columns, bounds, greater=greater[0], inclusive=inclusive)
        return _lexicographic(columns, bounds, greater, inclusive=inclusive)


@lru_cache(maxsize=512)
def ordering(model: type[Base], *terms: tuple[str, bool]) -> Ordering:
    """The order by ``(column name, descending)`` pairs and then by primary key.

    The key takes the direction of the last column, so that an index on the
    column and the key is read straight through, forwards or backwards. A column
    named twice counts the first time.
    """
    directions: dict[str, bool] = {}
    for name, descending in terms:
        directions.setdefault(name, descending)
    directions.setdefault("id", terms[-1][1])
    columns = model.__table__.c
    return Ordering(
        model.__tablename__,
        tuple(Term(columns[name], descending) for name, descending in directions.items()),
    )


def _row_value(
    columns: Sequence[ColumnElement[Any]],
    bounds: Sequence[ColumnElement[Any]],
    *,
    greater: bool,
    inclusive: bool,
) -> ColumnElement[bool]:
    """Compare as one row value, which both databases answer from one index range."""
    left, right = tuple_(*columns), tuple_(*bounds)
    if greater:
        return left >= right if inclusive else left > right
    return left <= right if inclusive else left < right


def _lexicographic(
    columns: Sequence[ColumnElement[Any]],
    bounds: Sequence[ColumnElement[Any]],
    greater: Sequence[bool],
    *,
    inclusive: bool,
) -> ColumnElement[bool]:
    """The same comparison where columns run in different directions.

    ``a >= x AND (a > x OR (a = x AND …))``: the first half, though implied by
    the second, is what lets an index on the first column narrow the rows.
    """
    column, bound = columns[0], bounds[0]
    strict = column > bound if greater[0] else column < bound
    loose = column >= bound if greater[0] else column <= bound
    if len(columns) == 1:
        return loose if inclusive else strict
    rest = _lexicographic(columns[1:], bounds[1:], greater[1:], inclusive=inclusive)
    return and_(loose, or_(strict, and_(column == bound, rest)))
