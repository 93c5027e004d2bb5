"""The application: settings in, FastAPI app out; its lifespan owns the database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from sqlalchemy.exc import DBAPIError
from starlette.responses import JSONResponse, PlainTextResponse, Response

from blog_graphql import __version__
from blog_graphql.api.context import get_context, get_database
from blog_graphql.api.middleware import REQUEST_ID, MaskingMiddleware, RequestIDMiddleware
from blog_graphql.api.router import BlogRouter
from blog_graphql.db.database import Database, is_in_memory
from blog_graphql.db.migrations import check_migrated, upgrade
from blog_graphql.db.session import database_errors
from blog_graphql.errors import BlogError
from blog_graphql.importing.demo import load_demo
from blog_graphql.logs import configure_embedded_logging, configure_logging
from blog_graphql.schema import build_schema, print_schema
from blog_graphql.settings import Settings, load_settings

log = structlog.get_logger(__name__)

DatabaseDependency = Annotated[Database, Depends(get_database)]


def create_app(settings: Settings | None = None) -> FastAPI:
    """The whole server, with the settings of the environment unless others are given.

    Nothing is connected before the app starts.

    Raises:
        StartupError: a setting of the environment has a wrong value.
    """
    settings = settings or load_settings()
    configure_logging(settings)
    app = FastAPI(
        title="blog-graphql",
        version=__version__,
        docs_url=None,  # these pages load scripts from elsewhere, and GraphQL documents itself
        redoc_url=None,
        openapi_url=None,
    )
    app.include_router(graphql_router(settings))
    app.include_router(_operations_router(settings))
    app.add_middleware(MaskingMiddleware)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", REQUEST_ID],
            expose_headers=[REQUEST_ID],
        )
    app.add_middleware(RequestIDMiddleware)
    return app


def graphql_router(settings: Settings, path: str = "/graphql") -> BlogRouter:
    """The GraphQL endpoint alone, to include into an app of your own.

    Its lifespan, which ``include_router`` merges into the app's, opens the
    database as ``app.state.database`` and closes it.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.database = database = Database(settings)
        try:
            await _prepare(database)
            yield
        finally:
            await database.dispose()

    configure_embedded_logging()
    return BlogRouter(
        build_schema(introspection=settings.introspection),
        path=path,
        context_getter=get_context,
        graphql_ide="graphiql" if settings.graphiql else None,
        subscription_protocols=(),
        lifespan=lifespan,
    )


async def _prepare(database: Database) -> None:
    """Fill a database in memory; of any other, say what is wrong with it and serve all the same.

    Not to start would take away ``/ready``, and with it the reason.
    """
    if is_in_memory(database.settings):
        await upgrade(database)
        if database.settings.demo:
            await load_demo(database)
        return
    try:
        with database_errors():
            await check_migrated(database)
    except (BlogError, DBAPIError) as error:
        log.warning("the database is not ready", reason=str(error))


def _operations_router(settings: Settings) -> APIRouter:
    """What operators and tools ask: the schema's text, health, readiness, the pool."""
    router = APIRouter()

    @router.get("/health")
    async def health() -> dict[str, str]:
        """Tell that the process is alive."""
        return {"status": "ok"}

    @router.get("/ready")
    async def ready(database: DatabaseDependency) -> Response:
        """Tell whether the database is reachable and migrated, or why not."""
        try:
            with database_errors():
                await check_migrated(database)
        except BlogError as error:
            return JSONResponse({"status": "unavailable", "reason": str(error)}, 503)
        except DBAPIError:
            log.exception("the revision cannot be read")
            reason = "the database does not tell its revision"
            return JSONResponse({"status": "unavailable", "reason": reason}, 503)
        return JSONResponse({"status": "ready"})

    if settings.introspection:

        @router.get("/schema.graphql")
        async def schema_text() -> Response:
            """Show the schema in GraphQL's own language."""
            return PlainTextResponse(print_schema())

    if settings.debug_pool:

        @router.get("/debug/pool")
        async def pool(database: DatabaseDependency) -> dict[str, int]:
            """Show how many connections the pool holds, lends and may still open."""
            return database.pool_status()

    return router
