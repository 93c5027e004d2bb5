"""What a transaction has to tell when it commits, kept on its session until then."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction

_KEPT = "announcements"
_MARKS = "savepoints"


class Topic(StrEnum):
    """What may happen to a post; each is a channel of PostgreSQL's."""

    # A write made it visible to everybody, who could not read it before.
    PUBLISHED = "blog_post_published"
    # It was hidden, deleted or (re)scheduled: not everybody may read it, or not yet.
    HIDDEN = "blog_post_hidden"
    # It was edited in any other way.
    CHANGED = "blog_post_changed"
    # Views of it were counted.
    VIEWED = "blog_post_viewed"


class Announcement(NamedTuple):
    """Something that happened to a post."""

    topic: Topic
    post_id: int


class AnnouncingSession(Session):
    """A session that forgets what was announced in a savepoint when that is rolled back."""


def announce(session: AsyncSession, topic: Topic, *post_ids: int) -> None:
    """Tell subscribers of posts once the session's transaction has committed.

    Nothing is told of what is rolled back. What is said twice is told once.
    """
    kept = _announcements(session)
    kept.extend(Announcement(topic, post_id) for post_id in post_ids)


def announced(session: AsyncSession) -> list[Announcement]:
    """What the session's transaction has to tell, each once, in the order it was said."""
    return list(dict.fromkeys(_announcements(session)))


def _announcements(session: AsyncSession | Session) -> list[Announcement]:
    kept: list[Announcement] = session.info.setdefault(_KEPT, [])
    return kept


def _marks(session: Session) -> dict[SessionTransaction, int]:
    marks: dict[SessionTransaction, int] = session.info.setdefault(_MARKS, {})
    return marks


@event.listens_for(AnnouncingSession, "after_transaction_create")
def _mark(session: Session, transaction: SessionTransaction) -> None:
    """Remember what had been announced before a savepoint."""
    if transaction.nested:
        _marks(session)[transaction] = len(_announcements(session))


@event.listens_for(AnnouncingSession, "after_soft_rollback")
def _forget(session: Session, transaction: SessionTransaction) -> None:
    """Forget what was announced since a savepoint, or since the transaction began."""
    # A refused flush is a part of one of them, and undoes the whole.
    while not transaction.nested and transaction.parent is not None:
        transaction = transaction.parent
    del _announcements(session)[_marks(session).get(transaction, 0) :]
