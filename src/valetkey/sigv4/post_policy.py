"""Presigned POST: the policy and the form fields of a browser upload.

Source: Amazon S3 API Reference, "Creating a POST Policy" and "Calculating a Signature" under
"Browser-Based Uploads Using POST".
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple

from valetkey.sigv4.credentials import SigningCredentials
from valetkey.sigv4.endpoint import Place
from valetkey.sigv4.errors import MisuseError
from valetkey.sigv4.instants import signed_until, signing_instant, to_amz_date
from valetkey.sigv4.keys import ALGORITHM, signing_key

Condition = Mapping[str, str] | Sequence[str | int]
"""`{"field": "value"}`, `["eq", "$field", "value"]`, `["starts-with", "$field", "prefix"]` or
`["content-length-range", least, most]`."""

_FILENAME: Final = "${filename}"
_WRITTEN_HERE: Final = frozenset(
    (
        "key",
        "bucket",
        "file",
        "policy",
        "x-amz-algorithm",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-security-token",
        "x-amz-signature",
    )
)


class PresignedPost(NamedTuple):
    """A form that lets its holder upload one file until it ends."""

    url: str
    """Where to post it, as multipart/form-data."""
    fields: Mapping[str, str]
    """All fields of the form but `file`, which must come last."""
    expires_at: datetime
    """In UTC."""


def policy_signature(credentials: SigningCredentials, policy_base64: str, *, date: str) -> str:
    """Return the signature of a policy, whose base64 text is what is signed. `date` is yyyyMMdd."""
    key = signing_key(credentials.secret.reveal(), date, credentials.region, credentials.service)
    return key.hex_signature(policy_base64.encode())


def make_post(
    credentials: SigningCredentials,
    place: Place,
    *,
    bucket: str,
    key: str,
    at: datetime,
    lifetime_s: int,
    conditions: Sequence[Condition],
    fields: Mapping[str, str],
    content_length_range: tuple[int, int] | None,
) -> PresignedPost:
    """Return the form for an upload to `key` in `bucket`, which is at `place`.

    A key that ends in `${filename}` takes the name of the file that is uploaded. Each of `fields` becomes
    an exact condition of the policy, unless one of `conditions` covers it. `content_length_range` is in
    bytes, both ends included.

    Raises:
        MisuseError: one of the values cannot be signed.
    """
    _require_fields(fields)
    at = signing_instant(at)
    amz_date = to_amz_date(at)
    own = _own_fields(credentials, amz_date)
    all_conditions: list[Condition] = [{"bucket": bucket}, _key_condition(key), *conditions]
    covered = {name for condition in conditions for name in _covered(condition)}
    all_conditions += [{name: value} for name, value in fields.items() if name.lower() not in covered]
    if content_length_range is not None:
        all_conditions.append(_length_condition(content_length_range))
    all_conditions += [{name: value} for name, value in own.items()]
    expires_at = signed_until(at, lifetime_s)
    policy = _encoded(expires_at, all_conditions)
    signature = policy_signature(credentials, policy, date=amz_date[:8])
    return PresignedPost(
        url=place.origin + place.own_path,
        fields=MappingProxyType(
            {"key": key, **fields, **own, "policy": policy, "x-amz-signature": signature}
        ),
        expires_at=expires_at,
    )


def _own_fields(credentials: SigningCredentials, amz_date: str) -> dict[str, str]:
    own = {
        "x-amz-algorithm": ALGORITHM,
        "x-amz-credential": f"{credentials.access_key}/{credentials.scope(amz_date[:8])}",
        "x-amz-date": amz_date,
    }
    if credentials.session_token is not None:
        own["x-amz-security-token"] = credentials.session_token.reveal()
    return own


def _require_fields(fields: Mapping[str, str]) -> None:
    for name in fields:
        if name.lower() in _WRITTEN_HERE:
            raise MisuseError(f"leave out the field {name}: signing writes it, or the form's user does")


def _key_condition(key: str) -> Condition:
    if not key:
        raise MisuseError("the key is empty; name the object, or end the key in ${filename}")
    fixed, filename, rest = key.partition(_FILENAME)
    if rest:
        raise MisuseError(
            "${filename} may stand only at the end of the key: a policy fixes what is before it"
        )
    return ["starts-with", "$key", fixed] if filename else {"key": key}


def _length_condition(content_length_range: tuple[int, int]) -> Condition:
    least, most = content_length_range
    if not 0 <= least <= most:
        raise MisuseError("content_length_range must be (least, most) in bytes, with 0 <= least <= most")
    return ["content-length-range", least, most]


def _covered(condition: Condition) -> list[str]:
    if isinstance(condition, Mapping):
        if len(condition) != 1:
            raise MisuseError("a condition in braces names exactly one field; write one for each")
        return [name.lower() for name in condition]
    if isinstance(condition, str) or len(condition) != 3:
        raise MisuseError(f"not a condition: {condition!r}; write [operator, '$field', value]")
    operator, field = str(condition[0]), str(condition[1])
    if operator == "content-length-range":
        return []
    if not field.startswith("$"):
        raise MisuseError(f"the field of a condition begins with '$': write '${field}'")
    return [field[1:].lower()]


def _encoded(expires_at: datetime, conditions: Sequence[Condition]) -> str:
    # Imported here, because half of what `import valetkey` may cost would go to a function that few call.
    import json  # noqa: PLC0415  # see above

    plain = [dict(each) if isinstance(each, Mapping) else list(each) for each in conditions]
    text = json.dumps({"expiration": f"{expires_at:%Y-%m-%dT%H:%M:%SZ}", "conditions": plain})
    return binascii.b2a_base64(text.encode(), newline=False).decode()
