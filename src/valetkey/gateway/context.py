"""What a request brings along that policies may ask for: the values of condition keys.

Source: Service Authorization Reference, "Condition keys for Amazon S3"; IAM User Guide, "AWS global condition
context keys".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from valetkey.gateway.call import Request
from valetkey.policy.facts import tagged
from valetkey.policy.principal import Principal
from valetkey.s3.errors import S3Error
from valetkey.s3.instants import instant_text, parse_instant
from valetkey.s3.object_lock import HOLD_HEADER, MODE_HEADER, UNTIL_HEADER
from valetkey.s3.tags import parse_tagging_header
from valetkey.sigv4.claims import SignatureVersion
from valetkey.sigv4.payload import UNSIGNED_PAYLOAD, PayloadKind
from valetkey.sigv4.verify import Proof
from valetkey.store.model import StoredObject

_DAY_MS: Final = 86_400_000

LOCATION: Final = "LocationConstraint"
"""The element of a body by which `stated` has the location of a new bucket."""

_IN_BODIES: Final = frozenset({HOLD_HEADER, MODE_HEADER, UNTIL_HEADER})

_FROM_HEADERS: Final[Mapping[str, str]] = {
    "aws:referer": "referer",
    "aws:useragent": "user-agent",
    "s3:if-match": "if-match",
    "s3:if-none-match": "if-none-match",
    "s3:object-lock-legal-hold": HOLD_HEADER,
    "s3:object-lock-mode": MODE_HEADER,
}
_FROM_QUERY: Final[Mapping[str, str]] = {
    "s3:delimiter": "delimiter",
    "s3:max-keys": "max-keys",
    "s3:prefix": "prefix",
}
_HEADER_KEYS: Final = "s3:x-amz-"
"""Condition keys that begin so are request headers by their own name."""
_EXISTING_TAG: Final = "s3:existingobjecttag/"
_REQUEST_TAG: Final = "s3:requestobjecttag/"
_REQUEST_TAG_KEYS: Final = "s3:requestobjecttagkeys"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestContext:
    """The condition keys of one request. It looks for a value only when it is asked."""

    request: Request
    headers: Mapping[str, str]
    query: Mapping[str, str]
    proof: Proof | None
    principal: Principal
    region: str
    find: Callable[[], StoredObject | None]
    """Finds the object that the request is about."""
    version_id: str | None = None
    """Of the object that the request is about, which in a copy or a deletion of many is not that of the query."""
    request_tags: Mapping[str, str] | None = None
    """Tags that stand in the request's body, or come from the source of a copy; None: what its header says."""
    stated: Mapping[str, str] | None = None
    """What else the body says, by the headers that say so elsewhere: those of Object Lock, or the location."""

    def values(self, key: str) -> tuple[str, ...] | None:
        """Return the values of the condition key, which is in lower case; None if the request has none."""
        if key.startswith(_EXISTING_TAG):
            found = self.find()
            return None if found is None else tagged(found.tags, key.removeprefix(_EXISTING_TAG))
        if key.startswith(_REQUEST_TAG):
            return tagged(self._tags(), key.removeprefix(_REQUEST_TAG))
        if key == _REQUEST_TAG_KEYS:
            return tuple(self._tags()) or None
        value = self._text(key)
        return None if value is None else (value,)

    def _text(self, key: str) -> str | None:
        if key in _FACTS:
            return _FACTS[key](self)
        if key in _FROM_HEADERS:
            return self.said(_FROM_HEADERS[key])
        if key in _FROM_QUERY:
            return self.query.get(_FROM_QUERY[key])
        if key.startswith(_HEADER_KEYS):
            return self.headers.get(key.removeprefix("s3:"))
        return self._signature(key)

    def said(self, header: str) -> str | None:
        """Return what a header says, or the body where it says that."""
        source = self.headers if self.stated is None or header not in _IN_BODIES else self.stated
        return source.get(header)

    def _signature(self, key: str) -> str | None:
        proof = self.proof
        if proof is None:
            return None
        match key:
            case "s3:authtype":
                return proof.auth_type.value
            case "s3:signatureversion":
                return proof.version.value
            case "s3:signatureage":
                if proof.signed_at is None or proof.version is SignatureVersion.V2:
                    return "0"
                return str(max(0, (self.request.now - proof.signed_at) // timedelta(milliseconds=1)))
            case _:
                return None

    def _tags(self) -> Mapping[str, str]:
        if self.request_tags is not None:
            return self.request_tags
        text = self.headers.get("x-amz-tagging")
        try:
            return parse_tagging_header(text) if text else {}
        except S3Error:
            # The operation refuses them; until then they are none.
            return {}


def _iso(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def _iso_ms(ms: int) -> str:
    return _iso(datetime.fromtimestamp(ms / 1000, UTC))


def _issued(context: RequestContext) -> str | None:
    session = context.principal.session
    return None if session is None else _iso_ms(session.issued_at_ms)


def _creates(context: RequestContext) -> str | None:
    """Return whether an object is made, and not a part of one; None for requests that make neither.

    Source: Amazon S3 User Guide, "Bucket policy condition key for object creation".
    """
    if context.request.method not in ("PUT", "POST"):
        return None
    return "false" if "partNumber" in context.query or "uploads" in context.query else "true"


def _until_ms(context: RequestContext) -> int | None:
    return parse_instant(context.said(UNTIL_HEADER) or "")


def _until(context: RequestContext) -> str | None:
    # Written anew: the header knows more ways to write an instant than conditions do.
    until_ms = _until_ms(context)
    return None if until_ms is None else instant_text(until_ms)


def _payload(context: RequestContext) -> str | None:
    """Return the header, but of a signature that leaves the body out that it does, whatever stands in a header.

    Source: Amazon S3 API Reference, "Amazon S3 Signature Version 4 Authentication Specific Policy Keys": presigned
    URLs always have an unsigned payload.
    """
    if context.proof is not None and context.proof.payload.kind is PayloadKind.UNSIGNED:
        return UNSIGNED_PAYLOAD
    return context.headers.get("x-amz-content-sha256")


def _remaining_days(context: RequestContext) -> str | None:
    until_ms = _until_ms(context)
    return None if until_ms is None else str(-(-(until_ms - context.request.now_ms) // _DAY_MS))


_FACTS: Final[Mapping[str, Callable[[RequestContext], str | None]]] = {
    "aws:currenttime": lambda context: _iso(context.request.now),
    "aws:epochtime": lambda context: str(int(context.request.now.timestamp())),
    "aws:requestedregion": lambda context: context.region,
    "aws:securetransport": lambda context: "true" if context.request.is_secure else "false",
    "aws:sourceip": lambda context: context.request.remote or None,
    "aws:tokenissuetime": _issued,
    "aws:viaawsservice": lambda _: "false",
    "s3:objectcreationoperation": _creates,
    "s3:locationconstraint": lambda context: (context.stated or {}).get(LOCATION),
    "s3:object-lock-remaining-retention-days": _remaining_days,
    "s3:object-lock-retain-until-date": _until,
    "s3:versionid": lambda context: context.version_id,
    "s3:x-amz-content-sha256": _payload,
}
"""What follows from the request as a whole."""
