"""Which slug a post gets, keeps, and is still found by."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from blog_graphql.db.database import Database
from blog_graphql.db.models import Post, PostSlug
from blog_graphql.db.visibility import ANONYMOUS, Viewer, Visibility
from blog_graphql.posts.service import update_post
from tests.api.posts.writing import author, editor, post_id, problems, written
from tests.support.activity import waited_for
from tests.support.backends import only_postgresql
from tests.support.blog import NOW, Blog, count_rows
from tests.support.client import Client
from tests.support.clock import Clock

LOOK = "query ($slug: String!) { post(by: {slug: $slug}) { databaseId slug } }"


async def found(client: Client, slug: str, viewer: Viewer = ANONYMOUS) -> int | None:
    """The post that a slug finds."""
    post = (await client.execute(LOOK, {"slug": slug}, viewer))["post"]
    return post and int(post["databaseId"])


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Hello, World!", "hello-world"),
        ("Über die Größe", "uber-die-grosse"),
        ("안녕하세요 세계", "annyeonghaseyo-segye"),
        ("你好世界", "ni-hao-shi-jie"),
        ("こんにちは", "konnitiha"),
        ("Привет, мир", "privet-mir"),
        ("🎉", "post"),
        ("x" * 200, "x" * 200),
    ],
)
async def test_a_slug_is_made_from_the_title(
    client: Client, blog: Blog, title: str, slug: str
) -> None:
    ada = await blog.user("ada")
    post = await written(client, "createPost", author(ada), title=title, content="c")
    assert post["slug"] == slug


async def test_collisions_are_numbered(client: Client, blog: Blog) -> None:
    ada = await blog.user("ada")
    slugs = [
        (await written(client, "createPost", author(ada), title=title, content="c"))["slug"]
        for title in ["Hi", "hi!", "HI", "hi-2", "x" * 200, "X" * 200]
    ]
    assert slugs == ["hi", "hi-2", "hi-3", "hi-2-2", "x" * 200, "x" * 198 + "-2"]


@only_postgresql
async def test_posts_of_one_title_at_once_get_numbers(client: Client, blog: Blog) -> None:
    ada = await blog.user("ada")
    posts = await asyncio.gather(
        *(written(client, "createPost", author(ada), title="Hi", content="c") for _ in range(12))
    )
    slugs = sorted(post["slug"] for post in posts)
    assert slugs == sorted(["hi", *(f"hi-{number}" for number in range(2, 13))])


@only_postgresql
async def test_of_those_who_ask_for_a_slug_at_once_one_gets_it(
    client: Client, blog: Blog, database: Database
) -> None:
    ada = await blog.user("ada")
    query = """
      mutation {
        createPost(input: {title: "Hi", content: "c", slug: "wanted", tags: ["new"]}) {
          errors { code field }
        }
      }
    """
    payloads = await asyncio.gather(*(client.execute(query, viewer=author(ada)) for _ in range(8)))
    refused = [{"code": "TAKEN", "field": ["slug"]}]
    outcomes = sorted(len(payload["createPost"]["errors"]) for payload in payloads)
    assert outcomes == [0, *([1] * 7)]
    assert refused in [payload["createPost"]["errors"] for payload in payloads]
    assert await count_rows(database, Post) == 1


async def test_a_later_title_leaves_the_slug(client: Client, blog: Blog) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada, slug="first")
    post = await written(client, "updatePost", author(ada), id=post_id(key), title="Second")
    assert post["slug"] == "first"


async def test_a_slug_that_was_visible_goes_on_finding_the_post(
    client: Client, blog: Blog, database: Database
) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada, slug="first")
    for slug in ("second", "third", "third"):
        await written(client, "updatePost", author(ada), id=post_id(key), slug=slug)
    for slug in ("first", "second", "third"):
        assert await client.execute(LOOK, {"slug": slug}) == {
            "post": {"databaseId": key, "slug": "third"}
        }
    assert await count_rows(database, PostSlug) == 2


async def test_through_what_the_viewer_may_see(client: Client, blog: Blog) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada, slug="first")
    await written(
        client, "updatePost", author(ada), id=post_id(key), slug="second", isPublished=False
    )
    for slug in ("first", "second"):
        assert await found(client, slug) is None
        assert await found(client, slug, author(ada)) == key


async def test_hiding_keeps_the_slug_too(client: Client, blog: Blog) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada, slug="first")
    await written(client, "updatePost", author(ada), id=post_id(key), isPublished=False)
    await written(client, "updatePost", author(ada), id=post_id(key), slug="second")
    await written(client, "updatePost", author(ada), id=post_id(key), isPublished=True)
    assert await found(client, "first") == key


async def test_a_slug_of_a_draft_is_given_up(client: Client, blog: Blog) -> None:
    ada = await blog.user("ada")
    draft = await blog.post(ada, slug="first", is_published=False)
    scheduled = await blog.post(ada, slug="later")
    future = "2027-01-01T00:00:00Z"
    await written(client, "updatePost", author(ada), id=post_id(draft), slug="second")
    await written(client, "updatePost", author(ada), id=post_id(scheduled), publishedAt=future)
    assert await found(client, "first", author(ada)) is None
    post = await written(client, "createPost", author(ada), title="First", content="c")
    assert post["slug"] == "first"


async def test_a_former_slug_is_taken_for_others(client: Client, blog: Blog) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada, slug="first")
    other = await blog.post(ada, slug="other")
    await written(client, "updatePost", author(ada), id=post_id(key), slug="second")
    taken = [("TAKEN", ["slug"])]
    viewer = author(ada)
    assert await problems(client, "updatePost", viewer, id=post_id(other), slug="first") == taken
    assert (
        await problems(client, "createPost", viewer, title="t", content="c", slug="first") == taken
    )
    numbered = await written(client, "createPost", viewer, title="First", content="c")
    assert numbered["slug"] == "first-2"


async def test_its_own_post_takes_it_back(client: Client, blog: Blog) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada, slug="first")
    await written(client, "updatePost", author(ada), id=post_id(key), slug="second")
    post = await written(client, "updatePost", author(ada), id=post_id(key), slug="first")
    assert (post["slug"], post["version"]) == ("first", 3)
    assert await found(client, "second") == key


async def test_it_is_free_once_the_post_is_gone(
    client: Client, blog: Blog, database: Database
) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada, slug="first")
    await written(client, "updatePost", author(ada), id=post_id(key), slug="second")
    query = f'mutation {{ deletePost(input: {{id: "{post_id(key)}"}}) {{ errors {{ code }} }} }}'
    assert await client.execute(query, viewer=editor(99)) == {"deletePost": {"errors": []}}
    assert await count_rows(database, PostSlug) == 0
    post = await written(client, "createPost", author(ada), title="First", content="c")
    assert post["slug"] == "first"


@only_postgresql
async def test_a_slug_is_kept_that_became_visible_just_before_it_changed(
    client: Client, blog: Blog, database: Database, clock: Clock
) -> None:
    """An edit that waits for a publication began before it, but comes after it."""
    ada = await blog.user("ada")
    key = await blog.post(ada, slug="first", is_published=False, published_at=None)
    later = NOW + timedelta(seconds=1)
    async with database.transaction() as session:
        visibility = Visibility(author(ada), later, lambda: later)
        await update_post(session, visibility, key, {"is_published": True}, None)
        edit = asyncio.create_task(
            written(client, "updatePost", author(ada), id=post_id(key), slug="second")
        )
        await waited_for(session)
        clock.advance(seconds=1)
    post = await edit
    assert (post["slug"], post["publishedAt"]) == ("second", "2026-06-15T12:00:01Z")
    assert [await found(client, slug) for slug in ("first", "second")] == [key, key]


@only_postgresql
async def test_who_gives_a_slug_up_and_who_wants_it_at_once(client: Client, blog: Blog) -> None:
    """Whoever comes first: the slug never finds two posts."""
    ada = await blog.user("ada")
    for round_ in range(8):
        slug = f"wanted-{round_}"
        key = await blog.post(ada, slug=slug)
        posts = await asyncio.gather(
            written(client, "updatePost", author(ada), id=post_id(key), slug=f"other-{round_}"),
            written(client, "createPost", author(ada), title=slug, content="c"),
        )
        assert [post["slug"] for post in posts] == [f"other-{round_}", f"{slug}-2"]
        assert await found(client, slug) == key
