"""The root fields that write users."""

from __future__ import annotations

from asyncio import gather
from collections.abc import Mapping
from typing import Annotated, cast

import strawberry

from blog_graphql.api.context import Context, Info
from blog_graphql.api.mutation import INPUT, Permission, mutation
from blog_graphql.api.node import encode_id, key_of
from blog_graphql.api.payloads import DeletePayload, Payload, UserError
from blog_graphql.db import models
from blog_graphql.errors import RegistrationClosed, Rejected
from blog_graphql.settings import Registration
from blog_graphql.users import creation, service
from blog_graphql.users.creation import Created, NewUser, Path
from blog_graphql.users.mutation_inputs import (
    BulkCreateUsersInput,
    ChangePasswordInput,
    CreateUserInput,
    DeactivateInactiveUsersInput,
    DeleteUserInput,
    SetUserActiveInput,
    SetUserRoleInput,
    UpdateUserInput,
)
from blog_graphql.users.types import User


@strawberry.type(description="The answer of a mutation of a user.")
class UserPayload(Payload):
    """A user by their key."""

    user_id: strawberry.Private[int | None] = None

    @strawberry.field(description="The user as they are now; null when nothing was done.")
    async def user(self, info: Info) -> User | None:
        """Load the user."""
        return await _load(info, self.user_id)


@strawberry.type(description="The answer of making many users.")
class BulkCreateUsersPayload(Payload):
    """Users by their keys, in the order of the input."""

    user_ids: strawberry.Private[list[int | None]] = strawberry.field(default_factory=list)

    @strawberry.field(
        description="The new users in the order of the input; null in the place of one that was "
        "not made. Empty when there were too many of them."
    )
    async def users(self, info: Info) -> list[User | None]:
        """Load the users."""
        return await gather(*[_load(info, key) for key in self.user_ids])


@strawberry.type(description="The answer of deactivating users.")
class DeactivateUsersPayload(Payload):
    """The number of users."""

    deactivated_count: int = strawberry.field(
        default=0, description="How many users were deactivated."
    )


@strawberry.type
class UserMutation:
    """Writing users."""

    @mutation(
        Permission.ANYONE,
        "Sign up, as an active author. Where registration is closed only admins may: "
        "REGISTRATION_CLOSED.",
    )
    async def create_user(
        self, info: Info, input_: Annotated[CreateUserInput, INPUT]
    ) -> UserPayload | None:
        """Make a user."""
        context = info.context
        await _admit(context)
        # The problems of a single user begin at the input's root.
        users, problems = await creation.check_users(context.session, {(): input_.new_user()})
        created = await _create(context, users) if users else Created({}, problems)
        if created.problems:
            raise Rejected(created.problems)
        return UserPayload(user_id=created.ids[()])

    @mutation(Permission.SIGNED_IN, "Edit a profile: one's own, or any as an admin.")
    async def update_user(
        self, info: Info, input_: Annotated[UpdateUserInput, INPUT]
    ) -> UserPayload | None:
        """Edit a profile."""
        user_id = key_of(input_.id, "User")
        await info.context.write(service.update_user, user_id, input_.changes())
        return UserPayload(user_id=user_id)

    @mutation(Permission.SIGNED_IN, "Change one's own password, which ends one's other sessions.")
    async def change_password(
        self, info: Info, input_: Annotated[ChangePasswordInput, INPUT]
    ) -> UserPayload | None:
        """Change the viewer's password."""
        context = info.context
        passwords = context.services.passwords
        user_id = cast("int", context.viewer.id)  # the permission says so
        await context.services.throttle.attempt_password(user_id)
        verified = await service.check_password_change(
            context.session, passwords, user_id, input_.current_password, input_.new_password
        )
        hashed = await passwords.hash(input_.new_password)
        await context.write(service.change_password, verified, hashed)
        return UserPayload(user_id=user_id)

    @mutation(Permission.ADMIN, "Give a user a role; the last active admin must stay one.")
    async def set_user_role(
        self, info: Info, input_: Annotated[SetUserRoleInput, INPUT]
    ) -> UserPayload | None:
        """Give a user a role."""
        user_id, role = key_of(input_.id, "User"), models.UserRole[input_.role.name]
        await info.context.write(service.set_user_role, user_id, role)
        return UserPayload(user_id=user_id)

    @mutation(
        Permission.ADMIN,
        "Deactivate a user, who is signed out at once and whose posts stay, or let them sign in "
        "again. The last active admin must stay active.",
    )
    async def set_user_active(
        self, info: Info, input_: Annotated[SetUserActiveInput, INPUT]
    ) -> UserPayload | None:
        """Activate or deactivate a user."""
        user_id = key_of(input_.id, "User")
        await info.context.write(service.set_user_active, user_id, is_active=input_.is_active)
        return UserPayload(user_id=user_id)

    @mutation(
        Permission.SIGNED_IN,
        "Delete a user with all of their posts: oneself, or any as an admin. The last active admin "
        "must stay.",
    )
    async def delete_user(
        self, info: Info, input_: Annotated[DeleteUserInput, INPUT]
    ) -> DeletePayload | None:
        """Delete a user."""
        user_id = key_of(input_.id, "User")
        await info.context.write(service.delete_user, user_id)
        return DeletePayload(deleted_id=encode_id("User", user_id))

    @mutation(
        Permission.ADMIN,
        "Make many users at once, as active authors. One that cannot be made keeps back no other.",
    )
    async def bulk_create_users(
        self, info: Info, input_: Annotated[BulkCreateUsersInput, INPUT]
    ) -> BulkCreateUsersPayload | None:
        """Make many users."""
        new: dict[Path, NewUser] = {
            ("users", str(index)): user.new_user() for index, user in enumerate(input_.users)
        }
        creation.check_number(new)
        users, problems = await creation.check_users(info.context.session, new)
        created = await _create(info.context, users)
        return BulkCreateUsersPayload(
            user_ids=[created.ids.get(path) for path in new],
            errors=[UserError.of(problem) for problem in problems + created.problems],
        )

    @mutation(
        Permission.ADMIN,
        "Deactivate all users but oneself who have not signed in for some time.",
    )
    async def deactivate_inactive_users(
        self, info: Info, input_: Annotated[DeactivateInactiveUsersInput, INPUT]
    ) -> DeactivateUsersPayload | None:
        """Deactivate many users."""
        days = input_.inactive_for_days
        count = await info.context.write(service.deactivate_inactive_users, days)
        return DeactivateUsersPayload(deactivated_count=count)


async def _load(info: Info, user_id: int | None) -> User | None:
    return None if user_id is None else await info.context.loaders.user_by_id.load(user_id)


async def _admit(context: Context) -> None:
    """Let whoever may sign up do so, not too often; admins as often as they like.

    Raises:
        RegistrationClosed: accounts are made by admins alone.
        RateLimited: too many attempts from one address.
    """
    if context.viewer.role is models.UserRole.ADMIN:
        return
    if context.services.settings.registration is Registration.CLOSED:
        raise RegistrationClosed("Registration is closed: ask an admin for an account.")
    await context.services.throttle.attempt_sign_up(context.request.address)


async def _create(context: Context, users: Mapping[Path, NewUser]) -> Created:
    """Make users that were checked, their passwords hashed while no connection is held."""
    await context.session.release()
    secrets = {path: new.password for path, new in users.items() if new.password is not None}
    hashes = await gather(*map(context.services.passwords.hash, secrets.values()))
    hashed = dict(zip(secrets, hashes, strict=True))
    return await context.write(creation.create_users, users, hashed)
