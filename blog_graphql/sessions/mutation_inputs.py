"""What sessions begin, go on and end with."""

from __future__ import annotations

import strawberry
from strawberry import UNSET


@strawberry.input(description="Who signs in.")
class LoginInput:
    """What ``login`` takes."""

    identifier: str = strawberry.field(description="The username or the email, whatever its case.")
    password: str = strawberry.field(description="The password.")


@strawberry.input(description="Which session goes on.")
class RefreshSessionInput:
    """What ``refreshSession`` takes."""

    refresh_token: str = strawberry.field(
        description="The refresh token of the last `login` or `refreshSession`."
    )


@strawberry.input(description="Which session ends.")
class LogoutInput:
    """What ``logout`` takes."""

    refresh_token: str | None = strawberry.field(
        default=UNSET,
        description="The refresh token of the session; without one it is the session of the "
        "access token.",
    )
    everywhere: bool = strawberry.field(
        default=False, description="Whether to end all sessions of that session's user."
    )
