"""The short reader of plain presigned URLs says what the general one says, or nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey import SignatureError, Signer
from valetkey.sigv4.claim import Claim
from valetkey.sigv4.encoding import query_pairs
from valetkey.sigv4.plain_url import read_plain_claim
from valetkey.sigv4.query_auth import read_query_claim
from valetkey.sigv4.received import ReceivedRequest

REGION = "us-east-1"
AT = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
SIGNER = Signer("AKIDEXAMPLE", "secret-of-the-example", region=REGION, endpoint="http://127.0.0.1:9000")
QUERY = str(SIGNER.presign("GET", "b", "k", expires=3600, at=AT)).partition("?")[2].encode()
HEADERS = [(b"host", b"127.0.0.1:9000"), (b"accept", b"*/*")]


def received(query: bytes, headers: list[tuple[bytes, bytes]] = HEADERS) -> ReceivedRequest:
    return ReceivedRequest("GET", b"/b/k", query, headers)


def general(request: ReceivedRequest, now: datetime) -> Claim | type[SignatureError]:
    pairs = query_pairs(request.raw_query)
    try:
        return read_query_claim(request, pairs, dict(pairs), region=REGION, now=now)
    except SignatureError as error:
        return type(error)


def without_stand_ins(claim: Claim | type[SignatureError]) -> object:
    # With the host alone signed, no parameter can stand in for a header.
    if isinstance(claim, Claim):
        return claim._replace(evidence=claim.evidence._replace(stand_ins=[]))  # type: ignore[call-arg]
    return claim


def test_it_reads_what_our_signer_writes() -> None:
    assert read_plain_claim(received(QUERY), region=REGION, now=AT) is not None


def test_it_reads_the_order_in_which_botocore_writes() -> None:
    parts = dict(piece.split(b"=") for piece in QUERY.split(b"&"))
    order = [b"Algorithm", b"Credential", b"Date", b"SignedHeaders", b"Expires", b"Signature"]
    query = b"&".join(b"X-Amz-" + name + b"=" + parts[b"X-Amz-" + name] for name in order)
    claim = read_plain_claim(received(query), region=REGION, now=AT)
    assert claim is not None
    assert without_stand_ins(claim) == without_stand_ins(general(received(query), AT))


@pytest.mark.parametrize(
    "headers",
    [
        [(b"authorization", b"Bearer x")],
        [(b"x-amz-meta-a", b"1")],
        [(b"x-amz-content-sha256", b"UNSIGNED-PAYLOAD")],
    ],
    ids=["two mechanisms", "a header to be signed", "a payload hash"],
)
def test_unusual_headers_are_left_to_the_general_reader(headers: list[tuple[bytes, bytes]]) -> None:
    assert read_plain_claim(received(QUERY, HEADERS + headers), region=REGION, now=AT) is None


@given(
    st.integers(0, len(QUERY) - 1),
    st.binary(max_size=2),
    st.integers(0, 2),
    st.integers(-1000, 4000),
)
def test_whatever_the_query_it_says_the_same_or_nothing(
    place: int, new: bytes, cut: int, offset_s: int
) -> None:
    query = QUERY[:place] + new + QUERY[place + cut :]
    now = AT + timedelta(seconds=offset_s)
    claim = read_plain_claim(received(query), region=REGION, now=now)
    if claim is not None:
        assert without_stand_ins(claim) == without_stand_ins(general(received(query), now))


@given(st.integers(-2_000, 700_000), st.sampled_from([1, 60, 3600, 604_800]))
def test_it_closes_at_the_same_instant(offset_s: int, lifetime_s: int) -> None:
    url = str(SIGNER.presign("GET", "b", "k", expires=lifetime_s, at=AT))
    request, now = received(url.partition("?")[2].encode()), AT + timedelta(seconds=offset_s)
    claim = read_plain_claim(request, region=REGION, now=now)
    if claim is None:
        assert isinstance(general(request, now), type)
    else:
        assert without_stand_ins(claim) == without_stand_ins(general(request, now))
