"""The secret key: from a setting, beside an SQLite file, or for a process in memory."""

from __future__ import annotations

import asyncio
import os
import re
import stat
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest

from blog_graphql.errors import StartupError
from blog_graphql.security.secret_key import SecretKeys, load_secret_keys
from blog_graphql.settings import load_settings
from tests.support.process import CHECKOUT, PATIENCE

KEY = "0123456789abcdef" * 4
FILE = Path("blog.db.secret-key")

WORKER = """
from blog_graphql.security.secret_key import load_secret_keys
from blog_graphql.settings import load_settings

settings = load_settings()
print("ready", flush=True)
input()
print(load_secret_keys(settings).current.decode())
"""


def load(**changes: Any) -> SecretKeys:
    return load_secret_keys(load_settings(_env_file=None, **changes))


def files() -> list[str]:
    """What is in the test's folder."""
    return sorted(path.name for path in Path.cwd().iterdir())


def refusal(**changes: Any) -> str:
    with pytest.raises(StartupError) as refused:
        load(**changes)
    return str(refused.value)


@pytest.mark.parametrize("url", ["sqlite:///blog.db", "sqlite://", "postgresql://user@host/blog"])
def test_a_given_key_is_used_everywhere(url: str) -> None:
    keys = load(database_url=url, secret_key=KEY, secret_key_previous="é" * 16)
    assert keys == SecretKeys(KEY.encode(), ("é" * 16).encode())
    assert keys.accepted == (KEY.encode(), ("é" * 16).encode())
    assert files() == []


def test_keys_are_not_shown() -> None:
    assert repr(load(secret_key=KEY, secret_key_previous=KEY)) == "SecretKeys()"


def test_a_server_database_needs_a_key() -> None:
    assert refusal(database_url="postgresql://user@host/blog", secret_key_previous=KEY) == (
        "BLOG_SECRET_KEY is required on a server database: make one with: openssl rand -hex 32"
    )


def test_in_memory_every_process_has_its_own() -> None:
    keys = load(database_url="sqlite://")
    assert len(keys.current) == 32
    assert keys.accepted == (keys.current,)
    assert load(database_url="sqlite://") != keys
    assert files() == []


@pytest.mark.parametrize("url", ["sqlite:///blog.db", "sqlite:///file:blog.db?mode=rwc&uri=true"])
def test_a_key_is_made_beside_the_file_and_kept(url: str) -> None:
    keys = load(database_url=url, secret_key_previous=KEY)
    assert files() == [FILE.name]
    assert re.fullmatch("[0-9a-f]{64}", FILE.read_text())
    assert keys == SecretKeys(FILE.read_bytes(), KEY.encode())
    assert load(database_url=url, secret_key_previous=KEY) == keys


def test_only_the_owner_can_read_it() -> None:
    before = os.umask(0)
    try:
        load()
    finally:
        os.umask(before)
    assert stat.S_IMODE(FILE.stat().st_mode) == 0o600


def test_every_file_has_its_own_key(tmp_path: Path) -> None:
    first, second = (load(database_url=f"sqlite:///{tmp_path / name}.db") for name in "ab")
    assert first != second
    assert files() == ["a.db.secret-key", "b.db.secret-key"]


def test_a_key_may_be_written_by_hand() -> None:
    FILE.write_text(f"  {KEY}\n")
    assert load() == SecretKeys(KEY.encode())


@pytest.mark.parametrize("content", ["", "\n", "x" * 31 + "\n"])
def test_too_short_a_key_is_refused_and_left(content: str) -> None:
    FILE.write_text(content)
    assert refusal() == (
        f"the secret key in {FILE.absolute()} has less than 32 bytes: remove the file to have a "
        "new one made, with which everybody must sign in again"
    )
    assert FILE.read_text() == content


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("missing/blog.db", "No such file or directory"),
        ("file/blog.db", "Not a directory"),
        ("folder/blog.db", "Is a directory"),
    ],
)
def test_where_no_key_can_be_kept(tmp_path: Path, path: str, reason: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder/blog.db.secret-key").mkdir(parents=True)
    assert refusal(database_url=f"sqlite:///{tmp_path / path}") == (
        f"cannot keep a secret key in {tmp_path / path}.secret-key: {reason}; mend that, or set "
        "BLOG_SECRET_KEY to what openssl rand -hex 32 prints"
    )


def test_whoever_comes_second_takes_the_key_of_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    FILE.write_text(KEY)
    with monkeypatch.context() as patch:
        # It was not there yet when the second one looked.
        patch.setattr(Path, "exists", lambda _: False)
        assert load() == SecretKeys(KEY.encode())
    assert files() == [FILE.name]


async def test_processes_that_start_at_once_agree() -> None:
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    workers = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", WORKER, stdin=PIPE, stdout=PIPE, env=environment
        )
        for _ in range(4)
    ]
    async with asyncio.timeout(PATIENCE):
        for worker in workers:
            assert worker.stdout is not None
            assert await worker.stdout.readline() == b"ready\n"
        answers = await asyncio.gather(*(worker.communicate(b"go\n") for worker in workers))
    [printed] = {stdout for stdout, _ in answers}
    assert files() == [FILE.name]
    assert SecretKeys(printed.strip()) == load()
