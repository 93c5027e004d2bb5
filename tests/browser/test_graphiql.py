"""GraphiQL as a newcomer meets it: in a browser, without an internet."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from playwright.async_api import Browser, expect

from blog_graphql.api import graphiql
from blog_graphql.db.database import Database
from tests.browser.conftest import Opening
from tests.support.browser import GraphiQL
from tests.support.client import served

TABS = ["Welcome", "Pages", "Filters", "NestedPages", "SignUp", "Publish", "NewPosts"]
# The button that closes a tab is a part of it.
TITLES = [re.compile(f"^{name}") for name in TABS]
SIGN_UP = """mutation {
  createUser(input: {username: "bob", email: "bob@blog.example", password: "correct horse"}) {
    errors { message }
  }
  login(input: {identifier: "bob", password: "correct horse"}) { accessToken }
}"""
PUBLISH = """mutation ($title: String!) {
  createPost(input: {title: $title, content: "-", isPublished: true, tags: ["news"]}) {
    post { publishedAt }
  }
}"""


async def ask(page: GraphiQL, query: str, token: str = "", **variables: object) -> Any:
    """The data of an operation that another client sends to the same server."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = {"query": query, "variables": variables}
    async with httpx.AsyncClient(timeout=60) as http:
        answer = (await http.post(page.address, json=body, headers=headers)).json()
    assert "errors" not in answer, answer
    return answer["data"]


async def subscribed(app: FastAPI, count: int) -> None:
    """Wait until the server has that many subscriptions."""
    database: Database = app.state.database
    async with asyncio.timeout(60):
        while database.events.subscriptions != count:  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0.01)


async def test_runs_a_query_and_shows_the_answer(opened: Opening) -> None:
    page = await opened()
    await page.run()
    answer = await page.answer()
    assert answer == {"data": await ask(page, await page.read("operation.graphql"))}
    assert answer["data"]["posts"]["nodes"][0]["author"]["fullName"] == "Yuki Tanabe"
    await expect(page.page.locator(".result-window")).to_contain_text("Yuki Tanabe")


async def test_opens_on_a_tour(opened: Opening) -> None:
    page = await opened()
    await expect(page.page.get_by_role("tab")).to_have_text(TITLES)
    assert "play button" in await page.read("operation.graphql")
    assert "To sign in" in await page.read("request-headers.json")
    await page.tab("Filters")
    await page.run()
    titles = [post["title"] for post in (await page.answer())["data"]["posts"]["nodes"]]
    assert "Variables and fragments" in titles
    await page.press("Show History")
    await expect(page.page.get_by_role("region", name="History")).to_contain_text("Filters")


async def test_shows_the_docs(opened: Opening) -> None:
    page = await opened()
    await page.press("Show Documentation Explorer")
    docs = page.page.locator(".graphiql-doc-explorer")
    await docs.get_by_role("link", name="Subscription", exact=True).first.click()
    await docs.get_by_role("link", name="postPublished", exact=True).click()
    await expect(docs).to_contain_text("tag: String")


async def test_completes_what_is_typed(opened: Opening) -> None:
    page = await opened()
    await page.write("operation.graphql", "{ posts { total } }")
    editor = page.page.locator(".graphiql-query-editor .monaco-editor")
    await editor.click()
    await page.page.keyboard.press("Home")
    for _ in "{ posts { total":
        await page.page.keyboard.press("ArrowRight")
    await page.page.keyboard.press("Control+Space")
    await expect(editor.locator(".suggest-widget")).to_contain_text("totalCount")


async def test_signs_in_and_publishes_by_the_headers_pane(opened: Opening) -> None:
    page = await opened()
    await page.tab("Publish")
    await page.run()
    assert (await page.answer())["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"

    await page.tab("SignUp")
    await page.run()
    token = (await page.answer())["data"]["login"]["accessToken"]
    await page.tab("Publish")
    headers = await page.read("request-headers.json")
    signed_in = headers.replace('// "Authorization"', '"Authorization"')
    await page.write("request-headers.json", signed_in.replace("<accessToken>", token))
    await page.run()
    assert (await page.answer())["data"]["createPost"]["post"]["slug"] == "hello-from-the-tour"
    await page.press("Show History")
    await expect(page.page.get_by_role("region", name="History")).to_contain_text("Publish")
    await page.page.reload()
    await page.ready()
    await page.keeps(token, kept=False)
    assert await page.read("request-headers.json") == headers


async def test_headers_are_kept_by_whoever_wants_it(opened: Opening) -> None:
    page = await opened()
    await page.press("Open settings dialog")
    await page.page.locator("#enable-persist-headers").click()
    await page.page.keyboard.press("Escape")
    await page.tab("Filters")
    for _ in range(2):
        await page.write("request-headers.json", '{ "X-Secret": "swordfish" }')
        await page.run()
        assert (await page.answer())["data"]["posts"]["totalCount"] > 0
        for name in ("headers", "tabState", "queries"):
            await page.keeps("swordfish", f":{name}")
        await page.page.reload()
        await page.ready()
        assert await page.read("request-headers.json") == '{ "X-Secret": "swordfish" }'
    await page.press("Open settings dialog")
    await page.page.locator("#disable-persist-headers").click()
    await page.keeps("swordfish", kept=False)


async def test_a_subscription_shows_each_event(opened: Opening, app: FastAPI) -> None:
    page = await opened()
    token = (await ask(page, SIGN_UP))["login"]["accessToken"]
    await page.tab("NewPosts")
    await page.run()
    await subscribed(app, 1)
    for title in ("First", "Second"):
        published = await ask(page, PUBLISH, token, title=title)
        assert (await page.answer(title))["data"]["postPublished"] == {
            "title": title,
            "publishedAt": published["createPost"]["post"]["publishedAt"],
            "author": {"username": "bob"},
            "tags": [{"name": "news"}],
        }
    assert page.sockets == [page.address.replace("http", "ws")]
    await page.page.get_by_role("button", name="Stop query").click()
    await subscribed(app, 0)


async def test_a_subscription_is_signed_in_by_the_headers_pane(
    opened: Opening, app: FastAPI
) -> None:
    page = await opened()
    await page.tab("NewPosts")
    await page.write("request-headers.json", '{ "Authorization": "Bearer nonsense" }')
    await page.run()
    assert (await page.answer("4403"))["errors"] == [
        {"message": "The socket was closed: 4403 Forbidden"}
    ]
    token = (await ask(page, SIGN_UP))["login"]["accessToken"]
    await page.write("request-headers.json", json.dumps({"Authorization": f"Bearer {token}"}))
    await page.run()
    await subscribed(app, 1)


async def test_is_light_or_dark_as_the_system_and_the_settings_say(opened: Opening) -> None:
    light, dark = await opened(), await opened(color_scheme="dark")
    assert (await light.background(), await dark.background()) == (
        "rgb(255, 255, 255)",
        "rgb(33, 42, 59)",
    )
    await light.press("Open settings dialog")
    await light.press("Dark")
    await light.page.keyboard.press("Escape")
    assert await light.background() == await dark.background()
    await light.page.reload()
    await light.ready()
    assert await light.background() == await dark.background()


async def test_what_another_graphiql_keeps_at_this_address_does_not_matter(
    opened: Opening,
) -> None:
    page = await opened()
    others = {"graphiql:tabState": '{"tabs": [], "activeTabIndex": 0}', "graphiql:query": "{ x }"}
    await page.page.evaluate(
        "others => { localStorage.clear(); Object.assign(localStorage, others); }", others
    )
    await page.page.reload()
    await page.ready()
    await expect(page.page.get_by_role("tab")).to_have_text(TITLES)
    assert others.items() <= (await page.stored()).items()


@pytest.mark.parametrize("prefix", ["/stripped", "/told"])
async def test_works_behind_a_prefix(opened: Opening, app: FastAPI, prefix: str) -> None:
    page = await opened(f"{prefix}/graphql")
    await page.run()
    assert len((await page.answer())["data"]["posts"]["nodes"]) == 3
    await page.tab("NewPosts")
    await page.run()
    await subscribed(app, 1)
    assert page.sockets == [page.address.replace("http", "ws")]
    assert page.address.endswith(f"{prefix}/graphql")


async def test_without_a_build_the_page_says_how_to_make_one(
    browser: Browser, app: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphiql, "BUNDLE", tmp_path)
    async with served(app) as origin:
        page = await browser.new_page()
        answer = await page.goto(f"{origin}/graphql")
        assert answer is not None
        assert answer.status == 503
        await expect(page.get_by_role("heading")).to_have_text("GraphiQL is not built")
        await expect(page.get_by_text("make graphiql")).to_be_visible()
        await page.close()
