"""Changing and deleting users, each in one transaction.

What may cost the blog an admin first locks all active admins: so the next one to
try sees what the one before them left, and two at once cannot leave none.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypedDict, cast

from sqlalchemy import CursorResult, Row, bindparam, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from blog_graphql.db.events import Topic, announce
from blog_graphql.db.models import UNUSABLE_PASSWORD, Post, Session, User, UserRole
from blog_graphql.db.session import SessionContext
from blog_graphql.db.visibility import Viewer, Visibility
from blog_graphql.errors import Forbidden, ProblemCode
from blog_graphql.security.passwords import Passwords
from blog_graphql.text import fold
from blog_graphql.users.creation import TAKEN
from blog_graphql.users.rules import check_bio, check_email, check_full_name, check_password
from blog_graphql.validation import Problems

MOST_DAYS = 36_500

_PASSWORD = select(User.hashed_password).where(User.id == bindparam("user_id"))
_WRONG_PASSWORD = (
    ProblemCode.INVALID_CREDENTIALS,
    "That is not your password.",
    "currentPassword",
)


class ProfileChanges(TypedDict, total=False):
    """What an edit of a profile sets; None clears it, and what is left out stays."""

    email: str | None
    full_name: str | None
    bio: str | None


async def update_user(
    session: AsyncSession, visibility: Visibility, user_id: int, changes: ProfileChanges
) -> None:
    """Edit a profile. An edit that changes nothing does not move ``updated_at``.

    Raises:
        Rejected: something must be mended, or there is no such user.
        Forbidden: it is somebody else's, and the viewer is no admin.
    """
    problems = Problems()
    email_key = _check(problems, changes)
    user = await _lock_user(session, user_id, problems)
    _check_may_change(visibility.viewer, user_id)
    if email_key is not None and await _is_taken(session, email_key, user_id):
        problems.taken(TAKEN["email"], "email")
    problems.raise_any()
    values: dict[str, Any] = {
        name: value for name, value in changes.items() if value != getattr(user, name)
    }
    if not values:
        return
    if "email" in values:
        values["email_key"] = email_key
    try:
        async with session.begin_nested():
            await _update(session, user_id, **values, updated_at=visibility.now)
    except IntegrityError:
        # Somebody signed up with it, or changed theirs to it, just now.
        problems.reject(ProblemCode.TAKEN, TAKEN["email"], "email")


async def check_password_change(
    session: SessionContext, passwords: Passwords, user_id: int, current: str, new: str
) -> str:
    """The hash that a user's current password was verified against, where the new one will do.

    No connection is held while it is verified.

    Raises:
        Rejected: the current password is another one, or the new one can be none.
    """
    rows = await session.fetch(_PASSWORD, user_id=user_id)
    await session.release()
    hashed: str = rows[0].hashed_password if rows else UNUSABLE_PASSWORD
    problems = Problems()
    if not await passwords.verify(current, hashed):
        problems.add(*_WRONG_PASSWORD)
    check_password(problems, new, "newPassword")
    problems.raise_any()
    return hashed


async def change_password(
    session: AsyncSession, visibility: Visibility, verified: str, hashed_password: str
) -> None:
    """Give the viewer another password, and end all of their sessions but this one.

    Args:
        session: the transaction.
        visibility: the viewer, and their session.
        verified: the hash that the current password was verified against.
        hashed_password: the hash of the new one.

    Raises:
        Rejected: the password was changed since it was verified.
    """
    viewer = visibility.viewer
    changed = await session.scalar(
        update(User)
        .where(User.id == viewer.id, User.hashed_password == verified)
        .values(hashed_password=hashed_password)
        .returning(User.id)
    )
    if changed is None:
        Problems().reject(*_WRONG_PASSWORD)
    await session.execute(
        delete(Session).where(Session.user_id == viewer.id, Session.id != viewer.session_id)
    )


async def set_user_role(
    session: AsyncSession, visibility: Visibility, user_id: int, role: UserRole
) -> None:
    """Give a user a role, by an admin.

    Raises:
        Rejected: there is no such user, or they are the last active admin.
        Forbidden: the viewer is an admin no longer.
    """
    problems = Problems()
    admins = await _lock_admins(session, visibility.viewer)
    user = await _lock_user(session, user_id, problems)
    if role is not user.role:
        _check_admin_remains(problems, user, admins)
        await _update(session, user_id, role=role, updated_at=visibility.now)


async def set_user_active(
    session: AsyncSession, visibility: Visibility, user_id: int, *, is_active: bool
) -> None:
    """Let a user sign in or keep them from it, by an admin; either way their sessions end.

    Raises:
        Rejected: there is no such user, or they are the last active admin.
        Forbidden: the viewer is an admin no longer.
    """
    problems = Problems()
    admins = await _lock_admins(session, visibility.viewer)
    user = await _lock_user(session, user_id, problems)
    if is_active is not user.is_active:
        _check_admin_remains(problems, user, admins)
        await _update(session, user_id, is_active=is_active, updated_at=visibility.now)
        await session.execute(delete(Session).where(Session.user_id == user_id))


async def delete_user(session: AsyncSession, visibility: Visibility, user_id: int) -> None:
    """Delete a user with their posts and sessions.

    Raises:
        Rejected: there is no such user, or they are the last active admin.
        Forbidden: it is somebody else, and the viewer is no admin.
    """
    problems = Problems()
    admins = await _lock_admins(session, visibility.viewer)
    user = await _lock_user(session, user_id, problems)
    _check_may_change(visibility.viewer, user_id)
    _check_admin_remains(problems, user, admins)
    # By themselves, since the database does not tell what it takes along.
    posts = await session.scalars(delete(Post).where(Post.author_id == user_id).returning(Post.id))
    announce(session, Topic.HIDDEN, *posts)
    await session.execute(delete(User).where(User.id == user_id))


async def deactivate_inactive_users(
    session: AsyncSession, visibility: Visibility, days: int
) -> int:
    """Deactivate who last signed in more than so many days ago, by an admin; gives their number.

    Who never signed in is left alone, and so is the viewer.

    Raises:
        Rejected: it is no such number of days.
        Forbidden: the viewer is an admin no longer.
    """
    problems = Problems()
    if not 1 <= days <= MOST_DAYS:
        problems.reject(
            ProblemCode.INVALID,
            f"inactiveForDays must be 1 to {MOST_DAYS:,}; it is {days:,}.",
            "inactiveForDays",
        )
    await _lock_admins(session, visibility.viewer)
    deactivated = await session.execute(
        update(User)
        .where(
            User.is_active,
            User.last_login_at < visibility.now - timedelta(days=days),
            User.id != visibility.viewer.id,
        )
        .values(is_active=False, updated_at=visibility.now)
    )
    return cast("CursorResult[Any]", deactivated).rowcount


def _check(problems: Problems, changes: ProfileChanges) -> str | None:
    """Check each change by itself; gives the new email as it is looked up, if there is one."""
    if (full_name := changes.get("full_name")) is not None:
        check_full_name(problems, full_name, "fullName")
    if (bio := changes.get("bio")) is not None:
        check_bio(problems, bio, "bio")
    email = changes.get("email")
    if email is not None and check_email(problems, email, "email"):
        return fold(email)
    return None


def _check_may_change(viewer: Viewer, user_id: int) -> None:
    if viewer.id != user_id and viewer.role is not UserRole.ADMIN:
        raise Forbidden("Only that user and admins may do this.")


def _check_admin_remains(problems: Problems, user: Row[Any], admins: set[int]) -> None:
    """Refuse to lose the last of the active admins, who are locked."""
    if user.role is UserRole.ADMIN and user.is_active and not admins - {user.id}:
        problems.reject(
            ProblemCode.CONFLICT,
            "This is the last active admin: make somebody else an admin first.",
            "id",
        )


async def _lock_admins(session: AsyncSession, viewer: Viewer) -> set[int]:
    """The keys of all active admins, locked in an order that is always the same."""
    locked = (
        select(User.id)
        .where(User.role == UserRole.ADMIN, User.is_active)
        .order_by(User.id)
        .with_for_update(key_share=True)
    )
    admins = set((await session.scalars(locked)).all())
    if viewer.role is UserRole.ADMIN and viewer.id not in admins:
        raise Forbidden("You are an admin no longer.")
    return admins


async def _lock_user(session: AsyncSession, user_id: int, problems: Problems) -> Row[Any]:
    locked = await session.execute(
        select(User.__table__).where(User.id == user_id).with_for_update(key_share=True)
    )
    user = locked.one_or_none()
    if user is None:
        problems.reject(ProblemCode.NOT_FOUND, "There is no such user.", "id")
    return user


async def _update(session: AsyncSession, user_id: int, **values: Any) -> None:
    await session.execute(update(User).where(User.id == user_id).values(values))


async def _is_taken(session: AsyncSession, email_key: str, user_id: int) -> bool:
    """Whether another user has the email."""
    holder = select(User.id).where(User.email_key == email_key, User.id != user_id)
    return await session.scalar(holder) is not None
