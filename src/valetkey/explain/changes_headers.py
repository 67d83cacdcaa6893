"""Changes of headers, of the hash of the body, of the credential and of the secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Final
from urllib.parse import quote, unquote

from valetkey.explain.causes import Cause
from valetkey.explain.change import Change, Hints, Part
from valetkey.explain.sent import Headers
from valetkey.explain.trial import Trial
from valetkey.sigv4.encoding import encode_component
from valetkey.sigv4.payload import UNSIGNED_PAYLOAD
from valetkey.sigv4.secret import Secret

_TYPES: Final = (
    "", "application/octet-stream", "binary/octet-stream", "application/x-www-form-urlencoded",
    "multipart/form-data", "application/json", "text/plain", "text/plain;charset=UTF-8",
    "text/plain; charset=utf-8", "text/html", "text/csv", "text/xml", "application/xml", "application/pdf",
    "application/zip", "application/gzip", "image/jpeg", "image/jpg", "image/png", "image/gif", "image/webp",
    "image/svg+xml", "image/*", "video/mp4", "video/webm", "audio/mpeg", "audio/wav", "undefined", "null",
)  # fmt: skip
"""Types that SDKs, browsers and people give; the last two are what JavaScript writes for none."""
_CHARSETS: Final = ("; charset=utf-8", ";charset=UTF-8", "; charset=UTF-8", ";charset=utf-8")
_USUAL_VALUES: Final = {
    b"accept-encoding": ("", "gzip, deflate", "gzip", "identity", "gzip, deflate, br", "gzip,deflate", "gzip, deflate, br, zstd"),
    b"accept": ("*/*", "application/json", ""),
    b"cache-control": ("", "no-cache", "max-age=0"),
    b"connection": ("keep-alive", "close", "Keep-Alive", ""),
    b"x-amz-acl": ("private", "public-read", "bucket-owner-full-control"),
    b"x-amz-server-side-encryption": ("AES256", "aws:kms"),
    b"x-amz-storage-class": ("STANDARD", "STANDARD_IA"),
    b"x-amz-sdk-checksum-algorithm": ("CRC32", "CRC32C", "SHA256", "CRC64NVME"),
    b"x-amz-checksum-crc32": ("AAAAAA==",),
    b"content-length": ("0",),
    b"if-none-match": ("*",),
}  # fmt: skip
_REGIONS: Final = (
    "us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1",
    "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "ap-south-1", "ap-south-2", "ap-southeast-1",
    "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3",
    "ap-east-1", "ca-central-1", "ca-west-1", "sa-east-1", "me-south-1", "me-central-1", "il-central-1",
    "af-south-1", "cn-north-1", "cn-northwest-1", "us-gov-west-1", "us-gov-east-1", "auto", "garage", "default",
    "local", "us", "eu", "",
)  # fmt: skip
_SERVICES: Final = ("s3", "s3express", "s3-object-lambda", "execute-api", "iam", "sts", "glacier", "es")
_EMPTY: Final = sha256(b"").hexdigest()
_CONTENT_TYPE: Final = b"content-type"


def content_type_changes(trial: Trial, hints: Hints) -> Iterator[Change]:
    """Yield other values of Content-Type, and none."""
    if trial.is_v4 and _CONTENT_TYPE not in trial.signed_headers.split(b";"):
        return
    own = next((value for name, value in trial.headers if name == _CONTENT_TYPE), None)
    shown = "none" if own is None else own.decode("utf-8", "replace")
    text = "" if own is None else shown
    variants = [text + charset for charset in _CHARSETS] + [text.partition(";")[0]] if text else []
    for kind in dict.fromkeys([*variants, *_TYPES]):
        if kind != text or own is None:
            said = kind or "none"
            yield Change(
                cause=Cause.CONTENT_TYPE,
                part=Part.HEADERS,
                detail=f"It was signed with the Content-Type {said}, and {shown} was sent.",
                apply=_with_header(_CONTENT_TYPE, kind.encode()),
            )
    if own is not None:
        yield Change(
            cause=Cause.CONTENT_TYPE,
            part=Part.HEADERS,
            detail=f"It was signed without a Content-Type, and {shown} was sent.",
            apply=_without_header(_CONTENT_TYPE),
        )


def header_changes(trial: Trial, hints: Hints) -> Iterator[Change]:
    """Yield other values of signed headers, and each x-amz header left out (SigV2)."""
    sent = dict(trial.headers)
    if trial.is_v4:
        for name in trial.signed_headers.split(b";"):
            yield from _other_values(name, sent.get(name))
        return
    for name in sent:
        if name.startswith(b"x-amz-") or name == b"content-md5":
            yield Change(
                cause=Cause.HEADER_NOT_SIGNED,
                part=Part.HEADERS,
                detail=f"It was signed without {name.decode('utf-8', 'replace')}.",
                apply=_without_header(name),
            )


def _other_values(name: bytes, own: bytes | None) -> Iterator[Change]:
    if name in {b"host", _CONTENT_TYPE, b"x-amz-security-token", b"x-amz-date"}:
        return
    shown = name.decode("utf-8", "replace")
    for value in _USUAL_VALUES.get(name, ("",)):
        if own is None or value.encode() != own:
            yield Change(
                cause=Cause.HEADER_MISSING if own is None else Cause.HEADER_CHANGED,
                part=Part.HEADERS,
                detail=f"It was signed with {shown}: {value or '(empty)'}.",
                apply=_with_header(name, value.encode()),
            )


def _with_header(name: bytes, value: bytes) -> Callable[[Trial], Trial]:
    def apply(trial: Trial) -> Trial:
        rest: Headers = tuple(each for each in trial.headers if each[0] != name)
        return replace(trial, headers=(*rest, (name, value)))

    return apply


def _without_header(name: bytes) -> Callable[[Trial], Trial]:
    def apply(trial: Trial) -> Trial:
        names = [each for each in trial.signed_headers.split(b";") if each != name]
        rest = tuple(each for each in trial.headers if each[0] != name)
        return replace(trial, headers=rest, signed_headers=b";".join(names))

    return apply


def payload_changes(trial: Trial, hints: Hints) -> Iterator[Change]:
    """Yield other hashes of the body."""
    if not trial.is_v4:
        return
    lines = {
        UNSIGNED_PAYLOAD: "UNSIGNED-PAYLOAD",
        _EMPTY: "the hash of an empty body",
        hints.body_sha256 or "": "the hash of this body",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    }
    for line, words in lines.items():
        if line and line.encode() != trial.payload_line:
            yield Change(
                cause=Cause.BODY_HASH,
                part=Part.PAYLOAD,
                detail=f"It was signed with {words}.",
                apply=_with_payload(line.encode()),
            )


def _with_payload(line: bytes) -> Callable[[Trial], Trial]:
    return lambda trial: replace(trial, payload_line=line)


def scope_changes(trial: Trial, hints: Hints) -> Iterator[Change]:
    """Yield other regions and services, in the signing key alone and in the credential too."""
    if not trial.is_v4:
        return
    for region in dict.fromkeys((*hints.regions, *_REGIONS)):
        if region != trial.region:
            detail = f"It was signed for the region {region!r}, and says {trial.region!r}."
            yield from _scope_change(Cause.REGION, detail, region, trial.service)
    for service in _SERVICES:
        if service != trial.service:
            detail = f"It was signed for the service {service!r}, and says {trial.service!r}."
            yield from _scope_change(Cause.SERVICE, detail, trial.region, service)


def _scope_change(cause: Cause, detail: str, region: str, service: str) -> Iterator[Change]:
    def in_key(trial: Trial) -> Trial:
        return replace(trial, region=region, service=service)

    def in_both(trial: Trial) -> Trial:
        own = encode_component(f"/{trial.day}/{trial.region}/{trial.service}/").encode()
        other = encode_component(f"/{trial.day}/{region}/{service}/").encode()
        bare = f"/{trial.day}/{trial.region}/{trial.service}/".encode("utf-8", "replace")
        other_bare = f"/{trial.day}/{region}/{service}/".encode()
        query = trial.query.replace(own, other).replace(bare, other_bare)
        return replace(trial, region=region, service=service, query=query)

    yield Change(cause=cause, part=Part.SCOPE, detail=detail, apply=in_both)
    yield Change(cause=cause, part=Part.SCOPE, detail=detail, apply=in_key)


def secret_changes(trial: Trial, hints: Hints) -> Iterator[Change]:
    """Yield the secrets of other keys, and this one with what clings to a secret that was pasted."""
    for known in hints.keys:
        if known.access_key != hints.access_key:
            where = f" ({known.label})" if known.label else ""
            yield Change(
                cause=Cause.OTHER_KEY,
                part=Part.SECRET,
                detail=f"It names {hints.access_key}, and was signed with the secret of {known.access_key}{where}.",
                apply=_with_secret(known.secret),
            )
    for words, spoil in _SPOILED:
        yield Change(
            cause=Cause.SECRET_WHITESPACE,
            part=Part.SECRET,
            detail=f"The signer's secret key {words}.",
            apply=_with_spoiled(spoil),
        )


def _with_secret(secret: Secret) -> Callable[[Trial], Trial]:
    return lambda trial: replace(trial, secret=secret)


def _with_spoiled(spoil: Callable[[str], str]) -> Callable[[Trial], Trial]:
    return lambda trial: replace(trial, secret=Secret(spoil(trial.secret.reveal())))


_SPOILED: Final[tuple[tuple[str, Callable[[str], str]], ...]] = (
    ("ends with a line feed", lambda secret: secret + "\n"),
    ("ends with a carriage return", lambda secret: secret + "\r"),
    ("ends with a line break of Windows", lambda secret: secret + "\r\n"),
    ("ends with a blank", lambda secret: secret + " "),
    ("begins with a blank", lambda secret: " " + secret),
    ("has blanks around it", lambda secret: f" {secret} "),
    ("ends with a tab", lambda secret: secret + "\t"),
    ("has double quotes around it", lambda secret: f'"{secret}"'),
    ("has single quotes around it", lambda secret: f"'{secret}'"),
    ("has a byte order mark before it", lambda secret: "\ufeff" + secret),
    ("has blanks or line breaks around it that do not belong to it", str.strip),
    ("is percent-encoded", lambda secret: quote(secret, safe="")),
    ("was percent-decoded", unquote),
    ("lost a + to a blank", lambda secret: secret.replace("+", " ")),
    ("has backslashes before its slashes", lambda secret: secret.replace("/", "\\/")),
    ("is empty", lambda secret: secret[:0]),
)
