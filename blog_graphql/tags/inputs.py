"""What tags are looked up, filtered and ordered by."""

from __future__ import annotations

from enum import Enum

import strawberry
from strawberry import UNSET

from blog_graphql.api.filters import IDFilter, StringFilter, id_match, text_match
from blog_graphql.api.ordering import OrderDirection
from blog_graphql.db.filters import TagCriteria


@strawberry.input(one_of=True, description="Names one tag.")
class TagBy:
    """One way to name a tag."""

    id: strawberry.ID | None = strawberry.field(default=UNSET, description="By global ID.")
    name: str | None = strawberry.field(default=UNSET, description="By name, whatever its case.")


@strawberry.input(description="Which tags. Every condition given must hold.")
class TagFilter:
    """Conditions on tags."""

    id: IDFilter | None = strawberry.field(default=UNSET, description="By global ID.")
    name: StringFilter | None = strawberry.field(default=UNSET, description="By name.")

    def criteria(self) -> TagCriteria:
        """What the filter means."""
        return TagCriteria(ids=id_match(self.id, "Tag"), name=text_match(self.name))


@strawberry.enum(description="What tags can be ordered by.")
class TagOrderField(Enum):
    """Sort keys of tags, by column."""

    NAME = strawberry.enum_value("name", description="The name, by code point.")
    CREATED_AT = strawberry.enum_value("created_at", description="The moment of its first use.")


@strawberry.input(description="One key of an order of tags.")
class TagOrder:
    """A sort key with its direction."""

    field: TagOrderField = strawberry.field(description="What to order by.")
    direction: OrderDirection = strawberry.field(
        default=OrderDirection.ASC, description="Which way."
    )

    def term(self) -> tuple[str, bool]:
        """The column's name, and whether it descends."""
        return str(self.field.value), self.direction is OrderDirection.DESC
