"""Holding documents against limits, as the tests of limits do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from graphql import parse

from blog_graphql.api.limits import Limits, Measure, check_document
from blog_graphql.errors import QueryTooComplex
from blog_graphql.schema import build_schema
from blog_graphql.settings import load_settings

SCHEMA = build_schema()._schema  # noqa: SLF001 - Strawberry has no public way
DEFAULTS = Limits.of(load_settings(_env_file=None))

# Above everything that the documents of the tests have.
BOUNDLESS = Limits(*[10**9] * 3, *[2**80] * 5)


def measure(
    source: str,
    variables: Mapping[str, Any] | None = None,
    operation_name: str | None = None,
    limits: Limits = DEFAULTS,
    **changed: int,
) -> Measure:
    """What a document measures that passes the limits, of which some may be changed."""
    limits = replace(limits, **changed)
    return check_document(SCHEMA, parse(source), limits, variables, operation_name)


def refusal(
    source: str,
    limits: Limits = DEFAULTS,
    operation_name: str | None = None,
    **changed: int,
) -> str:
    """The message that refuses a document."""
    with pytest.raises(QueryTooComplex) as caught:
        measure(source, None, operation_name, limits, **changed)
    return str(caught.value)
