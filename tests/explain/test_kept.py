"""What a server keeps of a refused request: enough to check its signature, and nothing to use it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.explain.signed import AT, ENDPOINT, HINTS, KEY, NOW, SECRET, causes, presigned

from valetkey import Signer
from valetkey.explain.change import Hints
from valetkey.explain.kept import (
    KeptRequest,
    from_record,
    redacted_headers,
    redacted_target,
    sealed,
    to_record,
)
from valetkey.explain.report import Report, Verdict, explain
from valetkey.sigv4.keys import base64_signature

SEAL = b"k" * 32
SIGNATURE = presigned().rpartition("=")[2]
TOKEN = "FwoGZXIvYXdzEBYaDHsession"


def kept(url: str, headers: tuple[tuple[bytes, bytes], ...] = (), method: str = "GET") -> KeptRequest:
    path, _, query = url.removeprefix(ENDPOINT).partition("?")
    all_headers = ((b"host", b"files.example.com"), *headers)
    return KeptRequest(
        request_id="ID", at_ms=round(NOW.timestamp() * 1000), access_key=KEY, account_id="a", user="",
        code="SignatureDoesNotMatch", message="no", method=method, is_secure=True, is_proved=False,
        path=redacted_target(path.encode(), SEAL).decode("latin-1"),
        query=redacted_target(query.encode(), SEAL).decode("latin-1"),
        headers=tuple(
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in redacted_headers(all_headers, b"host", SEAL)
        ),
    )  # fmt: skip


def explained(request: KeptRequest) -> Report:
    hints = Hints(keys=HINTS.keys, seal=SEAL)
    return explain(request.paste(), hints, now=NOW)


def test_a_sealed_signature_is_checked_like_the_signature() -> None:
    assert explained(kept(presigned())).verdict is Verdict.MATCHES
    assert causes(explained(kept(presigned() + "&a=b"))) == ["extra-parameter"]
    assert causes(explained(kept(presigned()[:-7]))) == ["cut-off"]


def test_a_request_signed_in_its_header_too() -> None:
    url = f"{ENDPOINT}/bucket/key"
    headers = Signer(KEY, SECRET, endpoint=ENDPOINT).sign_headers("GET", url, at=AT)
    raw = tuple((name.lower().encode(), value.encode()) for name, value in headers.items())
    request = kept(url, raw)
    assert headers["Authorization"][-64:] not in str(request)
    assert explained(request).verdict is Verdict.MATCHES
    assert causes(explained(kept(url, raw, method="PUT"))) == ["method"]


def test_a_seal_has_the_form_of_what_it_stands_for() -> None:
    version_2 = base64_signature(SECRET, b"text")
    assert len(sealed(version_2, SEAL)) == 28
    assert len(sealed(SIGNATURE.encode(), SEAL)) == 64
    assert sealed(SIGNATURE.encode(), SEAL) not in {SIGNATURE.encode(), sealed(SIGNATURE.encode(), b"other")}
    assert len(sealed(SIGNATURE[:9].encode(), SEAL)) == 9
    assert sealed(b"anything else", SEAL) == b"REDACTED"


spellings = st.sampled_from(
    [
        "&X-Amz-Signature={}", "?x-amz-signature={}", "&X-Amz-Signatur%65={}", "&amp;X-Amz-Signature={}", "&Signature={}&",
        "%26X-Amz-Signature%3D{}%26", "%2526X-Amz-Signature%253D{}", "&X-Amz-Security-Token={}", "&x-amz-security-t%6Fken={}",
        "&x-amz-server-side-encryption-customer-key={}&a=b", "#X-Amz-Signature={}", ";signature={}",
    ]
)  # fmt: skip


@given(
    before=st.text(st.characters(max_codepoint=255, exclude_characters="&"), max_size=20),
    spelling=spellings,
    secret=st.sampled_from([SIGNATURE, TOKEN]),
    after=st.text(st.characters(max_codepoint=255), max_size=20),
)
def test_no_spelling_keeps_a_secret(before: str, spelling: str, secret: str, after: str) -> None:
    raw = (before + spelling.format(secret) + "&" + after).encode("latin-1")
    for found in (
        redacted_target(raw, SEAL),
        redacted_headers(((b"referer", raw), (b"x-amz-meta-a", raw)), b"referer", SEAL),
    ):
        assert secret not in str(found)


@given(content=st.binary(max_size=80))
def test_any_record_is_read_or_passed_over(content: bytes) -> None:
    from_record(content)
    redacted_target(content, SEAL)
    redacted_headers(((b"authorization", content), (b"x-amz-date", content)), content, SEAL)


def test_a_record_comes_back_as_it_was() -> None:
    request = kept(presigned("ü b"), ((b"x-amz-meta-a", b"\xff"), (b"cookie", b"a=b")))
    assert from_record(to_record(request)) == request
    assert "cookie" not in str(request)
