"""Notices of views, which wait for no transaction."""

from __future__ import annotations

import asyncio

import structlog

from blog_graphql.db.events.announcements import Topic
from blog_graphql.db.events.background import Background, Fetch
from blog_graphql.db.postgresql import NOTIFY, notices

log = structlog.get_logger(__name__)

_RETRY_AFTER = 5.0  # seconds


class Outbox:
    """Sends notices of views: those that come while others are on their way go together."""

    def __init__(self, fetch: Fetch, background: Background) -> None:
        self._fetch = fetch
        self._background = background
        self._post_ids: set[int] = set()
        self._task: asyncio.Task[None] | None = None

    def add(self, post_id: int) -> None:
        """Send a notice that a post was viewed, soon."""
        self._post_ids.add(post_id)
        if self._task is None:
            self._task = self._background.start(self._run())

    async def _run(self) -> None:
        is_failing = False
        while self._post_ids:
            sent, self._post_ids = self._post_ids, set()
            try:
                await self._fetch(NOTIFY, **notices((Topic.VIEWED, each) for each in sent))
                is_failing = False
            except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
                self._post_ids |= sent
                if not is_failing:
                    log.warning("views cannot be announced", reason=str(error))
                is_failing = True
                await asyncio.sleep(_RETRY_AFTER)
        self._task = None
