"""Every published vector, through the functions that a request goes through."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from valetkey.sigv4.canonical import canonical_query, canonical_request, header_lines
from valetkey.sigv4.chunks import ChunkDecoder
from valetkey.sigv4.claims import AuthType, Claim, SignatureVersion
from valetkey.sigv4.credentials import SigningCredentials
from valetkey.sigv4.encoding import canonical_path, query_pairs
from valetkey.sigv4.errors import ChunkSignatureMismatchError
from valetkey.sigv4.keys import (
    base64_signature,
    signing_key,
    signing_key_bytes,
    string_to_sign,
)
from valetkey.sigv4.payload import PayloadKind
from valetkey.sigv4.post_policy import policy_signature
from valetkey.sigv4.received import ReceivedRequest
from valetkey.sigv4.secret import Secret
from valetkey.sigv4.signer import Signer
from valetkey.sigv4.verify import Proof

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "sigv4-vectors.json").read_text())
KEY = VECTORS["credentials"]
DATE, REGION, SERVICE, _ = VECTORS["scope"].split("/")
SEEDS = {"chunked": "chunked-seed", "chunked-trailer": "chunked-trailer-seed"}


def named(part: str) -> list[Any]:
    return [pytest.param(vector, id=vector["name"]) for vector in VECTORS[part]]


def arrived(vector: dict[str, Any]) -> ReceivedRequest:
    """Rebuild the request whose canonical form a vector shows, as it came over the wire."""
    method, path, query, *rest = vector["canonical_request"].split("\n")
    names, headers = rest[-2], [line.partition(":") for line in rest[:-3]]
    sent = [(name.encode(), value.encode()) for name, _, value in headers]
    if "X-Amz-Algorithm" in query:
        query += f"&X-Amz-Signature={vector['signature']}"
    else:
        credential = f"{KEY['access_key']}/{VECTORS['scope']}"
        authorization = (
            f"AWS4-HMAC-SHA256 Credential={credential},SignedHeaders={names},Signature={vector['signature']}"
        )
        sent.append((b"authorization", authorization.encode()))
    return ReceivedRequest(method, path.encode(), query.encode(), sent)


def signing(vector: dict[str, Any]) -> tuple[str, str]:
    """Return date and scope of a vector."""
    _, amz_date, scope, _ = vector["string_to_sign"].split("\n")
    return amz_date, scope


def test_signing_key_of_the_day() -> None:
    key = signing_key_bytes(KEY["secret_key"], date=DATE, region=REGION, service=SERVICE)
    assert key.hex() == VECTORS["signing_key_hex_20130524"]


@pytest.mark.parametrize("vector", named("requests"))
def test_request_is_proved(vector: dict[str, Any], prove: Callable[..., Proof]) -> None:
    proof = prove(arrived(vector))
    assert proof.access_key == KEY["access_key"]
    assert proof.signature == vector["signature"]
    assert proof.version is SignatureVersion.V4
    assert proof.signed_at == datetime(2013, 5, 24, tzinfo=UTC)


@pytest.mark.parametrize("vector", [*named("requests"), *named("suite")])
def test_canonical_request_and_string_to_sign(vector: dict[str, Any]) -> None:
    method, path, query, *rest = vector["canonical_request"].split("\n")
    names = rest[-2].encode()
    headers = [
        (name.encode(), value.encode()) for name, _, value in (line.partition(":") for line in rest[:-3])
    ]
    canonical = canonical_request(
        method,
        canonical_path(path.encode()),
        canonical_query(query_pairs(query.encode())),
        header_lines(names.split(b";"), headers, host=b"", stand_ins=()),
        names,
        rest[-1].encode(),
    )
    assert canonical.decode() == vector["canonical_request"]
    amz_date, scope = signing(vector)
    to_sign = string_to_sign(canonical, amz_date=amz_date, scope=scope)
    assert to_sign.decode() == vector["string_to_sign"]
    date, region, service, _ = scope.split("/")
    secret = vector.get("secret_key", KEY["secret_key"])
    assert signing_key(secret, date, region, service).hex_signature(to_sign) == vector["signature"]


@pytest.mark.parametrize("vector", named("requests"))
def test_hash_of_the_canonical_request(vector: dict[str, Any]) -> None:
    assert sha256(vector["canonical_request"].encode()).hexdigest() == vector["canonical_request_sha256"]


def test_signer_writes_amazons_url(at: datetime) -> None:
    vector = VECTORS["requests"][0]
    signer = Signer(
        KEY["access_key"], KEY["secret_key"], endpoint="https://s3.amazonaws.com", addressing="virtual"
    )
    presigned = signer.presign("GET", "examplebucket", "test.txt", expires=86_400, at=at)
    assert str(presigned) == vector["url"]


@pytest.mark.parametrize("vector", [vector for vector in named("requests") if "header-" in str(vector.id)])
def test_signer_writes_amazons_headers(vector: dict[str, Any], at: datetime) -> None:
    request = arrived(vector)
    url = f"https://examplebucket.s3.amazonaws.com{request.raw_path.decode()}?{request.raw_query.decode()}"
    headers = {
        name.decode(): value.decode()
        for name, value in request.headers
        if name in {b"range", b"date", b"x-amz-storage-class"}
    }
    signed = Signer(KEY["access_key"], KEY["secret_key"]).sign_headers(
        request.method, url, headers, body=vector.get("body", "").encode(), at=at
    )
    assert signed["Authorization"].endswith(f", Signature={vector['signature']}")


def chunked_body(vector: dict[str, Any]) -> bytes:
    body = b""
    for chunk in vector["chunks"]:
        body += f"{chunk['size']:x};chunk-signature={chunk['signature']}\r\n".encode()
        body += b"a" * chunk["size"] + (b"\r\n" if chunk["size"] else b"")
    if "trailer" in vector:
        body += vector["trailer"]["line"].rstrip().encode() + b"\r\n"
        body += f"x-amz-trailer-signature:{vector['trailer']['signature']}\r\n".encode()
    return body + b"\r\n"


def decoder_of(vector: dict[str, Any], prove: Callable[..., Proof]) -> ChunkDecoder:
    seed = next(each for each in VECTORS["requests"] if each["name"] == SEEDS[vector["name"]])
    proof = prove(arrived(seed))
    assert proof.chunk_signer is not None
    has_trailer = proof.payload.kind is PayloadKind.STREAMING_SIGNED_TRAILER
    return ChunkDecoder(signer=proof.chunk_signer, trailers_allowed=has_trailer)


@pytest.mark.parametrize("vector", named("chunked"))
def test_chunked_body(vector: dict[str, Any], prove: Callable[..., Proof]) -> None:
    decoder = decoder_of(vector, prove)
    content = b"".join(decoder.feed(chunked_body(vector)))
    trailers = decoder.finish()
    assert content == b"a" * 66_560
    assert decoder.decoded_bytes == 66_560
    assert trailers == ({"x-amz-checksum-crc32c": "sOO8/Q=="} if "trailer" in vector else {})


def test_chunked_body_has_the_length_that_amazon_prints() -> None:
    assert len(chunked_body(VECTORS["chunked"][0])) == 66_824


@pytest.mark.parametrize("vector", named("chunked"))
@pytest.mark.parametrize("number", [0, 1, 2])
def test_chunk_string_to_sign(vector: dict[str, Any], number: int, prove: Callable[..., Proof]) -> None:
    chunks = [dict(chunk) for chunk in vector["chunks"]]
    chunks[number]["signature"] = "0" * 64
    decoder = decoder_of(vector, prove)
    with pytest.raises(ChunkSignatureMismatchError) as caught:
        decoder.feed(chunked_body({**vector, "chunks": chunks}))
    assert caught.value.string_to_sign.decode() == vector["chunks"][number]["string_to_sign"]


def test_trailer_string_to_sign(prove: Callable[..., Proof]) -> None:
    vector = VECTORS["chunked"][1]
    decoder = decoder_of(vector, prove)
    body = chunked_body(vector).replace(vector["trailer"]["signature"].encode(), b"0" * 64)
    with pytest.raises(ChunkSignatureMismatchError) as caught:
        decoder.feed(body)
    assert caught.value.string_to_sign.decode() == vector["trailer"]["string_to_sign"]


@pytest.mark.parametrize("vector", named("post"))
def test_post_policy(vector: dict[str, Any]) -> None:
    assert (
        signing_key_bytes(KEY["secret_key"], date="20151229", region=REGION).hex()
        == vector["signing_key_hex"]
    )
    credentials = SigningCredentials(
        access_key=KEY["access_key"],
        secret=Secret(KEY["secret_key"]),
        region=REGION,
        service="s3",
        session_token=None,
    )
    assert policy_signature(credentials, vector["policy_base64"], date="20151229") == vector["signature"]


def test_signer_writes_botocores_post_policy() -> None:
    vector = VECTORS["post"][1]
    post = Signer(KEY["access_key"], KEY["secret_key"]).presign_post(
        "sigv4examplebucket", "user/user1/photo.jpg", at=datetime(2015, 12, 29, tzinfo=UTC)
    )
    assert post.fields["policy"] == vector["policy_base64"]
    assert post.fields["x-amz-signature"] == vector["signature"]


@pytest.mark.parametrize("vector", named("sigv2"))
def test_sigv2_signature(vector: dict[str, Any]) -> None:
    signed = base64_signature(KEY["secret_key"], vector["string_to_sign"].encode())
    assert signed.decode() == vector["signature"]


@pytest.mark.parametrize("vector", named("sigv2"))
def test_sigv2_request_is_proved(
    vector: dict[str, Any], prove: Callable[..., Proof], claim_of: Callable[..., Claim]
) -> None:
    method, _, _, date_line, path = vector["string_to_sign"].split("\n")
    signature = vector["signature"]
    headers = [(b"host", b"s3.amazonaws.com")]
    query = ""
    if date_line.isdigit():
        query = f"AWSAccessKeyId={KEY['access_key']}&Expires={date_line}&Signature={signature}"
        query = query.replace("+", "%2B")
    else:
        authorization = f"AWS {KEY['access_key']}:{signature}".encode()
        headers += [(b"date", date_line.encode()), (b"authorization", authorization)]
    request = ReceivedRequest(method, path.encode(), query.encode(), headers)
    proof = prove(request, datetime(2007, 3, 27, 19, 40, tzinfo=UTC))
    assert proof.version is SignatureVersion.V2
    assert proof.auth_type is (AuthType.QUERY if query else AuthType.HEADER)
