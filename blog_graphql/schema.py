"""The GraphQL schema: the only place where the domains meet."""

from __future__ import annotations

from datetime import datetime
from functools import cache

import strawberry
from graphql import build_schema as build_graphql_schema
from graphql import lexicographic_sort_schema
from graphql import print_schema as print_graphql_schema
from strawberry.schema.config import StrawberryConfig

from blog_graphql.api.execution import BlogSchema
from blog_graphql.api.node import NodeQuery
from blog_graphql.api.rate_limit import RateLimitQuery
from blog_graphql.api.scalars import DATE_TIME
from blog_graphql.posts.mutations import PostMutation
from blog_graphql.posts.queries import PostQuery
from blog_graphql.posts.subscriptions import PostSubscription
from blog_graphql.sessions.mutations import SessionMutation
from blog_graphql.stats.queries import StatsQuery
from blog_graphql.tags.mutations import TagMutation
from blog_graphql.tags.queries import TagQuery
from blog_graphql.users.mutations import UserMutation
from blog_graphql.users.queries import UserQuery


@strawberry.type(description="Everything that can be read.")
class Query(NodeQuery, UserQuery, PostQuery, TagQuery, StatsQuery, RateLimitQuery):
    """The root of all reads."""


@strawberry.type(
    description="Everything that can be written. Each field is a transaction of its own; one that "
    "is refused leaves the others in place."
)
class Mutation(SessionMutation, UserMutation, PostMutation, TagMutation):
    """The root of all writes."""


@strawberry.type(
    description="Everything that can be followed. Each event is seen as the viewer may see it then."
)
class Subscription(PostSubscription):
    """The root of all that is live."""


@cache
def build_schema(*, introspection: bool = True) -> BlogSchema:
    """The schema of this server; without ``introspection`` it keeps its names to itself."""
    return BlogSchema(
        introspection=introspection,
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        config=StrawberryConfig(
            scalar_map={datetime: DATE_TIME},
            disable_field_suggestions=not introspection,
        ),
    )


schema = build_schema()


@cache
def print_schema() -> str:
    """The schema in GraphQL's own language, sorted and described."""
    # Strawberry's own sorting replaces its enum types by plain ones, which do not serialise.
    printed = build_graphql_schema(schema.as_str())
    return print_graphql_schema(lexicographic_sort_schema(printed)) + "\n"
