"""Subscriptions: cheap enough for thousands, and never in the way of who announces."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Generic, Protocol, Self, TypeAlias, TypeVar

from blog_graphql.errors import SlowSubscriber

Ready: TypeAlias = Callable[[], Awaitable[None]]
SubscriptionT = TypeVar("SubscriptionT", bound="Subscription")


class Watch(Protocol):
    """Is told whether anybody subscribes, whenever that changes."""

    def __call__(self, *, is_wanted: bool) -> None:
        """Begin, or stop, to find out what is published."""


class Subscription(ABC):
    """The keys of posts as things happen to them: ``async with`` it, then ``async for`` over it.

    Nothing is missed from the beginning of the block on. Iteration ends when the
    server stops; it may be cancelled and taken up again, by one task at a time.
    """

    def __init__(self, feed: Feed[Any], ready: Ready) -> None:
        self._feed = feed
        self._ready = ready
        self._news = asyncio.Event()
        self._is_over = False

    async def __aenter__(self) -> Self:
        self._feed.join(self)
        try:
            await self._ready()
        except BaseException:
            self._feed.leave(self)
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._feed.leave(self)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> int:
        """The next key.

        Raises:
            SlowSubscriber: more happened than is kept for those who have not asked yet.
        """
        while not self._is_over:
            post_id = self._take()
            if post_id is not None:
                return post_id
            self._news.clear()
            await self._news.wait()
        raise StopAsyncIteration

    def wake(self) -> None:
        """Have the iterator look whether there is something to take."""
        self._news.set()

    def end(self) -> None:
        """End the iteration, whatever is left to take."""
        self._is_over = True
        self._news.set()

    @abstractmethod
    def _take(self) -> int | None:
        """The next key, if there is one already."""


class Feed(Generic[SubscriptionT]):
    """Those who subscribe to one kind of thing."""

    def __init__(self) -> None:
        self.is_over = False
        self._subscriptions: set[SubscriptionT] = set()

    def __len__(self) -> int:
        return len(self._subscriptions)

    def join(self, subscription: SubscriptionT) -> None:
        """Take a subscription in."""
        if self.is_over:
            subscription.end()
        else:
            self._subscriptions.add(subscription)

    def leave(self, subscription: SubscriptionT) -> None:
        """Let a subscription go."""
        self._subscriptions.discard(subscription)

    def end(self) -> None:
        """End every subscription, and those to come."""
        self.is_over = True
        for subscription in list(self._subscriptions):
            subscription.end()
            self.leave(subscription)


class Publications(Feed[Subscription]):
    """What was published lately, kept once for everybody: a subscriber has only a place in it."""

    def __init__(self, size: int, watch: Watch) -> None:
        super().__init__()
        self.count = 0
        self._latest: deque[int] = deque(maxlen=size)
        self._watch = watch

    def join(self, subscription: Subscription) -> None:
        """Take a subscription in."""
        was_empty = not self
        super().join(subscription)
        if was_empty and self:
            self._watch(is_wanted=True)

    def leave(self, subscription: Subscription) -> None:
        """Let a subscription go."""
        was_empty = not self
        super().leave(subscription)
        if not self and not was_empty:
            self._latest.clear()
            self._watch(is_wanted=False)

    def add(self, post_id: int) -> None:
        """Tell everybody of a post."""
        if self:
            self._latest.append(post_id)
            self.count += 1
            for subscription in self._subscriptions:
                subscription.wake()

    def after(self, place: int) -> int | None:
        """The post that came after so many others, if it came already.

        Raises:
            SlowSubscriber: it is kept no longer.
        """
        behind = self.count - place
        if behind > len(self._latest):
            raise SlowSubscriber(
                f"More than {self._latest.maxlen:,} posts were published before you took them: "
                "subscribe again, and query what you have missed."
            )
        return self._latest[-behind] if behind else None


class PublishedSubscription(Subscription):
    """Takes each post that is published, in order."""

    def __init__(self, feed: Publications, ready: Ready) -> None:
        super().__init__(feed, ready)
        self._publications = feed
        self._place = 0

    async def __aenter__(self) -> Self:
        self._place = self._publications.count
        return await super().__aenter__()

    def _take(self) -> int | None:
        post_id = self._publications.after(self._place)
        if post_id is not None:
            self._place += 1
        return post_id


class ChangedSubscription(Subscription):
    """Gives the key of its post whenever that may have changed since it was given last."""

    def __init__(self, feed: Changes, ready: Ready, post_id: int) -> None:
        super().__init__(feed, ready)
        self.post_id = post_id
        self._has_changed = False

    def change(self) -> None:
        """Note that the post may have changed."""
        self._has_changed = True
        self.wake()

    def _take(self) -> int | None:
        if not self._has_changed:
            return None
        self._has_changed = False
        return self.post_id


class Changes(Feed[ChangedSubscription]):
    """Who follows which post."""

    def __init__(self) -> None:
        super().__init__()
        self._followers: dict[int, set[ChangedSubscription]] = {}

    def join(self, subscription: ChangedSubscription) -> None:
        """Take a subscription in."""
        super().join(subscription)
        if not self.is_over:
            self._followers.setdefault(subscription.post_id, set()).add(subscription)

    def leave(self, subscription: ChangedSubscription) -> None:
        """Let a subscription go."""
        super().leave(subscription)
        followers = self._followers.get(subscription.post_id, set())
        followers.discard(subscription)
        if not followers:
            self._followers.pop(subscription.post_id, None)

    def is_followed(self, post_id: int) -> bool:
        """Whether anybody follows the post."""
        return post_id in self._followers

    def add(self, post_id: int) -> None:
        """Tell the followers of a post."""
        for subscription in self._followers.get(post_id, ()):
            subscription.change()

    def add_all(self) -> None:
        """Tell the followers of every post."""
        for subscription in self._subscriptions:
            subscription.change()
