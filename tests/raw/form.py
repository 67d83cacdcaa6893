"""Browser forms by hand: multipart bodies, policies signed straight from the documents, and forms sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from tests.leaks import SIGNATURES
from tests.raw.door import Door
from tests.raw.signing import ALGORITHM, Key, now, stamp
from tests.raw.wire import Reply

BOUNDARY: Final = "valetkey-form-boundary"
CONTENT_TYPE: Final = f"multipart/form-data; boundary={BOUNDARY}"

Fields = Mapping[str, str]
Sign = Callable[..., dict[str, str]]


def encoded_form(
    fields: Fields, content: bytes | None, *, filename: str | None = "file.txt", after: Fields | None = None
) -> bytes:
    """Return the body of a form with `fields`, then the file, then the fields `after` it."""
    body = b"".join(_part(name, value.encode()) for name, value in fields.items())
    if content is not None:
        body += _part("file", content, filename=filename)
    body += b"".join(_part(name, value.encode()) for name, value in (after or {}).items())
    return body + f"--{BOUNDARY}--\r\n".encode()


def _part(name: str, content: bytes, *, filename: str | None = None) -> bytes:
    named = "" if filename is None else f'; filename="{filename}"'
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def policy_of(conditions: Sequence[Any], *, lifetime: timedelta = timedelta(hours=1)) -> str:
    """Return the base64 of a policy with these conditions."""
    ends = f"{now() + lifetime:%Y-%m-%dT%H:%M:%SZ}"
    return base64.b64encode(
        json.dumps({"expiration": ends, "conditions": list(conditions)}).encode()
    ).decode()


def signed_v4(
    key: Key,
    conditions: Sequence[Any],
    *,
    policy: str | None = None,
    lifetime: timedelta = timedelta(hours=1),
) -> dict[str, str]:
    """Return the fields of a SigV4 signature over a policy with these conditions, and those of the signature."""
    at = now()
    own = {
        "x-amz-algorithm": ALGORITHM,
        "x-amz-credential": f"{key.access_key}/{key.scope(at)}",
        "x-amz-date": stamp(at),
    }
    if policy is None:
        covered = [{name: value} for name, value in own.items()]
        policy = policy_of([*conditions, *covered], lifetime=lifetime)
    return {**own, "policy": policy, "x-amz-signature": key.sign_text(policy, at)}


def signed_v2(key: Key, conditions: Sequence[Any], *, policy: str | None = None) -> dict[str, str]:
    """Return the fields of a SigV2 signature over a policy with these conditions."""
    policy = policy_of(conditions) if policy is None else policy
    digest = hmac.digest(key.secret_key.encode(), policy.encode(), hashlib.sha1)
    signature = base64.b64encode(digest).decode()
    SIGNATURES.add(signature)
    return {"AWSAccessKeyId": key.access_key, "policy": policy, "signature": signature}


def post(
    door: Door,
    fields: Fields,
    content: bytes | None = b"content",
    *,
    filename: str | None = "file.txt",
    after: Fields | None = None,
    target: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Send a form, to the door's bucket where no `target` is given."""
    return door.send(
        "POST",
        target or f"/{door.bucket}",
        headers={"Content-Type": CONTENT_TYPE, **(headers or {})},
        body=encoded_form(fields, content, filename=filename, after=after),
    )


def upload(
    door: Door,
    key: str,
    fields: Fields | None = None,
    content: bytes | None = b"content",
    *,
    sign: Sign = signed_v4,
    conditions: Sequence[Any] = (),
    filename: str | None = "file.txt",
    after: Fields | None = None,
) -> Reply:
    """Post a file whose policy covers each of `fields`, and fulfils `conditions` too."""
    fields = fields or {}
    given = [["starts-with", f"${name}", ""] for name in fields]
    covered = [{"bucket": door.bucket}, ["starts-with", "$key", ""], *given, *conditions]
    return post(
        door,
        {"key": key, **fields, **sign(door.key, covered)},
        content,
        filename=filename,
        after=after,
    )
