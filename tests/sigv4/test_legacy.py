"""SigV2: what is signed, and what only seems to be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from valetkey.sigv4.claims import Claim, read_claim
from valetkey.sigv4.errors import (
    ExpiredError,
    InvalidExpiresV2Error,
    MalformedQueryAuthError,
    MissingQueryAuthV2Error,
    SignatureMismatchError,
)
from valetkey.sigv4.keys import base64_signature
from valetkey.sigv4.payload import Payload, PayloadKind
from valetkey.sigv4.received import ReceivedRequest
from valetkey.sigv4.verify import Proof

ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
EXPIRES = "1369357200"

Headers = list[tuple[bytes, bytes]]


def presigned(
    string_to_sign: str,
    query: str = "",
    *,
    method: str = "GET",
    path: str = "/b/k",
    headers: Headers | None = None,
) -> ReceivedRequest:
    """Return a request that carries the signature of `string_to_sign`."""
    signature = quote(base64_signature(SECRET_KEY, string_to_sign.encode()), safe="")
    own = f"AWSAccessKeyId={ACCESS_KEY}&Expires={EXPIRES}&Signature={signature}"
    target = f"{query}&{own}" if query else own
    return ReceivedRequest(method, path.encode(), target.encode(), [(b"host", b"h"), *(headers or [])])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ("AWSAccessKeyId=a&Signature=s", MissingQueryAuthV2Error),
        ("AWSAccessKeyId=a&Expires=1", MissingQueryAuthV2Error),
        ("Signature=s", MissingQueryAuthV2Error),
        ("AWSAccessKeyId=&Expires=1&Signature=s", MissingQueryAuthV2Error),
        ("AWSAccessKeyId=a&Expires=1&Signature=s&Expires=1", MalformedQueryAuthError),
        ("AWSAccessKeyId=a&Expires=1&Signature=s&Signature=s", MalformedQueryAuthError),
        ("AWSAccessKeyId=a&Expires=-1&Signature=s", InvalidExpiresV2Error),
        ("AWSAccessKeyId=a&Expires=1e9&Signature=s", InvalidExpiresV2Error),
        ("AWSAccessKeyId=a&Expires=%D9%A1&Signature=s", InvalidExpiresV2Error),
        ("AWSAccessKeyId=a&Expires=253402300800&Signature=s", InvalidExpiresV2Error),
        ("AWSAccessKeyId=a&Expires=20130524T000000Z&Signature=s", InvalidExpiresV2Error),
        ("AWSAccessKeyId=a&Expires=0&Signature=s", ExpiredError),
    ],
)
def test_malformed_query(changes: str, error: type[Exception], claim_of: Callable[..., Claim]) -> None:
    with pytest.raises(error):
        claim_of(ReceivedRequest("GET", b"/b/k", changes.encode(), []))


def test_invalid_expires_is_quoted(claim_of: Callable[..., Claim]) -> None:
    with pytest.raises(InvalidExpiresV2Error) as caught:
        claim_of(ReceivedRequest("GET", b"/", b"AWSAccessKeyId=a&Expires=soon&Signature=s", []))
    assert caught.value.value == "soon"


def test_last_moment_counts_and_the_end_does_not(prove: Callable[..., Proof]) -> None:
    request = presigned(f"GET\n\n\n{EXPIRES}\n/b/k")
    end = datetime.fromtimestamp(int(EXPIRES), UTC)
    proof = prove(request, end - timedelta(microseconds=1))
    assert (proof.signed_at, proof.expires_at) == (None, end)
    with pytest.raises(ExpiredError) as caught:
        prove(request, end)
    assert caught.value.lifetime_text is None


def test_a_url_may_live_for_years(prove: Callable[..., Proof]) -> None:
    request = presigned(f"GET\n\n\n{EXPIRES}\n/b/k")
    assert prove(request, datetime(2001, 1, 1, tzinfo=UTC)).access_key == ACCESS_KEY


@pytest.mark.parametrize(
    ("string_to_sign", "query"),
    [
        pytest.param("/b/k", "marker=x&unknown=1", id="other parameters are not signed"),
        pytest.param("/b/k?uploads", "uploads", id="sub-resource"),
        pytest.param("/b/k?uploads", "uploads=", id="sub-resource sent with an equals sign"),
        pytest.param("/b/k?uploads=", "uploads=", id="sub-resource signed with an equals sign"),
        pytest.param("/b/k?partNumber=1&uploadId=a/b", "uploadId=a%2Fb&partNumber=1", id="sorted, decoded"),
        pytest.param(
            "/b/k?response-content-type=text/plain; a=b",
            "response-content-type=text%2Fplain%3B%20a%3Db",
            id="response override",
        ),
        pytest.param("/b/k?versionId=2&versionId=1", "versionId=2&versionId=1", id="repeated, in order"),
    ],
)
def test_signed_resource(string_to_sign: str, query: str, prove: Callable[..., Proof]) -> None:
    assert prove(presigned(f"GET\n\n\n{EXPIRES}\n{string_to_sign}", query)).access_key == ACCESS_KEY


@pytest.mark.parametrize(
    "query",
    [
        "acl",
        "acl=",
        "a%63l",
        "attributes",
        "retention",
        "uploadId=1",
        "versionId=1",
        "response-content-type=text%2Fhtml",
        "x-amz-copy-source=%2Fother%2Fkey",
        "X-Amz-Meta-Added=1",
        "x%2Damz-acl=public-read",
    ],
)
def test_holder_cannot_add(query: str, prove: Callable[..., Proof]) -> None:
    with pytest.raises(SignatureMismatchError):
        prove(presigned(f"GET\n\n\n{EXPIRES}\n/b/k", query))


@pytest.mark.parametrize(
    "header",
    [
        (b"x-amz-copy-source", b"/other/key"),
        (b"x-amz-meta-a", b"1"),
        (b"content-type", b"text/plain"),
        (b"content-md5", b"1B2M2Y8AsgTpgAmY7PhCfg=="),
    ],
)
def test_holder_cannot_add_header(header: tuple[bytes, bytes], prove: Callable[..., Proof]) -> None:
    with pytest.raises(SignatureMismatchError) as caught:
        prove(presigned(f"PUT\n\n\n{EXPIRES}\n/b/k", method="PUT", headers=[header]))
    assert caught.value.canonical_request is None
    assert caught.value.string_to_sign.startswith(b"PUT\n")


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        pytest.param(
            "", [(b"x-amz-meta-a", b" 1 "), (b"x-amz-meta-a", b"2"), (b"x-amz-acl", b"x")], id="headers"
        ),
        pytest.param("x-amz-meta-a=1%2C2&X-Amz-Acl=x", [], id="query"),
        pytest.param("x-amz-meta-a=1%2C2", [(b"x-amz-acl", b"x")], id="both"),
        pytest.param("x-amz-meta-a=1%2C2&x-amz-acl=x", [(b"x-amz-acl", b"x")], id="twice the same"),
    ],
)
def test_signed_headers(query: str, headers: Headers, prove: Callable[..., Proof]) -> None:
    string_to_sign = f"GET\n\n\n{EXPIRES}\nx-amz-acl:x\nx-amz-meta-a:1,2\n/b/k"
    assert prove(presigned(string_to_sign, query, headers=headers)).access_key == ACCESS_KEY


def test_two_values_of_one_header_match_neither(prove: Callable[..., Proof]) -> None:
    for value in "xy":
        string_to_sign = f"GET\n\n\n{EXPIRES}\nx-amz-acl:{value}\n/b/k"
        with pytest.raises(SignatureMismatchError):
            prove(presigned(string_to_sign, "x-amz-acl=x", headers=[(b"x-amz-acl", b"y")]))


@pytest.mark.parametrize(
    ("signed", "query"),
    [
        pytest.param("x-amz-meta-a:1,2\n/b/k", "x-amz-meta-a=1&X-Amz-Meta-A=2", id="header split in two"),
        pytest.param("x-amz-a:1\nx-amz-b:2\n/b/k", "x-amz-a=1%0Ax-amz-b:2", id="header hidden in a value"),
        pytest.param("x-amz-a:1\nx-amz-b:2\n/b/k", "x-amz-a%3A1%0Ax-amz-b=2", id="header hidden in a name"),
        pytest.param("x-amz-meta-a:1:2\n/b/k", "x-amz-meta-a%3A1=2", id="value hidden in a name"),
        pytest.param(
            "/b/k?response-content-type=a&versionId=b",
            "response-content-type=a%26versionId%3Db",
            id="parameter hidden in a value",
        ),
        pytest.param("/b/k?versionId=b&acl", "versionId=b%26acl", id="sub-resource hidden in a value"),
    ],
)
def test_what_would_be_signed_alike_is_refused(signed: str, query: str, prove: Callable[..., Proof]) -> None:
    with pytest.raises(MalformedQueryAuthError):
        prove(presigned(f"GET\n\n\n{EXPIRES}\n{signed}", query))


def test_ampersand_in_a_value_is_no_harm(prove: Callable[..., Proof]) -> None:
    signed = "/b/k?response-content-disposition=attachment; filename=a&b=c"
    query = "response-content-disposition=attachment%3B%20filename%3Da%26b%3Dc"
    assert prove(presigned(f"GET\n\n\n{EXPIRES}\n{signed}", query)).access_key == ACCESS_KEY


def test_content_headers_may_be_in_the_query(prove: Callable[..., Proof]) -> None:
    string_to_sign = f"PUT\nbWQ1\ntext/plain\n{EXPIRES}\n/b/k"
    query = "content-md5=bWQ1&content-type=text%2Fplain"
    assert prove(presigned(string_to_sign, query, method="PUT")).access_key == ACCESS_KEY
    with pytest.raises(SignatureMismatchError):
        prove(presigned(string_to_sign, query, method="PUT", headers=[(b"content-type", b"text/html")]))


def test_path_is_signed_as_it_was_sent(prove: Callable[..., Proof]) -> None:
    request = presigned(f"GET\n\n\n{EXPIRES}\n/b//a%2fb/../%20", path="/b//a%2fb/../%20")
    assert prove(request).access_key == ACCESS_KEY


def test_bucket_of_the_host_is_signed(prove: Callable[..., Proof]) -> None:
    request = presigned(f"GET\n\n\n{EXPIRES}\n/b/k", path="/k")
    assert prove(request, virtual_bucket="b").access_key == ACCESS_KEY
    with pytest.raises(SignatureMismatchError):
        prove(request)


def test_head_on_a_get_url(prove: Callable[..., Proof]) -> None:
    request = presigned(f"GET\n\n\n{EXPIRES}\n/b/k", method="HEAD")
    assert prove(request, head_as_get=True).access_key == ACCESS_KEY
    with pytest.raises(SignatureMismatchError) as caught:
        prove(request)
    assert caught.value.string_to_sign.startswith(b"HEAD\n")


def test_session_token_is_read_from_query_or_header(at: datetime) -> None:
    query = b"AWSAccessKeyId=a&Expires=1369357200&Signature=s"
    hoisted = ReceivedRequest("GET", b"/", query + b"&x-amz-security-token=t%2B", [])
    sent = ReceivedRequest("GET", b"/", query, [(b"x-amz-security-token", b"t+")])
    for request in (hoisted, sent):
        claim = read_claim(request, region="us-east-1", now=at)
        assert claim is not None
        assert claim.session_token == "t+"


@pytest.mark.parametrize(
    ("value", "payload"),
    [
        (None, Payload(PayloadKind.UNSIGNED)),
        ("b" * 64, Payload(PayloadKind.SHA256, "b" * 64)),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", Payload(PayloadKind.NOT_DECODED)),
    ],
)
def test_payload(value: str | None, payload: Payload, claim_of: Callable[..., Claim]) -> None:
    headers = [] if value is None else [(b"x-amz-content-sha256", value.encode())]
    assert claim_of(presigned("", headers=headers)).payload == payload


@pytest.mark.parametrize(
    ("date_line", "headers"),
    [
        pytest.param(
            "Fri, 24 May 2013 00:00:00 GMT\n", [(b"date", b"Fri, 24 May 2013 00:00:00 GMT")], id="Date"
        ),
        pytest.param(
            "\nx-amz-date:20130524T000000Z\n",
            [(b"date", b"Fri, 24 May 2013 00:00:00 GMT"), (b"x-amz-date", b"20130524T000000Z")],
            id="x-amz-date",
        ),
    ],
)
def test_date_of_header_authentication(date_line: str, headers: Headers, prove: Callable[..., Proof]) -> None:
    signature = base64_signature(SECRET_KEY, f"GET\n\n\n{date_line}/b/k".encode())
    authorization = (b"authorization", f"AWS {ACCESS_KEY}:".encode() + signature)
    assert prove(ReceivedRequest("GET", b"/b/k", b"", [*headers, authorization])).access_key == ACCESS_KEY
    with pytest.raises(SignatureMismatchError):
        prove(ReceivedRequest("GET", b"/b/K", b"", [*headers, authorization]))
