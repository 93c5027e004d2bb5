"""GraphiQL in a real Chromium that reaches nothing but this machine."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from blog_graphql.api import graphiql

# Milliseconds after which the browser is given up: a busy machine takes some tens of seconds.
_PATIENCE = 120_000
expect.set_options(timeout=_PATIENCE)
_NAMES = ("chromium", "chromium-browser", "google-chrome")

# What one of GraphiQL's editors holds; its own variable leads to them.
_VALUE = """name => globalThis.__MONACO?.editor.getModels()
    .find(model => model.uri.path.endsWith(name))?.getValue()"""
_HOLDS = """([name, text]) => globalThis.__MONACO.editor.getModels()
    .find(model => model.uri.path.endsWith(name))?.getValue().includes(text)"""
_KEEPS = """([text, name, kept]) => Object.entries({ ...localStorage })
    .some(([key, value]) => key.endsWith(name) && value.includes(text)) === kept"""
_CHANGE = """([name, value]) => globalThis.__MONACO.editor.getModels()
    .find(model => model.uri.path.endsWith(name)).setValue(value)"""


def required() -> str:
    """The browser's path; without one, or without the page, the test is skipped, but not in CI."""
    paths = [path for name in _NAMES if (path := shutil.which(name))]
    missing = [] if paths else ["Chromium is not installed"]
    if not (graphiql.BUNDLE / "index.html").exists():
        missing.append("GraphiQL is not built")
    if missing and os.environ.get("CI"):
        pytest.fail("; ".join(missing))
    if missing:
        pytest.skip("; ".join(missing))
    return paths[0]


@asynccontextmanager
async def chromium(path: str) -> AsyncIterator[Browser]:
    """A browser for which there is no network but this machine's own address."""
    arguments = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path, args=arguments, timeout=_PATIENCE
        )
        try:
            yield browser
        finally:
            await browser.close()


class GraphiQL:
    """The page as its user sees it; ``strangers`` and ``complaints`` are what must not be."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.sockets: list[str] = []
        self.strangers: list[str] = []
        self.complaints: list[str] = []
        page.set_default_timeout(_PATIENCE)
        page.on("request", lambda request: self._meet(request.url))
        page.on("websocket", lambda socket: self.sockets.append(socket.url))
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def open(self) -> None:
        """Load the page, and wait until it can be used."""
        await self.page.goto(self.address)
        await self.ready()

    async def ready(self) -> None:
        """Wait until the editors are there, and the schema was read."""
        await self.page.locator(".graphiql-query-editor .view-line").first.wait_for()
        await (
            self.page.get_by_role("button", name="Re-fetch GraphQL schema")
            .and_(self.page.locator(":enabled"))
            .wait_for()
        )

    async def tab(self, name: str) -> None:
        """Go to a tab."""
        await self.page.get_by_role("tab", name=name, exact=True).click()

    async def run(self) -> None:
        """Press the play button."""
        await self.page.get_by_role("button", name="Execute query").click()

    async def press(self, name: str) -> None:
        """Press a button."""
        await self.page.get_by_role("button", name=name, exact=True).click()

    async def read(self, editor: str) -> str:
        """What an editor holds: ``operation.graphql``, ``request-headers.json`` and so on."""
        value: str = await self.page.evaluate(_VALUE, editor)
        return value

    async def write(self, editor: str, value: str) -> None:
        """Put text into an editor, as if pasted."""
        await self.page.evaluate(_CHANGE, [editor, value])

    async def answer(self, text: str = "{") -> Any:
        """Wait for an answer that has this text in it."""
        await self.page.wait_for_function(_HOLDS, arg=["response.json", text])
        return json.loads(await self.read("response.json"))

    async def stored(self) -> dict[str, str]:
        """All that the page keeps in the browser."""
        stored: dict[str, str] = await self.page.evaluate("() => ({ ...localStorage })")
        return stored

    async def keeps(self, text: str, name: str = "", *, kept: bool = True) -> None:
        """Wait until a text is in what the page keeps, under a name or any, or is not."""
        await self.page.wait_for_function(_KEEPS, arg=[text, name, kept])

    async def background(self) -> str:
        """The colour behind everything."""
        colour: str = await self.page.locator(".graphiql-container").evaluate(
            "element => getComputedStyle(element).backgroundColor"
        )
        return colour

    def _meet(self, url: str) -> None:
        origin = re.match(r"http://127\.0\.0\.1:\d+/", self.address)
        assert origin is not None
        if not url.startswith((origin[0], "data:")):
            self.strangers.append(url)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)
