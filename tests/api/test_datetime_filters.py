"""Filters on moments: what they find, and what is no moment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.api.filtering import Table, check, literal
from tests.support.blog import Blog
from tests.support.client import Client


def moments_table(field: str) -> Table:
    """Filters on three rows: one at noon, its neighbours a microsecond away."""
    before, noon, after = "before", "noon", "after"
    return [
        ({field: None}, [before, noon, after]),
        ({field: {}}, [before, noon, after]),
        ({field: {"eq": None, "gt": None, "lt": None}}, [before, noon, after]),
        ({field: {"eq": "2026-02-01T12:00:00Z"}}, [noon]),
        ({field: {"eq": "2026-02-01t12:00:00.000000z"}}, [noon]),
        ({field: {"eq": "2026-02-01 12:00:00.0+00:00"}}, [noon]),
        ({field: {"eq": "2026-02-01T12:00:00-00:00"}}, [noon]),
        ({field: {"eq": "2026-02-01T17:30:00+05:30"}}, [noon]),
        ({field: {"eq": "2026-01-31T22:00:00-14:00"}}, [noon]),
        ({field: {"eq": "2026-02-01T12:00:00.000001Z"}}, [after]),
        ({field: {"eq": "2026-02-01T11:59:59.999999Z"}}, [before]),
        ({field: {"eq": "2026-02-01T12:00:01Z"}}, []),
        ({field: {"gt": "2026-02-01T12:00:00Z"}}, [after]),
        ({field: {"gte": "2026-02-01T12:00:00Z"}}, [noon, after]),
        ({field: {"lt": "2026-02-01T12:00:00Z"}}, [before]),
        ({field: {"lte": "2026-02-01T12:00:00Z"}}, [before, noon]),
        ({field: {"lt": "2026-02-01T13:00:00+01:00"}}, [before]),
        ({field: {"gte": "2026-02-01T12:00:00Z", "lte": "2026-02-01T12:00:00Z"}}, [noon]),
        ({field: {"gt": "2026-02-01T12:00:00Z", "lt": "2026-02-01T12:00:00Z"}}, []),
        ({field: {"gte": "0001-01-01T00:00:00Z"}}, [before, noon, after]),
        ({field: {"lte": "9999-12-31T23:59:59.999999Z"}}, [before, noon, after]),
        ({field: {"lt": "0001-01-01T00:00:00Z"}}, []),
        ({field: {"gt": "9999-12-31T23:59:59.999999Z"}}, []),
    ]


MOMENTS = {
    "before": datetime(2026, 2, 1, 11, 59, 59, 999999, tzinfo=UTC),
    "noon": datetime(2026, 2, 1, 12, tzinfo=UTC),
    "after": datetime(2026, 2, 1, 12, 0, 0, 1, tzinfo=UTC),
}


async def test_moments(client: Client, blog: Blog) -> None:
    for name, moment in MOMENTS.items():
        author = await blog.user(name, created_at=moment)
        await blog.post(author, slug=name, created_at=moment)
    await check(client, "Post", moments_table("createdAt"))
    await check(client, "User", moments_table("createdAt"))


NO_MOMENTS: list[Any] = [
    "2026-02-01T12:00:00",
    "2026-02-01",
    "2026-02-01T12:00Z",
    "2026-02-01T24:00:00Z",
    "2026-02-01T12:00:60Z",
    "2026-02-30T12:00:00Z",
    "2026-13-01T12:00:00Z",
    "2026-02-01T12:00:00+24:00",
    "2026-02-01T12:00:00+05:60",
    "2026-02-01T12:00:00+0530",
    "2026-02-01T12:00:00+05",
    "2026-02-01T12:00:00.Z",
    "2026-02-01T12:00:00,5Z",
    "2026-W05-7T12:00:00Z",
    "20260201T120000Z",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01",
    "10000-01-01T00:00:00Z",
    "٢٠٢٦-02-01T12:00:00Z",
    " 2026-02-01T12:00:00Z",
    "2026-02-01T12:00:00Z\n",
    "2026-02-01T12:00:00Z\x00",
    "now",
    "",
    1769947200,
    True,
    [],
    {},
]


async def test_what_is_no_moment_is_refused(client: Client) -> None:
    query = "query ($at: DateTime) { posts(filter: {createdAt: {eq: $at}}) { totalCount } }"
    accepted = []
    for moment in NO_MOMENTS:
        written = query.replace("($at: DateTime)", "").replace("$at", literal(moment))
        for document, variables, code, start in (
            (
                query,
                {"at": moment},
                "BAD_USER_INPUT",
                "Variable '$at' has invalid value: DateTime ",
            ),
            (written, None, "GRAPHQL_VALIDATION_FAILED", "DateTime "),
        ):
            answer = (await client.post(document, variables)).json()
            if "errors" not in answer:
                accepted.append(moment)
                continue
            (error,) = answer["errors"]
            assert error["extensions"] == {"code": code}, moment
            assert error["message"].startswith(start), moment
    assert accepted == []
