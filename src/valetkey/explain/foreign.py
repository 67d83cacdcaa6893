"""Signed URLs of other services: recognised and decoded, never checked.

Source: CloudFront Developer Guide, "Signed URLs"; Google Cloud Storage, "Signed URLs" and "V2 signing
process"; Azure Storage, "Create a service SAS"; Amazon, "SigV4A".
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from valetkey.explain.facts import Facts, Scheme, from_epoch, from_iso
from valetkey.explain.place import place_of
from valetkey.explain.sent import Sent
from valetkey.sigv4.instants import after, parse_amz_date

Values = Mapping[str, str]

_PERMISSIONS: Final = {
    "r": "read", "a": "add", "c": "create", "w": "write", "d": "delete", "x": "delete version",
    "l": "list", "t": "tags", "f": "filter", "m": "move", "e": "execute", "i": "immutability", "y": "permanent delete",
}  # fmt: skip
_SERVICES: Final = {"b": "Blob", "f": "File", "q": "Queue", "t": "Table"}


def foreign_facts(sent: Sent) -> Facts | None:
    """Return what the URL of another service, or SigV4A, says; None for everything else."""
    values = sent.values()
    for markers, decode in _DECODERS:
        if markers <= values.keys():
            return decode(sent, values)
    return None


def _sigv4a(sent: Sent, values: Values) -> Facts | None:
    if values["X-Amz-Algorithm"] != "AWS4-ECDSA-P256-SHA256":
        return None
    parts = values.get("X-Amz-Credential", "").split("/")
    signed_at = parse_amz_date(values.get("X-Amz-Date", ""))
    lifetime = _seconds(values.get("X-Amz-Expires", ""))
    bucket, key = place_of(sent)
    return Facts(
        scheme=Scheme.SIGV4A,
        access_key=parts[0],
        host=sent.host,
        bucket=bucket,
        key=key,
        region=values.get("X-Amz-Region-Set", ""),
        service=parts[2] if len(parts) > 2 else "",
        signed_at=signed_at,
        ends_at=after(signed_at, lifetime) if signed_at and lifetime else None,
        has_token="X-Amz-Security-Token" in values,
    )


def _cloudfront(sent: Sent, values: Values) -> Facts | None:
    statement = _cloudfront_policy(values.get("Policy", ""))
    condition = statement.get("Condition")
    condition = condition if isinstance(condition, Mapping) else {}
    ends_at = from_epoch(values.get("Expires", "")) or from_epoch(
        _number(condition, "DateLessThan", "AWS:EpochTime")
    )
    resource = statement.get("Resource")
    return Facts(
        scheme=Scheme.CLOUDFRONT,
        access_key=values["Key-Pair-Id"],
        host=sent.host,
        key=place_of(sent, is_path_key=True)[1],
        starts_at=from_epoch(_number(condition, "DateGreaterThan", "AWS:EpochTime")),
        ends_at=ends_at,
        addresses=_number(condition, "IpAddress", "AWS:SourceIp"),
        conditions=(f"resource {resource}",) if isinstance(resource, str) else (),
    )


def _cloudfront_policy(text: str) -> Mapping[str, object]:
    try:
        raw = binascii.a2b_base64(text.replace("-", "+").replace("_", "=").replace("~", "/"))
        found = json.loads(raw)
        statement = found["Statement"][0]
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return {}
    return statement if isinstance(statement, Mapping) else {}


def _number(condition: Mapping[str, object], name: str, inner: str) -> str:
    found = condition.get(name)
    value = found.get(inner) if isinstance(found, Mapping) else None
    return str(value) if isinstance(value, int | str) else ""


def _gcs_v4(sent: Sent, values: Values) -> Facts | None:
    parts = values["X-Goog-Credential"].split("/")
    signed_at = parse_amz_date(values.get("X-Goog-Date", ""))
    lifetime = _seconds(values.get("X-Goog-Expires", ""))
    bucket, key = place_of(sent)
    names = values.get("X-Goog-SignedHeaders", "").split(";")
    return Facts(
        scheme=Scheme.GCS_V4,
        access_key=parts[0],
        host=sent.host,
        bucket=bucket,
        key=key,
        region=parts[2] if len(parts) > 2 else "",
        service=parts[3] if len(parts) > 3 else "",
        signed_at=signed_at,
        ends_at=after(signed_at, lifetime) if signed_at and lifetime else None,
        signed_headers=tuple(name for name in names if name and name != "host"),
    )


def _gcs_v2(sent: Sent, values: Values) -> Facts | None:
    bucket, key = place_of(sent)
    return Facts(
        scheme=Scheme.GCS_V2,
        access_key=values["GoogleAccessId"],
        host=sent.host,
        bucket=bucket,
        key=key,
        ends_at=from_epoch(values.get("Expires", "")),
    )


def _azure(sent: Sent, values: Values) -> Facts | None:
    permissions = [_PERMISSIONS.get(letter, letter) for letter in values.get("sp", "")]
    bucket, key = place_of(sent)
    services = [_SERVICES.get(letter, letter) for letter in values.get("ss", "")]
    stored = values.get("si")
    return Facts(
        scheme=Scheme.AZURE_SAS,
        access_key=values.get("skoid", sent.host.partition(".")[0]),
        host=sent.host,
        bucket=bucket,
        key=key,
        service=", ".join(services),
        starts_at=from_iso(values.get("st", "")),
        ends_at=from_iso(values.get("se", "")),
        permissions=", ".join(permissions),
        addresses=values.get("sip", ""),
        conditions=(f"stored access policy {stored}",) if stored else (),
    )


def _seconds(text: str) -> timedelta | None:
    return timedelta(seconds=int(text)) if text.isascii() and text.isdigit() and len(text) <= 9 else None


_DECODERS: Final[tuple[tuple[frozenset[str], Callable[[Sent, Values], Facts | None]], ...]] = (
    (frozenset(("X-Amz-Algorithm", "X-Amz-Region-Set")), _sigv4a),
    (frozenset(("X-Amz-Algorithm",)), _sigv4a),
    (frozenset(("Key-Pair-Id", "Signature")), _cloudfront),
    (frozenset(("X-Goog-Credential",)), _gcs_v4),
    (frozenset(("GoogleAccessId", "Signature")), _gcs_v2),
    (frozenset(("sv", "sig")), _azure),
)
