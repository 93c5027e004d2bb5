"""The filter inputs that every domain's filters are made of.

In all of them a field left out, or null, does not filter.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

import strawberry
from strawberry import UNSET

from blog_graphql.api.node import decode_key
from blog_graphql.db.filters import MomentMatch, TextMatch
from blog_graphql.errors import BadUserInput
from blog_graphql.text import is_storable

_MOST_VALUES = 1_000

T = TypeVar("T")


@strawberry.input(description="Compares text. Every condition given must hold.")
class StringFilter:
    """Conditions on text."""

    eq: str | None = strawberry.field(
        default=UNSET, description="Equal to this. Names ignore case and Unicode's variants."
    )
    in_: list[str] | None = strawberry.field(
        name="in",
        default=UNSET,
        description="Equal to one of these, compared like `eq`; `[]` matches nothing.",
    )
    contains: str | None = strawberry.field(
        default=UNSET,
        description="Has this part. Ignores ASCII case; `%`, `_` and `\\` mean themselves.",
    )
    starts_with: str | None = strawberry.field(
        default=UNSET, description="Begins with this part, compared like `contains`."
    )

    def match(self) -> TextMatch:
        """What the filter means.

        Raises:
            BadUserInput: a text that no database can hold, or too many of them.
        """
        any_of = _bounded(given(self.in_))
        match = TextMatch(
            eq=given(self.eq),
            any_of=any_of,
            contains=given(self.contains),
            starts_with=given(self.starts_with),
        )
        for text in (match.eq, match.contains, match.starts_with, *(any_of or ())):
            check_storable(text)
        return match


@strawberry.input(description="Compares global IDs. Every condition given must hold.")
class IDFilter:
    """Conditions on an object's identity."""

    eq: strawberry.ID | None = strawberry.field(
        default=UNSET,
        description="This ID. One that is malformed or of another type matches nothing.",
    )
    in_: list[strawberry.ID] | None = strawberry.field(
        name="in", default=UNSET, description="One of these IDs; `[]` matches nothing."
    )

    def keys(self, type_name: str) -> frozenset[int] | None:
        """The keys of the objects that match, or None where nothing filters.

        Raises:
            BadUserInput: too many IDs.
        """
        conditions = [
            frozenset(key for one in ids if (key := decode_key(one, type_name)) is not None)
            for ids in (_single(given(self.eq)), _bounded(given(self.in_)))
            if ids is not None
        ]
        return frozenset.intersection(*conditions) if conditions else None


@strawberry.input(description="Compares moments. Every condition given must hold.")
class DateTimeFilter:
    """Conditions on a moment."""

    eq: datetime | None = strawberry.field(default=UNSET, description="At this moment.")
    gt: datetime | None = strawberry.field(default=UNSET, description="After this moment.")
    gte: datetime | None = strawberry.field(default=UNSET, description="At this moment or after.")
    lt: datetime | None = strawberry.field(default=UNSET, description="Before this moment.")
    lte: datetime | None = strawberry.field(default=UNSET, description="At this moment or before.")

    def match(self) -> MomentMatch:
        """What the filter means."""
        return MomentMatch(
            given(self.eq), given(self.gt), given(self.gte), given(self.lt), given(self.lte)
        )


def given(value: T | None) -> T | None:
    """An input's value, with one left out as None."""
    return None if value is UNSET else value


def given_values(input_: object, names: Iterable[str]) -> dict[str, Any]:
    """An input's values by name, without those left out; null is a value here."""
    values = {name: getattr(input_, name) for name in names}
    return {name: value for name, value in values.items() if value is not UNSET}


def text_match(text_filter: StringFilter | None) -> TextMatch:
    """What an optional filter on text means."""
    return text_filter.match() if text_filter else TextMatch()


def moment_match(moment_filter: DateTimeFilter | None) -> MomentMatch:
    """What an optional filter on a moment means."""
    return moment_filter.match() if moment_filter else MomentMatch()


def id_match(id_filter: IDFilter | None, type_name: str) -> frozenset[int] | None:
    """What an optional filter on IDs means."""
    return id_filter.keys(type_name) if id_filter else None


def check_storable(text: str | None) -> None:
    """Refuse text that no database can hold.

    Raises:
        BadUserInput: it has a NUL or a lone surrogate.
    """
    if text is not None and not is_storable(text):
        raise BadUserInput("Text must not contain NUL (U+0000) or lone surrogates.")


def _single(value: T | None) -> tuple[T, ...] | None:
    return None if value is None else (value,)


def _bounded(values: list[T] | None) -> tuple[T, ...] | None:
    if values is None:
        return None
    if len(values) > _MOST_VALUES:
        raise BadUserInput(f"in takes at most {_MOST_VALUES} values; {len(values)} were given.")
    return tuple(values)
