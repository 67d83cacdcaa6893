"""`valetkey links history` and `valetkey links watch`: what became of presigned URLs."""

import json
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import parse_qsl, urlsplit

import typer

from valetkey.cli import admin_options as options
from valetkey.cli.errors import BadInputError
from valetkey.cli.lifetime import parse_duration
from valetkey.cli.plain_text import shown

if TYPE_CHECKING:
    from valetkey.cli.admin_client import AdminClient

Which = Annotated[
    str | None,
    typer.Argument(metavar="[ID]", help="A link's id, an access key's id, or a whole URL; else all."),
]
Bucket = Annotated[str | None, typer.Option("--bucket", metavar="NAME", help="In this bucket.")]
Prefix = Annotated[
    str | None, typer.Option("--prefix", metavar="TEXT", help="With keys that begin so; with --bucket.")
]
Status = Annotated[int | None, typer.Option("--status", metavar="N", help="Answered with this status.")]
Refused = Annotated[bool, typer.Option("--refused", help="Refused ones only.")]
Since = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="WHEN", help="From an instant on, 2026-11-27T12:00Z, or 2h for so long ago."
    ),
]
Until = Annotated[str | None, typer.Option("--until", metavar="WHEN", help="Before an instant, likewise.")]
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=1, help="How many at most.")]
AsJsonLines = Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")]

_COLUMNS: Final = ("time", "access_key", "operation", "object", "status", "error_code", "bytes", "remote")
_ASK_EVERY_S: Final = 1.0
_KEY_PARAMETERS: Final = ("X-Amz-Credential", "AWSAccessKeyId")


def register(app: typer.Typer) -> None:
    """Add the commands to `valetkey links`."""
    app.command("history")(show_history)
    app.command("watch")(watch_history)


@options.with_account
def show_history(
    *,
    which: Which = None,
    bucket: Bucket = None,
    prefix: Prefix = None,
    status: Status = None,
    refused: Refused = False,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    as_json: options.AsJson = False,
    client: "AdminClient",
) -> None:
    """Tell what became of presigned URLs, the newest first."""
    query = {
        **_filters(which, bucket, prefix, status, refused=refused),
        "since": _instant("--since", since),
        "until": _instant("--until", until),
    }
    found: list[dict[str, Any]] = []
    after: str | None = None
    while len(found) < limit:
        asked = {**query, "limit": str(min(limit - len(found), 1000)), "after": after}
        page = client.send("GET", "history", query=asked)
        found += page["attempts"]
        after = page["next"]
        if after is None:
            break
    if as_json:
        options.print_json(found)
    else:
        print_attempts(found)


def print_attempts(attempts: Iterable[Mapping[str, Any]]) -> None:
    """Print attempts as a table for a person."""
    options.print_table(map(_row, attempts), _COLUMNS, as_json=False)


@options.with_account
def watch_history(
    *,
    which: Which = None,
    bucket: Bucket = None,
    prefix: Prefix = None,
    status: Status = None,
    refused: Refused = False,
    as_json: AsJsonLines = False,
    client: "AdminClient",
) -> None:
    """Tell of each attempt as it is made, until Ctrl-C."""
    query = _filters(which, bucket, prefix, status, refused=refused)
    after: str | None = None
    try:
        while True:
            news = client.send("GET", "history", "new", query={**query, "after": after})
            for attempt in news["attempts"]:
                print(json.dumps(attempt, ensure_ascii=False) if as_json else _line(attempt), flush=True)
            is_caught_up = news["next"] == after or not news["attempts"]
            after = news["next"]
            if is_caught_up:
                time.sleep(_ASK_EVERY_S)
    except KeyboardInterrupt:
        return


def _filters(
    which: str | None, bucket: str | None, prefix: str | None, status: int | None, *, refused: bool
) -> dict[str, str | None]:
    if prefix is not None and bucket is None:
        raise BadInputError("--prefix is about keys of a bucket: give --bucket too")
    return {
        "id": None if which is None else key_of(which),
        "bucket": bucket,
        "prefix": prefix,
        "status": None if status is None else str(status),
        "refused": "true" if refused else None,
    }


def key_of(text: str) -> str:
    """Return the access key id that a presigned URL names; a text that is none is the id itself.

    Raises:
        BadInputError: a URL that nobody signed.
    """
    if "://" not in text:
        return text
    query = dict(parse_qsl(urlsplit(text).query))
    found = next((query[name] for name in _KEY_PARAMETERS if name in query), None)
    if not found:
        raise BadInputError("this URL names no access key: it is not presigned")
    return found.partition("/")[0]


def _instant(flag: str, text: str | None) -> str | None:
    if text is None:
        return None
    try:
        ago = parse_duration(text)
        if ago is not None:
            return (datetime.now(UTC) - ago).isoformat()
        datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise BadInputError(f"{flag} {text!r} is neither an instant nor a time such as 30m or 2h") from error
    return text


def _row(attempt: Mapping[str, Any]) -> dict[str, object]:
    place = "/".join(part for part in (attempt["bucket"], attempt["key"]) if part is not None)
    moved = attempt["bytes_sent"] or attempt["bytes_received"]
    return {**attempt, "object": place or None, "bytes": moved}


def _line(attempt: Mapping[str, Any]) -> str:
    row = _row(attempt)
    values = [row[name] for name in _COLUMNS]
    text = "  ".join("-" if value is None else shown(str(value)) for value in values)
    agent = attempt["user_agent"]
    return f"{text}  {shown(agent)}" if agent else text
