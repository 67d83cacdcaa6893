"""What is wrong with a signed request on its face: everything that needs no secret."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final

from valetkey.explain.amazon import components, lifetime, scope_parts
from valetkey.explain.causes import Cause, Finding
from valetkey.explain.facts import Facts, Scheme
from valetkey.explain.sent import Sent, split_port
from valetkey.sigv4 import parameters
from valetkey.sigv4.canonical import is_header_list
from valetkey.sigv4.instants import MAX_SKEW, parse_amz_date
from valetkey.sigv4.keys import TERMINAL

_HEX: Final = re.compile(r"[0-9a-f]{64}")
_SIGV2: Final = re.compile(r"[A-Za-z0-9+/]{27}=")
_SECRET_LIKE: Final = re.compile(r"[A-Za-z0-9/+]{40}")
_EMPTY_SUMS: Final = {
    "x-amz-checksum-crc32": "AAAAAA==",
    "x-amz-checksum-crc32c": "AAAAAA==",
    "x-amz-checksum-crc64nvme": "AAAAAAAAAAA=",
    "x-amz-checksum-sha1": "2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
    "x-amz-checksum-sha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
}
"""What the checksums of no bytes at all are, in base64."""
_SIGV2_REGIONS: Final = frozenset(
    [
        "us-east-1",
        "us-west-1",
        "us-west-2",
        "eu-west-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "ap-northeast-1",
        "sa-east-1",
    ]
)
"""The regions of Amazon that are older than 2014. Source: Amazon S3 User Guide, "Signature Version 2"."""
_AMAZON_REGION: Final = re.compile(r"s3[.-]([a-z0-9-]+)\.amazonaws\.com")
_UNSENDABLE: Final = re.compile(rb"[\x00-\x20\x7f-\xff\"<>\\^`{|}]")
_MOST_LATER: Final = timedelta(seconds=2)

Check = Callable[[Sent, Facts, datetime], Iterator[Finding]]


def face_findings(sent: Sent, facts: Facts, *, now: datetime) -> list[Finding]:
    """Return what is wrong on the face of a request, the worst first; `now` is an aware instant."""
    if facts.scheme in {Scheme.SIGV4, Scheme.SIGV4A}:
        checks: tuple[Check, ...] = (*_V4_CHECKS, *_COMMON)
    elif facts.scheme is Scheme.SIGV2:
        checks = (*_V2_CHECKS, *_COMMON)
    elif facts.scheme is Scheme.SIGV4_HEADER:
        checks = (_header_v4, _headers_signed, *_COMMON)
    else:
        checks = (_time_elsewhere, *_COMMON)
    return [finding for check in checks for finding in check(sent, facts, now)]


def _missing_v4(sent: Sent, facts: Facts, now: datetime) -> Iterator[Finding]:
    values = sent.values()
    missing = [name for name in parameters.REQUIRED if name not in values]
    own = [name for name in values if name in parameters.ALL]
    if not missing:
        return
    if len(own) == 1 and len(values) == 1:
        yield Finding(cause=Cause.SHELL_AMPERSAND, detail=f"Only {own[0]} is left.")
    elif parameters.SIGNATURE in missing:
        yield Finding(cause=Cause.CUT_OFF, detail=f"Missing: {', '.join(missing)}.")
    else:
        yield Finding(cause=Cause.MISSING_PARAMETER, detail=f"Missing: {', '.join(missing)}.")


def _missing_v2(sent: Sent, facts: Facts, now: datetime) -> Iterator[Finding]:
    values = sent.values()
    missing = [name for name in ("AWSAccessKeyId", "Signature", "Expires") if not values.get(name)]
    if not missing:
        return
    if len(values) == 1:
        yield Finding(cause=Cause.SHELL_AMPERSAND, detail=f"Only {next(iter(values))} is left.")
    elif "Signature" in missing:
        yield Finding(cause=Cause.CUT_OFF, detail=f"Missing: {', '.join(missing)}.")
    else:
        yield Finding(cause=Cause.MISSING_PARAMETER, detail=f"Missing: {', '.join(missing)}.")


def _signature_v4(sent: Sent, facts: Facts, now: datetime) -> Iterator[Finding]:
    signature = sent.values().get(parameters.SIGNATURE)
    if signature is None or _HEX.fullmatch(signature) or facts.scheme is Scheme.SIGV4A:
        return
    if _SIGV2.fullmatch(signature):
        yield Finding(cause=Cause.SIGNATURE_VERSION, detail="The signature is one of SigV2.")
    elif len(signature) < 64 and re.fullmatch(r"[0-9a-f]*", signature):
        yield Finding(cause=Cause.CUT_OFF, detail=f"The signature has {len(signature)} of its 64 digits.")
    else:
        yield Finding(cause=Cause.SIGNATURE_FORM)


def _signature_v2(sent: Sent, facts: Facts, now: datetime) -> Iterator[Finding]:
    signature = sent.values().get("Signature", "")
    if not signature or _SIGV2.fullmatch(signature):
        return
    if _HEX.fullmatch(signature):
        yield Finding(cause=Cause.SIGNATURE_VERSION, detail="The signature is one of SigV4.")
    elif len(signature) < 28:
        yield Finding(cause=Cause.CUT_OFF, detail=f"The signature has {len(signature)} of 28 characters.")
    else:
        yield Finding(cause=Cause.SIGNATURE_FORM)


def _credential(sent: Sent, facts: Facts, now: datetime) -> Iterator[Finding]:
    text = sent.values().get(parameters.CREDENTIAL)
    if text is None or facts.scheme is Scheme.SIGV4A:
        return
    yield from _credential_findings(text, sent.values().get(parameters.DATE, ""))


def _credential_findings(text: str, amz_date: str) -> Iterator[Finding]:
    access_key, day, _, service = scope_parts(text)
    if _SECRET_LIKE.fullmatch(access_key):
        yield Finding(cause=Cause.SECRET_AS_KEY)
    elif text.count("/") != 4 or not text.endswith(f"/{TERMINAL}") or not re.fullmatch(r"[0-9]{8}", day):
        yield Finding(cause=Cause.MALFORMED_CREDENTIAL)
    elif parse_amz_date(amz_date) is not None and amz_date[:8] != day:
        yield Finding(
            cause=Cause.SCOPE_DATE, detail=f"The credential is of {day}, X-Amz-Date of {amz_date[:8]}."
        )
    elif service != "s3":
        yield Finding(cause=Cause.SERVICE, detail="It names another service than s3.", is_note=True)


def _time_v4(sent: Sent, facts: Facts, now: datetime) -> Iterator[Finding]:
    values = sent.values()
    date, expires = values.get(parameters.DATE), values.get(parameters.EXPIRES)
    if date is not None and facts.signed_at is None:
        yield Finding(cause=Cause.MALFORMED_DATE)
    if expires is None:
        return
    length = lifetime(expires)
    if length is None or length <= timedelta(0):
        yield Finding(cause=Cause.EXPIRES_MALFORMED, detail="X-Amz-Expires must be 1 to 604800 seconds.")
    elif length > timedelta(seconds=parameters.MAX_LIFETIME_S):
        yield Finding(
            cause=Cause.EXPIRES_TOO_LONG, detail=f"X-Amz-Expires is {expires}, and 604800 is the most."
        )
    yield from _time(facts, now)


def _time(facts: Facts, now: datetime) -> Iterator[Finding]:
    if facts.signed_at is not None and facts.signed_at - now > MAX_SKEW:
        yield Finding(cause=Cause.NOT_YET_VALID, detail=f"It begins in {span(facts.signed_at - now)}.")
    elif facts.signed_at is not None and facts.signed_at - now > _MOST_LATER:
        ahead = span(facts.signed_at - now)
        yield Finding(
            cause=Cause.CLOCK_OFF, detail=f"The signer's clock is {ahead} ahead of this one.", is_note=True
        )
    if facts.ends_at is not None and now >= facts.ends_at:
        yield Finding(cause=Cause.EXPIRED, detail=f"It ended {span(now - facts.ends_at)} ago.")


def _time_elsewhere(sent: Sent, facts: Facts, now: datetime) -> Iterator[Finding]:
    if facts.scheme is Scheme.SIGV2_HEADER:
        return
    if facts.starts_at is not None and facts.starts_at > now:
        yield Finding(cause=Cause.NOT_YET_VALID, detail=f"It begins in {span(facts.starts_at - now)}.")
    yield from _time(facts, now)


def _time_v2(sent: Sent, facts: Facts, now: datetime) -> Iterator[Finding]:
    text = sent.values().get("Expires", "")
    if text and facts.ends_at is None:
        yield Finding(cause=Cause.EXPIRES_MALFORMED, detail="Expires must be a second since 1970.")
        return
    if facts.ends_at is not None and facts.ends_at.year < 2000:
        yield Finding(
            cause=Cause.EXPIRES_MALFORMED,
            detail="Expires holds a lifetime, where SigV2 wants the instant at which it ends.",
        )
    elif facts.ends_at is not None and facts.ends_at.year > 3000:
        yield Finding(cause=Cause.EXPIRES_MALFORMED, detail="Expires is in milliseconds.", is_note=True)
    yield from _time(facts, now)


def _signed_headers(sent: Sent, facts: Facts, now: datetime) -> Iterator[Finding]:
    names = sent.values().get(parameters.SIGNED_HEADERS)
    if names is None:
        return
    if not is_header_list(names.encode("utf-8", "replace")) or names != names.lower():
        yield Finding(cause=Cause.SIGNED_HEADERS, detail="The names are not sorted, or not in lower case.")
    elif "host" not in names.split(";"):
        yield Finding(cause=Cause.SIGNED_HEADERS, detail="host is not among them.")


def _headers_signed(sent: Sent, facts: Facts, now: datetime) -> Iterator[Finding]:
    values = sent.values()
    names = values.get(parameters.SIGNED_HEADERS) or components(sent.header("authorization") or "").get(
        "SignedHeaders"
    )
    if names is None:
        return
    signed, sent_names = set(names.split(";")), {name.decode("utf-8", "replace") for name, _ in sent.headers}
    hoisted = {name.lower() for name in values}
    unsigned = sorted(
        name
        for name in sent_names - signed - {"x-amz-content-sha256"}
        if name.startswith("x-amz-") or name == "content-md5"
    )
    if unsigned:
        yield Finding(cause=Cause.HEADER_NOT_SIGNED, detail=f"Not signed: {', '.join(unsigned)}.")
    absent = sorted(signed - sent_names - hoisted - {"host"})
    if absent:
        yield _absent(absent, is_note=sent.method is None and not sent.headers)


def _absent(names: list[str], *, is_note: bool) -> Finding:
    detail = f"The recipient must send: {', '.join(names)}."
    sums = [name for name in names if name.startswith(("x-amz-checksum-", "x-amz-sdk-checksum"))]
    cause = Cause.SDK_CHECKSUM if sums else Cause.HEADER_MISSING
    if names == ["content-type"]:
        cause = Cause.CONTENT_TYPE
    return Finding(cause=cause, detail=detail, is_note=is_note)


def _checksums(sent: Sent, facts: Facts, now: datetime) -> Iterator[Finding]:
    values = {name.lower(): value for name, value in sent.values().items()}
    found = [name for name, value in _EMPTY_SUMS.items() if values.get(name) == value]
    if found and sent.method in {None, "PUT"}:
        yield Finding(
            cause=Cause.EMPTY_BODY_CHECKSUM,
            detail=f"{found[0]} is that of no bytes at all. Amazon and Valetkey pass over it, others refuse the upload.",
            is_note=True,
        )


def _token(sent: Sent, facts: Facts, now: datetime) -> Iterator[Finding]:
    if facts.access_key.startswith("ASIA") and not facts.has_token:
        yield Finding(cause=Cause.TOKEN_MISSING, detail="Keys that begin with ASIA are temporary.")


def _mechanisms(sent: Sent, facts: Facts, now: datetime) -> Iterator[Finding]:
    names = sent.values().keys()
    has_v4, has_v2 = parameters.SIGNATURE in names, "AWSAccessKeyId" in names
    has_header = sent.header("authorization") is not None
    if has_header and (has_v4 or has_v2):
        yield Finding(cause=Cause.TWO_MECHANISMS, detail="There is an Authorization header too.")
    elif has_v4 and has_v2:
        yield Finding(cause=Cause.TWO_MECHANISMS, detail="It has the parameters of SigV4 and of SigV2.")


def _sigv2_region(sent: Sent, facts: Facts, now: datetime) -> Iterator[Finding]:
    found = _AMAZON_REGION.search(sent.host)
    if found is not None and found[1] not in _SIGV2_REGIONS:
        yield Finding(cause=Cause.SIGV2_REGION, detail=f"{found[1]} takes SigV4 only.")


def _header_v4(sent: Sent, facts: Facts, now: datetime) -> Iterator[Finding]:
    found = components(sent.header("authorization") or "")
    yield from _credential_findings(found.get("Credential", ""), sent.header("x-amz-date") or "")
    if facts.signed_at is not None and abs(facts.signed_at - now) > MAX_SKEW:
        away = span(abs(facts.signed_at - now))
        yield Finding(
            cause=Cause.CLOCK_OFF,
            detail=f"It was signed {away} from now; a signed header counts for 15 minutes.",
            is_note=True,
        )


def _path(sent: Sent, facts: Facts, now: datetime) -> Iterator[Finding]:
    if any(part in {b".", b".."} for part in sent.raw_path.split(b"/")):
        yield Finding(cause=Cause.DOT_SEGMENTS)
    if _UNSENDABLE.search(sent.raw_path) or _UNSENDABLE.search(sent.raw_query):
        yield Finding(
            cause=Cause.NOT_ENCODED, detail="There are blanks or characters beyond ASCII in it.", is_note=True
        )


def _host(sent: Sent, facts: Facts, now: datetime) -> Iterator[Finding]:
    name = split_port(sent.host)[0]
    if name and is_private(name):
        yield Finding(cause=Cause.PRIVATE_HOST, detail=f"{name} is known in one network only.", is_note=True)


def is_private(name: str) -> bool:
    """Tell whether a host's name or address means something in its own network only."""
    try:
        return ip_address(name.strip("[]")).is_private
    except ValueError:
        return "." not in name or name.endswith((".local", ".internal", ".lan", ".localhost"))


def span(length: timedelta) -> str:
    """Return how long a time is, in words."""
    seconds = int(length.total_seconds())
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        if seconds >= 2 * size or size == 1 or (seconds >= size and unit != "second"):
            number = seconds // size
            return f"{number} {unit}{'' if number == 1 else 's'}"
    raise AssertionError("the last unit always fits")


_COMMON: Final[tuple[Check, ...]] = (_mechanisms, _token, _path, _host)
_V4_CHECKS: Final[tuple[Check, ...]] = (
    _missing_v4,
    _signature_v4,
    _credential,
    _time_v4,
    _signed_headers,
    _headers_signed,
    _checksums,
)
_V2_CHECKS: Final[tuple[Check, ...]] = (_missing_v2, _signature_v2, _time_v2, _sigv2_region, _checksums)
