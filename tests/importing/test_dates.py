"""Dates as blogs write them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog_graphql.errors import BadUserInput
from blog_graphql.importing.dates import date_in_folders, parse_date, split_dated_name


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2023-12-15", "2023-12-15T00:00:00"),
        ("2023-1-5", "2023-01-05T00:00:00"),
        ("2023/12/15", "2023-12-15T00:00:00"),
        ("20231215", "2023-12-15T00:00:00"),
        ("15.12.2023", "2023-12-15T00:00:00"),
        ("05.12.2023 08:30", "2023-12-05T08:30:00"),
        ("12/05/2023", "2023-12-05T00:00:00"),
        ("2023-12-15 08:30", "2023-12-15T08:30:00"),
        ("2023-12-15T08:30:00Z", "2023-12-15T08:30:00"),
        ("2023-12-15T08:30:00.123456789+01:00", "2023-12-15T07:30:00.123456"),
        ("2013-05-06 02:12:52 +0200", "2013-05-06T00:12:52"),
        ("2023-01-29 18:30:22 2023 -0800", "2023-01-30T02:30:22"),
        ("2023-12-15 10:00:00 UTC", "2023-12-15T10:00:00"),
        ("2023-12-15 10:00 UTC+3", "2023-12-15T07:00:00"),
        ("2023-12-15 10:00 PST", "2023-12-15T18:00:00"),
        ("Fri, 15 Dec 2023 10:00:00 GMT", "2023-12-15T10:00:00"),
        ("Fri Dec 15 10:00:00 EST 2023", "2023-12-15T15:00:00"),
        ("2016-03-10 16:45:04 +0000 UTC", "2016-03-10T16:45:04"),
        ("2016-03-10 16:45:04 +0800 CST", "2016-03-10T08:45:04"),
        ("2015-12-31 23:30:00 CET", "2015-12-31T22:30:00"),
        ("2013-01-08 11:38:09 JST", "2013-01-08T02:38:09"),
        ("2014-11-07 00:00:00 IST", "2014-11-07T00:00:00"),
        ("December 15th, 2023", "2023-12-15T00:00:00"),
        ("15 Dec 2023", "2023-12-15T00:00:00"),
        ("  2023-12-15  ", "2023-12-15T00:00:00"),
        (date(2023, 12, 15), "2023-12-15T00:00:00"),
        (datetime(2023, 12, 15, 8), "2023-12-15T08:00:00"),  # noqa: DTZ001 - TOML's local time
        (datetime(2023, 12, 15, 8, tzinfo=timezone(timedelta(hours=2))), "2023-12-15T06:00:00"),
    ],
)
def test_a_date_is_a_moment_in_utc(value: Any, expected: str) -> None:
    assert parse_date(value) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "soon",
        "",
        "10:30",
        "2023",
        "2023-12",
        "December 2023",
        "15 December",
        "Friday",
        "2023-02-30",
        "2023-13-01",
        "15 Dec 23",
        "01/02/03",
        "1702598400",
        "0000-00-00",
        "2023-12-15 25:00",
        "2023-12-15 10:00 +9999",
        "0001-01-01 00:00 +10:00",
        "{{ .Date }}",
        "9" * 50,
        "2023-12-15" + " " * 200,
    ],
)
def test_what_says_no_year_month_and_day_is_refused(value: str) -> None:
    with pytest.raises(BadUserInput) as refusal:
        parse_date(value)
    assert str(refusal.value) == (
        f"{value[:100]!r} is not a date; write it as 2023-12-15 or 2023-12-15T08:30:00+01:00"
    )


@pytest.mark.parametrize(
    ("value", "kind"), [(True, "bool"), (time(10), "time"), (["2023-12-15"], "list")]
)
def test_what_is_no_text_is_refused_by_its_type(value: Any, kind: str) -> None:
    with pytest.raises(BadUserInput, match=f"^a {kind} is not a date; write it as 2023-12-15 or"):
        parse_date(value)


@given(st.text(alphabet="0123456789-/:.,+ TZapm") | st.text(max_size=60) | st.datetimes().map(str))
def test_a_text_is_a_moment_in_utc_or_refused(text: str) -> None:
    with suppress(BadUserInput):
        assert parse_date(text).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("name", "day", "rest"),
    [
        ("2018-10-10-hello", date(2018, 10, 10), "hello"),
        ("2018-10-10_hello", date(2018, 10, 10), "hello"),
        ("2018-1-2 hello world", date(2018, 1, 2), "hello world"),
        ("2018-10-10", date(2018, 10, 10), "2018-10-10"),
        ("2018-10-10-", None, "2018-10-10-"),
        ("2018-13-10-hello", None, "2018-13-10-hello"),
        ("2018-10-100", None, "2018-10-100"),
        ("hello-2018-10-10", None, "hello-2018-10-10"),
        ("hello", None, "hello"),
    ],
)
def test_the_date_in_a_file_name(name: str, day: date | None, rest: str) -> None:
    moment = day and datetime(day.year, day.month, day.day, tzinfo=UTC)
    assert split_dated_name(name) == (moment, rest)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("2023/12/15/name", True),
        ("/blog/2023/12/15/name.md", True),
        ("/blog/2023/12/15/name/index.md", True),
        ("/blog/2023/12/15/name/index.de.md", True),
        ("/2023/12/15/backup/posts/name.md", False),
        ("/blog/2023/15/12/name.md", False),
        ("2023/12/name", False),
        ("name", False),
    ],
)
def test_the_date_in_folders(path: str, found: bool) -> None:
    assert date_in_folders(path) == (datetime(2023, 12, 15, tzinfo=UTC) if found else None)
