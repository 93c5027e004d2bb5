"""The server's settings: one frozen object, read from ``BLOG_*`` and ``.env``."""

from __future__ import annotations

import re
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any

import limits
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
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


MIN_SECRET_BYTES = 32


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


class Registration(StrEnum):
    """Who may make an account."""

    OPEN = "open"
    CLOSED = "closed"


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

    secret_key: SecretStr | None = Field(
        None,
        description="What sessions are signed with: 32 bytes or more. Required on a server "
        "database; beside an SQLite file one is made and kept as `<file>.secret-key`.",
    )
    secret_key_previous: SecretStr | None = Field(
        None, description="The key before the present one, still accepted while keys change."
    )
    access_token_minutes: int = Field(
        15, ge=1, le=1440, description="Minutes after which an access token must be refreshed."
    )
    refresh_token_days: int = Field(
        30, ge=1, le=3650, description="Days after which an unused session ends."
    )
    refresh_grace_seconds: int = Field(
        10,
        ge=0,
        le=300,
        description="Seconds for which a spent refresh token gives the same answer again, for a "
        "lost reply or a second tab; used later, it ends its session.",
    )
    registration: Registration = Field(
        Registration.OPEN,
        description="`open`: anyone may sign up; `closed`: only an admin makes accounts.",
    )
    argon2_time_cost: int = Field(2, ge=1, le=100, description="Argon2id's passes over memory.")
    argon2_memory_kib: int = Field(
        19_456, ge=8, le=4_194_304, description="Argon2id's memory for a hash, in KiB."
    )
    argon2_parallelism: int = Field(
        1, ge=1, le=64, description="Argon2id's lanes; each takes at least 8 KiB of the memory."
    )
    password_threads: int = Field(
        1,
        ge=1,
        le=64,
        description="How many passwords a process hashes at once; the other cores stay free "
        "for reading.",
    )
    login_rate_limit: str = Field(
        "10/minute",
        description="Attempts to sign in per name and address, and to sign up per address; ten "
        "times as many per name, and per address.",
    )
    rate_limit: int | None = Field(
        None,
        ge=1,
        description="Cost units a minute that a signed-in user, or an address, may spend.",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Addresses or networks of proxies whose `X-Forwarded-For` and "
        "`X-Forwarded-Proto` are believed, comma-separated; `*` is any.",
    )
    max_body_bytes: int = Field(4_000_000, ge=1, description="The largest request body, in bytes.")
    max_query_length: int = Field(
        200_000,
        ge=1,
        description="The longest document, in characters; long content travels in variables.",
    )
    max_tokens: int = Field(5_000, ge=1, description="The most tokens in a document.")
    max_depth: int = Field(15, ge=1, description="The most fields inside of each other.")
    max_aliases: int = Field(50, ge=0, description="The most aliased fields in an operation.")
    max_root_fields: int = Field(20, ge=1, description="The most root fields in an operation.")
    max_fields_per_selection: int = Field(
        100, ge=1, description="The most fields in one selection set, those of fragments included."
    )
    max_nodes: int = Field(
        500_000,
        ge=1,
        description="The most nodes an operation may ask for: page sizes multiplied down the tree.",
    )
    max_variable_values: int = Field(
        10_000, ge=1, description="The most values that variables may hold, those inside included."
    )
    operation_timeout: float = Field(
        10, gt=0, le=_LONGEST_TIMEOUT, description="Seconds an operation may take in all."
    )
    keep_alive_seconds: float = Field(
        15,
        gt=0,
        le=3600,
        description="Seconds after which a stream of live updates says that it is still there; "
        "less than proxies wait for.",
    )
    socket_init_timeout: float = Field(
        10, gt=0, le=3600, description="Seconds a new socket has for its `connection_init`."
    )
    max_sockets: int = Field(5_000, ge=0, description="The most open sockets in a process.")
    max_sockets_by_address: int = Field(
        500, ge=0, description="The most of these for one client address."
    )
    max_socket_operations: int = Field(
        100, ge=1, description="The most operations that run on one socket, live ones included."
    )
    max_subscriptions: int = Field(
        20_000, ge=0, description="The most subscriptions in a process, whatever carries them."
    )
    max_subscriptions_by_address: int = Field(
        2_000, ge=0, description="The most of these for one client address."
    )
    listen_database_url: str | None = Field(
        None,
        repr=False,
        description="Where live updates are listened for, when `BLOG_DATABASE_URL` names a pooler "
        "that cannot: PostgreSQL itself, with the same database.",
    )
    subscription_buffer: int = Field(
        1000,
        ge=1,
        description="How many published posts are kept for subscribers; whoever is further behind "
        "is dropped.",
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

    @field_validator("listen_database_url")
    @classmethod
    def _check_listen_database_url(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        try:
            driver = make_url(value).drivername
        except (ArgumentError, ValueError):
            driver = ""
        if not driver.startswith("postgres") or driver not in _DRIVERS:
            raise ValueError("not a PostgreSQL URL; write postgresql://user:password@host/name")
        if info.data.get("database_url", "").startswith("sqlite"):
            raise ValueError("an SQLite database is not listened to; leave it out")
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper_log_level(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("cors_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        value = tuple(origin.rstrip("/") for origin in value)
        for origin in value:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"{origin} is not an origin; write it as the browser sends it, "
                    "such as https://app.example.com"
                )
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _check_proxies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in value:
            try:
                proxy == "*" or ip_network(proxy)
            except ValueError:
                raise ValueError(
                    f"{proxy} is neither an address nor a network; write 10.0.0.5 or 10.0.0.0/8"
                ) from None
        return value

    @field_validator("secret_key", "secret_key_previous")
    @classmethod
    def _check_secret_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value().encode()) < MIN_SECRET_BYTES:
            raise ValueError(
                f"must have {MIN_SECRET_BYTES} bytes or more; make one with: openssl rand -hex 32"
            )
        return value

    @field_validator("login_rate_limit")
    @classmethod
    def _check_rate_limit(cls, value: str) -> str:
        try:
            rates = [rate.amount for rate in limits.parse_many(value)]
        except ValueError:
            rates = []
        if len(rates) != 1 or rates[0] < 1:
            raise ValueError(
                f"{value} is no rate; write a number per second, minute, hour or day, "
                "such as 10/minute"
            )
        return value

    @property
    def url(self) -> URL:
        """The database URL with the driver that serves it."""
        return _with_driver(self.database_url)

    @property
    def listen_url(self) -> URL:
        """Where live updates are listened for, likewise."""
        return _with_driver(self.listen_database_url or self.database_url)

    @property
    def is_embedded(self) -> bool:
        """Whether the database is SQLite, which this server prepares by itself."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def database_file(self) -> Path | None:
        """The SQLite file; None for a database in memory or on a server."""
        # SQLite takes a URI as well, as in sqlite:///file:blog.db?mode=ro&uri=true.
        name = (self.url.database or ":memory:").removeprefix("file:")
        in_memory = name == ":memory:" or self.url.query.get("mode") == "memory"
        return None if in_memory or not self.is_embedded else Path(name).absolute()

    @property
    def is_in_memory(self) -> bool:
        """Whether the database lives and dies with the process."""
        return self.is_embedded and self.database_file is None


def _with_driver(database_url: str) -> URL:
    url = make_url(database_url)
    # Hosting providers write libpq's parameter; asyncpg has its own name for it.
    ssl = {"ssl": url.query["sslmode"]} if "sslmode" in url.query else {}
    url = url.difference_update_query(["sslmode"]).update_query_dict(ssl)
    return url.set(drivername=_DRIVERS[url.drivername])


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
