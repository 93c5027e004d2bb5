"""The field by which a client sees what it may still spend."""

from __future__ import annotations

from datetime import datetime

import strawberry

from blog_graphql.api.context import Info


@strawberry.type(description="What a viewer, or a signed-out client's address, may still spend.")
class RateLimit:
    """A ``Budget`` as GraphQL shows it."""

    limit: int = strawberry.field(description="Cost units that may be spent in a minute.")
    remaining: int = strawberry.field(description="Cost units that are left in this minute.")
    cost: int = strawberry.field(
        description="What this operation cost: a unit for each hundred nodes that it asks for, "
        "begun ones included, and at least one."
    )
    reset_at: datetime = strawberry.field(description="When the next minute begins.")


@strawberry.type
class RateLimitQuery:
    """The budget, as it is after this operation."""

    @strawberry.field(
        description="What this operation cost and what is left; null when no limit is set."
    )
    def rate_limit(self, info: Info) -> RateLimit | None:
        """Show the budget."""
        budget = info.context.budget
        if budget is None:
            return None
        return RateLimit(
            limit=budget.limit,
            remaining=budget.remaining,
            cost=budget.cost,
            reset_at=budget.reset_at,
        )
