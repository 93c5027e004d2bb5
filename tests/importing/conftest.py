"""A blog of two posts, which many tests import."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.importing.blogs import FIRST, SECOND, write_blog


@pytest.fixture
def blog(tmp_path: Path) -> Path:
    return write_blog(tmp_path / "blog", {"first.md": FIRST, "second.md": SECOND})
