"""Passwords, hashed with Argon2id in threads of their own."""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from argon2 import PasswordHasher
from argon2.exceptions import (
    HashingError,
    InvalidHashError,
    VerificationError,
    VerifyMismatchError,
)

from blog_graphql.errors import StartupError
from blog_graphql.settings import Settings

# Characters. Longer than any password that the rules accept, however it is decomposed:
# a character has up to 18 under NFKD.
_LONGEST_TYPED = 2_304


class Passwords:
    """Hashes and verifies passwords without holding the event loop.

    Argon2 releases the interpreter's lock, so ``BLOG_PASSWORD_THREADS`` of them
    run beside everything else; further ones wait their turn. Passwords are
    compared under NFKC, so that it does not matter how a keyboard composes an
    accent (NIST SP 800-63B, section 5.1.1.2).

    Raises:
        StartupError: Argon2 cannot work with the settings.
    """

    def __init__(self, settings: Settings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.argon2_time_cost,
            memory_cost=settings.argon2_memory_kib,
            parallelism=settings.argon2_parallelism,
        )
        try:
            # Stands in where there is no hash, so that the answer takes as long.
            self._dummy = self._hasher.hash(secrets.token_bytes())
        except HashingError as error:
            raise StartupError(
                f"BLOG_ARGON2_MEMORY_KIB={settings.argon2_memory_kib} with "
                f"BLOG_ARGON2_PARALLELISM={settings.argon2_parallelism}: {error}"
            ) from error
        self._threads = settings.password_threads
        self._executor = self._make_executor()

    async def hash(self, password: str) -> str:
        """The hash to store, with its parameters and salt: ``$argon2id$…``.

        Raises:
            ValueError: it has a lone surrogate, or is longer than any password.
        """
        secret = _normalize(password)
        if secret is None:
            raise ValueError("this text cannot be a password")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._hasher.hash, secret)

    async def verify(self, password: str, hashed: str | None) -> bool:
        """Whether a password is the one that was hashed.

        Without a hash, or with one that no password matches, the answer is no
        and takes as long as any other: how long does not tell who has an account.
        """
        loop = asyncio.get_running_loop()
        secret = _normalize(password)
        return await loop.run_in_executor(self._executor, self._verify, secret, hashed)

    def needs_rehash(self, hashed: str) -> bool:
        """Whether a hash was made with other parameters than those of the settings.

        Raises:
            ValueError: it is no hash of Argon2.
        """
        return self._hasher.check_needs_rehash(hashed)

    def close(self) -> None:
        """End the threads, until they are needed again; passwords that still wait are given up."""
        self._executor.shutdown(cancel_futures=True)
        self._executor = self._make_executor()

    def _make_executor(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._threads, "password")

    def _verify(self, secret: bytes | None, hashed: str | None) -> bool:
        if secret is not None and hashed is not None:
            try:
                return self._hasher.verify(hashed, secret)
            except VerifyMismatchError:
                return False
            except (VerificationError, InvalidHashError, UnicodeEncodeError):
                pass  # Malformed, and refused before any work was done.
        with suppress(VerifyMismatchError):
            self._hasher.verify(self._dummy, b"")
        return False


def _normalize(password: str) -> bytes | None:
    """What is hashed; None for text that cannot be a password."""
    if len(password) > _LONGEST_TYPED:
        return None
    try:
        return unicodedata.normalize("NFKC", password).encode()
    except UnicodeEncodeError:
        return None
