"""Which headers must be signed, and what else may prove a request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from valetkey.sigv4.claims import Claim
from valetkey.sigv4.errors import HeadersNotSignedError, SignatureMismatchError
from valetkey.sigv4.payload import PayloadKind
from valetkey.sigv4.received import ReceivedRequest
from valetkey.sigv4.secret import Secret
from valetkey.sigv4.signer import Signer
from valetkey.sigv4.verify import Proof, SignedHost, require_signature

Receive = Callable[..., ReceivedRequest]
Prove = Callable[..., Proof]


@pytest.mark.parametrize(
    ("sent", "names"),
    [
        pytest.param({"x-amz-copy-source": "/b/k"}, ("x-amz-copy-source",), id="copy source"),
        pytest.param(
            {"x-amz-meta-b": "1", "X-Amz-Acl": "private"}, ("x-amz-acl", "x-amz-meta-b"), id="two, sorted"
        ),
        pytest.param({"x-amz-date": "20130524T000000Z"}, ("x-amz-date",), id="date"),
        pytest.param({"x-amz-security-token": "t"}, ("x-amz-security-token",), id="session token"),
        pytest.param({"content-md5": "bWQ1"}, ("content-md5",), id="Content-MD5"),
    ],
)
def test_unsigned_headers_are_named(
    sent: dict[str, str], names: tuple[str, ...], signer: Signer, receive: Receive, prove: Prove, at: datetime
) -> None:
    url = signer.presign("PUT", "b", "k", at=at).url
    with pytest.raises(HeadersNotSignedError) as caught:
        prove(receive(url, "PUT", sent))
    assert caught.value.names == names


def test_unsigned_headers_are_said_before_the_mismatch(
    signer: Signer, receive: Receive, prove: Prove, at: datetime
) -> None:
    url = signer.presign("PUT", "b", "k", headers={"x-amz-meta-foo": "1"}, at=at).url
    with pytest.raises(HeadersNotSignedError) as caught:
        prove(receive(url, "PUT", {"x-amz-meta-wrong": "1"}))
    assert caught.value.names == ("x-amz-meta-wrong",)


@pytest.mark.parametrize(
    "sent",
    [
        {"content-type": "text/plain", "range": "bytes=0-1", "if-none-match": "*", "user-agent": "x"},
        {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"},
        {"x-amzn-trace-id": "Root=1"},
    ],
    ids=["ordinary headers", "payload hash", "no header of S3"],
)
def test_headers_that_may_be_unsigned(
    sent: dict[str, str], signer: Signer, receive: Receive, prove: Prove, at: datetime
) -> None:
    prove(receive(signer.presign("PUT", "b", "k", at=at).url, "PUT", sent))


def test_an_unsigned_hash_is_the_payload_hash(
    signer: Signer, receive: Receive, prove: Prove, at: datetime
) -> None:
    url = signer.presign("PUT", "b", "k", at=at).url
    with pytest.raises(SignatureMismatchError) as caught:
        prove(receive(url, "PUT", {"x-amz-content-sha256": "a" * 64}))
    assert caught.value.canonical_request is not None
    assert caught.value.canonical_request.endswith(b"\n" + b"a" * 64)


def test_host_must_be_signed(signer: Signer, receive: Receive, prove: Prove, at: datetime) -> None:
    url = signer.presign("GET", "b", "k", at=at).url.replace("SignedHeaders=host", "SignedHeaders=range")
    with pytest.raises(HeadersNotSignedError) as caught:
        prove(receive(url, headers={"range": "bytes=0-1"}))
    assert caught.value.names == ("host",)


def test_if_range_must_be_signed_where_range_is(
    signer: Signer, receive: Receive, prove: Prove, at: datetime
) -> None:
    sent = {"range": "bytes=0-1"}
    url = signer.presign("GET", "b", "k", headers=sent, at=at).url
    prove(receive(url, headers=sent))
    with pytest.raises(HeadersNotSignedError) as caught:
        prove(receive(url, headers={**sent, "if-range": '"etag"'}))
    assert caught.value.names == ("if-range",)


def test_header_authentication_signs_every_amz_header(
    signer: Signer, receive: Receive, prove: Prove, at: datetime
) -> None:
    url = "http://127.0.0.1:9000/b/k"
    signed = signer.sign_headers("PUT", url, {"x-amz-meta-a": "1"}, body=b"x", at=at)
    proof = prove(receive(url, "PUT", signed))
    assert proof.payload.kind is PayloadKind.SHA256
    with pytest.raises(HeadersNotSignedError) as caught:
        prove(receive(url, "PUT", {**signed, "x-amz-copy-source": "/c/k", "Content-MD5": "bWQ1"}))
    assert caught.value.names == ("content-md5", "x-amz-copy-source")


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param([("x-amz-meta-a", "1"), ("x-amz-meta-a", "2")], id="two lines"),
        pytest.param([("x-amz-meta-a", "1,2")], id="one line"),
        pytest.param([("x-amz-meta-a", "  1,2\t")], id="padded"),
    ],
)
def test_header_lines_that_are_the_same(
    sent: list[tuple[str, str]], signer: Signer, receive: Receive, prove: Prove, at: datetime
) -> None:
    url = signer.presign("PUT", "b", "k", headers={"x-amz-meta-a": "1,2"}, at=at).url
    prove(receive(url, "PUT", sent))


@pytest.mark.parametrize("value", ["1", ""])
def test_a_signed_header_must_be_sent(
    value: str, signer: Signer, receive: Receive, prove: Prove, at: datetime
) -> None:
    presigned = signer.presign("PUT", "b", "k", headers={"x-amz-meta-a": value}, at=at)
    prove(receive(presigned.url, "PUT", presigned.headers))
    with pytest.raises(SignatureMismatchError):
        prove(receive(presigned.url, "PUT"))


@pytest.mark.parametrize("name", ["x-amz-server-side-encryption", "X-Amz-Server-Side-Encryption"])
def test_a_signed_header_may_stand_in_the_query_only(
    name: str, signer: Signer, receive: Receive, prove: Prove, at: datetime
) -> None:
    header = {"x-amz-server-side-encryption": "AES 256"}
    url = signer.presign("PUT", "b", "k", headers=header, query={name: "AES 256"}, at=at).url
    prove(receive(url, "PUT"))
    prove(receive(url, "PUT", header))
    with pytest.raises(SignatureMismatchError):
        prove(receive(url, "PUT", {"x-amz-server-side-encryption": "aws:kms"}))
    with pytest.raises(SignatureMismatchError):
        prove(receive(url.replace("AES%20256", "AES%20257"), "PUT"))


def test_no_parameter_stands_in_for_host(
    signer: Signer, receive: Receive, prove: Prove, at: datetime
) -> None:
    url = signer.presign("GET", "b", "k", query={"host": "127.0.0.1:9000"}, at=at).url
    request = receive(url)
    prove(request)
    without_host = ReceivedRequest(request.method, request.raw_path, request.raw_query, [])
    with pytest.raises(SignatureMismatchError):
        prove(without_host)


def test_query_stands_in_for_nothing_under_header_authentication(
    signer: Signer, receive: Receive, prove: Prove, at: datetime
) -> None:
    url = "http://127.0.0.1:9000/b/k?x-amz-acl=private"
    signed = signer.sign_headers("PUT", url, {"x-amz-acl": "private"}, at=at)
    prove(receive(url, "PUT", signed))
    del signed["x-amz-acl"]
    with pytest.raises(SignatureMismatchError):
        prove(receive(url, "PUT", signed))


@pytest.mark.parametrize(
    ("endpoint", "alternative"),
    [
        ("https://files.example.com", SignedHost(host=b"files.example.com")),
        ("https://example.com:8443/store", SignedHost(host=b"example.com:8443", path_prefix=b"/store")),
    ],
    ids=["host", "prefix"],
)
def test_public_endpoints_prove_a_request_behind_a_proxy(
    endpoint: str, alternative: SignedHost, receive: Receive, prove: Prove, at: datetime
) -> None:
    public = Signer("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", endpoint=endpoint)
    query = public.presign("GET", "b", "k", at=at).url.partition("?")[2]
    request = receive(f"http://10.0.0.1:9000/b/k?{query}")
    other = SignedHost(host=b"other.example.com")
    prove(request, alternatives=[other, alternative])
    with pytest.raises(SignatureMismatchError) as caught:
        prove(request, alternatives=[other])
    assert caught.value.canonical_request is not None
    assert b"host:10.0.0.1:9000\n" in caught.value.canonical_request


def test_head_on_a_get_url_only_where_allowed(
    signer: Signer, receive: Receive, prove: Prove, at: datetime
) -> None:
    url = signer.presign("GET", "b", "k", at=at).url
    prove(receive(url, "HEAD"), head_as_get=True)
    with pytest.raises(SignatureMismatchError) as caught:
        prove(receive(url, "HEAD"))
    assert caught.value.canonical_request is not None
    assert caught.value.canonical_request.startswith(b"HEAD\n")


@pytest.mark.parametrize(("signed", "sent"), [("HEAD", "GET"), ("GET", "DELETE"), ("PUT", "HEAD")])
def test_no_other_method_is_taken_for_another(
    signed: str, sent: str, signer: Signer, receive: Receive, prove: Prove, at: datetime
) -> None:
    with pytest.raises(SignatureMismatchError):
        prove(receive(signer.presign(signed, "b", "k", at=at).url, sent), head_as_get=True)


def test_head_as_get_is_for_urls_only(signer: Signer, receive: Receive, prove: Prove, at: datetime) -> None:
    url = "http://127.0.0.1:9000/b/k"
    signed = signer.sign_headers("GET", url, at=at)
    with pytest.raises(SignatureMismatchError):
        prove(receive(url, "HEAD", signed), head_as_get=True)


@pytest.mark.parametrize(
    ("signed", "arrived"),
    [("k-_.~", "k%2d%5F.~"), ("a b", "a+b"), ("(1)", "%28" + "1%29")],
    ids=["escaped unreserved", "plus as space", "escaped"],
)
def test_spellings_of_a_query_value_that_clients_change(
    signed: str, arrived: str, signer: Signer, receive: Receive, prove: Prove, at: datetime
) -> None:
    url = signer.presign("GET", "b", query={"prefix": signed}, at=at).url
    head, _, tail = url.partition("&prefix=")
    prove(receive(f"{head}&prefix={arrived}{tail[tail.index('&') :]}"))


@pytest.mark.parametrize(
    ("signed", "arrived"),
    [("a/b", "a%2Fb"), ("a//b", "a/b"), ("./a", "a"), ("a b", "a+b"), ("é", "%c3%a9"), ("a", "%61")],
)
def test_spellings_of_a_path_are_never_merged(
    signed: str, arrived: str, signer: Signer, receive: Receive, prove: Prove, at: datetime
) -> None:
    query = signer.presign("GET", "b", signed, at=at).url.partition("?")[2]
    with pytest.raises(SignatureMismatchError):
        prove(receive(f"http://127.0.0.1:9000/b/{arrived}?{query}"))


def test_bare_bytes_of_a_path_are_signed_escaped(
    signer: Signer, receive: Receive, prove: Prove, at: datetime
) -> None:
    query = signer.presign("GET", "b", "a+(b)é%", at=at).url.partition("?")[2]
    prove(receive(f"http://127.0.0.1:9000/b/a+(b)é%?{query}"))


def test_mismatch_shows_what_was_signed_and_no_secret(
    signer: Signer, receive: Receive, claim_of: Callable[..., Claim], at: datetime
) -> None:
    url = signer.presign("GET", "b", "k", at=at).url
    request = receive(url.replace("/b/k", "/b/j"))
    with pytest.raises(SignatureMismatchError) as caught:
        require_signature(
            claim_of(request), request, secret=Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        )
    error = caught.value
    assert error.access_key == "AKIAIOSFODNN7EXAMPLE"
    assert error.signature_provided == url[-64:]
    assert error.string_to_sign.startswith(
        b"AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n"
    )
    assert error.canonical_request is not None
    assert error.canonical_request.startswith(b"GET\n/b/j\nX-Amz-Algorithm=")
    assert b"X-Amz-Signature" not in error.canonical_request


@pytest.mark.parametrize("signature", ["", "é", "A" * 64, "0" * 63], ids=["empty", "é", "capitals", "short"])
def test_signatures_of_another_form_do_not_match(
    signature: str, signer: Signer, receive: Receive, prove: Prove, at: datetime
) -> None:
    url = signer.presign("GET", "b", "k", at=at).url
    with pytest.raises(SignatureMismatchError):
        prove(receive(url[:-64] + signature))


def test_capital_hex_is_another_signature(
    signer: Signer, receive: Receive, prove: Prove, at: datetime
) -> None:
    url = signer.presign("GET", "b", "k", at=at).url
    with pytest.raises(SignatureMismatchError):
        prove(receive(url[:-64] + url[-64:].upper()))


@pytest.mark.parametrize(
    ("word", "is_signed"),
    [
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", True),
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", True),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", False),
        ("UNSIGNED-PAYLOAD", False),
    ],
)
def test_proof_brings_the_chunk_signer(
    word: str, is_signed: bool, signer: Signer, receive: Receive, prove: Prove, at: datetime
) -> None:
    url = "http://127.0.0.1:9000/b/k"
    proof = prove(receive(url, "PUT", signer.sign_headers("PUT", url, payload_sha256=word, at=at)))
    assert (proof.chunk_signer is not None) is is_signed
    assert proof.signature not in repr(proof)
