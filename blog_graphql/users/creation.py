"""Making users, one or many: what is wrong with them is found per user.

Whoever makes users checks them, hashes their passwords, and then inserts them in
one transaction. A user stands under the path of its place in the input, which
its problems begin with: ``()``, or ``("users", "3")`` among many.
"""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from sqlalchemy import bindparam, insert, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from blog_graphql.db.models import UNUSABLE_PASSWORD, User
from blog_graphql.db.session import AnyRow, SessionContext
from blog_graphql.db.visibility import Visibility
from blog_graphql.errors import Problem
from blog_graphql.text import fold
from blog_graphql.users.rules import (
    check_bio,
    check_email,
    check_full_name,
    check_password,
    check_username,
)
from blog_graphql.validation import Problems

MOST_USERS = 1_000
MOST_PASSWORDS = 50

TAKEN = {
    "username": "Somebody has that username: choose another one.",
    "email": "Somebody has that email already.",
}

Path: TypeAlias = tuple[str, ...]

# Folded names that must be unique, by "username" and "email".
_Keys: TypeAlias = dict[str, str]
_Held: TypeAlias = set[tuple[str, str]]

# Two parameters a user, of the 32,767 that PostgreSQL takes.
_HELD = select(User.username_key, User.email_key).where(
    or_(
        User.username_key.in_(bindparam("usernames", expanding=True)),
        User.email_key.in_(bindparam("emails", expanding=True)),
    )
)
_INSERT = insert(User).returning(User.username_key, User.id)


@dataclass(frozen=True, slots=True)
class NewUser:
    """Somebody who is to be a user; without a password they cannot sign in until one is set."""

    username: str
    email: str
    password: str | None = None
    full_name: str | None = None
    bio: str | None = None


class Checked(NamedTuple):
    """The users that can be made, and what is wrong with the others."""

    users: dict[Path, NewUser]
    problems: list[Problem]


class Created(NamedTuple):
    """The keys of the users that were made, and what was wrong with the others."""

    ids: dict[Path, int]
    problems: list[Problem]


def check_number(users: Mapping[Path, NewUser]) -> None:
    """Refuse more users than can be made at once.

    Raises:
        Rejected: there are too many of them, or too many with a password.
    """
    problems = Problems()
    if len(users) > MOST_USERS:
        problems.invalid(
            f"At most {MOST_USERS:,} users can be made at once; {len(users):,} were given.", "users"
        )
    passwords = sum(new.password is not None for new in users.values())
    if passwords > MOST_PASSWORDS:
        problems.invalid(
            f"At most {MOST_PASSWORDS} users can be given a password at once; {passwords:,} were.",
            "users",
        )
    problems.raise_any()


async def check_users(session: SessionContext, users: Mapping[Path, NewUser]) -> Checked:
    """Find everything that can be told before the users are made.

    A user who repeats a name or an email of a good one before them is refused.
    """
    found = {path: Problems() for path in users}
    # Emails take milliseconds each when they are odd.
    keys = await to_thread(_check_all, found, users)
    held = _held(await session.fetch(_HELD, **_parameters(keys.values())))
    for path, problems in found.items():
        _note_taken(problems, keys[path], held, path)
        if not problems:
            held.update(keys[path].items())
    good = {path: users[path] for path, problems in found.items() if not problems}
    return Checked(good, [problem for problems in found.values() for problem in problems])


async def create_users(
    session: AsyncSession,
    visibility: Visibility,
    users: Mapping[Path, NewUser],
    hashed_passwords: Mapping[Path, str],
) -> Created:
    """Insert users that ``check_users`` found good, as active authors.

    Those whose name or email somebody took meanwhile are left out.
    """
    now = visibility.now
    rows = {
        path: {
            "username": new.username,
            "username_key": fold(new.username),
            "email": new.email,
            "email_key": fold(new.email),
            "hashed_password": hashed_passwords.get(path, UNUSABLE_PASSWORD),
            "full_name": new.full_name,
            "bio": new.bio,
            "created_at": now,
            "updated_at": now,
        }
        for path, new in users.items()
    }
    problems = Problems()
    ids: dict[Path, int] = {}
    while rows.keys() - ids.keys():
        try:
            async with session.begin_nested():
                inserted = await session.execute(_INSERT, list(rows.values()))
                by_username = {row.username_key: row.id for row in inserted}
                ids = {path: by_username[row["username_key"]] for path, row in rows.items()}
        except IntegrityError:
            tried = len(rows)
            keys = {path: _keys(users[path]) for path in rows}
            held = _held((await session.execute(_HELD, _parameters(keys.values()))).all())
            for path, names in keys.items():
                if _note_taken(problems, names, held, path):
                    del rows[path]
            if len(rows) == tried:
                raise
    return Created(ids, list(problems))


def _check_all(found: Mapping[Path, Problems], users: Mapping[Path, NewUser]) -> dict[Path, _Keys]:
    return {path: _check(found[path], new, path) for path, new in users.items()}


def _check(problems: Problems, new: NewUser, path: Path) -> _Keys:
    """Check a user without regard to others; gives the names that can be looked up."""
    keys = {}
    if check_username(problems, new.username, *path, "username"):
        keys["username"] = fold(new.username)
    if check_email(problems, new.email, *path, "email"):
        keys["email"] = fold(new.email)
    if new.password is not None:
        check_password(problems, new.password, *path, "password")
    if new.full_name is not None:
        check_full_name(problems, new.full_name, *path, "fullName")
    if new.bio is not None:
        check_bio(problems, new.bio, *path, "bio")
    return keys


def _keys(new: NewUser) -> _Keys:
    return {"username": fold(new.username), "email": fold(new.email)}


def _parameters(keys: Iterable[_Keys]) -> dict[str, list[str]]:
    """What ``_HELD`` looks for."""
    keys = list(keys)
    return {
        "usernames": [names["username"] for names in keys if "username" in names],
        "emails": [names["email"] for names in keys if "email" in names],
    }


def _held(rows: Iterable[AnyRow]) -> _Held:
    """What ``_HELD`` found."""
    return {
        pair for row in rows for pair in (("username", row.username_key), ("email", row.email_key))
    }


def _note_taken(problems: Problems, keys: _Keys, held: _Held, path: Path) -> bool:
    """Note the names that somebody has; tells whether there are any."""
    taken = [name for name, key in keys.items() if (name, key) in held]
    for name in taken:
        problems.taken(TAKEN[name], *path, name)
    return bool(taken)
