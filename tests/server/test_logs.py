"""What an operator reads: one line an operation, and one traceback a bug."""

from __future__ import annotations

import json
from typing import Any

import pytest

from blog_graphql.db.database import Database
from blog_graphql.loaders import RowLoader
from blog_graphql.settings import LogFormat, LogLevel
from tests.support.apps import app_over, asking

pytestmark = pytest.mark.parametrize("backend", ["memory"], indirect=True)

OPERATION = "blog_graphql.operation"
INVALID = "GRAPHQL_VALIDATION_FAILED"
BAD_INPUT = "BAD_USER_INPUT"
COUNT_B = "query B { posts { totalCount } }"
VARIABLE = "($n: Int) { posts(first: $n) { __typename } }"
MASKED = "Internal server error. Quote the requestId when you report it."
SECRET = "between-us"


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows can no longer be loaded by key, by a mistake of ours."""

    async def fail(_loader: Any, _keys: list[Any]) -> None:
        secret = SECRET
        raise LookupError(f"{len(secret)} letters")

    monkeypatch.setattr(RowLoader, "batch_load_fn", fail)


class Logs:
    """What an app wrote to standard error as JSON."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def read(self) -> list[dict[str, Any]]:
        """Every line since the last reading, except those of the test's own client."""
        text = self._capsys.readouterr().err
        lines = [json.loads(line) for line in text.splitlines()]
        return [line for line in lines if line["logger"] != "httpx"]

    def operations(self) -> list[dict[str, Any]]:
        """The operation lines, without what differs from run to run."""
        kept = ("level", "event", "name", "statements", "errors", "request_id")
        return [
            {key: line[key] for key in kept} for line in self.read() if line["logger"] == OPERATION
        ]


@pytest.fixture
def logs(capsys: pytest.CaptureFixture[str]) -> Logs:
    return Logs(capsys)


def line(name: str | None, statements: int, errors: list[str], request_id: str) -> dict[str, Any]:
    return {
        "level": "info",
        "event": "operation",
        "name": name,
        "statements": statements,
        "errors": errors,
        "request_id": request_id,
    }


@pytest.mark.parametrize(
    ("body", "name", "statements", "errors"),
    [
        ({"query": "query Titles { posts { nodes { title } } }"}, "Titles", 1, []),
        ({"query": "{ posts { totalCount } users { totalCount } }"}, None, 2, []),
        ({"query": f"query A {{ id }} {COUNT_B}", "operationName": "B"}, "B", 0, [INVALID]),
        ({"query": f"query A {{ __typename }} {COUNT_B}", "operationName": "B"}, "B", 1, []),
        ({"query": "query Lots { posts(first: 101) { totalCount } }"}, "Lots", 0, [BAD_INPUT]),
        ({"query": f"query Lots {VARIABLE}", "variables": {"n": "x"}}, "Lots", 0, [BAD_INPUT]),
        ({"query": "query Typo { postz a: posts(first: 101) { id } }"}, "Typo", 0, [INVALID]),
        ({"query": "query Broken {"}, None, 0, ["GRAPHQL_PARSE_FAILED"]),
    ],
)
async def test_an_operation_is_one_line(
    database: Database,
    logs: Logs,
    body: dict[str, Any],
    name: str | None,
    statements: int,
    errors: list[str],
) -> None:
    async with asking(app_over(database, log_format=LogFormat.JSON)) as http:
        await http.post("/graphql", json=body, headers={"X-Request-ID": "abc"})
    lines = logs.read()
    assert len(lines) == 1
    assert lines[0].pop("duration_ms") >= 0
    assert lines[0].pop("timestamp").endswith("Z")
    assert lines == [{**line(name, statements, errors, "abc"), "logger": OPERATION}]


async def test_the_line_carries_the_id_of_the_answer(database: Database, logs: Logs) -> None:
    async with asking(app_over(database, log_format=LogFormat.JSON)) as http:
        answers = [await http.post("/graphql", json={"query": "{ __typename }"}) for _ in range(2)]
    assert [entry["request_id"] for entry in logs.operations()] == [
        answer.headers["X-Request-ID"] for answer in answers
    ]


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"query": "{ __typename }", "operationName": "a\nb"}, None),
        ({"query": "{ __typename }", "operationName": 'x", "level": "error'}, None),
        ({"query": "{ __typename }", "operationName": "\x1b[31mred"}, None),
        ({"query": f"query {'a' * 5000} {{ __typename }}"}, "a" * 100),
    ],
)
async def test_hostile_names_break_no_line(
    database: Database, logs: Logs, body: dict[str, Any], name: str | None
) -> None:
    async with asking(app_over(database, log_format=LogFormat.JSON)) as http:
        await http.post("/graphql", json=body)
    lines = logs.read()
    assert len(lines) <= 1
    assert [entry["name"] for entry in lines] in ([], [name])


async def test_an_operation_that_is_not_in_the_document_is_logged_and_coded(
    database: Database, logs: Logs
) -> None:
    async with asking(app_over(database, log_format=LogFormat.JSON)) as http:
        response = await http.post(
            "/graphql",
            json={"query": "query A { __typename }", "operationName": "B"},
            headers={"X-Request-ID": "abc"},
        )
    assert response.headers["content-type"].startswith("application/")
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert logs.operations() == [line("B", 0, ["BAD_USER_INPUT"], "abc")]


@pytest.mark.usefixtures("broken")
async def test_a_bug_is_masked_and_logged_once_with_its_traceback(
    database: Database, logs: Logs
) -> None:
    query = 'query Bug { user(by: {username: "ann"}) { id } }'
    async with asking(app_over(database, log_format=LogFormat.JSON)) as http:
        response = await http.post("/graphql", json={"query": query})
    request_id = response.headers["X-Request-ID"]
    bug, operation = logs.read()

    assert response.status_code == 200
    assert response.json() == {
        "data": {"user": None},
        "errors": [
            {
                "message": MASKED,
                "locations": [{"line": 1, "column": 13}],
                "path": ["user"],
                "extensions": {"code": "INTERNAL_SERVER_ERROR", "requestId": request_id},
            }
        ],
    }
    assert (bug["level"], bug["event"], bug["path"]) == ("error", "unexpected error", ["user"])
    assert bug["exception"].startswith("Traceback (most recent call last):\n")
    assert bug["exception"].endswith("LookupError: 10 letters")
    assert operation["errors"] == ["INTERNAL_SERVER_ERROR"]
    assert (bug["request_id"], operation["request_id"]) == (request_id, request_id)


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("log_format", list(LogFormat))
async def test_a_traceback_shows_code_and_no_data(
    database: Database, capsys: pytest.CaptureFixture[str], log_format: LogFormat
) -> None:
    query = f'{{ user(by: {{username: "{SECRET}"}}) {{ id }} }}'
    async with asking(app_over(database, log_format=log_format)) as http:
        await http.post("/graphql", json={"query": query})
    printed = capsys.readouterr().err
    assert "LookupError" in printed
    assert "10 letters" in printed
    assert SECRET not in printed


@pytest.mark.usefixtures("broken")
async def test_a_bug_that_many_fields_meet_leaves_one_traceback(
    database: Database, logs: Logs
) -> None:
    fields = " ".join(f'u{n}: user(by: {{username: "u{n}"}}) {{ id }}' for n in range(10))
    async with asking(app_over(database, log_format=LogFormat.JSON)) as http:
        response = await http.post("/graphql", json={"query": f"{{ {fields} }}"})
    request_id = response.headers["X-Request-ID"]
    assert [error["extensions"]["requestId"] for error in response.json()["errors"]] == [
        request_id
    ] * 10
    assert len([entry for entry in logs.read() if "exception" in entry]) == 1


@pytest.mark.parametrize(
    "query",
    [
        "{ posts(first: 101) { totalCount } }",
        '{ posts(after: "x") { totalCount } }',
        "{ nothing }",
        "{",
        '{ post(by: {slug: "a", id: "b"}) { id } }',
        "{ stats { postsByMonth(last: 0) { count } } }",
    ],
)
async def test_a_mistake_of_the_client_leaves_no_traceback(
    database: Database, capsys: pytest.CaptureFixture[str], query: str
) -> None:
    async with asking(app_over(database, log_format=LogFormat.CONSOLE)) as http:
        response = await http.post("/graphql", json={"query": query})
    printed = capsys.readouterr().err
    assert "errors" in response.json()
    assert "Traceback" not in printed
    assert printed.count("blog_graphql") == 1


async def test_on_a_console_an_operation_is_one_line_too(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    async with asking(app_over(database, log_format=LogFormat.CONSOLE)) as http:
        await http.post(
            "/graphql",
            json={"query": "query Hello { __typename }"},
            headers={"X-Request-ID": "abc"},
        )
    (printed,) = [
        entry for entry in capsys.readouterr().err.splitlines() if "blog_graphql" in entry
    ]
    assert "name=Hello" in printed
    assert "request_id=abc" in printed
    assert "statements=0" in printed
    assert "errors=[]" in printed
    assert "\x1b" not in printed


async def test_the_level_is_a_setting(database: Database, logs: Logs) -> None:
    settings = {"log_format": LogFormat.JSON, "log_level": LogLevel.WARNING}
    async with asking(app_over(database, **settings)) as http:
        await http.post("/graphql", json={"query": "{ __typename }"})
    assert logs.read() == []
