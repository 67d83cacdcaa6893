"""How long a URL really works: no longer than the credentials that signed it."""

from datetime import UTC, datetime

from valetkey.cli.credentials import Credentials


def expiry_warning(credentials: Credentials, *, url_ends_at: datetime, now: datetime) -> str | None:
    """Return what the owner should know when the URL will outlive the credentials that signed it."""
    end = credentials.expires_at
    if end is None:
        if credentials.session_token is None:
            return None
        return "these are temporary credentials: the URL stops working when they end, even if that is sooner"
    if end >= url_ends_at:
        return None
    if end <= now:
        return f"these credentials ended at {instant_text(end)}: the URL will not work"
    sooner, later = instant_text(end), instant_text(url_ends_at)
    return f"these credentials end at {sooner}, and the URL with them, not at {later}"


def instant_text(instant: datetime) -> str:
    """Return an aware instant as people and programs read it: `2026-11-23T22:00:00Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
