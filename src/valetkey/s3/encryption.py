"""Encryption at rest as clients ask for it, and what they are told of it.

Source: Amazon S3 User Guide, "Protecting data with encryption", and the texts that S3 was seen to answer. S3
takes keys of clients over TLS only; here TLS may end at a proxy in front, so the request's own scheme tells nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error, invalid_argument

METHOD_HEADER: Final = "x-amz-server-side-encryption"

SSE_S3: Final = "AES256"
"""Encryption under the store's master key."""
SSE_C: Final = "SSE-C"
"""Encryption under a key that the client keeps."""

KEY_BYTES: Final = 32

_ALGORITHM: Final = "AES256"
_CUSTOMER_PREFIX: Final = f"{METHOD_HEADER}-customer-"
_COPY_SOURCE_PREFIX: Final = "x-amz-copy-source-server-side-encryption-customer-"

KMS_METHODS: Final = frozenset({"aws:kms", "aws:kms:dsse"})
_KMS_HEADERS: Final = (f"{METHOD_HEADER}-aws-kms-key-id", f"{METHOD_HEADER}-context")

KMS_INSTEAD: Final = (
    "Keys of AWS KMS are not available here. Ask for SSE-S3 (x-amz-server-side-encryption: AES256), or send a key of "
    "your own with each request, which is SSE-C (x-amz-server-side-encryption-customer-algorithm: AES256)."
)
"""Ours, as S3 has no need of such a sentence."""

ENCRYPTION_HEADERS: Final = frozenset(
    {METHOD_HEADER, *_KMS_HEADERS, *(f"{_CUSTOMER_PREFIX}{name}" for name in ("algorithm", "key", "key-md5"))}
)
"""All that may stand in a request about the encryption of its own object: a quick way past the rest."""

_REQUESTS: Final = "Requests specifying Server Side Encryption with Customer provided keys must provide"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerKey:
    """A key that a client sends with each request, and that is never stored."""

    key: bytes = field(repr=False)
    """32 bytes."""
    md5_base64: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptionRequest:
    """How an upload is to be encrypted."""

    kind: str
    """`SSE_S3` or `SSE_C`."""
    customer_key: CustomerKey | None = None
    """There for `SSE_C` only."""


def requested_encryption(headers: Mapping[str, str]) -> EncryptionRequest | None:
    """Return the encryption that the headers of a new object or upload ask for; None leaves it to the bucket.

    Raises:
        S3Error: InvalidArgument, InvalidEncryptionAlgorithmError, or NotImplemented for keys of AWS KMS.
    """
    method = headers.get(METHOD_HEADER)
    if method is not None and any(name.startswith(_CUSTOMER_PREFIX) for name in headers):
        message = "Server Side Encryption with Customer provided key is incompatible with the encryption method specified"
        raise invalid_argument(message, METHOD_HEADER, method)
    if method in KMS_METHODS:
        raise S3Error(Code.NOT_IMPLEMENTED, KMS_INSTEAD, {"Header": METHOD_HEADER})
    if method not in {None, SSE_S3}:
        raise invalid_argument("The encryption method specified is not supported", METHOD_HEADER, method)
    for name in _KMS_HEADERS:
        if name in headers:
            message = (
                "Server Side Encryption with AWS KMS managed key requires HTTP header "
                "x-amz-server-side-encryption : aws:kms"
            )
            raise invalid_argument(message, METHOD_HEADER, method)
    if method is not None:
        return EncryptionRequest(kind=SSE_S3)
    key = customer_key(headers)
    return None if key is None else EncryptionRequest(kind=SSE_C, customer_key=key)


def customer_key(headers: Mapping[str, str]) -> CustomerKey | None:
    """Return the key that the headers give for the object of the request, or None.

    Raises:
        S3Error: InvalidArgument or InvalidEncryptionAlgorithmError.
    """
    return _key(headers, _CUSTOMER_PREFIX)


def copy_source_key(headers: Mapping[str, str]) -> CustomerKey | None:
    """Return the key that the headers give for the source of a copy, or None.

    Raises:
        S3Error: InvalidArgument or InvalidEncryptionAlgorithmError.
    """
    return _key(headers, _COPY_SOURCE_PREFIX)


def _key(headers: Mapping[str, str], prefix: str) -> CustomerKey | None:
    algorithm = headers.get(f"{prefix}algorithm")
    key, md5 = headers.get(f"{prefix}key"), headers.get(f"{prefix}key-md5")
    if algorithm is None and key is None and md5 is None:
        return None
    if algorithm is None:
        raise _bad_key(f"{_REQUESTS} a valid encryption algorithm.")
    if key is None:
        raise _bad_key(f"{_REQUESTS} an appropriate secret key.")
    if algorithm != _ALGORITHM:
        details = {"ArgumentName": METHOD_HEADER, "ArgumentValue": algorithm}
        raise S3Error(Code.INVALID_ENCRYPTION_ALGORITHM_ERROR, None, details)
    if md5 is None:
        raise _bad_key(f"{_REQUESTS} the client calculated MD5 of the secret key.")
    return CustomerKey(key=_decoded(key, md5), md5_base64=md5)


def _decoded(text: str, md5: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _bad_key("The secret key was invalid for the specified algorithm.") from None
    calculated = base64.b64encode(hashlib.md5(key, usedforsecurity=False).digest())
    if not hmac.compare_digest(calculated, md5.encode()):
        raise _bad_key("The calculated MD5 hash of the key did not match the hash that was provided.")
    if len(key) != KEY_BYTES:
        raise _bad_key("The secret key was invalid for the specified algorithm.")
    return key


def _bad_key(message: str) -> S3Error:
    # S3 names this header, whichever of the three is at fault, and never tells the value.
    return invalid_argument(message, METHOD_HEADER, "null")


def refuse_method(headers: Mapping[str, str]) -> None:
    """Return unless the headers choose an encryption where none is to choose: with reads, and parts of an upload.

    Raises:
        S3Error: InvalidArgument.
    """
    for name in (METHOD_HEADER, *_KMS_HEADERS):
        if name in headers:
            raise invalid_argument(f"{name} header is not supported for this operation.", name, headers[name])


def require_key_for(kind: str | None, key: CustomerKey | None) -> None:
    """Return if a key comes with a read exactly where the object, encrypted as `kind` says, takes one.

    Raises:
        S3Error: InvalidRequest.
    """
    if kind == SSE_C and key is None:
        message = (
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided "
            "to retrieve the object."
        )
        raise S3Error(Code.INVALID_REQUEST, message)
    if kind != SSE_C and key is not None:
        raise S3Error(Code.INVALID_REQUEST, "The encryption parameters are not applicable to this object.")


def wrong_key() -> S3Error:
    """Return the refusal to read an object with a key that it was not encrypted with."""
    return S3Error(Code.ACCESS_DENIED, f"{_REQUESTS} the correct secret key.")


def require_key_for_part(kind: str | None, key: CustomerKey | None) -> None:
    """Return if a key comes with a part exactly where the upload, begun as `kind` says, takes one.

    Raises:
        S3Error: InvalidRequest.
    """
    if (kind == SSE_C) != (key is not None):
        message = (
            "The multipart upload initiate requested encryption. Subsequent part requests must include the "
            "appropriate encryption parameters."
        )
        raise S3Error(Code.INVALID_REQUEST, message)


def wrong_key_for_part() -> S3Error:
    """Return the refusal of a part with another key than the upload began with."""
    message = "The provided encryption parameters did not match the ones used originally."
    return S3Error(Code.INVALID_REQUEST, message)


def encryption_headers(kind: str | None, key: CustomerKey | None = None) -> dict[str, str]:
    """Return the headers that tell how an object is encrypted, by lower-case name.

    For `SSE_C` without `key`, where S3 tells nothing, there are none.
    """
    if kind == SSE_S3:
        return {METHOD_HEADER: SSE_S3}
    if kind == SSE_C and key is not None:
        return {
            f"{_CUSTOMER_PREFIX}algorithm": _ALGORITHM,
            f"{_CUSTOMER_PREFIX}key-md5": key.md5_base64,
        }
    return {}
