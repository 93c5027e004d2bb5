"""The application: settings in, FastAPI app out; its lifespan owns the database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, PlainTextResponse, Response
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from blog_graphql import __version__
from blog_graphql.api import graphiql
from blog_graphql.api.body_limit import BodyLimitMiddleware
from blog_graphql.api.compression import CompressionMiddleware
from blog_graphql.api.context import RATE_LIMIT_HEADERS, get_context, get_database
from blog_graphql.api.http.index import index_router, refuse_unserved
from blog_graphql.api.middleware import REQUEST_ID, MaskingMiddleware, RequestIDMiddleware
from blog_graphql.api.router import BlogRouter
from blog_graphql.api.security_headers import SecurityHeadersMiddleware
from blog_graphql.api.services import Services
from blog_graphql.db.database import Database
from blog_graphql.db.migrations import check_migrated, upgrade
from blog_graphql.db.session import database_errors
from blog_graphql.errors import BlogError
from blog_graphql.importing.demo import load_demo
from blog_graphql.logs import configure_embedded_logging, configure_logging
from blog_graphql.schema import build_schema, print_schema
from blog_graphql.settings import Settings, load_settings

log = structlog.get_logger(__name__)

DatabaseDependency = Annotated[Database, Depends(get_database)]

_ENDPOINT = "/graphql"
_READING = ["GET", "HEAD"]
# What Apollo Client is documented to send beside the operation.
_CLIENT_HEADERS = (
    "Apollo-Require-Preflight",
    "apollographql-client-name",
    "apollographql-client-version",
)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The whole server, with the settings of the environment unless others are given.

    Nothing is connected before the app starts.

    Raises:
        StartupError: a setting of the environment has a wrong value, or there is no secret key.
    """
    settings = settings or load_settings()
    configure_logging(settings)
    app = FastAPI(
        title="blog-graphql",
        version=__version__,
        docs_url=None,  # these pages load scripts from elsewhere, and GraphQL documents itself
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # these go by the Host header, and the scheme that a proxy hides
    )
    app.state.services = services = Services(settings)
    app.include_router(graphql_router(settings, services=services))
    app.include_router(index_router(settings, _ENDPOINT))
    app.include_router(_operations_router(settings))
    app.add_middleware(BodyLimitMiddleware, max_bytes=settings.max_body_bytes)
    app.add_exception_handler(HTTPException, refuse_unserved)
    app.add_middleware(MaskingMiddleware)
    app.add_middleware(CompressionMiddleware)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", REQUEST_ID, *_CLIENT_HEADERS],
            expose_headers=[REQUEST_ID, "Retry-After", *RATE_LIMIT_HEADERS],
        )
    app.add_middleware(SecurityHeadersMiddleware)
    app.add_middleware(RequestIDMiddleware)
    if settings.trusted_proxies:
        # Outermost: everything else is to see the client's own address and scheme.
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_proxies))
    return app


def graphql_router(
    settings: Settings, path: str = _ENDPOINT, *, services: Services | None = None
) -> BlogRouter:
    """The GraphQL endpoint alone, to include into an app of your own.

    Its lifespan, which ``include_router`` merges into the app's, opens the
    database as ``app.state.database`` and closes it. ``services`` are made from
    the settings unless the app has them already.

    Raises:
        StartupError: there is no secret key, and none can be made.
    """
    shared = services or Services(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        shared.prepare()
        app.state.database = database = Database(settings)
        try:
            await _prepare(database)
            yield
        finally:
            await shared.fan_out.close()
            await database.dispose()
            shared.passwords.close()

    def provide_services(connection: HTTPConnection) -> None:
        connection.state.services = shared

    configure_embedded_logging()
    router = BlogRouter(
        build_schema(introspection=settings.introspection),
        path=path,
        context_getter=get_context,
        graphql_ide="graphiql" if settings.graphiql else None,
        subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
        allowed_origins=settings.cors_origins,
        dependencies=[Depends(provide_services)],
        lifespan=lifespan,
        keep_alive_seconds=settings.keep_alive_seconds,
    )
    if settings.graphiql:
        router.add_route(f"{path.rstrip('/')}/{graphiql.ASSETS}/{{name}}", graphiql.asset)
    return router


async def _prepare(database: Database) -> None:
    """Fill a database in memory; of any other, say what is wrong with it and serve all the same.

    Not to start would take away ``/ready``, and with it the reason.
    """
    if database.settings.is_in_memory:
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

    @router.api_route("/health", methods=_READING)
    async def health() -> dict[str, str]:
        """Tell that the process is alive."""
        return {"status": "ok"}

    @router.api_route("/ready", methods=_READING)
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

        @router.api_route("/schema.graphql", methods=_READING)
        async def schema_text() -> Response:
            """Show the schema in GraphQL's own language."""
            return PlainTextResponse(print_schema())

    if settings.debug_pool:

        @router.get("/debug/pool")
        async def pool(database: DatabaseDependency) -> dict[str, int]:
            """Show how many connections the pool holds, lends and may still open."""
            return database.pool_status()

    return router
