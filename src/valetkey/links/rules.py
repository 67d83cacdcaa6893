"""What a link's grant says to a request. Pure: the counters alone are the ledger's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from valetkey.links.errors import LinkRefusedError, Rule, UploadSizeError
from valetkey.links.model import Grant, Link, Revocations, State, Verb

OPERATIONS: Final[Mapping[str, tuple[Verb, ...]]] = {
    "GetObject": (Verb.GET,),
    "HeadObject": (Verb.GET, Verb.HEAD),
    "PutObject": (Verb.PUT,),
    "DeleteObject": (Verb.DELETE,),
    "CreateMultipartUpload": (Verb.MULTIPART,),
    "UploadPart": (Verb.MULTIPART,),
    "CompleteMultipartUpload": (Verb.MULTIPART,),
    "AbortMultipartUpload": (Verb.MULTIPART,),
    "ListParts": (Verb.MULTIPART,),
    "ListObjectsV2": (Verb.LIST,),
}
"""What each operation takes: any of these. One that is not here is granted by no link."""

_TYPE: Final = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+").fullmatch


def require_open(link: Link, *, now_ms: int) -> None:
    """Return if the link holds at `now_ms`.

    Raises:
        LinkRefusedError
    """
    grant = link.grant
    if link.state is not State.ACTIVE:
        raise LinkRefusedError(Rule.REVOKED if link.state is State.REVOKED else Rule.PAUSED)
    if grant.starts_ms is not None and now_ms < grant.starts_ms:
        raise LinkRefusedError(Rule.NOT_YET_VALID)
    if now_ms >= grant.ends_ms:
        raise LinkRefusedError(Rule.EXPIRED)


def require_asked(grant: Grant, *, operation: str, bucket: str | None, key: str | None, prefix: str) -> None:
    """Return if the grant covers an operation on a key; `prefix` is that of a listing.

    Raises:
        LinkRefusedError
    """
    if bucket != grant.bucket:
        raise LinkRefusedError(Rule.KEY)
    for verb in OPERATIONS.get(operation, ()):
        # By identity: the hash of an enum's member is a call of Python.
        if verb in grant.verbs:
            break
    else:
        raise LinkRefusedError(Rule.OPERATION)
    if operation == "ListObjectsV2":
        if not grant.is_prefix or not prefix.startswith(grant.key):
            raise LinkRefusedError(Rule.KEY)
        return
    if key is None or not (key.startswith(grant.key) if grant.is_prefix else key == grant.key):
        raise LinkRefusedError(Rule.KEY)


def require_address(grant: Grant, address: str) -> None:
    """Return if the link may be used from `address`. One that is unknown is allowed by no network.

    Raises:
        LinkRefusedError
    """
    if grant.addresses and not _is_within(address, grant.addresses):
        raise LinkRefusedError(Rule.ADDRESS)


def require_content_type(grant: Grant, content_type: str) -> None:
    """Return if an upload may have this Content-Type; its parameters do not count.

    Raises:
        LinkRefusedError
    """
    if not grant.content_types:
        return
    sent = content_type.partition(";")[0].strip().lower()
    # Of several types with commas between them, and of one that is malformed, browsers make what they like.
    if _TYPE(sent) is not None and "," not in content_type:
        for allowed in grant.content_types:
            kind = allowed.lower()
            if sent == kind or (kind.endswith("/*") and sent.startswith(kind[:-1])):
                return
    raise LinkRefusedError(Rule.CONTENT_TYPE)


def require_size(grant: Grant, size_bytes: int, *, is_whole: bool) -> None:
    """Return if an upload may be this large. Until it is whole, only the most counts.

    Raises:
        UploadSizeError
    """
    most = grant.most_size
    if (most is not None and size_bytes > most) or (is_whole and size_bytes < grant.least_size):
        raise UploadSizeError(size_bytes, least=grant.least_size, most=size_bytes if most is None else most)


def require_unrevoked(
    revocations: Revocations,
    *,
    digest: bytes,
    access_key: str,
    bucket: str | None,
    key: str | None,
    signed_ms: int | None,
) -> None:
    """Return unless an ordinary presigned URL was taken back. `digest` stands for its signature.

    Raises:
        LinkRefusedError
    """
    if digest in revocations.signatures:
        raise LinkRefusedError(Rule.REVOKED)
    for mark in (access_key, bucket or "", ""):
        for cutoff in revocations.cutoffs.get(mark, ()):
            if cutoff.fits(access_key=access_key, bucket=bucket, key=key, signed_ms=signed_ms):
                raise LinkRefusedError(Rule.REVOKED)


def _is_within(text: str, networks: tuple[str, ...]) -> bool:
    try:
        address: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in _networks(networks))


@lru_cache(maxsize=1024)
def _networks(texts: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(map(ip_network, texts))
