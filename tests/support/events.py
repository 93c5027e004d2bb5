"""Following what happens to posts."""

from __future__ import annotations

import asyncio

from blog_graphql.db.database import Database
from blog_graphql.db.events import Subscription, Topic, announce

# Seconds after which what should have arrived is given up.
PATIENCE = 60
# The key of no post.
_MARK = 2_000_000_000


async def taken(subscription: Subscription) -> int:
    """The next key, which must come."""
    async with asyncio.timeout(PATIENCE):
        return await anext(subscription)


async def waiting(subscription: Subscription) -> list[int]:
    """Every key that can be taken at once."""
    keys = []
    try:
        while True:
            async with asyncio.timeout(0):
                keys.append(await anext(subscription))
    except TimeoutError:
        return keys


async def told(database: Database, topic: Topic, *post_ids: int) -> None:
    """Announce something in a transaction of its own."""
    async with database.transaction() as session:
        announce(session, topic, *post_ids)


async def heard(subscription: Subscription, database: Database) -> list[int]:
    """Every key that was given before now, by whichever process."""
    async with database.events.changed(_MARK) as mark:
        await told(database, Topic.CHANGED, _MARK)
        assert await taken(mark) == _MARK
    return await waiting(subscription)
