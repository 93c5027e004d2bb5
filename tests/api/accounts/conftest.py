"""Accounts for the tests."""

from __future__ import annotations

import pytest

from blog_graphql.db.database import Database
from tests.api.accounts.accounts import Accounts
from tests.support.client import Client


@pytest.fixture
def accounts(client: Client, database: Database) -> Accounts:
    """Accounts of that app."""
    return Accounts(client, database)
