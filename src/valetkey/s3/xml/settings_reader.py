"""The documents that set up a bucket, read strictly: a value comes out, or S3's refusal."""

from __future__ import annotations

from dataclasses import dataclass

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.xml.tree import fields, malformed, parse_tree


@dataclass(frozen=True, slots=True, kw_only=True)
class VersioningRequest:
    """What PutBucketVersioning asks for."""

    status: str
    """`Enabled` or `Suspended`."""
    mfa_delete: str | None
    """`Enabled` or `Disabled`; None where nothing is said of it."""


def parse_versioning(body: bytes) -> VersioningRequest:
    """Return what a PutBucketVersioning asks for.

    Raises:
        S3Error: MalformedXML, MissingRequestBodyError, or IllegalVersioningConfigurationException, where there is
            no status.
    """
    found = fields(parse_tree(body, "VersioningConfiguration"), {"Status", "MfaDelete"})
    status = found.get("Status", "").strip()
    if not status:
        raise S3Error(Code.ILLEGAL_VERSIONING_CONFIGURATION)
    mfa_delete = found.get("MfaDelete", "").strip() or None
    if status not in ("Enabled", "Suspended") or mfa_delete not in (None, "Enabled", "Disabled"):
        raise malformed()
    return VersioningRequest(status=status, mfa_delete=mfa_delete)


def parse_request_payment(body: bytes) -> str:
    """Return who is to pay for requests: `Requester` or `BucketOwner`.

    Raises:
        S3Error: MalformedXML or MissingRequestBodyError.
    """
    return _only_choice(body, "RequestPaymentConfiguration", "Payer", ("Requester", "BucketOwner"))


def parse_accelerate(body: bytes) -> str:
    """Return whether transfers are to be accelerated: `Enabled` or `Suspended`.

    Raises:
        S3Error: MalformedXML or MissingRequestBodyError.
    """
    return _only_choice(body, "AccelerateConfiguration", "Status", ("Enabled", "Suspended"))


def _only_choice(body: bytes, root_name: str, name: str, choices: tuple[str, ...]) -> str:
    choice = fields(parse_tree(body, root_name), {name}).get(name, "").strip()
    if choice not in choices:
        raise malformed()
    return choice


def require_no_notifications(body: bytes) -> None:
    """Return if a PutBucketNotificationConfiguration asks for no notification, of which there are none.

    Raises:
        S3Error: MalformedXML, MissingRequestBodyError, or NotImplemented, where one is asked for.
    """
    names = (
        "CloudFunctionConfiguration",
        "EventBridgeConfiguration",
        "QueueConfiguration",
        "TopicConfiguration",
    )
    _require_empty(body, "NotificationConfiguration", names)


def _require_empty(body: bytes, root_name: str, names: tuple[str, ...]) -> None:
    for child in parse_tree(body, root_name).children:
        if child.name not in names:
            raise malformed()
        raise S3Error(
            Code.NOT_IMPLEMENTED,
            "A header or query you provided requested functionality that is not implemented.",
            {"ResourceType": child.name},
        )
