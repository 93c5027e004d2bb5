"""Media types as headers have them (RFC 9110, section 8.3.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"
EVENT_STREAM = "text/event-stream"
MULTIPART = "multipart/mixed"
HTML = "text/html"

# Nobody means more than that; whoever sends more is not to keep the process busy.
_MOST_ELEMENTS = 50

_QUOTED = r'"(?:[^"\\]|\\.)*+"?'
_ELEMENT = re.compile(rf'(?:[^,"]|{_QUOTED})++', re.DOTALL)
_QUALITY = re.compile(r"[0-9]+(\.[0-9]*)?", re.ASCII)
_PART = re.compile(rf'(?:[^;"]|{_QUOTED})++', re.DOTALL)


@dataclass(frozen=True, slots=True)
class MediaType:
    """A media type or range; its name, and the names of its parameters, in lower case."""

    name: str
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def is_utf_8(self) -> bool:
        """Whether its text is UTF-8, as it is where nothing is said."""
        return self.parameters.get("charset", "utf-8").lower() in {"utf-8", "utf8"}

    @property
    def quality(self) -> float:
        """How much it is wanted, up to 1 (RFC 9110, section 12.4.2), as where no number is."""
        quality = self.parameters.get("q", "")
        return min(float(quality), 1) if _QUALITY.fullmatch(quality) else 1


def parse_media_type(text: str) -> MediaType:
    """The media type of a ``Content-Type``, whatever was sent."""
    name, *parts = _PART.findall(text) or [""]
    parameters: dict[str, str] = {}
    for part in parts[:_MOST_ELEMENTS]:
        key, _, value = part.partition("=")
        parameters.setdefault(key.strip().lower(), _unquoted(value.strip()))
    return MediaType(name.strip().lower(), parameters)


def parse_accept(text: str) -> Iterator[MediaType]:
    """The media ranges of an ``Accept``, in its order."""
    for element in islice(_ELEMENT.finditer(text), _MOST_ELEMENTS):
        yield parse_media_type(element[0])


def accepted_codings(text: str) -> set[str]:
    """The codings that an ``Accept-Encoding`` names and wants."""
    return {coding.name for coding in parse_accept(text) if coding.quality}


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value.strip('"')) if value.startswith('"') else value
