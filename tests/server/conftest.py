"""Logging is global to a process: what an app of a test configures ends with the test."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    loggers = [logging.getLogger(name) for name in ("alembic", "uvicorn.access")]
    states = [(logger.level, logger.disabled) for logger in loggers]
    yield
    root.handlers, root.level = handlers, level
    for logger, (logger_level, disabled) in zip(loggers, states, strict=True):
        logger.setLevel(logger_level)
        logger.disabled = disabled
    structlog.reset_defaults()
