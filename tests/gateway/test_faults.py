"""Each error of the rooms below has one S3 code, and none lets a secret out."""

from datetime import UTC, datetime

import pytest

from valetkey.gateway.faults import FAULTS, ROOM_ERRORS, translate
from valetkey.policy.errors import PolicyError
from valetkey.s3.codes import Code
from valetkey.sigv4 import errors as sigv4
from valetkey.store import errors as store

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


def leaves(base: type[Exception]) -> set[type[Exception]]:
    below = base.__subclasses__()
    return {base} if not below else set().union(*(leaves(kind) for kind in below))


@pytest.mark.parametrize(
    "base", [sigv4.SignatureError, store.StoreError, PolicyError], ids=lambda k: k.__name__
)
def test_the_table_is_total(base: type[Exception]) -> None:
    assert leaves(base) <= set(FAULTS)


def test_every_row_is_of_a_room() -> None:
    assert all(issubclass(kind, ROOM_ERRORS) for kind in FAULTS)


def test_expired_tells_when_in_amazons_order() -> None:
    fault = translate(sigv4.ExpiredError(expires_at=NOW, now=NOW, lifetime_text="2"))
    assert fault.code is Code.ACCESS_DENIED
    assert fault.message == "Request has expired"
    assert list(fault.details.items()) == [
        ("X-Amz-Expires", "2"),
        ("Expires", "2026-11-23T12:00:00Z"),
        ("ServerTime", "2026-11-23T12:00:00Z"),
    ]


def test_not_yet_valid_gives_the_signing_date_in_milliseconds() -> None:
    fault = translate(sigv4.NotYetValidError(signed_at=NOW, expires_at=NOW, now=NOW))
    assert fault.details["X-Amz-Date"] == "1795435200000"


def test_a_mismatch_shows_what_was_signed_and_never_the_right_signature() -> None:
    error = sigv4.SignatureMismatchError(
        access_key="AKID", string_to_sign=b"to\nsign", signature_provided="00", canonical_request=b"GET\n"
    )
    fault = translate(error)
    assert list(fault.details) == [
        "AWSAccessKeyId",
        "StringToSign",
        "SignatureProvided",
        "StringToSignBytes",
        "CanonicalRequest",
        "CanonicalRequestBytes",
    ]
    assert fault.details["StringToSignBytes"] == "74 6f 0a 73 69 67 6e"


def test_two_mechanisms_do_not_echo_the_credential() -> None:
    fault = translate(sigv4.TwoMechanismsError())
    assert fault.details == {"ArgumentName": "Authorization", "ArgumentValue": "REDACTED"}


def test_a_full_disk_has_a_code_of_its_own() -> None:
    assert translate(store.OutOfSpaceError()).code.status == 507
