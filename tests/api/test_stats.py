"""Figures about the blog."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from blog_graphql.db.database import Database
from blog_graphql.db.models import UserRole
from blog_graphql.db.visibility import Viewer
from tests.support.blog import NOW, Blog
from tests.support.client import Client
from tests.support.statements import recorded_statements

EDITOR = Viewer(99, UserRole.EDITOR)
EVERYTHING = """
{ stats {
    users posts tags usersByRole { role count } postsByMonth { month count }
    topTags { tag { name } count }
} }
"""


def utc(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def counts_by_month(
    client: Client, argument: str = "", viewer: Viewer = EDITOR
) -> dict[str, int]:
    """The months, oldest first, each with its count."""
    query = f"{{ stats {{ postsByMonth{argument} {{ month count }} }} }}"
    months = (await client.execute(query, viewer=viewer))["stats"]["postsByMonth"]
    return {month["month"]: month["count"] for month in months}


async def top_tags(client: Client, argument: str = "") -> list[tuple[str, int]]:
    """The names of the most used tags with their counts."""
    query = f"{{ stats {{ topTags{argument} {{ tag {{ name }} count }} }} }}"
    ranking = (await client.execute(query))["stats"]["topTags"]
    return [(one["tag"]["name"], one["count"]) for one in ranking]


async def test_an_empty_blog(client: Client) -> None:
    stats = (await client.execute(EVERYTHING))["stats"]
    assert {month["count"] for month in stats.pop("postsByMonth")} == {0}
    assert stats == {
        "users": 0,
        "posts": 0,
        "tags": 0,
        "usersByRole": [
            {"role": "AUTHOR", "count": 0},
            {"role": "EDITOR", "count": 0},
            {"role": "ADMIN", "count": 0},
        ],
        "topTags": [],
    }


async def test_users_are_counted_by_role(client: Client, blog: Blog) -> None:
    await blog.user("ann")
    await blog.user("ben", is_active=False)
    await blog.user("eve", role=UserRole.ADMIN)
    query = "{ stats { users usersByRole { role count } } }"
    assert await client.execute(query) == {
        "stats": {
            "users": 3,
            "usersByRole": [
                {"role": "AUTHOR", "count": 2},
                {"role": "EDITOR", "count": 0},
                {"role": "ADMIN", "count": 1},
            ],
        }
    }


async def test_months_are_those_of_utc(client: Client, blog: Blog) -> None:
    ann = await blog.user("ann")
    for moment in (
        utc("2025-06-30T23:59:59.999999"),  # a microsecond before the first of twelve months
        utc("2025-07-01"),
        utc("2025-12-31T23:59:59.999999"),
        utc("2026-01-01"),
        datetime(2026, 3, 1, 1, tzinfo=timezone(timedelta(hours=2))),  # February in UTC
        datetime(2026, 3, 31, 22, tzinfo=timezone(timedelta(hours=-5))),  # April in UTC
        NOW,
        NOW + timedelta(days=1),
        utc("2026-06-30T23:59:59.999999"),
        utc("2026-07-01"),
    ):
        await blog.post(ann, published_at=moment)
    await blog.post(ann, is_published=False, published_at=None)
    expected = {
        "2025-07": 1,
        "2025-08": 0,
        "2025-09": 0,
        "2025-10": 0,
        "2025-11": 0,
        "2025-12": 1,
        "2026-01": 1,
        "2026-02": 1,
        "2026-03": 0,
        "2026-04": 1,
        "2026-05": 0,
        "2026-06": 3,
    }
    found = await counts_by_month(client)
    assert found == expected
    assert list(found) == list(expected)
    # What is scheduled for later this month does not count for everybody.
    assert await counts_by_month(client, viewer=Viewer()) == expected | {"2026-06": 1}


async def test_how_many_months(client: Client, blog: Blog) -> None:
    ann = await blog.user("ann")
    await blog.post(ann, published_at=utc("2016-07-01"))
    await blog.post(ann, published_at=utc("2016-06-30T23:59:59.999999"))
    assert await counts_by_month(client, "(last: 1)") == {"2026-06": 0}
    assert await counts_by_month(client, "(last: 6)") == {
        f"2026-{month:02}": 0 for month in range(1, 7)
    }
    ten_years = await counts_by_month(client, "(last: 120)")
    assert len(ten_years) == 120
    assert {month: count for month, count in ten_years.items() if count} == {"2016-07": 1}
    for argument in ("", "(last: null)", "(last: 12)"):
        assert len(await counts_by_month(client, argument)) == 12


async def test_most_used_tags(client: Client, blog: Blog) -> None:
    ann = await blog.user("ann")
    numbered = [f"t{number}" for number in range(8)]
    names = ["b", "BC", "é", "z", "draft", "unused", *numbered]
    keys = {name: await blog.tag(name) for name in names}
    for used in (("z", "é"), ("z", "b"), ("z", "BC"), numbered):
        await blog.post(ann, *[keys[name] for name in used])
    await blog.post(ann, keys["draft"], keys["b"], is_published=False)
    ranking = [("z", 3), ("BC", 1), ("b", 1), *[(name, 1) for name in numbered], ("é", 1)]
    assert await top_tags(client, "(first: 1)") == ranking[:1]
    assert await top_tags(client, "(first: 3)") == ranking[:3]
    assert await top_tags(client, "(first: 100)") == ranking
    for argument in ("", "(first: null)", "(first: 10)"):
        assert await top_tags(client, argument) == ranking[:10]


async def test_the_tag_of_a_count_is_a_whole_tag(client: Client, blog: Blog) -> None:
    ann = await blog.user("ann")
    sql = await blog.tag("sql", created_at=utc("2026-01-02"))
    await blog.post(ann, sql, slug="visible")
    await blog.post(ann, sql, is_published=False)
    query = """
    { stats { topTags { count tag {
        databaseId name createdAt posts { totalCount nodes { slug } }
    } } } }
    """
    assert await client.execute(query) == {
        "stats": {
            "topTags": [
                {
                    "count": 1,
                    "tag": {
                        "databaseId": sql,
                        "name": "sql",
                        "createdAt": "2026-01-02T00:00:00Z",
                        "posts": {"totalCount": 1, "nodes": [{"slug": "visible"}]},
                    },
                }
            ]
        }
    }


async def test_bounds(client: Client, database: Database) -> None:
    with recorded_statements(database) as statements:
        for field, argument, largest in (("postsByMonth", "last", 120), ("topTags", "first", 100)):
            for size in (-(2**31), -1, 0, largest + 1, 2**31 - 1):
                query = f"{{ stats {{ {field}({argument}: {size}) {{ count }} }} }}"
                assert await client.refused(query) == (
                    "BAD_USER_INPUT",
                    f"{argument} must be between 1 and {largest}; it is {size}.",
                )
    assert statements == []


async def test_each_figure_is_one_statement(client: Client, blog: Blog, database: Database) -> None:
    with recorded_statements(database) as on_an_empty_blog:
        await client.execute(EVERYTHING)
    ann = await blog.user("ann")
    for number in range(5):
        await blog.post(ann, await blog.tag(f"tag-{number}"))
    with recorded_statements(database) as statements:
        await client.execute(EVERYTHING)
    assert len(statements) == len(on_an_empty_blog) == 6
