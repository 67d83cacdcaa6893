from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.s3.instants import LAST_MS, instant_text, parse_instant

YEAR_2030_MS = 1_893_456_000_000


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        pytest.param("2030-01-01T00:00:00Z", YEAR_2030_MS, id="as botocore writes it"),
        pytest.param("2030-01-01T00:00:00.000Z", YEAR_2030_MS, id="as S3 writes it"),
        pytest.param("2030-01-01", YEAR_2030_MS, id="date alone"),
        pytest.param("2030-01-01T00:00:00", YEAR_2030_MS, id="no zone"),
        pytest.param("2030-01-01T02:30:00+02:30", YEAR_2030_MS, id="east"),
        pytest.param("2029-12-31T19:00:00-0500", YEAR_2030_MS, id="west without colon"),
        pytest.param(" 2030-01-01T00:00:00Z\n", YEAR_2030_MS, id="white space around"),
        pytest.param("2030-01-01T00:00:00.1239Z", YEAR_2030_MS + 123, id="cut off to the millisecond"),
        pytest.param("2030-01-01T00:00:00.5Z", YEAR_2030_MS + 500, id="one digit"),
        pytest.param("1969-12-31T23:59:59.999Z", -1, id="before the epoch"),
        pytest.param("9999-12-31T23:59:59.999Z", LAST_MS, id="last moment"),
    ],
)
def test_text_names_an_instant(text: str, ms: int) -> None:
    assert parse_instant(text) == ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "20300101",
        "2030-13-01",
        "2030-02-30T00:00:00Z",
        "2030-01-01T24:00:01Z",
        "2030-01-01T00:00:00+99:00",
        "0001-01-01T00:00:00+23:00x",
        "9999-12-31T23:59:59-01:00",
        "٢٠٣٠-01-01",
        "Tue, 01 Jan 2030 00:00:00 GMT",
    ],
)
def test_other_text_names_none(text: str) -> None:
    assert parse_instant(text) is None


@given(st.integers(min_value=-62_135_596_800_000, max_value=LAST_MS))
def test_what_is_written_reads_as_the_same_instant(ms: int) -> None:
    assert parse_instant(instant_text(ms)) == ms


@given(st.text(max_size=40) | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]+)?[+-][0-9]{4}"))
def test_any_text_is_an_instant_or_none(text: str) -> None:
    found = parse_instant(text)
    assert found is None or found <= LAST_MS
