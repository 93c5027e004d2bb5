"""What the documentation shows of clients is what the tests of them run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.process import CHECKOUT

PROJECT = Path(__file__).parent
# README.md has Python, too, that is about something else.
LANGUAGES = {"README.md": {"js", "ts"}, "docs/clients.md": {"js", "json", "python", "ts"}}
SUFFIXES = ("js", "json", "py", "ts")
SNIPPET = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def snippets(document: str) -> list[str]:
    """The whole files that a document claims to show."""
    text = (CHECKOUT / document).read_text()
    return [code for language, code in SNIPPET.findall(text) if language in LANGUAGES[document]]


@pytest.mark.parametrize("document", LANGUAGES)
def test_every_snippet_is_a_file_of_the_tests(document: str) -> None:
    patterns = [f"{folder}*.{suffix}" for folder in ("", "*/") for suffix in SUFFIXES]
    paths = [path for pattern in patterns for path in PROJECT.glob(pattern) if path.is_file()]
    files = {path.read_text() for path in paths}
    assert [code for code in snippets(document) if code not in files] == []


@pytest.mark.parametrize(
    "file", ["apollo/client.js", "codegen/codegen.ts", "relay/environment.js", "urql/client.js"]
)
def test_the_readme_shows_the_most_used(file: str) -> None:
    assert (PROJECT / file).read_text() in snippets("README.md")
