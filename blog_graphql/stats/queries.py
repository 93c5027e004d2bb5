"""The root field that reads statistics."""

from __future__ import annotations

import strawberry

from blog_graphql.stats.types import BlogStats


@strawberry.type
class StatsQuery:
    """Figures about the blog."""

    @strawberry.field(description="Figures about the blog.")
    def stats(self) -> BlogStats:
        """Each figure is computed when selected."""
        return BlogStats()
