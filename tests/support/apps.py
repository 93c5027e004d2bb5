"""Apps over a test's database with other settings, asked without a network in between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from blog_graphql.api.context import get_clock, get_database
from blog_graphql.app import create_app
from blog_graphql.db.database import Database
from tests.support.blog import NOW


def app_over(database: Database, **changes: Any) -> FastAPI:
    """The app over a database, with some of its settings changed."""
    app = create_app(database.settings.model_copy(update=changes))
    app.dependency_overrides[get_database] = lambda: database
    app.dependency_overrides[get_clock] = lambda: lambda: NOW
    return app


@asynccontextmanager
async def asking(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of an app whose lifespan does not run."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://blog") as http:
        yield http
