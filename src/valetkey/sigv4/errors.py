"""What can be wrong with a signature, or with a call that asks for one.

Each class is one fact that the gateway translates into one S3 error code. No message holds a secret, a
session token or a signature that we computed.

Source of the quoted texts: answers of Amazon S3, on which clients match.
"""

from __future__ import annotations

from datetime import datetime


class SignatureError(Exception):
    """Something is wrong with a signature, with its form, or with a call that asks for one."""


class MisuseError(SignatureError, ValueError):
    """A call to this library cannot be carried out as it stands. The message says what to do."""


class TwoMechanismsError(SignatureError):
    """More than one of: Authorization header, SigV4 query, SigV2 query."""

    def __init__(self) -> None:
        super().__init__("the request carries more than one authentication mechanism")


class MalformedQueryAuthError(SignatureError):
    """A SigV4 query parameter is missing, repeated or malformed. `message` is S3's text."""

    def __init__(self, message: str, *, region: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.region = region
        """The region that was expected, if that is what is wrong."""


class MalformedHeaderAuthError(SignatureError):
    """The SigV4 Authorization header is malformed. `message` is S3's text."""

    def __init__(self, message: str, *, region: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.region = region
        """The region that was expected, if that is what is wrong."""


class MissingFormFieldError(SignatureError):
    """A form lacks a field of its signature. `name` is spelt as S3 spells it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the form has no field {name}")
        self.name = name


class MalformedFormFieldError(SignatureError):
    """A field of a form's signature is malformed. `message` is S3's text."""

    def __init__(self, message: str, *, name: str, value: str, region: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.name = name
        """As S3 spells it."""
        self.value = value
        self.region = region
        """The region that was expected, if that is what is wrong."""


class InvalidAuthorizationError(SignatureError):
    """The Authorization header belongs to no scheme that we know. `message` is S3's text."""

    def __init__(
        self, message: str, *, argument_name: str = "Authorization", argument_value: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.argument_name = argument_name
        self.argument_value = argument_value
        """None wherever the value is a credential."""


class UnsupportedMechanismError(SignatureError):
    """An AWS scheme other than AWS4-HMAC-SHA256 and SigV2, such as SigV4A."""

    def __init__(self) -> None:
        super().__init__("the signature algorithm is not supported")


class MissingContentSha256Error(SignatureError):
    """SigV4 header authentication without x-amz-content-sha256."""

    def __init__(self) -> None:
        super().__init__("the header x-amz-content-sha256 is missing")


class InvalidContentSha256Error(SignatureError):
    """x-amz-content-sha256 is neither a SHA-256 nor one of the words that S3 defines."""

    def __init__(self) -> None:
        super().__init__("the header x-amz-content-sha256 has a value that S3 does not define")


class MissingDateError(SignatureError):
    """Header authentication without a date that can be read."""

    def __init__(self) -> None:
        super().__init__("neither x-amz-date nor Date holds a valid instant")


class MissingQueryAuthV2Error(SignatureError):
    """One or two of Signature, Expires and AWSAccessKeyId are missing."""

    def __init__(self) -> None:
        super().__init__("a parameter of SigV2 query authentication is missing")


class InvalidExpiresV2Error(SignatureError):
    """The SigV2 parameter Expires is no instant in seconds since the epoch."""

    def __init__(self, value: str) -> None:
        super().__init__(f"Expires is not in seconds since the epoch: {value!r}")
        self.value = value


class ExpiredError(SignatureError):
    """The presigned URL has ended."""

    def __init__(self, *, expires_at: datetime, now: datetime, lifetime_text: str | None) -> None:
        super().__init__(f"the URL ended at {expires_at.isoformat()}; it is {now.isoformat()}")
        self.expires_at = expires_at
        self.now = now
        self.lifetime_text = lifetime_text
        """X-Amz-Expires as sent; None for SigV2."""


class NotYetValidError(SignatureError):
    """X-Amz-Date lies in the future by more than the allowed skew."""

    def __init__(self, *, signed_at: datetime, expires_at: datetime, now: datetime) -> None:
        super().__init__(f"the URL begins at {signed_at.isoformat()}; it is {now.isoformat()}")
        self.signed_at = signed_at
        self.expires_at = expires_at
        self.now = now


class SkewedError(SignatureError):
    """The date of a request with header authentication is too far from ours."""

    def __init__(self, *, request_time_text: str, now: datetime) -> None:
        super().__init__(f"the request says it is {request_time_text}; it is {now.isoformat()}")
        self.request_time_text = request_time_text
        """The date as sent."""
        self.now = now


class HeadersNotSignedError(SignatureError):
    """Headers that must be signed were sent unsigned."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(f"not signed: {', '.join(names)}")
        self.names = names
        """Lower case, sorted."""


class SignatureMismatchError(SignatureError):
    """The signature is not the one that the secret gives for this request."""

    def __init__(
        self,
        *,
        access_key: str,
        string_to_sign: bytes,
        signature_provided: str,
        canonical_request: bytes | None,
    ) -> None:
        super().__init__("the signature does not match the request")
        self.access_key = access_key
        self.string_to_sign = string_to_sign
        """What we would have signed."""
        self.signature_provided = signature_provided
        self.canonical_request = canonical_request
        """None for SigV2, which has none."""


class ChunkSignatureMismatchError(SignatureError):
    """The signature of a chunk, or of the trailer, is not the one that the secret gives."""

    def __init__(self, *, access_key: str, string_to_sign: bytes, signature_provided: str) -> None:
        super().__init__("the signature of a chunk does not match its content")
        self.access_key = access_key
        self.string_to_sign = string_to_sign
        self.signature_provided = signature_provided


class MalformedChunkError(SignatureError):
    """The body is not framed as aws-chunked prescribes."""


class IncompleteBodyError(SignatureError):
    """The aws-chunked body ended before its last chunk was complete."""

    def __init__(self, *, expected: int, provided: int) -> None:
        super().__init__(f"the body ended early: {provided} of at least {expected} bytes")
        self.expected = expected
        """Decoded bytes that the chunk headers announced so far."""
        self.provided = provided
        """Decoded bytes that arrived."""


class MalformedTrailerError(SignatureError):
    """The trailer of an aws-chunked body cannot be read, or is longer than we accept."""
