"""The URLs of links, and what a pasted URL says of itself."""

from __future__ import annotations

import hmac
import secrets
from base64 import b32encode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from valetkey.links.model import ID_PREFIX, Link
from valetkey.sigv4.credentials import SigningCredentials
from valetkey.sigv4.encoding import encode_path
from valetkey.sigv4.endpoint import Endpoint
from valetkey.sigv4.presign import PresignedURL, make_stamp, make_template
from valetkey.sigv4.secret import Secret

_ID_BYTES: Final = 20
"""160 bits, in 32 characters: nobody guesses an id, and no two are the same."""


SHORT_PATHS: Final = b"/-/s/"
"""What short addresses begin with."""

TOKEN_CHARS: Final = 24
"""Of 6 bits each: 144 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastedURL:
    """What stands in a presigned URL."""

    access_key: str
    signature: str
    token: str | None
    """Of temporary credentials."""


def new_link_id() -> str:
    """Return an id that nobody has."""
    return ID_PREFIX + b32encode(secrets.token_bytes(_ID_BYTES)).decode()


def token_of(short_id: str, secret_key: bytes) -> str:
    """Return the token of an address without a name: always the same one, and to be guessed by nobody."""
    digest = hmac.digest(secret_key, f"short address {short_id}".encode(), "sha256")
    return urlsafe_b64encode(digest).decode()[:TOKEN_CHARS].replace("-", "_")


def link_url(link: Link, secret: Secret, *, endpoint: Endpoint, region: str) -> PresignedURL:
    """Return the URL of a link at a public endpoint: always the same one for the same end.

    It is signed for the second in which the link was made, so it may live longer than a week: the ledger, and not
    the URL, says until when.
    """
    credentials = SigningCredentials(
        access_key=link.id, secret=secret, region=region, service="s3", session_token=None
    )
    made_at = datetime.fromtimestamp(link.created_ms // 1000, UTC)
    lifetime_s = max(1, -(-link.grant.ends_ms // 1000) - link.created_ms // 1000)
    method = link.grant.verbs[0].method
    place = endpoint.place(link.grant.bucket, addressing="path")
    template = make_template(make_stamp(credentials, made_at), place, method, lifetime_s, None, None, None)
    return PresignedURL(
        template.url(f"{place.key_prefix}{encode_path(link.grant.key)}"),
        method,
        template.expires_at,
        template.headers,
    )


def parse_pasted(url: str) -> PastedURL | None:
    """Return who signed a URL that somebody pasted, and its signature; None if it is no presigned URL."""
    try:
        values = dict(parse_qsl(urlsplit(url.strip()).query, keep_blank_values=True))
    except ValueError:
        return None
    if "X-Amz-Credential" in values and "X-Amz-Signature" in values:
        return PastedURL(
            access_key=values["X-Amz-Credential"].partition("/")[0],
            signature=values["X-Amz-Signature"],
            token=values.get("X-Amz-Security-Token"),
        )
    if "AWSAccessKeyId" in values and "Signature" in values:
        return PastedURL(
            access_key=values["AWSAccessKeyId"],
            # Of Base64: a plus sign that nobody encoded was read as a space.
            signature=values["Signature"].replace(" ", "+"),
            token=values.get("x-amz-security-token"),
        )
    return None
