"""The two tokens of a session: a short-lived JWT for access, and an opaque one to refresh it."""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import uuid4

import jwt
from jwt.types import Options
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from blog_graphql.errors import Unauthenticated
from blog_graphql.security.secret_key import SecretKeys

_ALGORITHM = "HS256"
# The caller has the clock, and the claims are checked below.
_OPTIONS: Options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
# Ours have some 230 characters.
_LONGEST_ACCESS_TOKEN = 512

_EXPIRED = "The access token has expired: refresh the session."
_INVALID = "The access token is not valid: sign in again."

_REFRESH_TOKEN = re.compile(r"([0-9a-f]{32})\.[A-Za-z0-9_-]{43}")
# Keeps these signatures apart from those of access tokens, which the same key makes.
_REFRESH_CONTEXT = b"refresh-token:"


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What an access token says; whether user and session still stand is not in it.

    ``expires_at`` is Unix time.
    """

    user_id: int
    session_id: str
    expires_at: int


class AccessTokens:
    """Issues and reads access tokens: JWTs signed with HMAC-SHA256.

    The current key signs; the previous one is accepted while keys change.
    """

    def __init__(self, keys: SecretKeys, lifetime: timedelta) -> None:
        self._keys = keys
        self._lifetime = lifetime

    def issue(self, user_id: int, session_id: str, now: datetime) -> tuple[str, datetime]:
        """A token, and when it expires, in whole seconds."""
        expires_at = (now + self._lifetime).replace(microsecond=0)
        claims = {
            "sub": str(user_id),
            "sid": session_id,
            "iat": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
        }
        return jwt.encode(claims, self._keys.current, _ALGORITHM), expires_at

    def read(self, token: str, now: datetime) -> AccessClaims:
        """The claims of a token that is ours and has not expired.

        Raises:
            Unauthenticated: it has expired, or is anything else but such a token.
        """
        claims = self._verify(token)
        if claims.exp <= now.timestamp():
            raise Unauthenticated(_EXPIRED)
        return AccessClaims(claims.sub, claims.sid, claims.exp)

    def _verify(self, token: str) -> _Claims:
        if len(token) <= _LONGEST_ACCESS_TOKEN and token.isascii():
            for key in self._keys.accepted:
                try:
                    return _Claims.model_validate(jwt.decode(token, key, [_ALGORITHM], _OPTIONS))
                except (jwt.InvalidTokenError, ValidationError):
                    continue
        raise Unauthenticated(_INVALID)


class _Claims(BaseModel):
    model_config = ConfigDict(strict=True)

    # A string in JWT (RFC 7519, section 4.1.2), and no more than a key of the database.
    sub: int = Field(strict=False, ge=1, lt=2**31)
    sid: str = Field(pattern=r"^[0-9a-f]{32}$")
    iat: int
    exp: int


def new_session_id() -> str:
    """A random id for a session: 32 hexadecimal digits."""
    return uuid4().hex


def new_refresh_token(session_id: str) -> str:
    """A session's first refresh token: its id, a dot, and 256 random bits."""
    return f"{session_id}.{secrets.token_urlsafe(32)}"


def successor(token: str, key: bytes) -> str:
    """The refresh token that follows a well-formed one.

    It is computed, not drawn: base64url of the token's HMAC-SHA256. So a token
    that was spent a moment ago, whose answer was lost or crossed that of
    another tab, is answered with the very successor that it had, although the
    database holds nothing but hashes. Nobody without the key can compute it.
    While keys change the successor may come from either: compare hashes.
    """
    digest = hmac.digest(key, _REFRESH_CONTEXT + token.encode(), "sha256")
    secret = urlsafe_b64encode(digest).decode().rstrip("=")
    return f"{token.partition('.')[0]}.{secret}"


def session_id_of(token: str) -> str | None:
    """The session that a refresh token belongs to; None for text that is no such token."""
    match = _REFRESH_TOKEN.fullmatch(token)
    return match and match[1]


def hash_token(token: str) -> str:
    """What is stored of a refresh token: its SHA-256, as 64 hexadecimal digits.

    A slow hash is for secrets that can be guessed; these are 256 random bits.
    """
    return sha256(token.encode()).hexdigest()
