"""The one table from the rooms' errors to S3's error codes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from valetkey.links import errors as links
from valetkey.policy.errors import AccessDeniedError, PolicyError
from valetkey.policy.malformed import MalformedPolicyError, PolicyTooLargeError
from valetkey.s3.codes import Code
from valetkey.s3.dates import http_date
from valetkey.s3.encryption import wrong_key
from valetkey.s3.errors import S3Error
from valetkey.s3.object_lock import protected
from valetkey.sigv4 import errors as sigv4
from valetkey.store import errors as store

_MOST_SHOWN_BYTES: Final = 16 * 1024
"""A longer text to sign is not sent back: an answer must not be many times its request."""

_SECRET: Final = re.compile(rb"((?:x-amz-security-token|customer-key)[=:])[^&\n]*", re.IGNORECASE)


class UnknownAccessKeyError(Exception):
    """No active access key has this id."""

    def __init__(self, access_key: str) -> None:
        super().__init__("no such access key")
        self.access_key = access_key


def _seconds(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _spaced_hex(text: bytes) -> str:
    return text.hex(" ")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _simple(code: Code, message: str | None = None) -> Callable[[Any], S3Error]:
    def translate(_error: object) -> S3Error:
        return S3Error(code, message)

    return translate


def _malformed_query(error: sigv4.MalformedQueryAuthError) -> S3Error:
    details = {"Region": error.region} if error.region else {}
    return S3Error(Code.AUTHORIZATION_QUERY_PARAMETERS_ERROR, error.message, details)


def _malformed_header(error: sigv4.MalformedHeaderAuthError) -> S3Error:
    details = {"Region": error.region} if error.region else {}
    return S3Error(Code.AUTHORIZATION_HEADER_MALFORMED, error.message, details)


def _missing_field(error: sigv4.MissingFormFieldError) -> S3Error:
    # The two spaces are Amazon's.
    message = (
        f"Bucket POST must contain a field named '{error.name}'.  If it is specified, please check the order of "
        "the fields."
    )
    return S3Error(Code.INVALID_ARGUMENT, message, {"ArgumentName": error.name, "ArgumentValue": ""})


def _malformed_field(error: sigv4.MalformedFormFieldError) -> S3Error:
    details = {"ArgumentName": error.name, "ArgumentValue": error.value}
    if error.region is not None:
        details["Region"] = error.region
    return S3Error(Code.INVALID_ARGUMENT, error.message, details)


def _two_mechanisms(error: sigv4.TwoMechanismsError) -> S3Error:
    # Amazon echoes the Authorization header here. It is a credential, so ours never leaves the server.
    return S3Error(
        Code.INVALID_ARGUMENT,
        "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
        "Signature query string parameter or the Authorization header should be specified",
        {"ArgumentName": "Authorization", "ArgumentValue": "REDACTED"},
    )


def _invalid_authorization(error: sigv4.InvalidAuthorizationError) -> S3Error:
    return S3Error(
        Code.INVALID_ARGUMENT,
        error.message,
        {"ArgumentName": "Authorization", "ArgumentValue": "REDACTED"},
    )


def _expired(error: sigv4.ExpiredError) -> S3Error:
    details = {"X-Amz-Expires": error.lifetime_text} if error.lifetime_text is not None else {}
    details |= {"Expires": _seconds(error.expires_at), "ServerTime": _seconds(error.now)}
    return S3Error(Code.ACCESS_DENIED, "Request has expired", details)


def _not_yet_valid(error: sigv4.NotYetValidError) -> S3Error:
    details = {
        "X-Amz-Date": str(int(error.signed_at.timestamp() * 1000)),
        "Expires": _seconds(error.expires_at),
        "ServerTime": _seconds(error.now),
    }
    return S3Error(Code.ACCESS_DENIED, "Request is not yet valid", details)


def _skewed(error: sigv4.SkewedError) -> S3Error:
    details = {
        "RequestTime": error.request_time_text,
        "ServerTime": _seconds(error.now),
        "MaxAllowedSkewMilliseconds": "900000",
    }
    return S3Error(Code.REQUEST_TIME_TOO_SKEWED, None, details)


def _headers_not_signed(error: sigv4.HeadersNotSignedError) -> S3Error:
    return S3Error(
        Code.ACCESS_DENIED,
        "There were headers present in the request which were not signed",
        {"HeadersNotSigned": ", ".join(error.names)},
    )


def _shown(signed: bytes | None) -> bytes | None:
    """Return what may be sent back of a signed text: no session token, no key of a client, and nothing that is too long."""
    if signed is None or len(signed) > _MOST_SHOWN_BYTES:
        return None
    return _SECRET.sub(rb"\1REDACTED", signed)


def _signature_mismatch(error: sigv4.SignatureMismatchError) -> S3Error:
    details = {"AWSAccessKeyId": error.access_key}
    if (to_sign := _shown(error.string_to_sign)) is not None:
        details["StringToSign"] = _text(to_sign)
        details["SignatureProvided"] = error.signature_provided
        details["StringToSignBytes"] = _spaced_hex(to_sign)
    if (canonical := _shown(error.canonical_request)) is not None:
        details["CanonicalRequest"] = _text(canonical)
        details["CanonicalRequestBytes"] = _spaced_hex(canonical)
    return S3Error(Code.SIGNATURE_DOES_NOT_MATCH, None, details)


def _invalid_expires_v2(error: sigv4.InvalidExpiresV2Error) -> S3Error:
    return S3Error(Code.ACCESS_DENIED, f"Invalid date (should be seconds since epoch): {error.value}")


def _incomplete_body(error: sigv4.IncompleteBodyError) -> S3Error:
    details = {"NumberBytesExpected": str(error.expected), "NumberBytesProvided": str(error.provided)}
    return S3Error(Code.INCOMPLETE_BODY, None, details)


def _unknown_access_key(error: UnknownAccessKeyError) -> S3Error:
    return S3Error(Code.INVALID_ACCESS_KEY_ID, None, {"AWSAccessKeyId": error.access_key})


def _no_such_bucket(error: store.NoSuchBucketError) -> S3Error:
    return S3Error(Code.NO_SUCH_BUCKET, None, {"BucketName": error.bucket})


def _bucket_not_empty(error: store.BucketNotEmptyError) -> S3Error:
    return S3Error(Code.BUCKET_NOT_EMPTY, None, {"BucketName": error.bucket})


def _bucket_exists(error: store.BucketExistsError) -> S3Error:
    return S3Error(Code.BUCKET_ALREADY_OWNED_BY_YOU, None, {"BucketName": error.bucket})


_IS_MARKER: Final = {"x-amz-delete-marker": "true"}
_READ: Final = "GET"


def _no_such_key(error: store.NoSuchKeyError) -> S3Error:
    headers = None if error.marker_id is None else {**_IS_MARKER, "x-amz-version-id": error.marker_id}
    return S3Error(Code.NO_SUCH_KEY, None, {"Key": error.key}, headers)


def _no_such_version(error: store.NoSuchVersionError) -> S3Error:
    return S3Error(Code.NO_SUCH_VERSION, None, {"Key": error.key, "VersionId": error.version_id})


def _delete_marker(error: store.DeleteMarkerError, method: str = _READ) -> S3Error:
    headers = {
        **_IS_MARKER,
        "x-amz-version-id": error.version_id,
        "last-modified": http_date(error.modified_ms),
        "allow": "DELETE",
    }
    details = {"Method": method, "ResourceType": "DeleteMarker"}
    return S3Error(Code.METHOD_NOT_ALLOWED, None, details, headers)


def _object_locked(_error: store.ObjectLockedError) -> S3Error:
    return protected()


def _wrong_key(_error: store.WrongKeyError) -> S3Error:
    return wrong_key()


def _no_such_upload(error: store.NoSuchUploadError) -> S3Error:
    return S3Error(Code.NO_SUCH_UPLOAD, None, {"UploadId": error.upload_id})


def _precondition_failed(error: store.PreconditionFailedError) -> S3Error:
    return S3Error(Code.PRECONDITION_FAILED, None, {"Condition": error.condition})


def _conflicting_change(error: store.ConflictingChangeError) -> S3Error:
    details = {"Condition": error.condition, "Key": error.key}
    return S3Error(Code.CONDITIONAL_REQUEST_CONFLICT, None, details)


def _invalid_part(error: store.InvalidPartError) -> S3Error:
    return S3Error(Code.INVALID_PART, None, {"PartNumber": str(error.number)})


def _part_too_small(error: store.PartTooSmallError) -> S3Error:
    details = {
        "ProposedSize": str(error.size),
        "MinSizeAllowed": str(error.minimum),
        "PartNumber": str(error.number),
    }
    return S3Error(Code.ENTITY_TOO_SMALL, None, details)


def _parts_too_large(error: store.PartsTooLargeError) -> S3Error:
    details = {"ProposedSize": str(error.size), "MaxSizeAllowed": str(error.maximum)}
    return S3Error(Code.ENTITY_TOO_LARGE, None, details)


def _malformed_policy(error: MalformedPolicyError) -> S3Error:
    return S3Error(Code.MALFORMED_POLICY, error.message, {"Detail": error.where} if error.where else {})


RULES: Final[Mapping[links.Rule, Code]] = {
    links.Rule.REVOKED: Code.LINK_REVOKED,
    links.Rule.PAUSED: Code.LINK_PAUSED,
    links.Rule.NOT_YET_VALID: Code.LINK_NOT_YET_VALID,
    links.Rule.EXPIRED: Code.LINK_EXPIRED,
    links.Rule.USED_UP: Code.LINK_USED_UP,
    links.Rule.BYTES_USED_UP: Code.LINK_BYTES_USED_UP,
    links.Rule.ADDRESS: Code.ADDRESS_NOT_ALLOWED,
    links.Rule.OPERATION: Code.OPERATION_NOT_ALLOWED,
    links.Rule.KEY: Code.KEY_NOT_ALLOWED,
    links.Rule.CONTENT_TYPE: Code.CONTENT_TYPE_NOT_ALLOWED,
    links.Rule.VERSION: Code.LINK_VERSION_REPLACED,
    links.Rule.ISSUER: Code.LINK_ISSUER_INACTIVE,
    links.Rule.ADDRESS_PAUSED: Code.SHORT_ADDRESS_PAUSED,
    links.Rule.PASSWORD: Code.LINK_PASSWORD_REQUIRED,
}
"""What each rule of a link is called in an answer."""


def _link_refused(error: links.LinkRefusedError) -> S3Error:
    return S3Error(RULES[error.rule])


def _upload_size(error: links.UploadSizeError) -> S3Error:
    if error.size_bytes > error.most:
        details = {"ProposedSize": str(error.size_bytes), "MaxSizeAllowed": str(error.most)}
        return S3Error(Code.ENTITY_TOO_LARGE, None, details)
    details = {"ProposedSize": str(error.size_bytes), "MinSizeAllowed": str(error.least)}
    return S3Error(Code.ENTITY_TOO_SMALL, None, details)


FAULTS: Final[Mapping[type[Exception], Callable[[Any], S3Error]]] = {
    sigv4.TwoMechanismsError: _two_mechanisms,
    sigv4.MalformedQueryAuthError: _malformed_query,
    sigv4.MalformedHeaderAuthError: _malformed_header,
    sigv4.MissingFormFieldError: _missing_field,
    sigv4.MalformedFormFieldError: _malformed_field,
    sigv4.InvalidAuthorizationError: _invalid_authorization,
    sigv4.UnsupportedMechanismError: _simple(
        Code.INVALID_REQUEST,
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
    ),
    sigv4.MissingContentSha256Error: _simple(
        Code.INVALID_REQUEST, "Missing required header for this request: x-amz-content-sha256"
    ),
    sigv4.InvalidContentSha256Error: _simple(
        Code.INVALID_ARGUMENT,
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, "
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER "
        "or a valid sha256 value.",
    ),
    sigv4.MissingDateError: _simple(
        Code.ACCESS_DENIED, "AWS authentication requires a valid Date or x-amz-date header"
    ),
    sigv4.MissingQueryAuthV2Error: _simple(
        Code.ACCESS_DENIED,
        "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters",
    ),
    sigv4.InvalidExpiresV2Error: _invalid_expires_v2,
    sigv4.ExpiredError: _expired,
    sigv4.NotYetValidError: _not_yet_valid,
    sigv4.SkewedError: _skewed,
    sigv4.HeadersNotSignedError: _headers_not_signed,
    sigv4.SignatureMismatchError: _signature_mismatch,
    sigv4.ChunkSignatureMismatchError: _simple(Code.SIGNATURE_DOES_NOT_MATCH),
    sigv4.MalformedChunkError: _simple(Code.INCOMPLETE_BODY),
    sigv4.IncompleteBodyError: _incomplete_body,
    sigv4.MalformedTrailerError: _simple(Code.MALFORMED_TRAILER_ERROR),
    # Raised only by the signing half, which no request reaches.
    sigv4.MisuseError: _simple(Code.INTERNAL_ERROR),
    UnknownAccessKeyError: _unknown_access_key,
    links.LinkRefusedError: _link_refused,
    links.UploadSizeError: _upload_size,
    links.InvalidGrantError: _simple(Code.INVALID_ARGUMENT),
    links.NoSuchLinkError: _simple(Code.LINK_REVOKED),
    links.LinkExistsError: _simple(Code.INTERNAL_ERROR),
    links.LedgerFailedError: _simple(Code.SERVICE_UNAVAILABLE),
    links.LedgerClosedError: _simple(Code.SERVICE_UNAVAILABLE),
    AccessDeniedError: _simple(Code.ACCESS_DENIED),
    MalformedPolicyError: _malformed_policy,
    PolicyTooLargeError: _malformed_policy,
    store.NoSuchBucketError: _no_such_bucket,
    store.BucketExistsError: _bucket_exists,
    store.BucketNotEmptyError: _bucket_not_empty,
    store.NoSuchKeyError: _no_such_key,
    store.NoSuchVersionError: _no_such_version,
    store.DeleteMarkerError: _delete_marker,
    store.ObjectLockedError: _object_locked,
    store.LockableBucketError: _simple(
        Code.INVALID_BUCKET_STATE, "The versioning state and Object Lock of the bucket exclude each other."
    ),
    store.WrongKeyError: _wrong_key,
    store.NoMasterKeyError: _simple(Code.INTERNAL_ERROR),
    store.NoSuchUploadError: _no_such_upload,
    store.PreconditionFailedError: _precondition_failed,
    store.ConflictingChangeError: _conflicting_change,
    store.InvalidPartError: _invalid_part,
    store.InvalidPartOrderError: _simple(Code.INVALID_PART_ORDER),
    store.PartTooSmallError: _part_too_small,
    store.PartsTooLargeError: _parts_too_large,
    store.OutOfSpaceError: _simple(Code.INSUFFICIENT_STORAGE),
    store.StoreClosedError: _simple(Code.SERVICE_UNAVAILABLE),
    store.ContentGoneError: _simple(Code.SLOW_DOWN),
    store.StorageFailedError: _simple(Code.INTERNAL_ERROR),
    # About identities, whose own door has codes for them.
    store.NoSuchEntityError: _simple(Code.INTERNAL_ERROR),
    store.EntityExistsError: _simple(Code.INTERNAL_ERROR),
    store.DeleteConflictError: _simple(Code.INTERNAL_ERROR),
    store.LimitExceededError: _simple(Code.INTERNAL_ERROR),
    # Raised only while a store is being opened, before there are requests.
    store.FolderInUseError: _simple(Code.INTERNAL_ERROR),
    store.NewerVersionError: _simple(Code.INTERNAL_ERROR),
}

ROOM_ERRORS: Final = (
    sigv4.SignatureError,
    store.StoreError,
    links.LinkError,
    PolicyError,
    UnknownAccessKeyError,
)
"""What `translate` takes; anything else is a bug and becomes InternalError around the request."""


def translate(error: Exception, *, method: str = _READ) -> S3Error:
    """Return the S3 error for an error of one of the rooms. `method` is that of the request."""
    if isinstance(error, store.DeleteMarkerError):
        return _delete_marker(error, method)
    for kind in type(error).__mro__:
        if kind in FAULTS:
            return FAULTS[kind](error)
    return S3Error(Code.INTERNAL_ERROR)
