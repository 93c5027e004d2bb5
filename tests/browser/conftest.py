"""A browser and a server with the demo blog for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from fastapi import FastAPI
from playwright.async_api import Browser
from starlette.types import ASGIApp, Receive, Scope, Send

from blog_graphql.app import create_app
from tests.support.browser import GraphiQL, chromium, required
from tests.support.client import served
from tests.support.settings import settings_for

Opening = Callable[..., Awaitable[GraphiQL]]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium(required()) as browser:
        yield browser


class Proxy:
    """Takes the prefix ``/stripped`` away without telling, and tells of the prefix ``/told``."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path", "").startswith("/stripped/"):
            scope["path"] = scope["path"].removeprefix("/stripped")
        elif scope.get("path", "").startswith("/told/"):
            scope["root_path"] = "/told"
        await self._app(scope, receive, send)


@pytest.fixture
def app() -> FastAPI:
    """The server as a newcomer starts it, with the demo blog."""
    app = create_app(settings_for("sqlite://", demo=True))
    app.add_middleware(Proxy)
    return app


@pytest.fixture
async def opened(browser: Browser, app: FastAPI) -> AsyncIterator[Opening]:
    """Opens GraphiQL; afterwards no page has complained, or asked anybody else for anything."""
    async with AsyncExitStack() as stack:
        origin = await stack.enter_async_context(served(app))
        pages: list[GraphiQL] = []

        async def open_page(path: str = "/graphql", **options: Any) -> GraphiQL:
            context = await browser.new_context(**{"color_scheme": "light"} | options)
            stack.push_async_callback(context.close)
            pages.append(GraphiQL(await context.new_page(), f"{origin}{path}"))
            await pages[-1].open()
            return pages[-1]

        yield open_page
    assert [page.complaints for page in pages] == [[]] * len(pages)
    assert [page.strangers for page in pages] == [[]] * len(pages)
