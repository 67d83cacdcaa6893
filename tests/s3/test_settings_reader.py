from __future__ import annotations

from collections.abc import Callable

import pytest

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.xml.settings_reader import (
    VersioningRequest,
    parse_accelerate,
    parse_request_payment,
    parse_versioning,
    require_no_notifications,
)

PARSERS: list[Callable[[bytes], object]] = [
    parse_accelerate,
    parse_request_payment,
    parse_versioning,
    require_no_notifications,
]


def _versioning(content: str) -> VersioningRequest:
    return parse_versioning(f"<VersioningConfiguration>{content}</VersioningConfiguration>".encode())


@pytest.mark.parametrize(
    ("content", "status", "mfa_delete"),
    [
        ("<Status>Enabled</Status>", "Enabled", None),
        ("<Status> Suspended </Status><MfaDelete>Disabled</MfaDelete>", "Suspended", "Disabled"),
        ("<MfaDelete>Enabled</MfaDelete><Status>Enabled</Status>", "Enabled", "Enabled"),
    ],
)
def test_versioning(content: str, status: str, mfa_delete: str | None) -> None:
    assert _versioning(content) == VersioningRequest(status=status, mfa_delete=mfa_delete)


@pytest.mark.parametrize("content", ["", "<Status/>", "<MfaDelete>Disabled</MfaDelete>"])
def test_versioning_without_status_is_told_apart(content: str) -> None:
    with pytest.raises(S3Error) as caught:
        _versioning(content)
    assert caught.value.code is Code.ILLEGAL_VERSIONING_CONFIGURATION
    assert caught.value.message == "The Versioning element must be specified"


@pytest.mark.parametrize(
    "content",
    [
        "<Status>enabled</Status>",
        "<Status>Disabled</Status>",
        "<Status>Enabled</Status><MfaDelete>On</MfaDelete>",
        "<Status>Enabled</Status><Status>Enabled</Status>",
        "<Status>Enabled</Status><Other/>",
    ],
)
def test_versioning_is_malformed(content: str) -> None:
    with pytest.raises(S3Error) as caught:
        _versioning(content)
    assert caught.value.code is Code.MALFORMED_XML


@pytest.mark.parametrize("payer", ["Requester", "BucketOwner"])
def test_request_payment(payer: str) -> None:
    body = f"<RequestPaymentConfiguration><Payer>{payer}</Payer></RequestPaymentConfiguration>".encode()
    assert parse_request_payment(body) == payer


@pytest.mark.parametrize("status", ["Enabled", "Suspended"])
def test_accelerate(status: str) -> None:
    body = f"<AccelerateConfiguration><Status>{status}</Status></AccelerateConfiguration>".encode()
    assert parse_accelerate(body) == status


@pytest.mark.parametrize(
    ("parse", "body"),
    [
        (parse_request_payment, b"<RequestPaymentConfiguration/>"),
        (
            parse_request_payment,
            b"<RequestPaymentConfiguration><Payer>Me</Payer></RequestPaymentConfiguration>",
        ),
        (parse_accelerate, b"<AccelerateConfiguration><Status/></AccelerateConfiguration>"),
        (require_no_notifications, b"<NotificationConfiguration><Other/></NotificationConfiguration>"),
    ],
    ids=["no payer", "other payer", "no status", "notification"],
)
def test_setting_is_malformed(parse: Callable[[bytes], object], body: bytes) -> None:
    with pytest.raises(S3Error) as caught:
        parse(body)
    assert caught.value.code is Code.MALFORMED_XML


def test_what_is_off_may_be_turned_off() -> None:
    require_no_notifications(b"<NotificationConfiguration> </NotificationConfiguration>")


@pytest.mark.parametrize(
    ("parse", "root", "child"),
    [
        (require_no_notifications, "NotificationConfiguration", "TopicConfiguration"),
        (require_no_notifications, "NotificationConfiguration", "EventBridgeConfiguration"),
    ],
)
def test_what_there_is_not_cannot_be_turned_on(
    parse: Callable[[bytes], object], root: str, child: str
) -> None:
    with pytest.raises(S3Error) as caught:
        parse(f"<{root}><{child}><a/></{child}></{root}>".encode())
    assert caught.value.code is Code.NOT_IMPLEMENTED
    assert dict(caught.value.details) == {"ResourceType": child}


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize(
    ("body", "code"),
    [(b"", Code.MISSING_REQUEST_BODY_ERROR), (b"<a>", Code.MALFORMED_XML), (b"<Other/>", Code.MALFORMED_XML)],
    ids=["empty", "broken", "another document"],
)
def test_what_is_not_the_document_is_refused(
    parse: Callable[[bytes], object], body: bytes, code: Code
) -> None:
    with pytest.raises(S3Error) as caught:
        parse(body)
    assert caught.value.code is code
