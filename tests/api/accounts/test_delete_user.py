"""``deleteUser``."""

from __future__ import annotations

import pytest
from sqlalchemy import func, insert, select

from blog_graphql.db.database import Database
from blog_graphql.db.models import Base, Post, PostSlug, PostSource, UserRole, post_tags
from tests.api.accounts.accounts import Accounts, user_id
from tests.support.blog import Blog
from tests.support.statements import recorded_statements


@pytest.fixture
async def contents(blog: Blog, database: Database, accounts: Accounts) -> dict[str, int]:
    """Ann and Ben, each with a post that has a tag, an old slug and a file."""
    tag = await blog.tag("python")
    keys = {}
    for name in ("ann", "ben"):
        keys[name] = await accounts.user(name)
        post = await blog.post(keys[name], tag)
        async with database.transaction() as session:
            await session.execute(insert(PostSlug).values(slug=f"old-{name}", post_id=post))
            source = insert(PostSource).values(post_id=post, path=name, content_hash="0" * 64)
            await session.execute(source)
    return keys


async def counts(database: Database) -> dict[str, int]:
    """How many rows the tables of the blog have, those without rows left out."""
    async with database.transaction() as session:
        found = {
            name: await session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
        }
    return {name: count for name, count in found.items() if count}


async def test_everything_of_theirs_goes_along(
    accounts: Accounts, database: Database, contents: dict[str, int]
) -> None:
    tokens = await accounts.sign_in("ann")
    await accounts.sign_in("ann")
    ben = await accounts.sign_in("ben")
    with recorded_statements(database) as statements:
        payload = await accounts.send("deleteUser", tokens.access, id=user_id(contents["ann"]))
    assert payload == {"deletedId": user_id(contents["ann"]), "errors": []}
    # Who asks, the admins, the user; posts and user, and the database takes the rest along.
    assert [one.split()[0] for one in statements] == ["SELECT"] * 3 + ["DELETE"] * 2
    assert await counts(database) == dict.fromkeys(
        ("users", "posts", "tags", "post_tags", "post_slugs", "post_sources", "sessions"), 1
    )
    async with database.transaction() as session:
        (author_id,) = (await session.scalars(select(Post.author_id))).all()
        (link,) = (await session.execute(select(post_tags))).all()
        assert author_id == contents["ben"]
        assert link.post_id == await session.scalar(select(Post.id))
    assert await accounts.viewer(tokens.access) == "UNAUTHENTICATED"
    assert await accounts.viewer(ben.access) == "ben"


async def test_another_as_an_admin(accounts: Accounts, contents: dict[str, int]) -> None:
    ada = await accounts.member("ada", UserRole.ADMIN)
    payload = await accounts.send("deleteUser", ada.access, id=user_id(contents["ann"]))
    assert payload == {"deletedId": user_id(contents["ann"]), "errors": []}
    assert {row.username for row in (await accounts.rows())["users"]} == {"ada", "ben"}


async def test_the_name_is_free_again(accounts: Accounts, contents: dict[str, int]) -> None:
    tokens = await accounts.sign_in("ann")
    await accounts.send("deleteUser", tokens.access, id=user_id(contents["ann"]))
    new = {"username": "ann", "email": "ann@example.org", "password": "correct horse"}
    user = await accounts.done("createUser", **new)
    assert user["username"] == "ann"


@pytest.mark.parametrize("role", [UserRole.AUTHOR, UserRole.EDITOR])
async def test_others_are_not_for_everybody(
    accounts: Accounts, database: Database, contents: dict[str, int], role: UserRole
) -> None:
    eve = await accounts.member("eve", role)
    before = await counts(database)
    ann = user_id(contents["ann"])
    assert await accounts.refusal("deleteUser", eve.access, id=ann) == (
        "FORBIDDEN",
        "Only that user and admins may do this.",
    )
    code, _ = await accounts.refusal("deleteUser", id=ann)
    assert code == "UNAUTHENTICATED"
    assert await accounts.problems("deleteUser", eve.access, id="?") == [("NOT_FOUND", ["id"])]
    assert await counts(database) == before
