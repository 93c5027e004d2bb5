"""The arguments of connections of posts, which users, tags and the root all have."""

from __future__ import annotations

import strawberry

POST_FILTER = strawberry.argument(name="filter", description="Only posts that meet this.")
POST_ORDER = strawberry.argument(
    name="orderBy",
    description="The order, first key first; the newest first when left out. "
    "The primary key breaks ties.",
)
