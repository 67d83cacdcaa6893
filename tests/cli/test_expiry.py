from datetime import UTC, datetime, timedelta, timezone

import pytest

from valetkey import Secret
from valetkey.cli.credentials import Credentials, Origin
from valetkey.cli.expiry import expiry_warning, instant_text

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
URL_END = NOW + timedelta(hours=2)


def warning(*, token: str | None = None, end: datetime | None = None) -> str | None:
    credentials = Credentials(
        access_key="AK", secret_key=Secret("SK"), session_token=token, expires_at=end, origin=Origin.AWS
    )
    return expiry_warning(credentials, url_ends_at=URL_END, now=NOW)


@pytest.mark.parametrize(
    ("token", "end", "words"),
    [
        pytest.param(None, None, None, id="lasting key"),
        pytest.param("T", URL_END, None, id="ends with the URL"),
        pytest.param("T", URL_END + timedelta(1), None, id="ends later"),
        pytest.param("T", NOW + timedelta(hours=1), "2026-11-23T13:00:00Z", id="ends before the URL"),
        pytest.param(None, NOW + timedelta(hours=1), "2026-11-23T13:00:00Z", id="ends, without token"),
        pytest.param("T", NOW, "will not work", id="has ended"),
        pytest.param("T", None, "when they end", id="nobody knows when"),
    ],
)
def test_owner_is_warned_when_the_key_ends_first(
    token: str | None, end: datetime | None, words: str | None
) -> None:
    found = warning(token=token, end=end)

    assert (found is None) == (words is None)
    assert words is None or words in (found or "")


def test_instants_are_shown_in_utc() -> None:
    there = datetime(2026, 11, 23, 14, 30, tzinfo=timezone(timedelta(hours=2)))

    assert instant_text(there) == "2026-11-23T12:30:00Z"
