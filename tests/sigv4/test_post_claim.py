"""The signature of a form, held against what others computed."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.auth import HmacV1PostAuth, S3SigV4PostAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from valetkey import Signer
from valetkey.sigv4.claim import AuthType, SignatureVersion
from valetkey.sigv4.errors import MalformedFormFieldError, MissingFormFieldError, SignatureMismatchError
from valetkey.sigv4.post_claim import read_post_claim, require_post_signature
from valetkey.sigv4.secret import Secret

ACCESS_KEY = "AKIDEXAMPLE"
SECRET = Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")


def fields_of(post: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in post.items()}


def botocore_fields(auth: Any) -> dict[str, str]:
    request = AWSRequest(method="POST", url="http://127.0.0.1/b")
    request.context["s3-presign-post-policy"] = {"expiration": "2030-01-01T00:00:00Z", "conditions": []}
    request.context["s3-presign-post-fields"] = {"key": "k"}
    auth.add_auth(request)
    return fields_of(request.context["s3-presign-post-fields"])


@pytest.mark.parametrize("token", [None, "token"])
def test_form_of_botocore_in_sigv4(token: str | None) -> None:
    credentials = Credentials(ACCESS_KEY, SECRET.reveal(), token)
    claim = read_post_claim(
        botocore_fields(S3SigV4PostAuth(credentials, "s3", "us-east-1")), region="us-east-1"
    )
    assert claim is not None
    assert (claim.access_key, claim.version, claim.session_token) == (
        ACCESS_KEY,
        SignatureVersion.V4,
        token,
    )
    proof = require_post_signature(claim, secret=SECRET)
    assert proof.auth_type is AuthType.FORM
    assert proof.signed_at == claim.signed_at is not None


@pytest.mark.parametrize("token", [None, "token"])
def test_form_of_botocore_in_sigv2(token: str | None) -> None:
    fields = botocore_fields(HmacV1PostAuth(Credentials(ACCESS_KEY, SECRET.reveal(), token)))
    claim = read_post_claim(fields, region="us-east-1")
    assert claim is not None
    assert (claim.access_key, claim.version, claim.session_token) == (
        ACCESS_KEY,
        SignatureVersion.V2,
        token,
    )
    assert require_post_signature(claim, secret=SECRET).signed_at is None


def own_fields() -> dict[str, str]:
    return dict(Signer(ACCESS_KEY, SECRET, endpoint="http://127.0.0.1:9000").presign_post("b", "k").fields)


def test_form_of_our_own_signer() -> None:
    claim = read_post_claim(own_fields(), region="us-east-1")
    assert claim is not None
    require_post_signature(claim, secret=SECRET)
    assert SECRET.reveal() not in repr(claim)
    assert claim.signature not in repr(claim)


def test_unsigned_form_claims_nothing() -> None:
    assert read_post_claim({"key": "k", "policy": "e30="}, region="us-east-1") is None


@pytest.mark.parametrize(
    ("missing", "name"),
    [
        ("x-amz-signature", "X-Amz-Signature"),
        ("x-amz-algorithm", "X-Amz-Algorithm"),
        ("x-amz-credential", "X-Amz-Credential"),
        ("x-amz-date", "X-Amz-Date"),
        ("policy", "Policy"),
    ],
)
def test_missing_field_of_sigv4(missing: str, name: str) -> None:
    fields = own_fields()
    del fields[missing]
    with pytest.raises(MissingFormFieldError) as caught:
        read_post_claim(fields, region="us-east-1")
    assert caught.value.name == name


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"signature": "s", "policy": "p"}, "AWSAccessKeyId"),
        ({"awsaccesskeyid": "s", "policy": "p"}, "Signature"),
        ({"awsaccesskeyid": "s", "signature": "p"}, "Policy"),
    ],
)
def test_missing_field_of_sigv2(fields: dict[str, str], name: str) -> None:
    with pytest.raises(MissingFormFieldError) as caught:
        read_post_claim(fields, region="us-east-1")
    assert caught.value.name == name


@pytest.mark.parametrize(
    ("changes", "name", "message"),
    [
        pytest.param(
            {"x-amz-algorithm": "AWS4-HMAC-SHA1"},
            "X-Amz-Algorithm",
            "Only AWS4-HMAC-SHA256 is supported",
            id="algorithm",
        ),
        pytest.param(
            {"x-amz-date": "2026-01-01"},
            "X-Amz-Date",
            "X-Amz-Date must be formated via ISO8601 Long format",
            id="date",
        ),
        pytest.param(
            {"x-amz-credential": "/20300101/us-east-1/s3/aws4_request"},
            "X-Amz-Credential",
            "a non-empty Access Key (AKID) must be provided in the credential.",
            id="no-key",
        ),
        pytest.param(
            {"x-amz-credential": "A/20300101/eu-west-1/s3/aws4_request"},
            "X-Amz-Credential",
            "the region 'eu-west-1' is wrong; expecting 'us-east-1'",
            id="region",
        ),
        pytest.param(
            {"x-amz-credential": "A/20300101/us-east-1/s3/aws4_request", "x-amz-date": "20300102T000000Z"},
            "X-Amz-Credential",
            'Invalid credential date "20300101". This date is not the same as X-Amz-Date: "20300102".',
            id="other-day",
        ),
    ],
)
def test_malformed_field(changes: dict[str, str], name: str, message: str) -> None:
    with pytest.raises(MalformedFormFieldError) as caught:
        read_post_claim({**own_fields(), **changes}, region="us-east-1")
    assert (caught.value.name, caught.value.message) == (name, message)


@pytest.mark.parametrize("changed", ["policy", "x-amz-signature"])
def test_changed_form_is_refused(changed: str) -> None:
    fields = own_fields()
    fields[changed] = fields[changed][:-1]
    claim = read_post_claim(fields, region="us-east-1")
    assert claim is not None
    with pytest.raises(SignatureMismatchError) as caught:
        require_post_signature(claim, secret=SECRET)
    assert caught.value.string_to_sign == fields["policy"].encode()
    assert caught.value.canonical_request is None
