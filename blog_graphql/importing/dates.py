"""Dates as blogs write them: in front matter, file names and folders."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Any

from dateutil import parser

from blog_graphql.errors import BadUserInput

# Hours ahead of UTC. Those of RFC 5322 first, which win where a name has other meanings; the rest
# have one. Any other name counts as none, as it does in Ruby.
_ZONES = {
    "EST": -5,
    "EDT": -4,
    "CST": -6,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
    "WET": 0,
    "WEST": 1,
    "CET": 1,
    "CEST": 2,
    "EET": 2,
    "EEST": 3,
    "MSK": 3,
    "JST": 9,
    "KST": 9,
    "AEST": 10,
    "AEDT": 11,
    "NZST": 12,
    "NZDT": 13,
}
# Go writes both, and the number is the one that is clear.
_NAME_AFTER_OFFSET = re.compile(r"([+-]\d{2}:?\d{2})\s+\(?[A-Za-z]{1,5}\)?$")
# dateutil reads UTC+3 as POSIX does, three hours behind; people mean three hours ahead.
_UTC_BEFORE_OFFSET = re.compile(r"(?:UTC|GMT)(?=[+-]\d)")
# Ruby takes a year said twice, so there are posts of Jekyll's with one.
_REPEATED_YEAR = re.compile(r"^(\d{4})([-/].*?)\s\1(?=\s|$)")
# Dots are how dates are written where the day comes first.
_DOTTED = re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}")
# Two defaults without a part in common: what the text leaves out differs between them.
_DEFAULTS = (datetime(2000, 1, 1), datetime(2004, 2, 2))  # noqa: DTZ001 - naive means UTC
_LONGEST_DATE = 100

_NAME_PREFIX = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[-_ ]+(?=.)|$)", re.DOTALL)
_FOLDERS = re.compile(r"(?:^|/)(\d{4})/(\d{1,2})/(\d{1,2})/[^/]+(?:/index\.[^/]+)?$")


def parse_date(value: Any) -> datetime:
    """The moment that a front matter value names; without an offset it is UTC.

    Raises:
        BadUserInput: it is no date, or leaves out the year, the month or the day.
    """
    try:
        if isinstance(value, str):
            moment = _parse_text(value)
        elif isinstance(value, datetime):
            moment = value
        elif isinstance(value, date):
            moment = datetime.combine(value, time.min)
        else:
            raise BadUserInput(_explain(value))
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadUserInput(_explain(value)) from None


def split_dated_name(name: str) -> tuple[datetime | None, str]:
    """The date at the start of a file name, if there is one, and the rest of the name.

    A name that is nothing but a date is its own rest.
    """
    match = _NAME_PREFIX.match(name)
    moment = match and _midnight(match)
    if not match or not moment:
        return None, name
    return moment, name[match.end() :] or name


def date_in_folders(path: str) -> datetime | None:
    """The date of ``…/2023/12/15/name``: a path, or an address without its host."""
    match = _FOLDERS.search(path)
    return _midnight(match) if match else None


def _parse_text(text: str) -> datetime:
    if len(text) > _LONGEST_DATE:
        raise ValueError("too long for a date")
    text = _NAME_AFTER_OFFSET.sub(r"\1", _UTC_BEFORE_OFFSET.sub("", text.strip()))
    text = _REPEATED_YEAR.sub(r"\1\2", text)
    dayfirst = _DOTTED.match(text) is not None
    moment, other = (
        parser.parse(text, default=default, dayfirst=dayfirst, tzinfos=_zone)
        for default in _DEFAULTS
    )
    if moment != other or f"{moment.year:04}" not in text:
        raise ValueError("the text does not say year, month and day")
    return moment


def _zone(name: str | None, offset: int | None) -> tzinfo | None:
    if offset is not None:
        return timezone(timedelta(seconds=offset))
    return timezone(timedelta(hours=_ZONES[name])) if name in _ZONES else None


def _midnight(match: re.Match[str]) -> datetime | None:
    year, month, day = (int(part) for part in match.groups())
    try:
        return datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        return None


def _explain(value: Any) -> str:
    shown = repr(value[:_LONGEST_DATE]) if isinstance(value, str) else f"a {type(value).__name__}"
    return f"{shown} is not a date; write it as 2023-12-15 or 2023-12-15T08:30:00+01:00"
