"""Who asks, and what one operation's resolvers share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Concatenate, ParamSpec, TypeAlias, TypeVar

import strawberry
from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection
from strawberry.fastapi import BaseContext

from blog_graphql.api.authentication import Authentication, BearerAuthentication
from blog_graphql.api.services import Services
from blog_graphql.api.throttle import Budget, address_key
from blog_graphql.db.database import Database
from blog_graphql.db.session import SessionContext, session_context
from blog_graphql.db.types import utcnow
from blog_graphql.db.visibility import ANONYMOUS, Viewer, Visibility
from blog_graphql.db.writing import transact
from blog_graphql.errors import Unauthenticated
from blog_graphql.loaders import Loaders

Clock: TypeAlias = Callable[[], datetime]

RATE_LIMIT_HEADERS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")

Arguments = ParamSpec("Arguments")
ResultT = TypeVar("ResultT")


@dataclass(slots=True)
class Context:
    """What the resolvers of one operation share; made anew for each operation.

    Nobody is signed in before ``authenticate``.
    """

    request: RequestContext
    session: SessionContext
    visibility: Visibility
    loaders: Loaders
    budget: Budget | None = None
    tolerant: bool = False
    has_written: bool = False
    _is_outdated: bool = False

    @property
    def viewer(self) -> Viewer:
        """Who is asking."""
        return self.visibility.viewer

    @property
    def now(self) -> datetime:
        """The moment at which the operation, or the mutation in it, takes place."""
        return self.visibility.now

    @property
    def services(self) -> Services:
        """What does not belong to this operation alone."""
        return self.request.services

    async def authenticate(self) -> None:
        """Find out who is asking, in one statement.

        Raises:
            Unauthenticated: a credential was given that does not hold.
        """
        now = self.request.clock()
        try:
            viewer = await self.request.authentication.viewer(self.session, now)
        except Unauthenticated:
            if not self.tolerant:
                raise
            viewer = ANONYMOUS
        self.look_as(viewer, now)

    def look_as(self, viewer: Viewer, now: datetime) -> None:
        """Read as somebody from here on; what was read before is forgotten."""
        self.visibility = Visibility(viewer, now)
        self.loaders = Loaders(self.session, self.visibility)

    async def begin_mutation(self) -> Viewer:
        """Who calls a mutation; asked anew when one before it in the operation wrote."""
        if self._is_outdated:
            await self.session.release()
            await self.authenticate()
            # Only now: where nobody holds the credential any more, the next mutation asks again.
            self._is_outdated = False
        return self.viewer

    async def write(
        self,
        service: Callable[Concatenate[AsyncSession, Visibility, Arguments], Awaitable[ResultT]],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> ResultT:
        """Run a service in a transaction of its own, for the viewer; see ``transact``.

        What is read afterwards is read at one moment: what was written cannot
        vanish while it is answered.
        """

        async def run(session: AsyncSession) -> ResultT:
            # By the time that it is when a connection was free.
            clock = self.request.clock
            visibility = Visibility(self.viewer, clock(), clock)
            return await service(session, visibility, *args, **kwargs)

        async with self.session.suspended():
            result = await transact(self.request.database, run)
        self.has_written = self._is_outdated = True
        self.look_as(self.viewer, self.request.clock())
        return result


Info: TypeAlias = strawberry.Info[Context, None]


class RequestContext(BaseContext):
    """What a request, or a socket with many operations, brings along."""

    def __init__(
        self,
        database: Database,
        services: Services,
        authentication: Authentication,
        clock: Clock,
        address: str,
    ) -> None:
        super().__init__()
        self.database = database
        self.services = services
        self.authentication = authentication
        self.clock = clock
        self.address = address

    @asynccontextmanager
    async def operation(
        self, *, snapshot: bool = False, budget: Budget | None = None, tolerant: bool = False
    ) -> AsyncIterator[Context]:
        """A context for one operation, whose connection is returned when it ends.

        ``budget`` is what the operation has spent from; a ``tolerant`` one goes
        on without a viewer when the credential does not hold.
        """
        async with session_context(self.database, snapshot=snapshot) as session:
            visibility = Visibility(ANONYMOUS, self.clock())
            loaders = Loaders(session, visibility)
            yield Context(self, session, visibility, loaders, budget, tolerant)

    async def sign_in(self, authorization: Any) -> None:
        """Take a socket's credential, which stands for the header that browsers cannot send.

        Raises:
            Unauthenticated: it does not hold.
        """
        if authorization is not None:
            self.authentication = BearerAuthentication(self.services.tokens, str(authorization))
        async with self.operation() as context:
            await context.authenticate()

    def announce(self, budget: Budget | None) -> None:
        """Tell the client in headers what it may still spend."""
        if budget is not None and self.response is not None:
            values = map(str, (budget.limit, budget.remaining, budget.retry_after))
            self.response.headers.update(dict(zip(RATE_LIMIT_HEADERS, values, strict=True)))


def get_database(connection: HTTPConnection) -> Database:
    """The application's database; override this dependency to replace it."""
    database: Database = connection.app.state.database
    return database


def get_services(connection: HTTPConnection) -> Services:
    """What the router's operations share besides the database."""
    services: Services = connection.state.services
    return services


def get_clock() -> Clock:
    """What tells the time, for visibility, sessions and statistics."""
    return utcnow


def get_authentication(
    connection: HTTPConnection, services: Annotated[Services, Depends(get_services)]
) -> Authentication:
    """Who sends the request; override this dependency to sign in by other means."""
    return BearerAuthentication(services.tokens, connection.headers.get("Authorization"))


async def get_session(
    database: Annotated[Database, Depends(get_database)],
) -> AsyncIterator[SessionContext]:
    """A session context for a plain HTTP route, closed after the answer."""
    async with session_context(database) as session:
        yield session


def get_context(
    connection: HTTPConnection,
    database: Annotated[Database, Depends(get_database)],
    services: Annotated[Services, Depends(get_services)],
    authentication: Annotated[Authentication, Depends(get_authentication)],
    clock: Annotated[Clock, Depends(get_clock)],
) -> RequestContext:
    """The context that the GraphQL router hands to operations."""
    address = address_key(connection.client.host if connection.client else None)
    return RequestContext(database, services, authentication, clock, address)
