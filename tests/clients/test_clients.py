"""The clients that front ends use, each run by Node against a served blog.

What is run for a client is the script of its name in ``package.json``.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.process import CHECKOUT

PROJECT = Path(__file__).parent
# Node may have come from PyPI, to stand beside Python.
PATH = os.pathsep.join([os.environ["PATH"], str(Path(sys.executable).parent)])
NPM = shutil.which("npm", path=PATH)
# Seconds after which a client is given up.
PATIENCE = 300

CLIENTS = ["apollo", "graphql-sse", "graphql-ws", "relay", "urql"]
# What reads the schema, or asks how HTTP is spoken: which database there is does not matter.
TOOLS = ["audits", "codegen", "gql-tada", "schema"]

pytestmark = pytest.mark.skipif(
    NPM is None and not os.environ.get("CI"), reason="npm is not installed"
)


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The locked packages, which one worker installs for all when the lock has changed."""
    assert NPM is not None, "npm is not installed, and CI needs it"
    packages = PROJECT / "node_modules"
    stamp = packages / ".installed"
    with (PROJECT / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = lock.read()
        if not stamp.exists() or stamp.read_text() != wanted:
            installing = subprocess.run(
                [NPM, "ci", "--loglevel=error"],
                cwd=PROJECT,
                env={**os.environ, "PATH": PATH},
                capture_output=True,
                text=True,
                check=False,
            )
            assert installing.returncode == 0, installing.stderr
            stamp.write_text(wanted)
    return packages


@pytest.fixture
def project(node_modules: Path, tmp_path: Path) -> Path:
    """A copy of the project, below its schema, where files can be generated undisturbed."""
    copy = tmp_path / PROJECT.relative_to(CHECKOUT)
    generated = shutil.ignore_patterns("node_modules", "__generated__", "build", "__pycache__")
    shutil.copytree(PROJECT, copy, ignore=generated)
    (copy / "node_modules").symlink_to(node_modules)
    shutil.copy(CHECKOUT / "schema.graphql", tmp_path)
    return copy


@pytest.mark.parametrize(
    ("backend", "client"),
    [
        *[("sqlite", client) for client in TOOLS + CLIENTS],
        *[("postgresql", client) for client in CLIENTS],
    ],
    indirect=["backend"],
)
async def test_works_as_its_documentation_says(
    client: str, project: Path, blog_url: str, impatient_url: str
) -> None:
    assert NPM is not None
    with (project / "printed").open("w+") as printed:
        process = await asyncio.create_subprocess_exec(
            *[NPM, "run", "--loglevel=error", client],
            cwd=project,
            env={
                **os.environ,
                "PATH": PATH,
                "BLOG_URL": blog_url,
                "BLOG_IMPATIENT_URL": impatient_url,
            },
            stdout=printed,
            stderr=printed,
            start_new_session=True,
        )
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await process.wait()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            status = await process.wait()
        printed.seek(0)
        sys.stdout.write(printed.read())
    assert status == 0
