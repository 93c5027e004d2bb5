"""Writing: one function, one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from blog_graphql.db.cancellation import cancelled_once
from blog_graphql.db.database import Database
from blog_graphql.db.session import database_errors
from blog_graphql.errors import ServiceUnavailable

ResultT = TypeVar("ResultT")

# PostgreSQL's SQLSTATEs for a transaction that only has to be run again (appendix A of its
# manual): serialization_failure and deadlock_detected.
_TRANSIENT = {"40001", "40P01"}
_MOST_ATTEMPTS = 5


async def transact(
    database: Database, operation: Callable[[AsyncSession], Awaitable[ResultT]]
) -> ResultT:
    """The operation's result, committed; what it raises rolls everything back.

    It may be called again when its transaction collided with another one, so
    it must do nothing but work on the session.

    Raises:
        ServiceUnavailable: no connection could be had, or it collided every time.
        StatementTimeout: a statement ran too long.
    """
    for _ in range(_MOST_ATTEMPTS):
        try:
            return await cancelled_once(_attempt(database, operation))
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _TRANSIENT:
                raise
    raise ServiceUnavailable("Others are writing the same things. Try again shortly.")


async def _attempt(
    database: Database, operation: Callable[[AsyncSession], Awaitable[ResultT]]
) -> ResultT:
    with database_errors():
        async with database.transaction() as session:
            return await operation(session)
