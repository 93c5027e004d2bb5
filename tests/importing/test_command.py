"""``blog-graphql import`` and ``blog-graphql demo``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.importing.blogs import FIRST, write_blog

SUMMARY = """\
Imported blog
  created   {created:>6}
  updated        0
  unchanged {unchanged:>6}
  ignored        0
  skipped        0
"""


@pytest.fixture
def blog(monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BLOG_DATABASE_URL", "sqlite:///test.db")
    return write_blog(Path("blog"), {"first.md": FIRST})


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own: it sets up the logs of the whole process."""
    return subprocess.run(
        [sys.executable, "-m", "blog_graphql", *arguments],
        env=os.environ | variables,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.usefixtures("blog")
def test_an_import_prints_its_summary() -> None:
    first, second = run("import", "blog"), run("import", "blog")
    assert (first.returncode, first.stdout) == (0, SUMMARY.format(created=1, unchanged=0))
    assert (second.returncode, second.stdout) == (0, SUMMARY.format(created=0, unchanged=1))
    assert first.stderr == ""


def test_a_skipped_file_is_an_exit_status(blog: Path) -> None:
    write_blog(blog, {"second.md": "---\ntitle: Nobody's\n---\nText"})
    failed = run("import", "blog")
    assert failed.returncode == 1
    assert failed.stdout.endswith(
        "Skipped:\n  second.md: it names no author; give one with --author NAME\n"
    )
    given = run("import", "blog", "--author", "jane")
    assert given.returncode == 0
    assert given.stdout.splitlines()[1:4] == [
        "  created        1", "  updated        0", "  unchanged      1",
    ]  # fmt: skip


@pytest.mark.usefixtures("blog")
def test_a_dry_run_can_be_followed_by_the_real_one() -> None:
    dry = run("import", "blog", "--dry-run")
    assert not Path("test.db").exists()
    real = run("import", "blog")
    assert dry.returncode == 0
    assert dry.stdout.splitlines()[0] == "Dry run of importing blog"
    assert dry.stdout.splitlines()[-1] == "Nothing was written."
    assert real.stdout == SUMMARY.format(created=1, unchanged=0)


@pytest.mark.usefixtures("blog")
def test_a_dry_run_leaves_an_old_database_as_it_is() -> None:
    run("db", "upgrade", "0001")
    before = Path("test.db").read_bytes()
    assert run("import", "blog", "--dry-run").returncode == 0
    assert run("db", "current").stdout == "0001 (head is 0004)\n"
    assert Path("test.db").read_bytes() == before


@pytest.mark.usefixtures("blog")
def test_a_missing_path_is_an_error_of_one_line() -> None:
    result = run("import", "nothing")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == ("blog-graphql: nothing cannot be read: No such file or directory\n")


@pytest.mark.usefixtures("blog")
def test_a_terminal_is_shown_the_progress() -> None:
    result = run("import", "blog", FORCE_COLOR="1")
    assert "1/1" in result.stderr
    assert result.stdout == SUMMARY.format(created=1, unchanged=0)


@pytest.mark.usefixtures("blog")
def test_the_demo_blog_is_loaded_once() -> None:
    first, second = run("demo"), run("demo")
    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stdout.splitlines()[:2] == ["Imported the demo blog", "  created       14"]
    assert second.stdout.splitlines()[3] == "  unchanged     14"
