"""The root fields that begin, renew and end sessions."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, NoReturn

import strawberry

from blog_graphql.api.context import Context, Info
from blog_graphql.api.filters import given
from blog_graphql.api.mutation import INPUT, Permission, mutation
from blog_graphql.api.payloads import Payload
from blog_graphql.errors import ProblemCode
from blog_graphql.sessions import service
from blog_graphql.sessions.mutation_inputs import LoginInput, LogoutInput, RefreshSessionInput
from blog_graphql.text import fold
from blog_graphql.validation import Problems

if TYPE_CHECKING:
    from blog_graphql.users.types import User

# Characters. No name or email has as many, in whatever form it is typed.
_LONGEST_IDENTIFIER = 1_024


@strawberry.type(description="The answer of signing in, or of going on with a session.")
class LoginPayload(Payload):
    """The tokens of a session, and whose it is."""

    access_token: str | None = strawberry.field(
        default=None,
        description="What to send as `Authorization: Bearer …`; null when nobody was signed in.",
    )
    access_token_expires_at: datetime | None = strawberry.field(
        default=None, description="When the access token expires: refresh the session before."
    )
    refresh_token: str | None = strawberry.field(
        default=None, description="What `refreshSession` takes, once: it answers with the next one."
    )
    user_id: strawberry.Private[int | None] = None

    @strawberry.field(description="Who is signed in.")
    async def user(
        self, info: Info
    ) -> Annotated[User, strawberry.lazy("blog_graphql.users.types")] | None:
        """Load the user."""
        if self.user_id is None:
            return None
        return await info.context.loaders.user_by_id.load(self.user_id)


@strawberry.type(description="The answer of signing out.")
class LogoutPayload(Payload):
    """Nothing but errors, of which there are none."""


@strawberry.type
class SessionMutation:
    """Signing in and out."""

    @mutation(Permission.ANYONE, "Sign in by username or email.")
    async def login(self, info: Info, input_: Annotated[LoginInput, INPUT]) -> LoginPayload | None:
        """Begin a session."""
        context = info.context
        key = fold(input_.identifier[:_LONGEST_IDENTIFIER])
        await context.services.throttle.attempt_login(key, context.request.address)
        opened = await _sign_in(context, key, input_.password)
        if opened is None:
            _reject("The name or the password is not right.")
        return _login_payload(context, opened)

    @mutation(
        Permission.ANYONE,
        "Exchange a refresh token for new tokens. It is spent by that: used again later, it ends "
        "its session.",
    )
    async def refresh_session(
        self, info: Info, input_: Annotated[RefreshSessionInput, INPUT]
    ) -> LoginPayload | None:
        """Go on with a session."""
        context = info.context
        opened = await context.write(
            service.refresh_session,
            input_.refresh_token,
            context.services.keys,
            context.services.settings,
        )
        if opened is None:
            _reject("The refresh token does not hold: sign in again.", "refreshToken")
        return _login_payload(context, opened)

    @mutation(
        Permission.ANYONE,
        "End a session, or all sessions of its user. A refresh token whose session has ended "
        "already is no problem.",
    )
    async def logout(
        self, info: Info, input_: Annotated[LogoutInput, INPUT]
    ) -> LogoutPayload | None:
        """End a session."""
        token = given(input_.refresh_token)
        await info.context.write(service.end_session, token, everywhere=input_.everywhere)
        return LogoutPayload()


async def _sign_in(context: Context, key: str, password: str) -> service.OpenSession | None:
    services = context.services
    # Twice, since somebody else may sign in at the same moment and have the password rehashed.
    for _attempt in range(2):
        account = await service.verify_account(context.session, services.passwords, key, password)
        if account is None:
            return None
        opened = await context.write(service.begin_session, account, services.settings)
        if opened is not None:
            return opened
    return None


def _login_payload(context: Context, opened: service.OpenSession) -> LoginPayload:
    """The answer, read as whoever has just been signed in."""
    context.look_as(opened.viewer, context.now)
    token, expires_at = context.services.tokens.issue(opened.user_id, opened.id, context.now)
    return LoginPayload(
        access_token=token,
        access_token_expires_at=expires_at,
        refresh_token=opened.refresh_token,
        user_id=opened.user_id,
    )


def _reject(message: str, *field: str) -> NoReturn:
    Problems().reject(ProblemCode.INVALID_CREDENTIALS, message, *field)
