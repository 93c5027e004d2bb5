"""Who asks, and what one operation's resolvers share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeAlias

import strawberry
from fastapi import Depends
from starlette.requests import HTTPConnection
from strawberry.fastapi import BaseContext

from blog_graphql.db.database import Database
from blog_graphql.db.session import SessionContext, session_context
from blog_graphql.db.types import utcnow
from blog_graphql.db.visibility import ANONYMOUS, Viewer, Visibility
from blog_graphql.loaders import Loaders


@dataclass(slots=True)
class Context:
    """What the resolvers of one operation share; made anew for each operation."""

    session: SessionContext
    loaders: Loaders
    visibility: Visibility
    operation_name: str | None = None

    @property
    def viewer(self) -> Viewer:
        """Who is asking."""
        return self.visibility.viewer


Info: TypeAlias = strawberry.Info[Context, None]


class RequestContext(BaseContext):
    """What a request, or a socket with many operations, brings along."""

    def __init__(
        self, database: Database, viewer: Viewer, clock: Callable[[], datetime] = utcnow
    ) -> None:
        super().__init__()
        self.database = database
        self.viewer = viewer
        self.clock = clock

    @asynccontextmanager
    async def operation(self, *, snapshot: bool = False) -> AsyncIterator[Context]:
        """A context for one operation, whose connection is returned when it ends."""
        async with session_context(self.database, snapshot=snapshot) as session:
            visibility = Visibility(self.viewer, self.clock())
            yield Context(session, Loaders(session, visibility), visibility)


def get_database(connection: HTTPConnection) -> Database:
    """The application's database; override this dependency to replace it."""
    database: Database = connection.app.state.database
    return database


def get_viewer() -> Viewer:
    """Who is asking: nobody is signed in yet."""
    return ANONYMOUS


def get_clock() -> Callable[[], datetime]:
    """What tells the time, for visibility and statistics."""
    return utcnow


async def get_session(
    database: Annotated[Database, Depends(get_database)],
) -> AsyncIterator[SessionContext]:
    """A session context for a plain HTTP route, closed after the answer."""
    async with session_context(database) as session:
        yield session


def get_context(
    database: Annotated[Database, Depends(get_database)],
    viewer: Annotated[Viewer, Depends(get_viewer)],
    clock: Annotated[Callable[[], datetime], Depends(get_clock)],
) -> RequestContext:
    """The context that the GraphQL router hands to operations."""
    return RequestContext(database, viewer, clock)
