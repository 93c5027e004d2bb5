"""Telling of each publication once: that of a scheduled post comes by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog
from sqlalchemy import Row, bindparam, or_, select

from blog_graphql.db.events.background import Background, Fetch
from blog_graphql.db.models import Post
from blog_graphql.db.postgresql import LARGEST_KEY
from blog_graphql.db.types import EARLIEST, nulls_last

log = structlog.get_logger(__name__)

# A look reads ahead; in between, what is scheduled for sooner is announced.
_LOOK_EVERY = timedelta(seconds=30)
_AHEAD = 2 * _LOOK_EVERY
# A transaction may commit so long after it took the time.
_OVERLAP = timedelta(minutes=1)
# Longer than the overlap and the time in which a lost connection is found out.
_REMEMBERED = timedelta(minutes=5)
_MOST_REMEMBERED = 10_000
_PAGE = 500
_RETRY_AFTER = 5.0  # seconds

_moment = nulls_last(Post.published_at, descending=False)

# These ask when a post becomes visible to everybody, and not what a viewer may see.
_AMONG = select(Post.id, Post.published_at).where(
    Post.id.in_(bindparam("ids", expanding=True)), Post.is_published
)
_BETWEEN = (
    select(Post.id, Post.published_at)
    .where(
        Post.is_published,
        _moment >= bindparam("after"),
        or_(_moment > bindparam("after"), Post.id > bindparam("after_id")),
        _moment <= bindparam("until"),
    )
    .order_by(_moment, Post.id)
    .limit(_PAGE)
)


class _Told(NamedTuple):
    """When a publication was told of, and whether a notice of the same may yet come."""

    at: datetime
    awaits_notice: bool


class Schedule:
    """Passes on each publication once, whether a notice or the clock tells of it.

    While somebody watches, it reads the moments of the posts ahead, stretch after
    stretch, and looks at a post again when its moment has come. After notices
    were missed it reads the stretch behind once more: what was published there
    was told of before, or is now.
    """

    def __init__(
        self,
        fetch: Fetch,
        clock: Callable[[], datetime],
        background: Background,
        publish: Callable[[int], None],
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._background = background
        self._publish = publish
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._is_failing = False
        self._missing_since: datetime | None = None
        self._catches_up = False
        self._began = self._read_to = (EARLIEST, LARGEST_KEY)
        self._expected: dict[int, datetime] = {}
        self._told: dict[int, _Told] = {}

    def start(self) -> None:
        """Begin, with what is published from now on."""
        self._began = self._read_to = (self._clock(), LARGEST_KEY)
        self._task = self._background.start(self._watch())

    def stop(self) -> None:
        """Forget everything until it is started again."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._expected.clear()
        self._told.clear()

    def wake(self) -> None:
        """Look again now."""
        self._wake.set()

    def published(self, post_id: int) -> None:
        """Take a notice that a write made a post visible to everybody."""
        if self._task is None:
            return
        told = self._told.get(post_id)
        is_known = told and told.awaits_notice and self._clock() - told.at <= _OVERLAP
        self._expected.pop(post_id, None)
        self._remember(post_id, awaits_notice=False)
        if not is_known:
            self._publish(post_id)

    def hidden(self, post_id: int) -> None:
        """Take a notice that a post is not visible to everybody, at least not yet."""
        if self._task is None:
            return
        self._told.pop(post_id, None)
        self._expected[post_id] = EARLIEST
        self._wake.set()

    def miss(self, seconds: float) -> None:
        """Know that notices may be missing since so many seconds ago."""
        self._missing_since = self._clock() - timedelta(seconds=seconds)
        # One that a post was hidden, too: then the next one of it is no repetition.
        self._told = {key: told._replace(awaits_notice=False) for key, told in self._told.items()}

    def catch_up(self) -> None:
        """Know that none is missing any longer, and read what was published meanwhile."""
        if self._missing_since is not None:
            behind = (self._missing_since - _OVERLAP, 0)
            self._read_to = min(self._read_to, max(self._began, behind))
            # A look that is under way may have read too early.
            self._catches_up = True
            self._missing_since = None
            self._wake.set()

    async def _watch(self) -> None:
        while self._task is asyncio.current_task():
            self._wake.clear()
            try:
                pause = await self._look()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
                if not self._is_failing:
                    log.warning("scheduled posts cannot be looked for", reason=str(error))
                self._is_failing = True
                pause = _RETRY_AFTER
            else:
                if self._is_failing:
                    log.info("scheduled posts are looked for again")
                self._is_failing = False
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    async def _look(self) -> float:
        """Tell of what is due and read on, a page each; gives the seconds until the next look."""
        now = self._clock()
        is_complete = await self._check_due(now) and await self._read_on(now)
        if not is_complete:
            return 0
        next_look = min([now + _LOOK_EVERY, *self._expected.values()])
        return max(0, (next_look - self._clock()).total_seconds())

    async def _check_due(self, now: datetime) -> bool:
        """Look at the posts whose moment has come, or was changed; whether at all of them."""
        due = {key: moment for key, moment in self._expected.items() if moment <= now}
        page = list(due)[:_PAGE]
        if not page:
            return True
        # Whatever a notice adds from here on is looked at once more.
        for key in page:
            del self._expected[key]
        try:
            rows = await self._fetch(_AMONG, ids=page)
        except Exception:
            self._expected = {key: due[key] for key in page} | self._expected
            raise
        self._take(rows, now)
        return len(page) == len(due)

    async def _read_on(self, now: datetime) -> bool:
        """Read which posts are scheduled for the time ahead; whether all of them."""
        begin, until = self._read_to, (now + _AHEAD, 0)
        if begin[0] > now + _LOOK_EVERY:
            return True
        self._catches_up = False
        rows = await self._fetch(_BETWEEN, after=begin[0], after_id=begin[1], until=until[0])
        is_complete = len(rows) < _PAGE
        if self._catches_up:
            return False
        self._read_to = until if is_complete else (rows[-1].published_at, rows[-1].id)
        self._take(rows, now)
        return is_complete

    def _take(self, rows: Sequence[Row[Any]], now: datetime) -> None:
        """Tell of the published posts among the rows, and expect the others."""
        # What a notice told of meanwhile is looked at once more.
        rows = [row for row in rows if self._expected.get(row.id) != EARLIEST]
        for row in rows:
            if row.published_at > now:
                self._expect(row.id, row.published_at, now)
        # All before any of them: whoever is remembered may have another forgotten.
        new = [row.id for row in rows if row.published_at <= now and row.id not in self._told]
        for post_id in new:
            self._expected.pop(post_id, None)
            # While notices are missing, that of this one is missing too.
            self._remember(post_id, awaits_notice=self._missing_since is None)
            self._publish(post_id)

    def _expect(self, post_id: int, moment: datetime, now: datetime) -> None:
        told = self._told.get(post_id)
        if told is not None:
            if told.at >= now:
                return
            # It was hidden since, and no notice of that arrived.
            del self._told[post_id]
        if moment <= self._read_to[0]:
            self._expected[post_id] = moment

    def _remember(self, post_id: int, *, awaits_notice: bool) -> None:
        now = self._clock()
        self._told.pop(post_id, None)
        self._told[post_id] = _Told(now, awaits_notice)
        # What is read next may begin in the past.
        horizon = min(now, self._missing_since or now, self._read_to[0]) - _REMEMBERED
        for oldest, told in list(self._told.items()):
            if told.at >= horizon and len(self._told) <= _MOST_REMEMBERED:
                break
            del self._told[oldest]
