"""The number of statements depends on the shape of a query, never on its rows."""

from __future__ import annotations

from blog_graphql.db.database import Database
from tests.support.blog import Blog
from tests.support.client import Client
from tests.support.statements import recorded_statements

NESTED = """
{
  posts(first: 100) {
    nodes {
      author { posts(first: 5) { nodes { tags { name } } } }
      tags { posts(first: 5) { totalCount nodes { author { username } } } }
    }
  }
}
"""


# Posts; their authors and tags; posts of the authors; posts and counts of the tags. The
# innermost tags and authors are loaded by then.
STATEMENTS = 6


async def test_nested_query_takes_a_handful(client: Client, blog: Blog, database: Database) -> None:
    authors = [await blog.user(f"user{number}") for number in range(3)]
    tags = [await blog.tag(f"tag{number}") for number in range(4)]

    async def write_posts(count: int) -> None:
        for number in range(count):
            await blog.post(authors[number % 3], tags[number % 4], tags[(number + 1) % 4])

    await write_posts(5)
    with recorded_statements(database) as with_few_rows:
        await client.execute(NESTED)
    await write_posts(15)
    with recorded_statements(database) as with_more_rows:
        data = await client.execute(NESTED)
    assert len(with_few_rows) == len(with_more_rows) == STATEMENTS
    assert len(data["posts"]["nodes"]) == 20


async def test_rows_beyond_the_first_page_cost_two_more(
    client: Client, blog: Blog, database: Database
) -> None:
    ann, ben = await blog.user("ann"), await blog.user("ben")
    tag = await blog.tag("python")
    for author in (ben, ann, ann):
        await blog.post(author, tag)
    query = NESTED.replace("first: 100", "first: 1")
    with recorded_statements(database) as statements:
        await client.execute(query)
    assert len(statements) == STATEMENTS + 2  # the tags of ann's other post, and ben


async def test_a_count_fetches_no_rows(client: Client, blog: Blog, database: Database) -> None:
    await blog.post(await blog.user("ann"))
    with recorded_statements(database) as statements:
        data = await client.execute("{ posts { totalCount } users { totalCount } }")
    assert data == {"posts": {"totalCount": 1}, "users": {"totalCount": 1}}
    assert [statement.split(" \nFROM ")[0] for statement in statements] == [
        "SELECT count(*) AS count",
        "SELECT count(*) AS count",
    ]


async def test_what_is_not_selected_costs_nothing(client: Client, database: Database) -> None:
    with recorded_statements(database) as statements:
        await client.execute(
            "{ posts { __typename pageInfo { __typename } } stats { __typename } }"
        )
    assert statements == []


async def test_aliases_with_the_same_arguments_share_statements(
    client: Client, blog: Blog, database: Database
) -> None:
    slugs = [f"slug-{number}" for number in range(5)]
    author = await blog.user("ann")
    for slug in slugs:
        await blog.post(author, slug=slug)
    fields = " ".join(
        f'p{n}: post(by: {{slug: "{slug}"}}) {{ slug }}' for n, slug in enumerate(slugs)
    )
    with recorded_statements(database) as statements:
        data = await client.execute(f"{{ {fields} }}")
    assert data == {f"p{n}": {"slug": slug} for n, slug in enumerate(slugs)}
    assert len(statements) == 1


async def test_content_is_read_only_where_selected(
    client: Client, blog: Blog, database: Database
) -> None:
    await blog.post(await blog.user("ann"), content="Hello *world*")
    with recorded_statements(database) as statements:
        await client.execute("{ posts { nodes { title slug viewCount } } }")
        assert "content" not in "".join(statements)
        data = await client.execute("{ posts { nodes { content excerpt } } }")
    assert data == {"posts": {"nodes": [{"content": "Hello *world*", "excerpt": "Hello world"}]}}
    assert len(statements) == 4  # twice the posts, their contents, and what excerpts take of them
