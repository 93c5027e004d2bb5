"""Cursors: positions in an ordering, as opaque text."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from typing import Any

from graphql import GraphQLError

from blog_graphql.api.scalars import parse_datetime, serialize_datetime
from blog_graphql.db.ordering import Ordering, Position, Term, Value
from blog_graphql.errors import BadUserInput
from blog_graphql.text import is_storable

_VERSION = 1
# The longest text that can be ordered by, quoted and escaped, stays well below.
_LONGEST = 8_000
_LARGEST_INTEGER = 2**31 - 1


def encode_cursor(ordering: Ordering, row: Any) -> str:
    """The cursor of a row; it stays valid when the row is gone."""
    values = [
        serialize_datetime(value) if isinstance(value, datetime) else value
        for value in ordering.position(row)
    ]
    payload = json.dumps([_VERSION, ordering.signature, *values], separators=(",", ":"))
    return base64.urlsafe_b64encode(payload.encode()).decode()


def decode_cursor(ordering: Ordering, cursor: str, argument: str) -> Position:
    """The position that a cursor names in an ordering.

    Raises:
        BadUserInput: the cursor is malformed, or belongs to another order.
    """
    match _payload(cursor):
        case [int(version), str(signature), *values] if version == _VERSION and version is not True:
            pass
        case _:
            raise BadUserInput(
                f"{argument} is not a cursor of this server: pass one that a page returned."
            )
    if signature != ordering.signature:
        raise BadUserInput(
            f"{argument} belongs to another list or order: pass the orderBy its page was read with."
        )
    if len(values) == len(ordering.terms):
        decoded = [_value(term, value) for term, value in zip(ordering.terms, values, strict=True)]
        position = tuple(value for value in decoded if value is not None)
        if len(position) == len(decoded):
            return position
    raise BadUserInput(f"{argument} is damaged: pass a cursor just as a page returned it.")


def _payload(cursor: str) -> Any:
    if len(cursor) > _LONGEST:
        return None
    try:
        return json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return None


def _value(term: Term, value: object) -> Value | None:
    """A value that the column could hold, or None."""
    if isinstance(value, bool):
        return None  # which is an int to Python
    if term.python_type is datetime:
        try:
            return parse_datetime(value)
        except GraphQLError:
            return None
    if term.python_type is int:
        return value if isinstance(value, int) and 0 <= value <= _LARGEST_INTEGER else None
    return value if isinstance(value, str) and is_storable(value) else None
