"""Amazon's signatures by hand, straight from the documents, so that the server is not checked by its own code.

Every part of a signature can be replaced before it is signed: that is how a wrong request with a right
signature is made.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from tests.leaks import SIGNATURES

from valetkey.testing.server import RunningServer

ALGORITHM: Final = "AWS4-HMAC-SHA256"
UNSIGNED: Final = "UNSIGNED-PAYLOAD"
EMPTY_SHA256: Final = hashlib.sha256().hexdigest()

Query = Sequence[tuple[str, str]]
Changes = Mapping[str, str | None]
"""Replaced parts of a signature by name; None leaves a part out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Headers that carry a signature, and what a chunk's signature goes on from."""

    headers: Mapping[str, str]
    signature: str
    date: str
    scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An access key, and the server that it is for."""

    access_key: str
    secret_key: str
    region: str
    host: str

    def scope(self, at: datetime) -> str:
        """Return the credential scope."""
        return f"{at:%Y%m%d}/{self.region}/s3/aws4_request"

    def presign(
        self,
        method: str,
        path: str,
        *,
        at: datetime | None = None,
        expires: str = "900",
        query: Query = (),
        headers: Mapping[str, str] | None = None,
        changes: Changes | None = None,
        payload: str = UNSIGNED,
        date: str | None = None,
    ) -> str:
        """Return the request target of a SigV4 presigned URL. `path` is encoded already.

        `changes` replaces `X-Amz-*` parameters before they are signed; `headers` are the signed ones;
        `date` is the time in the string to sign where the parameter says something else.
        """
        at = at or now()
        sent = {"host": self.host} | {name.lower(): value for name, value in (headers or {}).items()}
        parts: dict[str, str | None] = {
            "X-Amz-Algorithm": ALGORITHM,
            "X-Amz-Credential": f"{self.access_key}/{self.scope(at)}",
            "X-Amz-Date": stamp(at),
            "X-Amz-Expires": expires,
            "X-Amz-SignedHeaders": ";".join(sorted(sent)),
        }
        parts |= changes or {}
        pairs = [*query, *((name, value) for name, value in parts.items() if value is not None)]
        text = canonical_query([pair for pair in pairs if pair[0] != "X-Amz-Signature"])
        names = (parts["X-Amz-SignedHeaders"] or "").split(";")
        creq = canonical_request(method, path, text, sent, names, payload)
        signature: str | None = self.sign(creq, at, date or stamp(at))
        if "X-Amz-Signature" in parts:
            signature = parts["X-Amz-Signature"]
        return f"{path}?{text}" + (f"&X-Amz-Signature={signature}" if signature is not None else "")

    def sign(self, creq: str, at: datetime, date: str) -> str:
        """Return the SigV4 signature of a canonical request."""
        digest = hashlib.sha256(creq.encode()).hexdigest()
        return self.sign_text(f"{ALGORITHM}\n{date}\n{self.scope(at)}\n{digest}", at)

    def sign_text(self, text: str, at: datetime) -> str:
        """Return the SigV4 signature of a string to sign."""
        key = f"AWS4{self.secret_key}".encode()
        for part in self.scope(at).split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        SIGNATURES.add(signature)
        return signature

    def authorize(
        self,
        method: str,
        path: str,
        *,
        at: datetime | None = None,
        query: Query = (),
        headers: Mapping[str, str] | None = None,
        payload: str | None = UNSIGNED,
        changes: Changes | None = None,
        names: Sequence[str] | None = None,
    ) -> Signed:
        """Return the headers of a request signed in its `Authorization` header, with all that they sign.

        `changes` replaces what stands in `Authorization` ("Algorithm", "Credential", "SignedHeaders",
        "Signature") or the header of a lower-case name; `payload` None sends no `x-amz-content-sha256`.
        """
        at = at or now()
        changes = changes or {}
        sent: dict[str, str] = {"host": self.host, "x-amz-date": stamp(at)}
        sent |= {name.lower(): value for name, value in (headers or {}).items()}
        if payload is not None:
            sent["x-amz-content-sha256"] = payload
        for name in [name for name in changes if name.islower()]:
            value = changes[name]
            if value is None:
                del sent[name]
            else:
                sent[name] = value
        signed = sorted(sent) if names is None else list(names)
        creq = canonical_request(method, path, canonical_query(query), sent, signed, payload or UNSIGNED)
        parts = {
            "Algorithm": ALGORITHM,
            "Credential": f"{self.access_key}/{self.scope(at)}",
            "SignedHeaders": ";".join(signed),
            "Signature": self.sign(creq, at, stamp(at)),
        } | {name: value for name, value in changes.items() if not name.islower()}
        pieces = [
            f"{name}={value}" for name, value in parts.items() if name != "Algorithm" and value is not None
        ]
        sent["authorization"] = f"{parts['Algorithm']} {', '.join(pieces)}"
        del sent["host"]
        return Signed(headers=sent, signature=str(parts["Signature"]), date=stamp(at), scope=self.scope(at))

    def presign_v2(
        self,
        method: str,
        path: str,
        *,
        expires: str | None = None,
        signed_query: Query = (),
        query: Query = (),
        headers: Mapping[str, str] | None = None,
        changes: Changes | None = None,
    ) -> str:
        """Return the request target of a SigV2 presigned URL. `signed_query` are sub-resources and `response-*`."""
        expires = expires or str(int(now().timestamp()) + 900)
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        resource = path
        if signed_query:
            resource += "?" + "&".join(f"{n}={v}" if v else n for n, v in sorted(signed_query))
        amz = "".join(
            f"{name}:{value}\n" for name, value in sorted(sent.items()) if name.startswith("x-amz-")
        )
        text = f"{method}\n{sent.get('content-md5', '')}\n{sent.get('content-type', '')}\n{expires}\n{amz}{resource}"
        digest = hmac.digest(self.secret_key.encode(), text.encode(), "sha1")
        signature = base64.b64encode(digest).decode()
        SIGNATURES.add(signature)
        parts: dict[str, str | None] = {
            "AWSAccessKeyId": self.access_key,
            "Expires": expires,
            "Signature": signature,
        }
        parts |= changes or {}
        pairs = [
            *signed_query,
            *query,
            *((name, value) for name, value in parts.items() if value is not None),
        ]
        return f"{path}?" + "&".join(f"{encode(name)}={encode(value)}" for name, value in pairs)


def key_of(server: RunningServer, *, host: str | None = None) -> Key:
    """Return the root key of a test server."""
    return Key(
        access_key=server.access_key,
        secret_key=server.secret_key,
        region=server.region,
        host=host or f"{server.host}:{server.port}",
    )


def now() -> datetime:
    """Return this second."""
    return datetime.now(UTC).replace(microsecond=0)


def sha256_of(body: bytes) -> str:
    """Return a body's digest as `x-amz-content-sha256` has it."""
    return hashlib.sha256(body).hexdigest()


def stamp(at: datetime) -> str:
    """Return an instant as `X-Amz-Date` has it."""
    return f"{at:%Y%m%dT%H%M%SZ}"


def encode(text: str) -> str:
    """Percent-encode a query's name or value, or one segment of a path."""
    return quote(text, safe="-_.~")


def path_of(bucket: str, key: str) -> str:
    """Return the encoded path of an object in path style."""
    return f"/{bucket}/{quote(key, safe='/-_.~')}"


def canonical_query(pairs: Query) -> str:
    """Return the query as it is both sent and signed."""
    encoded = sorted((encode(name), encode(value)) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded)


def canonical_request(
    method: str, path: str, query: str, headers: Mapping[str, str], names: Sequence[str], payload: str
) -> str:
    """Return the canonical request. A name without a header is signed as empty."""
    lines = "".join(f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in names)
    return f"{method}\n{path}\n{query}\n{lines}\n{';'.join(names)}\n{payload}"
