"""Access tokens, refresh tokens and what is stored of them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog_graphql.errors import Unauthenticated
from blog_graphql.security.secret_key import SecretKeys
from blog_graphql.security.tokens import (
    AccessClaims,
    AccessTokens,
    hash_token,
    new_refresh_token,
    new_session_id,
    session_id_of,
    successor,
)

KEY = b"k" * 32
OTHER_KEY = b"o" * 32
LIFETIME = timedelta(minutes=15)
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
SESSION = "0123456789abcdef0123456789abcdef"
EXPIRES_AT = 1781525700
CLAIMS = {"sub": "7", "sid": SESSION, "iat": 1781524800, "exp": EXPIRES_AT}

EXPIRED = "The access token has expired: refresh the session."
INVALID = "The access token is not valid: sign in again."

TOKENS = AccessTokens(SecretKeys(KEY), LIFETIME)


def sign(claims: dict[str, Any], key: bytes = KEY, algorithm: str = "HS256", **header: Any) -> str:
    return jwt.encode(claims, key, algorithm, headers=header)


def refusal(token: str, tokens: AccessTokens = TOKENS, now: datetime = NOW) -> str:
    with pytest.raises(Unauthenticated) as refused:
        tokens.read(token, now)
    return str(refused.value)


def test_a_token_carries_user_and_session() -> None:
    token, expires_at = TOKENS.issue(7, SESSION, NOW)
    assert expires_at == NOW + LIFETIME
    assert jwt.decode(token, options={"verify_signature": False}) == CLAIMS
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}
    assert TOKENS.read(token, NOW) == AccessClaims(7, SESSION, EXPIRES_AT)


def test_a_token_expires_to_the_second() -> None:
    token, expires_at = TOKENS.issue(7, SESSION, NOW + timedelta(milliseconds=900))
    assert expires_at == NOW + LIFETIME
    last = expires_at - timedelta(microseconds=1)
    assert TOKENS.read(token, last) == AccessClaims(7, SESSION, EXPIRES_AT)
    assert refusal(token, now=expires_at) == EXPIRED


def test_the_clock_is_the_callers() -> None:
    long_ago = datetime(1999, 12, 31, tzinfo=UTC)
    for now in (long_ago, NOW + timedelta(days=36_500)):
        token, expires_at = TOKENS.issue(7, SESSION, now)
        assert TOKENS.read(token, now) == AccessClaims(7, SESSION, int(expires_at.timestamp()))


def test_keys_change_without_signing_anybody_out() -> None:
    token, _ = TOKENS.issue(7, SESSION, NOW)
    rotating = AccessTokens(SecretKeys(OTHER_KEY, KEY), LIFETIME)
    rotated = AccessTokens(SecretKeys(OTHER_KEY), LIFETIME)
    assert rotating.read(token, NOW) == AccessClaims(7, SESSION, EXPIRES_AT)
    assert refusal(token, rotating, NOW + LIFETIME) == EXPIRED
    assert refusal(token, rotated) == INVALID

    fresh, _ = rotating.issue(8, SESSION, NOW)
    assert rotated.read(fresh, NOW) == AccessClaims(8, SESSION, EXPIRES_AT)
    assert refusal(fresh) == INVALID


@pytest.mark.parametrize(
    "claims",
    [
        {},
        *(
            {name: value for name, value in CLAIMS.items() if name != left_out}
            for left_out in CLAIMS
        ),
        CLAIMS | {"sub": 7},
        CLAIMS | {"sub": "0"},
        CLAIMS | {"sub": "-1"},
        CLAIMS | {"sub": "jane"},
        CLAIMS | {"sub": str(2**31)},
        CLAIMS | {"sub": "9" * 100},
        CLAIMS | {"sub": None},
        CLAIMS | {"sid": ""},
        CLAIMS | {"sid": SESSION.upper()},
        CLAIMS | {"sid": SESSION + "\n"},
        CLAIMS | {"sid": 7},
        CLAIMS | {"exp": str(CLAIMS["exp"])},
        CLAIMS | {"exp": True},
        CLAIMS | {"exp": None},
        CLAIMS | {"exp": float("inf")},
        CLAIMS | {"iat": "now"},
        CLAIMS | {"aud": "another service"},
    ],
)
def test_claims_that_are_not_ours_are_refused_with_our_signature(claims: dict[str, Any]) -> None:
    assert refusal(sign(claims)) == INVALID


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "Bearer",
        "é.é.é",
        "\ud800",
        sign(CLAIMS) + "é",
        sign(CLAIMS) + ".x",
        " " + sign(CLAIMS),
        sign(CLAIMS, OTHER_KEY),
        sign(CLAIMS, KEY * 2, "HS512"),
        sign(CLAIMS, kid="1", crit=["kid"]),
        jwt.encode(CLAIMS, None, "none"),
        jwt.encode(CLAIMS, None, "none") + base64.urlsafe_b64encode(KEY).decode(),
        base64.urlsafe_b64encode(b"[" * 300).decode() + ".e30.e30",
        base64.urlsafe_b64encode(b'{"alg": ["HS256"]}').decode() + ".e30.e30",
        base64.urlsafe_b64encode(b"1" * 300).decode() + ".e30.e30",
        sign(CLAIMS | {"more": "x" * 500}),
        "x" * 1_000_000,
        new_refresh_token(SESSION),
    ],
    ids=lambda token: ascii(token[:20]),
)
def test_what_is_no_token_of_ours_is_refused(token: str) -> None:
    assert refusal(token) == INVALID


@given(st.text())
def test_any_text_is_refused(text: str) -> None:
    assert refusal(text) == INVALID


@given(st.data())
def test_no_character_can_be_changed(data: st.DataObject) -> None:
    token = sign(CLAIMS)
    # Header and claims: the last character of a signature has bits that mean nothing.
    position = data.draw(st.integers(0, token.rindex(".") - 1))
    character = data.draw(st.characters().filter(lambda drawn: drawn != token[position]))
    assert refusal(token[:position] + character + token[position + 1 :]) == INVALID


@given(st.integers(1, 2**31 - 1), st.timedeltas(timedelta(0), timedelta(days=36_500)))
def test_every_token_is_read_as_issued(user_id: int, later: timedelta) -> None:
    now = NOW + later
    session_id = new_session_id()
    token, expires_at = TOKENS.issue(user_id, session_id, now)
    assert len(token) <= 512
    assert expires_at.microsecond == 0
    assert TOKENS.read(token, now) == AccessClaims(user_id, session_id, int(expires_at.timestamp()))
    assert refusal(token, now=expires_at) == EXPIRED


def test_session_ids_and_first_tokens_are_random() -> None:
    session_id = new_session_id()
    assert re.fullmatch("[0-9a-f]{32}", session_id)
    assert new_session_id() != session_id
    token = new_refresh_token(session_id)
    assert re.fullmatch(rf"{session_id}\.[A-Za-z0-9_-]{{43}}", token)
    assert new_refresh_token(session_id) != token
    assert session_id_of(token) == session_id


def test_a_successor_can_be_computed_again() -> None:
    token = f"{SESSION}.{'A' * 43}"
    digest = hmac.new(KEY, b"refresh-token:" + token.encode(), hashlib.sha256).digest()
    expected = f"{SESSION}.{base64.urlsafe_b64encode(digest).decode().removesuffix('=')}"
    assert successor(token, KEY) == expected
    assert successor(token, KEY) == expected
    assert session_id_of(expected) == SESSION


def test_a_successor_depends_on_token_and_key() -> None:
    tokens = [f"{SESSION}.{letter * 43}" for letter in "AB"]
    found = {successor(token, key) for token in tokens for key in (KEY, OTHER_KEY)}
    assert len(found) == 4
    assert successor(successor(tokens[0], KEY), KEY) not in found


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        SESSION,
        f"{SESSION}.",
        f"{SESSION}.{'A' * 42}",
        f"{SESSION}.{'A' * 44}",
        f"{SESSION}.{'A' * 43}\n",
        f"{SESSION}.{'+' * 43}",
        f"{SESSION.upper()}.{'A' * 43}",
        f"{SESSION[1:]}.{'A' * 43}",
        f"{SESSION}.{'Ａ' * 43}",
        "\ud800",
    ],
)
def test_what_is_no_refresh_token_has_no_session(token: str) -> None:
    assert session_id_of(token) is None


@given(st.text())
def test_no_text_is_a_refresh_token(text: str) -> None:
    assert session_id_of(text) is None


def test_what_is_stored_is_a_hash() -> None:
    assert hash_token("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_claim_too_large_to_be_a_number() -> None:
    claims = json.dumps(CLAIMS | {"exp": 0}).replace(": 0}", ": " + "9" * 200 + "}").encode()
    token = jwt.PyJWS().encode(claims, KEY, "HS256")
    assert TOKENS.read(token, NOW) == AccessClaims(7, SESSION, int("9" * 200))
