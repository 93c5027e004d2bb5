"""What columns refuse, and what errors of the database mean."""

from __future__ import annotations

import sqlite3
from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError, StatementError

from blog_graphql.db.database import Database
from blog_graphql.db.models import Post
from blog_graphql.db.session import session_context, translate
from blog_graphql.errors import ServiceUnavailable


async def test_a_moment_without_an_offset_is_refused(database: Database) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - the point of the test
    async with session_context(database) as session:
        with pytest.raises(StatementError, match="needs an offset"):
            await session.fetch(select(Post.id).where(Post.created_at == naive))


def test_a_lock_that_is_not_given_up_is_a_busy_database() -> None:
    error = OperationalError("UPDATE", {}, sqlite3.OperationalError("database is locked"))
    meaning = translate(error)
    assert isinstance(meaning, ServiceUnavailable)
    assert str(meaning) == "The database is busy. Try again shortly."


def test_an_error_of_ours_means_nothing_to_a_client() -> None:
    assert translate(OperationalError("SELECT", {}, sqlite3.OperationalError("no column"))) is None
