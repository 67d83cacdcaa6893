"""Our signatures are botocore's, and our verifier takes every request that botocore signs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import botocore.session
import pytest
from botocore.auth import HmacV1Auth, HmacV1QueryAuth, S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.utils import percent_encode
from hypothesis import given
from hypothesis import strategies as st

from valetkey.sigv4.claims import AuthType, SignatureVersion
from valetkey.sigv4.instants import parse_amz_date
from valetkey.sigv4.keys import base64_signature
from valetkey.sigv4.legacy import SIGNED_PARAMETERS
from valetkey.sigv4.received import ReceivedRequest
from valetkey.sigv4.signer import Signer
from valetkey.sigv4.verify import Proof

ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
REGION = "us-east-1"
ENDPOINT = "http://127.0.0.1:9000"
TOKEN = "IQoJb3JpZ2luX2VjE//+token=="
PIECES = [
    "/",
    "//",
    ".",
    "..",
    "/./",
    "/../",
    "+",
    "%",
    "%2F",
    "%41",
    " ",
    "  ",
    "&",
    "=",
    "?",
    "#",
    "~",
    "é",
    "日",
    "😀",
]

keys = st.one_of(
    st.text(min_size=1, max_size=40),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), min_size=1, max_size=8)
    .map("".join)
    .filter(bool),
)
methods = st.sampled_from(["GET", "PUT", "HEAD", "POST", "DELETE"])
tokens = st.sampled_from([None, TOKEN])
queries = st.dictionaries(
    st.one_of(
        st.sampled_from(
            ["versionId", "uploads", "partNumber", "response-content-type", "prefix", "x-id", "x-amz-acl"]
        ),
        st.text(min_size=1, max_size=8),
    ).filter(
        lambda name: not name.startswith("X-Amz-") and name not in {"Signature", "AWSAccessKeyId", "Expires"}
    ),
    st.text(max_size=20),
    max_size=4,
)
# botocore folds every kind of white space, where S3's documents speak of spaces.
values = st.text(st.sampled_from("abc XYZ09;,=/\"'é日~%+"), max_size=16)
headers = st.dictionaries(
    st.sampled_from(
        ["Content-Type", "Content-MD5", "x-amz-acl", "X-Amz-Meta-Name", "x-amz-meta-a", "Cache-Control"]
    ),
    values,
    max_size=4,
)


def url_of(key: str, query: dict[str, str]) -> str:
    path = percent_encode(f"/bucket/{key}", safe="/~")
    pairs = [f"{percent_encode(name)}={percent_encode(value)}" for name, value in query.items()]
    return f"{ENDPOINT}{path}" + (f"?{'&'.join(pairs)}" if pairs else "")


def sent_by(request: AWSRequest) -> list[tuple[str, str]]:
    return [(str(name), str(value)) for name, value in request.headers.items()]


def url_after(request: AWSRequest) -> str:
    assert request.url is not None
    return request.url


def parameter(url: str, name: str) -> str:
    return parse_qs(urlsplit(url).query)[name][0]


@given(method=methods, key=keys, query=queries, sent=headers, token=tokens, expires=st.integers(1, 604_800))
def test_sigv4_query(
    method: str,
    key: str,
    query: dict[str, str],
    sent: dict[str, str],
    token: str | None,
    expires: int,
    receive: Callable[..., ReceivedRequest],
    prove: Callable[..., Proof],
) -> None:
    request = AWSRequest(method=method, url=url_of(key, query), headers=sent)
    S3SigV4QueryAuth(Credentials(ACCESS_KEY, SECRET_KEY, token), "s3", REGION, expires=expires).add_auth(
        request
    )
    theirs = url_after(request)
    at = parse_amz_date(parameter(theirs, "X-Amz-Date"))
    assert at is not None

    signer = Signer(ACCESS_KEY, SECRET_KEY, region=REGION, endpoint=ENDPOINT, session_token=token)
    ours = signer.presign(method, "bucket", key, expires=expires, query=query, headers=sent, at=at)
    assert parameter(ours.url, "X-Amz-Signature") == parameter(theirs, "X-Amz-Signature")
    assert urlsplit(ours.url).path == urlsplit(theirs).path
    assert sorted(urlsplit(ours.url).query.split("&")) == sorted(urlsplit(theirs).query.split("&"))

    for url in (theirs, ours.url):
        proof = prove(receive(url, method, sent_by(request)), at)
        assert proof.version is SignatureVersion.V4
        assert proof.auth_type is AuthType.QUERY


@given(method=methods, key=keys, query=queries, sent=headers, token=tokens, body=st.binary(max_size=20))
def test_sigv4_header(
    method: str,
    key: str,
    query: dict[str, str],
    sent: dict[str, str],
    token: str | None,
    body: bytes,
    receive: Callable[..., ReceivedRequest],
    prove: Callable[..., Proof],
) -> None:
    url = url_of(key, query)
    request = AWSRequest(method=method, url=url, headers=sent, data=body)
    S3SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY, token), "s3", REGION).add_auth(request)
    at = parse_amz_date(request.headers["X-Amz-Date"])
    assert at is not None

    signer = Signer(ACCESS_KEY, SECRET_KEY, region=REGION, endpoint=ENDPOINT, session_token=token)
    ours = signer.sign_headers(method, url, sent, body=body, at=at)
    assert ours["Authorization"] == request.headers["Authorization"]

    for authenticated in (sent_by(request), ours):
        proof = prove(receive(url, method, authenticated), at)
        assert proof.auth_type is AuthType.HEADER


def is_signed_alike(name: str) -> bool:
    """Tell whether botocore and we agree on a SigV2 parameter: we sign more of them, see SIGNED_PARAMETERS."""
    return name.encode() not in SIGNED_PARAMETERS or name in HmacV1Auth.QSAOfInterest


@given(
    method=methods,
    key=keys,
    query=queries.map(
        lambda query: {
            name: value
            for name, value in query.items()
            if is_signed_alike(name) and not name.lower().startswith(("x-amz-", "content-"))
        }
    ),
    sent=headers.map(lambda sent: {name: value.strip() for name, value in sent.items()}),
    token=tokens,
    leave=st.booleans(),
)
def test_sigv2_query(
    method: str,
    key: str,
    query: dict[str, str],
    sent: dict[str, str],
    token: str | None,
    leave: bool,
    receive: Callable[..., ReceivedRequest],
    prove: Callable[..., Proof],
) -> None:
    request = AWSRequest(method=method, url=url_of(key, query), headers=sent)
    HmacV1QueryAuth(Credentials(ACCESS_KEY, SECRET_KEY, token), expires=60).add_auth(request)
    # botocore writes the headers that it signed into the query; a client may send them, too.
    arrived = receive(request.url, method, [] if leave else list(sent.items()))
    proof = prove(arrived, datetime.now(UTC))
    assert proof.version is SignatureVersion.V2
    assert proof.auth_type is AuthType.QUERY


@given(method=methods, key=keys, sent=headers, token=tokens)
def test_sigv2_header(
    method: str,
    key: str,
    sent: dict[str, str],
    token: str | None,
    receive: Callable[..., ReceivedRequest],
    prove: Callable[..., Proof],
) -> None:
    request = AWSRequest(method=method, url=url_of(key, {"uploads": "", "prefix": "x"}), headers=sent)
    HmacV1Auth(Credentials(ACCESS_KEY, SECRET_KEY, token)).add_auth(request)
    proof = prove(receive(request.url, method, sent_by(request)), datetime.now(UTC))
    assert proof.version is SignatureVersion.V2
    assert proof.auth_type is AuthType.HEADER


def test_sigv2_signature_is_hmac_sha1() -> None:
    signed = HmacV1Auth(Credentials(ACCESS_KEY, SECRET_KEY)).sign_string("GET\n\n\n1\n/b/k")
    assert base64_signature(SECRET_KEY, b"GET\n\n\n1\n/b/k").decode() == signed


@pytest.mark.parametrize("version", [None, "s3", "s3v4"], ids=["default", "s3", "s3v4"])
@pytest.mark.parametrize("addressing", ["path", "virtual"])
def test_urls_of_a_real_client(
    version: str | None,
    addressing: str,
    receive: Callable[..., ReceivedRequest],
    prove: Callable[..., Proof],
) -> None:
    session = botocore.session.Session()
    s3: Any = {"addressing_style": addressing}
    client: Any = session.create_client(
        "s3",
        region_name=REGION,
        endpoint_url="http://localhost:9000",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=Config(signature_version=version, s3=s3),
    )
    upload: dict[str, Any] = {
        "Metadata": {"name": "x y"},
        "ContentType": "text/plain",
        "ACL": "private",
        "IfNoneMatch": "*",
    }
    part: dict[str, Any] = {"UploadId": "u/1+", "PartNumber": 3}
    for key in ["k", "/k", "a//b", "../a", "ä b+%", "日本.txt", "~(*)!'"]:
        for method, operation, more, sent in [
            ("GET", "get_object", {"ResponseContentDisposition": 'attachment; filename="a b"'}, {}),
            ("GET", "get_object", {"VersionId": "3/L4kqt+"}, {}),
            ("HEAD", "head_object", {}, {}),
            ("DELETE", "delete_object", {}, {}),
            ("POST", "create_multipart_upload", {}, {}),
            ("PUT", "upload_part", part, {}),
            (
                "PUT",
                "put_object",
                upload,
                {
                    "content-type": "text/plain",
                    "x-amz-acl": "private",
                    "x-amz-meta-name": "x y",
                    "if-none-match": "*",
                },
            ),
        ]:
            url = client.generate_presigned_url(operation, Params={"Bucket": "bucket", "Key": key, **more})
            virtual = "bucket" if addressing == "virtual" else None
            proof = prove(receive(url, method, sent), datetime.now(UTC), virtual_bucket=virtual)
            assert (proof.version is SignatureVersion.V4) is (version == "s3v4")
    client.close()
