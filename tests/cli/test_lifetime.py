from datetime import timedelta

import pytest

from valetkey.cli.errors import BadInputError
from valetkey.cli.lifetime import parse_lifetime


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("30s", 30, id="seconds"),
        pytest.param("15m", 900, id="minutes"),
        pytest.param("2h", 7200, id="hours"),
        pytest.param("7d", 604_800, id="the longest"),
        pytest.param("1", 1, id="the shortest, plain"),
        pytest.param("604800", 604_800, id="plain seconds"),
        pytest.param("1h30m", 5400, id="together"),
        pytest.param(" 2H ", 7200, id="capital and spaces"),
    ],
)
def test_lifetime_is_read(text: str, seconds: int) -> None:
    assert parse_lifetime(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["0", "0s", "604801", "8d", "7d1s", "", " ", "-5", "1.5h", "2 h", "h", "1w", "1h1h", "٣s", "9" * 40],
)
def test_other_lifetimes_are_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(BadInputError, match="--expires"):
        parse_lifetime(text)
