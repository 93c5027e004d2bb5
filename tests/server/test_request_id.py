"""``X-Request-ID``: in where it is acceptable, out always."""

from __future__ import annotations

import re

import pytest

from blog_graphql.api.context import get_authentication
from blog_graphql.db.database import Database
from tests.support.apps import app_over, asking

pytestmark = pytest.mark.parametrize("backend", ["memory"], indirect=True)

HEADER = "X-Request-ID"
MADE = re.compile(r"[0-9a-f]{32}")


@pytest.mark.parametrize(
    "given",
    ["a", "0" * 128, "7b3c0a4e-6d9f-4f8e-9f57-2f6f0a1d2c3b", "Root=1-67891233:abc/d+e.f_g@h"],
)
async def test_an_acceptable_id_is_kept(database: Database, given: str) -> None:
    async with asking(app_over(database)) as http:
        response = await http.get("/health", headers={HEADER: given})
    assert response.headers.get_list(HEADER) == [given]


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"0" * 129,
        b"two words",
        b'"quoted"',
        b"<script>",
        b"tab\tbed",
        b"new\nline",
        b"\x1b[31mred",
        "é".encode("latin-1"),
        "１".encode(),
        b"null\x00",
    ],
)
async def test_a_hostile_id_is_replaced(database: Database, given: bytes) -> None:
    async with asking(app_over(database)) as http:
        response = await http.get("/health", headers=[(HEADER.encode(), given)])
    (sent,) = response.headers.get_list(HEADER)
    assert MADE.fullmatch(sent)


async def test_every_request_gets_an_id_of_its_own(database: Database) -> None:
    async with asking(app_over(database)) as http:
        ids = [(await http.get("/health")).headers[HEADER] for _ in range(3)]
    assert len(set(ids)) == 3
    assert all(MADE.fullmatch(sent) for sent in ids)


async def test_refusals_carry_the_id_too(database: Database) -> None:
    given = {HEADER: "abc"}
    async with asking(app_over(database, cors_origins=("https://a.example",))) as http:
        responses = {
            404: await http.get("/nowhere", headers=given),
            405: await http.delete("/health", headers=given),
            400: await http.options(
                "/graphql",
                headers={
                    **given,
                    "Origin": "https://b.example",
                    "Access-Control-Request-Method": "POST",
                },
            ),
        }
        held = await database.connect()
        await held.exec_driver_sql("DROP TABLE alembic_version")
        await held.close()
        responses[503] = await http.get("/ready", headers=given)
    assert {status: response.status_code for status, response in responses.items()} == {
        404: 404,
        405: 405,
        400: 400,
        503: 503,
    }
    assert [response.headers[HEADER] for response in responses.values()] == ["abc"] * 4


async def test_a_crash_outside_graphql_carries_the_id_too(database: Database) -> None:
    app = app_over(database)

    def crash() -> None:
        raise LookupError

    app.dependency_overrides[get_authentication] = crash
    async with asking(app) as http:
        response = await http.post(
            "/graphql", json={"query": "{ __typename }"}, headers={HEADER: "abc"}
        )
    assert response.status_code == 500
    assert response.headers[HEADER] == "abc"
