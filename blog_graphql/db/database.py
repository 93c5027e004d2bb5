"""The engine and what hangs on it: pooled connections, transactions, timeouts."""

from __future__ import annotations

import math
import time
from asyncio import CancelledError
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from typing import Any, cast

import aiosqlite
import structlog
from sqlalchemy import Connection, ExceptionContext, Executable, Row, event
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.pool import AsyncAdaptedQueuePool, QueuePool

from blog_graphql.db.cancellation import cancelled_once, uninterrupted
from blog_graphql.db.events import AnnouncingSession, Events
from blog_graphql.db.postgresql import connect_arguments
from blog_graphql.settings import Settings

log = structlog.get_logger(__name__)

_BEGIN = "sqlite_begin"
_DEADLINE = "deadline"
# Virtual-machine steps between two looks at the clock: some microseconds of work.
_STEPS_PER_CHECK = 10_000


class Database:
    """One engine with its pool; nothing is connected before first use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.engine: AsyncEngine = create_async_engine(
            settings.url,
            echo=settings.sql_echo,
            # A password hash is a parameter too.
            hide_parameters=True,
            connect_args=_connect_args(settings),
            **_pool_options(settings),
        )
        if settings.is_embedded:
            _prepare_sqlite(self.engine, settings)
            reading: dict[str, Any] = {_BEGIN: None}
            snapshot: dict[str, Any] = {_BEGIN: "BEGIN"}
        else:
            reading = {"isolation_level": "AUTOCOMMIT"}
            snapshot = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reading = self.engine.execution_options(**reading)
        self._snapshot = self.engine.execution_options(**snapshot)
        self._sessions = async_sessionmaker(
            self.engine, expire_on_commit=False, sync_session_class=AnnouncingSession
        )
        self.events = Events(settings, self._fetch)

    async def connect(self, *, snapshot: bool = False) -> AsyncConnection:
        """A pooled connection for reading; the caller closes it.

        Each statement stands by itself, or with ``snapshot`` all see the same
        moment.
        """
        return await (self._snapshot if snapshot else self._reading).connect().start()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session in one transaction: commits when the block ends, rolls back when it raises.

        What was announced on it reaches subscribers with the commit.
        A cancellation ends the statement that runs and rolls back; one that comes
        during the commit is raised after it.
        """
        started = time.perf_counter()
        outcome = "rolled back"
        session = self._sessions()

        async def commit() -> None:
            nonlocal outcome
            await session.commit()
            outcome = "committed"
            self.events.committed(session)

        try:
            yield session
            await session.flush()
            await self.events.send(session)
            await uninterrupted(commit())
        finally:
            await uninterrupted(session.close())
            elapsed = round((time.perf_counter() - started) * 1000, 1)
            log.debug("transaction", outcome=outcome, duration_ms=elapsed)

    async def _fetch(self, statement: Executable, **parameters: Any) -> Sequence[Row[Any]]:
        """Every row of a statement that belongs to no operation."""

        async def fetch() -> Sequence[Row[Any]]:
            connection = await self.connect()
            try:
                return (await connection.execute(statement, parameters)).all()
            finally:
                await uninterrupted(connection.close())

        # A second cancellation would leave an SQLite file that was being opened half closed.
        return await cancelled_once(fetch())

    def pool_status(self) -> dict[str, int]:
        """How many connections the pool holds, lends and may still open."""
        pool = cast("QueuePool", self.engine.pool)
        return {
            "size": pool.size(),
            "maxOverflow": pool._max_overflow,  # noqa: SLF001 - no public reader exists
            "checkedIn": pool.checkedin(),
            "checkedOut": pool.checkedout(),
            "overflow": max(pool.overflow(), 0),
        }

    async def dispose(self) -> None:
        """End all subscriptions, and close every connection."""
        await self.events.close()
        await self.engine.dispose()


def _pool_options(settings: Settings) -> dict[str, Any]:
    if settings.is_in_memory:
        # The one connection is the database: it is never opened twice, nor replaced.
        return {
            "poolclass": AsyncAdaptedQueuePool,
            "pool_size": 1,
            "max_overflow": 0,
            "pool_timeout": settings.pool_timeout,
        }
    return {
        "pool_size": settings.pool_size,
        "max_overflow": settings.pool_max_overflow,
        "pool_timeout": settings.pool_timeout,
        "pool_recycle": settings.pool_recycle,
        "pool_pre_ping": settings.pool_pre_ping,
        # The connection that was used last is warm; the others may be closed by the server.
        "pool_use_lifo": True,
    }


def _connect_args(settings: Settings) -> dict[str, Any]:
    if settings.is_embedded:
        return {"async_creator_fn": _open_sqlite}
    return connect_arguments(settings)


async def _open_sqlite(*args: Any, **kwargs: Any) -> aiosqlite.Connection:
    """Open a file; whoever is cancelled meanwhile leaves nothing open, though a thread opens it."""
    connection = aiosqlite.connect(*args, **kwargs)
    # As SQLAlchemy has it: a connection that nobody closed does not keep the process.
    connection._thread.daemon = True  # noqa: SLF001 - there is no public way

    async def opened() -> aiosqlite.Connection:
        return await connection

    try:
        return await uninterrupted(opened())
    except CancelledError:
        await uninterrupted(connection.close())
        raise


def _prepare_sqlite(engine: AsyncEngine, settings: Settings) -> None:
    """Give SQLite what PostgreSQL has: foreign keys, real transactions, a statement timeout."""
    # Nothing interrupts SQLite while it waits for a lock.
    patience = round(1000 * min(settings.statement_timeout, settings.operation_timeout))
    pragmas = ["foreign_keys = ON", f"busy_timeout = {patience}"]
    if not settings.is_in_memory:
        # Readers do not wait for a writer, nor it for them.
        pragmas += ["journal_mode = WAL", "synchronous = NORMAL"]

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, record: Any) -> None:
        try:
            # Transactions are begun below, so that savepoints and DDL take part in them.
            connection.isolation_level = None
            with closing(connection.cursor()) as cursor:
                for pragma in pragmas:
                    cursor.execute(f"PRAGMA {pragma}")
            _heed_deadline(connection, record.info)
        except BaseException:
            # The pool does not know of the connection yet, and will not close it.
            connection.close()
            raise

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes the lock at once: upgrading a read transaction can only fail.
        statement = connection.get_execution_options().get(_BEGIN, "BEGIN IMMEDIATE")
        if statement is not None:
            connection.exec_driver_sql(statement)

    _limit_statements(engine, settings.statement_timeout)


def _heed_deadline(connection: Any, info: dict[str, Any]) -> None:
    """Have SQLite interrupt the running statement once the deadline in ``info`` has passed."""
    info[_DEADLINE] = math.inf

    def is_overdue() -> bool:
        return bool(time.monotonic() > info[_DEADLINE])

    connection.run_async(lambda driver: driver.set_progress_handler(is_overdue, _STEPS_PER_CHECK))


def _limit_statements(engine: AsyncEngine, timeout: float) -> None:
    """Interrupt a statement that runs longer than ``timeout`` seconds, or is cancelled."""

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def start(connection: Connection, *_: Any) -> None:
        connection.info[_DEADLINE] = time.monotonic() + timeout

    @event.listens_for(engine.sync_engine, "handle_error")
    def interrupt(context: ExceptionContext) -> None:
        connection = context.connection
        if connection is None or not isinstance(context.original_exception, CancelledError):
            return
        # The statement runs on in its thread. SQLAlchemy would drop the connection, which in
        # memory is the database; instead it is used again as soon as the statement has ended.
        connection.info[_DEADLINE] = -math.inf
        context.is_disconnect = False
