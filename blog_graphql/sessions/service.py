"""Signing in, staying signed in and signing out.

A session outlives its access tokens by its refresh token, which is spent and
replaced at each use: RFC 9700, section 4.14.2, on rotation and replay.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from blog_graphql.db.models import UNUSABLE_PASSWORD, Session, User, UserRole
from blog_graphql.db.session import SessionContext
from blog_graphql.db.visibility import Viewer, Visibility
from blog_graphql.errors import Unauthenticated
from blog_graphql.security.passwords import Passwords
from blog_graphql.security.secret_key import SecretKeys
from blog_graphql.security.tokens import (
    hash_token,
    new_refresh_token,
    new_session_id,
    session_id_of,
    successor,
)
from blog_graphql.settings import Settings
from blog_graphql.text import is_storable

_CREDENTIALS = select(User.id, User.hashed_password).where(User.is_active)
_BY_USERNAME = _CREDENTIALS.where(User.username_key == bindparam("key"))
_BY_EMAIL = _CREDENTIALS.where(User.email_key == bindparam("key"))


class Account(NamedTuple):
    """A user who gave their password."""

    user_id: int
    hashed_password: str
    """The hash that the password was verified against."""
    rehashed_password: str | None
    """A hash with the parameters of today, where that one has others."""


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that has just begun or gone on, and the token that it goes on with."""

    id: str
    user_id: int
    role: UserRole
    refresh_token: str

    @property
    def viewer(self) -> Viewer:
        """Its user, as who reads from now on."""
        return Viewer(self.user_id, self.role, self.id)


async def verify_account(
    session: SessionContext, passwords: Passwords, key: str, password: str
) -> Account | None:
    """The active user of a folded username or email, if that is their password.

    One verification is done in any case, with no connection held meanwhile: how
    long the answer takes does not tell who has an account.
    """
    statement = _BY_EMAIL if "@" in key else _BY_USERNAME
    rows = await session.fetch(statement, key=key) if is_storable(key) else ()
    await session.release()
    hashed: str = rows[0].hashed_password if rows else UNUSABLE_PASSWORD
    if not await passwords.verify(password, hashed):
        return None
    outdated = passwords.needs_rehash(hashed)
    return Account(rows[0].id, hashed, await passwords.hash(password) if outdated else None)


async def begin_session(
    session: AsyncSession, visibility: Visibility, account: Account, settings: Settings
) -> OpenSession | None:
    """Sign a user in; None when the account changed since it was verified.

    The user's expired sessions are cleared away on the occasion.
    """
    now = visibility.now
    values = {
        "last_login_at": now,
        "hashed_password": account.rehashed_password or account.hashed_password,
    }
    role = await session.scalar(
        update(User)
        .where(
            User.id == account.user_id,
            User.is_active,
            User.hashed_password == account.hashed_password,
        )
        .values(values)
        .returning(User.role)
    )
    if role is None:
        return None
    session_id = new_session_id()
    token = new_refresh_token(session_id)
    await session.execute(
        insert(Session).values(
            id=session_id,
            user_id=account.user_id,
            token_hash=hash_token(token),
            rotated_at=now,
            created_at=now,
            expires_at=_expiry(now, settings),
        )
    )
    await session.execute(
        delete(Session).where(Session.user_id == account.user_id, Session.expires_at <= now)
    )
    return OpenSession(session_id, account.user_id, role, token)


async def refresh_session(
    session: AsyncSession, visibility: Visibility, token: str, keys: SecretKeys, settings: Settings
) -> OpenSession | None:
    """Go on with the session of a refresh token; None when the token does not hold.

    A spent token that comes again within ``refresh_grace_seconds`` is answered
    with the successor that it had, as long as that one is not spent as well.
    Later, it may have been stolen from its owner, or by them from the thief: the
    session ends.
    """
    now = visibility.now
    row = await _lock_session(session, token, now)
    if row is None:
        return None
    grace = timedelta(seconds=settings.refresh_grace_seconds)
    next_token = _next_token(row, token, keys, answers_again=now - row.rotated_at <= grace)
    if next_token is None:
        await session.execute(delete(Session).where(Session.id == row.id))
        return None
    if _is_current(row, token):
        rotated = update(Session).where(Session.id == row.id)
        await session.execute(
            rotated.values(
                token_hash=hash_token(next_token),
                previous_token_hash=row.token_hash,
                rotated_at=now,
                expires_at=_expiry(now, settings),
            )
        )
    return OpenSession(row.id, row.user_id, row.role, next_token)


async def end_session(
    session: AsyncSession, visibility: Visibility, token: str | None, *, everywhere: bool
) -> None:
    """End the session of a refresh token, spent or not, or else the viewer's own.

    ``everywhere`` ends all sessions of its user instead. A token of no session
    ends nothing, which is no error: RFC 7009, section 2.2.

    Raises:
        Unauthenticated: there is neither a token nor a viewer.
    """
    viewer = visibility.viewer
    user_id, session_id = viewer.id, viewer.session_id
    if token is not None:
        row = await _lock_session(session, token, visibility.now)
        if row is None or not (_is_current(row, token) or _is_previous(row, token)):
            return
        user_id, session_id = row.user_id, row.id
    elif user_id is None:
        raise Unauthenticated("Sign in first, or give the refreshToken of the session to end.")
    ended = Session.user_id == user_id if everywhere else Session.id == session_id
    await session.execute(delete(Session).where(ended))


async def _lock_session(session: AsyncSession, token: str, now: datetime) -> Row[Any] | None:
    """The session that a token names, if it lasts and its user is active.

    Whether the token is its current one, or was, is yet to be seen.
    """
    session_id = session_id_of(token)
    if session_id is None:
        return None
    found = await session.execute(
        select(Session.__table__, User.role)
        .join(User, User.id == Session.user_id)
        .where(Session.id == session_id, Session.expires_at > now, User.is_active)
        .with_for_update(of=Session, key_share=True)
    )
    return found.one_or_none()


def _next_token(row: Row[Any], token: str, keys: SecretKeys, *, answers_again: bool) -> str | None:
    """The successor of a session's token; of its previous one only if that ``answers_again``."""
    if _is_current(row, token):
        return successor(token, keys.current)
    if answers_again and _is_previous(row, token):
        # The keys may have changed since it was spent.
        for key in keys.accepted:
            if _is_current(row, next_token := successor(token, key)):
                return next_token
    return None


def _is_current(row: Row[Any], token: str) -> bool:
    return hmac.compare_digest(row.token_hash, hash_token(token))


def _is_previous(row: Row[Any], token: str) -> bool:
    return hmac.compare_digest(row.previous_token_hash or "", hash_token(token))


def _expiry(now: datetime, settings: Settings) -> datetime:
    return now + timedelta(days=settings.refresh_token_days)
