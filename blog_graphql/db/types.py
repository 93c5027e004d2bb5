"""Column types that behave the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Dialect, SQLColumnExpression, String, Text, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import TypeDecorator, TypeEngine

# PostgreSQL's named collation of plain code points; SQLite compares so by itself.
_CODE_POINT_COLLATION = "C"

EARLIEST = datetime.min.replace(tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)


class UTCDateTime(TypeDecorator[datetime]):
    """A moment in UTC, to the microsecond; only offset-aware datetimes go in and come out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        """What goes in and comes out."""
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC; SQLite keeps no offset, so there the text is UTC by convention."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored datetime needs an offset")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy's signature
    ) -> datetime | None:
        """Give back what was stored, with its offset."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def code_point_string(length: int) -> TypeEngine[str]:
    """A string that is ordered by code point on every database."""
    return String(length).with_variant(
        String(length, collation=_CODE_POINT_COLLATION), "postgresql"
    )


def code_point_text() -> TypeEngine[str]:
    """Unbounded text under the same order."""
    return Text().with_variant(Text(collation=_CODE_POINT_COLLATION), "postgresql")


class Extreme(ColumnElement[datetime]):
    """``EARLIEST`` or ``LATEST``, written into the SQL text as the database keeps it."""

    inherit_cache = True
    type = UTCDateTime()
    _traverse_internals = [("moment", InternalTraversal.dp_plain_obj)]  # noqa: RUF012 - SQLAlchemy's

    def __init__(self, moment: datetime) -> None:
        self.moment = moment


@compiles(Extreme)
def _compile_extreme(element: Extreme, _compiler: SQLCompiler, **_: Any) -> str:
    moment = element.moment.replace(tzinfo=None)
    return f"'{moment.isoformat(sep=' ', timespec='microseconds')}'"


@compiles(Extreme, "postgresql")
def _compile_infinity(element: Extreme, _compiler: SQLCompiler, **_: Any) -> str:
    # What asyncpg makes of the first and last datetime that Python knows.
    return "'infinity'" if element.moment == LATEST else "'-infinity'"


def nulls_last(column: SQLColumnExpression[Any], *, descending: bool) -> ColumnElement[datetime]:
    """The column as a sort key in which nulls come last in the given direction.

    A key without nulls can be compared as a whole row value, so an index on it
    serves a page in either direction on every database. The stand-in for null
    is part of the SQL text, since an index is only used for the very expression
    it was made with.
    """
    return func.coalesce(column, Extreme(EARLIEST if descending else LATEST))


def utcnow() -> datetime:
    """The current moment, with its offset."""
    return datetime.now(UTC)
