"""Who is asking: an access token, checked against the database for each operation."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from sqlalchemy import bindparam, select

from blog_graphql.db.models import Session, User
from blog_graphql.db.session import SessionContext
from blog_graphql.db.types import UTCDateTime
from blog_graphql.db.visibility import ANONYMOUS, Viewer
from blog_graphql.errors import Unauthenticated
from blog_graphql.security.tokens import AccessClaims, AccessTokens

# One statement answers whether the session lasts, the user is active, and what their role is now.
_VIEWER = (
    select(User.id, User.role)
    .join(Session, Session.user_id == User.id)
    .where(
        User.id == bindparam("user_id"),
        User.is_active,
        Session.id == bindparam("session_id"),
        Session.expires_at > bindparam("now", type_=UTCDateTime()),
    )
)

_ENDED = "The session has ended: sign in again."
_MALFORMED = "The Authorization header must be: Bearer, a space, and an access token."


class Authentication(Protocol):
    """Tells who sends the operations of a request or a socket."""

    @property
    def is_anonymous(self) -> bool:
        """Whether no credential was given, so that ``viewer`` is nobody and cannot fail."""

    def user_id(self, now: datetime) -> int | None:
        """The user who is named, before the database was asked; None for nobody."""

    def seconds_left(self, now: datetime) -> float | None:
        """How long the credential holds by itself; None for ever, or when there is none."""

    async def viewer(self, session: SessionContext, now: datetime) -> Viewer:
        """Who is asking.

        Raises:
            Unauthenticated: a credential was given that does not hold.
        """


class BearerAuthentication:
    """The ``Authorization`` header of RFC 6750: ``Bearer`` and an access token.

    An empty header is none: that is what clients send that are signed out.
    """

    def __init__(self, tokens: AccessTokens, authorization: str | None) -> None:
        self._tokens = tokens
        self._authorization = (authorization or "").strip()

    @property
    def is_anonymous(self) -> bool:
        """Whether there is no header."""
        return not self._authorization

    def user_id(self, now: datetime) -> int | None:
        """The user whom a valid token names."""
        claims = self._claims(now)
        return None if claims is None else claims.user_id

    def seconds_left(self, now: datetime) -> float | None:
        """How long a valid token lasts."""
        claims = self._claims(now)
        return None if claims is None else claims.expires_at - now.timestamp()

    async def viewer(self, session: SessionContext, now: datetime) -> Viewer:
        """The active user of a session that lasts, or nobody without a header."""
        if not self._authorization:
            return ANONYMOUS
        claims = self._tokens.read(self._token(), now)
        rows = await session.fetch(
            _VIEWER, user_id=claims.user_id, session_id=claims.session_id, now=now
        )
        if not rows:
            raise Unauthenticated(_ENDED)
        return Viewer(rows[0].id, rows[0].role, claims.session_id)

    def _claims(self, now: datetime) -> AccessClaims | None:
        try:
            return self._tokens.read(self._token(), now) if self._authorization else None
        except Unauthenticated:
            return None

    def _token(self) -> str:
        scheme, _, token = self._authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated(_MALFORMED)
        return token.strip()
