"""Running ``blog-graphql`` inside the test's own process."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from blog_graphql.cli import main


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    status: int
    stdout: str
    stderr: str


def run_command(capsys: pytest.CaptureFixture[str], *arguments: str) -> Outcome:
    """Run a command as if typed; ``capsys`` sees what it prints."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as exit_info:
        main(arguments)
    printed = capsys.readouterr()
    status = exit_info.value.code
    assert isinstance(status, int)
    return Outcome(status, printed.out, printed.err)
