"""The session context: one operation's way to the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeAlias

import structlog
from sqlalchemy import Executable, Row, exc
from sqlalchemy.ext.asyncio import AsyncConnection

from blog_graphql.db.cancellation import uninterrupted
from blog_graphql.db.database import Database
from blog_graphql.errors import BlogError, ServiceUnavailable, StatementTimeout

log = structlog.get_logger(__name__)

# PostgreSQL's SQLSTATE for a cancelled statement (appendix A of its manual).
_QUERY_CANCELED = "57014"

_OVER = "the operation is over"

AnyRow: TypeAlias = Row[*tuple[Any, ...]]


class SessionContext:
    """What the resolvers and loaders of one operation share.

    It borrows a pooled connection at the first statement and returns it in
    ``release`` or ``close``. Statements run one after another on that single
    connection, so a pool of one serves any query. Once the database could not be
    reached, every further statement fails at once instead of waiting again.

    A field that fails may leave its siblings running when the operation has
    been answered, so ``close`` is final: the statement that still runs is
    cancelled, and those who wait for one or ask for another are refused.
    """

    def __init__(self, database: Database, *, snapshot: bool = False) -> None:
        self.statements = 0
        self._database = database
        self._snapshot = snapshot
        self._connection: AsyncConnection | None = None
        self._failure: ServiceUnavailable | None = None
        self._closed = False
        self._lock = asyncio.Lock()
        self._fetching: set[asyncio.Task[Sequence[AnyRow]]] = set()

    @property
    def seeks_row_values(self) -> bool:
        """Whether the database finds a row value in an index; SQLite looks at its first part."""
        return not self._database.settings.is_embedded

    async def fetch(self, statement: Executable, **parameters: Any) -> Sequence[AnyRow]:
        """Every row of a statement.

        Raises:
            ServiceUnavailable: no connection within the pool's timeout.
            StatementTimeout: the statement ran too long and was cancelled.
            RuntimeError: the session was closed meanwhile.
        """
        # A field that fails cancels its siblings, and a statement that is cancelled on the way
        # breaks the connection that all of them share: it runs in a task of its own.
        task = asyncio.create_task(self._fetch(statement, parameters))
        self._fetching.add(task)
        task.add_done_callback(self._end_fetching)
        await asyncio.wait([task])
        if task.cancelled():
            raise RuntimeError(_OVER)
        return task.result()

    async def scalar(self, statement: Executable, **parameters: Any) -> Any:
        """The first column of the only row of a statement."""
        return (await self.fetch(statement, **parameters))[0][0]

    async def release(self) -> None:
        """Give the connection back until the next statement, once the running one has ended."""
        async with self._lock:
            await uninterrupted(self._give_back())

    @asynccontextmanager
    async def suspended(self) -> AsyncIterator[None]:
        """Hold no connection inside the block, so that a transaction fits into a pool of one.

        Statements that are asked for meanwhile wait, since a failed field may have
        left some behind: they would see what was before the transaction. Those up
        to the next release, or the end, all see one moment after the block.
        """
        async with self._lock:
            await uninterrupted(self._give_back())
            yield
            self._snapshot = True

    async def close(self) -> None:
        """Give the connection back for good, ending the statement that still runs."""
        self._closed = True
        for task in self._fetching:
            task.cancel()
        await uninterrupted(self._close())

    async def _close(self) -> None:
        if self._fetching:
            await asyncio.wait(self._fetching)
        await self._give_back()

    async def _give_back(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()

    def _end_fetching(self, task: asyncio.Task[Sequence[AnyRow]]) -> None:
        self._fetching.discard(task)
        # Whoever waited for it may be gone: asyncio is not to log what it raised.
        if not task.cancelled():
            task.exception()

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
            raise RuntimeError(_OVER)
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
        await session.close()


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
