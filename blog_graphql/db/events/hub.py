"""The hub: what a transaction announced goes to every process, and from there to subscribers."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from blog_graphql.db.events.announcements import Topic, announced
from blog_graphql.db.events.background import Background, Fetch
from blog_graphql.db.events.listener import Listener
from blog_graphql.db.events.outbox import Outbox
from blog_graphql.db.events.pacing import Pacer
from blog_graphql.db.events.schedule import Schedule
from blog_graphql.db.events.subscriptions import (
    ChangedSubscription,
    Changes,
    Publications,
    PublishedSubscription,
    Subscription,
)
from blog_graphql.db.postgresql import LARGEST_KEY, NOTIFY, notices
from blog_graphql.db.types import utcnow
from blog_graphql.settings import Settings

log = structlog.get_logger(__name__)

# Seconds between two notices that the same post was viewed.
_VIEWS_EVERY = 1.0
_KEY = re.compile(r"[1-9][0-9]{0,9}")


class Events:
    """What happens to posts, for those in this process who subscribe to it.

    On PostgreSQL a transaction notifies every process that listens, its own
    included. On SQLite its own process alone is told, after the commit.

    ``clock`` tells whether a scheduled post is due.
    """

    def __init__(
        self,
        settings: Settings,
        fetch: Fetch,
        clock: Callable[[], datetime] = utcnow,
    ) -> None:
        self.clock = clock
        self._background = Background()
        self._publications = Publications(settings.subscription_buffer, self._watch)
        self._changes = Changes()
        self._schedule = Schedule(fetch, self._now, self._background, self._publications.add)
        # Every process counts views: it paces what it sends, and what it hears of them all.
        self._heard_views = Pacer(self._changes.add, _VIEWS_EVERY)
        self._sent_views = Pacer(Outbox(fetch, self._background).add, _VIEWS_EVERY)
        self._listener = (
            None if settings.is_embedded else Listener(settings, Topic, self, self._background)
        )

    @property
    def subscriptions(self) -> int:
        """How many subscriptions there are."""
        return len(self._publications) + len(self._changes)

    def published(self) -> Subscription:
        """The posts that become visible to everybody, each time once."""
        return PublishedSubscription(self._publications, self._ready)

    def changed(self, post_id: int) -> Subscription:
        """A post's key whenever the post was edited, viewed, hidden or deleted.

        What happens before the key is taken is one change. There may be a change
        too many: look at the post.
        """
        return ChangedSubscription(self._changes, self._ready, post_id)

    def look(self) -> None:
        """Look for scheduled posts that are due, as after the clock was moved."""
        self._schedule.wake()

    async def send(self, session: AsyncSession) -> None:
        """Have what was announced on a session sent with its commit."""
        if self._listener is None:
            return
        sent = [each for each in announced(session) if each.topic is not Topic.VIEWED]
        if sent:
            await session.execute(NOTIFY, notices(sent))

    def committed(self, session: AsyncSession) -> None:
        """Tell what was not sent, now that the transaction has committed."""
        if self._publications.is_over:
            return
        for topic, post_id in announced(session):
            if self._listener is None:
                self._receive(topic, post_id)
            elif topic is Topic.VIEWED:
                self._sent_views.add(post_id)

    def hear(self, channel: str, payload: str) -> None:
        """Take a notice, which anybody may have sent who can connect to the database."""
        if not _KEY.fullmatch(payload) or int(payload) > LARGEST_KEY:
            log.debug("a notice has no post's key", channel=channel)
            return
        self._receive(Topic(channel), int(payload))

    def miss(self, seconds: float) -> None:
        """Know that notices may be missing, since so many seconds ago and until ``catch_up``."""
        self._schedule.miss(seconds)

    def catch_up(self) -> None:
        """Know that from now on none is missing, and tell of what may have happened meanwhile."""
        self._changes.add_all()
        self._schedule.catch_up()

    async def close(self) -> None:
        """End every subscription and whatever runs for them.

        Views that were not announced yet are not announced any more.
        """
        self._publications.end()
        self._changes.end()
        self._heard_views.close()
        self._sent_views.close()
        await self._background.close()

    async def _ready(self) -> None:
        if self._listener is not None and not self._publications.is_over:
            await self._listener.ready()

    def _now(self) -> datetime:
        return self.clock()

    def _watch(self, *, is_wanted: bool) -> None:
        if is_wanted:
            self._schedule.start()
        else:
            self._schedule.stop()

    def _receive(self, topic: Topic, post_id: int) -> None:
        if topic is Topic.VIEWED:
            if self._changes.is_followed(post_id):
                self._heard_views.add(post_id)
            return
        self._changes.add(post_id)
        if topic is Topic.PUBLISHED:
            self._schedule.published(post_id)
        elif topic is Topic.HIDDEN:
            self._schedule.hidden(post_id)
