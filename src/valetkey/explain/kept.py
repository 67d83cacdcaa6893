"""A refused request as a server keeps it: without its signature, and without tokens and keys.

In the place of the signature stands a seal of it, made with a key of the server's. A signature that is computed later is
sealed in the same way and compared; nobody can make a request of it.
"""

from __future__ import annotations

import binascii
import hmac
import json
import re
from dataclasses import dataclass, fields
from typing import Final
from urllib.parse import unquote_to_bytes

from valetkey.explain.fault import ServerFault
from valetkey.explain.paste import Paste
from valetkey.explain.sent import Headers, Sent
from valetkey.sigv4.encoding import decode_component, encode_component

REDACTED: Final = "REDACTED"

_HEX: Final = re.compile(rb"[0-9a-f]{1,64}")
_SIGV2: Final = re.compile(rb"[A-Za-z0-9+/]{27}=")
_SECRET_NAMES: Final = ("security-token", "session-token", "customer-key", "password")
_SECRET: Final = re.compile(
    rb"(signature|security-token|session-token|customer-key|password)((?:=|%(?:25)*3[dD]))"
    rb"((?:(?!%(?:25)*26)[^&\s])*)",
    re.IGNORECASE,
)
_AUTHORIZATION: Final = re.compile(rb"(AWS4-HMAC-SHA256 .*?Signature=|AWS [^:\s]+:)([^,\s]*)")
_KEPT_HEADERS: Final = frozenset(
    {
        b"authorization", b"content-encoding", b"content-length", b"content-md5", b"content-type", b"date", b"expect",
        b"forwarded", b"host", b"if-match", b"if-none-match", b"range", b"transfer-encoding", b"user-agent", b"via",
    }
)  # fmt: skip
_KEPT_PREFIXES: Final = (b"x-amz-", b"x-forwarded-", b"x-original-")
_MOST_VALUE_BYTES: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRequest:
    """What is kept of a refused request."""

    request_id: str
    at_ms: int
    access_key: str
    account_id: str
    """Of the owner of the key that the request names."""
    user: str
    """The owner's name, if it is a user."""
    code: str
    message: str
    method: str
    is_secure: bool
    is_proved: bool
    """The signature was right, and the refusal came later."""
    path: str
    query: str
    """These two as on the wire, in Latin-1."""
    headers: tuple[tuple[str, str], ...]
    """Likewise; those that matter."""

    def paste(self) -> Paste:
        """Return what `explain` takes."""
        headers = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in self.headers)
        host = b",".join(value for name, value in headers if name == b"host").decode("latin-1").lower()
        sent = Sent(
            method=self.method,
            scheme="https" if self.is_secure else "http",
            host=host,
            raw_path=self.path.encode("latin-1"),
            raw_query=self.query.encode("latin-1"),
            headers=tuple(each for each in headers if each[0] != b"host"),
        )
        elements = {"Code": self.code, "Message": self.message, "RequestId": self.request_id}
        return Paste(sent=sent, fault=ServerFault(elements=elements), is_proved=self.is_proved)


_FIELDS: Final = fields(KeptRequest)


def sealed(signature: bytes, key: bytes) -> bytes:
    """Return what stands for a signature: of the same form, so that its form can be judged."""
    if _SIGV2.fullmatch(signature):
        return binascii.b2a_base64(hmac.digest(key, signature, "sha1"), newline=False)
    if _HEX.fullmatch(signature):
        return hmac.digest(key, signature, "sha256").hex()[: len(signature)].encode()
    return REDACTED.encode()


def redacted_target(raw: bytes, key: bytes) -> bytes:
    """Return a path or query with seals for signatures, and without tokens."""
    return b"&".join([_redacted_piece(piece, key) for piece in raw.split(b"&")])


def redacted_headers(headers: Headers, signed: bytes, key: bytes) -> Headers:
    """Return the headers that matter, `signed` ones among them, with seals for signatures, and without tokens."""
    names = frozenset(signed.split(b";"))
    kept: list[tuple[bytes, bytes]] = []
    for name, value in headers:
        if name in _KEPT_HEADERS or name.startswith(_KEPT_PREFIXES) or name in names:
            kept.append((name, _redacted_header(name, value, key)))
    return tuple(kept)


def to_record(kept: KeptRequest) -> bytes:
    """Return the bytes that `from_record` reads."""
    values = {each.name: getattr(kept, each.name) for each in _FIELDS}
    return json.dumps(values, separators=(",", ":")).encode()


def from_record(record: bytes) -> KeptRequest | None:
    """Return what `to_record` wrote, or None for what another version wrote otherwise."""
    try:
        values = json.loads(record)
        values["headers"] = tuple((name, value) for name, value in values["headers"])
        return KeptRequest(**values)
    except (ValueError, TypeError, KeyError):
        return None


def _redacted_piece(piece: bytes, key: bytes) -> bytes:
    name, equals, value = piece.partition(b"=")
    # A name with a needless escape in it is verified like the plain one.
    plain = unquote_to_bytes(name).lower() if b"%" in name else b""
    if equals and plain.endswith(b"signature"):
        return name + b"=" + _sealed_value(value, key)
    if equals and any(each.encode() in plain for each in _SECRET_NAMES):
        return name + b"=" + REDACTED.encode()
    return _SECRET.sub(lambda found: _replaced(found, key), piece)


def _replaced(found: re.Match[bytes], key: bytes) -> bytes:
    is_signature = found[1].lower() == b"signature"
    value = _sealed_value(found[3], key) if is_signature else REDACTED.encode()
    return found[1] + found[2] + value


def _sealed_value(value: bytes, key: bytes) -> bytes:
    return encode_component(sealed(decode_component(value), key).decode("ascii")).encode()


def _redacted_header(name: bytes, value: bytes, key: bytes) -> bytes:
    if any(each.encode() in name for each in _SECRET_NAMES) or name in {b"cookie", b"proxy-authorization"}:
        return REDACTED.encode()
    if name == b"authorization":
        found = _AUTHORIZATION.fullmatch(value.strip())
        if found is None:
            return value.split(b" ")[0][:32] + b" " + REDACTED.encode()
        return found[1] + sealed(found[2], key)
    return redacted_target(value[:_MOST_VALUE_BYTES], key)
