"""Every error this server raises on purpose.

BlogError
├── BadUserInput            BAD_USER_INPUT: an argument that cannot be served
├── Unauthenticated         UNAUTHENTICATED: nobody is signed in, or not any longer
├── Forbidden               FORBIDDEN: the viewer may see it, but not do that
├── NotFound                NOT_FOUND: there is nothing such to be seen
├── RegistrationClosed      REGISTRATION_CLOSED: nobody may sign up
├── QueryTooComplex         QUERY_TOO_COMPLEX: a limit on documents is exceeded
├── RateLimited             RATE_LIMITED: too much in too short a time
├── Rejected                input that its typist can mend, problem by problem
├── SlowSubscriber          SUBSCRIBER_TOO_SLOW: more happened than is kept for a subscriber
├── ServiceUnavailable      SERVICE_UNAVAILABLE: no connection to be had
├── TooSlow                 TIMEOUT
│   ├── StatementTimeout    the database took longer than it may
│   └── OperationTimeout    the operation took longer than it may
├── StaleRead               two statements of one operation saw different data
└── StartupError            the server or a command cannot start

A ``BlogError`` reaches the client with its message; anything else is masked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class BlogError(Exception):
    """An error whose message is written for whoever caused it."""

    code: ClassVar[str] = "INTERNAL_SERVER_ERROR"


class BadUserInput(BlogError):
    """An argument that cannot be served; the message says what would be."""

    code = "BAD_USER_INPUT"


class Unauthenticated(BlogError):
    """A viewer is needed and nobody is signed in, or the access token does not hold."""

    code = "UNAUTHENTICATED"


class Forbidden(BlogError):
    """The viewer may see what it is about, but may not do that."""

    code = "FORBIDDEN"


class NotFound(BlogError):
    """There is nothing such that the viewer may see."""

    code = "NOT_FOUND"


class RegistrationClosed(BlogError):
    """Accounts are made by admins alone."""

    code = "REGISTRATION_CLOSED"


class QueryTooComplex(BlogError):
    """A document exceeds a limit; the message has the limit and what was asked."""

    code = "QUERY_TOO_COMPLEX"


class RateLimited(BlogError):
    """Too much was asked for in too short a time; ``retry_after`` is in whole seconds."""

    code = "RATE_LIMITED"

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ProblemCode(StrEnum):
    """What kind of problem a typist can mend."""

    INVALID = "INVALID"
    TAKEN = "TAKEN"
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    INVALID_CREDENTIALS = "INVALID_CREDENTIALS"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an input, with the path from its root."""

    code: ProblemCode
    message: str
    field: tuple[str, ...] = ()


class Rejected(BlogError):
    """Input that its typist can mend: nothing was written."""

    code = "BAD_USER_INPUT"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(" ".join(problem.message for problem in problems))
        self.problems = tuple(problems)


class SlowSubscriber(BlogError):
    """More happened than is kept for a subscriber who does not take it."""

    code = "SUBSCRIBER_TOO_SLOW"


class ServiceUnavailable(BlogError):
    """The database cannot be reached, or its pool is exhausted; trying again may help."""

    code = "SERVICE_UNAVAILABLE"


class TooSlow(BlogError):
    """Something took longer than it may, and was cancelled."""

    code = "TIMEOUT"


class StatementTimeout(TooSlow):
    """A statement ran longer than ``BLOG_STATEMENT_TIMEOUT``."""


class OperationTimeout(TooSlow):
    """An operation ran longer than ``BLOG_OPERATION_TIMEOUT``."""


class StaleRead(BlogError):
    """A row vanished between two statements of one operation.

    Never shown: the operation is answered again from one snapshot.
    """


class StartupError(BlogError):
    """The server or a command cannot start; the message is one line for the operator."""
