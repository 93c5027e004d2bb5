"""Hashing and verifying passwords."""

from __future__ import annotations

import asyncio
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Literal

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from blog_graphql.db.models import UNUSABLE_PASSWORD
from blog_graphql.errors import StartupError
from blog_graphql.security import passwords as module
from blog_graphql.security.passwords import Passwords
from blog_graphql.settings import load_settings

CHEAP = {"argon2_time_cost": 1, "argon2_memory_kib": 8}
CHEAP_PREFIX = "$argon2id$v=19$m=8,t=1,p=1$"
STRONG_PREFIX = "$argon2id$v=19$m=16,t=1,p=1$"


def make_passwords(**changes: Any) -> Passwords:
    return Passwords(load_settings(_env_file=None, **(CHEAP | changes)))


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    with closing(make_passwords()) as passwords:
        yield passwords


class WatchedHasher(PasswordHasher):
    """Notes what is verified, and in which thread."""

    verified: list[str | bytes]
    threads: list[str]

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - the library's name
        self.verified.append(hash)
        self.threads.append(threading.current_thread().name)
        return super().verify(hash, password)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> type[WatchedHasher]:
    monkeypatch.setattr(WatchedHasher, "verified", [], raising=False)
    monkeypatch.setattr(WatchedHasher, "threads", [], raising=False)
    monkeypatch.setattr(module, "PasswordHasher", WatchedHasher)
    return WatchedHasher


async def test_the_right_password_and_no_other(passwords: Passwords) -> None:
    hashed = await passwords.hash("correct horse")
    assert hashed.startswith(CHEAP_PREFIX)
    assert await passwords.verify("correct horse", hashed)
    assert not await passwords.verify("Correct horse", hashed)
    assert not await passwords.verify("", hashed)


async def test_equal_passwords_have_different_hashes(passwords: Passwords) -> None:
    assert await passwords.hash("correct horse") != await passwords.hash("correct horse")


async def test_defaults_are_those_of_owasp() -> None:
    with closing(Passwords(load_settings(_env_file=None))) as passwords:
        assert (await passwords.hash("correct horse")).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@given(st.text(st.characters(codec="utf-8"), min_size=8, max_size=128))
def test_any_composition_of_a_password_is_the_password(password: str) -> None:
    async def check() -> None:
        with closing(make_passwords()) as passwords:
            hashed = await passwords.hash(password)
            for form in ("NFC", "NFD", "NFKC", "NFKD"):
                assert await passwords.verify(unicodedata.normalize(form, password), hashed)
            assert not await passwords.verify(password + "x", hashed)

    asyncio.run(check())


@pytest.mark.parametrize(
    "hashed",
    [
        None,
        UNUSABLE_PASSWORD,
        "",
        "plain text",
        "$argon2id$",
        "$argon2id$v=19$m=16,t=1,p=1$short$short",
        "$argon2id$ключ",
    ],
)
async def test_what_is_no_hash_costs_one_verification(
    watched: type[WatchedHasher], hashed: str | None
) -> None:
    with closing(make_passwords()) as passwords:
        assert not await passwords.verify("correct horse", hashed)
    dummies = [each for each in watched.verified if str(each).startswith(CHEAP_PREFIX)]
    assert len(dummies) == 1
    assert watched.verified[:-1] == ([] if hashed is None else [hashed])


@pytest.mark.parametrize("password", ["correct \ud800 horse", "x" * 4_097])
async def test_what_is_no_password_costs_one_verification(
    watched: type[WatchedHasher], password: str
) -> None:
    with closing(make_passwords()) as passwords:
        hashed = await passwords.hash("correct horse")
        assert not await passwords.verify(password, hashed)
        assert len(watched.verified) == 1
        assert watched.verified != [hashed]
        with pytest.raises(ValueError, match=r"^this text cannot be a password$") as refused:
            await passwords.hash(password)
    assert refused.value.__context__ is None


async def test_as_many_threads_as_the_settings_say(watched: type[WatchedHasher]) -> None:
    with closing(make_passwords(password_threads=1)) as passwords:
        answers = await asyncio.gather(*(passwords.verify("guess", None) for _ in range(5)))
    assert answers == [False] * 5
    assert watched.threads == ["password_0"] * 5


async def test_other_parameters_want_a_new_hash(passwords: Passwords) -> None:
    hashed = await passwords.hash("correct horse")
    assert not passwords.needs_rehash(hashed)
    with closing(make_passwords(argon2_memory_kib=16)) as stronger:
        assert stronger.needs_rehash(hashed)
        assert await stronger.verify("correct horse", hashed)
        again = await stronger.hash("correct horse")
    assert again.startswith(STRONG_PREFIX)
    assert passwords.needs_rehash(again)
    with pytest.raises(ValueError, match=r"^$"):
        passwords.needs_rehash(UNUSABLE_PASSWORD)


def test_parameters_that_cannot_be() -> None:
    with pytest.raises(StartupError) as refused:
        make_passwords(argon2_parallelism=4)
    assert str(refused.value) == (
        "BLOG_ARGON2_MEMORY_KIB=8 with BLOG_ARGON2_PARALLELISM=4: Memory cost is too small"
    )


async def test_it_can_be_used_again_after_the_end(passwords: Passwords) -> None:
    hashed = await passwords.hash("correct horse")
    passwords.close()
    assert await passwords.verify("correct horse", hashed)
