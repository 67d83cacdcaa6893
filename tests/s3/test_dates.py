from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.s3.dates import http_date, iso_date, parse_http_date

LAST_MS = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()) * 1000


@pytest.mark.parametrize(
    ("ms", "http", "iso"),
    [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00.000Z"),
        (1_445_412_480_000, "Wed, 21 Oct 2015 07:28:00 GMT", "2015-10-21T07:28:00.000Z"),
        (1_445_412_480_999, "Wed, 21 Oct 2015 07:28:00 GMT", "2015-10-21T07:28:00.000Z"),
        (1_709_164_799_000, "Wed, 28 Feb 2024 23:59:59 GMT", "2024-02-28T23:59:59.000Z"),
        (1_709_208_000_000, "Thu, 29 Feb 2024 12:00:00 GMT", "2024-02-29T12:00:00.000Z"),
    ],
)
def test_instant_is_written_to_the_second(ms: int, http: str, iso: str) -> None:
    assert (http_date(ms), iso_date(ms)) == (http, iso)


@pytest.mark.parametrize(
    "text",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "  Sun, 06 Nov 1994 08:49:37 GMT ",
        "Mon, 06 Nov 1994 08:49:37 GMT",
    ],
    ids=["usual", "rfc 850", "asctime", "spaces around", "day's name is not compared"],
)
def test_three_forms_are_read(text: str) -> None:
    assert parse_http_date(text) == 784_111_777_000


@pytest.mark.parametrize(
    ("year", "expected"),
    [("70", 1970), ("99", 1999), ("00", 2000), ("69", 2069)],
    ids=["70", "99", "00", "69"],
)
def test_year_of_two_digits_is_between_1970_and_2069(year: str, expected: int) -> None:
    ms = parse_http_date(f"Sunday, 06-Nov-{year} 08:49:37 GMT")
    assert ms is not None
    assert datetime.fromtimestamp(ms / 1000, UTC).year == expected


@pytest.mark.parametrize(
    "text",
    ["", "0", "yesterday", "1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37 +0100", "Sun, 31 Feb 1994 08:49:37 GMT",
     "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 0000 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
     "Sun Nov  0 08:49:37 1994", "Sun Nov    08:49:37 1994"],
    ids=repr,
)  # fmt: skip
def test_what_is_no_http_date_is_none(text: str) -> None:
    assert parse_http_date(text) is None


@given(st.integers(0, LAST_MS))
def test_every_instant_comes_back_to_the_second(ms: int) -> None:
    assert parse_http_date(http_date(ms)) == ms // 1000 * 1000
    assert http_date(ms) == format_datetime(datetime.fromtimestamp(ms // 1000, UTC), usegmt=True)


@given(st.text(max_size=40))
def test_any_text_is_an_instant_or_none(text: str) -> None:
    assert isinstance(parse_http_date(text), int | None)
