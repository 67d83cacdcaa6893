"""What is tried, what is found, and what must not happen on the way."""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.explain.signed import AT, BLIND, HINTS, KEY, NOW, SECRET, causes, explained, presigned

from valetkey import Secret, Signer
from valetkey.cli.explain_text import to_text
from valetkey.explain.causes import TEXTS, Cause
from valetkey.explain.change import Hints, KnownKey
from valetkey.explain.report import Verdict
from valetkey.explain.search import MOST_PAIRS
from valetkey.explain.trial import Trial
from valetkey.explain.wire import report_json


def test_every_cause_has_its_words() -> None:
    assert set(TEXTS) == set(Cause)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (lambda url: url.replace("files.example.com", "localhost:9000"), lambda url: url + "&utm_source=x", {"host", "extra-parameter"}),
        (lambda url: url.replace("Expires=3600", "Expires=86400"), lambda url: url.replace("//files", "//mail"), {"lifetime-changed", "host"}),
    ],
    ids=["host-and-parameter", "lifetime-and-host"],
)  # fmt: skip
def test_two_changes_are_found_together(first, second, expected) -> None:  # type: ignore[no-untyped-def]
    report = explained(second(first(presigned())))
    assert report.verdict is Verdict.WOULD_MATCH
    assert set(causes(report)) == expected


def test_a_single_change_is_told_alone() -> None:
    assert causes(explained(presigned() + "&x=1&y=2")) == ["extra-parameter"]


def test_three_changes_are_too_many() -> None:
    url = (
        presigned().replace("files", "nobody-knows").replace("=3600", "=3700").replace("a/report", "b/report")
    )
    report = explained(url)
    assert report.verdict is Verdict.NO_MATCH
    assert causes(report) == []


def test_what_is_tried_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Trial] = []
    fits = Trial.fits

    def counted(trial: Trial) -> bool:
        tried.append(trial)
        return fits(trial)

    monkeypatch.setattr(Trial, "fits", counted)
    query = {f"p{number}": "v" for number in range(500)}
    explained(presigned(query=query).replace("a/report", "b/report"))
    assert len(tried) < MOST_PAIRS + 1_100


def test_without_the_secret_nothing_is_claimed() -> None:
    report = explained(presigned().replace("files", "mail"), BLIND)
    assert report.verdict is Verdict.NO_SECRET
    assert causes(report) == []


def test_the_difference_is_marked() -> None:
    report = explained(presigned().replace("files", "mail"), replace(HINTS, hosts=("files.example.com",)))
    different = [row for row in report.rows if row.differs]
    assert [tuple(row) for row in different] == [("host:mail.example.com", "host:files.example.com")]


def test_the_end_of_the_credentials_is_told() -> None:
    known = KnownKey(access_key=KEY, secret=Secret(SECRET), ends_at=NOW + timedelta(minutes=10))
    report = explained(presigned(), Hints(keys=(known,)))
    assert report.facts.credential_ends_at == NOW + timedelta(minutes=10)
    assert [finding.cause for finding in report.findings] == [Cause.CREDENTIAL_ENDED]
    assert "credentials end at 2026-11-28T12:15:00Z" in to_text(report, now=NOW, width=100)


def test_neither_token_nor_signature_is_shown() -> None:
    token = "FwoGZXIvYXdzEBYaDH+session/token=="
    signer = Signer(KEY, SECRET, endpoint="https://mail.example.com", session_token=token)
    url = signer.presign("GET", "bucket", "key", at=AT).url
    report = explained(url.replace("mail", "files"), replace(HINTS, hosts=("mail.example.com",)))
    assert causes(report) == ["host"]
    shown = to_text(report, now=NOW, width=200) + json.dumps(report_json(report))
    assert "FwoGZXIvYXdz" not in shown
    assert url.rpartition("=")[2] not in shown


def test_sigv2_made_with_another_secret() -> None:
    text = f"GET\n\n\n{int(NOW.timestamp()) + 60}\n/bucket/key".encode()
    signature = base64.b64encode(hmac.digest(b"other", text, "sha1")).decode().replace("+", "%2B")
    url = f"https://files.example.com/bucket/key?AWSAccessKeyId={KEY}&Expires={int(NOW.timestamp()) + 60}&Signature={signature}"
    keys = (*HINTS.keys, KnownKey(access_key="OTHER", secret=Secret("other")))
    assert causes(explained(url, replace(HINTS, keys=keys))) == ["other-key"]


def test_a_form_is_checked_with_its_policy() -> None:
    form = Signer(KEY, SECRET, endpoint="https://files.example.com").presign_post(
        "bucket", "in/a.png", content_length_range=(1, 1000), at=AT
    )
    pasted = {"url": form.url, "fields": dict(form.fields)}
    assert explained(json.dumps(pasted)).verdict is Verdict.MATCHES
    report = explained(json.dumps({**pasted, "fields": {**pasted["fields"], "acl": "private"}}))  # type: ignore[dict-item]
    assert causes(report) == ["policy-condition"]
    page = "".join(
        f'<input type="hidden" name="{name}" value="{value}">' for name, value in form.fields.items()
    )
    html = f'<form action="{form.url}" method="post">{page}<input type="file" name="file"></form>'
    assert explained(html).verdict is Verdict.MATCHES
    assert causes(explained(html, now=NOW + timedelta(days=2))) == ["expired"]
    spoiled = Hints(
        keys=(
            KnownKey(access_key=KEY, secret=Secret("wrong")),
            KnownKey(access_key="B", secret=Secret(SECRET)),
        )
    )
    assert causes(explained(html, spoiled)) == ["other-key"]


def test_the_errors_own_canonical_request_is_enough() -> None:
    url = presigned()
    query = url.partition("?")[2].rpartition("&")[0]
    canonical = f"GET\n/bucket/a/report.pdf\n{query}\nhost:10.0.0.7:9000\n\nhost\nUNSIGNED-PAYLOAD"
    error = (
        "<Error><Code>SignatureDoesNotMatch</Code><Message>no</Message>"
        f"<AWSAccessKeyId>{KEY}</AWSAccessKeyId><SignatureProvided>{url.rpartition('=')[2]}</SignatureProvided>"
        f"<CanonicalRequest>{canonical.replace('&', '&amp;')}</CanonicalRequest></Error>"
    )
    report = explained(error)
    assert causes(report) == ["host"]
    assert [tuple(row) for row in report.rows if row.differs] == [
        ("host:10.0.0.7:9000", "host:files.example.com")
    ]
    assert "host" in [finding.cause.value for finding in explained(f"{url}\n{error}", BLIND).findings]


@pytest.mark.parametrize("lost", ["%3F", "", "&"], ids=["encoded", "gone", "ampersand"])
def test_a_query_in_the_path_is_found_and_not_shown(lost: str) -> None:
    token = "FwoGZXIvYXdzEBYaDH"
    url = (
        Signer(KEY, SECRET, endpoint="https://files.example.com", session_token=token)
        .presign("GET", "b", "k", at=AT)
        .url
    )
    report = explained(url.replace("?", lost))
    assert causes(report) == ["question-mark"]
    assert report.verdict is Verdict.MATCHES
    blind = to_text(explained(url.replace("?X-Amz-Algorithm", "/x-Algorithm"), BLIND), now=NOW, width=100)
    assert token not in blind
    assert url.rpartition("=")[2] not in blind
