"""Decoding of what Amazon's own schemes say: SigV4 and SigV2, in the query and in the header."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from valetkey.explain.facts import Facts, Scheme, from_epoch
from valetkey.explain.place import operation_of, place_of
from valetkey.explain.sent import Sent
from valetkey.sigv4 import parameters
from valetkey.sigv4.http_dates import parse_http_date
from valetkey.sigv4.instants import after, parse_amz_date

_COMPONENT: Final = re.compile(r"(Credential|SignedHeaders|Signature)=([^,\s]*)")
_V4_HEADER: Final = "AWS4-HMAC-SHA256"
_V4_MARKERS: Final = frozenset((parameters.ALGORITHM, parameters.CREDENTIAL, parameters.SIGNATURE))
_V2_MARKERS: Final = frozenset(("AWSAccessKeyId", "Signature"))


def amazon_facts(sent: Sent, *, domains: Sequence[str] = ()) -> Facts | None:
    """Return what a request that claims SigV4 or SigV2 says, or None if it claims neither."""
    names = sent.values().keys()
    authorization = sent.header("authorization") or ""
    if names & _V4_MARKERS:
        facts = _query_v4(sent)
    elif names & _V2_MARKERS:
        facts = _query_v2(sent)
    elif authorization.startswith(_V4_HEADER):
        facts = _header_v4(sent, authorization)
    elif authorization.startswith("AWS "):
        facts = _header_v2(sent, authorization)
    else:
        return None
    bucket, key = place_of(sent, domains=domains)
    method = sent.method or _implied_method(sent)
    asked = replace(sent, method=method)
    return replace(
        facts,
        host=sent.host,
        bucket=bucket,
        key=key,
        method=method,
        operation=operation_of(asked, bucket=bucket, key=key) if method else "",
    )


def components(authorization: str) -> dict[str, str]:
    """Return Credential, SignedHeaders and Signature of an Authorization header."""
    return {found[1]: found[2] for found in _COMPONENT.finditer(authorization)}


def scope_parts(credential: str) -> tuple[str, str, str, str]:
    """Return access key, day, region and service of a credential; what is missing is empty."""
    parts = credential.split("/")
    if len(parts) > 5:
        # An access key with a slash in it, or the secret in its place.
        parts = ["/".join(parts[:-4]), *parts[-4:]]
    parts += [""] * (5 - len(parts))
    return parts[0], parts[1], parts[2], parts[3]


def lifetime(text: str) -> timedelta | None:
    """Return the lifetime that X-Amz-Expires gives, or None if it is no number of seconds."""
    return timedelta(seconds=int(text)) if text.isascii() and text.isdigit() and len(text) <= 11 else None


def _query_v4(sent: Sent) -> Facts:
    values = sent.values()
    access_key, _, region, service = scope_parts(values.get(parameters.CREDENTIAL, ""))
    signed_at = parse_amz_date(values.get(parameters.DATE, ""))
    return Facts(
        scheme=Scheme.SIGV4,
        access_key=access_key,
        region=region,
        service=service,
        signed_at=signed_at,
        ends_at=_end(signed_at, values.get(parameters.EXPIRES, "")),
        has_token=_has_token(sent),
        signed_headers=_to_send(values.get(parameters.SIGNED_HEADERS, ""), sent),
    )


def _query_v2(sent: Sent) -> Facts:
    values = sent.values()
    return Facts(
        scheme=Scheme.SIGV2,
        access_key=values.get("AWSAccessKeyId", ""),
        ends_at=from_epoch(values.get("Expires", "")),
        has_token=_has_token(sent),
    )


def _header_v4(sent: Sent, authorization: str) -> Facts:
    found = components(authorization)
    access_key, _, region, service = scope_parts(found.get("Credential", ""))
    date = sent.header("x-amz-date") or ""
    return Facts(
        scheme=Scheme.SIGV4_HEADER,
        access_key=access_key,
        region=region,
        service=service,
        signed_at=parse_amz_date(date) or parse_http_date(sent.header("date") or ""),
        has_token=_has_token(sent),
        signed_headers=_to_send(found.get("SignedHeaders", ""), sent),
    )


def _header_v2(sent: Sent, authorization: str) -> Facts:
    return Facts(
        scheme=Scheme.SIGV2_HEADER,
        access_key=authorization.removeprefix("AWS ").partition(":")[0].strip(),
        signed_at=parse_http_date(sent.header("x-amz-date") or sent.header("date") or ""),
        has_token=_has_token(sent),
    )


def _end(signed_at: datetime | None, text: str) -> datetime | None:
    length = lifetime(text)
    return after(signed_at, length) if signed_at is not None and length is not None else None


def _has_token(sent: Sent) -> bool:
    names = {name.lower() for name in sent.values()}
    return "x-amz-security-token" in names or sent.header("x-amz-security-token") is not None


def _to_send(names: str, sent: Sent) -> tuple[str, ...]:
    hoisted = {name.lower() for name in sent.values()}
    return tuple(name for name in names.split(";") if name and name != "host" and name not in hoisted)


def _implied_method(sent: Sent) -> str | None:
    """Return the method that the JavaScript SDK's parameter x-id gives away, or None."""
    verb = re.match(r"(Get|Head|Put|Delete|List|UploadPart|Copy)", sent.values().get("x-id", ""))
    if verb is None:
        return None
    return {"Get": "GET", "List": "GET", "Head": "HEAD", "Delete": "DELETE"}.get(verb[1], "PUT")
