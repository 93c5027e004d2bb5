"""The settings: where they come from, and what is said when one is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from blog_graphql.errors import StartupError
from blog_graphql.settings import LogFormat, LogLevel, Registration, Settings, load_settings
from tests.support.settings_table import DOCUMENT, document

SECRET = "s3cr3t"
NO_RATE = "is no rate; write a number per second, minute, hour or day, such as 10/minute"
NO_URL = (
    "not a database URL; write sqlite+aiosqlite:///blog.db or postgresql://user:password@host/name"
)
NOT_POSTGRESQL = "not a PostgreSQL URL; write postgresql://user:password@host/name"
SUPPORTED = "use PostgreSQL (postgresql://…) or SQLite (sqlite+aiosqlite:///blog.db)"


def refused(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> str:
    """What is said of a value in the environment."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(StartupError) as raised:
        load_settings()
    return str(raised.value)


def test_defaults() -> None:
    assert load_settings().model_dump() == {
        "database_url": "sqlite+aiosqlite:///blog.db",
        "demo": True,
        "host": "127.0.0.1",
        "port": 8000,
        "shutdown_timeout": 30,
        "log_format": LogFormat.CONSOLE,
        "log_level": LogLevel.INFO,
        "sql_echo": False,
        "pool_size": 5,
        "pool_max_overflow": 10,
        "pool_timeout": 30,
        "pool_recycle": 1800,
        "pool_pre_ping": True,
        "statement_timeout": 10,
        "cors_origins": (),
        "debug_pool": False,
        "graphiql": True,
        "introspection": True,
        "secret_key": None,
        "secret_key_previous": None,
        "access_token_minutes": 15,
        "refresh_token_days": 30,
        "refresh_grace_seconds": 10,
        "registration": Registration.OPEN,
        "argon2_time_cost": 2,
        "argon2_memory_kib": 19_456,
        "argon2_parallelism": 1,
        "password_threads": 1,
        "login_rate_limit": "10/minute",
        "rate_limit": None,
        "trusted_proxies": (),
        "max_body_bytes": 4_000_000,
        "max_query_length": 200_000,
        "max_tokens": 5_000,
        "max_depth": 15,
        "max_aliases": 50,
        "max_root_fields": 20,
        "max_fields_per_selection": 100,
        "max_nodes": 500_000,
        "max_variable_values": 10_000,
        "operation_timeout": 10,
        "keep_alive_seconds": 15,
        "socket_init_timeout": 10,
        "max_sockets": 5_000,
        "max_sockets_by_address": 500,
        "max_socket_operations": 100,
        "max_subscriptions": 20_000,
        "max_subscriptions_by_address": 2_000,
        "listen_database_url": None,
        "subscription_buffer": 1000,
    }


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("BLOG_PORT", "0", 0),
        ("BLOG_PORT", "65535", 65535),
        ("BLOG_DEMO", "false", False),
        ("BLOG_DEMO", "0", False),
        ("BLOG_DEBUG_POOL", "yes", True),
        ("BLOG_LOG_FORMAT", "json", LogFormat.JSON),
        ("BLOG_LOG_LEVEL", "debug", LogLevel.DEBUG),
        ("BLOG_LOG_LEVEL", "WARNING", LogLevel.WARNING),
        ("BLOG_POOL_RECYCLE", "-1", -1),
        ("BLOG_POOL_TIMEOUT", "0.5", 0.5),
        ("BLOG_STATEMENT_TIMEOUT", "2.5", 2.5),
        ("BLOG_CORS_ORIGINS", "", ()),
        ("BLOG_REGISTRATION", "closed", Registration.CLOSED),
        ("BLOG_RATE_LIMIT", "5000", 5_000),
        ("BLOG_LOGIN_RATE_LIMIT", "5 per 2 hours", "5 per 2 hours"),
        ("BLOG_TRUSTED_PROXIES", "10.0.0.1, fd00::/8", ("10.0.0.1", "fd00::/8")),
        ("BLOG_TRUSTED_PROXIES", "*", ("*",)),
        ("BLOG_CORS_ORIGINS", "*", ("*",)),
        (
            "BLOG_CORS_ORIGINS",
            "https://a.example/, http://localhost:3000 ,",
            ("https://a.example", "http://localhost:3000"),
        ),
    ],
)
def test_values_are_read(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, expected: Any
) -> None:
    monkeypatch.setenv(variable, value)
    settings = load_settings().model_dump()
    assert settings[variable.removeprefix("BLOG_").lower()] == expected


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        (
            "BLOG_PORT",
            "http",
            "Input should be a valid integer, unable to parse string as an integer",
        ),
        ("BLOG_PORT", "65536", "Input should be less than or equal to 65535"),
        ("BLOG_PORT", "-1", "Input should be greater than or equal to 0"),
        ("BLOG_DEMO", "maybe", "Input should be a valid boolean, unable to interpret input"),
        ("BLOG_LOG_FORMAT", "xml", "Input should be 'console' or 'json'"),
        ("BLOG_LOG_LEVEL", "loud", "Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("BLOG_POOL_SIZE", "0", "Input should be greater than or equal to 1"),
        ("BLOG_POOL_MAX_OVERFLOW", "-1", "Input should be greater than or equal to 0"),
        ("BLOG_POOL_TIMEOUT", "0", "Input should be greater than 0"),
        ("BLOG_POOL_RECYCLE", "-2", "Input should be greater than or equal to -1"),
        ("BLOG_SHUTDOWN_TIMEOUT", "-1", "Input should be greater than or equal to 0"),
        ("BLOG_REGISTRATION", "maybe", "Input should be 'open' or 'closed'"),
        (
            "BLOG_SECRET_KEY",
            "é" * 15 + "x",
            "must have 32 bytes or more; make one with: openssl rand -hex 32",
        ),
        (
            "BLOG_SECRET_KEY_PREVIOUS",
            "short",
            "must have 32 bytes or more; make one with: openssl rand -hex 32",
        ),
        *(
            ("BLOG_LOGIN_RATE_LIMIT", rate, f"{rate} {NO_RATE}")
            for rate in ("often", "0/minute", "1/second;5/minute", "")
        ),
        (
            "BLOG_TRUSTED_PROXIES",
            "10.0.0.1, proxy",
            "proxy is neither an address nor a network; write 10.0.0.5 or 10.0.0.0/8",
        ),
        (
            "BLOG_DATABASE_URL",
            "blog.db",
            NO_URL,
        ),
        (
            "BLOG_DATABASE_URL",
            "",
            NO_URL,
        ),
        (
            "BLOG_DATABASE_URL",
            "mysql://root@localhost/blog",
            f"mysql is not supported; {SUPPORTED}",
        ),
        (
            "BLOG_DATABASE_URL",
            "postgresql+psycopg2://localhost/blog",
            f"postgresql+psycopg2 is not supported; {SUPPORTED}",
        ),
        *(
            ("BLOG_LISTEN_DATABASE_URL", url, NOT_POSTGRESQL)
            for url in ("", "blog", "sqlite:///blog.db", "postgresql+psycopg2://localhost/blog")
        ),
        (
            "BLOG_LISTEN_DATABASE_URL",
            "postgresql://localhost/blog",
            "an SQLite database is not listened to; leave it out",
        ),
        ("BLOG_SUBSCRIPTION_BUFFER", "0", "Input should be greater than or equal to 1"),
    ],
)
def test_a_wrong_value_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, problem: str
) -> None:
    assert refused(monkeypatch, variable, value) == f"{variable}: {problem}"


@pytest.mark.parametrize("value", ["0", "-1", "0.0001", "1e12", "inf", "nan"])
def test_a_timeout_that_postgresql_cannot_count_is_refused(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    message = refused(monkeypatch, "BLOG_STATEMENT_TIMEOUT", value)
    assert message.startswith("BLOG_STATEMENT_TIMEOUT: Input should be ")
    assert "\n" not in message


@pytest.mark.parametrize("origin", ["blog.example", "https://blog.example/path", "ftp://a.example"])
def test_an_origin_that_no_browser_sends_is_refused(
    monkeypatch: pytest.MonkeyPatch, origin: str
) -> None:
    assert refused(monkeypatch, "BLOG_CORS_ORIGINS", origin).startswith("BLOG_CORS_ORIGINS: ")


def test_every_wrong_value_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOG_PORT", "x")
    message = refused(monkeypatch, "BLOG_POOL_SIZE", "0")
    assert message == (
        "BLOG_PORT: Input should be a valid integer, unable to parse string as an integer; "
        "BLOG_POOL_SIZE: Input should be greater than or equal to 1"
    )


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://root:{SECRET}@localhost/blog",
        f"postgresql://root:{SECRET}@localhost:port/blog",
        f"postgresql:/root:{SECRET}@localhost/blog",
        f"root:{SECRET}@localhost/blog",
    ],
)
@pytest.mark.parametrize("variable", ["BLOG_DATABASE_URL", "BLOG_LISTEN_DATABASE_URL"])
def test_a_password_is_never_repeated(
    monkeypatch: pytest.MonkeyPatch, url: str, variable: str
) -> None:
    message = refused(monkeypatch, variable, url)
    assert message.startswith(f"{variable}: ")
    assert SECRET not in message
    assert "\n" not in message


def test_settings_do_not_show_the_password_when_printed() -> None:
    url = f"postgresql://root:{SECRET}@localhost/blog"
    settings = load_settings(database_url=url, listen_database_url=url)
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings)


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ("postgres://u:p@h:1/d", "postgresql+asyncpg"),
        ("postgresql://u:p@h:1/d", "postgresql+asyncpg"),
        ("postgresql+asyncpg://u:p@h:1/d", "postgresql+asyncpg"),
        ("sqlite:///d", "sqlite+aiosqlite"),
        ("sqlite+aiosqlite:///d", "sqlite+aiosqlite"),
    ],
)
def test_urls_get_the_driver_that_serves_them(given: str, driver: str) -> None:
    settings = load_settings(database_url=given)
    assert settings.url.drivername == driver
    assert settings.url.database == "d"
    assert settings.is_embedded is driver.startswith("sqlite")
    if not settings.is_embedded:
        assert settings.url.render_as_string(hide_password=False) == f"{driver}://u:p@h:1/d"


def test_a_password_may_hold_any_character() -> None:
    settings = load_settings(database_url="postgresql://u:p%40ss%25%2F@h/d")
    assert settings.url.password == "p@ss%/"


def test_live_updates_are_listened_for_where_the_database_is() -> None:
    settings = load_settings(database_url="postgres://u:p@h/d?sslmode=require")
    assert settings.listen_url == settings.url
    settings = load_settings(
        database_url="postgres://pooler/d", listen_database_url="postgres://h:1/d?sslmode=require"
    )
    assert str(settings.listen_url) == "postgresql+asyncpg://h:1/d?ssl=require"


def test_env_file_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("BLOG_PORT=9000\nBLOG_HOST='0.0.0.0'\nPOSTGRES_PASSWORD=x\n")
    settings = load_settings()
    assert (settings.port, settings.host) == (9000, "0.0.0.0")


def test_the_environment_wins_over_the_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("BLOG_PORT=9000\nBLOG_POOL_SIZE=7\n")
    monkeypatch.setenv("BLOG_PORT", "9001")
    settings = load_settings()
    assert (settings.port, settings.pool_size) == (9001, 7)


def test_an_argument_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOG_PORT", "9001")
    assert load_settings(port=9002).port == 9002


def test_a_wrong_value_in_the_env_file_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("BLOG_POOL_SIZE=none\n")
    with pytest.raises(StartupError, match=r"^BLOG_POOL_SIZE: "):
        load_settings()


def test_an_env_file_that_is_not_text_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"BLOG_PORT=\xff\xfe\n")
    with pytest.raises(StartupError, match=r"\.env") as raised:
        load_settings()
    assert "\n" not in str(raised.value)


def test_names_may_be_written_in_lower_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("blog_port", "9003")
    assert load_settings().port == 9003


def test_settings_are_frozen() -> None:
    settings = load_settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1
    assert settings.port == 8000


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_documentation_lists_the_settings_as_they_are() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(DOCUMENT.read_text(encoding="utf-8"))
