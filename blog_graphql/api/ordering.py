"""The direction that every order input takes."""

from __future__ import annotations

from enum import Enum

import strawberry


@strawberry.enum(description="Which way rows are ordered. Nulls come last either way.")
class OrderDirection(Enum):
    """Ascending or descending."""

    ASC = strawberry.enum_value("ASC", description="Smallest, earliest or A first.")
    DESC = strawberry.enum_value("DESC", description="Largest, latest or Z first.")
