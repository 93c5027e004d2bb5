"""A served blog for real clients: ada has five notes, grace one post."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from blog_graphql.app import create_app
from blog_graphql.settings import Settings
from tests.support.blog import Blog
from tests.support.client import served
from tests.support.sockets import subscribed


@pytest.fixture
async def blog_url(settings: Settings, blog: Blog) -> AsyncIterator[str]:
    """Where the blog is served, without ``/graphql``; whoever subscribes must leave in the end."""
    notes = await blog.tag("notes")
    ada = await blog.user("ada", full_name="Ada Lovelace")
    for day in range(1, 6):
        published = datetime(2026, 1, day, tzinfo=UTC)
        await blog.post(ada, notes, title=f"Note {day}", published_at=published)
    grace = await blog.user("grace", full_name="Grace Hopper")
    await blog.post(grace, title="Nanoseconds")
    app = create_app(settings)
    async with served(app) as url:
        yield url
        await subscribed(app, 0)


@pytest.fixture
async def impatient_url(settings: Settings) -> AsyncIterator[str]:
    """Where the same blog is served to sockets that begin at once."""
    hurried = settings.model_copy(update={"socket_init_timeout": 0.1})
    async with served(create_app(hurried)) as url:
        yield url
