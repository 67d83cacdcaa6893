"""Whatever the bytes, a request is anonymous, proved or refused with an error of this room."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from valetkey.sigv4.claims import read_claim
from valetkey.sigv4.errors import SignatureError
from valetkey.sigv4.received import ReceivedRequest
from valetkey.sigv4.secret import Secret
from valetkey.sigv4.verify import SignedHost, require_signature

AT = datetime(2013, 5, 24, tzinfo=UTC)
NAMES = [
    *(
        f"X-Amz-{name}"
        for name in ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
    ),
    *(
        "X-Amz-Security-Token",
        "X-Amz-Content-Sha256",
        "AWSAccessKeyId",
        "Expires",
        "Signature",
        "x-amz-acl",
        "acl",
    ),
]
VALUES = [
    *(
        "AWS4-HMAC-SHA256",
        "AKID%2F20130524%2Fus-east-1%2Fs3%2Faws4_request",
        "20130524T000000Z",
        "3600",
        "host",
    ),
    *(
        "%00",
        "%",
        "%zz",
        "%ff",
        "",
        "host;x-amz-acl;;%0A",
        "9" * 30,
        "99999999999",
        "1369357200",
        "-1",
        "0" * 64,
    ),
    *("00010101T000000Z", "99991231T235959Z", "AKID%2F99991231%2Fus-east-1%2Fs3%2Faws4_request"),
]
HEADERS = [
    b"host",
    b"authorization",
    b"x-amz-date",
    b"date",
    b"x-amz-content-sha256",
    b"x-amz-meta-a",
    b"range",
    b"",
]
HEADER_VALUES = [
    b"AWS4-HMAC-SHA256 Credential=AKID/20130524/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=\xff",
    *(
        b"AWS AKID:x",
        b"AWS \xff:\xff",
        b"20130524T000000Z",
        b"Fri, 24 May 2013 00:00:00 GMT",
        b"UNSIGNED-PAYLOAD",
    ),
]

pieces = st.one_of(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)).map(lambda pair: "=".join(pair).encode()),
    st.binary(max_size=12),
)
requests = st.builds(
    ReceivedRequest,
    st.one_of(st.sampled_from(["GET", "HEAD", "PUT"]), st.text(st.characters(), max_size=4)),
    st.one_of(st.just(b"/b/k"), st.binary(max_size=20)),
    st.one_of(
        st.binary(max_size=60),
        st.lists(pieces, max_size=9).map(b"&".join),
        # All that is required, then something.
        st.builds(
            lambda values, more: b"&".join(
                [f"{name}={value}".encode() for name, value in zip(NAMES, values, strict=False)] + more
            ),
            st.tuples(
                *(st.one_of(st.just(value), st.sampled_from(VALUES)) for value in [*VALUES[:5], "0" * 64])
            ),
            st.lists(pieces, max_size=3),
        ),
    ),
    st.lists(
        st.tuples(
            st.sampled_from(HEADERS), st.one_of(st.binary(max_size=12), st.sampled_from(HEADER_VALUES))
        ),
        max_size=6,
    ),
)


@given(request=requests, bucket=st.sampled_from([None, "b"]), head_as_get=st.booleans())
def test_any_request(request: ReceivedRequest, bucket: str | None, head_as_get: bool) -> None:
    with suppress(SignatureError):
        claim = read_claim(request, region="us-east-1", now=AT)
        if claim is not None:
            require_signature(
                claim,
                request,
                secret=Secret("secret"),
                virtual_bucket=bucket,
                alternatives=[SignedHost(host=b"other", path_prefix=b"/p")],
                head_as_get=head_as_get,
            )
            # Nobody guesses a signature.
            raise AssertionError(request)
