"""``docker-compose.yml`` and ``Dockerfile``, as far as they can be checked without Docker."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

CHECKOUT = Path(__file__).parents[1]
COMPOSE = CHECKOUT / "docker-compose.yml"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return services


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (CHECKOUT / "Dockerfile").read_text()


def test_file_is_valid_by_the_compose_specification() -> None:
    finished = _check_schema(COMPOSE)
    assert finished.returncode == 0, finished.stdout


def test_the_specification_refuses_a_wrong_file(tmp_path: Path) -> None:
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text(COMPOSE.read_text().replace("restart: unless-stopped", "restarts: always"))
    assert "restarts" in _check_schema(wrong).stdout


def test_there_is_a_database_a_migration_and_an_app(services: dict[str, Any]) -> None:
    assert sorted(services) == ["app", "database", "migrate"]


def test_database_is_checked_and_kept(services: dict[str, Any]) -> None:
    database = services["database"]
    assert database["image"] == "postgres:18"
    assert database["healthcheck"]["test"][:2] == ["CMD", "pg_isready"]
    assert database["volumes"] == ["database:/var/lib/postgresql"]
    assert "database" in yaml.safe_load(COMPOSE.read_text())["volumes"]


def test_migration_runs_once_before_the_app(services: dict[str, Any]) -> None:
    migrate, app = services["migrate"], services["app"]
    assert (migrate["command"], migrate["restart"]) == (["db", "upgrade"], "no")
    assert migrate["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert app["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert "command" not in app


def test_app_is_checked_restarted_and_not_root(services: dict[str, Any]) -> None:
    app = services["app"]
    assert app["healthcheck"]["test"][:2] == ["CMD", "python"]
    assert "/ready" in app["healthcheck"]["test"][-1]
    assert app["restart"] == "unless-stopped"
    assert app["user"] == services["migrate"]["user"] == "10001:10001"
    assert app["environment"]["BLOG_HOST"] == "0.0.0.0"


def test_secrets_are_nowhere_but_in_the_environment(services: dict[str, Any]) -> None:
    required = "${POSTGRES_PASSWORD:?set it in .env}"
    assert services["database"]["environment"]["POSTGRES_PASSWORD"] == required
    for name in ("app", "migrate"):
        environment = services[name]["environment"]
        assert environment["BLOG_DATABASE_URL"] == "postgresql://blog@database/blog"
        assert environment["PGPASSWORD"] == required
        assert environment["BLOG_SECRET_KEY"] == "${BLOG_SECRET_KEY:?set it in .env}"


def test_image_runs_the_command_itself_as_nobody_special(dockerfile: str) -> None:
    last_stage = dockerfile.rpartition("\nFROM ")[2]
    assert re.findall(r"^(?:USER|ENTRYPOINT|CMD) .*$", last_stage, re.MULTILINE) == [
        "USER 10001",
        'ENTRYPOINT ["blog-graphql"]',
        'CMD ["serve"]',
    ]


def test_health_check_of_the_image_is_a_program_that_python_takes(dockerfile: str) -> None:
    check = re.search(r"^HEALTHCHECK .*\n +CMD (\[.*\])$", dockerfile, re.MULTILINE)
    assert check is not None
    program, option, code = json.loads(check.group(1))
    assert (program, option) == ("python", "-c")
    assert "/health" in code
    compile(code, "HEALTHCHECK", "exec")


def test_everything_the_image_copies_is_there(dockerfile: str) -> None:
    copied = [
        path
        for line in re.findall(r"^COPY (?!--from)(.*) \S+$", dockerfile, re.MULTILINE)
        for path in line.split()
    ]
    assert len(copied) == 9
    assert [path for path in copied if not (CHECKOUT / path).exists()] == []
    allowed = re.findall(r"^!(.*)$", (CHECKOUT / ".dockerignore").read_text(), re.MULTILINE)
    assert sorted(copied) == sorted(allowed)


def _check_schema(file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", file],
        capture_output=True,
        text=True,
        check=False,
    )
