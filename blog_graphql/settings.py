"""The server's settings: one frozen object, read from ``BLOG_*`` and ``.env``."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from blog_graphql.errors import StartupError

_DRIVERS = {
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
}


# What PostgreSQL counts to in milliseconds, in seconds: some 24 days.
_LONGEST_TIMEOUT = 2_000_000
_ORIGIN = re.compile(
    r"\*|(https?|capacitor|ionic|tauri|chrome-extension|moz-extension)://[a-z0-9.\-\[\]:]+"
)


class LogFormat(StrEnum):
    """How log lines are written."""

    CONSOLE = "console"
    JSON = "json"


class LogLevel(StrEnum):
    """The least severe level that is logged."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class Settings(BaseSettings):
    """Everything an operator can set; each field is the variable ``BLOG_<FIELD>``."""

    model_config = SettingsConfigDict(
        env_prefix="BLOG_", env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    database_url: str = Field(
        "sqlite+aiosqlite:///blog.db",
        repr=False,
        description="Where the blog is kept: an SQLite file, or a PostgreSQL server "
        "(`postgresql://user:password@host/name`).",
    )
    demo: bool = Field(
        True,
        description="Load the demo blog into an empty SQLite database when the server starts. "
        "A server database is never loaded by itself.",
    )
    host: str = Field("127.0.0.1", description="The address `blog-graphql serve` listens on.")
    port: int = Field(8000, ge=0, le=65535, description="The port; 0 takes a free one.")
    shutdown_timeout: int = Field(
        30, ge=0, description="Seconds that running requests get to finish after SIGTERM."
    )
    log_format: LogFormat = Field(
        LogFormat.CONSOLE, description="`console` for people, `json` for log collectors."
    )
    log_level: LogLevel = Field(LogLevel.INFO, description="`DEBUG`, `INFO`, `WARNING` or `ERROR`.")
    sql_echo: bool = Field(False, description="Log every SQL statement, without its parameters.")
    pool_size: int = Field(5, ge=1, description="Database connections each process keeps open.")
    pool_max_overflow: int = Field(
        10, ge=0, description="Connections a process may open beyond the pool under load."
    )
    pool_timeout: float = Field(
        30,
        gt=0,
        le=_LONGEST_TIMEOUT,
        description="Seconds to wait for a free connection before answering 503.",
    )
    pool_recycle: int = Field(
        1800, ge=-1, description="Seconds after which a connection is replaced; -1 never."
    )
    pool_pre_ping: bool = Field(
        True, description="Test a pooled connection before use, so that a restart goes unnoticed."
    )
    statement_timeout: float = Field(
        10,
        ge=0.001,
        le=_LONGEST_TIMEOUT,
        description="Seconds a single SQL statement may run before it is cancelled.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Origins whose pages may call the API, comma-separated; `*` is any."
    )
    debug_pool: bool = Field(False, description="Serve the state of the pool at `/debug/pool`.")
    graphiql: bool = Field(True, description="Serve the GraphiQL page to browsers at `/graphql`.")
    introspection: bool = Field(
        True, description="Answer introspection queries and serve `/schema.graphql`."
    )

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: str) -> str:
        try:
            url = make_url(value)
        except (ArgumentError, ValueError):
            # What it says quotes a part of the URL, which may be of the password.
            raise ValueError(
                "not a database URL; write sqlite+aiosqlite:///blog.db or "
                "postgresql://user:password@host/name"
            ) from None
        if url.drivername not in _DRIVERS:
            raise ValueError(
                f"{url.drivername} is not supported; use PostgreSQL (postgresql://…) "
                "or SQLite (sqlite+aiosqlite:///blog.db)"
            )
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper_log_level(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"{origin} is not an origin; write it as the browser sends it, "
                    "such as https://app.example.com"
                )
        return value

    @property
    def url(self) -> URL:
        """The database URL with the driver that serves it."""
        url = make_url(self.database_url)
        # Hosting providers write libpq's parameter; asyncpg has its own name for it.
        ssl = {"ssl": url.query["sslmode"]} if "sslmode" in url.query else {}
        url = url.difference_update_query(["sslmode"]).update_query_dict(ssl)
        return url.set(drivername=_DRIVERS[url.drivername])

    @property
    def is_embedded(self) -> bool:
        """Whether the database is SQLite, which this server prepares by itself."""
        return self.url.get_backend_name() == "sqlite"


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process.

    Raises:
        StartupError: a variable has a wrong value; the message names it.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise StartupError("; ".join(_explain(problem) for problem in error.errors())) from None
    except UnicodeDecodeError:
        raise StartupError(".env is not UTF-8 text") from None


def _explain(problem: Any) -> str:
    variable = "_".join(str(part) for part in problem["loc"][:1]).upper()
    return f"BLOG_{variable}: {problem['msg'].removeprefix('Value error, ')}"
