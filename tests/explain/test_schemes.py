"""Every scheme is recognised and decoded, as real signers write it where one can be had."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import awscrt.auth
import awscrt.http
import pytest
from botocore.signers import CloudFrontSigner
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from tests.explain.signed import AT, KEY, NOW, SECRET, causes, explained, presigned

from valetkey.explain.facts import Scheme
from valetkey.explain.report import Verdict


def rsa_signer() -> CloudFrontSigner:
    key = rsa.generate_private_key(65537, 2048)
    return CloudFrontSigner("K2JCJMDEHXQW5F", lambda text: key.sign(text, padding.PKCS1v15(), hashes.SHA1()))


def test_cloudfront_with_the_canned_policy() -> None:
    url = rsa_signer().generate_presigned_url(
        "https://d1.cloudfront.net/a.jpg", date_less_than=NOW + timedelta(hours=1)
    )
    report = explained(url)
    assert report.facts.scheme is Scheme.CLOUDFRONT
    assert report.facts.access_key == "K2JCJMDEHXQW5F"
    assert report.facts.ends_at == NOW + timedelta(hours=1)
    assert report.verdict is Verdict.NOT_CHECKED
    assert causes(report) == []
    assert causes(explained(url, now=NOW + timedelta(hours=1))) == ["expired"]
    assert causes(explained(url, now=NOW + timedelta(minutes=59))) == []


def test_cloudfront_with_a_policy_of_its_own() -> None:
    signer = rsa_signer()
    policy = signer.build_policy(
        "https://d1.cloudfront.net/*",
        NOW - timedelta(hours=1),
        date_greater_than=AT - timedelta(days=1),
        ip_address="192.0.2.0/24",
    )
    facts = explained(signer.generate_presigned_url("https://d1.cloudfront.net/a.jpg", policy=policy)).facts
    assert (facts.starts_at, facts.ends_at) == (AT - timedelta(days=1), NOW - timedelta(hours=1))
    assert facts.addresses == "192.0.2.0/24"
    assert facts.conditions == ("resource https://d1.cloudfront.net/*",)


def test_sigv4a_by_amazons_own_runtime() -> None:
    request = awscrt.http.HttpRequest(
        "GET", "/bucket/key", awscrt.http.HttpHeaders([("host", "mrap.example.com")])
    )
    config = awscrt.auth.AwsSigningConfig(
        algorithm=awscrt.auth.AwsSigningAlgorithm.V4_ASYMMETRIC,
        signature_type=awscrt.auth.AwsSignatureType.HTTP_REQUEST_QUERY_PARAMS,
        credentials_provider=awscrt.auth.AwsCredentialsProvider.new_static(KEY, SECRET),
        region="*",
        service="s3",
        date=AT,
        expiration_in_seconds=600,
        use_double_uri_encode=False,
    )
    signed = awscrt.auth.aws_sign_request(request, config).result(10)
    report = explained(f"https://mrap.example.com{signed.path}")
    assert report.facts.scheme is Scheme.SIGV4A
    assert (report.facts.access_key, report.facts.region) == (KEY, "*")
    assert report.facts.ends_at == AT + timedelta(minutes=10)
    assert causes(report) == []


@pytest.mark.parametrize(
    ("url", "scheme", "who", "ends_at"),
    [
        (
            "https://storage.googleapis.com/example-bucket/cat.jpeg?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential="
            "example%40example-project.iam.gserviceaccount.com%2F20181026%2Fus-central1%2Fstorage%2Fgoog4_request"
            "&X-Goog-Date=20181026T181309Z&X-Goog-Expires=900&X-Goog-SignedHeaders=host&X-Goog-Signature=247a2a45",
            Scheme.GCS_V4,
            "example@example-project.iam.gserviceaccount.com",
            datetime(2018, 10, 26, 18, 28, 9, tzinfo=UTC),
        ),
        (
            "https://storage.googleapis.com/example-bucket/cat.jpeg?GoogleAccessId=example@example-project.iam."
            "gserviceaccount.com&Expires=1458238630&Signature=VVUgfqviDCov%2B",
            Scheme.GCS_V2,
            "example@example-project.iam.gserviceaccount.com",
            datetime(2016, 3, 17, 18, 17, 10, tzinfo=UTC),
        ),
        (
            "https://myaccount.blob.core.windows.net/sascontainer/blob1.txt?sp=rw&st=2023-05-24T01:13:55Z"
            "&se=2023-05-24T09:13:55Z&sip=198.51.100.10-198.51.100.20&spr=https&sv=2022-11-02&sr=b&sig=abc%3D",
            Scheme.AZURE_SAS,
            "myaccount",
            datetime(2023, 5, 24, 9, 13, 55, tzinfo=UTC),
        ),
    ],
    ids=["gcs-v4", "gcs-v2", "azure"],
)
def test_urls_of_their_documentation(url: str, scheme: Scheme, who: str, ends_at: datetime) -> None:
    """Source: Google Cloud Storage, "Signed URLs"; Azure Storage, "Create an account SAS"."""
    facts = explained(url).facts
    assert (facts.scheme, facts.access_key, facts.ends_at) == (scheme, who, ends_at)


def test_azure_permissions_are_words() -> None:
    url = "https://a.blob.core.windows.net/c/b?sp=rwd&sv=2022-11-02&sr=b&sig=abc"
    assert explained(url).facts.permissions == "read, write, delete"


def test_what_is_not_signed_is_said() -> None:
    report = explained("https://files.example.com/bucket/key?versionId=3")
    assert (report.facts.scheme, report.verdict) == (Scheme.NONE, Verdict.NOT_CHECKED)


def test_our_own() -> None:
    report = explained(presigned(query={"response-content-type": "text/plain"}))
    facts = report.facts
    assert (facts.scheme, facts.operation) == (Scheme.SIGV4, "GetObject")
    assert (facts.bucket, facts.key, facts.host) == ("bucket", "a/report.pdf", "files.example.com")
    assert (facts.signed_at, facts.ends_at) == (AT, AT + timedelta(hours=1))
    assert report.is_fine
