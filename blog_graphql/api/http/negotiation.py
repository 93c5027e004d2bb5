"""What kind of answer a client wants, by its ``Accept`` header."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from blog_graphql.api.http.media_types import (
    EVENT_STREAM,
    GRAPHQL_RESPONSE,
    HTML,
    JSON,
    MULTIPART,
    MediaType,
    parse_accept,
)

_LONGEST_CACHED = 500

# How much a type is wanted: its quality, whether it is named, how far in front it stands.
_Rank: TypeAlias = tuple[float, bool, int]
_UNWANTED: _Rank = (0, False, 0)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The kinds of answers that a client takes.

    ``single`` is the media type of one answer, and ``stream`` that of many; each
    is None where the client takes none. Streams and pages have to be named:
    ``*/*`` is what is sent by clients that never thought of them.
    """

    single: str | None
    stream: str | None
    prefers_stream: bool
    prefers_page: bool


def negotiate(accept: str) -> Accepted:
    """What a client takes that sent this header; an empty one stands for none.

    Quality decides, then whether the type is named rather than covered by a
    range, then the header's order (RFC 9110, section 12.5.1, leaves ties open).
    """
    # What a client makes up anew each time is not worth being kept.
    return (_cached if len(accept) <= _LONGEST_CACHED else _negotiate)(accept)


def _negotiate(accept: str) -> Accepted:
    ranges = list(parse_accept(accept)) or [MediaType("*/*")]
    singles = {JSON: _rank(JSON, ranges), GRAPHQL_RESPONSE: _rank(GRAPHQL_RESPONSE, ranges)}
    streams = {
        EVENT_STREAM: _rank_named(EVENT_STREAM, ranges),
        MULTIPART: _rank_named(MULTIPART, ranges),
    }
    single, stream = _best(singles), _best(streams)
    wanted = singles.get(single or "", _UNWANTED)
    return Accepted(
        single,
        stream,
        prefers_stream=streams.get(stream or "", _UNWANTED) > wanted,
        prefers_page=_rank_named(HTML, ranges) > wanted,
    )


_cached = lru_cache(maxsize=256)(_negotiate)


def _best(ranks: dict[str, _Rank]) -> str | None:
    best = max(ranks, key=ranks.__getitem__)
    return best if ranks[best] > _UNWANTED else None


def _rank(name: str, ranges: Sequence[MediaType]) -> _Rank:
    """The rank that the most specific of the ranges gives a type."""
    if any(media.name == name for media in ranges):
        return _rank_named(name, ranges)
    for wildcard in (f"{name.partition('/')[0]}/*", "*/*"):
        found = [media for media in ranges if media.name == wildcard]
        if found:
            return max(media.quality for media in found), False, 0
    return _UNWANTED


def _rank_named(name: str, ranges: Sequence[MediaType]) -> _Rank:
    found = [
        (media.quality, True, -position)
        for position, media in enumerate(ranges)
        if media.name == name and _is_served(media) and media.quality
    ]
    return max(found, default=_UNWANTED)


def _is_served(media: MediaType) -> bool:
    """Whether it is UTF-8 and, of the multipart types, that of Apollo's subscriptions."""
    is_known = media.name != MULTIPART or media.parameters.get("subscriptionspec") == "1.0"
    return is_known and media.is_utf_8
