"""What a release carries: the GraphiQL page, which git does not have."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
BUILD = [sys.executable, "-m", "hatchling", "build", "-d", "dist"]
PAGE = "blog_graphql/_graphiql/index.html"
ASSET = "blog_graphql/_graphiql/assets/main-1.js"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A checkout as small as it can be built from, without the page."""
    for name in (
        "pyproject.toml",
        "hatch_build.py",
        "README.md",
        "LICENSE",
        ".gitignore",
        "alembic",
        "frontend/graphiql/package.json",
    ):
        copy = tmp_path / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if (CHECKOUT / name).is_dir():
            shutil.copytree(CHECKOUT / name, copy)
        else:
            shutil.copy(CHECKOUT / name, copy)
    package = tmp_path / "blog_graphql"
    package.mkdir()
    shutil.copy(CHECKOUT / "blog_graphql" / "__init__.py", package)
    modules = tmp_path / "frontend" / "graphiql" / "node_modules"
    modules.mkdir()
    (modules / "dependency.js").touch()
    return tmp_path


@pytest.fixture
def page(source: Path) -> None:
    """The page, as if built."""
    for name in (PAGE, ASSET):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("built")


def build(source: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*BUILD, *arguments],
        cwd=source,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.usefixtures("page")
def test_wheel_has_the_page(source: Path) -> None:
    assert build(source, "-t", "wheel").returncode == 0
    (wheel,) = source.glob("dist/*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {PAGE, ASSET} <= names
    assert not [name for name in names if name.startswith("frontend")]


@pytest.mark.usefixtures("page")
def test_source_distribution_has_the_page_and_its_sources(source: Path) -> None:
    assert build(source, "-t", "sdist").returncode == 0
    (distribution,) = source.glob("dist/*.tar.gz")
    with tarfile.open(distribution) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {PAGE, ASSET, "hatch_build.py", "frontend/graphiql/package.json"} <= names
    assert not [name for name in names if "node_modules" in name]


@pytest.mark.parametrize("target", ["wheel", "sdist"])
def test_nothing_is_released_without_the_page(source: Path, target: str) -> None:
    finished = build(source, "-t", target)
    assert finished.returncode != 0
    assert "run make graphiql first" in finished.stderr
    assert list(source.glob("dist/*.*")) == []


def test_whoever_says_so_builds_without_the_page(source: Path) -> None:
    assert build(source, "-t", "wheel", BLOG_GRAPHIQL="false").returncode == 0
    assert len(list(source.glob("dist/*.whl"))) == 1


def test_checkout_is_installed_without_the_page(source: Path) -> None:
    assert build(source, "-t", "wheel:editable").returncode == 0
    assert len(list(source.glob("dist/*.whl"))) == 1
