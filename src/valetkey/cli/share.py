"""`valetkey share`: store a local file and give out a URL for it."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from valetkey import PresignedURL
from valetkey.cli.content_type import guess_content_type
from valetkey.cli.credentials import Account
from valetkey.cli.errors import BadInputError
from valetkey.cli.lifetime import MAX_LIFETIME
from valetkey.cli.location import Location, parse_location, require_text
from valetkey.cli.presign import Wish, as_form, make_wish, sign
from valetkey.cli.progress import upload_progress
from valetkey.cli.recipes import Form
from valetkey.cli.s3_xml import location_constraint
from valetkey.cli.shared_link import find_client, give_out
from valetkey.cli.transport import RefusedError, Request, Transport
from valetkey.cli.upload import LocalFile, store_file

DEFAULT_BUCKET: Final = "shared"
_KEY_BYTES: Final = 8
_PLAIN_REGION: Final = "us-east-1"
"""The one region that CreateBucket does not let one name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareOrder:
    """What the flags of `share` ask for."""

    path: Path
    to: str | None
    bucket: str | None
    lifetime: timedelta
    filename: str | None
    content_type: str | None
    form: Form
    uses: int | None = None
    """How often the link may be used; None: without a limit."""
    is_plain: bool = False
    """Give out a presigned URL and no managed link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """A stored file and the URL that was given out for it."""

    signed: PresignedURL
    wish: Wish
    size: int


def share_file(order: ShareOrder, account: Account, *, transport: Transport | None = None) -> Shared:
    """Store the file and return a URL for it, given out after the last byte was acknowledged.

    Raises:
        BadInputError: before anything was sent: no such file, or a flag that means nothing.
        CliError: it could not be stored.
    """
    with open_file(order.path) as local:
        location = destination(order, account, token=secrets.token_hex(_KEY_BYTES))
        wish = make_wish(method="GET", location=location, lifetime=order.lifetime, filename=order.filename)
        # Signed once in advance, so that what cannot be signed or written down is not stored either.
        within = replace(wish, lifetime=min(wish.lifetime, MAX_LIFETIME))
        as_form(order.form, sign(account, within, at=datetime.now(UTC)), wish)
        client = find_client(account, lifetime=order.lifetime, uses=order.uses, is_plain=order.is_plain)
        transport = transport or Transport(account)
        if order.to is None and order.bucket is None:
            make_bucket(transport, account, DEFAULT_BUCKET)
        content_type = order.content_type or guess_content_type(order.path, local.file)
        with upload_progress(order.path.name, size_bytes=local.size) as observe:
            store_file(transport, local, location, content_type=content_type, observe=observe)
        signed = give_out(client, account, wish, uses=order.uses)
        return Shared(signed=signed, wish=wish, size=local.size)


def destination(order: ShareOrder, account: Account, *, token: str) -> Location:
    """Return where the file is to be stored; `token` makes a key of its own when none was given."""
    name = order.path.name
    require_text(name, what="the file's name")
    if order.to is not None:
        if order.bucket is not None:
            raise BadInputError("give --to or --bucket, not both")
        given = parse_location(order.to)
        if given.bucket is None:
            raise BadInputError("--to names no bucket: write s3://BUCKET/KEY")
        if given.key is None:
            return Location(bucket=given.bucket, key=f"{token}/{name}")
        return replace(given, key=given.key + name) if given.key.endswith("/") else given
    if order.bucket is None and _is_amazon(account):
        raise BadInputError(
            "say with --bucket or --to where to store it: bucket names at AWS belong to everybody"
        )
    return Location(bucket=order.bucket or DEFAULT_BUCKET, key=f"{token}/{name}")


def make_bucket(transport: Transport, account: Account, bucket: str) -> None:
    """Create `bucket` unless it is there."""
    place = Location(bucket=bucket, key=None)
    try:
        transport.send(Request(method="HEAD", location=place), attempts=2)
        return
    except RefusedError as error:
        if error.status != 404:
            # Whether one may look at the bucket is not what matters; the upload itself will tell.
            return
    body = b"" if account.region == _PLAIN_REGION else location_constraint(account.region)
    try:
        transport.send(Request(method="PUT", location=place, body=body))
    except RefusedError as error:
        if error.code not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
            raise


@contextmanager
def open_file(path: Path) -> Iterator[LocalFile]:
    """Open the regular file `path` for reading.

    Raises:
        BadInputError: there is none, or it is a folder or a device.
    """
    try:
        # Asked before opening, which would wait at a named pipe.
        if not stat.S_ISREG(path.stat().st_mode):
            raise BadInputError(f"{path} is not a regular file")
        file = path.open("rb", buffering=0)
    except OSError as error:
        raise BadInputError(f"cannot read {path}: {error.strerror}") from error
    with file:
        yield LocalFile(file=file, path=path, size=os.fstat(file.fileno()).st_size)


def _is_amazon(account: Account) -> bool:
    host = "" if account.endpoint is None else urlsplit(account.endpoint).hostname or ""
    return account.endpoint is None or host.endswith((".amazonaws.com", ".amazonaws.com.cn"))
