"""What only PostgreSQL is told: how a connection is made, and notices to its listeners."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import text

from blog_graphql.settings import Settings

# What an integer column holds.
LARGEST_KEY = 2**31 - 1

# Sends payloads to channels; they arrive with the commit.
NOTIFY = text(
    "SELECT count(pg_notify(channel, payload)) FROM "
    "unnest(CAST(:channels AS text[]), CAST(:payloads AS text[])) AS notices (channel, payload)"
)
# Options of a URL that SQLAlchemy takes for itself.
_SQLALCHEMY = (
    "async_fallback",
    "prepared_statement_cache_size",
    "prepared_statement_name_func",
)


def connect_arguments(settings: Settings) -> dict[str, Any]:
    """What asyncpg is told about every connection, beside the URL."""
    return {
        "timeout": settings.pool_timeout,
        "server_settings": {
            "application_name": "blog-graphql",
            "statement_timeout": str(round(settings.statement_timeout * 1000)),
            "timezone": "UTC",
        },
    }


def listening_arguments(settings: Settings) -> dict[str, Any]:
    """What asyncpg is told to connect by itself for listening."""
    url = settings.listen_url
    _, options = url.get_dialect()().create_connect_args(url)
    own = {name: value for name, value in options.items() if name not in _SQLALCHEMY}
    return own | connect_arguments(settings)


def notices(announcements: Iterable[tuple[str, int]]) -> dict[str, list[str]]:
    """The parameters of ``NOTIFY`` for channels and keys of posts."""
    channels, payloads = zip(*((channel, str(key)) for channel, key in announcements), strict=True)
    return {"channels": list(channels), "payloads": list(payloads)}
