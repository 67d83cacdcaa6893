"""The error that an S3 server answered, and the request that it says to have seen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from valetkey.explain.causes import Cause, Finding
from valetkey.s3.errors import S3Error
from valetkey.s3.xml.tree import parse_root

_BEGIN: Final = re.compile(r"(?:<\?xml[^<>]{0,200}>\s{0,100})?<Error[\s>]")
_END: Final = "</Error>"
_MOST_CHARS: Final = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFault:
    """What an `<Error>` says, by the name of the element."""

    elements: Mapping[str, str]

    @property
    def code(self) -> str:
        return self.elements.get("Code", "")

    @property
    def message(self) -> str:
        return self.elements.get("Message", "")

    @property
    def request_id(self) -> str:
        return self.elements.get("RequestId", "")

    @property
    def canonical_request(self) -> bytes | None:
        """The canonical request that the server made of what it received."""
        text = self.elements.get("CanonicalRequest")
        return None if text is None else text.encode("utf-8", "replace")

    def finding(self) -> Finding | None:
        """Return what the error says by itself, without looking at the request."""
        row = _CODES.get(self.code, Cause.REFUSED if self.code not in _OF_SIGNATURES else None)
        for code, fragment, cause in _MESSAGES:
            if self.code.startswith(code) and fragment in self.message:
                row = cause
        if row is None:
            return None
        detail = f"{self.code}: {self.message}"
        names = self.elements.get("HeadersNotSigned")
        if names:
            detail = f"Not signed: {names}."
        region = self.elements.get("Region")
        if row is Cause.REGION and region:
            detail = f"The server is in {region}."
        return Finding(cause=row, detail=detail)


_CODES: Final[Mapping[str, Cause]] = {
    "InvalidAccessKeyId": Cause.UNKNOWN_KEY,
    "RequestTimeTooSkewed": Cause.CLOCK_OFF,
    "ExpiredToken": Cause.CREDENTIAL_ENDED,
    "InvalidToken": Cause.TOKEN_MISSING,
    "PermanentRedirect": Cause.REGION,
    "TemporaryRedirect": Cause.REGION,
    "IllegalLocationConstraintException": Cause.REGION,
    "XAmzContentSHA256Mismatch": Cause.BODY_HASH,
    "BadDigest": Cause.SDK_CHECKSUM,
    "InvalidDigest": Cause.SDK_CHECKSUM,
    "AccessDenied": Cause.REFUSED,
    "NoSuchKey": Cause.REFUSED,
    "NoSuchBucket": Cause.REFUSED,
    "NoSuchUpload": Cause.REFUSED,
    "MethodNotAllowed": Cause.REFUSED,
    "InvalidPolicyDocument": Cause.POLICY,
    "EntityTooLarge": Cause.POLICY_CONDITION,
    "EntityTooSmall": Cause.POLICY_CONDITION,
    "SlowDown": Cause.REFUSED,
}
"""What a code means where no text of the message says it better."""

_OF_SIGNATURES: Final = frozenset(("", "SignatureDoesNotMatch"))
"""These say nothing beyond what is found out."""

_MESSAGES: Final = (
    ("AccessDenied", "Request has expired", Cause.EXPIRED),
    ("AccessDenied", "Request is not yet valid", Cause.NOT_YET_VALID),
    ("AccessDenied", "headers present in the request which were not signed", Cause.HEADER_NOT_SIGNED),
    ("AccessDenied", "Invalid according to Policy", Cause.POLICY_CONDITION),
    ("AccessDenied", "requires the Signature, Expires", Cause.MISSING_PARAMETER),
    ("Authorization", "the region", Cause.REGION),
    ("Authorization", "incorrect service", Cause.SERVICE),
    ("Authorization", "less than a week", Cause.EXPIRES_TOO_LONG),
    ("Authorization", "X-Amz-Expires should be a number", Cause.EXPIRES_MALFORMED),
    ("Authorization", "Invalid credential date", Cause.SCOPE_DATE),
    ("Authorization", "requires the X-Amz-Algorithm", Cause.MISSING_PARAMETER),
    ("InvalidArgument", "Only one auth mechanism allowed", Cause.TWO_MECHANISMS),
    ("InvalidRequest", "Please use AWS4-HMAC-SHA256", Cause.SIGV2_REGION),
    ("InvalidRequest", "x-amz-content-sha256", Cause.BODY_HASH),
)


def find_fault(text: str) -> tuple[ServerFault | None, str]:
    """Return the error document in `text`, if there is one that can be read, and the text without it."""
    found = _BEGIN.search(text)
    end = text.find(_END, found.end()) if found is not None else -1
    if found is None or end < 0 or end - found.start() > _MOST_CHARS:
        return None, text
    document = text[found.start() : end + len(_END)]
    rest = text[: found.start()] + text[end + len(_END) :]
    try:
        root = parse_root(document.encode("utf-8", "replace"))
    except S3Error:
        return None, text
    return ServerFault(elements={child.name: child.text for child in root.children}), rest


class SeenRequest(NamedTuple):
    """The parts of a canonical request."""

    method: str
    path: bytes
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    signed_headers: bytes
    payload_line: bytes


def read_canonical(text: bytes) -> SeenRequest | None:
    """Return the parts of a canonical request, or None for what is none."""
    head, gap, tail = text.partition(b"\n\n")
    lines, ends = head.split(b"\n"), tail.split(b"\n")
    if not gap or len(lines) < 4 or len(ends) != 2:
        return None
    headers = tuple((name, value) for name, _, value in (line.partition(b":") for line in lines[3:]))
    return SeenRequest(
        lines[0].decode("utf-8", "replace"), lines[1], lines[2], headers, ends[0], ends[1].strip()
    )
