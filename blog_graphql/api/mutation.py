"""Mutation fields: who may call them, and how they refuse.

Every root mutation field is made with ``mutation``, so none is without a
declared permission.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.types.base import StrawberryOptional
from strawberry.types.field import StrawberryField

from blog_graphql.api.context import Info
from blog_graphql.db.models import UserRole
from blog_graphql.db.visibility import Viewer
from blog_graphql.errors import Forbidden, Rejected, Unauthenticated

INPUT = strawberry.argument(name="input", description="What to do it with.")


class Permission(Enum):
    """Who may call a mutation; what it is called on may narrow that further."""

    ANYONE = "anyone"
    SIGNED_IN = "anyone who is signed in"
    EDITOR = "editors and admins"
    ADMIN = "admins"

    def check(self, viewer: Viewer) -> None:
        """Refuse a viewer who lacks the permission.

        Raises:
            Unauthenticated: nobody is signed in.
            Forbidden: the viewer's role does not suffice.
        """
        if self is Permission.ANYONE:
            return
        if viewer.id is None:
            raise Unauthenticated("Sign in first: this is for users.")
        if self is Permission.ADMIN and viewer.role is not UserRole.ADMIN:
            raise Forbidden("Only admins may do this.")
        if self is Permission.EDITOR and not viewer.is_editorial:
            raise Forbidden("Only editors and admins may do this.")


class Guard(FieldExtension):
    """Checks the permission, and answers ``Rejected`` input in the payload's ``errors``."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission
        self._field: StrawberryField | None = None

    def apply(self, field: StrawberryField) -> None:
        """Remember the field, whose type is the payload."""
        self._field = field

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: Info, **arguments: Any
    ) -> Any:
        """Run the mutation, if the viewer may."""
        viewer = await info.context.begin_mutation()
        self.permission.check(viewer)
        try:
            return await next_(source, info, **arguments)
        except Rejected as rejected:
            return self._payload.refused(rejected.problems)

    @property
    def _payload(self) -> Any:
        type_ = self._field and self._field.type
        return type_.of_type if isinstance(type_, StrawberryOptional) else type_


def mutation(permission: Permission, description: str) -> Callable[[Any], Any]:
    """Make a root mutation field of a resolver that returns a nullable payload."""
    return strawberry.mutation(
        description=f"{description} For {permission.value}.", extensions=[Guard(permission)]
    )
