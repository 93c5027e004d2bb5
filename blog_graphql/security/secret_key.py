"""The secret keys that sessions are signed with, and where they are kept."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile

from pydantic import SecretStr

from blog_graphql.errors import StartupError
from blog_graphql.settings import MIN_SECRET_BYTES, Settings


@dataclass(frozen=True, slots=True)
class SecretKeys:
    """The key that signs, and the one before it, which is still accepted."""

    current: bytes = field(repr=False)
    previous: bytes | None = field(default=None, repr=False)

    @property
    def accepted(self) -> tuple[bytes, ...]:
        """Every key that verifies, the current one first."""
        return (self.current,) if self.previous is None else (self.current, self.previous)


def load_secret_keys(settings: Settings) -> SecretKeys:
    """The keys of the settings; without one, SQLite has a key of its own.

    Beside a file it is kept as ``<file>.secret-key``, made when it is not there;
    in memory it is gone with the process.

    Raises:
        StartupError: there is no key and none can be made; the message says what to do.
    """
    previous = settings.secret_key_previous
    return SecretKeys(_current_key(settings), _bytes(previous) if previous else None)


def _current_key(settings: Settings) -> bytes:
    if settings.secret_key:
        return _bytes(settings.secret_key)
    if settings.is_in_memory:
        return secrets.token_bytes(MIN_SECRET_BYTES)
    if file := settings.database_file:
        return _key_beside(file)
    raise StartupError(
        "BLOG_SECRET_KEY is required on a server database: make one with: openssl rand -hex 32"
    )


def _key_beside(database_file: Path) -> bytes:
    path = database_file.with_name(f"{database_file.name}.secret-key")
    try:
        if not path.exists():
            _make_key(path)
        key = path.read_bytes().strip()
    except OSError as error:
        raise StartupError(
            f"cannot keep a secret key in {path}: {error.strerror}; mend that, or set "
            "BLOG_SECRET_KEY to what openssl rand -hex 32 prints"
        ) from error
    if len(key) < MIN_SECRET_BYTES:
        raise StartupError(
            f"the secret key in {path} has less than {MIN_SECRET_BYTES} bytes: remove the file to "
            "have a new one made, with which everybody must sign in again"
        )
    return key


def _make_key(path: Path) -> None:
    """Write a key that only the owner can read.

    Processes that start at once agree on one: a link appears with its whole
    content, and only the first succeeds.
    """
    with NamedTemporaryFile("w", dir=path.parent, prefix=f"{path.name}.") as file:
        file.write(secrets.token_hex(MIN_SECRET_BYTES))
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(file.name, path)


def _bytes(secret: SecretStr) -> bytes:
    return secret.get_secret_value().encode()
