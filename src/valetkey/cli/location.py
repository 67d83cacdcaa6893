"""`s3://bucket/key`, as the AWS tools write it."""

from dataclasses import dataclass
from typing import Final

from valetkey.cli.errors import BadInputError

SCHEME: Final = "s3://"


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """What an `s3://` address names."""

    bucket: str | None
    """None means the service itself (`s3://`)."""
    key: str | None
    """The object's key exactly as typed, never percent-decoded; None means the bucket itself."""

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket or ''}/{self.key or ''}"


def parse_location(text: str) -> Location:
    """Return what `text` names. Everything after the bucket's slash is the key, `?`, `#` and `%` too.

    Raises:
        BadInputError: no `s3://`, a key without a bucket, or text that is not valid UTF-8.
    """
    if text[: len(SCHEME)].lower() != SCHEME:
        raise BadInputError(f"{text!r} is no S3 address: write s3://BUCKET/KEY")
    require_text(text, what="the S3 address")
    bucket, _, key = text[len(SCHEME) :].partition("/")
    if key and not bucket:
        raise BadInputError(f"{text!r} names no bucket: write s3://BUCKET/KEY")
    return Location(bucket=bucket or None, key=key or None)


def require_text(text: str, *, what: str) -> None:
    """Refuse bytes from the command line that are not UTF-8: no S3 key or header can carry them."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadInputError(f"{what} is not valid UTF-8 text") from error
