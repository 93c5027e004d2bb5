"""Inside somebody else's app our lines go to their logging, and tell no secrets."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from fastapi import FastAPI

from blog_graphql.app import graphql_router
from blog_graphql.db.session import SessionContext
from blog_graphql.settings import Settings
from tests.support.apps import asking
from tests.support.backends import only_sqlite
from tests.support.settings import settings_for

BY_ID = {"query": 'query Bug { user(by: {username: "ann"}) { id } }'}


@only_sqlite
async def test_a_bug_reaches_the_logging_of_the_host(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        secret = "hunter2"
        raise RuntimeError(f"broken with {len(secret)} characters")

    monkeypatch.setattr(SessionContext, "fetch", broken)
    host = FastAPI()
    host.include_router(graphql_router(settings))
    handlers = list(logging.getLogger().handlers)
    async with host.router.lifespan_context(host), asking(host) as http:
        with caplog.at_level(logging.INFO, logger="blog_graphql"):
            answer = (await http.post("/graphql", json=BY_ID)).json()
    bug, operation = [record for record in caplog.records if record.name.startswith("blog_graphql")]
    request_id = answer["errors"][0]["extensions"]["requestId"]
    assert logging.getLogger().handlers == handlers
    assert (bug.levelno, bug.name) == (logging.ERROR, "blog_graphql.api.errors")
    assert "RuntimeError: broken with 7 characters" in bug.getMessage()
    assert "hunter2" not in caplog.text
    assert f"request_id={request_id}" in bug.getMessage()
    assert f"request_id={request_id}" in operation.getMessage()


@only_sqlite
async def test_a_database_that_is_not_migrated_is_warned_of(
    empty_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    host = FastAPI()
    host.include_router(graphql_router(settings_for(empty_url)))
    async with host.router.lifespan_context(host):
        (record,) = [record for record in caplog.records if record.name == "blog_graphql.app"]
    assert record.levelno == logging.WARNING
    assert "run blog-graphql db upgrade" in record.getMessage()
