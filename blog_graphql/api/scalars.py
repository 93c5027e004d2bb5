"""Scalars of our own."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import strawberry
from graphql import GraphQLError

# RFC 3339, section 5.6, where the offset is not optional.
_RFC_3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]([01]\d|2[0-3]):\d{2}:\d{2}(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_EXAMPLE = "2026-11-20T09:30:00Z"


def parse_datetime(value: Any) -> datetime:
    """A moment from RFC 3339 text, in UTC.

    Raises:
        GraphQLError: the text is something else, has no offset, or names a
            moment outside the years 1 to 9999.
    """
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise GraphQLError(f"DateTime must be RFC 3339 text with an offset, such as {_EXAMPLE!r}.")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise GraphQLError(
            f"DateTime names no moment of the years 1 to 9999; write it like {_EXAMPLE!r}."
        ) from None


def serialize_datetime(value: datetime) -> str:
    """RFC 3339 text in UTC, with as many digits as the moment has."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


DATE_TIME = strawberry.scalar(
    name="DateTime",
    description="A moment as RFC 3339 text, always with an offset. Answers are in UTC, "
    f"such as `{_EXAMPLE}`; arguments may have any offset.",
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    serialize=serialize_datetime,
    parse_value=parse_datetime,
)
