"""The session context: one operation's way to the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeAlias

import structlog
from sqlalchemy import Executable, Row, exc
from sqlalchemy.ext.asyncio import AsyncConnection

from blog_graphql.db.database import Database
from blog_graphql.errors import BlogError, ServiceUnavailable, StatementTimeout

log = structlog.get_logger(__name__)

# PostgreSQL's SQLSTATE for a cancelled statement (appendix A of its manual).
_QUERY_CANCELED = "57014"


AnyRow: TypeAlias = Row[*tuple[Any, ...]]


class SessionContext:
    """What the resolvers and loaders of one operation share.

    It borrows a pooled connection at the first statement and returns it in
    ``close``. Statements run one after another on that single connection, so a
    pool of one serves any query. Once the database could not be reached, every
    further statement fails at once instead of waiting again.

    A field that fails may leave its siblings running when the operation has
    been answered, so ``close`` is final: what they ask for then is refused.
    """

    def __init__(self, database: Database, *, snapshot: bool = False) -> None:
        self.statements = 0
        self._database = database
        self._snapshot = snapshot
        self._connection: AsyncConnection | None = None
        self._failure: ServiceUnavailable | None = None
        self._closed = False
        self._lock = asyncio.Lock()

    @property
    def seeks_row_values(self) -> bool:
        """Whether the database finds a row value in an index; SQLite looks at its first part."""
        return not self._database.settings.is_embedded

    async def fetch(self, statement: Executable, **parameters: Any) -> Sequence[AnyRow]:
        """Every row of a statement.

        Raises:
            ServiceUnavailable: no connection within the pool's timeout.
            StatementTimeout: the statement ran too long and was cancelled.
        """
        # A field that fails cancels its siblings, and a statement that is cancelled on the way
        # breaks the connection that all of them share.
        return await asyncio.shield(self._fetch(statement, parameters))

    async def scalar(self, statement: Executable, **parameters: Any) -> Any:
        """The first column of the only row of a statement."""
        return (await self.fetch(statement, **parameters))[0][0]

    async def close(self) -> None:
        """Give the connection back to the pool, once the statement that uses it has ended."""
        async with self._lock:
            self._closed = True
            if self._connection is not None:
                connection, self._connection = self._connection, None
                await connection.close()

    async def _fetch(self, statement: Executable, parameters: dict[str, Any]) -> Sequence[AnyRow]:
        async with self._lock:
            connection = await self._connect()
            self.statements += 1
            try:
                with database_errors():
                    return (await connection.execute(statement, parameters)).all()
            except ServiceUnavailable as failure:
                self._failure = failure
                raise
            except StatementTimeout:
                # On a snapshot the transaction is lost; nothing else can be read in it.
                await connection.rollback()
                raise

    async def _connect(self) -> AsyncConnection:
        if self._closed:
            raise RuntimeError("the operation is over")
        if self._failure is not None:
            raise self._failure
        if self._connection is None:
            try:
                with database_errors():
                    self._connection = await self._database.connect(snapshot=self._snapshot)
            except ServiceUnavailable as failure:
                log.warning("no database connection", cause=str(failure.__cause__))
                self._failure = failure
                raise
        return self._connection


@asynccontextmanager
async def session_context(
    database: Database, *, snapshot: bool = False
) -> AsyncIterator[SessionContext]:
    """A session context that is closed when the block ends, however it ends."""
    session = SessionContext(database, snapshot=snapshot)
    try:
        yield session
    finally:
        # A cancelled operation gives its connection back as well.
        await asyncio.shield(session.close())


@contextmanager
def database_errors() -> Iterator[None]:
    """Raise what the database refuses inside the block as errors of our own.

    Raises:
        ServiceUnavailable: no connection could be had, or it broke.
        StatementTimeout: the statement was cancelled.
    """
    try:
        yield
    except (exc.TimeoutError, OSError, exc.DBAPIError) as error:
        translation = translate(error)
        if translation is None:
            raise
        raise translation from error


def translate(error: Exception) -> BlogError | None:
    """What an error of the database means to a client, or None for a bug of ours."""
    if isinstance(error, exc.TimeoutError):
        return ServiceUnavailable("Every database connection is in use. Try again shortly.")
    if _is_locked(error):
        return ServiceUnavailable("The database is busy. Try again shortly.")
    if _is_cancelled(error):
        return StatementTimeout("The database took too long to answer. Ask for less at once.")
    if _is_unreachable(error):
        return ServiceUnavailable("The database cannot be reached. Try again shortly.")
    return None


def _is_locked(error: Exception) -> bool:
    """Whether SQLite waited in vain for somebody else's transaction to end."""
    return str(getattr(error, "orig", None)) == "database is locked"


def _is_cancelled(error: Exception) -> bool:
    cause = getattr(error, "orig", None)
    return getattr(cause, "sqlstate", None) == _QUERY_CANCELED or str(cause) == "interrupted"


def _is_unreachable(error: Exception) -> bool:
    if not isinstance(error, exc.DBAPIError):
        return isinstance(error, OSError)
    # Without a statement the error is that of connecting.
    return error.connection_invalidated or error.statement is None
