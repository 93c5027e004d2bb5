"""What mutations answer: their result, or what the typist can mend."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Self

import strawberry

from blog_graphql.errors import Problem


@strawberry.enum(description="What kind of problem it is.")
class UserErrorCode(Enum):
    """The codes of ``errors.ProblemCode``, described."""

    INVALID = strawberry.enum_value(
        "INVALID", description="The value cannot be accepted; the message says what would be."
    )
    TAKEN = strawberry.enum_value("TAKEN", description="Somebody else has that value.")
    NOT_FOUND = strawberry.enum_value(
        "NOT_FOUND", description="There is no such object, or not for the viewer to see."
    )
    CONFLICT = strawberry.enum_value(
        "CONFLICT", description="It changed meanwhile, or must stay for the blog to be run."
    )
    INVALID_CREDENTIALS = strawberry.enum_value(
        "INVALID_CREDENTIALS", description="The name, the password or the token is not right."
    )


@strawberry.type(description="A problem that the person who typed the input can mend.")
class UserError:
    """A ``Problem`` as GraphQL shows it."""

    message: str = strawberry.field(description="What is wrong, and what would be accepted.")
    code: UserErrorCode = strawberry.field(description="What kind of problem it is.")
    field: list[str] | None = strawberry.field(
        description='Where in `input` it is, such as `["users", "3", "email"]`; '
        "null when it is about the whole."
    )

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """The error that tells of a problem."""
        return cls(
            message=problem.message,
            code=UserErrorCode(problem.code.value),
            field=list(problem.field) or None,
        )


@strawberry.type
class Payload:
    """The answer of a mutation; subclasses add what was made or changed."""

    errors: list[UserError] = strawberry.field(
        default_factory=list,
        description="What must be mended for the mutation to succeed; empty when it did.",
    )

    @classmethod
    def refused(cls, problems: Sequence[Problem]) -> Self:
        """The answer when nothing was done."""
        return cls(errors=[UserError.of(problem) for problem in problems])


@strawberry.type(description="The answer of a deletion.")
class DeletePayload(Payload):
    """What was deleted."""

    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The global ID of what is gone; null when nothing is."
    )
