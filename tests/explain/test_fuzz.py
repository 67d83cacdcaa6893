"""Whatever the text, it is explained: no traceback, and no secret or computed signature in the explanation."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import example, given
from hypothesis import strategies as st
from tests.explain.signed import AT, ENDPOINT, HINTS, KEY, NOW, SECRET, presigned

from valetkey import Secret, Signer
from valetkey.cli.explain_text import to_text
from valetkey.explain.amazon import amazon_facts
from valetkey.explain.change import Hints, KnownKey
from valetkey.explain.paste import read_paste
from valetkey.explain.report import explain
from valetkey.explain.trial import Kind, make_trial
from valetkey.explain.wire import report_json

TOKEN = "FwoGZXIvYXdzEBYaDHsession"
URLS = [
    presigned(),
    presigned("ü b", method="PUT", headers={"content-type": "text/plain"}),
    Signer(KEY, SECRET, endpoint=ENDPOINT, session_token=TOKEN).presign("GET", "bucket", "k", at=AT).url,
    f"https://files.example.com/b/k?AWSAccessKeyId={KEY}&Expires=1795870800&Signature=vjbyPxybdZaNmGa%2ByT272YEAiv4%3D",
    "https://d.cloudfront.net/a?Policy=eyJ9&Signature=a~b-c_&Key-Pair-Id=K1",
    "https://storage.googleapis.com/b/k?X-Goog-Credential=a/b/c/d/e&X-Goog-Date=20181026T181309Z&X-Goog-Expires=9",
    "https://a.blob.core.windows.net/c/b?sp=r&se=2023-05-24T09:13:55Z&sv=2022-11-02&sig=a",
]
PIECES = [
    *URLS,
    *(
        "wget --method=PUT --header=a:b ",
        "Invoke-WebRequest -Uri '",
        "requests.put('",
        "headers={'a': 'b'}",
        "-Headers @{",
    ),
    *(
        "curl -X PUT -H 'Content-Type: a' -d b ",
        'fetch("',
        "\", {method: 'PUT', headers: {",
        "}, body: [",
        "})",
    ),
    *(
        "GET /b/k?X-Amz-Signature=1 HTTP/1.1\r\nHost: a\r\n\r\n",
        "> ",
        ":authority: b\n",
        "Authorization: AWS a:b\n",
    ),
    *(
        "Authorization: AWS4-HMAC-SHA256 Credential=a/20261128/r/s3/aws4_request, SignedHeaders=host, Signature=1\n",
    ),
    *(
        "<Error><Code>SignatureDoesNotMatch</Code><CanonicalRequest>GET\n/\n\nhost:a\n\nhost\nb</CanonicalRequest>",
        "</Error>",
    ),
    *(
        "<StringToSign>a\nb\nc</StringToSign>",
        "<ServerTime>2026-11-28T00:00:00Z</ServerTime>",
        "<form action='http://a/b'>",
    ),
    *(
        "<input name=policy value=eyJleHBpcmF0aW9uIjoiMjAyNi0xMi0zMFQxMjowMDowMC4wMDBaIn0=>",
        "<input name=x-amz-signature>",
    ),
    *(
        '{"url": "http://a/b", "fields": {"policy": "e30="}}',
        "&amp;",
        "\\u0026",
        "=3D",
        "=?utf-8?q?http=3A?=",
        "%25",
        "%2F",
    ),
    *(
        "#",
        "?",
        "&",
        "'",
        '"',
        "\\",
        "^",
        "`",
        "<",
        "|",
        " ",
        "\n",
        "\0",
        "\ud800",
        "\u200b",
        "$'",
        "..",
        "//",
        "+",
    ),
    *(
        "&X-Amz-Expires=-1",
        "&X-Amz-Date=99991231T235959Z",
        "&Expires=253402300799",
        "&X-Amz-Signature=",
        "&x-amz-date=",
    ),
    *(
        "&X-Amz-Credential=%2F%2F%2F%2F",
        "&X-Amz-SignedHeaders=host;;",
        "&response-content-type=%ff",
        "&X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256",
    ),
]
texts = st.one_of(
    st.text(max_size=80),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6)), max_size=7).map("".join),
    # A URL in which a few characters were changed.
    st.builds(
        lambda url, at, new, gone: url[:at] + new + url[at + gone :],
        st.sampled_from(URLS), st.integers(0, 300), st.one_of(st.text(max_size=4), st.sampled_from(PIECES)), st.integers(0, 9),
    ),
)  # fmt: skip
instants = st.sampled_from([NOW, datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC)])
hints = st.sampled_from(
    [
        HINTS,
        Hints(),
        Hints(keys=(KnownKey(access_key="other", secret=Secret(SECRET), ends_at=AT),), prefixes=("/p",)),
    ]
)


@given(text=texts, hints=hints, now=instants)
@example(text=URLS[0].replace(KEY, SECRET.replace(" ", "%20").replace("+", "%2B")), hints=HINTS, now=NOW)
def test_any_text(text: str, hints: Hints, now: datetime) -> None:
    paste = read_paste(text)
    report = explain(paste, hints, now=now)
    shown = to_text(report, now=now, width=100) + json.dumps(report_json(report), ensure_ascii=False)
    assert SECRET not in shown
    if TOKEN not in text.replace("X-Amz-Security-Token=" + TOKEN, ""):
        assert TOKEN not in shown
    facts = None if paste.sent is None else amazon_facts(paste.sent)
    if paste.sent is None or facts is None:
        return
    trial = make_trial(paste.sent, facts, secret=Secret(SECRET), virtual_bucket=None)
    if trial is not None and trial.kind is Kind.QUERY_V4:
        assert trial.provided == b"" or len(trial.provided) < 32 or trial.provided.decode() not in shown
