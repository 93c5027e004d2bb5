"""What users are made, changed and deleted with."""

from __future__ import annotations

from typing import cast

import strawberry
from strawberry import UNSET

from blog_graphql.api.filters import given, given_values
from blog_graphql.users.creation import NewUser
from blog_graphql.users.service import ProfileChanges
from blog_graphql.users.types import UserRole

_ID = "The user's global ID."
_USERNAME = (
    "The name to sign in with: 3 to 50 characters out of A-Z, a-z, 0-9, `_`, `.` and `-`, the "
    "first a letter or a digit. No other user may have it, whatever the case."
)
_EMAIL = "The email address: at most 255 characters. No other user may have it, whatever the case."
_PASSWORD = "8 to 128 characters."  # noqa: S105 - a description
_FULL_NAME = "The name to show: at most 100 characters."
_BIO = "A few words about the user: at most 10,000 characters."


@strawberry.input(description="A new user.")
class CreateUserInput:
    """What ``createUser`` takes."""

    username: str = strawberry.field(description=_USERNAME)
    email: str = strawberry.field(description=_EMAIL)
    password: str = strawberry.field(description=f"The password: {_PASSWORD}")
    full_name: str | None = strawberry.field(default=UNSET, description=_FULL_NAME)
    bio: str | None = strawberry.field(default=UNSET, description=_BIO)

    def new_user(self) -> NewUser:
        """The user that the input describes."""
        return NewUser(
            self.username, self.email, self.password, given(self.full_name), given(self.bio)
        )


@strawberry.input(description="One of many new users.")
class BulkUserInput:
    """What ``bulkCreateUsers`` takes for each user."""

    username: str = strawberry.field(description=_USERNAME)
    email: str = strawberry.field(description=_EMAIL)
    password: str | None = strawberry.field(
        default=UNSET,
        description=f"The password: {_PASSWORD} Without one the user cannot sign in until one "
        "is set.",
    )
    full_name: str | None = strawberry.field(default=UNSET, description=_FULL_NAME)
    bio: str | None = strawberry.field(default=UNSET, description=_BIO)

    def new_user(self) -> NewUser:
        """The user that the input describes."""
        return NewUser(
            self.username, self.email, given(self.password), given(self.full_name), given(self.bio)
        )


@strawberry.input(description="Many new users.")
class BulkCreateUsersInput:
    """What ``bulkCreateUsers`` takes."""

    users: list[BulkUserInput] = strawberry.field(
        description="At most 1,000 users, at most 50 of them with a password."
    )


@strawberry.input(description="An edit of a profile. What is left out stays, null clears it.")
class UpdateUserInput:
    """What ``updateUser`` takes."""

    id: strawberry.ID = strawberry.field(description=_ID)
    email: str | None = strawberry.field(default=UNSET, description=_EMAIL)
    full_name: str | None = strawberry.field(default=UNSET, description=_FULL_NAME)
    bio: str | None = strawberry.field(default=UNSET, description=_BIO)

    def changes(self) -> ProfileChanges:
        """What the edit sets."""
        # The service's names of what can change are those of the fields above.
        return cast("ProfileChanges", given_values(self, ProfileChanges.__annotations__))


@strawberry.input(description="A new password for oneself.")
class ChangePasswordInput:
    """What ``changePassword`` takes."""

    current_password: str = strawberry.field(description="The password until now.")
    new_password: str = strawberry.field(description=f"The password from now on: {_PASSWORD}")


@strawberry.input(description="A role for a user.")
class SetUserRoleInput:
    """What ``setUserRole`` takes."""

    id: strawberry.ID = strawberry.field(description=_ID)
    role: UserRole = strawberry.field(description="What the user may do from now on.")


@strawberry.input(description="Whether a user may sign in.")
class SetUserActiveInput:
    """What ``setUserActive`` takes."""

    id: strawberry.ID = strawberry.field(description=_ID)
    is_active: bool = strawberry.field(description="Whether the account may sign in.")


@strawberry.input(description="Which user to delete.")
class DeleteUserInput:
    """What ``deleteUser`` takes."""

    id: strawberry.ID = strawberry.field(description=_ID)


@strawberry.input(description="Which users to deactivate.")
class DeactivateInactiveUsersInput:
    """What ``deactivateInactiveUsers`` takes."""

    inactive_for_days: int = strawberry.field(
        description="How many days ago a user must have signed in last, at least: 1 to 36,500. "
        "Who never signed in is left alone."
    )
