"""Structured logs: for people on a console, or JSON for a collector."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import Processor

from blog_graphql.settings import LogFormat, Settings

_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure_logging(settings: Settings) -> None:
    """Send the logs of this process, those of libraries included, to standard error."""
    _configure_structlog(
        structlog.stdlib.filter_by_level,
        *_SHARED,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    )
    handler = _StandardErrorHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED, processors=_renderers(settings)
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level)
    # Uvicorn's own command gave its loggers handlers of their own.
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    # Looking up a revision is no news; running a migration prints its own lines.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # At DEBUG it shows what statements carry, and so the hashes of passwords and tokens.
    logging.getLogger("aiosqlite").setLevel(logging.INFO)
    # So do the headers and messages of WebSockets, with their tokens.
    logging.getLogger("uvicorn.error").setLevel(max(logging.INFO, root.level))
    # The operation log says all that uvicorn's would, and more.
    logging.getLogger("uvicorn.access").disabled = True


def configure_embedded_logging() -> None:
    """Write our lines as text to the loggers of Python, unless structlog is configured already.

    For a process that is not ours: its handlers and levels stay as they are.
    """
    if not structlog.is_configured():
        _configure_structlog(
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.PositionalArgumentsFormatter(),
            _text(colors=False),
        )


def _configure_structlog(*processors: Processor) -> None:
    structlog.configure(
        processors=list(processors),
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _text(*, colors: bool) -> Processor:
    # The default shows local variables with a traceback, and so whatever secret is in one.
    plain = structlog.dev.plain_traceback
    return structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain)


class _StandardErrorHandler(logging.StreamHandler[TextIO]):
    """Writes to whatever standard error is at the time, since it may be redirected."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override] # a property here
        return sys.stderr


def _renderers(settings: Settings) -> list[Processor]:
    drop = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if settings.log_format is LogFormat.JSON:
        return [drop, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    return [drop, _text(colors=sys.stderr.isatty())]
