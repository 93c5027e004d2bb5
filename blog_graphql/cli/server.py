"""``blog-graphql serve`` and ``export-schema``."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvicorn
from uvicorn.supervisors import ChangeReload, Multiprocess

from blog_graphql.api.http.protocol import HTTPProtocol
from blog_graphql.api.socket_protocol import SocketProtocol
from blog_graphql.app import create_app
from blog_graphql.cli.database import open_database
from blog_graphql.errors import StartupError
from blog_graphql.importing.demo import load_demo
from blog_graphql.importing.importer import is_empty
from blog_graphql.logs import configure_logging
from blog_graphql.schema import print_schema
from blog_graphql.security.secret_key import load_secret_keys
from blog_graphql.settings import Settings, load_settings

log = structlog.get_logger(__name__)

# Seconds that a connection may lie idle; proxies keep theirs for up to 60, and one that the server
# closes first costs the request that is on its way.
_IDLE = 75


def serve(
    host: Annotated[str | None, typer.Option(help="Instead of BLOG_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Instead of BLOG_PORT; 0 is any.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="How many processes serve.")] = 1,
    reload: Annotated[
        bool, typer.Option("--reload", help="Restart when the code changes, for development.")
    ] = False,
) -> None:
    """Serve the blog.

    An SQLite file is made, migrated and, when empty, given the demo blog first.
    A server database must be migrated already: see [bold]db upgrade[/bold].
    """
    if reload and workers > 1:
        raise StartupError("--reload serves with one process: leave --workers out")
    given = {"host": host, "port": port}
    settings = load_settings(**{name: value for name, value in given.items() if value is not None})
    configure_logging(settings)
    with _listen(settings) as listener:
        if not settings.is_in_memory:
            asyncio.run(_prepare(settings))
        # Here, so that all workers find one, or none of them starts.
        load_secret_keys(settings)
        _announce(settings, listener)
        _run(settings, listener, workers=workers, reload=reload)


def _listen(settings: Settings) -> socket.socket:
    """A listening socket, so that a taken port is known before anything else is done."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # With the protocol named, asyncio sends each write at once instead of collecting them.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.set_inheritable(True)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise StartupError(
            f"cannot listen on {settings.host} port {settings.port}: {error.strerror}; "
            "choose another with --host and --port, or BLOG_HOST and BLOG_PORT"
        ) from error
    return listener


async def _prepare(settings: Settings) -> None:
    async with open_database(settings) as database:
        if settings.is_embedded and settings.demo and await is_empty(database):
            summary = await load_demo(database)
            log.info("loaded the demo blog into an empty database", posts=summary.created)


def _announce(settings: Settings, listener: socket.socket) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    what = "GraphiQL" if settings.graphiql else "GraphQL"
    typer.echo(f"{what} is at http://{host}:{listener.getsockname()[1]}/graphql")


def _run(settings: Settings, listener: socket.socket, *, workers: int, reload: bool) -> None:
    single = workers == 1 and not reload
    config = uvicorn.Config(
        create_app(settings) if single else "blog_graphql.app:create_app",
        factory=not single,
        workers=workers,
        reload=reload,
        http=HTTPProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        # The app believes BLOG_TRUSTED_PROXIES alone.
        proxy_headers=False,
        ws=SocketProtocol,
        ws_max_size=settings.max_body_bytes,
        ws_ping_interval=settings.keep_alive_seconds,
        ws_ping_timeout=settings.keep_alive_seconds,
        # It takes tens of kilobytes a socket, and events are small.
        ws_per_message_deflate=False,
        timeout_keep_alive=_IDLE,
        timeout_graceful_shutdown=settings.shutdown_timeout,
        # A worker answers once it has imported everything, which a busy machine takes its time for.
        timeout_worker_healthcheck=60,
    )
    server = uvicorn.Server(config)
    if reload:
        ChangeReload(config, target=server.run, sockets=[listener]).run()
    elif workers > 1:
        Multiprocess(config, sockets=[listener]).run()
    else:
        # Uvicorn raises the signal again when it has drained; to have ended well is no failure.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        server.run(sockets=[listener])
        if not server.started:
            raise StartupError("the server did not start; the log says why")


def export_schema(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file, instead of standard output.")
    ] = None,
) -> None:
    """Print the GraphQL schema, sorted and with descriptions."""
    if output is None:
        typer.echo(print_schema(), nl=False)
    else:
        try:
            output.write_text(print_schema(), encoding="utf-8")
        except OSError as error:
            raise StartupError(f"cannot write {output}: {error.strerror}") from error
