"""Every error this server raises on purpose.

BlogError
├── BadUserInput            BAD_USER_INPUT: an argument that cannot be served
├── ServiceUnavailable      SERVICE_UNAVAILABLE: no connection to be had
├── StatementTimeout        TIMEOUT: the database took longer than it may
├── StaleRead               two statements of one operation saw different data
└── StartupError            the server or a command cannot start

A ``BlogError`` reaches the client with its message; anything else is masked.
"""

from __future__ import annotations

from typing import ClassVar


class BlogError(Exception):
    """An error whose message is written for whoever caused it."""

    code: ClassVar[str] = "INTERNAL_SERVER_ERROR"


class BadUserInput(BlogError):
    """An argument that cannot be served; the message says what would be."""

    code = "BAD_USER_INPUT"


class ServiceUnavailable(BlogError):
    """The database cannot be reached, or its pool is exhausted; trying again may help."""

    code = "SERVICE_UNAVAILABLE"


class StatementTimeout(BlogError):
    """A statement ran longer than ``BLOG_STATEMENT_TIMEOUT`` and was cancelled."""

    code = "TIMEOUT"


class StaleRead(BlogError):
    """A row vanished between two statements of one operation.

    Never shown: the operation is answered again from one snapshot.
    """


class StartupError(BlogError):
    """The server or a command cannot start; the message is one line for the operator."""
